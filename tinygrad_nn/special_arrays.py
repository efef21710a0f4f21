"""Special functions, array to array: knows their approximations and NumPy; knows no op and no Tensor.

Kernels compute in float64, each interval's series for every element: `np.where` picks. The series are
Chebyshev interpolants, highest power first. float32 is float64 rounded, but for `erf`: every GELU waits for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[Any, Any]"

# erf(x) / x in z = x^2 on [0, 1]
_ERF = (
    -7.795898827002142e-10, 1.3720064546777686e-08, -1.6208483801871705e-07, 1.6447424703317362e-06,
    -1.492473690741966e-05, 0.00012055294904839707, -0.0008548325975389692, 0.0052239776071164225,
    -0.02686617064323777, 0.11283791670945006, -0.37612638903183543, 1.1283791670955126,
)
# (x + 1/2) exp(x^2) erfc(x) in t = (27 - 11x) / (27 + 9x), for x on [0, 27]
_ERFC = (
    -2.0448104978377351e-10, -4.2404546602214005e-11, 2.4795924707631702e-09, -9.86778798848207e-10,
    -1.7592216426667842e-08, 2.1123292940836834e-08, 1.0235481217423094e-07, -2.2852020137873538e-07,
    -5.882192345613851e-07, 2.003845107808838e-06, 4.085837919490499e-06, -1.6349596100799857e-05,
    -4.0782642638307014e-05, 0.00011784608666090677, 0.0005430506131207906, -0.00018040741454884986,
    -0.006629601136696925, -0.02450127189086029, -0.05152602807961476, -0.06731169313340891,
    -0.03820424670704317, 0.05476797066095398, 0.6329761331647682,
)
# erfinv(x) / x to 4e-6 in w = -log(1 - x^2) on [0, 37]: numerator and denominator
_ERFINV = (2.57408850e-05, 1.68692051e-03, 1.51044211e-02, 9.79020060e-02, 4.19515817e-01, 8.86225971e-01)
_ERFINV_Q = (9.53383614e-07, 2.87375363e-04, 6.22910639e-03, 4.18196523e-02, 2.11630917e-01, 1.0)
# lgamma(1 + f) / (f (f - 1)) and digamma(1 + f) / (f - root) in t = (5f - 2) / (f + 2), for f on [0, 1]
_LGAMMA = (
    -2.9232008306747404e-13, -2.3806670178853078e-12, -7.377917717666873e-12, -8.124936026621643e-11,
    -1.9584973120510014e-10, -3.4428092642754055e-09, -3.6733745453176696e-09, -1.6377510743478547e-07,
    5.9506661839415764e-08, -9.040323366454512e-06, 1.5155193329874396e-05, -0.0006206894928997403,
    0.00159764679202239, -0.07658576778371994, 0.4983871423848804,
)
_DIGAMMA = (
    1.503525334442623e-12, -1.517336711770393e-11, 7.368678321393e-11, -6.557166418384734e-10,
    3.765958573312571e-09, -3.142523026166033e-08, 1.8871267000374259e-07, -1.5188584401295115e-06,
    9.33808034902242e-06, -7.420009379371771e-05, 0.0004554065894622509, -0.003691765161598752,
    0.021396291160662835, -0.22876878323969715, 0.9959826096694623,
)
_ROOT = (0.46163214496836236, -1.5522348162858677e-17)  # the root of digamma(1 + f), to twice the precision
# Stirling's series, B_2k / (2k (2k - 1)), and its derivative's, B_2k / 2k
_STIRLING = (1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12)
_STIRLING_SLOPE = (1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12)
_CELLS_PER_UNIT, _CELLS = 2048, 8040  # of the float32 table: up to where erf(x) rounds to 1


def erf(x: Array) -> Array:
    """The error function, 2/√π times the integral of exp(-t²) from 0 to x.

    A polynomial in x² below 1, 1 - erfc(x) above; in float32 a line for each of 16 000 cells, since two table
    look-ups take less than half the time of a rational function as exact.

    >>> erf(np.array([0.0, 0.5, -np.inf]))
    array([ 0.        ,  0.52049988, -1.        ])
    """
    return _map(_erf, x) if x.itemsize > 4 else _map(_erf_by_table, x, np.float32)


def erfc(x: Array) -> Array:
    """1 - erf(x), with all its digits where erf(x) is close to 1.

    exp(-x²) / (x + 1/2) times a function that hardly varies, expanded in a ratio of linear functions of x as
    Shepherd and Laframboise do (Math. Comp. 36, 1981): one series for all x above 0.

    >>> erfc(np.array([0.0, 5.0, -np.inf]))
    array([1.00000000e+00, 1.53745979e-12, 2.00000000e+00])
    """
    return _map(_erfc, x)


def erfinv(x: Array) -> Array:
    """The y with erf(y) = x: infinite at -1 and 1, NaN beyond them.

    A rational function of -log(1 - x²), the variable of Giles ("Approximating the erfinv function", GPU
    Computing Gems, 2012), then a step of Halley's method, which takes its six digits to eighteen.

    >>> erfinv(np.array([0.0, 0.5, 1.0]))
    array([0.        , 0.47693628,        inf])
    """
    return _map(_erfinv, x)


def lgamma(x: Array) -> Array:
    """log|Γ(x)|, infinite at 0, -1, -2, ...

    Γ(x + 1) = x Γ(x) brings x below 10 into [1, 2], where the zeros at the ends are factored out; from 10 on,
    Stirling's series (DLMF 5.11.1); below 0, the reflection Γ(x) Γ(1 - x) = π / sin πx, whose error is small
    beside 1, not beside a result close to 0.

    >>> lgamma(np.array([2.0, 5.0, -0.5]))
    array([0.        , 3.17805383, 1.26551212])
    """
    return _map(_lgamma, x)


def digamma(x: Array) -> Array:
    """The derivative of log Γ(x): NaN at -1, -2, ..., and at ±0 the infinity on the other side.

    ψ(x + 1) = ψ(x) + 1/x brings x below 10 into [1, 2], where the root is factored out; from 10 on, the
    asymptotic series (DLMF 5.11.2); below 0, the reflection ψ(1 - x) - ψ(x) = π / tan πx, whose error is small
    beside 1, not beside a result close to 0.

    >>> digamma(np.array([1.0, 10.0, -0.5]))
    array([-0.57721566,  2.25175259,  0.03648997])
    """
    return _map(_digamma, x)


def erfcx(x: Array) -> Array:
    """exp(x²) erfc(x), by the same series as erfc up to 25, by DLMF 7.12.1 above, by 2 exp(x²) - erfcx(-x) below 0.

    >>> erfcx(np.array([0.0, 5.0, 1e10]))
    array([1.00000000e+00, 1.10704638e-01, 5.64189584e-11])
    """
    return _map(_erfcx, x)


def log_ndtr(x: Array) -> Array:
    """The logarithm of the standard normal distribution function, without underflow far below 0.

    >>> log_ndtr(np.array([0.0, -40.0]))
    array([-6.93147181e-01, -8.04608442e+02])
    """
    return _map(_log_ndtr, x)


def ndtri(x: Array) -> Array:
    """The inverse of the standard normal distribution function: infinite at 0 and 1, NaN beyond them.

    A rational start to three digits (Abramowitz and Stegun 26.2.23), then steps of Halley's method on the
    logarithm of the distribution function.

    >>> ndtri(np.array([0.5, 0.975, 1e-300]))
    array([  0.        ,   1.95996398, -37.0470963 ])
    """
    return _map(_ndtri, x)


def zeta(s: int, x: Array) -> Array:
    """Hurwitz's ζ(s, x), the sum of (x + k)^-s over k from 0 on, for a whole s from 2 on.

    Ten terms and the Euler-Maclaurin formula for the rest (DLMF 25.11.5); below 0, the terms on either side of 0
    are two such sums.

    >>> zeta(2, np.array([1.0, 2.5, -0.5]))
    array([1.64493407, 0.49035776, 8.9348022 ])
    """
    return _map(lambda block: _zeta(s, block), x)


def bessel_i(x: Array, order: int, scaled: bool) -> Array:
    """The modified Bessel function I of a whole order, times exp(-|x|) if `scaled`.

    The mean of exp(x cos t) cos(order t) over a circle (DLMF 10.32.3), whose rule of midpoints converges faster
    than any power; from 50 on, the expansion of DLMF 10.40.1.

    >>> bessel_i(np.array([0.0, 1.0, -2.0]), 1, False)
    array([ 0.        ,  0.5651591 , -1.59063685])
    """
    return _map(lambda block: _bessel_i(block, abs(order), scaled), x)


def _map(kernel: Callable[[Array], Array], x: Array, dtype: type[np.floating[Any]] = np.float64) -> Array:
    """`kernel` over the elements of x, block by block in the order of memory, computing in `dtype`."""
    out = np.empty_like(x, subok=False)
    blocks = np.nditer(
        [x, out], ["external_loop", "buffered", "zerosize_ok"], [["readonly"], ["writeonly"]], [dtype, dtype],
        casting="same_kind", buffersize=65536 // np.dtype(dtype).itemsize,  # so buffers stay in cache
    )
    with np.errstate(all="ignore"), blocks:
        for source, target in blocks:
            target[...] = kernel(source)
    return out


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Horner's rule in one buffer."""
    y = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        y *= x
        y += coefficient
    return y


def _erf(x: Array) -> Array:
    y: Array = x * _polynomial(_ERF, x * x)
    size = np.abs(x)
    if (size > 1).any():
        y = np.where(size > 1, np.copysign(1 - _upper_tail(size), x), y)
    return y


def _erf_by_table(x: Array) -> Array:
    table, bound = _erf_table(), _CELLS / _CELLS_PER_UNIT
    y = x.clip(-bound, bound)
    cell = (y * _CELLS_PER_UNIT).astype(np.int32)  # towards 0, so that the cells lie symmetrically
    cell = cell.astype(np.intp)  # a second step, because floats become 32 bits in a fifth of the time of 64
    cell += _CELLS
    y *= table[0].take(cell, mode="clip")  # `clip`, because NaN has become some integer
    y += table[1].take(cell, mode="clip")
    return y


@cache
def _erf_table() -> Array:
    """Slopes and intercepts of the lines that erf departs from least, one line for each cell."""
    left = np.arange(_CELLS + 1) / _CELLS_PER_UNIT
    middle, right = left + 0.5 / _CELLS_PER_UNIT, left + 1 / _CELLS_PER_UNIT
    slope = (_erf(right) - _erf(left)) * _CELLS_PER_UNIT
    slope[-1] = 0  # the last cell stands for all beyond it: its intercept rounds to 1
    slope = slope.astype(np.float32).astype(np.float64)  # so that the intercept makes up for the rounding
    intercept = (_erf(left) - slope * left + _erf(middle) - slope * middle) / 2
    intercept[0] = -0.0  # through 0 exactly; and -0.0, unlike 0.0, added to -0.0 leaves it be
    return np.array([[*slope[:0:-1], *slope], [*-intercept[:0:-1], *intercept]], np.float32)


def _upper_tail(x: Array) -> Array:
    """erfc(x) for x >= 0."""
    x = np.minimum(x, 28)
    square, head = x * x, x.astype(np.float32).astype(np.float64)  # 24 bits: head * head is exact
    rounding = (head * head - square) + (x - head) * (x + head)  # what x * x lost, which exp would magnify
    series = _polynomial(_ERFC, (27 - 11 * x) / (27 + 9 * x))
    series *= np.exp(-square) * (1 - rounding) / (x + 0.5)
    return series


def _erfc(x: Array) -> Array:
    tail = _upper_tail(np.abs(x))
    return np.where(x < 0, 2 - tail, tail)


def _erfinv(x: Array) -> Array:
    size = np.abs(x)
    w = -np.log((1 - size) * (1 + size))
    y = size * _polynomial(_ERFINV, w) / _polynomial(_ERFINV_Q, w)
    excess = np.where(size < 0.5, y * _polynomial(_ERF, y * y) - size, (1 - size) - _upper_tail(y))
    newton = excess * (math.sqrt(math.pi) / 2) * np.exp(y * y)
    y -= newton / (1 + y * newton)  # erf'' / erf' = -2y
    return np.copysign(np.where(size == 1, np.inf, y), x)


def _lgamma(x: Array) -> Array:
    a, r = np.where(x < 0, 1 - x, x), x - np.rint(x)
    f, product = a - np.floor(a), np.ones_like(a)
    for k in range(1, 9):
        product *= np.maximum(a - k, 1)
    log = np.log(np.where((a >= 1) & (a < 10), product, a))
    near = f * (f - 1) * _polynomial(_LGAMMA, (5 * f - 2) / (f + 2)) + np.where(a < 1, -log, log)
    far = (a - 0.5) * (log - 1) + (math.log(2 * math.pi) - 1) / 2 + _polynomial(_STIRLING, 1 / (a * a)) / a
    y = np.where(a < 10, near, far)
    reflected = -np.log(np.abs(r) * np.sinc(r)) - y
    return np.where(x < 0, np.where(x == np.floor(x), np.inf, reflected), y)


def _digamma(x: Array) -> Array:
    a, r = np.where(x < 0, 1 - x, x), x - np.rint(x)
    f, steps = a - np.floor(a), np.where(a < 1, -1 / a, 0)
    for k in range(1, 9):
        steps += np.where(a - k >= 1, 1 / (a - k), 0)
    near = ((f - _ROOT[0]) - _ROOT[1]) * _polynomial(_DIGAMMA, (5 * f - 2) / (f + 2)) + steps
    far = np.log(a) - 0.5 / a - _polynomial((*_STIRLING_SLOPE, 0), 1 / (a * a))
    y = np.where(a < 10, near, far)
    reflected = y - math.pi / np.tan(math.pi * r)
    return np.where(x < 0, np.where(x == np.floor(x), np.nan, reflected), y)


def _erfcx(x: Array) -> Array:
    size = np.abs(x)
    near = _polynomial(_ERFC, (27 - 11 * np.minimum(size, 25)) / (27 + 9 * np.minimum(size, 25))) / (size + 0.5)
    z = 0.5 / (size * size)
    far = _polynomial((-945.0, 105.0, -15.0, 3.0, -1.0, 1.0), z) / (size * math.sqrt(math.pi))
    y = np.where(size < 25, near, far)
    return np.where(x < 0, 2 * np.exp(x * x) - y, y)


def _log_ndtr(x: Array) -> Array:
    z = x * math.sqrt(0.5)
    below = np.log(_erfcx(-np.minimum(z, 0)) / 2) - z * z
    return np.where(np.isnan(x), x, np.where(x < -1, below, np.log1p(-_erfc(z) / 2)))


def _ndtri(p: Array) -> Array:
    log = np.log(np.minimum(p, 1 - p))
    t = np.sqrt(-2 * log)
    start = _polynomial((0.010328, 0.802853, 2.515517), t) / _polynomial((0.001308, 0.189269, 1.432788, 1.0), t)
    y = np.minimum(start - t, 0)
    for _ in range(3):
        reached = _log_ndtr(y)
        slope = math.sqrt(2 / math.pi) / _erfcx(-y * math.sqrt(0.5))
        newton = (reached - log) / slope
        y = y - newton / (1 + newton * (y + slope) / 2)  # the second derivative is -slope (y + slope)
    y = np.where(np.minimum(p, 1 - p) == 0, -np.inf, y)
    return np.where(p == 0.5, 0.0, np.where(p < 0.5, y, -y))


def _zeta(s: int, x: Array) -> Array:
    left, fraction = np.ceil(-x), x - np.floor(x)
    below = x < 0
    a = np.where(below, fraction, x)
    y = _zeta_sum(s, a)
    if below.any():
        y = y + np.where(below, (-1) ** s * (_zeta_sum(s, 1 - fraction) - _zeta_sum(s, left + 1 - fraction)), 0)
    return np.where((x <= 0) & (x == np.floor(x)), np.inf, y)


def _zeta_sum(s: int, a: Array) -> Array:
    y = np.zeros_like(a)
    for k in range(10):
        y += (a + k) ** -s
    a = a + 10
    y += a ** (1 - s) / (s - 1) + a**-s / 2
    factor = float(s)
    for k, bernoulli in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510), 1):
        y += bernoulli / math.factorial(2 * k) * factor * a ** (1 - s - 2 * k)
        factor *= (s + 2 * k - 1) * (s + 2 * k)
    return y


def _bessel_i(x: Array, n: int, scaled: bool) -> Array:
    size, nodes = np.abs(x), 40
    z, near, far, term = np.minimum(size, 50), np.zeros_like(x), np.zeros_like(x), np.ones_like(x)
    for k in range(nodes):
        angle = (k + 0.5) * math.pi / (2 * nodes)
        half = -np.expm1(-2 * z * math.cos(angle)) if n % 2 else 1 + np.exp(-2 * z * math.cos(angle))
        near += half * np.exp(z * (math.cos(angle) - 1)) * (math.cos(n * angle) / (2 * nodes))
    for k in range(1, 14):
        far += term
        term = term * ((2 * k - 1) ** 2 - 4 * n * n) / (8 * k * np.maximum(size, 50))
    y = np.where(size < 50, near, far / np.sqrt(2 * math.pi * np.maximum(size, 50)))
    y = y if scaled else y * np.exp(size)
    return np.where((x < 0) & (n % 2 == 1), -y, np.where(np.isnan(x), x, y))
