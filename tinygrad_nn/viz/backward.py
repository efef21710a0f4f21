"""The walk back, step by step, with every number kept: what arrived, what each rule sent on, what was summed.

The rules are run on the model's own values, so the graph itself is neither walked nor freed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.op import Array, unbroadcast
from tinygrad_nn.viz.graph import Graph, Node


class Freed(Exception):
    """A value that a rule needs was not kept."""


@dataclass
class Sent:
    """What one rule made of the gradient: `raw` as it came out, `value` in the input's shape, and the axes summed for it."""

    source: Node
    input: int
    rule: str
    raw: Any
    value: Any
    axes: tuple[int, ...]


@dataclass
class Step:
    """One node's turn: the parts that have arrived at it, their sum, and what it sends on."""

    node: Node
    parts: list[tuple[Node, int, Array]]
    gradient: Any
    sent: list[Sent] = field(default_factory=list)
    freed: str = ""


def walk_back(graph: Graph, *, naive: bool = False) -> list[Step]:
    """The steps of backpropagation from the output, latest node first; `naive` goes depth first instead.

    The naive order calls each node when it is first reached, as a recursion without a topological sort does: what
    arrives later is added to its gradient but is never passed on.

    >>> import tinygrad_nn as torch
    >>> from tinygrad_nn.viz.graph import of_tensor
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> [(step.node.label, float(step.gradient)) for step in walk_back(of_tensor(x * x + x, {}))]
    [('add', 1.0), ('mul', 1.0), ('', 7.0)]
    """
    root = graph.output
    if root is None or graph.error or not root.requires_grad or root.value is None or root.value.dtype.kind != "f":
        return []
    arrived: dict[int, list[tuple[Node, int, Array]]] = {}
    totals: dict[int, Any] = {id(root): np.ones_like(root.value)}
    steps: list[Step] = []

    def visit(node: Node) -> Step:
        step = Step(node, list(arrived.get(id(node), [])), totals[id(node)])
        steps.append(step)
        if node.is_op:
            try:
                step.sent = list(_sends(node, step.gradient))
            except Freed as lack:
                step.freed = str(lack)
            for sent in step.sent:
                _add(totals, sent)
                arrived.setdefault(id(sent.source), []).append((node, sent.input, sent.value))
        return step

    with no_grad(), np.errstate(all="ignore"):
        if naive:
            seen: set[int] = set()
            stack = [root]
            while stack:
                node = stack.pop()
                if id(node) not in seen:
                    seen.add(id(node))
                    stack.extend(sent.source for sent in reversed(visit(node).sent))
            for step in steps:
                step.gradient = totals[id(step.node)] if not step.node.is_op else step.gradient
                step.parts = arrived.get(id(step.node), []) if not step.node.is_op else step.parts
        else:
            for node in reversed(graph.nodes):
                if id(node) in totals:
                    visit(node)
            steps.sort(key=lambda step: not step.node.is_op)
    return steps


_ACROSS = {"matmul", "solve"}  # promoted like the ops that go element by element, which they do not


def slope(node: Node, gradient: Any, sent: Sent) -> Array | None:
    """The local derivative along which a rule sent its gradient, element by element: what the rule makes of ones.

    None where elements mix, or where the input was not one of an op.
    """
    if node.op is None or node.op.variadic or not isinstance(gradient, np.ndarray | np.generic):
        return None
    apart = node.op.promote != "none" and node.op.name not in _ACROSS
    if np.shape(sent.raw) != np.shape(gradient) or not (apart or np.size(gradient) == 1):
        return None
    with no_grad(), np.errstate(all="ignore"):
        return np.asarray(_run(node, node.op.rules[sent.rule], np.ones_like(gradient), {}))


def _add(totals: dict[int, Any], sent: Sent) -> None:
    """Add to what has arrived; for one output of a function with several, at its place among them."""
    before = totals.get(id(sent.source))
    totals[id(sent.source)] = sent.value if before is None else before + sent.value


def _sends(node: Node, gradient: Any) -> Iterator[Sent]:
    """What the rules of a node make of the gradient that arrived, for each input that wants one."""
    if node.output is not None:  # one of several outputs: the function itself gets them side by side
        (function,) = node.parents
        yield Sent(function, 0, "", gradient, _Outputs({node.output: gradient}), ())
        return
    if node.op is None:
        yield from _user_function(node, gradient)
        return
    op = node.op
    if not op.rules and any(source.requires_grad for source in node.parents):
        raise Freed(f"the derivative of {op.name} is not implemented")
    if op.variadic:
        ((name, rule),) = op.rules.items()
        shapes = [source.shape for source in node.parents]
        parts = _run(node, rule, gradient, {f"{name}_shape": shapes})
        for i, (source, part) in enumerate(zip(node.parents, parts, strict=True)):
            if source.requires_grad:
                yield _fitted(source, i, name, np.asarray(part))
        return
    for i, name in enumerate(op.inputs):
        given = node.inputs[i]
        if isinstance(given, Node) and given.requires_grad and name in op.rules:
            yield _fitted(given, i, name, np.asarray(_run(node, op.rules[name], gradient, {})))


def _run(node: Node, rule: Any, gradient: Any, known: dict[str, Any]) -> Any:
    """A rule called with the values that its argument names ask for."""
    assert node.op is not None
    code = rule.__code__
    count = code.co_argcount
    values: dict[str, Any] = {"y": node.value, **known}
    if not node.op.variadic:
        for name, given in zip(node.op.inputs, node.inputs, strict=True):
            values[name] = given.value
            values[f"{name}_shape"] = given.shape if isinstance(given, Node) else np.shape(given.value)
    asked = code.co_varnames[1:count]
    for name in asked:
        of = dict(zip(node.op.inputs, node.inputs, strict=False)).get(name)
        if values[name] is None and (name == "y" or isinstance(of, Node)):
            lacks = "output" if name == "y" else name
            raise Freed(f"its {lacks} was freed by a backward: draw before it, or with retain_graph=True")
    keywords = code.co_varnames[count : count + code.co_kwonlyargcount]
    return rule(gradient, *(values[name] for name in asked), **{name: node.attributes[name] for name in keywords})


def _fitted(source: Node, i: int, rule: str, raw: Array) -> Sent:
    """A gradient in its input's shape: where the input was broadcast, summed over the axes along which it was."""
    lead = raw.ndim - len(source.shape)
    axes = tuple(range(lead)) + tuple(
        lead + k for k, (have, want) in enumerate(zip(raw.shape[lead:], source.shape, strict=True)) if have != want
    )
    return Sent(source, i, rule, raw, np.asarray(unbroadcast(raw, source.shape)), axes)


def _user_function(node: Node, gradient: Any) -> Iterator[Sent]:
    """A function of the user's runs its own backward, which needs what it saved."""
    several = isinstance(gradient, _Outputs)
    given = [gradient.parts.get(i) for i in range(node.engine.outputs)] if several else gradient
    try:
        parts = list(node.engine.backward(given, None))
    except RuntimeError as error:
        raise Freed(str(error)) from None
    for i, (source, part) in enumerate(zip(node.inputs, parts, strict=True)):
        if isinstance(source, Node) and source.requires_grad and part is not None:
            yield _fitted(source, i, "", np.asarray(part))


class _Outputs:
    """The gradients of a function's several outputs, by number."""

    def __init__(self, parts: dict[int, Any]) -> None:
        self.parts = parts

    def __add__(self, other: _Outputs) -> _Outputs:
        return _Outputs({
            i: a if b is None else b if a is None else a + b
            for i in {*self.parts, *other.parts}
            for a, b in [(self.parts.get(i), other.parts.get(i))]
        })
