"""Functions that write by index; each gives a copy, its `name_` method writes into the tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn.dtypes import number_in
from tinygrad_nn.methods.aliases import numpy_names
from tinygrad_nn.methods.dims import axis_of
from tinygrad_nn.methods.faces import expect_tensor
from tinygrad_nn.methods.indexing import along, numpy_index, positions, slices_at
from tinygrad_nn.methods.shaping import broadcast_shapes, expand, reshape
from tinygrad_nn.ops import elementwise
from tinygrad_nn.ops import index as ops

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "index_add", "index_copy", "index_fill", "index_put", "index_reduce", "masked_scatter", "put", "scatter", "scatter_add",
    "scatter_reduce",
]  # fmt: skip

_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def _same_dtype(input: Tensor, src: Tensor, name: str) -> Tensor:
    if src.dtype != input.dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype, got {input.dtype} and {src.dtype}")
    return src


def _beside(input: Tensor, dim: int, index: Tensor, src: Any, name: str) -> tuple[Any, Any, Any, int]:
    """The input with a dimension or more, what of `src` (a tensor or a number) the index is for, the index, the axis."""
    axis, plain = along(input, dim, index, name)
    whole, plain = (input if input.ndim else reshape(input, 1)), plain.reshape(plain.shape or (1,))
    if hasattr(src, "__record__"):
        _same_dtype(input, src, name)
        src = src if src.ndim else reshape(src, 1)
    else:
        src = expand(input.new_full((1,), src), (1,) * plain.ndim).expand(plain.shape)
    if plain.size and any(n > m for n, m in zip(plain.shape, src.shape, strict=False)):
        raise RuntimeError(f"Expected index {list(index.shape)} to be no larger than src {list(src.shape)} in {name}()")
    others = [i for i in range(plain.ndim) if i != axis] if plain.size else []
    if any(plain.shape[i] > whole.shape[i] for i in others):
        raise RuntimeError(
            f"Expected index {list(index.shape)} to be no larger than self {list(input.shape)} except in dimension {axis}: {name}()"
        )
    return whole, ops.getitem(src, index=tuple(slice(n) for n in plain.shape)), plain, axis


@numpy_names
def scatter(input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor:
    """A copy of the input with each element of `src`, or one `value`, at its `index` along `dim`; or added or multiplied there."""
    source = value if src is None else src
    if source is None:
        raise TypeError("scatter(): expected src, a tensor or a number, or value")
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise RuntimeError(f"reduce argument must be either add or multiply, got {reduce}")
        return _reduced(input, dim, index, source, "sum" if reduce == "add" else "prod", True, "scatter")
    whole, part, plain, axis = _beside(input, dim, index, source, "scatter")
    if not plain.size:
        return elementwise.copy(input)
    return reshape(ops.setitem(whole, part, index=ops.grid(plain, axis)), tuple(input.shape))


@numpy_names
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of the input with each element of `src` added at its `index` along `dim`."""
    return _reduced(input, dim, index, src, "sum", True, "scatter_add")


@numpy_names
def scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """A copy of the input with the sum, prod, mean, amax or amin of the elements of `src` with one `index` along `dim` there.

    With `include_self` what was there counts as well.
    """
    if reduce not in _REDUCTIONS:
        raise RuntimeError(f"reduce argument must be one of {', '.join(_REDUCTIONS)}, got {reduce}")
    return _reduced(input, dim, index, src, reduce, include_self, "scatter_reduce")


def _reduced(input: Tensor, dim: int, index: Tensor, src: Any, reduce: str, include_self: bool, name: str) -> Tensor:
    whole, part, plain, axis = _beside(input, dim, index, src, name)
    if not plain.size:
        return elementwise.copy(input)
    where, sizes = ops.grid(plain, axis), tuple(whole.shape)
    if not include_self:
        neutral = np.asarray(_neutral(reduce, input.dtype.numpy), input.dtype.numpy)
        whole = ops.setitem(whole, neutral, index=where)
    if reduce in ("amax", "amin"):
        result = ops.scatter_extreme(whole, part, plain, axis=axis, largest=reduce == "amax")
    elif reduce == "prod":
        result = whole
        for turn in _turns(where, sizes):
            places = tuple(np.broadcast_to(part_of_grid, plain.shape)[turn] for part_of_grid in where)
            factors = ops.getitem(result, index=places) * ops.getitem(part, index=(turn,))
            result = ops.setitem(result, factors, index=places)
    else:
        added = ops.put_along_axis(part, plain, axis=axis, shape=sizes)
        result = whole | added if input.dtype.name == "bool" else whole + added
        if reduce == "mean":
            count = np.full(sizes, int(include_self), input.dtype.numpy)
            np.add.at(count, where, 1)
            rounding = None if input.is_floating_point() else "floor"
            result = result.div(input.new_tensor(np.maximum(count, 1)), rounding_mode=rounding)
    return reshape(result, tuple(input.shape))


def _neutral(reduce: str, dtype: np.dtype[Any]) -> Any:
    """The value that changes no result."""
    if reduce not in ("amax", "amin"):
        return int(reduce == "prod")
    if dtype.kind == "b":
        return reduce == "amin"
    least, most = (-np.inf, np.inf) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return least if reduce == "amax" else most


def _turns(where: tuple[Any, ...], sizes: tuple[int, ...]) -> list[Any]:
    """Masks that part the elements of an index such that in each turn no place is named twice."""
    places = np.ravel_multi_index(where, sizes)
    order = np.argsort(places, axis=None, kind="stable")
    ordered = places.ravel()[order]
    turn = np.empty(places.size, np.int64)
    turn[order] = np.arange(places.size) - np.searchsorted(ordered, ordered)
    return [(turn == i).reshape(places.shape) for i in range(turn.max() + 1)]


def _slices(
    input: Tensor, dim: int, index: Tensor, name: str, error: type[Exception]
) -> tuple[Tensor, tuple[Any, ...], tuple[int, ...]]:
    """The input with a dimension or more, the NumPy index of its slices, and the shape of those slices together."""
    axis, rows = slices_at(input, dim, index, name, error)
    whole = input if input.ndim else reshape(input, 1)
    return whole, (*(slice(None),) * axis, rows), (*whole.shape[:axis], rows.size, *whole.shape[axis + 1 :])


def _fitting(input: Tensor, source: Tensor, sizes: tuple[int, ...], name: str) -> Tensor:
    """`source` in the shape of the slices it goes to."""
    _same_dtype(input, source, name)
    if tuple(source.shape or (1,)) != sizes:
        raise RuntimeError(f"{name}(): expected source of shape {list(sizes)}, one slice for each index, got {list(source.shape)}")
    return reshape(source, sizes)


@numpy_names
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """A copy of the input with each slice of `source`, times `alpha`, added to the slice of `dim` that `index` names."""
    whole, where, sizes = _slices(input, dim, index, "index_add", RuntimeError)
    source = _fitting(input, source, sizes, "index_add")
    added = ops.scatter_add(source if alpha == 1 else source * alpha, index=where, shape=tuple(whole.shape))
    return reshape(whole | added if input.dtype.name == "bool" else whole + added, tuple(input.shape))


@numpy_names
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy of the input with each slice of `source` in the place of the slice of `dim` that `index` names."""
    whole, where, sizes = _slices(input, dim, index, "index_copy", IndexError)
    return reshape(ops.setitem(whole, _fitting(input, source, sizes, "index_copy"), index=where), tuple(input.shape))


@numpy_names
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy of the input with `value` throughout the slices of `dim` that `index` names; negative ones count from the end."""
    if hasattr(value, "__record__") and value.ndim:
        raise RuntimeError(f"index_fill_ only supports a 0-dimensional value tensor, got one with {value.ndim} dimension(s)")
    size = input.shape[axis_of(dim, input.ndim)] if input.ndim else 1
    counted = index.where(index >= 0, index + size) if index.dtype.name == "int64" else index
    whole, where, _ = _slices(input, dim, counted, "index_fill", IndexError)
    filling = value.to(input.dtype) if hasattr(value, "__record__") else number_in(value, input.dtype.numpy)
    return reshape(ops.setitem(whole, filling, index=where), tuple(input.shape))


@numpy_names
def index_reduce(input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """A copy of the input with the prod, mean, amax or amin of the slices of `source` with one `index` along `dim` there."""
    if reduce not in _REDUCTIONS[1:]:
        raise RuntimeError(f"index_reduce(): expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    whole, _, sizes = _slices(input, dim, index, "index_reduce", IndexError)
    axis = axis_of(dim, input.ndim)
    places = expand(reshape(index.long(), (-1, *[1] * (whole.ndim - axis - 1))), sizes)
    source = _fitting(input, source, sizes, "index_reduce")
    return reshape(scatter_reduce(whole, axis, places, source, reduce, include_self=include_self), tuple(input.shape))


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of the input with `values` written, or added, at `input[indices]`."""
    expect_tensor("index_put", "values", values)
    parts: list[Any] = [slice(None) if part is None else part for part in indices]
    parts = [part.reshape(1) if hasattr(part, "ndim") and not part.ndim else part for part in parts]
    where = numpy_index(tuple(parts), tuple(input.shape))
    if values.dtype != input.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {input.dtype} for the destination and "
            f"{values.dtype} for the source."
        )
    try:
        sizes = tuple(input.detach().numpy()[where].shape)
        fits = tuple(broadcast_shapes(tuple(values.shape), sizes)) == sizes
    except IndexError as error:
        raise IndexError(f"index_put: {error}; the tensor's shape is {list(input.shape)}") from None
    except RuntimeError:
        fits = False
    if not fits:
        raise RuntimeError(f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of "
                           f"shape {list(sizes)}")  # fmt: skip
    if not accumulate:
        return ops.setitem(input, values, index=where)
    added = ops.scatter_add(expand(values, sizes), index=where, shape=tuple(input.shape))
    return input | added if input.dtype.name == "bool" else input + added


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of the input with the elements of `source` written, or added, at the positions `index` of the flattened input."""
    expect_tensor("put_", "source", source)
    plain = positions(input, index, "put").reshape(-1)
    _same_dtype(input, source, "put_")
    if source.numel() != plain.size:
        raise IndexError(
            f"put_(): Expected source and index to have the same number of elements, but got source.numel() = {source.numel()}, "
            f"index.numel() = {plain.size}"
        )
    flat, values = reshape(input, -1), reshape(source, -1)
    if not accumulate:
        return reshape(ops.setitem(flat, values, index=(plain,)), tuple(input.shape))
    added = ops.scatter_add(values, index=(plain,), shape=tuple(flat.shape))
    return reshape(flat | added if input.dtype.name == "bool" else flat + added, tuple(input.shape))


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy of the input with the elements of `source`, in their order, where the bool `mask` holds."""
    if mask.dtype.name != "bool":
        raise RuntimeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {mask.dtype}")
    expect_tensor("masked_scatter", "source", source)
    _same_dtype(input, source, "masked_scatter")
    sizes = broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    where = expand(mask, sizes).numpy()
    count = int(where.sum())
    if count > source.numel():
        raise RuntimeError(f"masked_scatter: expected self and source to have same number of elements: the mask holds {count}, "
                           f"the source {source.numel()}")  # fmt: skip
    return ops.setitem(expand(input, sizes), reshape(source, -1)[:count], index=(where,))
