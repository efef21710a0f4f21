"""Checks of the layers: saturation, dead units, gradients and updates."""

from __future__ import annotations

from collections import defaultdict
from math import isfinite
from statistics import median

import numpy as np

from tinygrad_nn.doctor.checks.settings import explained
from tinygrad_nn.doctor.findings import Report
from tinygrad_nn.doctor.seen import Activation, Seen


def _by_place(seen: Seen) -> dict[tuple[str, str], list[Activation]]:
    places = defaultdict(list)
    for snapshot in (snapshot for snapshot in seen.snapshots if isfinite(snapshot.loss)):
        for activation in snapshot.activations:
            places[activation.path, activation.kind].append(activation)
    return places


def saturation(seen: Seen, report: Report) -> None:
    """Sigmoids and tanhs that are flat for most of their inputs."""
    for (path, kind), found in _by_place(seen).items():
        if kind == "relu" or not found[0].hidden:
            continue
        flat = median(activation.flat for activation in found)
        if flat > 0.7:
            report.add(
                "saturated", path, f"{flat:.0%} of the outputs lie where {kind} is flat", "error" if flat > 0.9 else "warning"
            )
            if not found[0].bias:
                report.add("missing-bias", path, f"the layer before has no bias, and {flat:.0%} of the outputs are saturated")


def dead_relus(seen: Seen, report: Report) -> None:
    """ReLUs that were positive for no sample of any step looked at."""
    for (path, kind), found in _by_place(seen).items():
        late = found[len(found) // 2 :]
        if kind != "relu" or sum(activation.samples for activation in late) < 32:
            continue
        fired = np.logical_or.reduce([activation.fired for activation in late])
        dead = 1 - np.count_nonzero(fired) / fired.size
        if dead > 0.5:
            samples = sum(activation.samples for activation in late)
            report.add(
                "dead-relu",
                path,
                f"{dead:.0%} of {fired.size} units never fire in {samples} samples",
                "error" if dead > 0.9 else "warning",
            )


def gradients(seen: Seen, report: Report) -> None:
    """Gradients that shrink or grow from layer to layer."""
    steps = [snapshot for snapshot in seen.snapshots if snapshot.gradients]
    names = [name for name in (steps[0].gradients if steps else {}) if name.endswith("weight") and seen.is_matrix(name)]
    if not names:
        return
    size = {name: median(step.gradients.get(name, 0.0) for step in steps) for name in names}
    weight = {name: median(step.weights.get(name, 1.0) for step in steps) for name in names}
    largest = max(names, key=size.__getitem__)
    worst = max((size[name] / max(weight[name], 1e-3), name) for name in names)
    if not np.isfinite(worst[0]) and any(code in report for code in ("input-not-finite", "label-not-finite", "not-finite")):
        return
    if not np.isfinite(worst[0]) or worst[0] > 1e3:
        report.add(
            "exploding-gradients",
            f"model.{worst[1]}",
            f"gradients of root mean square {size[worst[1]]:.2g}, weights of {weight[worst[1]]:.2g}",
        )
    if len(names) < 2:
        return
    first = names[0]
    if size[largest] > 0 and size[first] < 1e-4 * size[largest]:
        report.add(
            "vanishing-gradients",
            f"model.{first}",
            f"gradients of root mean square {size[first]:.2g} there, {size[largest]:.2g} in {largest}",
        )
    elif size[first] > 1e3 * max(size[names[-1]], 1e-30) and size[first] > 1:
        report.add(
            "exploding-gradients",
            f"model.{first}",
            f"gradients of root mean square {size[first]:.2g} there, {size[names[-1]]:.2g} in {names[-1]}",
        )


def silent_parameters(seen: Seen, report: Report) -> None:
    """Parameters that never got a gradient."""
    if not seen.backwards:
        return
    wanted = {name: p for name, p in seen.model.named_parameters() if p.requires_grad}
    silent = [name for name in wanted if name not in seen.with_gradient]
    if silent and len(silent) == len(wanted):
        report.add(
            "detached", seen.where or "the loss", f"none of {len(wanted)} parameters got a gradient in {seen.backwards} backwards"
        )
    elif silent:
        shown = ", ".join(f"model.{name}" for name in silent[:4]) + (", ..." if len(silent) > 4 else "")
        report.add("no-gradient", shown, f"{len(silent)} of {len(wanted)} parameters got no gradient in {seen.backwards} backwards")


def update_ratios(seen: Seen, report: Report) -> None:
    """Updates that are a tiny or a large part of the weights."""
    steps = [snapshot for snapshot in seen.snapshots if snapshot.updates and snapshot.step > 0]
    ratios = {name: median(s.updates[name] for s in steps if name in s.updates) for name in (steps[0].updates if steps else {})}
    if len(steps) < 2 or not ratios or seen.learned or explained(report):
        return
    high = [name for name, ratio in ratios.items() if ratio > 0.1]
    low = [name for name, ratio in ratios.items() if 0 < ratio < 1e-6]
    for names, word in ((high, "high"), (low, "low")):
        if len(names) >= max(1, len(ratios) / 2):
            worst = names[0]
            report.add(
                "update-ratio",
                f"model.{worst}",
                f"an update is {ratios[worst]:.1e} of the weights, expected about 1e-3: too {word}",
            )
