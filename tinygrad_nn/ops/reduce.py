"""Primitives that reduce or accumulate along axes; `axis` is None, an int or a tuple of ints."""

from typing import Any, TypeAlias

import numpy as np

from tinygrad_nn.op import Array, op
from tinygrad_nn.ops.index import put_along_axis
from tinygrad_nn.ops.shape import broadcast_to

_add: Any = np.add.reduce  # quicker than np.sum, which only calls it
_multiply: Any = np.multiply.reduce
_maximum: Any = np.maximum.reduce
_minimum: Any = np.minimum.reduce
Axis: TypeAlias = int | tuple[int, ...] | None


def spread(v: Any, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    """A reduced value with its axes put back as ones, ready to broadcast against the input of `shape`."""
    if keepdims or not shape:
        return v
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    reduced = {a % len(shape) for a in axes}
    return np.reshape(v, tuple(1 if i in reduced else n for i, n in enumerate(shape)))


def _count(shape: tuple[int, ...], axis: Axis) -> int:
    """How many elements go into one element of the result."""
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    count = 1
    for a in axes:
        count *= shape[a]
    return count


@op
def sum(x: Array, /, *, axis: Axis, keepdims: bool) -> Array:
    """The sum along `axis`."""
    return _add(x, axis=axis, keepdims=keepdims)


sum.vjp(
    x=lambda g, x_shape, *, axis, keepdims: broadcast_to(spread(g, x_shape, axis, keepdims), shape=x_shape),
)


@op
def mean(x: Array, /, *, axis: Axis, keepdims: bool) -> Array:
    """The arithmetic mean along `axis`; NaN where there is nothing to average."""
    count = _count(x.shape, axis)
    total = _add(x, axis=axis, keepdims=keepdims)
    return total / count if count else total * np.nan


mean.vjp(
    x=lambda g, x_shape, *, axis, keepdims: broadcast_to(
        spread(g / (_count(x_shape, axis) or 1), x_shape, axis, keepdims), shape=x_shape
    ),
)


def _share_ties(g: Any, x: Any, y: Any, *, axis: Axis, keepdims: bool) -> Any:
    """`g` divided evenly among the elements that equal the extreme."""
    ties = np.equal(x, spread(y, x.shape, axis, keepdims)) * np.ones_like(x)
    return ties * (spread(g, x.shape, axis, keepdims) / np.sum(ties, axis=axis, keepdims=True))


@op
def amax(x: Array, /, *, axis: Axis, keepdims: bool) -> Array:
    """The largest element along `axis`; ties share the gradient."""
    return _maximum(x, axis=axis, keepdims=keepdims)


amax.vjp(x=_share_ties)


@op
def amin(x: Array, /, *, axis: Axis, keepdims: bool) -> Array:
    """The smallest element along `axis`; ties share the gradient."""
    return _minimum(x, axis=axis, keepdims=keepdims)


amin.vjp(x=_share_ties)


def _to_winner(g: Any, shape: tuple[int, ...], index: Any, axis: int, keepdims: bool) -> Any:
    """`g` at the one element along `axis` that `index` names, zero elsewhere."""
    return put_along_axis(spread(g, shape, axis, keepdims), index, axis=axis, shape=shape)


@op
def max(x: Array, /, *, axis: int, keepdims: bool) -> Array:
    """The largest element along one axis; the first of several takes the gradient."""
    return _maximum(x, axis=axis, keepdims=keepdims)


max.vjp(
    x=lambda g, x, *, axis, keepdims: _to_winner(g, x.shape, np.argmax(x, axis, keepdims=True), axis, keepdims),
)


@op
def min(x: Array, /, *, axis: int, keepdims: bool) -> Array:
    """The smallest element along one axis; the first of several takes the gradient."""
    return _minimum(x, axis=axis, keepdims=keepdims)


min.vjp(
    x=lambda g, x, *, axis, keepdims: _to_winner(g, x.shape, np.argmin(x, axis, keepdims=True), axis, keepdims),
)


@op
def prod(x: Array, /, *, axis: int | None, keepdims: bool) -> Array:
    """The product along `axis`."""
    return _multiply(x, axis=axis, keepdims=keepdims)


def _prod_rule(g: Any, x: Any, y: Any, *, axis: int | None, keepdims: bool) -> Any:
    """g times the product of the others: y / x, or by the quadratic way where a zero forbids the division."""
    g, y = (spread(v, x.shape, axis, keepdims) for v in (g, y))
    if np.all(np.not_equal(x, 0)):
        return g * (y / x)
    rows = np.reshape(x, (-1,)) if axis is None else np.swapaxes(x, axis, -1)
    itself = np.eye(rows.shape[-1], dtype=bool)
    others = prod(np.where(itself, 1.0, np.expand_dims(rows, -2)), axis=-1, keepdims=False)
    return g * (np.reshape(others, x.shape) if axis is None else np.swapaxes(others, axis, -1))


prod.vjp(x=_prod_rule)


@op
def cumsum(x: Array, /, *, axis: int) -> Array:
    """The running sum along `axis`."""
    return np.cumsum(x, axis=axis, dtype=x.dtype if x.dtype.kind == "f" else None)


cumsum.vjp(x=lambda g, *, axis: np.flip(cumsum(np.flip(g, axis), axis=axis), axis))
cumsum.sample((3, 4), axis=0).sample((3, 4), axis=-1).sample((4,), axis=0)


@op
def logsumexp(x: Array, /, *, axis: Axis, keepdims: bool) -> Array:
    """log(sum(exp(x))) along `axis`, shifted by the maximum, so that exp cannot overflow."""
    top = _maximum(x, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, top.dtype.type(0))
    with np.errstate(divide="ignore"):
        y = np.log(_add(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else np.squeeze(y, axis)


def _logsumexp_rule(g: Any, x: Any, y: Any, *, axis: Axis, keepdims: bool) -> Any:
    y = spread(y, x.shape, axis, keepdims)
    return spread(g, x.shape, axis, keepdims) * np.exp(x - np.where(np.isfinite(y), y, 0.0))


logsumexp.vjp(x=_logsumexp_rule)

prod.sample((2, 3, 4), axis=1, keepdims=True).sample((2, 3), axis=None, keepdims=False)
prod.sample(np.array([[0.0, 2.0, 3.0], [1.5, 0.0, 0.0]]), axis=1, keepdims=False)
for _reduction in (sum, mean, amax, amin, logsumexp):
    for _axis in (None, 0, (0, 2), -1):
        _reduction.sample((2, 3, 4), axis=_axis, keepdims=_axis == -1)
    _reduction.sample((), axis=None, keepdims=False)
for _reduction in (max, min):
    _reduction.sample((2, 3, 4), axis=1, keepdims=False).sample((4,), axis=-1, keepdims=True)


@op
def argmax(x: Array, /, *, axis: int | None, keepdims: bool) -> Array:
    """The position of the first largest element."""
    return np.argmax(x, axis, keepdims=keepdims)


@op
def argmin(x: Array, /, *, axis: int | None, keepdims: bool) -> Array:
    """The position of the first smallest element."""
    return np.argmin(x, axis, keepdims=keepdims)


@op
def all(x: Array, /, *, axis: Axis, keepdims: bool) -> Array:
    """Whether every element is non-zero."""
    return np.all(x, axis=axis, keepdims=keepdims)


@op
def any(x: Array, /, *, axis: Axis, keepdims: bool) -> Array:
    """Whether some element is non-zero."""
    return np.any(x, axis=axis, keepdims=keepdims)


for _reduction in (argmax, argmin, all, any):
    _reduction.sample((2, 3), axis=1, keepdims=True).sample((2, 3), axis=None, keepdims=False)
