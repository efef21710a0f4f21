"""What a gradient owes its caller besides its value: nothing written, nothing shared, the same twice, every layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from tinygrad_nn.op import Array
from tinygrad_nn.testing.differences import Probe
from tinygrad_nn.testing.elements import InputCheck, Tolerance
from tinygrad_nn.testing.limit import time_limit
from tinygrad_nn.testing.report import Breach
from tinygrad_nn.testing.targets import Target

_SMALL = 64  # a variant with no more elements than this is also compared with central differences
_TOLERANCE = Tolerance(1e-5, 1e-12)


def random_upstream(rng: np.random.Generator, outputs: Sequence[Array]) -> list[Array]:
    """Incoming gradients of both signs, none alike and none near zero, so that nothing cancels or hides."""
    return [np.asarray(rng.uniform(0.5, 2.0, y.shape) * rng.choice([-1.0, 1.0], y.shape), y.dtype) for y in outputs]


def copies(values: Sequence[Any]) -> list[Any]:
    """The arrays among values copied, so that a careless function cannot spoil the originals."""
    return [value.copy() if isinstance(value, np.ndarray) else value for value in values]


def breaches(
    target: Target, upstream: Sequence[Array], rng: np.random.Generator, variants: bool, notes: list[str]
) -> Iterator[Breach]:
    """What a target breaks of the contract; with `variants`, on inputs of other layouts and shapes as well.

    Inputs on which the function does not end are told of in `notes`.
    """
    yield from _written(target, upstream)
    yield from _form(target, upstream)
    yield from _shared(target, upstream)
    others = {"other": _repeated(target, upstream, rng), "float32": _float32(target, rng)}
    if variants:
        others |= {"strided": _layout(target, upstream), "0-d": _scalar(target, rng), "empty": _empty(target, rng)}
    for kind, found in others.items():
        try:
            yield from found
        except TimeoutError as error:
            notes.append(f"on {kind} inputs, which the contract tries as well, the function {error}")


def _written(target: Target, upstream: Sequence[Array]) -> Iterator[Breach]:
    inputs, given = copies(target.inputs), copies(upstream)
    target.values(inputs)
    for stage in ("forward", "backward"):
        if stage == "backward":
            target.gradients(inputs, given)
        for i, name in enumerate(target.names):
            if not _same(inputs[i], target.inputs[i]):
                yield Breach("input_written", f"the {stage} writes into {name}; it must leave its inputs as they are")
                return
    if not all(map(_same, given, upstream)):
        yield Breach("upstream_written", "the backward writes into the gradient it is given, which others may share")


def _repeated(target: Target, upstream: Sequence[Array], rng: np.random.Generator) -> Iterator[Breach]:
    raw = target.gradients(copies(target.inputs), copies(upstream))
    first = _own(raw)
    raw_again = target.gradients(copies(target.inputs), copies(upstream))
    again = _own(raw_again)
    if any(a is not None and b is not None and _overlap(a, b) for a, b in zip(raw, raw_again, strict=True)):
        yield Breach("aliasing", "every backward hands out the same memory: the next call changes this one's gradients")
    if not all(map(_same, first, again)):
        yield Breach("nondeterministic", "the same inputs give another gradient the second time")
    elif target.stateless:
        others = [v + 0.1 * rng.standard_normal(np.shape(v)) if i in target.checked else v
                  for i, v in enumerate(copies(target.inputs))]  # fmt: skip
        if _attempt(target.values, others) is None:
            return
        later = _own(target.gradients(copies(target.inputs), copies(upstream)))
        if not all(map(_same, first, later)):
            yield Breach("stale_state", "the gradient changes when the function was called on other inputs in between")


def _form(target: Target, upstream: Sequence[Array]) -> Iterator[Breach]:
    inputs = copies(target.inputs)
    found = target.gradients(inputs, copies(upstream))
    for place, i in enumerate(target.checked):
        g, name = found[place], target.names[i]
        if g is None:
            continue
        if g.shape != inputs[i].shape:
            yield Breach("shape", f"the gradient of {name} has shape {list(g.shape)}, its input {list(inputs[i].shape)}")
        if g.dtype != inputs[i].dtype:
            yield Breach("dtype", f"the gradient of {name} is {g.dtype}, its input {inputs[i].dtype}")


def _shared(target: Target, upstream: Sequence[Array]) -> Iterator[Breach]:
    for given in (copies(upstream), [np.ones_like(u) for u in upstream]):  # a gradient of ones tempts to hand on the input
        inputs = copies(target.inputs)
        found = target.gradients(inputs, given)
        for place, g in enumerate(found):
            name = target.names[target.checked[place]]
            for j, value in enumerate(inputs):
                if g is not None and isinstance(value, np.ndarray) and _overlap(g, value):
                    other = target.names[j]
                    yield Breach("aliasing", f"the gradient of {name} is a view of {other}: writing to one changes the other")
                    return
            for j, before in zip(target.checked[:place], found[:place], strict=True):
                if g is not None and before is not None and _overlap(g, before):
                    yield Breach("aliasing", f"the gradients of {target.names[j]} and {name} share memory: clipping one clips both")
                    return


def _float32(target: Target, rng: np.random.Generator) -> Iterator[Breach]:
    inputs = [v.astype(np.float32) if i in target.checked else v for i, v in enumerate(target.inputs)]
    outputs = _attempt(target.values, inputs)
    if outputs is None:
        return
    if any(y.dtype != np.float32 for y in outputs):
        if target.takes_arrays and not target.holds_arrays():
            yield Breach("float32", f"for float32 inputs the output is {outputs[0].dtype}")
        return
    found = _attempt(target.gradients, inputs, random_upstream(rng, outputs))
    if found is None:
        yield Breach("float32", "the backward fails on float32 inputs, on which the forward works")
        return
    for i, g in zip(target.checked, found, strict=True):
        if g is not None and g.dtype != np.float32:
            yield Breach("float32", f"for float32 inputs the gradient of {target.names[i]} is {g.dtype}")


def _layout(target: Target, upstream: Sequence[Array]) -> Iterator[Breach]:
    expected = _own(target.gradients(copies(target.inputs), copies(upstream)))
    for kind, change in (("every second element of a larger array", _strided), ("in column-major order", _column_major)):
        inputs = [change(v) if i in target.checked else v for i, v in enumerate(copies(target.inputs))]
        if _attempt(target.values, inputs) is None:
            continue
        found = _attempt(target.gradients, inputs, [change(u) for u in upstream])
        if found is None:
            yield Breach("layout", f"the backward fails on inputs that are {kind}")
            return
        for i, g, e in zip(target.checked, found, expected, strict=True):
            if g is not None and e is not None and (g.shape != e.shape or not np.allclose(g, e, 1e-9, 1e-12, equal_nan=True)):
                yield Breach("layout", f"the gradient of {target.names[i]} changes when the inputs are {kind}")
                return


def _scalar(target: Target, rng: np.random.Generator) -> Iterator[Breach]:
    if all(not np.ndim(target.inputs[i]) for i in target.shaped) or any(not target.inputs[i].size for i in target.shaped):
        return
    inputs = [np.array(v.flat[0]) if i in target.shaped else v for i, v in enumerate(target.inputs)]
    yield from _variant(target, inputs, rng, "scalar", "0-d")


def _empty(target: Target, rng: np.random.Generator) -> Iterator[Breach]:
    choices = dict.fromkeys([tuple(target.shaped), *((i,) for i in target.shaped)])
    for chosen, first in product(choices, (True, False)):
        if any(np.ndim(target.inputs[i]) < (1 if first else 2) for i in chosen):
            continue
        inputs = [(v[:0] if first else v[..., :0]) if i in chosen else v for i, v in enumerate(target.inputs)]
        found = list(_variant(target, inputs, rng, "empty", "empty"))
        if found:
            yield from found[:1]
            return


def _variant(target: Target, inputs: list[Any], rng: np.random.Generator, code: str, kind: str) -> Iterator[Breach]:
    """The gradient on inputs of another shape, where the forward takes them: there, of that shape, and right."""
    outputs = _attempt(target.values, copies(inputs))
    if outputs is None or not all(np.isfinite(y).all() for y in outputs):
        return
    upstream = random_upstream(rng, outputs)
    try:
        with time_limit():
            found = target.gradients(copies(inputs), copies(upstream))
    except TimeoutError:
        raise
    except Exception as error:  # a user's backward may fail in any way
        yield Breach(code, f"the backward fails on {kind} inputs, on which the forward works: {error}")
        return
    for i, g in zip(target.checked, found, strict=True):
        if i not in target.shaped:
            continue
        g = np.zeros(inputs[i].shape) if g is None else g
        if g.shape != inputs[i].shape:
            expected = list(inputs[i].shape)
            yield Breach(code, f"on {kind} inputs the gradient of {target.names[i]} has shape {list(g.shape)}, not {expected}")
            return
        if 0 < g.size <= _SMALL:
            probe = Probe(lambda moved: target.values(copies(moved)), inputs, i, upstream)
            check = InputCheck(target.names[i], probe, g, _TOLERANCE)
            check.each_element(None)
            if check.failed and check.worst is not None:
                got, due = check.worst.analytic, check.worst.numeric
                yield Breach(code, f"on {kind} inputs the gradient of {check.name} is {got:.6g}, not {due:.6g}")
                return


def _overlap(a: Array, b: Array) -> bool:
    """Whether an element of one is an element of the other; where that is too hard to tell, whether it could be."""
    try:
        return bool(np.shares_memory(a, b, max_work=10_000))  # type: ignore[arg-type]  # any bound is allowed
    except np.exceptions.TooHardError:
        return True


def _strided(value: Any) -> Any:
    return np.repeat(value, 2, -1)[..., ::2] if np.ndim(value) else value


def _column_major(value: Any) -> Any:
    return np.array(value, order="F")


def _attempt(f: Callable[..., Any], *args: Any) -> Any:
    """What f gives, or None where it does not take such arguments; TimeoutError where it does not end."""
    try:
        with time_limit():
            return f(*args)
    except TimeoutError:
        raise
    except Exception:  # a user's function may refuse in any way
        return None


def _own(gradients: Sequence[Array | None]) -> list[Array | None]:
    return [None if g is None else np.array(g) for g in gradients]


def _same(a: Any, b: Any) -> bool:
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return (a is None) == (b is None)
    return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
