"""Checks of the curves: diverged, stuck at chance, slow, underfit, overfit."""

from __future__ import annotations

import math
from statistics import median

import numpy as np

from tinygrad_nn.doctor.checks.settings import explained
from tinygrad_nn.doctor.findings import Report
from tinygrad_nn.doctor.seen import Seen


def _rate(seen: Seen) -> str:
    return f"lr {float(seen.optimizer.param_groups[0]['lr']):g}" if seen.optimizer is not None else "the learning rate"


def _ratio(seen: Seen) -> float | None:
    """The median of |update| / |weight| over parameters and steps."""
    found = [ratio for snapshot in seen.snapshots if snapshot.step > 0 for ratio in snapshot.updates.values()]
    return median(found) if found else None


def diverged(seen: Seen, report: Report) -> None:
    """A loss that ends far above where it began."""
    finite = [value for value in seen.losses if math.isfinite(value)]
    if len(finite) < 5 or not seen.steps or explained(report):
        return
    ratio, chance = _ratio(seen), seen.chance
    first, last = finite[0], float(np.mean(finite[-max(1, len(finite) // 10) :]))
    floor = max(first, median(finite[: max(1, len(finite) // 20)]) if chance is None else chance)
    if seen.maximizes and seen.kind and last > 1.5 * abs(floor):
        report.add("wrong-sign", type(seen.optimizer).__name__, f"maximize=True, and the loss went from {first:.3g} to {last:.3g}")
    elif last > 2 * abs(floor) + 1e-3:
        report.add("lr-too-high", _rate(seen), f"the loss went from {first:.3g} to {last:.3g}")
    elif ratio is not None and ratio > 0.2 and last > 0.5 * floor:
        report.add(
            "lr-too-high",
            _rate(seen),
            f"a step changes the weights by {ratio:.0%}, and the loss went from {first:.3g} to {last:.3g}",
        )
    elif max(finite[1:]) > 10 * abs(floor) + 1 and last > 0.9 * floor:
        report.add("lr-too-high", _rate(seen), f"the loss went from {first:.3g} over {max(finite):.3g} to {last:.3g}")
    elif ratio is not None and len(finite) >= 60 and chance and last > 1.25 * chance and max(finite[5:]) > 2 * max(chance, first):
        report.add(
            "lr-too-high",
            _rate(seen),
            f"the loss went from {first:.3g} over {max(finite[5:]):.3g} to {last:.3g}; guessing gives {chance:.3g}",
        )


def stuck(seen: Seen, report: Report) -> None:
    """A loss that stays where guessing is."""
    chance = seen.chance
    if chance is None or len(seen.losses) < 60 or chance < 1e-3:
        return
    last, best = seen.smoothed(0.3), min(seen.smoothed(0.3), seen.smoothed(0.5))
    if 0.97 * chance < best and last < 1.6 * chance:
        of = (
            f" (ln {seen.classes} = {math.log(seen.classes):.3g})"
            if seen.kind in ("cross_entropy", "nll_loss") and seen.classes > 1
            else ""
        )
        report.add(
            "stuck-at-chance",
            seen.where,
            f"the loss is {last:.4g} after {seen.steps} steps; the best constant answer gives {chance:.4g}{of}",
        )


def slow(seen: Seen, report: Report) -> None:
    """A loss that falls, too slowly."""
    ratio = _ratio(seen)
    if ratio is None or len(seen.losses) < 40 or not math.isfinite(sum(seen.losses)) or explained(report):
        return
    first, last = seen.smoothed(0.2, end=False), seen.smoothed(0.2)
    if 0 < ratio < 2e-4 and last > 0.9 * first and last < 1.05 * first:
        report.add(
            "lr-too-low",
            _rate(seen),
            f"a step changes the weights by {ratio:.1e}, and {seen.steps} steps brought the loss from {first:.4g} to {last:.4g}",
        )


def underfit(seen: Seen, report: Report) -> None:
    """A loss that fell a little and stays high."""
    chance = seen.chance
    if chance is None or len(seen.losses) < 200 or not math.isfinite(sum(seen.losses)):
        return
    last, before = seen.smoothed(0.2), float(np.mean(seen.losses[int(0.5 * len(seen.losses)) : int(0.7 * len(seen.losses))]))
    if 0.6 * chance < last <= 0.97 * chance and last > 0.95 * before:
        report.add(
            "underfit", seen.where, f"the loss stays at {last:.3g}, {last / chance:.0%} of what guessing gives ({chance:.3g})"
        )


def overfit(seen: Seen, report: Report) -> None:
    """A validation loss that rises while the training loss falls."""
    epochs: dict[int, list[float]] = {}
    for step, value in seen.validation:
        epochs.setdefault(step, []).append(value)
    points = [(step, float(np.mean(values))) for step, values in sorted(epochs.items())]
    if len(points) < 3 or not seen.losses:
        return
    best_step, best = min(points, key=lambda point: point[1])
    last_step, last = points[-1]
    width = max(1, len(seen.losses) // len(points))
    then, now = np.mean(seen.losses[max(0, best_step - width) : best_step] or [math.nan]), np.mean(seen.losses[-width:])
    if best_step < last_step and last > 1.2 * best and now < 0.9 * then and last > 1.5 * now:
        report.add(
            "overfit",
            "training and validation loss",
            f"the validation loss rose from {best:.3g} at step {best_step} to {last:.3g}, the training loss fell to {now:.3g}",
        )
