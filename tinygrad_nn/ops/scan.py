"""Primitives that accumulate along an axis: each element of the result is made of those up to it."""

from typing import Any

import numpy as np

from tinygrad_nn.op import Array, op


@op
def cumsum(x: Array, /, *, axis: int) -> Array:
    """The running sum along `axis`."""
    return np.cumsum(x, axis=axis, dtype=x.dtype if x.dtype.kind == "f" else None)


cumsum.vjp(x=lambda g, *, axis: np.flip(cumsum(np.flip(g, axis), axis=axis), axis))
cumsum.sample((3, 4), axis=0).sample((3, 4), axis=-1).sample((4,), axis=0)


def _triangle(x: Any) -> tuple[Array, Array]:
    """For the n elements of the last axis, (n, n) masks: where row and column are one, and where the column is not before."""
    n = np.arange(x.shape[-1])
    return n[:, None] == n, n[:, None] <= n


@op
def cumprod(x: Array, /, *, axis: int) -> Array:
    """The running product along `axis`."""
    return np.cumprod(x, axis=axis, dtype=x.dtype if x.dtype.kind == "f" else None)


def _cumprod_rule(g: Any, x: Any, y: Any, *, axis: int) -> Any:
    """Each product divided by x, summed from x on; by the quadratic way where a zero forbids the division."""
    if np.all(np.not_equal(x, 0)):
        return np.flip(cumsum(np.flip(g * y, axis), axis=axis), axis) / x
    g, x = (np.expand_dims(np.swapaxes(v, axis, -1), -2) for v in (g, x))
    itself, onward = _triangle(x)
    without = cumprod(np.where(itself, 1.0, x), axis=-1)
    return np.swapaxes(np.sum(np.where(onward, g * without, 0.0), axis=-1), axis, -1)


cumprod.vjp(x=_cumprod_rule)
cumprod.sample((3, 4), axis=0).sample((3, 4), axis=-1)
cumprod.sample(np.array([[0.0, 2.0, 3.0], [1.5, 0.0, 0.0], [1.5, -0.5, 2.0]]), axis=1)


@op
def logcumsumexp(x: Array, /, *, axis: int) -> Array:
    """The logarithm of the running sum of exp(x) along `axis`, without overflow."""
    return np.logaddexp.accumulate(x, axis)


def _logcumsumexp_rule(g: Any, x: Any, y: Any, *, axis: int) -> Any:
    """The sum of g * exp(x - y) over the y from x on; quadratic, since no single shift keeps all the exponents in range."""
    g, y = (np.expand_dims(np.swapaxes(v, axis, -1), -2) for v in (g, y))
    x = np.expand_dims(np.swapaxes(x, axis, -1), -1)
    _, onward = _triangle(y)
    return np.swapaxes(np.sum(g * np.exp(np.where(onward, x - y, -np.inf)), axis=-1), axis, -1)


logcumsumexp.vjp(x=_logcumsumexp_rule)
logcumsumexp.sample((3, 4), axis=0).sample((3, 4), axis=-1, domain=(-30.0, 30.0))


@op
def cumulative_argmax(x: Array, /, *, axis: int, largest: bool) -> Array:
    """Where the largest (or smallest) element up to each place stands; of equal ones the last, of NaNs too."""
    best = (np.maximum if largest else np.minimum).accumulate(x, axis)
    place = np.arange(x.shape[axis]).reshape(-1, *[1] * (x.ndim - 1 - axis % x.ndim))
    return np.maximum.accumulate(np.where((x == best) | np.isnan(x), place, 0), axis)


cumulative_argmax.sample((3, 4), axis=0, largest=True).sample((3, 4), axis=-1, largest=False)
