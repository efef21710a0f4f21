"""One input's gradient held against central differences, element by element or along random directions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinygrad_nn.op import Array
from tinygrad_nn.testing.diagnosis import Evidence
from tinygrad_nn.testing.differences import EPS, Probe, Slope
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
        self.bent = np.zeros(self.x.shape, bool)  # where the function may have a kink though the gradient agrees
        self.kinks: list[Kink] = []
        self.unsure = 0
        self.directions = 0
        self.worst: Worst | None = None
        self.looked_at = "each element"

    @property
    def depends(self) -> bool:
        """Whether any output was seen to change with this input, or the code under test says so."""
        return self.probe.changed or not self.x.size or (self.given is not None and bool(np.any(self.given)))

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
            self.bent[index] = slope.bent
        agree, uncertain = self._compare()
        for index in map(tuple, np.argwhere(~agree | uncertain | self.bent)):
            self._look_closer(index, bool(agree[index]), bool(uncertain[index]))
        self.find_worst()

    def _slope(self, index: tuple[int, ...], exact: bool) -> Slope:
        """The cheapest slope that agrees with the gradient, else the most careful one."""
        given = float(self.values[index])
        if exact:
            value = self.probe.complex_slope(index)
            if abs(given - value) <= self.tolerance.rtol * abs(value):
                return Slope(value, 8 * EPS * abs(value), 0.0)
        slope = self.probe.quick(index)
        if self._agrees(given, slope, 0.0):
            return slope
        slope = self.probe.careful(index)
        if self._agrees(given, slope, 2.0) or not np.isfinite(given):
            return slope
        noise = self.probe.measured_noise(index, slope.step / 64)
        return self.probe.careful(index, noise) if 4 * self.probe.noise < noise < np.inf else slope

    def _agrees(self, given: float, slope: Slope, doubts: float) -> bool:
        return abs(given - slope.value) <= self.tolerance.rtol * max(abs(given), abs(slope.value)) + doubts * slope.error

    def _compare(self) -> tuple[Array, Array]:
        """Where the two agree, and where they do only because the central difference is unsure of itself."""
        size = np.maximum(np.abs(self.values), np.abs(self.expected))
        largest = float(np.max(size, initial=0.0, where=np.isfinite(size)))
        floor = self.tolerance.atol * largest
        strict = self.tolerance.rtol * size + floor
        off = np.abs(self.values - self.expected)
        agree = np.isfinite(self.values) & (off <= strict + self.errors)
        uncertain = agree & (self.errors > 1e-4 * size + floor) & (off > strict)
        self.errors = off / np.maximum(size + 1e-3 * largest, np.finfo(float).tiny)
        return np.asarray(agree), np.asarray(uncertain)

    def _look_closer(self, index: tuple[int, ...], agrees: bool, uncertain: bool) -> None:
        """A disagreement is a mistake, unless the function has a kink there and the gradient is fair at it."""
        corner = self.probe.kink(index, self.steps[index] or np.inf)
        if corner is None:
            self.unsure += uncertain
            self.wrong[index] = not agrees
            return
        self.smooth[index] = False
        given = float(self.values[index])
        self.kinks.append(Kink(self.name, tuple(map(int, index)), *corner.narrow, given))
        if not corner.admits(given):
            self.wrong[index] = not corner.admits(given, self.probe.nearby(index))

    def along(self, count: int, rng: np.random.Generator) -> None:
        """Compare the slopes along `count` random directions; what is noted is then one a direction, not one an element."""
        self.directions, self.looked_at = count, f"{count} random directions"
        if not self.fits:
            return
        given = self.values
        self.values, self.expected, self.errors, self.steps = (np.zeros(count) for _ in range(4))
        self.wrong, self.smooth = np.zeros(count, bool), np.ones(count, bool)
        for k in range(count):
            direction = np.asarray(rng.standard_normal(self.x.shape))
            slope = self.probe.careful(direction)
            self.values[k], self.expected[k], self.steps[k] = float(np.sum(given * direction)), slope.value, slope.step
            agrees = np.isfinite(self.values[k]) and self._agrees(self.values[k], slope, 2.0)
            self.wrong[k] = not agrees and self.probe.kink(direction, slope.step) is None
        self.errors = np.abs(self.values - self.expected) / np.maximum(np.abs(self.expected), np.finfo(float).tiny)
        self.find_worst()

    def find_worst(self) -> None:
        """Note the element that is furthest off, a wrong one if there is any."""
        if not self.fits:
            self.worst = Worst(self.name, (), None, float("nan"), float("nan"), float("nan"))
            return
        if not self.wrong.size:
            return
        ranked = np.where(np.isfinite(self.errors), self.errors, 0.0)
        ranked = np.where(self.wrong, ranked + 10.0, np.where(self.smooth, ranked, -1.0))
        index = tuple(map(int, np.unravel_index(int(np.argmax(ranked)), ranked.shape)))
        given, expected = float(self.values[index]), float(self.expected[index])
        place = () if self.directions else index
        self.worst = Worst(self.name, place, given, expected, _ulps(given, expected), float(self.steps[index]))

    def evidence(self) -> Evidence:
        """What the diagnosis is made from."""
        count = sum(u.size for u in self.probe.upstream)
        each = self.given is not None and self.fits and not self.directions
        small = each and count * self.x.size <= _PARTS  # for the parts, which take so many slopes
        wrong = self.wrong if self.fits else np.ones(self.x.shape, bool)
        expected = np.where(np.isfinite(self.expected), self.expected, 0.0)
        given = self.values if self.directions and self.fits and self.given is not None else self.given
        return Evidence(
            self.name, given, expected, self.smooth, wrong,
            parts=self._parts if small else None,
            unweighted=self._unweighted if each else None,
            what="directions" if self.directions else "elements",
            upstream=self.probe.upstream,
            inputs=[v for v in self.probe.inputs if isinstance(v, np.ndarray)],
        )  # fmt: skip

    def _unweighted(self) -> Array:
        """The gradient for incoming gradients of ones."""
        plain = Probe(self.probe.f, self.probe.inputs, self.probe.i, [np.ones_like(u) for u in self.probe.upstream])
        return np.reshape([plain.quick(index).value for index in np.ndindex(self.x.shape)], self.x.shape)

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
        notes = []
        if self.unsure:
            notes.append(f"{self.unsure} elements of {self.name} could not be resolved by central differences")
        if self.directions:
            notes.append(f"{self.name}: {self.looked_at} were looked at, not each of its {self.x.size} elements")
        return notes

    def result(self) -> InputResult:
        """The row of the report."""
        wrong = int(np.count_nonzero(self.wrong)) if self.fits else max(self.x.size, 1)
        return InputResult(self.name, self.x.shape, self.looked_at, wrong, self.worst, len(self.kinks), self.errors)


def check_ties(checks: list[InputCheck]) -> None:
    """Elements that tie, moved together: where that is smooth their gradients must add up to the common slope."""
    values = {float(check.x[kink.index]) for check in checks for kink in check.kinks}
    for value in sorted(values)[:_TIES]:
        group = [(check, np.asarray(check.x == value)) for check in checks]
        if sum(int(np.count_nonzero(mask)) for _, mask in group) < 2:
            continue
        lead = checks[0].probe
        probe = _Together(lead, [(check.probe.i, mask) for check, mask in group], abs(value))
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

    def __init__(self, probe: Probe, masks: list[tuple[int, Array]], value: float) -> None:
        super().__init__(probe.f, probe.inputs, probe.i, probe.upstream)
        self.masks, self.value = masks, value

    def outputs(self, direction: Any, step: complex) -> list[Array]:
        """The outputs with the chosen elements moved."""
        moved = list(self.inputs)
        for i, mask in self.masks:
            moved[i] = moved[i] + step * mask
        return self.f(moved)

    def own_size(self, direction: Any) -> float:
        """The size of the value at which they tie."""
        return self.value


def _ulps(given: float, expected: float) -> float:
    return abs(given - expected) / float(np.spacing(max(abs(expected), 1e-300))) if np.isfinite(expected) else float("nan")
