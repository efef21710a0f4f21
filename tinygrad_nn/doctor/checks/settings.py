"""Checks of what was set: the schedule, weight decay, clipping, dropout, the sign of the loss, layers without activation."""

from __future__ import annotations

from math import isclose
from statistics import median

from tinygrad_nn.doctor import graph_reading as reading
from tinygrad_nn.doctor.findings import Report
from tinygrad_nn.doctor.graph_reading import Step
from tinygrad_nn.doctor.seen import Seen

LINEAR = ("linear", "convolution")
EXPLAIN = ("schedule-too-fast", "weight-decay-too-high", "clipped-away", "wrong-sign", "dropout-too-high")


def explained(report: Report) -> bool:
    """Whether a setting is known to be the reason of updates or losses that look like those of a wrong learning rate."""
    return any(code in report for code in EXPLAIN)


def dropout(seen: Seen, report: Report) -> None:
    """Dropout that leaves next to nothing."""
    for path, module in seen.model.named_modules():
        p = getattr(module, "p", None) if "Dropout" in type(module).__name__ else None
        if isinstance(p, float | int) and p > 0.8:
            where = f"model.{path} ({type(module).__name__})" if path else "model"
            report.add("dropout-too-high", where, f"p={p:g} drops {p:.0%} of the values", "error" if p > 0.95 else None)


def sign(seen: Seen, step: Step, report: Report) -> None:
    """A loss of classes or distances with a minus before it."""
    value, negations = step.snapshot.loss, [node for node in step.nodes[-1:] if reading.op_of(node) == "neg"]
    negated = any(isclose(value, -call.value, rel_tol=1e-5) for call in step.snapshot.calls if call.kind != "nll_loss")
    negated |= any(reading.op_of(reading.behind(node.edges[0])[0]) == "cross_entropy" for node in negations)
    if value < 0 and negated:
        report.add("wrong-sign", f"the loss at {step.where}", f"backward begins at {value:.3g}, the negative of a loss")


def chained(seen: Seen, step: Step, report: Report) -> None:
    """Note two linear layers with nothing between them; they are told of if the training fails."""
    for node in step.nodes:
        if reading.op_of(node) in LINEAR and not seen.chained:
            before, between = reading.behind(node.edges[0])
            if reading.op_of(before) in LINEAR and not reading.CLIPS & set(between):
                paths = [reading.path_of(one, step.calls) for one in (before, node)]
                seen.chained = " and ".join(paths) if all(paths) else ""


def no_activation(seen: Seen, report: Report) -> None:
    """Two linear layers in a row, which are one, in a model that does not fit."""
    if seen.chained and ("stuck-at-chance" in report or "underfit" in report):
        report.add("no-activation", seen.chained, "nothing bends the values between these two layers: together they are one")


def schedule(seen: Seen, report: Report) -> None:
    """A schedule that brings the learning rate to nothing while most of the steps are yet to come."""
    if seen.steps >= 20 and seen.starved > 0.5 * seen.steps:
        now = float(seen.optimizer.param_groups[0]["lr"])
        told = f"from {seen.highest_rate:.3g} to {now:.3g}, below a thousandth in {seen.starved} of {seen.steps} steps"
        report.add("schedule-too-fast", "the schedule", f"the learning rate went {told}")


def decay(seen: Seen, report: Report) -> None:
    """Weight decay that takes a noticeable part of the weights away at each step."""
    if seen.optimizer is None or seen.learned or not seen.steps:
        return
    for group in seen.optimizer.param_groups:
        rate, amount = max(float(group["lr"]), seen.highest_rate), float(group.get("weight_decay") or 0.0)
        if amount * rate > 0.02 or amount >= 1:
            told = f"weight_decay={amount:g} at lr {rate:g} takes {amount * rate:.2g} of the weights at each step"
            report.add("weight-decay-too-high", type(seen.optimizer).__name__, told)


def clipping(seen: Seen, report: Report) -> None:
    """Gradients clipped to so little that the weights hardly move."""
    steps = [snapshot for snapshot in seen.snapshots if snapshot.updates and snapshot.step > 0]
    if len(steps) < 2 or seen.learned:
        return
    left = median(step.left for step in steps)
    update = median(ratio for step in steps for ratio in step.updates.values())
    if 0 < left < 0.01 and update < 2e-4:
        told = f"{left:.1e} of the gradients is left at the step, which changes the weights by {update:.1e}"
        report.add("clipped-away", "between backward and step", told)
