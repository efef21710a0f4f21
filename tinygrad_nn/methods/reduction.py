"""Functions that reduce or accumulate along dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from tinygrad_nn.dtypes import DTypeLike
from tinygrad_nn.methods.dims import axes_of, axis_of
from tinygrad_nn.ops import elementwise, reduce

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "cumsum", "logsumexp", "max", "mean", "min", "prod", "std", "sum",
    "var",
]  # fmt: skip

Dims: TypeAlias = int | Sequence[int] | None


class Extremes(NamedTuple):
    """What `max` and `min` along a dimension give: the values, and where each one stood."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return f"torch.return_types.{type(self).__name__}(\nvalues={self.values},\nindices={self.indices})"


class max_(Extremes):
    """The result of `max(input, dim)`."""


class min_(Extremes):
    """The result of `min(input, dim)`."""


max_.__name__, min_.__name__ = "max", "min"


def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The sum along `dim` (None: all); integers and bools add up in int64."""
    input = input if dtype is None else input.to(dtype)
    return reduce.sum(_summable(input), axis=axes_of(dim, input.ndim), keepdims=keepdim)


def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The arithmetic mean along `dim` (None: all) of a floating tensor."""
    input = input if dtype is None else input.to(dtype)
    if not input.is_floating_point():
        raise RuntimeError(f"mean(): could not infer output dtype. Input dtype must be floating point. Got: {input.dtype}")
    return reduce.mean(input, axis=axes_of(dim, input.ndim), keepdims=keepdim)


def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """The product along `dim` (None: all)."""
    input = _summable(input if dtype is None else input.to(dtype))
    axis = None if dim is None else axis_of(dim, input.ndim)
    return reduce.prod(input, axis=axis if input.ndim else None, keepdims=keepdim)


def var(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: int = 1
) -> Tensor:
    """The variance along `dim` (None: all): squared deviations summed, divided by their number less `correction`."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    correction = correction if unbiased is None else int(unbiased)
    axes = axes_of(dim, input.ndim)
    deviation = elementwise.sub(input, reduce.mean(input, axis=axes, keepdims=True))
    squares = reduce.sum(elementwise.mul(deviation, deviation), axis=axes, keepdims=keepdim)
    count = input.numel() // squares.numel() if squares.numel() else 0
    return elementwise.div(squares, float(count - correction) if count > correction else 0.0)


def std(
    input: Tensor, dim: Dims | bool = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: int = 1
) -> Tensor:
    """The standard deviation along `dim` (None: all): the square root of `var`."""
    return elementwise.sqrt(var(input, dim, unbiased, keepdim, correction=correction))


def amax(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The largest element along `dim` (empty: all); ties share the gradient."""
    return reduce.amax(_nonempty(input, dim, "amax"), axis=axes_of(dim, input.ndim), keepdims=keepdim)


def amin(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The smallest element along `dim` (empty: all); ties share the gradient."""
    return reduce.amin(_nonempty(input, dim, "amin"), axis=axes_of(dim, input.ndim), keepdims=keepdim)


def max(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False) -> Any:
    """The largest of all; along `dim` the values and their indices; with a tensor, the elementwise maximum."""
    if hasattr(dim, "__record__"):
        return elementwise.maximum(input, dim)
    if dim is None:
        return reduce.amax(_nonempty(input, None, "max"), axis=None, keepdims=False)
    return max_(*_extreme(input, dim, keepdim, "max"))


def min(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False) -> Any:
    """The smallest of all; along `dim` the values and their indices; with a tensor, the elementwise minimum."""
    if hasattr(dim, "__record__"):
        return elementwise.minimum(input, dim)
    if dim is None:
        return reduce.amin(_nonempty(input, None, "min"), axis=None, keepdims=False)
    return min_(*_extreme(input, dim, keepdim, "min"))


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest element stands: along `dim`, or in the flattened tensor."""
    return _arg(reduce.argmax, input, dim, keepdim, "argmax")


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest element stands: along `dim`, or in the flattened tensor."""
    return _arg(reduce.argmin, input, dim, keepdim, "argmin")


def cumsum(input: Tensor, dim: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """The running sum along `dim`."""
    input = _summable(input if dtype is None else input.to(dtype))
    axis = axis_of(dim, input.ndim)
    return reduce.cumsum(input, axis=axis) if input.ndim else input.clone()


def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """log(sum(exp(input))) along `dim`, without overflow."""
    input = input if input.is_floating_point() else input.float()
    return reduce.logsumexp(input, axis=axes_of(dim, input.ndim), keepdims=keepdim)


def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether every element along `dim` (None: all) is non-zero."""
    return reduce.all(input, axis=axes_of(dim, input.ndim), keepdims=keepdim)


def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether some element along `dim` (None: all) is non-zero."""
    return reduce.any(input, axis=axes_of(dim, input.ndim), keepdims=keepdim)


def _summable(input: Tensor) -> Tensor:
    """Small integers and bools as int64, in which PyTorch adds and multiplies them up."""
    return input if input.is_floating_point() else input.long()


def _nonempty(input: Tensor, dim: Dims, name: str) -> Tensor:
    """The input, if there is something to choose the extreme of."""
    axes = axes_of(dim, input.ndim) or range(input.ndim)
    for axis in axes:
        if input.shape[axis] == 0:
            error = IndexError if dim not in (None, ()) else RuntimeError
            raise error(f"{name}(): Expected reduction dim {axis} to have non-zero size.")
    return input


def _extreme(input: Tensor, dim: int, keepdim: bool, name: str) -> tuple[Any, Any]:
    axis = axis_of(dim, input.ndim)
    _nonempty(input, axis, name)
    if not input.ndim:
        return input.clone(), reduce.argmax(input, axis=None, keepdims=False)
    values = getattr(reduce, name)(input, axis=axis, keepdims=keepdim)
    return values, getattr(reduce, "arg" + name)(input, axis=axis, keepdims=keepdim)


def _arg(op: Any, input: Tensor, dim: int | None, keepdim: bool, name: str) -> Tensor:
    axis = None if dim is None else axis_of(dim, input.ndim)
    if input.numel() == 0 and (axis is None or input.shape[axis] == 0):
        raise IndexError(f"{name}(): Expected reduction dim {axis or 0} to have non-zero size.")
    found: Tensor = op(input, axis=axis if input.ndim else None, keepdims=keepdim)
    return found


