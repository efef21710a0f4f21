"""Random programs over the registered ops: what an expression is, how one is built, the strategy that draws it."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_nn.op import OPS, Array
from tinygrad_nn.testing.strategies.recipes import Recipe, Ref, Step, recipe_of
from tinygrad_nn.testing.strategies.shapes import broadcastable_shapes

_REACH = 3.0  # values beyond are squashed, so that no chain of ops overflows
_MOST = 48  # elements beyond are averaged away, so that no chain of broadcasts outgrows memory
_GAP = 1e-3


@dataclass(frozen=True, repr=False)
class Expression:
    """A program of ops: call it on tensors or arrays to run it, print it to read it.

    `inputs` are float64 arrays to run it on; each of `steps` names an op, what it takes (a `Ref` is the number of an
    earlier value, inputs first; anything else a constant) and its attributes. The last value is the result.

    >>> program = Expression([np.array([1.0, 2.0])], (Step("mul", (Ref(0), Ref(0)), {}),))
    >>> program
    x0 = array([1., 2.])
    v1 = mul(x0, x0)
    >>> program(*program.inputs)
    array([1., 4.])
    """

    inputs: list[Array]
    steps: tuple[Step, ...]

    def __call__(self, *inputs: Any) -> Any:
        """The result for these inputs, each in the shape of the one that was drawn."""
        return self.run(inputs)[-1]

    def run(self, inputs: Sequence[Any], call: Callable[..., Any] | None = None) -> list[Any]:
        """Every value in turn, inputs first; `call(op name, *values, **attributes)` computes a step in another framework."""
        values = list(inputs)
        for step in self.steps:
            given = [values[v] if isinstance(v, Ref) else v for v in step.inputs]
            value = OPS[step.op](*given, **step.attributes) if call is None else call(step.op, *given, **step.attributes)
            values.append(np.asarray(value) if isinstance(value, np.generic) else value)
        return values

    def near_kink(self, inputs: Sequence[Array] | None = None, gap: float = _GAP) -> bool:
        """Whether, for these inputs, a step stands within `gap` of where its op has no derivative, as `abs` at 0.

        >>> Expression([np.array([1.0, 0.0])], (Step("abs", (Ref(0),), {}),)).near_kink()
        True
        """
        values = self.run(self.inputs if inputs is None else inputs)
        return any(_distance(step, values) < gap for step in self.steps)

    @property
    def ops(self) -> frozenset[str]:
        """The names of the ops it uses."""
        return frozenset(step.op for step in self.steps)

    def __str__(self) -> str:
        count = len(self.inputs)
        lines = [f"x{i} = {_plain(value)}" for i, value in enumerate(self.inputs)]
        for i, step in enumerate(self.steps, count):
            given = [f"{'x' if v < count else 'v'}{int(v)}" if isinstance(v, Ref) else _plain(v) for v in step.inputs]
            given += [f"{name}={_plain(value)}" for name, value in step.attributes.items()]
            lines.append(f"v{i} = {step.op}({', '.join(given)})")
        return "\n".join(lines)

    __repr__ = __str__


def _plain(value: Any) -> str:
    return " ".join(repr(value).split())


def _distance(step: Step, values: Sequence[Any]) -> float:
    """How far a step's inputs are from its op's kinks."""
    kink = recipe_of(step.op).kink
    if kink is None:
        return math.inf
    return kink(*(values[v] if isinstance(v, Ref) else v for v in step.inputs), **step.attributes)


class Builder:
    """An expression as it grows: the values so far and the steps that made them; recipes draw from it and emit to it."""

    def __init__(self, draw: st.DrawFn, inputs: list[Array], kinks: bool) -> None:
        self.draw = draw
        self.count = len(inputs)
        self.values: list[Array] = list(inputs)
        self.steps: list[Step] = []
        self.open = [Ref(i) for i in range(len(inputs))]  # what ops may be put on: inputs and tamed results
        self.kinks = kinks

    def emit(self, op: str, *inputs: Any, **attributes: Any) -> Ref:
        """Add a step and give back the number of its value."""
        given = [self.values[v] if isinstance(v, Ref) else v for v in inputs]
        self.values.append(np.asarray(OPS[op](*given, **attributes)))
        self.steps.append(Step(op, inputs, attributes))
        return Ref(len(self.values) - 1)

    def apply(self, name: str, recipe: Recipe) -> None:
        """Add one op with what makes its inputs and result fit; if it would stand on a kink, nothing."""
        before = len(self.steps)
        result = self._tame(recipe.build(self, name, self.any_value()))
        if not self.kinks and any(_distance(step, self.values) < _GAP for step in self.steps[before:]):
            del self.steps[before:], self.values[self.count + before :]
        else:
            self.open.append(result)

    def _tame(self, y: Ref) -> Ref:
        """Bring a result to float64, to few elements and to moderate size."""
        value = self.values[y]
        if value.dtype != np.float64:
            y = self.emit("astype", y, dtype=np.dtype(np.float64), was=value.dtype)
        while self.values[y].size > _MOST or self.values[y].ndim > 4:
            y = self.emit("mean", y, axis=0, keepdims=False)
        top = float(np.abs(self.values[y]).max(initial=0))
        if top > 2 * _REACH:
            y = self.emit("mul", y, 2.0 ** -math.ceil(math.log2(top / _REACH)))
        return self.emit("tanh", y) if top > _REACH else y

    def any_value(self) -> Ref:
        """One of the values so far; the simplest choice is the latest."""
        return self.draw(st.sampled_from(self.open[::-1]))

    def value_where(self, fits: Callable[[Array], bool]) -> Ref | None:
        """One of the values that fit, the latest first; None if there is none."""
        found = [v for v in self.open if fits(self.values[v])][::-1]
        return self.draw(st.sampled_from(found)) if found else None

    def like(self, x: Ref, fits: Callable[[Array], bool] | None = None) -> Ref:
        """A value that fits, by default one in the shape of `x`, or else `x` itself."""
        shape = self.values[x].shape
        found = self.value_where(fits or (lambda v: v.shape == shape))
        return x if found is None else found

    def partner(self, x: Ref) -> Ref:
        """A value that broadcasts with `x` to no more than a few elements."""
        shape = self.values[x].shape
        return self.like(x, lambda v: _fits(v.shape, shape))

    def into(self, x: Ref, low: float, high: float) -> Ref:
        """`x` carried smoothly into the interval from `low` to `high`."""
        return self.emit("add", self.emit("mul", self.emit("sigmoid", x), high - low), low)

    def at_least(self, x: Ref, ndim: int) -> Ref:
        """`x` with axes of length 1 put in front until there are `ndim`."""
        shape = self.values[x].shape
        return x if len(shape) >= ndim else self.emit("reshape", x, shape=(1,) * (ndim - len(shape)) + shape)

    def joined(self) -> Expression:
        """The expression, with every value that nothing used summed into the last."""
        if not self.steps:
            self.emit("neg", Ref(0))
        used = {v for step in self.steps for v in step.inputs if isinstance(v, Ref)}
        last = Ref(len(self.values) - 1)
        for i in range(last):
            if i not in used:
                last = self.emit("add", last, self.emit("sum", Ref(i), axis=None, keepdims=False))
        return Expression(self.values[: self.count], tuple(self.steps))


def _fits(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    try:
        return math.prod(np.broadcast_shapes(a, b)) <= _MOST
    except ValueError:
        return False


@st.composite
def _inputs(draw: st.DrawFn, most: int) -> list[Array]:
    count = draw(st.integers(1, most))
    shapes = draw(broadcastable_shapes(count, max_dims=3, max_side=3)).input_shapes
    thousandths = st.integers(-2000, 2000).map(lambda n: n / 1000)  # floats would favour 0 and 1, and so ties
    return [draw(hnp.arrays(np.float64, shape, elements=thousandths, fill=st.nothing())) for shape in shapes]


@st.composite
def expressions(
    draw: st.DrawFn,
    max_ops: int = 40,
    max_inputs: int = 3,
    ops: Collection[str] | None = None,
    differentiable: bool = True,
    *,
    kinks: bool = False,
) -> Expression:
    """Random programs of up to `max_ops` ops on up to `max_inputs` float64 arrays, with values used once, often or never.

    Ops are drawn from `ops`, by default from all in `OPS` that have a recipe (and, if `differentiable`, a gradient
    rule). Added to them come the few steps that keep an op in its domain and its result in [-3, 3], and sums that join
    what would go unused to the result. The inputs stand off every kink unless `kinks`. ValueError for an op without a
    recipe.

    >>> from hypothesis import find
    >>> find(expressions(2, ops=["sin", "mul"]), lambda program: program.ops == {"sin", "mul"})
    x0 = array(0.)
    v1 = mul(x0, x0)
    v2 = sin(v1)
    """
    builder = Builder(draw, draw(_inputs(max_inputs)), kinks)
    names = sorted(ops, key=list(OPS).index) if ops is not None else [
        name for name, op in OPS.items() if recipe_of(name).usable and (op.rules or not differentiable)
    ]  # fmt: skip
    recipes = {name: recipe_of(name) for name in names}
    if missing := [name for name, recipe in recipes.items() if not recipe.usable]:
        raise ValueError(f"expressions: there is no recipe for {', '.join(missing)}")

    @st.composite
    def grow(draw: st.DrawFn) -> None:
        builder.draw = draw
        name = draw(st.sampled_from(names))
        builder.apply(name, recipes[name])

    least = draw(st.integers(1, max_ops))
    draw(st.lists(grow(), min_size=least, max_size=max_ops))  # a list, for hypothesis knows how to shrink one
    return builder.joined()
