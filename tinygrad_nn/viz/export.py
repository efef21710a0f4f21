"""The graph as plain data: what `to_json` writes and the page reads; docs/seeing_the_graph.md describes every key."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_nn.autograd.function import rule_of
from tinygrad_nn.op import Op
from tinygrad_nn.viz.backward import Step, slope, walk_back
from tinygrad_nn.viz.graph import Graph, Node, Place
from tinygrad_nn.viz.rules import describe, source_of
from tinygrad_nn.viz.values import FULL, is_image, number, summary

FORMAT = "tinygrad_nn.graph/1"
_BUDGET = 40_000  # numbers that are written out in all


def as_data(graph: Graph) -> dict[str, Any]:
    """Everything known of a graph, as dicts, lists, strings and numbers."""
    full = _full(graph)
    told: dict[str, Any] = {"format": FORMAT, "output": graph.output.id if graph.output else None, "error": graph.error or None}
    told["modules"] = [
        {"id": b.id, "path": b.path, "type": b.type, "parent": b.parent.id if b.parent else None} for b in graph.blocks
    ]
    told["nodes"] = [_node(node, full) for node in graph.nodes]
    told["ops"] = {name: describe(op) for name, op in sorted(_ops(graph).items())}
    for node in graph.nodes:
        if node.op is None and node.engine is not None and node.label not in told["ops"]:
            told["ops"][node.label] = _user_rule(node)
    return told | _walks(graph, full)


def _walks(graph: Graph, full: int) -> dict[str, Any]:
    """The steps back, and those in depth-first order where their numbers are others."""
    right, wrong = ([_step(step, full) for step in walk_back(graph, naive=naive)] for naive in (False, True))
    return {"backward": right, "naive": wrong if _totals(wrong) != _totals(right) else None}


def _totals(steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {step["node"]: step["gradient"] for step in steps}


def frame_data(graph: Graph) -> dict[str, Any]:
    """The numbers of a graph without its structure: one frame of a recording."""
    full = _full(graph)
    values = [None if node.value is None else summary(node.value, full, colors=True) for node in graph.nodes]
    return {"values": values} | _walks(graph, full)


def _full(graph: Graph) -> int:
    """How many elements an array may have to be written out, so that all of them stay within the budget."""
    sizes = [node.value.size for node in graph.nodes if node.value is not None]
    return next((full for full in (FULL, 256, 64, 16) if sum(size for size in sizes if size <= full) <= _BUDGET), 4)


def _ops(graph: Graph) -> dict[str, Op]:
    return {node.op.name: node.op for node in graph.nodes if node.op is not None}


def _user_rule(node: Node) -> dict[str, Any]:
    function = node.engine._forward_cls
    rule = source_of(rule_of(function))
    doc = (function.__doc__ or "").split("\n")[0]
    return {"doc": doc, "inputs": [], "forward": source_of(function.forward), "rules": {"": rule}}


def _node(node: Node, full: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": node.id, "kind": node.kind, "op": node.label or None, "name": node.name,
        "inputs": [source.id if isinstance(source, Node) else {"constant": plain(source.value)} for source in node.inputs],
        "attributes": {key: plain(value) for key, value in node.attributes.items()},
        "shape": list(node.shape), "dtype": node.dtype, "requires_grad": node.requires_grad,
        "module": node.block.id if node.block else None, "place": _place(node.place),
        "value": None if node.value is None else summary(node.value, full, colors=True),
    }  # fmt: skip
    if node.op is not None:
        told["arguments"] = [node.op.inputs[0 if node.op.variadic else i] for i in range(len(node.inputs))]
        told["broadcasts"] = node.op.promote != "none"
    if node.attributes:
        told["keywords"] = ", ".join(f"{key}={written(value)}" for key, value in node.attributes.items())
    if is_image(node.shape):
        told["image"] = True
    if node.accumulated is not None:
        told["accumulated"] = summary(node.accumulated, full)
    if node.error:
        told["error"] = node.error
    return told


def _place(place: Place | None) -> dict[str, Any] | None:
    return None if place is None else {"file": place.file, "line": place.line, "code": place.code, "function": place.function}


def _step(step: Step, full: int) -> dict[str, Any]:
    told: dict[str, Any] = {"node": step.node.id, "gradient": _gradient(step.gradient, full)}
    told["sent"] = []
    for sent in step.sent:
        line = {"to": sent.source.id, "input": sent.input, "rule": sent.rule, "value": _gradient(sent.value, full)}
        local = slope(step.node, step.gradient, sent) if np.size(step.gradient) <= full else None
        if local is not None:
            line["slope"] = _gradient(local, full)
        if sent.axes:
            line |= {"axes": list(sent.axes), "raw": _gradient(sent.raw, full)}
        told["sent"].append(line)
    if step.freed:
        told["freed"] = step.freed
    return told


def _gradient(gradient: Any, full: int) -> Any:
    return summary(np.asarray(gradient), full) if isinstance(gradient, np.ndarray | np.generic) else None


def plain(value: Any) -> Any:
    """An attribute or constant as JSON can hold it; what has no such form as the text Python shows."""
    if value is None or isinstance(value, bool | int | float | str | np.generic):
        return number(value)
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    if isinstance(value, np.ndarray):
        return summary(value, 64)
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    return written(value)


def written(value: Any) -> str:
    """An attribute as a call in Python has it; arrays and the like by their type.

    >>> written((slice(1, None), ..., None)), written([True, "sum"]), written(np.dtype("int64"))
    ('(slice(1, None), ..., None)', "[True, 'sum']", 'int64')
    >>> written(np.float32(0.5)), written(np.zeros(3))
    ('0.5', '<ndarray>')
    """
    if isinstance(value, tuple | list):
        parts = ", ".join(map(written, value))
        return f"[{parts}]" if isinstance(value, list) else f"({parts},)" if len(value) == 1 else f"({parts})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {written(part)}" for key, part in value.items()) + "}"
    if isinstance(value, slice):
        ends = [value.start, value.stop] + [value.step] * (value.step is not None)
        return f"slice({', '.join(map(written, ends))})"
    if isinstance(value, Op):
        return value.name
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, np.generic):
        return str(value)
    return "..." if value is Ellipsis else str(value) if isinstance(value, np.dtype) else f"<{type(value).__name__}>"
