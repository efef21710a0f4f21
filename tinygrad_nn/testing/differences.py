"""Numeric derivatives: central differences with Richardson extrapolation, complex steps, and the search for kinks.

Richardson, "The deferred approach to the limit", 1927; Ridders, "Accurate computation of F'(x)", 1982; the complex
step: Squire & Trapp, "Using complex variables to estimate derivatives of real functions", 1998.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_nn.op import Array

EPS = float(np.finfo(np.float64).eps)
STEP = 1e-3  # of an element's size: where the fourth-order error and the rounding of float64 meet
_LEVELS = 9
_COMPLEX_STEP = 1e-30


class Slope(NamedTuple):
    """A numeric derivative, how far it may be off, and the step it was taken with."""

    value: float
    error: float
    step: float


class Probe:
    """A scalar function of one input array among others: the outputs of `f`, weighted by `upstream` and summed."""

    def __init__(self, f: Callable[[Any], list[Array]], inputs: Sequence[Any], i: int, upstream: Sequence[Array]) -> None:
        self.f, self.inputs, self.i, self.upstream = f, list(inputs), i, upstream
        self.here = f(inputs)
        self.noise = self.rounding(self.here)
        x = inputs[i]
        size = float(np.sqrt(np.mean(np.square(x)))) if x.size else 0.0
        self.size = size if np.isfinite(size) and size > 0 else 1.0

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

    def step_at(self, direction: Any) -> float:
        """A step in proportion to the element, or to its neighbours where it is smaller than they are."""
        own = 0.0 if isinstance(direction, np.ndarray) else abs(float(self.inputs[self.i][direction]))
        return STEP * max(own, self.size)

    def central(self, direction: Any, h: float) -> float:
        """(f(x + h) - f(x - h)) / 2h."""
        return self.weighted(self.outputs(direction, h), self.outputs(direction, -h)) / (2 * h)

    def quick(self, direction: Any) -> Slope:
        """Two central differences and one extrapolation: exact to the fourth order of the step."""
        h = self.step_at(direction)
        wide, narrow = self.central(direction, h), self.central(direction, h / 2)
        value = (4 * narrow - wide) / 3
        return Slope(value, abs(value - narrow) + 4 * self.noise / h, h / 2)

    def careful(self, direction: Any) -> Slope:
        """Ever smaller steps, extrapolated together; the estimate with the least error (Ridders)."""
        h = 4 * self.step_at(direction)
        best = Slope(float("nan"), float("inf"), h)
        before: list[float] = []
        for _ in range(_LEVELS):
            ahead, behind = self.outputs(direction, h), self.outputs(direction, -h)
            noise = max(self.noise, self.rounding(ahead), self.rounding(behind))  # here the outputs may happen to be zero
            row = [self.weighted(ahead, behind) / (2 * h)]
            for k, coarse in enumerate(before[:3]):
                fine = row[-1]
                power = 16.0 ** (k + 1)
                row.append((power * fine - coarse) / (power - 1))
                error = max(abs(row[-1] - fine), abs(row[-1] - coarse)) + 4 * noise / h
                if error < best.error:
                    best = Slope(row[-1], error, h)
            before = row
            h /= 4
        return best

    def sides(self, direction: Any, h: float) -> tuple[float, float]:
        """The slopes on either side: (f(x) - f(x - h)) / h and (f(x + h) - f(x)) / h."""
        left = self.weighted(self.here, self.outputs(direction, -h)) / h
        return left, self.weighted(self.outputs(direction, h), self.here) / h

    def kink(self, direction: Any) -> tuple[float, float] | None:
        """The slopes on either side where they differ however small the step, as at a corner or a jump; else None."""
        h = STEP * self.step_at(direction)
        wide, narrow = self.sides(direction, h), self.sides(direction, h / 8)
        gaps = abs(wide[0] - wide[1]), abs(narrow[0] - narrow[1])
        if not np.isfinite(gaps[1]):
            return narrow
        size = max(abs(narrow[0]), abs(narrow[1]))
        significant = gaps[1] > 1e-5 * size + 200 * self.noise / h
        return narrow if significant and gaps[1] > 0.5 * gaps[0] else None

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
            slopes.append(Probe(self.f, moved, self.i, self.upstream).central(direction, h / 1000))
        return [slope for slope in slopes if np.isfinite(slope)]

    def complex_slope(self, direction: Any) -> float:
        """The imaginary part of f(x + ih) / h: exact where f is built of analytic functions."""
        outputs = self.outputs(direction, _COMPLEX_STEP * 1j)
        parts = [np.imag(out) for out in outputs]
        return self.weighted(parts, [np.zeros_like(part) for part in parts]) / _COMPLEX_STEP

    def takes_complex(self, rng: np.random.Generator) -> bool:
        """Whether f accepts complex arrays and treats them as an analytic function would."""
        direction = rng.standard_normal(self.inputs[self.i].shape)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                exact = self.complex_slope(direction)
        except Exception:  # whatever a user's function does not like about complex numbers
            return False
        central = self.careful(direction)
        return bool(abs(exact - central.value) <= 1e-7 * abs(exact) + 10 * central.error)
