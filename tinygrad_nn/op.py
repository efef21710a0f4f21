"""Op: a forward on arrays, one gradient rule per input, inputs to try it on; knows no Tensor, only its protocol.

A rule is a line of plain NumPy whose own argument names say what is saved for it:

- `g` is the gradient that arrives, `y` the output;
- the name of an input is that input, `<input>_shape` only its shape;
- keywords are the op's attributes.

Anything with `__record__` among the inputs (a Tensor) takes the call over, so the same rule runs on bare
arrays for first derivatives and, handed Tensors, records itself for the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, overload

import numpy as np

from tinygrad_nn.graph import Gradient
from tinygrad_nn.sums import sum_first

Array: TypeAlias = np.ndarray[Any, Any]
Rule: TypeAlias = Callable[..., Any]
Promotion: TypeAlias = Literal["none", "common", "float"]
Guard: TypeAlias = Callable[[str, str, np.dtype[Any]], None]  # of the op's name, its inputs' kinds and their common dtype

OPS: dict[str, Op] = {}  # every primitive by its name; the tests run over it
UFUNCS: dict[Callable[..., Any], Op] = {}  # the primitive that records each NumPy ufunc

_VARIADIC = 0x04  # the code flag of a function with *args


class Sample(NamedTuple):
    """Inputs on which an op is tried: a shape is drawn uniformly from `low` to `high`, away from `kinks`."""

    inputs: tuple[Any, ...]
    attributes: dict[str, Any]
    low: float
    high: float
    kinks: tuple[float, ...]

    def draw(self, rng: np.random.Generator, dtype: Any = np.float64) -> tuple[Any, ...]:
        """The inputs as arrays of `dtype`; what was given as an array, a number or None stays as it is."""
        return tuple(self._draw_one(spec, rng, dtype) for spec in self.inputs)

    def _draw_one(self, spec: Any, rng: np.random.Generator, dtype: Any) -> Any:
        if not isinstance(spec, tuple):
            floating = isinstance(spec, np.ndarray) and spec.dtype.kind == "f"
            return spec.astype(dtype) if floating else spec
        values = rng.uniform(self.low, self.high, spec)
        for kink in self.kinks:
            gap = 0.02 * (self.high - self.low)
            near = np.abs(values - kink) < gap
            values = np.where(near, values + np.where(values < kink, -2 * gap, 2 * gap), values)
        return np.asarray(values, dtype)


Run: TypeAlias = Callable[[Any, Sequence[Any], dict[str, Any]], Any]  # of g, what is saved (then the shapes), the attributes
Call: TypeAlias = tuple[int, Callable[..., Any], int]  # an input, its rule, the place of the one value saved for it, or Run and -1


class Plan:
    """What a node of `op` keeps and runs when just these of its inputs need gradients."""

    __slots__ = ("calls", "keep", "op", "shaped")

    def __init__(self, op: Op, calls: tuple[Call, ...], keep: tuple[int, ...] = (), shaped: bool = False) -> None:
        self.op = op
        self.calls = calls  # of a variadic op, one
        self.keep = keep  # which values are saved: i is input i, the number of inputs is the output
        self.shaped = shaped  # whether a rule asks for a shape


def _run(rule: Rule, places: list[int], keywords: tuple[str, ...]) -> Run:
    """A rule as a function of all that is saved and all attributes; without unpacking, which costs half a call, where it can be."""
    if not places and not keywords:
        return lambda g, values, _: rule(g)
    if len(places) == 2 and not keywords:
        first, second = places
        return lambda g, values, _: rule(g, values[first], values[second])
    return lambda g, values, named: rule(g, *[values[k] for k in places], **{name: named[name] for name in keywords})


class Op:
    """A primitive: call it on arrays to compute, on Tensors to compute and record."""

    def __init__(self, forward: Callable[..., Any], promote: Promotion, view: bool, guard: Guard | None = None) -> None:
        code = forward.__code__
        positional = code.co_argcount
        self.forward = forward
        self.name = forward.__name__.rstrip("_")
        self.__doc__ = forward.__doc__
        self.variadic = bool(code.co_flags & _VARIADIC)
        names = code.co_varnames
        self.attributes = names[positional : positional + code.co_kwonlyargcount]
        self.inputs = names[len(self.attributes) :][:1] if self.variadic else names[:positional]
        self.known = {"y": len(self.inputs)}  # what a rule may ask for by name: a value by its number, the shape of input i by ~i
        for i, name in enumerate(self.inputs):
            self.known[name], self.known[f"{name}_shape"] = i, ~i
        self.promote = promote  # how inputs of several dtypes become one: see dtypes.promote
        self.view = view  # the output may share the input's memory
        self.guard = guard  # raises for dtypes that the op has no meaning for; not asked where all are one float dtype
        self.rules: dict[str, Rule] = {}
        self.samples: list[Sample] = []
        self.plans: dict[int, Plan] = {}
        self.differentiable = 0  # the bits of the inputs that have a rule
        self.link: Callable[[Any, Any], Any] | None = None  # see `piecewise`

    def __call__(self, *inputs: Any, **attributes: Any) -> Any:
        """Compute on arrays; if an input is a Tensor, record as well."""
        for value in inputs:
            record = getattr(value, "__record__", None)
            if record is not None:
                return record(self, inputs, attributes)
        return self.forward(*inputs, **attributes)

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.inputs)})>"

    def vjp(self, **rules: Rule) -> Op:
        """Declare the gradient rule of each differentiable input, by the input's name."""
        for name, rule in rules.items():
            if name not in self.inputs:
                raise TypeError(f"{self.name}.vjp: expected rules for {self.inputs}, got one for '{name}'")
            self._slots(rule)
        self.rules.update(rules)
        self.differentiable = -1 if self.variadic else sum(1 << i for i, n in enumerate(self.inputs) if n in self.rules)
        return self

    def piecewise(self, link: Callable[[Any, Any], Any]) -> Op:
        """Declare that the slopes change in jumps only, which comparisons in the rules do not record.

        A gradient that is to be differentiated again is tied to each saved tensor by `link(gradient, tensor)`, whose slope there
        is 0: a second derivative then is 0, as in PyTorch, and not absent. First derivatives do without.
        """
        self.link = link
        return self

    def no_vjp(self) -> Op:
        """Declare that the derivative is not implemented: as in PyTorch, a gradient that arrives is an error."""
        self.differentiable = -1
        return self

    @property
    def unpromoted(self) -> tuple[int, ...]:
        """The inputs that keep their dtype in a promoted call: those, such as a mask, without a rule."""
        return tuple(i for i, name in enumerate(self.inputs) if self.rules and name not in self.rules)

    def sample(
        self,
        *inputs: Any,
        domain: tuple[float, float] = (-2.0, 2.0),
        kinks: tuple[float, ...] = (),
        **attributes: Any,
    ) -> Op:
        """Add inputs to try the op on: a tuple is a shape to fill from `domain`, an array or number is itself."""
        self.samples.append(Sample(inputs, attributes, *domain, kinks))
        return self

    def _slots(self, rule: Rule) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """What a rule asks for, read off its argument names: saved values and keywords."""
        code = rule.__code__
        names = code.co_varnames[: code.co_argcount]
        keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        known = self.known
        unknown = [name for name in names[1:] if name not in known]
        unknown += [name for name in keywords if name not in self.attributes]
        if not names or names[0] != "g" or unknown:
            allowed = ", ".join(["g", *known, *self.attributes])
            raise TypeError(f"{self.name}.vjp: a rule's arguments are g, then any of {allowed}; got {unknown or names}")
        slots = tuple(known[name] for name in names[1:])
        if self.variadic and any(k >= 0 for k in slots):
            raise TypeError(f"{self.name}.vjp: the rule of a variadic op may ask for shapes and attributes only")
        return slots, keywords

    def _refuse(self, *_: Any) -> Gradient:
        raise RuntimeError(f"derivative for {self.name} is not implemented")

    def plan(self, mask: int) -> Plan:
        """The plan for the inputs whose bits are set in `mask`."""
        if not self.rules:
            return Plan(self, tuple((i, self._refuse, -1) for i in range(len(self.inputs))))
        if self.variadic:  # its one rule gives all gradients at once, and asks for shapes and attributes only
            (rule,) = self.rules.values()
            plan = self.plans[mask] = Plan(self, ((0, rule, -1),), shaped=bool(self._slots(rule)[0]))
            return plan
        wanted = [(i, n) for i, n in enumerate(self.inputs) if n in self.rules and mask >> i & 1]
        asked = {name: self._slots(self.rules[name]) for _, name in wanted}
        keep = tuple(sorted({k for slots, _ in asked.values() for k in slots if k >= 0}))
        calls = []
        for i, name in wanted:
            slots, keywords = asked[name]
            places = [keep.index(k) if k >= 0 else len(keep) + ~k for k in slots]
            if len(places) == 1 and not keywords:  # most rules: they are spared a call in between
                calls.append((i, self.rules[name], places[0]))
            else:
                calls.append((i, _run(self.rules[name], places, keywords), -1))
        shaped = any(k < 0 for slots, _ in asked.values() for k in slots)
        plan = self.plans[mask] = Plan(self, tuple(calls), keep, shaped)
        return plan


@overload
def op(forward: Callable[..., Any], /) -> Op: ...
@overload
def op(
    *, promote: Promotion = ..., view: bool = ..., quiet: bool = ..., ufunc: Callable[..., Any] | None = ...,
    guard: Guard | None = ...,
) -> Callable[[Callable[..., Any]], Op]: ...
def op(
    forward: Callable[..., Any] | None = None,
    /,
    *,
    promote: Promotion = "none",
    view: bool = False,
    quiet: bool = False,
    ufunc: Callable[..., Any] | None = None,
    guard: Guard | None = None,
) -> Any:
    """Declare a primitive and enter it in `OPS`.

    `promote` says what happens to inputs of several dtypes: `"none"` leaves them, `"common"` brings them to
    PyTorch's common dtype, `"float"` also turns integers into the default float; promoted ops broadcast, and the
    engine undoes it. `view` marks outputs that may share the input's memory. `quiet` is for ops whose infinities
    and NaNs are results, as log(0) is, and no reason for NumPy to warn. `ufunc` is the NumPy ufunc that, called
    with a Tensor, becomes this op. `guard` raises for dtypes that the op has no meaning for.
    """

    def declare(forward: Callable[..., Any]) -> Op:
        primitive = Op(forward, promote, view, guard)
        if quiet:
            primitive.forward = np.errstate(all="ignore")(forward)
        if primitive.name in OPS:
            raise TypeError(f"op '{primitive.name}' is declared twice")
        OPS[primitive.name] = primitive
        if ufunc is not None:
            UFUNCS[ufunc] = primitive
        return primitive

    return declare if forward is None else declare(forward)


def refuse(kinds: str) -> Guard:
    """A guard against a common dtype of these kinds: `b` bool, `i` and `u` integers, `f` floats."""

    def guard(name: str, _: str, common: np.dtype[Any]) -> None:
        if common.kind in kinds:
            raise NotImplementedError(f'"{name}" not implemented for {common}')

    return guard


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum `g` over the axes along which an input of `shape` was broadcast: the adjoint of broadcasting."""
    lead = len(g.shape) - len(shape)
    if lead:
        g = sum_first(g, lead)
    axes = tuple(i for i, (have, want) in enumerate(zip(g.shape, shape, strict=True)) if have != want)
    return np.sum(g, axis=axes, keepdims=True) if axes else g
