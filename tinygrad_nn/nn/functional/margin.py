"""Losses that ask for a distance, a margin, between what belongs together and what does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_nn.methods import pointwise
from tinygrad_nn.nn.functional.checks import check_reduction, expect_constant, expect_floating, reduced, reduction_of
from tinygrad_nn.nn.functional.distance import pairwise_distance
from tinygrad_nn.nn.functional.smooth import log1p_exp, logsigmoid
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """input where the target is 1, max(0, margin - input) where it is -1; ValueError for an unknown reduction."""
    reduction = reduction_of(reduction, size_average, reduce)
    alike = pointwise.where(target != -1, input, 0.0)
    return reduced(alike + pointwise.where(target != 1, (margin - input).clamp(min=0), 0.0), reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin - target * (input1 - input2)): input1 should be larger where the target is 1, smaller where it is -1.

    RuntimeError for different numbers of dimensions, ValueError for an unknown reduction.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return reduced((-target * (input1 - input2) + margin).clamp(min=0), reduction)


def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Tensor:
    """log(1 + exp(-target * input)), without overflow, of targets 1 and -1, in the input's dtype.

    ValueError for an unknown reduction, RuntimeError for a target that requires grad.
    """
    expect_floating("soft_margin_loss", input)
    expect_constant("soft_margin_loss", target=target)
    return reduced(log1p_exp(-(target * input)).to(input.dtype), reduction_of(reduction, size_average, reduce))


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The binary cross-entropy of sigmoid(input), averaged over the classes, which may have a `weight`: (..., C) -> (...).

    ValueError for an unknown reduction.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    losses = losses if weight is None else losses * weight
    return reduced(losses.sum(-1) / input.size(-1), reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The sum over wrong classes of max(0, margin - score of the right one + its score)^p, over C: (N, C) or (C,), p 1 or 2.

    Each row counts with the `weight` (C,) of its class. ValueError for another p and an unknown reduction, RuntimeError for
    shapes that do not fit, a target that is no class and a weight that requires grad.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError(f"only p == 1 and p == 2 supported, got {p}")
    if weight is not None and weight.ndim != 1:
        raise ValueError(f"weight must be one-dimensional, got {weight.ndim} dimensions")
    expect_floating("multi_margin_loss", input)
    expect_constant("multi_margin_loss", weight=weight)
    scores = input.reshape(-1, input.shape[-1] if input.ndim else 1)
    labels = target._data.reshape(-1)
    count, classes = scores.shape
    if input.ndim > 2 or not classes or target.ndim > 1 or len(labels) != count:
        raise RuntimeError(
            f"multi_margin_loss: expected input (N, C) and target (N,), got {list(input.shape)} and {list(target.shape)}"
        )
    if labels.dtype != np.int64:
        raise RuntimeError(f"multi_margin_loss: expected a target of int64, got {target.dtype}")
    if weight is not None and len(weight) != classes:
        raise RuntimeError(f"multi_margin_loss: expected a weight ({classes},), got {list(weight.shape)}")
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        raise RuntimeError(f"target out of range: expected classes 0 to {classes - 1}, got {labels.min()} to {labels.max()}")
    right = scores.gather(1, wrap(labels[:, None]))
    missing = (margin - right + scores).clamp(min=0)
    missing = missing * missing if p == 2 else missing
    missing = missing if weight is None else missing * weight[labels].unsqueeze(1)
    wrong = wrap(np.not_equal(labels[:, None], np.arange(classes)))
    losses = pointwise.where(wrong, missing, 0.0).sum(1) / classes
    return reduced(losses.reshape(()) if input.ndim < 2 and not target.ndim else losses, reduction)


def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Tensor:
    """The sum over right classes i and wrong ones j of max(0, 1 - input[i] + input[j]), over C: (N, C) or (C,).

    The target, int64 in the input's shape, lists each row's right classes up to the first -1. ValueError for an unknown
    reduction, RuntimeError for shapes and dtypes that do not fit and for a target that is no class.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    expect_floating("multilabel_margin_loss", input)
    if input.ndim > 2 or target.shape != input.shape or not (input.ndim == 0 or input.shape[-1]):
        raise RuntimeError(
            f"multilabel_margin_loss: expected input (N, C) or (C,) and a target of its shape, got {list(input.shape)} and "
            f"{list(target.shape)}"
        )
    if target._data.dtype != np.int64:
        raise RuntimeError(f"multilabel_margin_loss: expected a target of int64, got {target.dtype}")
    scores = input.reshape(-1, input.shape[-1] if input.ndim else 1)
    classes = scores.shape[1]
    labels = target._data.reshape(tuple(scores.shape))
    if labels.size and not (labels.min() >= -1 and labels.max() < classes):
        raise RuntimeError(f"target out of range: expected classes -1 to {classes - 1}, got {labels.min()} to {labels.max()}")
    listed = np.logical_and.accumulate(labels >= 0, axis=1)
    counted = np.zeros(labels.shape, scores._data.dtype)
    np.add.at(counted, (np.nonzero(listed)[0], labels[listed]), 1)  # a class that is listed twice counts twice
    pairs = wrap(counted[:, :, None] * np.equal(counted, 0)[:, None, :])
    missing = (1 - scores.unsqueeze(2) + scores.unsqueeze(1)).clamp(min=0)
    losses = (missing * pairs).sum((1, 2)) / classes
    return reduced(losses.reshape(()) if input.ndim < 2 else losses, reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, distance to the positive - distance to the negative + margin), in p-norms: (..., d) -> (...).

    `swap` takes the negative's distance to the positive where that is smaller (Balntas et al. 2016). ValueError for a
    margin not above 0 and an unknown reduction, RuntimeError for different numbers of dimensions.
    """
    reduction = reduction_of(reduction, size_average, reduce)

    def distance(x: Tensor, y: Tensor) -> Tensor:
        return pairwise_distance(x, y, p, eps)

    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=distance, margin=margin, swap=swap, reduction=reduction
    )


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """The triplet loss by any distance, the Euclidean one if none is given; errors as those of `triplet_margin_loss`."""
    check_reduction(reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor "
            f"{anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = pointwise.minimum(far, distance(positive, negative))
    return reduced((margin + near - far).clamp(min=0), reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cosine of the angle where the target is 1, max(0, cosine - margin) where it is -1: (N, D) and (N,), or (D,) and ().

    RuntimeError for other shapes, ValueError for an unknown reduction.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if target.ndim not in (0, 1) or not input1.ndim == input2.ndim == target.ndim + 1:
        raise RuntimeError(
            f"cosine_embedding_loss: expected inputs (N, D) with a target (N,), or (D,) with a number; got {list(input1.shape)}, "
            f"{list(input2.shape)} and {list(target.shape)}"
        )
    squares = ((input1 * input1).sum(-1) + 1e-12) * ((input2 * input2).sum(-1) + 1e-12)
    cosine = (input1 * input2).sum(-1) / squares.sqrt()
    alike = pointwise.where(target == 1, 1 - cosine, 0.0)
    return reduced(alike + pointwise.where(target == -1, (cosine - margin).clamp(min=0), 0.0), reduction)
