"""What went wrong, in the doctor's words: exceptions explained, and the first op that made a value that is not finite."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn.autograd import detect_anomaly, enable_grad
from tinygrad_nn.doctor import graph_reading as reading
from tinygrad_nn.doctor.checks.data import CLASSES, is_one_hot
from tinygrad_nn.doctor.findings import DoctorError
from tinygrad_nn.doctor.seen import LOSSES, LossCall
from tinygrad_nn.generator import default_generator
from tinygrad_nn.graph import reachable
from tinygrad_nn.nn import functional
from tinygrad_nn.op_node import OpNode
from tinygrad_nn.tensor import Tensor

if TYPE_CHECKING:
    from tinygrad_nn.doctor.watch import watch


def quietly(function: Callable[..., Any], *args: Any) -> None:
    """Call what must not hide the error that is on its way."""
    with suppress(DoctorError):
        function(*args)


def call_of(trace: TracebackType | None) -> LossCall | None:
    """The call of a loss function that an exception came out of, whatever name it was called by."""
    line = reading.user_line()
    while trace is not None:
        frame = trace.tb_frame
        if not frame.f_code.co_filename.startswith(reading.PACKAGE):
            line = f"{Path(frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
        if trace is not None and trace.tb_frame.f_code.co_name in LOSSES:
            known = trace.tb_frame.f_locals
            if isinstance(known.get("input"), Tensor) and isinstance(known.get("target"), Tensor):
                return LossCall(
                    trace.tb_frame.f_code.co_name,
                    known["input"],
                    known["target"],
                    {},
                    line,
                )
    return None


def explain(watched: watch, error: Exception) -> None:
    """Add the finding that an exception is the consequence of, if it is known."""
    if isinstance(error, DoctorError):
        return
    text, add = str(error), watched.report.add
    call, where = watched.call, watched.seen.where or "the loss"
    if "a second time" in text:
        quietly(add, "backward-twice", where, text)
    elif "does not require grad" in text:
        quietly(add, "detached", where, text)
    elif "batch" in type(error).__name__.lower() or "more than 1 value per channel" in text:
        quietly(add, "batch-norm-batch-one", "model", text)
    elif call is not None:
        quietly(_explain_loss, watched, text)


def _explain_loss(watched: watch, text: str) -> None:
    call, add = watched.call, watched.report.add
    assert call is not None
    output, target = call.output.detach().numpy(), call.target.detach().numpy()
    where, shapes = call.where or watched.seen.where, f"output {list(output.shape)} and target {list(target.shape)}"
    floating = target.dtype.kind == "f"
    if call.kind in CLASSES:
        if is_one_hot(call):
            add("label-one-hot", where, f"{shapes}, rows of one 1, {call.target.dtype}", "error")
        elif "out of bounds" in text:
            low, high = target.min(), target.max()
            add("label-out-of-range", where, f"labels {low} to {high}, and {output.shape[min(1, output.ndim - 1)]} classes")
        elif floating or "scalar type" in text:
            add("label-dtype", where, f"targets of dtype {call.target.dtype}, {shapes}")
        elif output.shape[:1] != target.shape[:1] or output.ndim - 1 != target.ndim:
            add("label-shape", where, shapes)
    elif "between 0 and 1" in text and call.kind == "binary_cross_entropy":
        if output.min() < 0 or output.max() > 1:
            add("bce-on-raw-scores", where, f"BCE gets values {output.min():.3g} to {output.max():.3g}")
        else:
            add("label-out-of-range", where, f"targets {target.min():.3g} to {target.max():.3g}, expected 0 to 1")
    elif output.shape != target.shape:
        add("label-shape", where, shapes)
    elif not floating or "dtype" in text:
        add("label-dtype", where, f"targets of dtype {call.target.dtype}, outputs of {call.output.dtype}")


def first_not_finite(watched: watch, loss: Any) -> None:
    """Find where the first NaN or infinity came from, and add it."""
    seen, add = watched.seen, watched.report.add
    inputs = [x for x in watched.inputs if isinstance(x, type(loss)) and x._data.dtype.kind == "f"]
    if any(not np.isfinite(x._data).all() for x in inputs):
        if "input-not-finite" in watched.report:
            return
        bad = sum(int(np.count_nonzero(~np.isfinite(x._data))) for x in inputs)
        add("input-not-finite", "the model's input", f"{bad} values of the batch of step {seen.steps + 1} are NaN or infinite")
        return
    ill = [name for name, p in watched.parameters.items() if not np.isfinite(p._data).all()]
    past = [value for value in seen.losses[:-1] if np.isfinite(value)]
    if ill:
        rate = float(watched.optimizer.param_groups[0]["lr"]) if watched.optimizer is not None else float("nan")
        if past and (past[-1] > 1.5 * past[0] or max(past) > 3 * past[0]):
            add(
                "lr-too-high",
                f"lr {rate:g}",
                f"the loss grew from {past[0]:.3g} to {max(past):.3g}, then model.{ill[0]} was not finite",
            )
        else:
            add(
                "not-finite",
                f"model.{ill[0]}",
                f"the step before step {seen.steps + 1} left {len(ill)} parameters that are not finite",
            )
        return
    add("not-finite", watched.call.where or seen.where if watched.call else seen.where or "the loss", first_op(watched, loss))


def first_op(watched: watch, loss: Any) -> str:
    """The first op that made a value that is not finite: by computing again, or, failing that, from what the graph saved."""
    said = _again(watched)
    if said:
        return said
    nodes = reachable([loss.edge] if loss.requires_grad else [])
    for node in (node for node in nodes if isinstance(node, OpNode)):
        for value in (*(node.saved or ()), _output(node)):
            if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not np.isfinite(value).all():
                path = reading.path_of(node, watched.calls)
                return f"the first was seen or made by {node.op.name}{f', in {path}' if path else ''}, shape {list(value.shape)}"
    return f"the loss is {float(loss._data)} in step {watched.seen.steps + 1}"


def _output(node: OpNode) -> Any:
    """What a node made, computed again where it kept all of its inputs."""
    if node.op.variadic or not node.saved or node.plan.keep != tuple(range(len(node.op.inputs))):
        return None
    with np.errstate(all="ignore"):
        return np.asarray(node.op.forward(*node.saved, **node.attributes))


def _again(watched: watch) -> str:
    """Compute the step again with anomaly detection; nothing is left changed."""
    state, call = default_generator.get_state(), watched.call
    buffers = [(buffer, buffer._data.copy()) for buffer in watched.model.buffers()]
    watched.paused = True
    try:
        with detect_anomaly(), enable_grad(), np.errstate(all="ignore"):
            output = watched.model.forward(*watched.inputs)
            if call is not None and call.target is not None:
                source = output if hasattr(output, "_data") and output.shape == call.output.shape else call.output
                getattr(functional, call.kind)(source, call.target, **call.options)
    except RuntimeError as error:
        return str(error)
    finally:
        watched.paused = False
        default_generator.set_state(state)
        for buffer, values in buffers:
            buffer._data[...] = values
    return ""
