"""An independent look at a case: is its fault a fault, is its right op right? Slow, plain, and no part of any checker.

Slopes are one-sided differences of <g, f(x)>, extrapolated. A gradient is right where it lies between the two one-sided slopes;
elements that are equal must also be right when they move together. A checker may be cleverer; this need only be surely right.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.bench.faults.case import Array, Case, Pair
from tinygrad_nn.autograd import Function, grad
from tinygrad_nn.variable import wrap

LEVELS = 8


def pair_of(target: Any) -> Pair:
    """A target of this package's checker as functions of arrays."""
    if isinstance(target, tuple):
        return Pair(*target)
    call = target.apply if isinstance(target, type) and issubclass(target, Function) else target

    def f(*inputs: Array) -> Any:
        return np.array(call(*(wrap(v.copy()) for v in inputs)).detach().numpy())

    def vjp(g: Array, *inputs: Array) -> Any:
        leaves = [wrap(v.copy()).requires_grad_() for v in inputs]
        y = call(*leaves)
        if not y.requires_grad:
            return (None,) * len(leaves)
        found = grad(y, leaves, wrap(np.array(g)), allow_unused=True)
        return tuple(None if v is None else v.numpy() for v in found)

    return Pair(f, vjp)


def twice(target: Any, weights: list[Array]) -> Pair:
    """The gradient of a target, weighted to a number, as a function of g and the inputs; and the gradient of that."""
    first = pair_of(target)
    call = target.apply if isinstance(target, type) else target

    def f(g: Array, *inputs: Array) -> Any:
        found = first.vjp(g, *inputs)
        return sum(np.sum(v * w) for v, w in zip(found, weights, strict=True) if v is not None)

    def vjp(one: Array, g: Array, *inputs: Array) -> Any:
        leaves = [wrap(v.copy()).requires_grad_() for v in (g, *inputs)]
        found = grad(call(*leaves[1:]), leaves[1:], leaves[0], create_graph=True, allow_unused=True)
        parts = [(v * wrap(w)).sum() for v, w in zip(found, weights, strict=True) if v is not None]
        total = sum(parts[1:], parts[0])
        if not total.requires_grad:
            return (None,) * len(leaves)
        second = grad(total, leaves, wrap(np.asarray(one, np.float64)), allow_unused=True)
        return tuple(None if v is None else v.numpy() for v in second)

    return Pair(f, vjp)


def slope(f: Callable[[float], float], size: float, ulp: float, place: float) -> tuple[float, float]:
    """The derivative at 0 of a function smooth to the right of it, and a bound of its error, by Richardson's extrapolation.

    `ulp` is the rounding of its values, `place` the size of what is moved.
    """
    start = f(0.0)
    best, error = 0.0, np.inf
    rows: list[list[float]] = []
    for level in range(2 * LEVELS):
        step = size * 0.1 / 2.5**level
        row = [(f(step) - start) / step]
        noise = (ulp + 4e-16 * place * abs(row[0])) / step
        for k, before in enumerate(rows[-1] if rows else []):
            row.append(row[k] + (row[k] - before) / (2.5 ** (k + 1) - 1))
            bound = max(abs(row[-1] - row[-2]), abs(row[-1] - before)) + 8 * noise
            if bound < error:
                best, error = row[-1], bound
        if error < 1e-10 * abs(best):
            break
        rows.append(row[:LEVELS])
    return best, error


def numeric_faults(pair: Pair, inputs: list[Array], seed: int, worst: list[Any] | None = None) -> bool:
    """Whether a gradient lies outside the one-sided slopes somewhere."""
    rng = np.random.default_rng(seed + 77)
    with np.errstate(all="ignore"):
        y = np.asarray(pair.f(*(v.copy() for v in inputs)))
        g = np.asarray(rng.standard_normal(y.shape))
        found = pair.vjp(g.copy(), *(v.copy() for v in inputs))
        if len(found) != len(inputs) or any(v is not None and np.shape(v) != x.shape for v, x in zip(found, inputs, strict=True)):
            return True
        gradients = [np.zeros_like(x) if v is None else np.asarray(v) for v, x in zip(found, inputs, strict=True)]

        def along(directions: list[Array]) -> Callable[[float], float]:
            return lambda h: float(np.sum(g * (pair.f(*(x + h * d for x, d in zip(inputs, directions, strict=True))) - y)))

        ulp = 4e-16 * float(np.sum(np.abs(g) * np.abs(y)))
        for directions in directions_for(inputs):
            size = min(max(float(np.max(np.abs(x[d != 0]), initial=0)), 1e-9) for x, d in zip(inputs, directions, strict=True)
                       if np.any(d))  # fmt: skip
            analytic = sum(float(np.sum(v * d)) for v, d in zip(gradients, directions, strict=True))
            if any(np.sum(np.abs(d)) == 1 and crowded(inputs, x, d) for x, d in zip(inputs, directions, strict=True)):
                continue
            ends = []
            for scale in (size, 1.0, 1e-3):
                forward, up = slope(along(directions), scale, ulp, size)
                back, down = slope(along([-d for d in directions]), scale, ulp, size)
                ends.append((up + down, forward, up, -back, down))
                if up + down < 1e-8 * (abs(forward) + abs(back)):
                    break
            _, forward, up, back, down = min(ends)
            slack = up + down + 1e-7 * max(abs(forward), abs(back)) + 1e-9 * min(1.0, float(np.max(np.abs(y), initial=0)))
            jump = abs(along(directions)(1e-9 * size)) > 1e-3 or abs(along([-d for d in directions])(1e-9 * size)) > 1e-3
            if jump:
                continue
            if not min(forward, back) - slack <= analytic <= max(forward, back) + slack:
                if worst is not None:
                    worst += [analytic, forward, back, slack]
                return True
    return False


def crowded(inputs: list[Array], x: Array, direction: Array) -> bool:
    """Whether the moved element has at least two equals: a right gradient there may lie outside its own two slopes."""
    value = float(x[direction != 0][0])
    return sum(int(np.count_nonzero(v == value)) for v in inputs) > 2


def directions_for(inputs: list[Array]) -> list[list[Array]]:
    """Every element by itself, and every set of equal elements together."""
    flat = np.concatenate([v.ravel() for v in inputs])
    bounds = np.cumsum([v.size for v in inputs])[:-1]
    rows = list(np.eye(flat.size))
    values, counts = np.unique(flat, return_counts=True)
    rows += [(flat == value).astype(float) for value in values[counts > 1]]
    return [[part.reshape(v.shape) for part, v in zip(np.split(row, bounds), inputs, strict=True)] for row in rows]


def contract_faults(pair: Pair, inputs: list[Array], seed: int) -> list[str]:
    """Which promises beyond the numbers are broken."""
    rng = np.random.default_rng(seed + 78)
    broken = []
    mine = [v.copy() for v in inputs]
    y = np.array(pair.f(*mine))
    g = np.asarray(rng.standard_normal(y.shape))
    upstream = g.copy()
    first = pair.vjp(upstream, *mine)
    kept = [None if v is None else np.array(v) for v in first]
    again = pair.vjp(g.copy(), *(v.copy() for v in inputs))
    if not np.array_equal(y, pair.f(*(v.copy() for v in inputs)), equal_nan=True) or not same(kept, again):
        broken.append("nondeterministic")
    if not all(np.array_equal(a, b) for a, b in zip(mine, inputs, strict=True)):
        broken.append("input_written")
    if not np.array_equal(upstream, g):
        broken.append("upstream_written")
    pair.vjp(g + 1, *(v.copy() for v in inputs))
    if not same(kept, first):
        broken.append("aliasing")
    of_ones = pair.vjp(np.ones_like(y), *mine)
    if any(v is not None and np.size(v) and np.shares_memory(v, x) for v in of_ones for x in mine):
        broken.append("aliasing")
    if any(v is not None and np.asarray(v).dtype != np.float64 for v in first):
        broken.append("dtype")
    return broken + variant_faults(pair, inputs, g, kept)


def variant_faults(pair: Pair, inputs: list[Array], g: Array, kept: list[Any]) -> list[str]:
    """Promises about float32, layouts, 0-d and empty inputs, where the function accepts such."""
    broken = []
    single = [v.astype(np.float32) for v in inputs]
    if "nothing" not in attempt(lambda: pair.f(*single)):
        z = np.asarray(pair.f(*single))
        found = attempt(lambda: pair.vjp(np.ones(z.shape, np.float32), *single))
        if "nothing" in found or z.dtype != np.float32 or any(v is not None and v.dtype != np.float32 for v in found["value"]):
            broken.append("float32")
    for layout in (lambda v: np.array(v, order="F"), lambda v: np.repeat(v, 2, -1)[..., ::2] if v.ndim else v):
        laid = [layout(v) for v in inputs]
        found = attempt(lambda laid=laid: pair.vjp(g.copy(), *laid))
        if "nothing" in found or not same(kept, found["value"], 1e-12):
            broken.append("layout")
    for word, shapes in (("scalar", [()]), ("empty", [(0,), (0, 3), (3, 0)])):
        for shape in shapes:
            tried = [np.full(shape, v.ravel()[0] if v.size else 1.0) for v in inputs]
            if any(v.ndim < len(shape) for v in inputs) or "nothing" in (z := attempt(lambda tried=tried: pair.f(*tried))):
                continue
            found = attempt(lambda tried=tried, z=z: pair.vjp(np.ones_like(np.asarray(z["value"])), *tried))
            if "nothing" in found or any(v is not None and np.shape(v) != shape for v in found["value"]):
                broken.append(word)
    return broken


def same(a: Any, b: Any, tolerance: float = 0.0) -> bool:
    """Whether two tuples of gradients are equal."""
    return len(a) == len(b) and all(
        (x is None and y is None) or np.allclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True)
        for x, y in zip(a, b, strict=True)
    )


def attempt(call: Callable[[], Any]) -> dict[str, Any]:
    """The value of a call, or that there is none."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return {"value": call()}
        except Exception as error:
            return {"nothing": error}


def faults_of(case: Case, seed: int) -> list[str]:
    """What is wrong with a case: "numbers" and the names of broken promises."""
    target, inputs = case.make(seed)
    found = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if numeric_faults(pair_of(target), inputs, seed):
            found.append("numbers")
        if case.order == 2:
            rng = np.random.default_rng(seed + 79)
            weights = [rng.standard_normal(v.shape) for v in inputs]
            g = np.asarray(rng.standard_normal(np.shape(pair_of(target).f(*inputs))))
            if numeric_faults(twice(target, weights), [g, *inputs], seed):
                found.append("second_order")
        if isinstance(target, tuple):
            target, inputs = case.make(seed)
            single = attempt(lambda: contract_faults(Pair(*target), inputs, seed))
            found += single.get("value", [f"raises {single.get('nothing')!r}"])
    return found
