"""Primitives that work element by element: arithmetic, powers, logarithms, choosing; the engine undoes their broadcasting."""

from typing import Any

import numpy as np

from tinygrad_nn.op import Array, op, refuse

_LN2, _LN10 = float(np.log(2.0)), float(np.log(10.0))


def no_bools(name: str, kinds: str, common: np.dtype[Any]) -> None:
    """A guard against bools among the inputs."""
    if "b" in kinds:
        raise RuntimeError(f"{name}: expected numbers, got bools; use `~` or logical_not() to invert them, `^` to compare them")


@op(promote="common", ufunc=np.add)
def add(a: Array, b: Array, /) -> Array:
    """a + b."""
    return a + b


add.vjp(a=lambda g: g, b=lambda g: g)
add.sample((2, 3), (2, 3)).sample((2, 3), (3,)).sample((), (2, 1)).sample((3,), 2.5)


@op(promote="common", ufunc=np.subtract, guard=no_bools)
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


@op(promote="common", ufunc=np.power, quiet=True, guard=refuse("b"))
def pow(a: Array, b: Array, /) -> Array:
    """a ** b; the slope at a zero base with exponent zero is zero. Whole numbers to a negative power are rounded towards 0."""
    if getattr(a, "dtype", np.dtype(float)).kind == "i" and np.any(np.less(b, 0)):
        whole = np.where(np.equal(a, -1), 1 - 2 * (np.asarray(b) & 1), np.equal(a, 1))  # 1 / a, cut off
        return np.where(np.less(b, 0), whole, np.power(a, np.maximum(b, 0))).astype(a.dtype)
    return np.power(a, b)


def _pow_base(g: Any, a: Any, b: Any) -> Any:
    if isinstance(b, int | float):
        if b == 2:
            return g * (a + a)
        return np.zeros_like(a) * g if b == 0 else g * (b * a ** (b - 1))
    return g * np.where(b == 0, 0.0, b * a ** (np.where(b == 0, 1.0, b) - 1))


def _pow_exponent(g: Any, a: Any, b: Any, y: Any) -> Any:
    if isinstance(a, int | float) and a > 0:
        return g * (y * float(np.log(a)))
    flat = np.equal(a, 0) & (b >= 0)
    return g * np.where(flat, 0.0, y * np.log(np.where(flat, np.ones_like(y), a)))


pow.vjp(a=_pow_base, b=_pow_exponent)
pow.sample((2, 3), (2, 3), domain=(0.3, 2.0)).sample((2, 3), 3).sample((3,), -1.5, domain=(0.5, 2.0)).sample(2.0, (3,))


@op(promote="common", ufunc=np.negative, guard=no_bools)
def neg(x: Array, /) -> Array:
    """-x."""
    return -x


neg.vjp(x=lambda g: -g).sample((2, 3))


def flat(g: Any) -> Any:
    """The rule of what is constant between its jumps: zero, whatever arrives."""
    return np.zeros_like(g)


@op(promote="common", ufunc=np.sign)
def sign(x: Array, /) -> Array:
    """The sign of x: -1, 0 or 1, and 0 for NaN; its slope is 0."""
    positive = np.greater(x, 0).astype(x.dtype)
    return positive if x.dtype.kind in "bu" else positive - np.less(x, 0)


sign.vjp(x=flat).sample((2, 3), kinks=(0.0,))


@op(promote="common", ufunc=np.absolute, guard=refuse("b"))
def abs(x: Array, /) -> Array:
    """|x|, with slope 0 at 0 and at NaN."""
    return np.absolute(x)


abs.vjp(x=lambda g, x: g * sign(x)).sample((2, 3), kinks=(0.0,))


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


@op(promote="float", ufunc=np.exp2, quiet=True)
def exp2(x: Array, /) -> Array:
    """2 ** x."""
    return np.exp2(x)


exp2.vjp(x=lambda g, y: g * y * _LN2).sample((2, 3))


@op(promote="float", ufunc=np.log2, quiet=True)
def log2(x: Array, /) -> Array:
    """The logarithm to base 2, exact for powers of 2."""
    return np.log2(x)


log2.vjp(x=lambda g, x: g / (x * _LN2)).sample((2, 3), domain=(0.3, 3.0))


@op(promote="float", ufunc=np.log10, quiet=True)
def log10(x: Array, /) -> Array:
    """The logarithm to base 10, exact for powers of 10."""
    return np.log10(x, dtype=np.float64).astype(x.dtype)  # NumPy's own for float32 is no exact power of 10


log10.vjp(x=lambda g, x: g / (x * _LN10)).sample((2, 3), domain=(0.3, 3.0))


@op(promote="common", ufunc=np.logaddexp, quiet=True, guard=refuse("bui"))
def logaddexp(a: Array, b: Array, /) -> Array:
    """log(exp(a) + exp(b)), without overflow."""
    return np.logaddexp(a, b)


logaddexp.vjp(a=lambda g, a, b: g / (1 + np.exp(b - a)), b=lambda g, a, b: g / (1 + np.exp(a - b)))
logaddexp.sample((2, 3), (3,))


@op(promote="common", ufunc=np.logaddexp2, quiet=True, guard=refuse("bui"))
def logaddexp2(a: Array, b: Array, /) -> Array:
    """log2(2 ** a + 2 ** b), without overflow."""
    return np.logaddexp2(a, b)


logaddexp2.vjp(a=lambda g, a, b: g / (1 + np.exp2(b - a)), b=lambda g, a, b: g / (1 + np.exp2(a - b)))
logaddexp2.sample((2, 3), (3,))


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


@op(promote="float", quiet=True)
def sigmoid(x: Array, /) -> Array:
    """1 / (1 + exp(-x)); where exp overflows, it is 0."""
    z = np.negative(x, out=np.empty_like(x))
    np.exp(z, out=z)
    z += 1
    return np.reciprocal(z, out=z)


sigmoid.vjp(x=lambda g, y: g * (y * (1 - y))).sample((2, 3))


@op(promote="common", ufunc=np.maximum)
def maximum(a: Array, b: Array, /) -> Array:
    """The larger of a and b; a tie gives each half the gradient."""
    return np.maximum(a, b)


def _take_share(g: Any, loses: Any, ties: Any) -> Any:
    """None of `g` where the input loses, half of it where it ties; beside NaN, all of it."""
    return np.where(loses, 0.0, np.where(ties, g / 2, g))


maximum.vjp(a=lambda g, a, b: _take_share(g, a < b, a == b), b=lambda g, a, b: _take_share(g, b < a, a == b))
maximum.sample((2, 3), (2, 3)).sample((2, 3), (3,))


@op(promote="common", ufunc=np.minimum)
def minimum(a: Array, b: Array, /) -> Array:
    """The smaller of a and b; a tie gives each half the gradient."""
    return np.minimum(a, b)


minimum.vjp(a=lambda g, a, b: _take_share(g, a > b, a == b), b=lambda g, a, b: _take_share(g, b > a, a == b))
minimum.sample((2, 3), (2, 3)).sample((2, 1), (3,))


@op(promote="common", ufunc=np.fmax)
def fmax(a: Array, b: Array, /) -> Array:
    """The larger of a and b, where one is NaN the other; a tie gives a the gradient."""
    return np.fmax(a, b)


@op(promote="common", ufunc=np.fmin)
def fmin(a: Array, b: Array, /) -> Array:
    """The smaller of a and b, where one is NaN the other; a tie gives a the gradient."""
    return np.fmin(a, b)


fmax.vjp(a=lambda g, a, b: np.where((a >= b) | np.isnan(b), g, 0.0), b=lambda g, a, b: np.where((a >= b) | np.isnan(b), 0.0, g))
fmin.vjp(a=lambda g, a, b: np.where((a <= b) | np.isnan(b), g, 0.0), b=lambda g, a, b: np.where((a <= b) | np.isnan(b), 0.0, g))
for _choice in (fmax, fmin):
    _choice.sample((2, 3), (2, 3)).sample((2, 1), (3,))


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
    return g * inside + 0  # 0.0, not -0.0, where a negative g is held back


clip.vjp(x=_clip_rule)
clip.sample((2, 3), kinks=(-0.5, 0.7), low=-0.5, high=0.7).sample((4,), kinks=(0.2,), low=None, high=0.2)


@op(promote="common")
def clamp_min(x: Array, low: Array, /) -> Array:
    """The larger of x and `low`; a tie gives x the gradient, NaN in either is NaN and gives none."""
    return np.maximum(x, low)


@op(promote="common")
def clamp_max(x: Array, high: Array, /) -> Array:
    """The smaller of x and `high`; a tie gives x the gradient, NaN in either is NaN and gives none."""
    return np.minimum(x, high)


clamp_min.vjp(x=lambda g, x, low: np.where(x >= low, g, 0.0), low=lambda g, x, low: np.where(x < low, g, 0.0))
clamp_max.vjp(x=lambda g, x, high: np.where(x <= high, g, 0.0), high=lambda g, x, high: np.where(x > high, g, 0.0))
for _bound in (clamp_min, clamp_max):
    _bound.sample((2, 3), (2, 3)).sample((2, 1), (3,)).sample((3,), 0.5, kinks=(0.5,))


@op(promote="common")
def clamp(x: Array, low: Array, high: Array, /) -> Array:
    """x held between `low` and `high`, or `high` where that is below `low`; NaN in any is NaN."""
    return np.minimum(np.maximum(x, low), high)


clamp.vjp(
    x=lambda g, x, low, high: np.where((x >= low) & (x <= high), g, 0.0),
    low=lambda g, x, low, high: np.where((x < low) & (low < high), g, 0.0),
    high=lambda g, x, low, high: np.where((x > high) | (high < low), g, 0.0),
)
clamp.sample((2, 3), (2, 3), (3,)).sample((2, 1), -0.5, (3,), kinks=(-0.5,))


@op(promote="common", guard=refuse("bui"))
def lerp(a: Array, b: Array, weight: Array, /) -> Array:
    """a + weight (b - a), from the nearer end, so that it is b at weight 1."""
    step = b - a
    return np.where(np.absolute(weight) < 0.5, a + weight * step, b - step * (1 - weight))


lerp.vjp(a=lambda g, weight: g * (1 - weight), b=lambda g, weight: g * weight, weight=lambda g, a, b: g * (b - a))
lerp.sample((2, 3), (3,), (2, 1)).sample((3,), (3,), 0.25).sample((3,), (3,), 0.75)


@op(promote="float", ufunc=np.copysign)
def copysign(a: Array, b: Array, /) -> Array:
    """|a| with the sign of b, that of -0.0 too."""
    return np.copysign(a, b)


copysign.vjp(a=lambda g, a, y: g * np.where(a == 0, 0.0, y / a), b=lambda g, b: np.zeros_like(b))
copysign.sample((2, 3), (2, 3), kinks=(0.0,)).sample((3,), -2.0, kinks=(0.0,))


@op(quiet=True)
def astype(x: Array, /, *, dtype: np.dtype[Any], was: np.dtype[Any]) -> Array:
    """x in another dtype; the gradient returns to the dtype it `was`."""
    return x.astype(dtype)


astype.vjp(x=lambda g, *, dtype, was: astype(g, dtype=was, was=dtype))
astype.sample((2, 3), dtype=np.dtype(np.float64), was=np.dtype(np.float64))


@op
def copy(x: Array, /) -> Array:
    """A copy of x in row-major order."""
    return x.copy()


copy.vjp(x=lambda g: g).sample((2, 3)).sample(())
