"""Functions that order elements along a dimension, or take some by their rank; gradients go to the elements taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn import return_types
from tinygrad_nn.methods.aliases import numpy_names
from tinygrad_nn.methods.dims import axis_of
from tinygrad_nn.methods.reduction import all, at, sum, vector
from tinygrad_nn.op_node import named
from tinygrad_nn.ops import compare, elementwise, index, reduce, shape
from tinygrad_nn.ops import sort as ops

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "argsort", "kthvalue", "median", "mode", "msort", "nanmedian", "nanquantile", "quantile", "sort", "topk",
]  # fmt: skip


@numpy_names
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The elements sorted along `dim`, and where they stood; equal ones keep their order, NaN counts as the largest."""
    axis = axis_of(dim, input.ndim)
    order = ops.argsort(vector(input), axis=axis, descending=descending)
    values, places = at(input, shape.reshape(order, shape=tuple(input.shape)), axis, True)
    return return_types.sort(named(values, "SortBackward0"), places)


@numpy_names
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """Where the elements stand that sort the tensor along `dim`; equal ones keep their order."""
    order: Tensor = ops.argsort(vector(input), axis=axis_of(dim, input.ndim), descending=descending)
    return order if input.ndim else shape.reshape(order, shape=())


def msort(input: Tensor) -> Tensor:
    """The elements sorted along the first dimension."""
    return sort(input, 0)[0]


@numpy_names
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The `k` largest (or smallest) elements along `dim`, in order, and where they stand."""
    axis = axis_of(dim, input.ndim)
    if input.dtype.name == "bool":
        raise RuntimeError("topk does not support bool dtypes on CPU")
    if not 0 <= k <= (input.shape[axis] if input.ndim else 1):
        raise RuntimeError(f"selected index k out of range: k is {k}, dimension {axis} of {list(input.shape)}")
    order = ops.argsort(vector(input), axis=axis, descending=largest)
    first = index.getitem(order, index=(*(slice(None),) * axis, slice(k), ...)).contiguous()
    values, places = at(input, first, axis, True)
    return return_types.topk(named(values, "TopkBackward0"), places)


@numpy_names
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The `k`-th smallest element along `dim`, counted from 1, and where it stands."""
    axis = _checked(input, dim, "kthvalue")
    if not 1 <= k <= (input.shape[axis] if input.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}: {k}")
    order = ops.argsort(vector(input), axis=axis, descending=False)
    place = index.getitem(order, index=(*(slice(None),) * axis, slice(k - 1, k), ...)).contiguous()
    return return_types.kthvalue(*at(input, place, axis, keepdim))


@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median: of all, or along `dim` with its place; NaN if there is one."""
    if dim is None:
        return reduce.median(_not_bool(input, "median"))
    place = ops.argmedian(vector(input), axis=_checked(input, dim, "median"), skip_nan=False)
    return return_types.median(*at(input, place, dim, keepdim))


@numpy_names
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median of what is not NaN: of all, or along `dim` with its place."""
    if dim is None:
        return reduce.nanmedian(_not_bool(input, "nanmedian"))
    place = ops.argmedian(vector(input), axis=_checked(input, dim, "nanmedian"), skip_nan=True)
    return return_types.nanmedian(*at(input, place, dim, keepdim))


@numpy_names
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent element along `dim`, the smallest if there are several, and where it last stands."""
    place = ops.argmode(vector(input), axis=_checked(input, dim, "mode", bools=True))
    return return_types.mode(*at(input, place, dim, keepdim))


@numpy_names
def quantile(
    input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """What lies above the fraction `q` of the elements along `dim` (None: of all); a vector `q` gives a first dimension."""
    return _quantile("quantile", input, q, dim, keepdim, interpolation)


@numpy_names
def nanquantile(
    input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """`quantile` of what is not NaN."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation)


def _quantile(name: str, input: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str) -> Tensor:
    """The sorted elements at the ranks q * (n - 1), and between two of them by `interpolation`."""
    if input.dtype.name not in ("float32", "float64"):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype, got {input.dtype}")
    if not input.numel():
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if not hasattr(q, "__record__"):
        if not isinstance(q, int | float | np.number):
            raise TypeError(f"{name}(): argument 'q' must be Tensor or float, not {type(q).__name__}")
        q = input.rewrap(np.asarray(q, input.dtype.numpy), None)
    if q.ndim > 1 or q.dtype is not input.dtype:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor of {input.dtype}, got {q.ndim}D of {q.dtype}")
    if not all((q >= 0) & (q <= 1)):
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    axis = None if dim is None else axis_of(dim, input.ndim)
    rows = shape.reshape(input, shape=(-1,)) if axis is None or not input.ndim else input.movedim(axis, -1)
    rows = sort(rows, -1)[0]
    numbers = sum(compare.logical_not(compare.isnan(rows)), -1, True)
    last = rows.shape[-1] - 1
    ranks = shape.reshape(q, shape=(-1,)) * (elementwise.maximum(numbers - 1, 0) if name == "nanquantile" else last)
    ranks = shape.broadcast_to(ranks, shape=(*rows.shape[:-1], ranks.shape[-1]))
    if name == "quantile":  # where there is a NaN, it is the last and the result
        ranks = elementwise.where(numbers > last, ranks, float(last))
    values = _between(rows, ranks, interpolation)
    if keepdim:
        ones = [1 if axis is None or i == axis else n for i, n in enumerate(input.shape)]
        values = shape.reshape(values.movedim(-1, 0), shape=(q.numel(), *ones))
    else:
        values = values.movedim(-1, 0)
    return values if q.ndim else shape.reshape(values, shape=tuple(values.shape[1:]))


def _between(rows: Tensor, ranks: Tensor, interpolation: str) -> Tensor:
    """The elements of the sorted rows at ranks that need not be whole."""
    if interpolation == "nearest":
        return _taken(rows, ranks.round())
    below, above = _taken(rows, ranks.floor()), _taken(rows, ranks.ceil())
    if interpolation in ("lower", "higher"):
        return below if interpolation == "lower" else above
    weight = 0.5 if interpolation == "midpoint" else ranks - ranks.floor()
    return below + (above - below) * weight


def _taken(rows: Tensor, ranks: Tensor) -> Tensor:
    taken: Tensor = index.take_along_axis(rows, ranks.detach().long(), axis=-1)
    return taken


def _not_bool(input: Tensor, name: str) -> Tensor:
    if input.dtype.name == "bool":
        raise RuntimeError(f"{name}(): does not support bool input")
    return input


def _checked(input: Tensor, dim: int, name: str, bools: bool = False) -> int:
    """`dim` as an axis along which there is something to choose."""
    axis = axis_of(dim, input.ndim)
    if input.ndim and not input.shape[axis]:
        raise IndexError(f"{name}(): Expected reduction dim {axis} to have non-zero size.")
    if not bools:
        _not_bool(input, name)
    return axis
