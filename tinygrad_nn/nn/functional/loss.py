"""Losses of numbers and of probabilities; each may be averaged, summed or left as it is."""

from __future__ import annotations

import warnings

from tinygrad_nn.nn.functional.activation import logsigmoid
from tinygrad_nn.nn.functional.checks import expect_floating, expect_same_dtype, reduced, reduction_of
from tinygrad_nn.tensor import Tensor


def _same_size(input: Tensor, target: Tensor) -> None:
    """Warn, as PyTorch does, where a loss would silently broadcast."""
    if target._data.shape != input._data.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This "
            "will likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )


def _with_weight(losses: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """Losses reduced, each counting with its weight; ValueError for weights of another size."""
    if weight is None:
        return reduced(losses, reduction)
    if weight.shape != losses.shape:
        raise ValueError(f"Weights and input must have the same size: expected {list(losses.shape)}, got {list(weight.shape)}")
    losses = losses * weight
    return losses.sum() / weight.sum() if reduction == "mean" else reduced(losses, reduction)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared difference; shapes that broadcast bring a warning, and with `weight` the mean is weighted.

    NotImplementedError if neither tensor is floating, ValueError for an unknown reduction.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    _same_size(input, target)
    expect_floating("mse_loss", input, target)
    difference = input - target
    return _with_weight(difference * difference, weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute difference; shapes that broadcast bring a warning, and with `weight` the mean is weighted.

    RuntimeError for the mean of integers, ValueError for an unknown reduction.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    _same_size(input, target)
    return _with_weight((input - target).abs(), weight, reduction)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(target * log(input) + (1 - target) * log(1 - input)), logarithms no lower than -100; both in [0, 1].

    ValueError for different shapes and an unknown reduction, RuntimeError for different dtypes, for values outside
    [0, 1] and a weight that does not broadcast to the input, NotImplementedError for integers.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if input.shape != target.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    expect_same_dtype("binary_cross_entropy", input, target=target)
    expect_floating("binary_cross_entropy", input)
    for name, values in (("input", input._data), ("target", target._data)):
        if values.size and not (values.min() >= 0 and values.max() <= 1):
            raise RuntimeError(
                f"all elements of {name} should be between 0 and 1, got {values.min()} to {values.max()}: put a sigmoid "
                "before the loss, or use the one with_logits"
            )
    loss = (target - 1) * (-input).log1p().clamp(min=-100.0) - target * input.log().clamp(min=-100.0)
    if weight is not None:
        loss = loss * weight.to(loss.dtype).expand_as(loss)
    return reduced(loss, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """The binary cross-entropy of sigmoid(input), without overflow; `pos_weight` scales the loss of positives.

    ValueError for different shapes and an unknown reduction, NotImplementedError for an input, RuntimeError for a
    target that is not floating.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if input.shape != target.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    expect_floating("binary_cross_entropy_with_logits", input)
    if not target.is_floating_point():
        raise RuntimeError(f"binary_cross_entropy_with_logits: expected a floating target, got {target.dtype}")
    log_probability = logsigmoid(input)
    if pos_weight is not None:
        log_probability = ((pos_weight - 1) * target + 1) * log_probability
    loss = (1 - target) * input - log_probability
    return reduced(loss if weight is None else loss * weight, reduction)
