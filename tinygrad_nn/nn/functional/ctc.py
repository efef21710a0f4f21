"""Connectionist temporal classification: sequences of labels that nobody has aligned with the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_nn.methods import arranging, pointwise
from tinygrad_nn.nn.functional.checks import check_reduction, expect_floating
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap

_GREAT = 80.0  # far above any log-probability, and exp of it a number
_IMPOSSIBLE = -1e30  # the log-probability of what cannot be: finite, so that its slopes are numbers


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | Sequence[int],
    target_lengths: Tensor | Sequence[int],
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-log of the probability of the targets, summed over all alignments: Graves et al., CTC, 2006.

    `log_probs` is (T, N, C) or (T, C); `targets` (N, S), or all of them one after the other. The mean is of each loss
    divided by its number of labels; an impossible alignment costs infinity, with the gradient NaN, or nothing if
    `zero_infinity`. The gradient, as PyTorch's, is exp(log_probs) more than the true one, which a log_softmax before it takes
    away again. RuntimeError for what does not fit, ValueError for an unknown reduction.
    """
    check_reduction(reduction)
    expect_floating("ctc_loss", log_probs)
    if log_probs.ndim not in (2, 3):
        raise RuntimeError(f"ctc_loss: expected log_probs (T, N, C) or (T, C), got {list(log_probs.shape)}")
    batched = log_probs.ndim == 3
    log_probs = log_probs if batched else log_probs.unsqueeze(1)
    steps, count, classes = log_probs.shape
    inputs, lengths = (_lengths(given, count) for given in (input_lengths, target_lengths))
    if not 0 <= blank < classes:
        raise RuntimeError(f"blank must be in label range: expected 0 to {classes - 1}, got {blank}")
    if inputs.size and inputs.max() > steps:
        raise RuntimeError(f"Expected input_lengths to have value at most {steps}, but got value {inputs.max()}")
    labels = _with_blanks(targets._data, lengths, blank)
    chances = log_probs.gather(2, wrap(np.ascontiguousarray(np.broadcast_to(labels, (steps, *labels.shape)))))
    end = wrap(2 * lengths[:, None])
    total = _alignments(chances, labels, inputs, blank)
    last, before = total.gather(1, end), total.gather(1, (end - 1).clamp(min=0))
    likelihood = pointwise.where(end > 0, pointwise.logaddexp(last, before), last).squeeze(1)
    chance = log_probs.clamp(max=_GREAT).exp().sum(2)
    mass = pointwise.where(wrap(np.arange(steps)[:, None] < inputs), chance, 0.0).sum(0)
    likelihood = likelihood - (mass - mass.detach())  # for its gradient
    impossible = likelihood < _IMPOSSIBLE / 2
    losses = pointwise.where(impossible, 0.0, -likelihood)
    if not zero_infinity:
        losses = losses - pointwise.where(impossible, mass * 0, 1.0).log()  # infinity, and its slope NaN
    if reduction == "mean":
        return (losses / losses.new_tensor(np.maximum(lengths, 1))).mean()
    return losses.sum() if reduction == "sum" else losses if batched else losses.squeeze(0)


def _lengths(given: Tensor | Sequence[int], count: int) -> Any:
    lengths = np.asarray(given._data if isinstance(given, Tensor) else given, np.int64).reshape(-1)
    if len(lengths) != count or (lengths < 0).any():
        raise RuntimeError(f"ctc_loss: expected {count} lengths of at least 0, got {lengths.tolist()}")
    return lengths


def _with_blanks(targets: Any, lengths: Any, blank: int) -> Any:
    """The labels of each row with a blank before, between and after them: (N, 2 S + 1)."""
    longest = int(lengths.max(initial=0))
    labels = np.full((len(lengths), 2 * longest + 1), blank)
    start = 0
    for row, length in enumerate(lengths):
        part = targets[row] if targets.ndim == 2 else targets[start : start + length]
        if len(part) < length:
            raise RuntimeError(f"ctc_loss: expected at least {length} targets for row {row}, got {len(part)}")
        labels[row, 1 : 2 * length + 1 : 2] = part[:length]
        start += length
    return labels


def _alignments(chances: Tensor, labels: Any, inputs: Any, blank: int) -> Tensor:
    """The log-probability that the input, when it ends, has got to each label: (N, 2 S + 1)."""
    width = labels.shape[1]
    first = np.arange(width) < 2
    may_skip = np.zeros(labels.shape, bool)  # a blank between two labels that differ
    may_skip[:, 2:] = (labels[:, 2:] != blank) & (labels[:, 2:] != labels[:, :-2])
    at = pointwise.where(wrap(np.array([[True]]) & first), chances[0], _IMPOSSIBLE)
    for step in range(1, len(chances)):
        one, two = (arranging.pad(at, (back, 0), value=_IMPOSSIBLE)[:, :width] for back in (1, 2))
        reached = pointwise.logaddexp(pointwise.logaddexp(at, one), pointwise.where(wrap(may_skip), two, _IMPOSSIBLE))
        at = pointwise.where(wrap((step < inputs)[:, None]), chances[step] + reached, at)
    return at
