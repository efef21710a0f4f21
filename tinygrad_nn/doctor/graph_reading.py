"""Reading the op graph of a loss: which module made a node, what lies behind an output, what the activations gave."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinygrad_nn import graph
from tinygrad_nn.doctor.seen import Activation, LossCall, Snapshot
from tinygrad_nn.op_node import OpNode
from tinygrad_nn.variable import wrap

PACKAGE = str(Path(graph.__file__).parent)
SHAPING = {
    "reshape", "transpose", "permute", "getitem", "astype", "broadcast_to", "copy", "as_strided", "clip", "clamp", "clamp_min",
    "clamp_max", "maximum", "minimum", "stack", "concatenate",
}  # fmt: skip
CLIPS = {"clip", "clamp", "clamp_min", "clamp_max", "maximum", "minimum"}
PROBABILITIES = {"softmax", "sigmoid"}


class Call(NamedTuple):
    """A call of a module: the serials of the nodes made in it lie between `start` and `end`."""

    start: int
    end: int
    path: str


def user_line() -> str:
    """Where the user's code stands, as `train.py:12`."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def behind(edge: Any) -> tuple[Any, list[str]]:
    """The node that computed a value, and the ops between that only shape, cast or clip it."""
    node, between = graph.node_of(edge), list[str]()
    while isinstance(node, OpNode) and node.op.name in SHAPING and node.edges and node.edges[0] is not None:
        between.append(node.op.name)
        node = graph.node_of(node.edges[0])
    return node, between


def op_of(node: Any) -> str:
    """The name of the op of a node, or nothing."""
    return node.op.name if isinstance(node, OpNode) else ""


def function_of(node: Any) -> str:
    """The name of the op, or softmax where it is written out: exp(x) / exp(x).sum()."""
    ops = [op_of(graph.node_of(edge)) for edge in node.edges] if isinstance(node, OpNode) else []
    if op_of(node) == "div" and ops == ["exp", "sum"]:
        summed, _ = behind(graph.node_of(node.edges[1]).edges[0])
        return "softmax" if op_of(summed) == "exp" else "div"
    return "softmax" if op_of(node) == "exp" and ops == ["log_softmax"] else op_of(node)


def path_of(node: Any, calls: Iterable[Call]) -> str:
    """The innermost module call in which a node was made, as `model.fc1 (Linear)`; nothing outside the model."""
    if not isinstance(node, graph.Node):
        return ""
    around = [call for call in calls if call.start < node.serial <= call.end]
    return min(around, key=lambda call: call.end - call.start).path if around else ""


def output_of(node: OpNode) -> Any:
    """The output of a node, where its rule keeps it, else None."""
    at = len(node.op.inputs)
    return node.saved[node.plan.keep.index(at)] if node.saved and at in node.plan.keep else None


def activations(nodes: Sequence[Any], calls: Sequence[Call], last: set[Any]) -> list[Activation]:
    """What the activations among the nodes gave; `last` has the nodes that gave the model's answer."""
    found = []
    for node in nodes:
        kind = op_of(node)
        if kind not in ("sigmoid", "tanh", "relu"):
            continue
        path, y = path_of(node, calls), output_of(node)
        if not path or y is None or not y.size or y.ndim < 2:
            continue
        before, _ = behind(node.edges[0])
        name = f"{path_of(before, calls)} → {kind}" if isinstance(before, OpNode) and "." not in path else path
        bias = not (op_of(before) == "linear" and before.edges[2] is None) and op_of(before) != "matmul"
        units = 1 if y.ndim > 3 else y.ndim - 1
        others = tuple(axis for axis in range(y.ndim) if axis != units)
        flat = np.count_nonzero((np.abs(y - 0.5) > 0.49) if kind == "sigmoid" else (np.abs(y) > 0.99)) / y.size
        fired = np.maximum.reduce(y, axis=others) > 0 if kind == "relu" else None
        found.append(Activation(name, kind, node not in last, flat, fired, y.size // y.shape[units], bias))
    return found


def broadcasting(nodes: Sequence[Any], end: int) -> list[tuple[str, list[tuple[int, ...]]]]:
    """The differences, taken after the model, of two shapes that both had to be spread: (N, 1) and (N,)."""
    found = []
    for node in nodes:
        if node.serial <= end or op_of(node) != "sub":
            continue
        a, b = (tuple(shape) for shape in node.shapes)
        together = np.broadcast_shapes(a, b)
        if a and b and together not in (a, b):
            found.append((op_of(node), [a, b]))
    return found


def squared_softmax(nodes: Sequence[Any]) -> bool:
    """Whether the difference of a softmax and something is squared."""
    differences = {
        node for node in nodes
        if op_of(node) == "sub" and any(op_of(behind(edge)[0]) == "softmax" for edge in node.edges if edge is not None)
    }  # fmt: skip
    squares = (node for node in nodes if op_of(node) in ("mul", "pow", "abs"))
    return any(graph.node_of(edge) in differences for node in squares for edge in node.edges if edge is not None)


@dataclass
class Step:
    """The graph of one step: what its checks read."""

    snapshot: Snapshot
    nodes: list[Any]
    calls: list[Call]
    end: int  # the serial after the last module call
    where: str  # the source line of the loss
    loss_dtype: Any


def losses(nodes: Iterable[Any], end: int) -> list[LossCall]:
    """The losses that the nodes after the model are of, for loss functions that were called under another name."""
    found = []
    after = {op_of(node): node for node in nodes if isinstance(node, OpNode) and node.serial > end}
    for kind, op in (("cross_entropy", "cross_entropy"), ("nll_loss", "nll")):
        node = after.get(op)
        if node is not None and node.saved:
            target = node.saved[-1] if node.saved[-1].dtype.kind in "iu" else None
            found.append(_loss(kind, node.edges[0], node.shapes[0], target))
    if "log1p" in after and "log" in after:
        found.append(_loss("binary_cross_entropy", after["log"].edges[0], after["log"].shapes[0], None))
    elif {"relu", "exp", "log1p", "sub"} <= set(after):  # (1 - target) * scores + log(1 + exp(-scores))
        negated = graph.node_of(after["relu"].edges[0])
        if op_of(negated) == "neg":
            found.append(_loss("binary_cross_entropy_with_logits", negated.edges[0], negated.shapes[0], None))
    return [call for call in found if call.output is not None]


def _loss(kind: str, edge: Any, shape: Any, target: Any) -> LossCall:
    """A call as far as the graph tells: the output in its place in the graph, its values where some node kept them."""
    node, _ = behind(edge)
    values = output_of(node) if isinstance(node, OpNode) else None
    values = np.zeros(shape, np.float32) if values is None else values
    output = wrap(values).rewrap(values, edge) if edge is not None else None
    return LossCall(kind, output, None if target is None else wrap(target), {})
