"""Primitives that work element by element; the engine undoes their broadcasting."""

from typing import Any

import numpy as np

from tinygrad_nn import special
from tinygrad_nn.op import Array, op

_TWO_OVER_SQRT_PI = 2.0 / float(np.sqrt(np.pi))


@op(promote="common", ufunc=np.add)
def add(a: Array, b: Array, /) -> Array:
    """a + b."""
    return a + b


add.vjp(a=lambda g: g, b=lambda g: g)
add.sample((2, 3), (2, 3)).sample((2, 3), (3,)).sample((), (2, 1)).sample((3,), 2.5)


@op(promote="common", ufunc=np.subtract)
def sub(a: Array, b: Array, /) -> Array:
    """a - b."""
    return np.subtract(a, b)


sub.vjp(a=lambda g: g, b=lambda g: -g)
sub.sample((2, 3), (2, 3)).sample((2, 1), (3,)).sample(1.5, (2,))


@op(promote="common", ufunc=np.multiply)
def mul(a: Array, b: Array, /) -> Array:
    """a * b."""
    return a * b


mul.vjp(a=lambda g, b: g * b, b=lambda g, a: g * a)
mul.sample((2, 3), (2, 3)).sample((2, 3), ()).sample((4, 1), (1, 3)).sample((3,), -2.0)


@op(promote="float", ufunc=np.true_divide, quiet=True)
def div(a: Array, b: Array, /) -> Array:
    """a / b."""
    return a / b


div.vjp(a=lambda g, b: g / b, b=lambda g, b, y: -(g * y) / b)
div.sample((2, 3), (2, 3), domain=(0.5, 2.0)).sample((2, 3), (3,), domain=(-2.0, -0.5)).sample(2.0, (3,), domain=(0.5, 2.0))


@op(promote="common", ufunc=np.power, quiet=True)
def pow(a: Array, b: Array, /) -> Array:
    """a ** b; the slope at a zero base with exponent zero is zero."""
    return np.power(a, b)


def _pow_base(g: Any, a: Any, b: Any) -> Any:
    if isinstance(b, int | float):
        return np.zeros_like(a) * g if b == 0 else g * (b * a ** (b - 1))
    return g * np.where(b == 0, 0.0, b * a ** (b - (b != 0)))


def _pow_exponent(g: Any, a: Any, b: Any, y: Any) -> Any:
    if isinstance(a, int | float) and a > 0:
        return g * (y * float(np.log(a)))
    positive = np.greater(a, 0)
    safe = np.where(positive, a, np.ones_like(y))
    undefined = np.where(np.equal(a, 0) & (b >= 0), np.zeros_like(y), np.nan)
    return g * np.where(positive, y * np.log(safe), undefined)


pow.vjp(a=_pow_base, b=_pow_exponent)
pow.sample((2, 3), (2, 3), domain=(0.3, 2.0)).sample((2, 3), 3).sample((3,), -1.5, domain=(0.5, 2.0)).sample(2.0, (3,))


@op(promote="common", ufunc=np.negative)
def neg(x: Array, /) -> Array:
    """-x."""
    return -x


neg.vjp(x=lambda g: -g).sample((2, 3))


@op(promote="common", ufunc=np.absolute)
def abs(x: Array, /) -> Array:
    """|x|, with slope 0 at 0."""
    return np.absolute(x)


abs.vjp(x=lambda g, x: g * np.sign(x)).sample((2, 3), kinks=(0.0,))


@op(promote="common", ufunc=np.sign)
def sign(x: Array, /) -> Array:
    """The sign of x: -1, 0 or 1; its slope is 0."""
    return np.sign(x)


sign.vjp(x=lambda g: g * 0).sample((2, 3), kinks=(0.0,))


@op(promote="float", ufunc=np.exp, quiet=True)
def exp(x: Array, /) -> Array:
    """e ** x."""
    return np.exp(x)


exp.vjp(x=lambda g, y: g * y).sample((2, 3))


@op(promote="float", ufunc=np.log, quiet=True)
def log(x: Array, /) -> Array:
    """The natural logarithm."""
    return np.log(x)


log.vjp(x=lambda g, x: g / x).sample((2, 3), domain=(0.3, 3.0))


@op(promote="float", ufunc=np.log1p, quiet=True)
def log1p(x: Array, /) -> Array:
    """log(1 + x), exact for small x."""
    return np.log1p(x)


log1p.vjp(x=lambda g, x: g / (x + 1)).sample((2, 3), domain=(-0.5, 2.0))


@op(promote="float", ufunc=np.expm1, quiet=True)
def expm1(x: Array, /) -> Array:
    """exp(x) - 1, exact for small x."""
    return np.expm1(x)


expm1.vjp(x=lambda g, y: g * (y + 1)).sample((2, 3))


@op(promote="float", ufunc=np.sqrt, quiet=True)
def sqrt(x: Array, /) -> Array:
    """The square root."""
    return np.sqrt(x)


sqrt.vjp(x=lambda g, y: g / (2 * y)).sample((2, 3), domain=(0.3, 3.0))


@op(promote="float", ufunc=np.sin)
def sin(x: Array, /) -> Array:
    """The sine of x in radians."""
    return np.sin(x)


sin.vjp(x=lambda g, x: g * np.cos(x)).sample((2, 3))


@op(promote="float", ufunc=np.cos)
def cos(x: Array, /) -> Array:
    """The cosine of x in radians."""
    return np.cos(x)


cos.vjp(x=lambda g, x: -g * np.sin(x)).sample((2, 3))


@op(promote="float", ufunc=np.tanh)
def tanh(x: Array, /) -> Array:
    """The hyperbolic tangent."""
    return np.tanh(x)


tanh.vjp(x=lambda g, y: g * (1 - y * y)).sample((2, 3))


@op(promote="float", quiet=True)
def sigmoid(x: Array, /) -> Array:
    """1 / (1 + exp(-x)); where exp overflows, it is 0."""
    z = np.negative(x, out=np.empty_like(x))
    np.exp(z, out=z)
    z += 1
    return np.reciprocal(z, out=z)


sigmoid.vjp(x=lambda g, y: g * (y * (1 - y))).sample((2, 3))


@op(promote="common")
def relu(x: Array, /) -> Array:
    """max(x, 0), with slope 0 at 0."""
    return np.maximum(x, 0)


relu.vjp(x=lambda g, y: g * (y > 0)).sample((2, 3), kinks=(0.0,))


@op(promote="common", ufunc=np.maximum)
def maximum(a: Array, b: Array, /) -> Array:
    """The larger of a and b; a tie gives each half the gradient."""
    return np.maximum(a, b)


def _take_share(g: Any, wins: Any, ties: Any) -> Any:
    """All of `g` where the input wins, half of it where it ties."""
    return np.where(wins, g, np.where(ties, g / 2, 0.0))


maximum.vjp(a=lambda g, a, b: _take_share(g, a > b, a == b), b=lambda g, a, b: _take_share(g, b > a, a == b))
maximum.sample((2, 3), (2, 3)).sample((2, 3), (3,))


@op(promote="common", ufunc=np.minimum)
def minimum(a: Array, b: Array, /) -> Array:
    """The smaller of a and b; a tie gives each half the gradient."""
    return np.minimum(a, b)


minimum.vjp(a=lambda g, a, b: _take_share(g, a < b, a == b), b=lambda g, a, b: _take_share(g, b < a, a == b))
minimum.sample((2, 3), (2, 3)).sample((2, 1), (3,))


@op(promote="common")
def where(condition: Array, a: Array, b: Array, /) -> Array:
    """a where `condition` holds, b elsewhere."""
    return np.where(condition, a, b)


where.vjp(
    a=lambda g, condition: np.where(condition, g, 0.0),
    b=lambda g, condition: np.where(condition, 0.0, g),
)
_HALF = np.array([[True, False, True], [False, False, True]])
where.sample(_HALF, (2, 3), (2, 3)).sample(_HALF, (3,), ()).sample(_HALF[0], (2, 1), 0.5)


@op(promote="common")
def clip(x: Array, /, *, low: float | None, high: float | None) -> Array:
    """x held between `low` and `high`; the gradient passes at and between the bounds."""
    return np.clip(x, low, high)


def _clip_rule(g: Any, x: Any, *, low: float | None, high: float | None) -> Any:
    inside = True if low is None else x >= low
    inside = inside if high is None else inside & (x <= high)
    return g * inside


clip.vjp(x=_clip_rule)
clip.sample((2, 3), kinks=(-0.5, 0.7), low=-0.5, high=0.7).sample((4,), kinks=(0.2,), low=None, high=0.2)


@op(promote="float")
def erf(x: Array, /) -> Array:
    """The error function, 2/sqrt(pi) times the integral of exp(-t**2) from 0 to x."""
    return special.erf(x)


erf.vjp(x=lambda g, x: g * (_TWO_OVER_SQRT_PI * np.exp(-x * x))).sample((2, 3)).sample((3,), domain=(-6.0, 6.0))


@op
def astype(x: Array, /, *, dtype: np.dtype[Any], was: np.dtype[Any]) -> Array:
    """x in another dtype; the gradient returns to the dtype it `was`."""
    return x.astype(dtype)


astype.vjp(x=lambda g, *, dtype, was: astype(g, dtype=was, was=dtype))
astype.sample((2, 3), dtype=np.dtype(np.float64), was=np.dtype(np.float64))


@op(promote="common", ufunc=np.floor)
def floor(x: Array, /) -> Array:
    """The largest integer not above x; its slope is 0."""
    return np.floor(x).astype(x.dtype, copy=False)


@op(promote="common", ufunc=np.ceil)
def ceil(x: Array, /) -> Array:
    """The smallest integer not below x; its slope is 0."""
    return np.ceil(x).astype(x.dtype, copy=False)


@op(promote="common", ufunc=np.rint)
def round(x: Array, /) -> Array:
    """The nearest integer, halves to even; its slope is 0."""
    return np.rint(x).astype(x.dtype, copy=False)


for _step in (floor, ceil, round):
    _step.vjp(x=lambda g: g * 0).sample((2, 3), domain=(0.1, 0.4)).sample((3,), domain=(-1.9, -1.6))


@op(promote="common", quiet=True, ufunc=np.remainder)
def remainder(a: Array, b: Array, /) -> Array:
    """a - floor(a / b) * b: what is left of a, with the sign of b."""
    return np.remainder(a, b)


remainder.vjp(a=lambda g: g, b=lambda g, a, b: -g * np.floor(a / b))
remainder.sample((2, 3), (3,), domain=(1.1, 1.9)).sample((3,), 0.75, domain=(0.8, 1.4))


@op
def copy(x: Array, /) -> Array:
    """A copy of x in row-major order."""
    return x.copy()


copy.vjp(x=lambda g: g).sample((2, 3)).sample(())
