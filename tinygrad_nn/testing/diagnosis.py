"""What a wrong gradient looks like: the usual mistakes, tried in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from tinygrad_nn.op import Array


class Diagnosis(NamedTuple):
    """A mistake by its code, in words, and by its factor where it is one."""

    code: str
    text: str
    factor: float | None = None


class Evidence(NamedTuple):
    """One input's gradient as given and as it should be."""

    name: str
    given: Array | None
    expected: Array
    smooth: Array  # where the function has no kink
    wrong: Array  # where the two disagree
    parts: Callable[[], Array] | None  # what each single output contributes: (*outputs, *shape)
    unweighted: Callable[[], Array] | None  # the gradient for incoming gradients of ones
    what: str  # elements, or the directions along which the gradient was looked at
    upstream: Sequence[Array]
    inputs: Sequence[Array]  # all of them


def exchanged(found: Sequence[Evidence]) -> Diagnosis | None:
    """Two inputs of which each has the other's gradient."""
    for a, b in combinations(found, 2):
        if a.given is not None and b.given is not None and _close(a.given, b.expected) and _close(b.given, a.expected):
            return Diagnosis("exchanged", f"the gradients of {a.name} and {b.name} are exchanged")
    return None


def diagnose(evidence: Evidence) -> Diagnosis:
    """The first of the usual mistakes that explains the evidence."""
    for look in (_ties, _zero, _shape, _not_weighted, _factor, _transposed, _reordered, _extra_sum, _missing_sum, _assigned):
        found = look(evidence)
        if found is not None:
            return found
    share = int(np.count_nonzero(evidence.wrong))
    place = _common_place(evidence.wrong) if evidence.what == "elements" else ""
    return Diagnosis("unknown", f"{share} of {evidence.wrong.size} {evidence.what} are wrong{place}")


def _close(a: Array, b: Array) -> bool:
    if a.shape != b.shape:
        return False
    scale = float(np.max(np.abs(b), initial=0.0))
    return bool(np.all(np.abs(a - b) <= 1e-5 * np.abs(b) + 1e-7 * scale))


def _ties(e: Evidence) -> Diagnosis | None:
    fits = e.given is not None and e.given.shape == e.expected.shape
    if fits and e.wrong.any() and not (e.wrong & e.smooth).any():
        return Diagnosis("ties", "wrong only at ties or kinks: what is given there lies outside the slopes on the two sides")
    return None


def _zero(e: Evidence) -> Diagnosis | None:
    if e.given is None or (not np.any(e.given) and e.given.shape == e.expected.shape):
        return Diagnosis("zero", "the gradient is zero or missing: the path is detached")
    return None


def _shape(e: Evidence) -> Diagnosis | None:
    given, expected = np.asarray(e.given), e.expected
    if given.shape == expected.shape:
        return None
    shapes = f"shape {list(given.shape)} for an input of {list(expected.shape)}"
    if given.ndim > 1 and _close(np.swapaxes(given, -1, -2), expected):
        return Diagnosis("transpose", "transposed: the last two axes are exchanged")
    if given.size == expected.size:
        return Diagnosis("shape", shapes)
    for summed, axes in _sums(given):
        if summed.size == expected.size and _close(summed.reshape(expected.shape), expected):
            return Diagnosis("missing_sum", f"{shapes}: a sum over the broadcast {_named(axes)} is missing")
    for summed, axes in _sums(expected):
        if summed.size == given.size and _close(given.reshape(summed.shape), summed):
            return Diagnosis("extra_sum", f"{shapes}: summed over {_named(axes)}, along which the input was not broadcast")
    if given.ndim > expected.ndim or given.size > expected.size:
        return Diagnosis("missing_sum", f"{shapes}: no sum over what was broadcast")
    return Diagnosis("shape", shapes)


def _not_weighted(e: Evidence) -> Diagnosis | None:
    if e.unweighted is not None and e.wrong.any() and _close(np.asarray(e.given), e.unweighted()):
        return Diagnosis("upstream", "the incoming gradient is ignored: this is the gradient for one of ones")
    return None


def _factor(e: Evidence) -> Diagnosis | None:
    given, expected = np.asarray(e.given)[e.smooth], e.expected[e.smooth]
    used = np.abs(expected) > 1e-6 * np.max(np.abs(expected), initial=0.0)
    if np.count_nonzero(used) < min(2, expected.size) or not used.any():
        return None
    factor = float(np.median(given[used] / expected[used]))
    if factor == 0 or not np.isfinite(factor) or not _close(given / factor, expected):
        return None
    if abs(factor + 1) < 1e-6:
        return Diagnosis("sign", "the sign is wrong everywhere", -1.0)
    return Diagnosis("factor", f"off by a constant factor of {_readable(factor)}", factor)


def _transposed(e: Evidence) -> Diagnosis | None:
    given = np.asarray(e.given)
    if given.ndim > 1 and given.shape[-1] == given.shape[-2] > 1 and _close(np.swapaxes(given, -1, -2), e.expected):
        return Diagnosis("transpose", "transposed: the last two axes are exchanged")
    return None


def _reordered(e: Evidence) -> Diagnosis | None:
    """Of a product of square matrices: the upstream gradient times the other factor, on the other side of it."""
    if e.given is None or e.given.ndim != 2 or len(e.upstream) != 1:
        return None
    u = e.upstream[0]
    for other in e.inputs:
        if u.shape == other.shape == e.given.shape == e.given.T.shape:
            for right, wrong in ((u @ other.T, other.T @ u), (other.T @ u, u @ other.T)):
                if _close(right, e.expected) and _close(e.given, wrong):
                    return Diagnosis("order", "the factors of a matrix product are in the wrong order")
    return None


def _extra_sum(e: Evidence) -> Diagnosis | None:
    if not e.expected.all():
        return None
    for count in range(1, e.expected.ndim + 1):
        for axes in combinations(range(e.expected.ndim), count):
            summed = np.broadcast_to(e.expected.sum(axes, keepdims=True), e.expected.shape)
            if all(e.expected.shape[a] > 1 for a in axes) and _close(np.asarray(e.given), summed):
                return Diagnosis("extra_sum", f"summed over {_named(axes)}, along which the input was not broadcast")
    return None


def _missing_sum(e: Evidence) -> Diagnosis | None:
    """The contributions of one index along an axis of the output, or their mean, where all of them count."""
    if e.parts is None or not e.wrong.all() or e.expected.size < 2:
        return None
    parts, given = e.parts(), np.asarray(e.given)
    outputs = parts.ndim - given.ndim
    for axis in range(outputs):
        if parts.shape[axis] < 2:
            continue
        slices = np.moveaxis(parts, axis, 0)
        each = slices.sum(tuple(range(1, outputs)))
        if (np.abs(each) > 0).all() and any(_close(given, one) for one in (each[0], each[-1], each.mean(0))):
            return Diagnosis("missing_sum", f"only part of the output's axis {axis} is counted: a sum over it is missing")
    return None


def _assigned(e: Evidence) -> Diagnosis | None:
    """Elements that several outputs use, with the contribution of only the last use, or of the first."""
    if e.parts is None or not e.wrong.any():
        return None
    given = np.asarray(e.given)
    uses = e.parts().reshape(-1, *given.shape)
    for ordered in (uses[::-1], uses):
        first = np.argmax(ordered != 0, axis=0)
        kept = np.take_along_axis(ordered, first[None], 0)[0]
        if _close(given[e.wrong], kept[e.wrong]):
            text = "where an element is used more than once only one use is counted: '=' where '+=' is needed"
            return Diagnosis("assignment", text)
    return None


def _sums(value: Array) -> list[tuple[Array, tuple[int, ...]]]:
    every = [axes for n in range(1, value.ndim + 1) for axes in combinations(range(value.ndim), n)]
    return [(np.asarray(value.sum(axes)), axes) for axes in every]


def _named(axes: Sequence[int]) -> str:
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {', '.join(map(str, axes))}"


def _readable(factor: float) -> str:
    """2, 1/3 or 0.75: the shortest honest spelling, which for what is not 1 is never 1."""
    for value, text in ((factor, "{}"), (1 / factor, "1/{}")):
        if abs(value - round(value)) < 1e-5 * abs(value) and round(value) not in (-1, 0, 1):
            return text.format(round(value))
    return f"{factor:.6g}" if abs(abs(factor) - 1) > 1e-4 else f"{factor:.10g}"


def _common_place(wrong: Array) -> str:
    """Where the wrong elements are, if they share an index."""
    if not wrong.any() or wrong.all():
        return ""
    places = np.argwhere(wrong)
    for axis in range(wrong.ndim):
        if len(set(places[:, axis].tolist())) == 1 and wrong.shape[axis] > 1:
            return f", all of them at index {places[0, axis]} of axis {axis}"
    return ""
