"""Primitives that reduce along axes; `axis` is None, an int or a tuple of ints."""

from collections.abc import Callable, Collection
from typing import Any, TypeAlias

import numpy as np

from tinygrad_nn.op import Array, Op, op
from tinygrad_nn.ops.scan import cumprod
from tinygrad_nn.ops.shape import broadcast_to

_add: Any = np.add.reduce  # quicker than np.sum, which only calls it
_multiply: Any = np.multiply.reduce
_maximum: Any = np.maximum.reduce
_minimum: Any = np.minimum.reduce
Axis: TypeAlias = int | tuple[int, ...] | None


def _reduced(shape: tuple[int, ...], axis: Axis) -> Collection[int]:
    """The axes that `axis` stands for, counted from 0."""
    if axis is None:
        return range(len(shape))
    return {a % len(shape) for a in ((axis,) if isinstance(axis, int) else axis)}


def spread(v: Any, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    """A reduced value with its axes put back as ones, ready to broadcast against the input of `shape`."""
    if keepdims or not shape:
        return v
    reduced = _reduced(shape, axis)
    return np.reshape(v, tuple(1 if i in reduced else n for i, n in enumerate(shape)))


def _count(shape: tuple[int, ...], axis: Axis) -> int:
    """How many elements go into one element of the result."""
    count = 1
    for a in _reduced(shape, axis):
        count *= shape[a]
    return count


_LONG = 1 << 14  # NumPy adds pairwise along the last axis only; so many terms one by one cost float32 its digits


def _wider(x: Array, axis: Axis) -> Any:
    """The dtype in which to add up where the input's own would lose digits or overflow; None where it is wide enough."""
    if x.dtype.char == "e":
        return np.float32
    return np.float64 if x.dtype.char == "f" and axis is not None and _count(x.shape, axis) > _LONG else None


@op
def sum(x: Array, /, *, axis: Axis, keepdims: bool) -> Array:
    """The sum along `axis`."""
    wider = _wider(x, axis)
    total = _add(x, axis=axis, keepdims=keepdims, dtype=wider)
    return total if wider is None else total.astype(x.dtype)


sum.vjp(
    x=lambda g, x_shape, *, axis, keepdims: broadcast_to(spread(g, x_shape, axis, keepdims), shape=x_shape),
)


@op
def mean(x: Array, /, *, axis: Axis, keepdims: bool) -> Array:
    """The arithmetic mean along `axis`; NaN where there is nothing to average."""
    count, wider = _count(x.shape, axis), _wider(x, axis)
    total = _add(x, axis=axis, keepdims=keepdims, dtype=wider)
    average = total / count if count else total * np.nan
    return average if wider is None else average.astype(x.dtype)


mean.vjp(
    x=lambda g, x_shape, *, axis, keepdims: broadcast_to(
        spread(g / (_count(x_shape, axis) or 1), x_shape, axis, keepdims), shape=x_shape
    ),
)


@op(quiet=True)
def var(x: Array, /, *, axis: Axis, keepdims: bool, correction: float) -> Array:
    """The squared deviations from the mean along `axis`, summed and divided by their number less `correction`."""
    reduced = _reduced(x.shape, axis)
    shifted = x - x[tuple(slice(1) if i in reduced else slice(None) for i in range(x.ndim))]  # equal elements: exactly 0
    deviation = shifted - mean.forward(shifted, axis=axis, keepdims=True)
    freedom = _count(x.shape, axis) - correction
    return _add(deviation * deviation, axis=axis, keepdims=keepdims) / (freedom if freedom > 0 else 0.0)


def _var_rule(g: Any, x: Any, *, axis: Axis, keepdims: bool, correction: float) -> Any:
    """2 * (x - mean) / freedom: the mean's own slope cancels, as the deviations add up to 0."""
    freedom = _count(x.shape, axis) - correction
    slope = 2 / freedom if freedom > 0 else np.inf
    return spread(g, x.shape, axis, keepdims) * (slope * (x - mean(x, axis=axis, keepdims=True)))


var.vjp(x=_var_rule)


@op(quiet=True)
def root(x: Array, /) -> Array:
    """The square root of what squares add up to; where that is 0 so is the slope, as the squares' own slopes are."""
    return np.sqrt(x)


root.vjp(x=lambda g, y: np.where(np.equal(y, 0), 0.0, g / (2 * np.where(np.equal(y, 0), 1.0, y))))
root.sample((2, 3), domain=(0.3, 3.0))


@op(quiet=True)
def norm(x: Array, /, *, p: float, axis: Axis, keepdims: bool) -> Array:
    """(sum |x|^p)^(1/p) along `axis`, for p finite and not 0; the slope at norm 0 is 0."""
    wide = x.astype(np.float32) if x.dtype == np.float16 else x  # in half precision the powers soon overflow
    powers = wide * wide if p == 2 else np.absolute(wide) if p == 1 else np.absolute(wide) ** p
    total = _add(powers, axis=axis, keepdims=keepdims)
    y = np.sqrt(total) if p == 2 else total if p == 1 else total ** (1 / p)
    return y.astype(x.dtype, copy=False)


def _norm_rule(g: Any, x: Any, y: Any, *, p: float, axis: Axis, keepdims: bool) -> Any:
    """sign(x) * (|x| / y)^(p - 1); zeros are kept from the powers, where they would be infinite."""
    g, y = (spread(v, x.shape, axis, keepdims) for v in (g, y))
    if p == 1:
        return g * np.sign(x)
    flat = np.equal(y, 0)
    scale = np.where(flat, 0.0, g / np.where(flat, 1.0, y) ** (p - 1))
    return scale * (x if p == 2 else np.sign(x) * np.where(np.equal(x, 0), 1.0, np.absolute(x)) ** (p - 1))


norm.vjp(x=_norm_rule)
for _p in (1, 2, 3, 0.5, -1):
    norm.sample((2, 3), p=_p, axis=1, keepdims=True, kinks=(0.0,)).sample((2, 3), p=_p, axis=None, keepdims=False, kinks=(0.0,))


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


def _share_equals(g: Any, x: Any, y: Any) -> Any:
    """`g` divided evenly among the elements that equal the one chosen, be it a number or NaN."""
    equals = np.equal(x, y) | (np.isnan(x) & np.isnan(y))
    return np.where(equals, g / np.sum(equals * np.ones_like(x)), 0.0)


def _one_of_all(name: str, doc: str, choose: Callable[[Array], Any]) -> Op:
    """A primitive that chooses one of all elements; those equal to it share the gradient."""

    def forward(x: Array, /) -> Array:
        return choose(x)

    forward.__name__, forward.__doc__ = name, doc
    return op(forward).vjp(x=_share_equals).sample((2, 3)).sample(())


def _lower_median(x: Array) -> Any:
    """The middle element, or the one below the middle; NaN if there is one or there is no element."""
    if not x.size or np.any(np.isnan(x)):
        return np.array(np.nan).astype(x.dtype)
    middle = (x.size - 1) // 2
    return np.partition(x, middle, None)[middle]


max = _one_of_all("max", "The largest of all elements.", lambda x: _maximum(x, axis=None))
min = _one_of_all("min", "The smallest of all elements.", lambda x: _minimum(x, axis=None))
median = _one_of_all("median", "The lower median of all elements.", _lower_median)
nanmedian = _one_of_all("nanmedian", "The lower median of what is not NaN.", lambda x: _lower_median(x[~np.isnan(x)]))


@op
def prod(x: Array, /, *, axis: int | None, keepdims: bool) -> Array:
    """The product along `axis`."""
    return _multiply(x, axis=axis, keepdims=keepdims)


def _prod_rule(g: Any, x: Any, y: Any, *, axis: int | None, keepdims: bool) -> Any:
    """g times the product of the others: y / x, or where a zero forbids the division, those before times those after."""
    g, y = (spread(v, x.shape, axis, keepdims) for v in (g, y))
    if np.all(np.not_equal(x, 0)):
        return g * (y / x)
    if axis is None and isinstance(x, np.ndarray) and np.count_nonzero(x) < x.size - 1:
        return np.zeros_like(x)  # with two zeros the others' product is 0, though not its derivative, asked of Tensors
    row = np.reshape(x, (-1,)) if axis is None else np.swapaxes(x, axis, -1)
    others = _before(row) * np.flip(_before(np.flip(row, -1)), -1)
    return g * (np.reshape(others, x.shape) if axis is None else np.swapaxes(others, axis, -1))


def _before(x: Any) -> Any:
    """The product of the elements before each one along the last axis."""
    return cumprod(np.concatenate([np.ones_like(x[..., :1]), x[..., :-1]], -1), axis=-1)


prod.vjp(x=_prod_rule)


@op(quiet=True)
def logsumexp(x: Array, /, *, axis: Axis, keepdims: bool) -> Array:
    """log(sum(exp(x))) along `axis`, shifted by the maximum, so that exp cannot overflow."""
    top = _maximum(x, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, top.dtype.type(0))
    with np.errstate(divide="ignore"):
        y = np.log(_add(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else np.squeeze(y, axis)


logsumexp.vjp(
    x=lambda g, x, y, *, axis, keepdims: spread(g, x.shape, axis, keepdims) * np.exp(x - spread(y, x.shape, axis, keepdims)),
)

prod.sample((2, 3, 4), axis=1, keepdims=True).sample((2, 3), axis=None, keepdims=False)
prod.sample(np.array([[0.0, 2.0, 3.0], [1.5, 0.0, 0.0]]), axis=1, keepdims=False)
prod.sample(np.array([[0.0, 2.0], [1.5, 0.0]]), axis=None, keepdims=False)
for _reduction in (sum, mean, amax, amin, logsumexp):
    for _axis in (None, 0, (0, 2), -1):
        _reduction.sample((2, 3, 4), axis=_axis, keepdims=_axis == -1)
    _reduction.sample((), axis=None, keepdims=False)
var.sample((2, 3), axis=None, keepdims=False, correction=1).sample((2, 3, 4), axis=(0, 2), keepdims=True, correction=0.5)


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
