"""Bessel functions of the orders 0 and 1, and Hurwitz's zeta function, in arrays of float64; knows no op and no Tensor."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[Any, Any]"

_FAR = 25.0  # from here on the series in 1/x hold to the last digit
_SINES = np.sin((np.arange(40) + 0.5) * np.pi / 80).tolist()  # midpoints of a quarter of the circle


def bessel_j(x: Array, order: int) -> Array:
    """J0 or J1: near 0 the mean of cos(order t - x sin t) over a circle (DLMF 10.9.2), further out Hankel's series.

    >>> bessel_j(np.array([0.0, 1.0, 100.0]), 0)
    array([1.        , 0.76519769, 0.01998585])
    """
    size = np.abs(x)
    near, far = np.minimum(size, _FAR), np.maximum(size, _FAR)
    y = np.where(size <= _FAR, _circle_mean(near, order, [1.0] * len(_SINES)), _hankel(far, order)[0])
    return np.where(x < 0, -y, y) if order else y


def bessel_y(x: Array, order: int) -> Array:
    """Y0 or Y1: near 0 by Neumann's series in J of even order (DLMF 10.8.3), further out Hankel's; nan below 0.

    >>> bessel_y(np.array([1.0, 100.0]), 1)
    array([-0.78121282, -0.02037231])
    """
    near, far = np.where((x > 0) & (x <= _FAR), x, 1.0), np.maximum(x, _FAR)
    log = np.log(near / 2) + np.euler_gamma
    y = 2 / np.pi * log * bessel_j(near, order) - 4 / np.pi * _circle_mean(near, order, _NEUMANN)
    y = y - 2 / np.pi * bessel_j(near, 0) / near if order else y
    y = np.where(x <= _FAR, y, _hankel(far, order)[1])
    return np.where(x == 0, -np.inf, np.where(x < 0, np.nan, y))


def bessel_k(x: Array, order: int, scaled: bool) -> Array:
    """K0 or K1, times exp(x) if `scaled`: the integral of exp(-x (cosh t - 1)) cosh(order t) (DLMF 10.32.9), or its series.

    >>> bessel_k(np.array([1.0, 100.0]), 0, True)
    array([1.14446308, 0.12517562])
    """
    near, far = np.where((x >= 1e-10) & (x <= _FAR), x, 1.0), np.maximum(x, _FAR)
    y = np.full_like(near, 0.5)
    for t in np.arange(1, 256) / 8:
        y = y + np.exp(-near * (math.cosh(t) - 1)) * math.cosh(order * t)
    least = np.where((x > 0) & (x < 1e-10), x, 1.0)
    limit = 1 / least if order else -np.log(least / 2) - np.euler_gamma
    y = np.where(x < 1e-10, limit * np.exp(least), y / 8)
    series = sum(term / far**k for k, term in enumerate(_coefficients(order)))
    y = np.where(x <= _FAR, y, np.sqrt(np.pi / (2 * far)) * series)
    y = y if scaled else y * np.exp(-np.maximum(x, 0))
    return np.where(x == 0, np.inf, np.where(x < 0, np.nan, y))


def zeta(s: Array, x: Array) -> Array:
    """The sum of (x + k)^-s over k from 0 on: terms up to 10, then the Euler-Maclaurin formula (DLMF 25.11.5).

    inf for s = 1 and at the poles 0, -1, ...; nan for s below 1, and for x below 0 unless s is whole.

    >>> zeta(np.array([2.0, 1.5]), np.array([1.0, 2.5]))
    array([1.64493407, 1.40377977])
    """
    allowed = (s > 1) & ((x > 0) | ((x > -1e6) & (s == np.floor(s)) & (x != np.floor(x))))
    power, a = np.where(allowed, s, 2.0), np.where(allowed, x, 10.0)
    y = np.zeros_like(a)
    while (small := a < 10).any():
        y = y + np.where(small, np.where(small, a, 1.0) ** -power, 0.0)
        a = np.where(small, a + 1, a)
    y = y + a ** (1 - power) / (power - 1) + a**-power / 2
    factor = power
    for k, bernoulli in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510), 1):
        y = y + bernoulli / math.factorial(2 * k) * factor * a ** (1 - power - 2 * k)
        factor = factor * (power + 2 * k - 1) * (power + 2 * k)
    y = np.where(allowed, y, np.nan)
    return np.where((s == 1) | ((s > 1) & (x <= 0) & (x == np.floor(x))), np.inf, y)


def _circle_mean(x: Array, order: int, weights: list[float]) -> Array:
    """The mean of cos(x sin t), or for order 1 of sin t sin(x sin t), weighted, over a quarter of the circle."""
    total = np.zeros_like(x)
    for sine, weight in zip(_SINES, weights, strict=True):
        total = total + (weight * sine * np.sin(x * sine) if order else weight * np.cos(x * sine))
    return total / len(_SINES)


def _neumann() -> list[float]:
    """The sum of (-1)^k cos(2 k t) / k at each midpoint, with which the mean sums up J of even order."""
    angles = np.arcsin(_SINES)
    return sum((-1) ** k * np.cos(2 * k * angles) / k for k in range(1, 37)).tolist()


_NEUMANN = _neumann()


def _coefficients(order: int) -> list[float]:
    """The first 24 of a_k(order) in the series in 1/x (DLMF 10.17.1)."""
    found = [1.0]
    for k in range(1, 24):
        found.append(found[-1] * (4 * order**2 - (2 * k - 1) ** 2) / (8 * k))
    return found


def _hankel(x: Array, order: int) -> tuple[Array, Array]:
    """J and Y far from 0 (DLMF 10.17.3 and 10.17.4)."""
    terms = [term / x**k for k, term in enumerate(_coefficients(order))]
    even = sum((-1) ** k * term for k, term in enumerate(terms[::2]))
    odd = sum((-1) ** k * term for k, term in enumerate(terms[1::2]))
    angle, size = x - (2 * order + 1) * np.pi / 4, np.sqrt(2 / (np.pi * x))
    return size * (np.cos(angle) * even - np.sin(angle) * odd), size * (np.sin(angle) * even + np.cos(angle) * odd)
