"""Checks of how the model's output meets the loss: what the op graph says lies between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_nn.doctor import graph_reading as reading
from tinygrad_nn.doctor.findings import Report
from tinygrad_nn.doctor.graph_reading import Step
from tinygrad_nn.doctor.seen import Seen
from tinygrad_nn.graph import node_of
from tinygrad_nn.op_node import OpNode

NAMES = {
    "cross_entropy": "cross-entropy", "nll_loss": "NLLLoss", "binary_cross_entropy": "BCE", "mse_loss": "squared error",
    "binary_cross_entropy_with_logits": "BCE-with-logits",
}  # fmt: skip
WRONG_BEFORE = {  # what must not stand before a loss
    ("cross_entropy", "softmax"): "softmax-before-cross-entropy",
    ("cross_entropy", "sigmoid"): "sigmoid-before-cross-entropy",
    ("cross_entropy", "tanh"): "sigmoid-before-cross-entropy",
    ("cross_entropy", "relu"): "sigmoid-before-cross-entropy",
    ("binary_cross_entropy_with_logits", "softmax"): "softmax-before-bce-with-logits",
    ("binary_cross_entropy_with_logits", "sigmoid"): "sigmoid-twice",
    ("mse_loss", "softmax"): "mse-on-softmax",
}
RAW = {"linear", "matmul", "add", "mul", "relu", "tanh", "convolution", "sub", "standardize"}


def loss_input(seen: Seen, step: Step, report: Report) -> None:
    """An activation that the loss applies itself, or one that it wants and does not get."""
    for call in step.snapshot.calls:
        if not call.output.requires_grad:
            continue
        node, between = reading.behind(call.output.edge)
        op, scores = reading.function_of(node), call.output.detach().numpy()
        where = " → ".join(
            filter(None, (reading.path_of(node, step.calls) or op, f"{NAMES.get(call.kind, call.kind)} at {call.where}"))
        )
        code = WRONG_BEFORE.get((call.kind, op))
        if code:
            low, high = float(scores.min()), float(scores.max())
            wanted = "" if code == "mse-on-softmax" else ", where it wants raw scores"
            report.add(code, where, f"the loss gets the output of {op}, values {low:.3g} to {high:.3g}{wanted}")
        elif call.kind == "binary_cross_entropy" and op in RAW:
            clipped = " after clipping" if set(between) & reading.CLIPS else ""
            raw = node_values(call.output.edge)
            outside = ""
            if raw is not None:
                share = np.mean((raw <= 0) | (raw >= 1))
                outside = f"; {share:.0%} of the scores lie outside (0, 1), where clipping leaves no gradient"
            report.add("bce-on-raw-scores", where, f"BCE gets the output of {op}{clipped}, which is no probability{outside}")
        elif call.kind == "nll_loss" and op not in ("log_softmax", "log", "sub") and float(scores.max()) > 1e-4:
            report.add(
                "nll-on-raw-scores",
                where,
                f"NLLLoss gets the output of {op}, values up to {scores.max():.3g}; log-probabilities are at most 0",
            )


def node_values(edge: Any) -> Any:
    """The scores that a clip saw, where its node saved them."""
    node = node_of(edge)
    while isinstance(node, OpNode) and node.op.name in reading.SHAPING:
        if node.op.name in reading.CLIPS and node.saved and 0 in node.plan.keep:
            return np.asarray(node.saved[node.plan.keep.index(0)])
        node = node_of(node.edges[0])
    return None


def shapes(seen: Seen, step: Step, report: Report) -> None:
    """Outputs and targets that only fit because they broadcast."""
    for call in (call for call in step.snapshot.calls if call.target is not None):
        a, b = tuple(call.output.shape), tuple(call.target.shape)
        if call.kind in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss") and a != b:
            spread = np.broadcast_shapes(a, b)
            place, fewer = f"{NAMES.get(call.kind, call.kind)} at {call.where}", max(call.output.numel(), call.target.numel())
            evidence = f"output {list(a)} and target {list(b)} are spread to {list(spread)}"
            report.add("loss-broadcast", place, f"{evidence}: {int(np.prod(spread))} differences, expected {fewer}")
    told = {shape for call in step.snapshot.calls if call.target is not None for shape in (call.output.shape, call.target.shape)}
    for _, (a, b) in reading.broadcasting(step.nodes, step.end):
        if {a, b} <= set(map(tuple, told)):
            continue
        spread = np.broadcast_shapes(a, b)
        report.add(
            "loss-broadcast", f"the loss at {step.where}", f"a difference of {list(a)} and {list(b)} is spread to {list(spread)}"
        )


def softmax_axis(seen: Seen, step: Step, report: Report) -> None:
    """A softmax along the first of several axes, which holds the samples."""
    batch = len(step.snapshot.inputs[0]) if step.snapshot.inputs and step.snapshot.inputs[0].ndim else 0
    for node in step.nodes:
        if reading.op_of(node) in ("softmax", "log_softmax") and len(node.shapes[0]) == 2:
            shape, axis = node.shapes[0], node.attributes["axis"] % 2
            if axis == 0 and shape[0] == batch and batch > 1:
                place = reading.path_of(node, step.calls) or f"the loss at {step.where}"
                report.add(
                    "softmax-over-batch", place, f"softmax along axis 0 of {list(shape)}: the {batch} samples share a sum of 1"
                )


def doubled_sigmoid(seen: Seen, step: Step, report: Report) -> None:
    """A sigmoid of a sigmoid, or a softmax of a softmax."""
    for node in step.nodes:
        if reading.op_of(node) in reading.PROBABILITIES:
            before, _ = reading.behind(node.edges[0])
            if reading.op_of(before) == reading.op_of(node):
                place = reading.path_of(node, step.calls) or f"the loss at {step.where}"
                report.add("sigmoid-twice", place, f"the input of this {reading.op_of(node)} is already the output of one")


def squared_softmax(seen: Seen, step: Step, report: Report) -> None:
    """A squared error, written out, on a softmax."""
    if not any(call.kind == "mse_loss" for call in step.snapshot.calls) and reading.squared_softmax(step.nodes):
        report.add("mse-on-softmax", f"the loss at {step.where}", "the difference between a softmax and the target is squared")


def precision(seen: Seen, step: Step, report: Report) -> None:
    """float64 in a model of float32 parameters."""
    if any(p.dtype.itemsize == 8 for p in seen.model.parameters()):
        return
    casts = [node for node in step.nodes if reading.op_of(node) == "astype" and node.attributes["dtype"] == np.float64]
    if casts or step.loss_dtype == np.float64:
        place = next((path for node in casts if (path := reading.path_of(node, step.calls))), f"the loss at {step.where}")
        sources = [f"model input of dtype {x.dtype}" for x in step.snapshot.inputs if x.dtype == np.float64]
        sources += [
            f"target of dtype {c.target.dtype}"
            for c in step.snapshot.calls
            if c.target is not None and c.target.dtype.itemsize == 8 and c.target.is_floating_point()
        ]
        report.add("float64", place, f"{len(casts)} casts to float64 in one step" + (f", from a {sources[0]}" if sources else ""))
