"""How each op is put into a random program: the table RECIPES, a line for each op that is not plainly elementwise.

A recipe draws what the op needs beside the value `x` it is put on, emits it, and says how far inputs are from kinks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_nn.op import OPS, Array, Op, Sample
from tinygrad_nn.testing.strategies.arrays import upstream
from tinygrad_nn.testing.strategies.shapes import axes, index_expressions

if TYPE_CHECKING:
    from tinygrad_nn.testing.strategies.expressions import Builder

Build: TypeAlias = "Callable[[Builder, str, Ref], Ref]"
Kink: TypeAlias = Callable[..., float]


class Ref(int):
    """The number of an earlier value in an expression."""


class Step(NamedTuple):
    """One call of an op: its name, its inputs (a `Ref` or a constant each) and its attributes."""

    op: str
    inputs: tuple[Any, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Recipe:
    """How to put an op on a value, and the distance of its inputs from its kinks, if it has any."""

    build: Build
    kink: Kink | None = None
    usable: bool = True


# distances from kinks


def _least(distances: Any) -> float:
    return float(np.min(np.abs(distances), initial=math.inf))


def _apart(a: Any, b: Any) -> float:
    """The distance of two inputs from a tie; one value handed in twice ties everywhere and so is smooth."""
    return math.inf if a is b else _least(np.subtract(a, b))


def _from_whole(x: Any) -> float:
    return _least(x - np.rint(x))


def _quotient_from_whole(a: Any, b: Any) -> float:
    return _from_whole(a / b)


def _from_bounds(x: Any, low: float | None, high: float | None) -> float:
    return min(_least(x - bound) for bound in (low, high) if bound is not None)


def _runner_up(x: Any, axis: Any = None, keepdims: bool = False) -> float:
    """The distance between the two largest (and the two smallest) elements of what is reduced together."""
    kept = [] if axis is None else [a for a in range(x.ndim) if a not in np.atleast_1d(axis) % max(x.ndim, 1)]
    rows = np.sort(x.transpose([*kept, *(a for a in range(x.ndim) if a not in kept)]).reshape(*(x.shape[a] for a in kept), -1))
    return _least(np.diff(rows)[..., [0, -1]]) if rows.shape[-1] > 1 else math.inf


# builders


def _into(low: float, high: float) -> Build:
    return lambda g, name, x: g.emit(name, g.into(x, low, high))


def _with(needs: int = 0, /, **attributes: Callable[[Array], st.SearchStrategy[Any]]) -> Build:
    """On one value of at least so many axes, with attributes each drawn for the array it is put on."""

    def build(g: Builder, name: str, x: Ref) -> Ref:
        x = g.at_least(x, needs)
        return g.emit(name, x, **{key: g.draw(choices(g.values[x])) for key, choices in attributes.items()})

    return build


def _binary(g: Builder, name: str, x: Ref) -> Ref:
    kind = g.draw(st.integers(0, 5))
    if kind == 4:
        return g.emit(name, x, g.draw(_NUMBERS))
    if kind == 5:
        return g.emit(name, g.draw(_NUMBERS), x)
    other = g.partner(x)
    return g.emit(name, x, other) if kind % 2 == 0 else g.emit(name, other, x)


def _divide(g: Builder, name: str, x: Ref) -> Ref:
    return g.emit(name, x, g.into(g.partner(x), 0.6, 1.7))


def _pow(g: Builder, name: str, x: Ref) -> Ref:
    kind = g.draw(st.integers(0, 3))
    if kind == 0:
        return g.emit(name, x, g.draw(st.sampled_from([2, 3, 2.0, 1, 0])))
    if kind == 1:
        return g.emit(name, 1.5, x)
    exponent = g.partner(x) if kind == 2 else g.draw(_NUMBERS)
    return g.emit(name, g.into(x, 0.4, 1.8), exponent)


def _where(g: Builder, name: str, x: Ref) -> Ref:
    mask = g.draw(hnp.arrays(bool, g.values[x].shape, fill=st.nothing()))
    return g.emit(name, mask, *g.draw(st.permutations([x, g.draw(st.just(g.partner(x)) | _NUMBERS)])))


def _clip(g: Builder, name: str, x: Ref) -> Ref:
    low, high = g.draw(st.sampled_from([(-0.5, 0.7), (None, 0.25), (0.125, None), (-1.5, -0.25)]))
    return g.emit(name, x, low=low, high=high)


def _concatenate(g: Builder, name: str, x: Ref) -> Ref:
    x = g.at_least(x, 1)
    shape = g.values[x].shape
    axis = g.draw(axes(shape, max_size=1).filter(lambda a: isinstance(a, int)))
    others = [g.like(x, lambda v: _same_but(v.shape, shape, axis)) for _ in range(g.draw(st.integers(0, 2)))]
    return g.emit(name, x, *others, axis=axis)


def _same_but(a: tuple[int, ...], b: tuple[int, ...], axis: int) -> bool:
    return len(a) == len(b) and all(m == n for i, (m, n) in enumerate(zip(a, b, strict=True)) if i != axis % len(b))


def _stack(g: Builder, name: str, x: Ref) -> Ref:
    shape = g.values[x].shape
    others = [g.like(x) for _ in range(g.draw(st.integers(0, 2)))]
    return g.emit(name, x, *others, axis=g.draw(st.integers(-len(shape) - 1, len(shape))))


def _scatter(g: Builder, name: str, x: Ref) -> Ref:
    shape = g.values[x].shape
    index = g.draw(index_expressions(shape, allow_empty=False))
    return g.emit(name, g.emit("getitem", x, index=index), index=index, shape=shape)


def _setitem(g: Builder, name: str, x: Ref) -> Ref:
    shape = g.values[x].shape
    index = g.draw(index_expressions(shape, allow_empty=False))
    value = g.emit("getitem", g.like(x), index=index)
    small = g.value_where(lambda v: v.ndim == 0)
    return g.emit(name, x, small if small is not None and g.draw(st.booleans()) else value, index=index)


def _set_view(g: Builder, name: str, x: Ref) -> Ref:
    x = g.emit("copy", x)  # in row-major order, in which a reshape is a view
    shape = g.values[x].shape
    index = g.draw(index_expressions(shape, advanced=False, allow_empty=False))
    index = (*index, ...) if isinstance(index, tuple) and ... not in index else index  # a view even of one element
    looks: list[tuple[str, dict[str, Any]]] = [("reshape", {"shape": (-1,)}), ("permute", {"axes": tuple(range(len(shape)))[::-1]})]
    looks += [("getitem", {"index": index})] if isinstance(index, tuple) else []
    view, attributes = g.draw(st.sampled_from(looks))
    value = g.emit(view, g.like(x), **attributes)
    return g.emit(name, x, value, view=OPS[view], attributes=attributes)


def _along(g: Builder, name: str, x: Ref) -> Ref:
    x = g.at_least(x, 1)
    shape = list(g.values[x].shape)
    axis = g.draw(st.integers(-len(shape), len(shape) - 1))
    side = g.draw(st.integers(1, 3))
    if name == "put_along_axis":
        index = g.draw(hnp.arrays(np.int64, tuple(shape), elements=st.integers(0, side - 1), fill=st.nothing()))
        shape[axis] = side
        return g.emit(name, x, index, axis=axis, shape=tuple(shape))
    most = shape[axis] - 1
    shape[axis] = side
    return g.emit(name, x, g.draw(hnp.arrays(np.int64, tuple(shape), elements=st.integers(0, most), fill=st.nothing())), axis=axis)


def _matmul(g: Builder, name: str, x: Ref) -> Ref:
    x = g.at_least(x, 2)
    inner = g.values[x].shape[-1]
    lead = g.values[x].shape[:-2]
    other = g.value_where(lambda v: v.ndim >= 2 and v.shape[-2] == inner and _broadcast(v.shape[:-2], lead))
    if other is None or g.draw(st.booleans()):
        other = g.emit("transpose", x, axis0=-1, axis1=-2)
    return g.emit(name, x, other)


def _definite(g: Builder, x: Ref) -> Ref:
    """The symmetric positive definite x @ x.mT + 2."""
    x = g.at_least(x, 2)
    square = g.emit("matmul", x, g.emit("transpose", x, axis0=-1, axis1=-2))
    return g.emit("add", square, 2 * np.eye(g.values[square].shape[-1]))


def _on_definite(g: Builder, name: str, x: Ref) -> Ref:
    return g.emit(name, _definite(g, x))


def _solve(g: Builder, name: str, x: Ref) -> Ref:
    x = g.at_least(x, 2)
    return g.emit(name, _definite(g, x), x)


def _matrix_exp(g: Builder, name: str, x: Ref) -> Ref:
    return g.emit(name, g.emit("mul", _definite(g, x), 0.125))


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(a[::-1], b[::-1], strict=False))


def _linear(g: Builder, name: str, x: Ref) -> Ref:
    x = g.at_least(x, 1)
    inner = g.values[x].shape[-1]
    weight = g.value_where(lambda v: v.ndim == 2 and v.shape[1] == inner)
    if weight is None:
        weight = g.emit("reshape", x, shape=(-1, inner))
    outer = g.values[weight].shape[0]
    bias = g.value_where(lambda v: v.shape == (outer,)) if g.draw(st.booleans()) else None
    return g.emit(name, x, weight, bias)


def _classes(g: Builder, name: str, x: Ref) -> Ref:
    value = g.values[x]
    if value.ndim != 2:
        x = g.emit("reshape", x, shape=(-1, value.shape[-1] if value.ndim else 1))
    rows, classes = g.values[x].shape
    target = g.draw(hnp.arrays(np.int64, rows, elements=st.integers(0, classes - 1), fill=st.nothing()))
    each = upstream((rows,) if name == "nll" else (rows, 1))
    return g.emit(name, x, target, scale=g.draw(st.just(1.0) | each))


# what attributes may be for an array


def _axis(x: Array) -> st.SearchStrategy[int]:
    return st.integers(0, x.ndim - 1) | st.integers(-x.ndim, -1)


def _axis_or_none(x: Array) -> st.SearchStrategy[int | None]:
    return st.none() | _axis(x) if x.ndim else st.none()


def _axes_or_none(x: Array) -> st.SearchStrategy[Any]:
    return st.none() | axes(x.shape) if x.ndim else st.none()


def _some_axes(x: Array) -> st.SearchStrategy[tuple[int, ...]]:
    return hnp.valid_tuple_axes(x.ndim, min_size=1)


def _all_axes(x: Array) -> st.SearchStrategy[tuple[int, ...]]:
    signs = st.lists(st.booleans(), min_size=x.ndim, max_size=x.ndim)
    return st.tuples(st.permutations(range(x.ndim)), signs).map(
        lambda drawn: tuple(a - x.ndim if back else a for a, back in zip(*drawn, strict=True))
    )


def _other_shape(x: Array) -> st.SearchStrategy[tuple[int, ...]]:
    s = x.shape
    cuts = [(d, x.size // d) for d in range(2, x.size) if x.size % d == 0]
    return st.sampled_from([(-1,), (1, *s), (*s, 1), s[::-1], *cuts])


def _wider(x: Array) -> st.SearchStrategy[tuple[int, ...]]:
    lead = hnp.array_shapes(min_dims=1, max_dims=1, max_side=3) | st.just(())
    sides = st.tuples(*(st.integers(1, 3) if n == 1 else st.just(n) for n in x.shape))
    return st.tuples(lead, sides).map(lambda parts: parts[0] + parts[1])


def _narrower(x: Array) -> st.SearchStrategy[tuple[int, ...]]:
    sides = st.tuples(*(st.sampled_from([n, 1]) for n in x.shape))
    return st.tuples(sides, st.integers(0, x.ndim)).map(lambda drawn: drawn[0][drawn[1] :])


def _widths(x: Array) -> st.SearchStrategy[Any]:
    return st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * x.ndim)


def _index(x: Array) -> st.SearchStrategy[Any]:
    return index_expressions(x.shape, allow_empty=False)


def _roll(g: Builder, name: str, x: Ref) -> Ref:
    chosen = g.draw(st.none() | hnp.valid_tuple_axes(g.values[x].ndim, min_size=1)) if g.values[x].ndim else None
    shifts = tuple(g.draw(st.integers(-3, 3)) for _ in chosen or (0,))
    return g.emit(name, x, shifts=shifts, axes=chosen)


def _bool(x: Array) -> st.SearchStrategy[bool]:
    return st.booleans()


_NUMBERS = st.sampled_from([0.5, -1.5, 2.0])
_DOUBLE = np.dtype(np.float64)
_COMPARISON = Recipe(_binary, _apart)
_REDUCTION = _with(axis=_axes_or_none, keepdims=_bool)
_TO_ONE = _with(axis=_axis_or_none, keepdims=_bool)

RECIPES: dict[str, Recipe] = {
    "add": Recipe(_binary),
    "sub": Recipe(_binary),
    "mul": Recipe(_binary),
    "div": Recipe(_divide),
    "pow": Recipe(_pow),
    "maximum": _COMPARISON,
    "minimum": _COMPARISON,
    "where": Recipe(_where),
    "clip": Recipe(_clip, _from_bounds),
    "floor": Recipe(_with(), _from_whole),
    "ceil": Recipe(_with(), _from_whole),
    "round": Recipe(_with(), lambda x: _from_whole(x + 0.5)),
    "remainder": Recipe(_divide, _quotient_from_whole),
    "astype": Recipe(lambda g, name, x: g.emit(name, x, dtype=_DOUBLE, was=_DOUBLE)),
    "copy": Recipe(_with()),
    "reshape": Recipe(_with(shape=_other_shape)),
    "transpose": Recipe(_with(1, axis0=_axis, axis1=_axis)),
    "permute": Recipe(_with(axes=_all_axes)),
    "broadcast_to": Recipe(_with(shape=_wider)),
    "sum_to": Recipe(_with(shape=_narrower)),
    "concatenate": Recipe(_concatenate),
    "stack": Recipe(_stack),
    "pad": Recipe(_with(1, widths=_widths, value=lambda x: st.sampled_from([0.0, 1.5]))),
    "flip": Recipe(_with(1, axes=_some_axes)),
    "roll": Recipe(_roll),
    "getitem": Recipe(_with(index=_index)),
    "scatter_add": Recipe(_scatter),
    "setitem": Recipe(_setitem),
    "set_view": Recipe(_set_view),
    "take_along_axis": Recipe(_along),
    "put_along_axis": Recipe(_along),
    "matmul": Recipe(_matmul),
    "linear": Recipe(_linear),
    "inverse": Recipe(_on_definite),
    "det": Recipe(_on_definite),
    "logabsdet": Recipe(_on_definite),
    "cholesky": Recipe(_on_definite),
    "solve": Recipe(_solve),
    "matrix_exp": Recipe(_matrix_exp),
    "sum": Recipe(_REDUCTION),
    "mean": Recipe(_REDUCTION),
    "logsumexp": Recipe(_REDUCTION),
    "amax": Recipe(_REDUCTION, _runner_up),
    "amin": Recipe(_REDUCTION, _runner_up),
    "max": Recipe(_with(0), _runner_up),
    "min": Recipe(_with(0), _runner_up),
    "logcumsumexp": Recipe(_with(1, axis=_axis)),
    "prod": Recipe(_TO_ONE),
    "cumsum": Recipe(_with(1, axis=_axis)),
    "softmax": Recipe(_with(1, axis=_axis)),
    "log_softmax": Recipe(_with(1, axis=_axis)),
    "nll": Recipe(_classes),
    "cross_entropy": Recipe(_classes),
    "argmax": Recipe(_TO_ONE, _runner_up),
    "argmin": Recipe(_TO_ONE, _runner_up),
    "all": Recipe(_REDUCTION, lambda x, axis, keepdims: _least(x)),
    "any": Recipe(_REDUCTION, lambda x, axis, keepdims: _least(x)),
    "floor_divide": Recipe(_divide, _quotient_from_whole),
}
RECIPES |= dict.fromkeys(("eq", "ne", "lt", "le", "gt", "ge"), _COMPARISON)
RECIPES |= dict.fromkeys(("logical_and", "logical_or", "logical_xor"), Recipe(_binary, lambda a, b: min(_least(a), _least(b))))


def recipe_of(name: str) -> Recipe:
    """The recipe of an op: its line in the table, or, if it works on one input element by element, made of its samples."""
    op = OPS[name]
    if name not in RECIPES:
        samples = [s for s in op.samples if len(s.inputs) == 1 and isinstance(s.inputs[0], tuple)]
        usable = bool(samples) and op.promote != "none" and not op.variadic and len(op.inputs) == 1
        return _from_samples(op, samples) if usable else Recipe(_with(), usable=False)
    return RECIPES[name]


def _from_samples(op: Op, samples: list[Sample]) -> Recipe:
    """One of the samples' attributes, on `x` as it is where a sample covers [-2, 2], else carried into its domain."""

    def build(g: Builder, name: str, x: Ref) -> Ref:
        sample = g.draw(st.sampled_from(samples))
        free = sample.low <= -2 and sample.high >= 2
        return g.emit(name, x if free else g.into(x, sample.low, sample.high), **sample.attributes)

    def kink(x: Any, **attributes: Any) -> float:
        kinks = {kink for sample in samples if sample.attributes == attributes for kink in sample.kinks}
        return min((_least(x - at) for at in kinks), default=math.inf)

    return Recipe(build, kink if any(sample.kinks for sample in samples) else None)
