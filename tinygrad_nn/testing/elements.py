"""One input's gradient held against central differences, element by element or along random directions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinygrad_nn.op import Array
from tinygrad_nn.testing.diagnosis import Evidence
from tinygrad_nn.testing.differences import EPS, STEP, Probe, Slope
from tinygrad_nn.testing.report import InputResult, Kink, Worst

_PARTS = 4096  # outputs times elements up to which each output's contribution is worked out for the diagnosis
_TIES = 30  # so many values at which elements tie are looked at


class Tolerance(NamedTuple):
    """How far a gradient may be off: relative to itself, and to the largest of its input."""

    rtol: float
    atol: float


class InputCheck:
    """The comparison for one input: what was given, what was expected, and where they differ."""

    def __init__(self, name: str, probe: Probe, given: Array | None, tolerance: Tolerance) -> None:
        self.name, self.probe, self.given, self.tolerance = name, probe, given, tolerance
        self.x: Array = probe.inputs[probe.i]
        self.fits = given is None or given.shape == self.x.shape
        self.values: Array = np.asarray(given, np.float64) if given is not None and self.fits else np.zeros(self.x.shape)
        self.expected, self.errors, self.steps = (np.full(self.x.shape, np.nan) for _ in range(3))
        self.wrong = np.zeros(self.x.shape, bool)
        self.smooth = np.ones(self.x.shape, bool)
        self.kinks: list[Kink] = []
        self.unsure = 0
        self.directions = 0
        self.worst: Worst | None = None
        self.looked_at = "each element"

    @property
    def depends(self) -> bool:
        """Whether any output changes with this input, or the code under test says so."""
        if self.directions or self.kinks or not self.x.size or (self.given is not None and bool(np.any(self.given))):
            return True
        return bool(np.any(self.expected[np.isfinite(self.expected)]))

    @property
    def failed(self) -> bool:
        """Whether the gradient is wrong anywhere."""
        return bool(self.wrong.any()) or not self.fits

    @property
    def badness(self) -> float:
        """How far off the worst element is, to find the input to tell of."""
        if not self.fits:
            return float("inf")
        bad = self.errors[self.wrong] if self.wrong.any() else self.errors
        return float(np.max(bad, initial=0.0, where=np.isfinite(bad)))

    def each_element(self, rng: np.random.Generator | None) -> None:
        """Compare every element; with an `rng`, by complex steps where the function takes complex arrays."""
        exact = rng is not None and self.x.size > 1 and self.probe.takes_complex(rng)
        if exact:
            self.looked_at = "each element, complex step"
        for index in np.ndindex(self.x.shape):
            slope = self._slope(index, exact)
            self.expected[index], self.errors[index], self.steps[index] = slope.value, 2 * slope.error, slope.step
        agree, uncertain = self._compare()
        for index in map(tuple, np.argwhere(~agree | uncertain)):
            self._look_closer(index, bool(uncertain[index]))
        self.find_worst()

    def _slope(self, index: tuple[int, ...], exact: bool) -> Slope:
        """The cheapest slope that agrees with the gradient, else the most careful one."""
        given = float(self.values[index])
        if exact:
            value = self.probe.complex_slope(index)
            if abs(given - value) <= self.tolerance.rtol * abs(value):
                return Slope(value, 8 * EPS * abs(value), 0.0)
        slope = self.probe.quick(index)
        agrees = abs(given - slope.value) <= self.tolerance.rtol * max(abs(given), abs(slope.value))
        return slope if agrees else self.probe.careful(index)

    def _compare(self) -> tuple[Array, Array]:
        """Where the two agree, and where they do only because the central difference is unsure of itself."""
        size = np.maximum(np.abs(self.values), np.abs(self.expected))
        largest = float(np.max(size, initial=0.0, where=np.isfinite(size)))
        floor = self.tolerance.atol * largest
        strict = self.tolerance.rtol * size + floor
        off = np.abs(self.values - self.expected)
        agree = off <= strict + self.errors
        uncertain = agree & (self.errors > 1e-4 * size + floor) & (off > strict)
        self.errors = off / np.maximum(size + 1e-3 * largest, np.finfo(float).tiny)
        return np.asarray(agree), np.asarray(uncertain)

    def _look_closer(self, index: tuple[int, ...], uncertain: bool) -> None:
        """A disagreement is a mistake, unless the function has a kink there and the gradient lies between its sides."""
        sides = self.probe.kink(index)
        if sides is None:
            self.unsure += uncertain
            self.wrong[index] = not uncertain
            return
        self.smooth[index] = False
        given = float(self.values[index])
        self.kinks.append(Kink(self.name, tuple(map(int, index)), *sides, given))
        if not _between(given, sides):
            self.wrong[index] = not _between(given, (*sides, *self.probe.nearby(index)))

    def along(self, count: int, rng: np.random.Generator) -> None:
        """Compare the slopes along `count` random directions."""
        self.directions, self.looked_at = count, f"{count} random directions"
        for _ in range(count if self.fits else 0):
            direction = np.asarray(rng.standard_normal(self.x.shape))
            slope = self.probe.careful(direction)
            given = float(np.sum(self.values * direction))
            allowed = self.tolerance.rtol * max(abs(given), abs(slope.value)) + 2 * slope.error
            if abs(given - slope.value) > allowed and self.probe.kink(direction) is None:
                self.wrong[...] = True
                self.worst = Worst(self.name, (), given, slope.value, _ulps(given, slope.value), slope.step)

    def find_worst(self) -> None:
        """Note the element that is furthest off, a wrong one if there is any."""
        if not self.x.size:
            return
        ranked = np.where(np.isfinite(self.errors), self.errors, 0.0)
        ranked = np.where(self.wrong, ranked + 10.0, np.where(self.smooth, ranked, -1.0))
        index = tuple(map(int, np.unravel_index(int(np.argmax(ranked)), self.x.shape)))
        given, expected = float(self.values[index]), float(self.expected[index])
        self.worst = Worst(self.name, index, given, expected, _ulps(given, expected), float(self.steps[index]))

    def evidence(self) -> Evidence:
        """What the diagnosis is made from."""
        count = sum(u.size for u in self.probe.upstream)
        small = count * self.x.size <= _PARTS and self.given is not None and self.fits
        wrong = self.wrong if self.fits else np.ones(self.x.shape, bool)
        expected = np.where(np.isfinite(self.expected), self.expected, 0.0)
        return Evidence(self.name, self.given, expected, self.smooth, wrong, self._parts if small else None)

    def _parts(self) -> Array:
        """What each single output contributes to each element: (*outputs, *shape), or (n, *shape) for several outputs."""
        parts = []
        for k, u in enumerate(self.probe.upstream):
            for place in np.ndindex(u.shape):
                alone = [np.zeros_like(v) for v in self.probe.upstream]
                alone[k][place] = u[place]
                single = Probe(self.probe.f, self.probe.inputs, self.probe.i, alone)
                parts.append([single.quick(index).value for index in np.ndindex(self.x.shape)])
        outputs = self.probe.upstream[0].shape if len(self.probe.upstream) == 1 else (len(parts),)
        found = np.reshape(parts, (*outputs, *self.x.shape))
        return np.where(np.abs(found) < 1e-9 * np.max(np.abs(found), initial=0.0), 0.0, found)

    def notes(self) -> list[str]:
        """What was not looked at, or could not be told."""
        notes = [] if self.depends else [f"no output changes with {self.name}, and its gradient is zero"]
        if self.unsure:
            notes.append(f"{self.unsure} elements of {self.name} could not be resolved by central differences")
        if self.directions:
            notes.append(f"{self.name}: {self.looked_at} were looked at, not each of its {self.x.size} elements")
        return notes

    def result(self) -> InputResult:
        """The row of the report."""
        wrong = int(np.count_nonzero(self.wrong)) if self.fits else self.x.size
        return InputResult(self.name, self.x.shape, self.looked_at, wrong, self.worst, len(self.kinks), self.errors)


def _between(value: float, slopes: tuple[float, ...]) -> bool:
    """Whether a value lies between slopes, or one of them is infinite."""
    slack = 1e-4 * max(map(abs, slopes))
    return not np.isfinite(slack) or min(slopes) - slack <= value <= max(slopes) + slack


def check_ties(checks: list[InputCheck]) -> None:
    """Elements that tie, moved together: where that is smooth their gradients must add up to the common slope."""
    values = {float(check.x[kink.index]) for check in checks for kink in check.kinks}
    for value in sorted(values)[:_TIES]:
        group = [(check, np.asarray(check.x == value)) for check in checks]
        if sum(int(np.count_nonzero(mask)) for _, mask in group) < 2:
            continue
        lead = checks[0].probe
        probe = _Together(lead, [(check.probe.i, mask) for check, mask in group], max(abs(value), lead.size))
        if probe.kink(()) is not None:
            continue
        slope = probe.careful(())
        given = sum(float(np.sum(check.values[mask])) for check, mask in group)
        allowed = 1e-4 * max(abs(given), abs(slope.value)) + 2 * slope.error
        if abs(given - slope.value) > allowed:
            for check, mask in group:
                check.wrong |= mask & ~check.smooth
                check.find_worst()


class _Together(Probe):
    """A probe that moves chosen elements of several inputs by the same step."""

    def __init__(self, probe: Probe, masks: list[tuple[int, Array]], size: float) -> None:
        super().__init__(probe.f, probe.inputs, probe.i, probe.upstream)
        self.masks, self.size = masks, size

    def outputs(self, direction: Any, step: complex) -> list[Array]:
        """The outputs with the chosen elements moved."""
        moved = list(self.inputs)
        for i, mask in self.masks:
            moved[i] = moved[i] + step * mask
        return self.f(moved)

    def step_at(self, direction: Any) -> float:
        """A step in proportion to the value at which they tie."""
        return STEP * self.size


def _ulps(given: float, expected: float) -> float:
    return abs(given - expected) / float(np.spacing(max(abs(expected), 1e-300))) if np.isfinite(expected) else float("nan")
