"""Incomplete gamma and beta integrals and how their quantiles move with the parameters, in arrays; knows no op and no Tensor.

Each integral goes from x outward, to the side where its integrand does not change its sign, in a variable in which the
integrand is a bell that falls by itself; so nothing cancels, and one Gauss-Legendre rule serves for all parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from tinygrad_nn.special_arrays import digamma, lgamma

Array: TypeAlias = "np.ndarray[Any, Any]"
Function: TypeAlias = Callable[[Array], Any]

_DEPTH = 40.0  # e^-40 of its height is where an integrand ends
_NODES = 64


@cache
def _gauss() -> tuple[list[float], list[float]]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes.tolist(), weights.tolist()


def _integral(function: Function, marks: Sequence[Any]) -> Any:
    """The integral from the first mark to the last, each stretch between two marks by its own rule."""
    total: Any = 0.0
    for low, high in pairwise(marks):
        half = (high - low) / 2
        if np.any(half):
            for node, weight in zip(*_gauss(), strict=True):
                total = total + weight * half * function(low + half * (1 + node))
    return total


def _end(height: Function, slope: Function, start: Any) -> Any:
    """Where a concave logarithm has fallen by `_DEPTH`: Newton's method, which comes from beyond."""
    for _ in range(8):
        start = start - (height(start) + _DEPTH) / slope(start)
    return start


def _gamma_side(a: Array, x: Array) -> tuple[Array, Array, Callable[[Function], Any]]:
    """log x less its mean, the side to integrate to, and the integral over that side of the density in s = log(u / x).

    The density is divided by its value at x, and the integral takes what else is to be multiplied by, as a function of s.
    """
    level = np.log(x) - digamma(a)
    side = np.where(level >= 0, 1.0, -1.0)

    def height(t: Array) -> Array:
        root = np.expm1(side * t / 2)  # the square of exp(t / 2) would overflow where x is close to underflow
        return side * a * t - root * x * (root + 2)

    above = np.log(x + _DEPTH + np.sqrt(2 * _DEPTH * x) + np.maximum(a - x, 0)) - np.log(x)
    below = _DEPTH / a + np.sqrt(2 * _DEPTH / a)
    end = _end(height, lambda t: side * (a - np.exp(side * t + np.log(x))), np.where(side > 0, above, below))
    marks = (np.zeros_like(end), np.maximum(end - 24, 0), end)  # where a long plateau ends, it ends within a few units
    return level, side, lambda factor: _integral(lambda t: np.exp(height(t)) * factor(side * t), marks)


def gammainc(a: Array, x: Array) -> Array:
    """P(a, x), the probability that a gamma variable of concentration a lies below x (DLMF 8.2.4).

    >>> gammainc(np.array([1.0, 0.5]), np.array([2.0, 0.5]))
    array([0.86466472, 0.68268949])
    """
    dtype = np.result_type(a, x)
    a, x = (np.asarray(v, np.float64) for v in np.broadcast_arrays(a, x))
    with np.errstate(all="ignore"):
        inside = (x > 0) & (x < np.inf) & (a > 0) & (a < np.inf)
        z, c = np.where(inside, x, 1.0), np.where(inside, a, 1.0)
        _, side, integral = _gamma_side(c, z)
        part = np.exp(c * np.log(z) - z - lgamma(c)) * integral(lambda s: 1.0)
        found = np.where(side > 0, 1 - part, part)
        ends = np.where((a >= 0) & (x >= 0) & ~((a == 0) & (x == 0)) & ~((a == np.inf) & (x == np.inf)), 0.0, np.nan)
        ends = ends + np.where((x == np.inf) | (a == 0), 1.0, 0.0)
        return np.where(inside, found, ends).astype(dtype)


def gamma_integral(a: Array, x: Array, k: int) -> Array:
    """The integral of s**k exp(a s - x (exp(s) - 1)), from 0 to the side where log(x) + s - digamma(a) keeps its sign.

    >>> gamma_integral(np.array([1.0]), np.array([2.0]), 0)
    array([0.5])
    """
    dtype = np.result_type(a, x)
    a, x = (np.asarray(v, np.float64) for v in np.broadcast_arrays(a, x))
    with np.errstate(all="ignore"):
        return np.asarray(_gamma_side(a, x)[2](lambda s: s**k)).astype(dtype)


def gamma_slope(a: Array, x: Array) -> Array:
    """How fast a gamma number x of concentration a moves with a, its probability held: -(dP/da) / (dP/dx).

    Implicit differentiation (Figurnov, Mohamed & Mnih 2018); here x times the integral of log u - digamma(a) over the
    density by its value at x, taken on the side of x where that has one sign.

    >>> gamma_slope(np.array([0.5, 10.0]), np.array([0.2, 12.0]))
    array([0.79405057, 1.11232944])
    """
    a, x = (np.asarray(v, np.float64) for v in np.broadcast_arrays(a, x))
    with np.errstate(all="ignore"):
        level, side, integral = _gamma_side(a, x)
        return np.asarray(side * x * integral(lambda s: level + s))


def beta_slope(a: Array, b: Array, x: Array) -> Array:
    """How fast a beta number x of concentrations a and b moves with a, its probability held; as `gamma_slope`.

    The integral is over the logarithm of the odds.

    >>> beta_slope(np.array([1.0]), np.array([2.0]), np.array([0.5]))
    array([0.26986039])
    """
    a, b, x = (np.asarray(v, np.float64) for v in np.broadcast_arrays(a, b, x))
    with np.errstate(all="ignore"):
        odds = np.log(x) - np.log1p(-x)
        mean = digamma(a) - digamma(a + b)  # of log u
        side = np.where(np.log(x) >= mean, 1.0, -1.0)

        def log_share(t: Array) -> Array:
            return -np.logaddexp(0, -(odds + side * t))

        def height(t: Array) -> Array:
            return a * (log_share(t) - np.log(x)) + b * (log_share(t) - side * t - np.log(x))

        start = np.where(side > 0, np.maximum(np.log(a / b) - odds, 0) + _DEPTH / b, _DEPTH / a)
        start = start + np.sqrt(2 * _DEPTH * (1 / a + 1 / b))
        end = _end(height, lambda t: side * (a - (a + b) * np.exp(log_share(t))), start)
        # far from even odds the integrand is a plain exponential: the stretch between has rules of its own
        between = [(side * (v - odds)).clip(0, end) for v in (-12 - np.log1p(b), 0 * b, 12 + np.log1p(a))]
        marks = [np.zeros_like(end), *np.sort(between, 0), end]
        total = _integral(lambda t: np.exp(height(t)) * (log_share(t) - mean), marks)
        return np.where(b > 0, side * x * (1 - x) * total, 0.0)  # the whole of one thing does not move
