"""Checks of where a training begins: initial weights and the first loss."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_nn.doctor.findings import Report
from tinygrad_nn.doctor.seen import Seen

MULTIPLIED = ("Linear", "Conv", "Bilinear")  # modules whose weights multiply, the first axis counting outputs


def _matrices(seen: Seen) -> Iterator[tuple[str, Any]]:
    for path, module in seen.model.named_modules():
        if type(module).__name__.startswith(MULTIPLIED) and getattr(module, "weight", None) is not None:
            name = type(module).__name__
            yield f"model.{path} ({name})" if path else f"model ({name})", module.weight.detach().numpy()


def weights_differ(seen: Seen, report: Report) -> None:
    """Weights that are all one number; a last layer of zeros is no mistake."""
    matrices = list(_matrices(seen))
    for i, (path, w) in enumerate(matrices):
        if w.shape[0] > 1 and w.size > 2 and (w == w.flat[0]).all() and (w.flat[0] != 0 or i + 1 < len(matrices)):
            report.add("init-constant", path, f"all {w.size} weights are {w.flat[0]:.3g}")


def weights_have_scale(seen: Seen, report: Report) -> None:
    """Weights whose products grow or shrink many times over in one layer."""
    for path, w in _matrices(seen):
        fan_in = w.size // w.shape[0]
        size = math.sqrt(float(np.mean(w * w)))
        gain = size * math.sqrt(fan_in)
        if w.size >= 16 and (gain > 6 or 0 < gain < 0.02):
            report.add(
                "init-scale",
                path,
                f"weights of about {size:.3g} with {fan_in} inputs multiplies the signal by {gain:.2g}; expected 0.3 to 2",
            )


def first_loss(seen: Seen, report: Report) -> None:
    """A first loss far above that of guessing."""
    chance = seen.chance
    if seen.kind in ("cross_entropy", "nll_loss") and seen.classes > 1 and seen.losses and chance is not None:
        guess = math.log(seen.classes)
        if seen.losses[0] > 2 * guess + 0.5:
            report.add(
                "initial-loss",
                seen.where,
                f"the first loss is {seen.losses[0]:.3g}; guessing gives ln {seen.classes} = {guess:.3g}",
            )
    elif seen.kind.startswith("binary") and not seen.weighted and seen.losses and 2.5 < seen.losses[0] < math.inf:
        report.add("initial-loss", seen.where, f"the first loss is {seen.losses[0]:.3g}; guessing gives ln 2 = 0.693")
