"""Functions that reduce along dimensions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from tinygrad_nn import return_types
from tinygrad_nn.dtypes import DTypeLike, get_default_dtype
from tinygrad_nn.methods.aliases import numpy_names
from tinygrad_nn.methods.dims import axes_of, axis_of, listed
from tinygrad_nn.methods.faces import plain
from tinygrad_nn.op_node import named
from tinygrad_nn.ops import compare, elementwise, reduce
from tinygrad_nn.ops.factorization import svd
from tinygrad_nn.ops.index import take_along_axis
from tinygrad_nn.ops.shape import permute, reshape

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "count_nonzero", "dist", "logsumexp", "max", "mean", "min",
    "nanmean", "nansum", "norm", "prod", "renorm", "std", "std_mean", "sum", "var", "var_mean",
]  # fmt: skip

Dims: TypeAlias = int | Sequence[int] | None


@numpy_names
def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The sum along `dim` (None: all); integers and bools add up in int64."""
    input = summable(input if dtype is None else input.to(dtype))
    total: Tensor = reduce.sum(input, axis=axes_of(dim, input.ndim), keepdims=keepdim)
    return total if dtype is None else total.to(dtype)


@numpy_names
def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The sum along `dim` (None: all) of what is not NaN."""
    input = input if dtype is None else input.to(dtype)
    return sum(elementwise.where(compare.isnan(input), 0, input), dim, keepdim)


@numpy_names
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The arithmetic mean along `dim` (None: all) of a floating tensor."""
    input = input if dtype is None else input.to(dtype)
    if not input.is_floating_point():
        raise RuntimeError(f"mean(): could not infer output dtype. Input dtype must be floating point. Got: {input.dtype}")
    return reduce.mean(input, axis=axes_of(dim, input.ndim), keepdims=keepdim)


@numpy_names
def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The arithmetic mean along `dim` (None: all) of what is not NaN."""
    if not input.is_floating_point():
        raise RuntimeError(f"nanmean(): expected input to have floating point dtype but got {input.dtype}")
    input = input if dtype is None else input.to(dtype)
    count = sum(compare.logical_not(compare.isnan(input)), dim, keepdim)
    return elementwise.div(nansum(input, dim, keepdim), count)


@numpy_names
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The product along `dim` (None: all)."""
    input = summable(input if dtype is None else input.to(dtype))
    axis = None if dim is None else axis_of(dim, input.ndim)
    product: Tensor = reduce.prod(input, axis=axis if input.ndim else None, keepdims=keepdim)
    return product if dtype is None else product.to(dtype)


@numpy_names
def var(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The variance along `dim` (None: all): squared deviations summed, divided by their number less `correction` (1).

    A UserWarning where that is not above 0.
    """
    return _variance("var", input, dim, unbiased, keepdim, correction)


@numpy_names
def std(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation along `dim` (None: all): the square root of `var`."""
    return reduce.root(_variance("std", input, dim, unbiased, keepdim, correction))


@numpy_names
def var_mean(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """`var` and `mean` along `dim` (None: all)."""
    variance = _variance("var_mean", input, dim, unbiased, keepdim, correction)
    return variance, mean(input, None if isinstance(dim, bool) else dim, keepdim)


@numpy_names
def std_mean(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """`std` and `mean` along `dim` (None: all)."""
    variance = _variance("std_mean", input, dim, unbiased, keepdim, correction)
    return reduce.root(variance), mean(input, None if isinstance(dim, bool) else dim, keepdim)


@numpy_names
def amax(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The largest element along `dim` (empty: all); ties share the gradient."""
    return reduce.amax(_nonempty(input, dim, "amax"), axis=axes_of(dim, input.ndim), keepdims=keepdim)


@numpy_names
def amin(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The smallest element along `dim` (empty: all); ties share the gradient."""
    return reduce.amin(_nonempty(input, dim, "amin"), axis=axes_of(dim, input.ndim), keepdims=keepdim)


@numpy_names
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest and the largest element along `dim` (None: all); ties share the gradient."""
    axes = axes_of(dim, _nonempty(input, dim, "aminmax").ndim)
    return return_types.aminmax(*(f(input, axis=axes, keepdims=keepdim) for f in (reduce.amin, reduce.amax)))


@numpy_names
def max(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """The largest of all; along `dim` the values and their indices; with a tensor, the elementwise maximum."""
    other = dim if hasattr(dim, "__record__") else other  # type: ignore[assignment]
    if other is not None:
        return elementwise.maximum(input, other)
    if dim is None:
        return reduce.max(_nonempty(input, None, "max"))
    place = _arg(reduce.argmax, input, dim, True, "max")  # type: ignore[arg-type]
    values, places = at(input, place, dim, keepdim)  # type: ignore[arg-type]
    return return_types.max(named(values, "MaxBackward0"), places)


@numpy_names
def min(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """The smallest of all; along `dim` the values and their indices; with a tensor, the elementwise minimum."""
    other = dim if hasattr(dim, "__record__") else other  # type: ignore[assignment]
    if other is not None:
        return elementwise.minimum(input, other)
    if dim is None:
        return reduce.min(_nonempty(input, None, "min"))
    place = _arg(reduce.argmin, input, dim, True, "min")  # type: ignore[arg-type]
    values, places = at(input, place, dim, keepdim)  # type: ignore[arg-type]
    return return_types.min(named(values, "MinBackward0"), places)


@numpy_names
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest element stands: along `dim`, or in the flattened tensor."""
    return _arg(reduce.argmax, _not_bool(input, "argmax"), dim, keepdim, "argmax")


@numpy_names
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest element stands: along `dim`, or in the flattened tensor."""
    return _arg(reduce.argmin, _not_bool(input, "argmin"), dim, keepdim, "argmin")


@numpy_names
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """log(sum(exp(input))) along `dim`, without overflow."""
    input = input if input.is_floating_point() else input.to(get_default_dtype())
    axes = axes_of(dim, input.ndim)
    if axes is None and input.ndim and input.numel():
        raise RuntimeError(f"logsumexp(): expected at least one dim for an input of shape {list(input.shape)}, got {dim}")
    return reduce.logsumexp(input, axis=axes, keepdims=keepdim)


@numpy_names
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether every element along `dim` (None: all, empty: each by itself) is non-zero; of uint8 in uint8."""
    return _truth(reduce.all, input, dim, keepdim)


@numpy_names
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether some element along `dim` (None: all, empty: each by itself) is non-zero; of uint8 in uint8."""
    return _truth(reduce.any, input, dim, keepdim)


@numpy_names
def count_nonzero(input: Tensor, dim: Dims = None, *dims: int) -> Tensor:
    """How many elements along `dim` (None: all), one dimension or more, are not 0."""
    return sum(compare.ne(input, 0), (dim, *dims) if dims else dim)  # type: ignore[arg-type]


@numpy_names
def norm(
    input: Tensor, p: float | str | None = "fro", dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """(sum |x|^p)^(1/p) along `dim` (None: all): for inf the largest |x|, for -inf the smallest, for 0 the count of x != 0."""
    if isinstance(p, str) and p not in ("fro", "nuc"):
        raise RuntimeError(f"norm(): expected a number, 'fro' or 'nuc' as p, got '{p}'")
    if not input.is_floating_point():
        raise RuntimeError(f"norm(): expected a floating point tensor, got {input.dtype}")
    input = input if dtype is None else input.to(dtype)
    if p == "nuc":
        return _nuclear(input, dim, keepdim)
    axes, order = axes_of(dim, input.ndim), 2.0 if p is None or isinstance(p, str) else float(p)
    if order == 0:
        return sum(compare.ne(input, 0), dim, keepdim, dtype=input.dtype)
    if order < 0 or order == math.inf:
        _has_identity(input, axes, order)
    if math.isinf(order):
        size = elementwise.abs(input)
        return reduce.amax(size, axis=axes, keepdims=keepdim) if order > 0 else reduce.amin(size, axis=axes, keepdims=keepdim)
    return reduce.norm(input, p=order, axis=axes, keepdims=keepdim)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other."""
    return norm(elementwise.sub(input, other), p)


@numpy_names
def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """The slices along `dim` of which each with a p-norm above `maxnorm` is shrunk to it."""
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    axis = axis_of(dim, input.ndim)
    size = norm(input, p, [i for i in range(input.ndim) if i != axis], True)
    return elementwise.mul(input.contiguous(), elementwise.where(size > maxnorm, maxnorm / (size + 1e-7), 1.0))


def summable(input: Tensor) -> Tensor:
    """Small integers and bools as int64, in which PyTorch adds and multiplies them up."""
    return input if input.is_floating_point() else input.long()


def vector(input: Tensor) -> Tensor:
    """A 0-d tensor as one of one element, anything else as it is."""
    return input if input.ndim else reshape(input, shape=(1,))


def at(input: Tensor, place: Tensor, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """What stands at `place`, one index along `dim`, with its gradient; and the place itself."""
    values = take_along_axis(vector(input), vector(place), axis=axis_of(dim, input.ndim))
    if keepdim and input.ndim:
        return values, place
    shape = tuple(n for i, n in enumerate(input.shape) if i != axis_of(dim, input.ndim))
    return reshape(values, shape=shape), reshape(place, shape=shape)


def _variance(
    name: str, input: Tensor, dim: Dims | bool, unbiased: bool | None, keepdim: bool, correction: float | None
) -> Tensor:
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"{name}(): expected one of unbiased and correction, got both")
    if not input.is_floating_point():
        raise RuntimeError(f"{name}(): std and var only support floating point dtypes, got {input.dtype}")
    less = plain(correction if correction is not None else 1 if unbiased is None else int(unbiased))
    y: Tensor = reduce.var(input, axis=axes_of(dim, input.ndim), keepdims=keepdim, correction=less)
    if input.numel() <= less * y.numel():
        told = f"{name}(): degrees of freedom is <= 0: expected a correction less than the number of elements reduced"
        warnings.warn(told, UserWarning, stacklevel=4)
    return y


def _nonempty(input: Tensor, dim: Dims, name: str) -> Tensor:
    """The input, if there is something to choose of."""
    if dim is None or not len(listed(dim)):
        if not input.numel():
            raise RuntimeError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        return input
    for d in listed(dim):
        axis = axis_of(d, input.ndim)
        if input.ndim and not input.shape[axis]:
            raise IndexError(f"{name}(): Expected reduction dim {axis} to have non-zero size.")
    return input


def _not_bool(input: Tensor, name: str) -> Tensor:
    if input.dtype.name == "bool":
        raise RuntimeError(f"{name}(): does not support bool input")
    return input


def _arg(op: Any, input: Tensor, dim: int | None, keepdim: bool, name: str) -> Tensor:
    axis = None if dim is None else axis_of(dim, input.ndim)
    if input.numel() == 0 and (axis is None or input.shape[axis] == 0):
        raise IndexError(f"{name}(): Expected reduction dim {axis or 0} to have non-zero size.")
    found: Tensor = op(input, axis=axis if input.ndim else None, keepdims=keepdim)
    return found


def _truth(op: Any, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    axes = () if dim is not None and not len(listed(dim)) else axes_of(dim, input.ndim)
    truth: Tensor = op(input, axis=axes, keepdims=keepdim)
    return truth.to(input.dtype) if input.dtype.name == "uint8" else truth


def _has_identity(input: Tensor, axes: tuple[int, ...] | None, p: float) -> None:
    """RuntimeError if a norm that is no sum of powers has nothing to be taken of."""
    for axis in range(input.ndim) if axes is None else axes:
        if not input.shape[axis]:
            raise RuntimeError(f"norm(): cannot compute the {p:g} norm on dimension {axis}, which is empty")


def _nuclear(input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    """The sum of the singular values of the matrices in two dimensions."""
    axes = axes_of(dim, input.ndim) or tuple(range(input.ndim))
    if len(axes) != 2 or input.dtype.name == "float16":
        raise RuntimeError(f"norm(): 'nuc' expects two dims and float32 or float64, got dims {list(axes)} of {input.dtype}")
    matrices = permute(input, axes=(*(i for i in range(input.ndim) if i not in axes), *axes))
    total = sum(svd(matrices, full=False)[..., input.shape[axes[0]], :], -1)
    return reshape(total, shape=tuple(1 if i in axes else n for i, n in enumerate(input.shape))) if keepdim else total
