"""Functions that accumulate along a dimension, take differences along it, or integrate over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_nn import return_types
from tinygrad_nn.dtypes import DTypeLike
from tinygrad_nn.methods.aliases import numpy_names
from tinygrad_nn.methods.dims import axis_of, many
from tinygrad_nn.methods.faces import is_tensor
from tinygrad_nn.methods.joining import cat
from tinygrad_nn.methods.reduction import at, sum, summable, vector
from tinygrad_nn.ops import compare, elementwise, index, shape
from tinygrad_nn.ops import scan as ops

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "cummax", "cummin", "cumprod", "cumsum", "cumulative_trapezoid", "diff", "gradient", "logcumsumexp", "trapezoid", "trapz",
]  # fmt: skip


@numpy_names
def cumsum(input: Tensor, dim: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """The running sum along `dim`; integers and bools add up in int64."""
    return _scan(ops.cumsum, input, dim, dtype)


@numpy_names
def cumprod(input: Tensor, dim: int, *, dtype: DTypeLike | None = None) -> Tensor:
    """The running product along `dim`; integers and bools multiply in int64."""
    return _scan(ops.cumprod, input, dim, dtype)


@numpy_names
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """The logarithm of the running sum of exp(input) along `dim`, without overflow."""
    if axis_of(dim, input.ndim) >= 0 and not input.is_floating_point():
        raise RuntimeError(f"logcumsumexp: expected a floating tensor, got {input.dtype}")
    return _scan(ops.logcumsumexp, input, dim)


@numpy_names
def cummax(input: Tensor, dim: int) -> Any:
    """The largest element so far along `dim`, and where it stands: of equal ones the last."""
    place = ops.cumulative_argmax(vector(input), axis=axis_of(dim, input.ndim), largest=True)
    return return_types.cummax(*at(input, shape.reshape(place, shape=tuple(input.shape)), dim, True))


@numpy_names
def cummin(input: Tensor, dim: int) -> Any:
    """The smallest element so far along `dim`, and where it stands: of equal ones the last."""
    place = ops.cumulative_argmax(vector(input), axis=axis_of(dim, input.ndim), largest=False)
    return return_types.cummin(*at(input, shape.reshape(place, shape=tuple(input.shape)), dim, True))


@numpy_names
def diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None) -> Tensor:
    """The differences of neighbours along `dim`, `n` times; `prepend` and `append` are joined to the input before."""
    if not input.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if n == 0:
        return elementwise.copy(input)
    axis = axis_of(dim, input.ndim)
    if prepend is not None or append is not None:
        parts = [part for part in (prepend, input, append) if part is not None]
        if any(part.ndim != input.ndim for part in parts):
            raise RuntimeError("diff expects prepend or append to be the same dimension as input")
        input = cat(parts, axis)
    minus = compare.ne if input.dtype.name == "bool" else elementwise.sub
    for _ in range(n if input.shape[axis] else 0):
        input = minus(_part(input, axis, 1, None), _part(input, axis, 0, -1))
    return input


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """The integral of y along `dim` by the trapezoidal rule; its points lie at `x` or `dx` (1) apart."""
    return sum(_trapezoids(y, x, dx, dim), dim) / 2


def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """The running integral of y along `dim` by the trapezoidal rule; its points lie at `x` or `dx` (1) apart."""
    return cumsum(_trapezoids(y, x, dx, dim), dim) / 2


trapz = trapezoid


def gradient(input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """The slope along each of `dim`, or all dimensions, by differences of neighbours, exact for a parabola within.

    `spacing` is how far apart they are, a number or one for each dimension, or a vector of places for each; at the edges
    the slope is that of a line, or, with an `edge_order` of 2, of a parabola. RuntimeError for too few elements.

    >>> from tinygrad_nn import tensor
    >>> [slope] = gradient(tensor([1.0, 4.0, 9.0]), edge_order=2)
    >>> slope
    tensor([2., 4., 6.])
    """
    axes = list(range(input.ndim)) if dim is None else [axis_of(d, input.ndim) for d in many(dim)]
    widths = list(spacing) if isinstance(spacing, list | tuple) else [spacing] * len(axes)
    if edge_order not in (1, 2):
        raise RuntimeError(f"torch.gradient only supports edge_order=1 and edge_order=2, got {edge_order}")
    if len(widths) != len(axes):
        raise RuntimeError(f"torch.gradient expected spacing to be a scalar or one for each of {len(axes)} dimensions")
    if any(input.shape[axis] <= edge_order for axis in axes):
        raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    return tuple(_slope(input, axis, width, edge_order) for axis, width in zip(axes, widths, strict=True))


def _slope(input: Tensor, axis: int, width: Any, edge_order: int) -> Tensor:
    """The slope along an axis: between two steps it is interpolated, at the edges it is the step's, or extrapolated."""
    if is_tensor(width):
        if width.ndim != 1 or len(width) != input.shape[axis]:
            raise RuntimeError(f"torch.gradient: expected {input.shape[axis]} places for dimension {axis}, got {list(width.shape)}")
        width = diff(width).reshape((-1,) + (1,) * (input.ndim - 1 - axis))
    step, n = diff(input, dim=axis) / width, input.shape[axis] - 1
    left, right = step.narrow(axis, 0, n - 1), step.narrow(axis, 1, n - 1)
    share: Any = 0.5
    if is_tensor(width):
        share = width[:-1] / (width[:-1] + width[1:])
    bend = right - left
    first, last = step.narrow(axis, 0, 1), step.narrow(axis, n - 1, 1)
    if edge_order == 2:
        begin, end = (share[:1], share[-1:]) if is_tensor(share) else (share, share)
        first, last = first - bend.narrow(axis, 0, 1) * begin, last + bend.narrow(axis, n - 2, 1) * (1 - end)
    return cat([first, left + bend * share, last], axis)


def _trapezoids(y: Tensor, x: Tensor | None, dx: float | None, dim: int) -> Tensor:
    """Twice the area between each two points along `dim`."""
    if x is not None and dx is not None:
        raise TypeError("trapezoid: expected one of x and dx, got both")
    if y.dtype.name == "bool" or (x is not None and x.dtype.name == "bool"):
        raise RuntimeError("trapezoid: expected numbers as y and x, got torch.bool")
    axis = axis_of(dim, y.ndim)
    if not y.ndim:
        raise IndexError("trapezoid: expected at least one dimension, got a 0-d tensor")
    width: Any = 1.0 if dx is None else dx
    if x is not None:
        if x.ndim == 1:
            if y.ndim and x.shape[0] != y.shape[axis]:
                raise RuntimeError(f"trapezoid: expected one x for each of the {y.shape[axis]} points, got {len(x)}")
            x = shape.reshape(x, shape=(-1,) + (1,) * (y.ndim - 1 - axis))
        place = axis - y.ndim
        width = elementwise.sub(_part(x, place, 1, None), _part(x, place, 0, -1))
    return elementwise.mul(elementwise.add(_part(y, axis, 1, None), _part(y, axis, 0, -1)), width)


def _part(input: Tensor, axis: int, start: int, stop: int | None) -> Tensor:
    """The elements from `start` to `stop` along `axis`."""
    after = axis % input.ndim
    part: Tensor = index.getitem(input, index=(*(slice(None),) * after, slice(start, stop), ...))
    return part


def _scan(op: Any, input: Tensor, dim: int, dtype: DTypeLike | None = None) -> Tensor:
    axis = axis_of(dim, input.ndim)
    input = summable(input if dtype is None else input.to(dtype))
    result: Tensor = op(input, axis=axis) if input.ndim else elementwise.copy(input)
    return result if dtype is None else result.to(dtype)
