"""Checks of what comes in: scale, constants, NaN, labels, order, repetition, leakage."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tinygrad_nn.doctor.findings import Report
from tinygrad_nn.doctor.graph_reading import Step
from tinygrad_nn.doctor.seen import LossCall, Seen

CLASSES = ("cross_entropy", "nll_loss")


def inputs(seen: Seen, step: Step, report: Report) -> None:
    """Inputs that are NaN, constant, or far from 1."""
    for i, x in enumerate(step.snapshot.inputs):
        where = f"input {i} of the model, shape {list(x.shape)}" if i else f"the model's input, shape {list(x.shape)}"
        if x.dtype.kind != "f" or x.size < 2:
            continue
        bad = x.size - int(np.count_nonzero(np.isfinite(x)))
        if bad:
            report.add("input-not-finite", where, f"{bad} of {x.size} values are NaN or infinite")
            continue
        low, high = float(x.min()), float(x.max())
        if len(x) > 1 and x.ndim > 1 and (x == x[:1]).all():
            report.add("input-constant", where, f"all {len(x)} samples of the batch are equal, values {low:.3g} to {high:.3g}")
            continue
        size = float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))
        evidence = f"values {low:.3g} to {high:.3g}, mean {x.mean():.3g}, root mean square {size:.3g}; expected about 1"
        if size > 10:
            report.add("input-scale", where, evidence, "error" if size > 30 else "warning")
        elif 0 < size < 1e-2:
            report.add("input-scale", where, evidence)
        elif x.ndim == 2 and x.shape[1] <= 256 and len(x) >= 8:
            spread = x.std(0)
            used = spread[spread > 0]
            if used.size > 1 and used.max() > 300 * used.min() and used.max() > 3:
                report.add("input-scale", where, f"standard deviations of the features from {used.min():.2g} to {used.max():.2g}")


def targets(seen: Seen, step: Step, report: Report) -> None:
    """Targets that are NaN, one-hot or of another scale."""
    for call in (call for call in step.snapshot.calls if call.target is not None):
        y = call.target.detach().numpy()
        if y.dtype.kind == "f" and not np.isfinite(y).all():
            report.add("label-not-finite", call.where, f"{int((~np.isfinite(y)).sum())} of {y.size} targets are NaN or infinite")
        elif call.kind == "mse_loss" and y.size > 1 and float(np.abs(y).mean()) > 30:
            report.add("target-scale", call.where, f"targets of mean {y.mean():.3g}, deviation {y.std():.3g}; expected about 1")
        if call.kind in CLASSES and y.dtype.kind == "f" and is_one_hot(call):
            report.add("label-one-hot", call.where, f"targets {list(y.shape)} are rows of one 1; this works, at some cost", "info")


def is_one_hot(call: LossCall) -> bool:
    """Whether the targets are rows of zeros with a single one."""
    y = call.target.detach().numpy()
    return y.ndim == 2 and y.shape[1] > 1 and bool(((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all())


def order(seen: Seen, report: Report) -> None:
    """Batches with far fewer classes than a shuffle would give."""
    if seen.kind not in CLASSES or len(seen.labels) < 4 or any(y.ndim != 1 or y.dtype.kind == "f" for y in seen.labels):
        return
    known = np.concatenate(seen.labels)
    batch, total = len(seen.labels[0]), len(known)
    where = seen.where
    first = len(np.unique(known[: total // 2]))
    if len(np.unique(known)) == 1 and seen.classes > 1 and total >= 32:
        later = [label for label in seen.later_labels if label.dtype.kind != "f" and (label != known[0]).any()]
        code = "sorted-data" if later else "label-constant"
        report.add(code, where, f"the first {total} labels are all {known[0]}, of {seen.classes} classes")
    elif batch < 4:
        changes = int(np.count_nonzero(np.diff(known)))
        if total >= 32 and len(np.unique(known)) > 1 and changes < total / 8:
            report.add("sorted-data", where, f"the label changes only {changes} times in {total} samples")
    else:
        rng = np.random.default_rng(0)
        seen_here = float(np.mean([len(np.unique(y)) for y in seen.labels]))
        expected = float(np.mean([len(np.unique(rng.permutation(known)[:batch])) for _ in range(20)]))
        most = min(seen.classes or first, batch)
        if seen_here < 0.6 * min(expected, most) or (total > 20 * most and len(np.unique(known)) < 0.5 * most):
            report.add("sorted-data", where, f"{seen_here:.1f} classes in a batch of {batch}, {expected:.1f} expected if shuffled")


def balance(seen: Seen, report: Report) -> None:
    """Labels that are nearly all of one class, in a loss without weights."""
    classes, binary = seen.kind in CLASSES, seen.kind.startswith("binary")
    single = all(y.dtype.kind != "f" if classes else y.size == len(np.atleast_1d(y)) for y in seen.labels)
    if seen.weighted or not single or not (classes or binary):
        return
    known = np.concatenate([y.ravel() for y in seen.labels])
    values, counts = np.unique(known[known >= 0], return_counts=True)
    share = counts.max() / counts.sum() if 1 < len(values) <= max(seen.classes, 2) else 0.0
    if counts.sum() >= 200 and share > 0.95:
        report.add("imbalanced", seen.where, f"{share:.1%} of the first {counts.sum()} labels are {values[counts.argmax()]:g}")


def repeated(seen: Seen, report: Report) -> None:
    """A batch that comes again at once, while others come too or could have come."""
    rows = [row for row in seen.rows if row]
    if len(rows) >= 8 and len(set(rows)) == 1 and seen.begun >= seen.backwards:
        report.add("batch-twice", "the training loop", f"{len(rows)} steps took one batch, the first of a new pass of the loader")
    pairs = list(pairwise(rows))
    again = sum(a == b for a, b in pairs)
    if len(set(rows)) > 1 and again >= 0.25 * len(pairs) and again > 1:
        report.add("batch-twice", "the training loop", f"{again} of {len(pairs)} steps took the batch of the step before")


def leakage(seen: Seen, report: Report) -> None:
    """Rows of the training inputs among those of the validation."""
    known, held_out = {value for row in seen.rows for value in row}, seen.validation_rows
    common = known & held_out
    if len(common) >= 3 and len(common) > 0.005 * len(held_out):
        report.add(
            "leakage",
            "training and validation data",
            f"{len(common)} of {len(held_out)} validation rows looked at are training rows",
        )
