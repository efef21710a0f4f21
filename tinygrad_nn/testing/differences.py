"""Numeric derivatives: central differences with Richardson extrapolation, complex steps, and the search for kinks.

Richardson, "The deferred approach to the limit", 1927; Ridders, "Accurate computation of F'(x)", 1982; the complex
step: Squire & Trapp, "Using complex variables to estimate derivatives of real functions", 1998; the noise of a function:
Moré & Wild, "Estimating computational noise", 2011.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from tinygrad_nn.op import Array
from tinygrad_nn.testing.limit import time_limit

EPS = float(np.finfo(np.float64).eps)
STEP = 1e-3  # of an element's size: where the fourth-order error and the rounding of float64 meet
_LEVELS = 12
_COMPLEX_STEP = 1e-30
_NOISE_POINTS, _NOISE_ORDER = 8, 4


class Slope(NamedTuple):
    """A numeric derivative, how far it may be off, the step it was taken with, and whether the slopes beside it disagreed."""

    value: float
    error: float
    step: float
    bent: bool = False

    @property
    def doubt(self) -> float:
        """The error as a share of the value: 1 where nothing is known."""
        if not np.isfinite(self.value) or not np.isfinite(self.error):
            return 1.0
        return self.error / max(abs(self.value) + self.error, np.finfo(float).tiny)


class Corner(NamedTuple):
    """The slopes on the left and on the right of a kink, as seen with a step and with a smaller one."""

    wide: tuple[float, float]
    narrow: tuple[float, float]

    def admits(self, given: float, nearby: Sequence[float] = ()) -> bool:
        """Whether a gradient is fair here: between the slopes on the two sides, or those `nearby`.

        At the edge of the domain it is the slope on the inner side. Where that grows without end, anything from 0 to
        infinity of its sign will do. Where no slope is finite nothing can be said.
        """
        known = [(w, n) for w, n in zip(self.wide, self.narrow, strict=True) if np.isfinite(n)]
        if not known or np.isnan(given):
            return not known
        steep = [n for w, n in known if abs(n) > 1.05 * abs(w)]
        if np.isinf(given):
            return any(given * n > 0 for n in steep)
        if len(known) == 1:
            ((w, n),) = known
            return abs(given - n) <= 1e-3 * abs(n) + 4 * abs(n - w) or (bool(steep) and 0 <= given / n <= 1)
        slopes = [*self.narrow, *nearby]
        slack = 1e-4 * max(map(abs, slopes))
        return min(slopes) - slack <= given <= max(slopes) + slack


class Probe:
    """A scalar function of one input array among others: the outputs of `f`, weighted by `upstream` and summed."""

    def __init__(self, f: Callable[[Any], list[Array]], inputs: Sequence[Any], i: int, upstream: Sequence[Array]) -> None:
        self.f, self.inputs, self.i, self.upstream = f, list(inputs), i, upstream
        self.here = f(inputs)
        self.noise = self.rounding(self.here)
        x = inputs[i]
        size = float(np.sqrt(np.mean(np.square(x)))) if x.size else 0.0
        self.size = size if np.isfinite(size) and size > 0 else 1.0
        self.changed = False  # whether any step has changed the weighted sum

    def outputs(self, direction: Any, step: complex) -> list[Array]:
        """The outputs with the input moved by `step` along `direction`: an index, or an array of its shape."""
        moved = list(self.inputs)
        x = moved[self.i].astype(np.complex128) if isinstance(step, complex) else moved[self.i].copy()
        if isinstance(direction, np.ndarray):
            x += step * direction
        else:
            x[direction] += step
        moved[self.i] = x
        return self.f(moved)

    def weighted(self, a: Sequence[Array], b: Sequence[Array]) -> float:
        """The weighted sum of a - b; what did not change cancels exactly."""
        total = 0.0
        for u, one, two in zip(self.upstream, a, b, strict=True):
            if one.shape != u.shape:
                return float("nan")
            total += float(np.vdot(u, one - two)) if one.size else 0.0
        return total

    def rounding(self, outputs: Sequence[Array]) -> float:
        """What the rounding of the outputs may change in their weighted sum."""
        fitting = [(u, y) for u, y in zip(self.upstream, outputs, strict=True) if u.shape == y.shape]
        return EPS * sum(float(np.sum(np.abs(u * y))) for u, y in fitting)

    def own_size(self, direction: Any) -> float:
        """The size of what moves: the element's, or 0 for a direction that moves all of them."""
        return 0.0 if isinstance(direction, np.ndarray) else abs(float(self.inputs[self.i][direction]))

    def step_at(self, direction: Any) -> float:
        """A step in proportion to the element, or to its neighbours where it is smaller than they are."""
        return STEP * max(self.own_size(direction), self.size)

    def sides(self, direction: Any, h: float) -> tuple[float, float]:
        """The slopes on either side: (f(x) - f(x - h)) / h and (f(x + h) - f(x)) / h."""
        left = self.weighted(self.here, self.outputs(direction, -h)) / h
        right = self.weighted(self.outputs(direction, h), self.here) / h
        self.changed = self.changed or left != 0 or right != 0
        return left, right

    def quick(self, direction: Any) -> Slope:
        """Two central differences and one extrapolation: exact to the fourth order of the step."""
        h = self.step_at(direction)
        wide, narrow = self.sides(direction, h), self.sides(direction, h / 2)
        coarse, fine = sum(wide) / 2, sum(narrow) / 2
        value = (4 * fine - coarse) / 3
        bent = abs(narrow[1] - narrow[0]) > 0.75 * abs(wide[1] - wide[0])
        return Slope(value, abs(value - fine) + 4 * self.noise / h, h / 2, bent)

    def careful(self, direction: Any, noise: float = 0.0) -> Slope:
        """The slope by steps as large as the elements, or as this one where it is far smaller and those leave doubt.

        `noise` is what f's value is known to be unsure of beyond the rounding of its outputs.
        """
        best = self.extrapolated(direction, 4 * self.step_at(direction), noise)
        own = self.own_size(direction)
        if best.doubt > 1e-6 and 0 < own < 0.01 * self.size:
            near = self.extrapolated(direction, 4 * STEP * own, noise)
            return near if near.value and near.doubt < best.doubt else best
        return best

    def extrapolated(self, direction: Any, h: float, extra: float) -> Slope:
        """Ever smaller steps from h on, extrapolated together; the estimate with the least error (Ridders)."""
        best = Slope(float("nan"), float("inf"), h)
        own = self.own_size(direction)
        before: list[float] = []
        for _ in range(_LEVELS):
            ahead, behind = self.outputs(direction, h), self.outputs(direction, -h)
            noise = extra + max(self.noise, self.rounding(ahead), self.rounding(behind))  # here the outputs may happen to be zero
            left, right = self.weighted(self.here, behind) / h, self.weighted(ahead, self.here) / h
            blur = 4 * noise / h + 4 * EPS * own * abs(right - left) / h  # the second: what the rounding of x does to the slope
            row = [(left + right) / 2]
            for k, coarse in enumerate(before[:3]):
                fine = row[-1]
                power = 16.0 ** (k + 1)
                row.append((power * fine - coarse) / (power - 1))
                error = max(abs(row[-1] - fine), abs(row[-1] - coarse)) + blur
                if error < best.error:
                    best = Slope(row[-1], error, h)
            before = row
            h /= 4
        return best

    def measured_noise(self, direction: Any, step: float) -> float:
        """What rounding inside f makes of its value: differences of high order of points so close that f is a line there."""
        values = [self.weighted(self.outputs(direction, k * step), self.here) for k in range(_NOISE_POINTS)]
        for _ in range(_NOISE_ORDER):
            values = [b - a for a, b in pairwise(values)]
        return math.sqrt(sum(v * v for v in values) / len(values) / math.comb(2 * _NOISE_ORDER, _NOISE_ORDER))

    def kink(self, direction: Any, step: float = math.inf) -> Corner | None:
        """The slopes on either side where they differ however small the step, as at a corner or a jump; else None.

        `step` is one at which the function was seen to be smooth, if it was.
        """
        h = min(STEP * self.step_at(direction), step)
        wide, narrow = self.sides(direction, h), self.sides(direction, h / 8)
        gaps = abs(wide[0] - wide[1]), abs(narrow[0] - narrow[1])
        if not np.isfinite(gaps[1]):
            return Corner(wide, narrow)
        size = max(abs(narrow[0]), abs(narrow[1]))
        significant = gaps[1] > 1e-5 * size + 200 * self.noise / h
        return Corner(wide, narrow) if significant and gaps[1] > 0.5 * gaps[0] else None

    def nearby(self, direction: Any, draws: int = 24) -> list[float]:
        """The slopes at points around this one, where what ties here does not: their hull has every fair gradient.

        Clarke, "Generalized gradients and applications", 1975.
        """
        rng = np.random.default_rng(0)
        h = STEP * self.step_at(direction)
        slopes = []
        for _ in range(draws):
            moved = [v + h * rng.uniform(-1.0, 1.0, v.shape) if isinstance(v, np.ndarray) and v.dtype.kind == "f" else v
                     for v in self.inputs]  # fmt: skip
            slopes.append(sum(Probe(self.f, moved, self.i, self.upstream).sides(direction, h / 1000)) / 2)
        return [slope for slope in slopes if np.isfinite(slope)]

    def complex_slope(self, direction: Any) -> float:
        """The imaginary part of f(x + ih) / h: exact where f is built of analytic functions."""
        outputs = self.outputs(direction, _COMPLEX_STEP * 1j)
        parts = [np.imag(out) for out in outputs]
        slope = self.weighted(parts, [np.zeros_like(part) for part in parts]) / _COMPLEX_STEP
        self.changed = self.changed or slope != 0
        return slope

    def takes_complex(self, rng: np.random.Generator) -> bool:
        """Whether f accepts complex arrays and treats them as an analytic function would."""
        direction = rng.standard_normal(self.inputs[self.i].shape)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with time_limit():
                    exact = self.complex_slope(direction)
        except Exception:  # whatever a user's function does not like about complex numbers
            return False
        central = self.careful(direction)
        return bool(abs(exact - central.value) <= 1e-7 * abs(exact) + 10 * central.error)
