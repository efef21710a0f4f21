"""Primitives from mathematical physics: the error function and its kin, gamma's logarithm and its derivatives, Bessel's."""

import math
from typing import Any

import numpy as np

from tinygrad_nn import incomplete, special_arrays
from tinygrad_nn.op import Array, op

_ROOT_PI = math.sqrt(math.pi)


@op(promote="float")
def erf(x: Array, /) -> Array:
    """The error function, 2/sqrt(pi) times the integral of exp(-t**2) from 0 to x."""
    return special_arrays.erf(x)


erf.vjp(x=lambda g, x: g * (2 / _ROOT_PI * np.exp(-x * x))).sample((2, 3)).sample((3,), domain=(-6.0, 6.0))


@op(promote="float")
def normal_cdf(x: Array, /) -> Array:
    """(1 + erf(x / sqrt(2))) / 2: the probability that a standard normal variable lies below x."""
    y = special_arrays.erf(x * math.sqrt(0.5))
    y += 1
    y *= 0.5
    return y


normal_cdf.vjp(x=lambda g, x: g * (np.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))))
normal_cdf.sample((2, 3)).sample((3,), domain=(-6.0, 6.0))


@op(promote="float")
def erfc(x: Array, /) -> Array:
    """1 - erf(x), with all its digits where erf(x) is close to 1."""
    return special_arrays.erfc(x)


erfc.vjp(x=lambda g, x: g * (-2 / _ROOT_PI * np.exp(-x * x))).sample((2, 3)).sample((3,), domain=(-6.0, 6.0))


@op(promote="float")
def erfcx(x: Array, /) -> Array:
    """exp(x**2) erfc(x)."""
    return special_arrays.erfcx(x)


erfcx.vjp(x=lambda g, x, y: g * (2 * x * y - 2 / _ROOT_PI)).sample((2, 3))


@op(promote="float")
def erfinv(x: Array, /) -> Array:
    """The y with erf(y) = x, for x between -1 and 1."""
    return special_arrays.erfinv(x)


erfinv.vjp(x=lambda g, y: g * (_ROOT_PI / 2 * np.exp(y * y))).sample((2, 3), domain=(-0.9, 0.9))


@op(promote="float")
def ndtri(x: Array, /) -> Array:
    """The y below which a standard normal variable lies with probability x."""
    return special_arrays.ndtri(x)


ndtri.vjp(x=lambda g, y: g * (math.sqrt(2 * math.pi) * np.exp(y * y / 2))).sample((2, 3), domain=(0.1, 0.9))


@op(promote="float")
def inverse_mills(x: Array, /) -> Array:
    """The standard normal density at x by the probability to lie below x."""
    return math.sqrt(2 / math.pi) / special_arrays.erfcx(x * -math.sqrt(0.5))


inverse_mills.vjp(x=lambda g, x, y: g * (-y * (x + y))).sample((2, 3))


@op(promote="float")
def log_ndtr(x: Array, /) -> Array:
    """The logarithm of the probability that a standard normal variable lies below x."""
    return special_arrays.log_ndtr(x)


log_ndtr.vjp(x=lambda g, x: g * inverse_mills(x)).sample((2, 3))


@op(promote="float", quiet=True)
def polygamma(x: Array, /, *, n: int) -> Array:
    """The derivative of order n + 1 of log Γ(x), n from 1 on: (-1)**(n + 1) n! ζ(n + 1, x) (DLMF 5.15.1)."""
    return (-1) ** (n + 1) * math.factorial(n) * special_arrays.zeta(n + 1, x)


polygamma.vjp(x=lambda g, x, *, n: g * polygamma(x, n=n + 1))
polygamma.sample((2, 3), domain=(0.7, 4.0), n=1).sample((3,), domain=(-0.7, -0.3), n=2)


@op(promote="float")
def digamma(x: Array, /) -> Array:
    """The derivative of log Γ(x)."""
    return special_arrays.digamma(x)


digamma.vjp(x=lambda g, x: g * polygamma(x, n=1)).sample((2, 3), domain=(0.5, 4.0)).sample((3,), domain=(-0.8, -0.2))


@op(promote="float")
def lgamma(x: Array, /) -> Array:
    """The logarithm of |Γ(x)|."""
    return special_arrays.lgamma(x)


lgamma.vjp(x=lambda g, x: g * digamma(x)).sample((2, 3), domain=(0.5, 4.0)).sample((3,), domain=(-0.9, -0.1))


@op(promote="float", quiet=True)
def bessel_i(x: Array, /, *, order: int, scaled: bool) -> Array:
    """The modified Bessel function I of a whole order, times exp(-|x|) if `scaled`."""
    return special_arrays.bessel_i(x, order, scaled)


def _bessel_rule(g: Any, x: Any, y: Any, *, order: int, scaled: bool) -> Any:
    below, above = (bessel_i(x, order=n, scaled=scaled) for n in (order - 1, order + 1))
    slope = (below + above) * 0.5  # DLMF 10.29.1
    return g * (slope - np.sign(x) * y if scaled else slope)


bessel_i.vjp(x=_bessel_rule)
bessel_i.sample((2, 3), order=0, scaled=False).sample((3,), order=1, scaled=False)
bessel_i.sample((2, 3), kinks=(0.0,), order=0, scaled=True).sample((3,), kinks=(0.0,), order=1, scaled=True)


@op(promote="float", quiet=True)
def logit(x: Array, /) -> Array:
    """log(x / (1 - x)), for x between 0 and 1."""
    return np.log(x / (1 - x))


logit.vjp(x=lambda g, x: np.where((x >= 0) & (x <= 1), g / (x * (1 - x)), np.nan)).sample((2, 3), domain=(0.2, 0.8))


@op(promote="float", quiet=True)
def xlogy(a: Array, b: Array, /) -> Array:
    """a log(b), and 0 where a is 0 and b a number."""
    return np.where(np.equal(a, 0) & ~np.isnan(b), 0, a * np.log(b)).astype(np.result_type(a, b), copy=False)


def _xlogy_first(g: Any, a: Any, b: Any) -> Any:
    return np.where((np.equal(a, 0)) & (np.less_equal(b, 0)), 0.0, xlogy(g, b))


xlogy.vjp(a=_xlogy_first, b=lambda g, a, b: g * a / b)
xlogy.sample((2, 3), (3,), domain=(0.3, 2.0)).sample((3,), 2.0, domain=(0.3, 2.0)).sample(1.5, (3,), domain=(0.3, 2.0))


@op(promote="float", quiet=True)
def xlog1py(a: Array, b: Array, /) -> Array:
    """a log(1 + b), and 0 where a is 0 and b a number."""
    return np.where(np.equal(a, 0) & ~np.isnan(b), 0, a * np.log1p(b)).astype(np.result_type(a, b), copy=False)


def _xlog1py_first(g: Any, a: Any, b: Any) -> Any:
    return np.where((np.equal(a, 0)) & (np.less_equal(b, -1)), 0.0, xlog1py(g, b))


xlog1py.vjp(a=_xlog1py_first, b=lambda g, a, b: g * a / (b + 1))
xlog1py.sample((2, 3), (3,), domain=(0.3, 2.0)).sample((3,), 2.0, domain=(0.3, 2.0))


@op(promote="float", quiet=True)
def entr(x: Array, /) -> Array:
    """-x log(x), 0 at 0 and -inf below."""
    return np.where(x < 0, -np.inf, np.where(x == 0, 0.0, -xlogy.forward(x, x))).astype(x.dtype, copy=False)


entr.vjp(x=lambda g, x: g * (-1 - np.log(x))).sample((2, 3), domain=(0.3, 2.0))


@op(promote="float")
def gamma_integral(a: Array, x: Array, /, *, k: int) -> Array:
    """Of s**k exp(a s - x (exp(s) - 1)), from 0 to ∞ or -∞: to the side where log(x) + s - digamma(a) keeps its sign."""
    return incomplete.gamma_integral(a, x, k)


def _gamma_integral_second(g: Any, a: Any, x: Any, y: Any, *, k: int) -> Any:
    ends = k * gamma_integral(a, x, k=k - 1) if k else np.sign(gamma_integral(a, x, k=1))  # by parts
    return g * (y - (a * y + ends) / x)


gamma_integral.vjp(a=lambda g, a, x, *, k: g * gamma_integral(a, x, k=k + 1), x=_gamma_integral_second)
gamma_integral.sample((2, 3), (2, 3), domain=(0.3, 4.0), k=0).sample((3,), (3,), domain=(0.3, 4.0), k=1)


@op(promote="float")
def gammainc(a: Array, x: Array, /) -> Array:
    """P(a, x), the probability that a gamma variable of concentration a lies below x."""
    return incomplete.gammainc(a, x)


def _gamma_density(a: Any, x: Any) -> Any:
    return np.exp(xlogy(a - 1, x) - x - lgamma(a))


def _gammainc_first(g: Any, a: Any, x: Any) -> Any:
    moment = gamma_integral(a, x, k=1)
    slope = np.sign(moment) * x * ((np.log(x) - digamma(a)) * gamma_integral(a, x, k=0) + moment)
    return -g * _gamma_density(a, x) * slope


gammainc.vjp(a=_gammainc_first, x=lambda g, a, x: g * _gamma_density(a, x))
gammainc.sample((2, 3), (2, 3), domain=(0.3, 4.0)).sample((3,), (2, 3), domain=(0.3, 4.0))
