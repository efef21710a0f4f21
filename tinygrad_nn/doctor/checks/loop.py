"""Checks of the loop: the optimizer's parameters, steps that were forgotten."""

from __future__ import annotations

from collections import Counter

from tinygrad_nn.doctor.findings import Report
from tinygrad_nn.doctor.seen import Seen


def optimizer_holds_the_parameters(seen: Seen, report: Report) -> None:
    """Parameters that are in the optimizer twice, not at all, or in its place those of another model."""
    if seen.optimizer is None:
        return
    held = Counter(id(p) for group in seen.optimizer.param_groups for p in group["params"])
    wanted = {id(p): name for name, p in seen.model.named_parameters() if p.requires_grad}
    where, missing = type(seen.optimizer).__name__, [name for key, name in wanted.items() if key not in held]
    foreign = sum(key not in seen.names for key in held)
    if wanted and len(missing) == len(wanted):
        report.add(
            "optimizer-of-another-model", where, f"none of the model's {len(wanted)} parameters is in it, {foreign} others are"
        )
    elif missing:
        shown = ", ".join(f"model.{name}" for name in missing[:4]) + (", ..." if len(missing) > 4 else "")
        report.add("not-in-optimizer", shown, f"{len(missing)} of {len(wanted)} trainable parameters are not in {where}")
    twice = [seen.names.get(key, "?") for key, count in held.items() if count > 1]
    if twice:
        report.add(
            "twice-in-optimizer",
            ", ".join(f"model.{name}" for name in twice[:4]),
            f"{len(twice)} parameters are in {where} more than once",
        )


def something_learns(seen: Seen, report: Report) -> None:
    """A model of which no parameter is to learn."""
    parameters = list(seen.model.parameters())
    if parameters and not any(p.requires_grad for p in parameters):
        report.add("frozen", "model", f"requires_grad is False for all {len(parameters)} parameters")


def stepped(seen: Seen, report: Report) -> None:
    """Gradients that no step used."""
    if seen.optimizer is not None and seen.backwards >= 2 and not seen.steps:
        report.add("forgot-step", type(seen.optimizer).__name__, f"{seen.backwards} backwards and no step")
