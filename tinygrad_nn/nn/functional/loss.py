"""Losses of numbers and of probabilities; each may be averaged, summed or left as it is."""

from __future__ import annotations

import math
import warnings

from tinygrad_nn.methods import pointwise, special
from tinygrad_nn.methods.faces import expect_tensor
from tinygrad_nn.nn.functional.checks import (
    check_reduction,
    expect_constant,
    expect_floating,
    expect_same_dtype,
    reduced,
    reduction_of,
)
from tinygrad_nn.nn.functional.smooth import logsigmoid
from tinygrad_nn.op_node import named
from tinygrad_nn.tensor import Tensor


def _same_size(input: Tensor, target: Tensor) -> None:
    """Warn, as PyTorch does, where a loss would silently broadcast; TypeError for a target that is no tensor."""
    expect_tensor("loss", "target", target)
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
    _check_weight(losses, weight)
    losses = losses * weight
    return losses.sum() / weight.sum() if reduction == "mean" else reduced(losses, reduction)


def _check_weight(losses: Tensor, weight: Tensor) -> None:
    if weight.shape != losses.shape:
        raise ValueError(f"Weights and input must have the same size: expected {list(losses.shape)}, got {list(weight.shape)}")


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
    difference = _difference(input, target)
    return named(_with_weight(difference * difference, weight, reduction), "MseLossBackward0", input, target)


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
    [0, 1] and a weight that does not broadcast to the input or requires grad, NotImplementedError for integers.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if input.shape != target.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    expect_same_dtype("binary_cross_entropy", input, target=target)
    expect_constant("binary_cross_entropy", weight=weight)
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
    return named(reduced(loss, reduction), "BinaryCrossEntropyBackward0", input, target)


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
    target that is not floating and weights that require grad.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    if input.shape != target.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    expect_floating("binary_cross_entropy_with_logits", input)
    expect_constant("binary_cross_entropy_with_logits", weight=weight, pos_weight=pos_weight)
    if not target.is_floating_point():
        raise RuntimeError(f"binary_cross_entropy_with_logits: expected a floating target, got {target.dtype}")
    log_probability = logsigmoid(input)
    if pos_weight is not None:
        log_probability = ((pos_weight - 1) * target + 1) * log_probability
    loss = (1 - target) * input - log_probability
    loss = reduced(loss if weight is None else loss * weight, reduction)
    return named(loss, "BinaryCrossEntropyWithLogitsBackward0", input, target)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """d^2 / (2 beta) where the difference d is less than `beta`, |d| - beta / 2 elsewhere: Girshick, Fast R-CNN, 2015.

    Shapes that broadcast bring a warning. RuntimeError for a negative beta, NotImplementedError if neither tensor is
    floating, ValueError for an unknown reduction.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    _same_size(input, target)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    expect_floating("smooth_l1_loss", input, target)
    if beta == 0:
        return reduced((input - target).abs(), reduction)
    return named(reduced(_rounded_off(_difference(input, target), beta) / beta, reduction), "SmoothL1LossBackward0", input, target)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """d^2 / 2 where the difference d is less than `delta`, delta (|d| - delta / 2) elsewhere, in the input's dtype: Huber 1964.

    Shapes that broadcast bring a warning; a `weight` scales each loss, the mean's too. RuntimeError for a delta not above 0,
    NotImplementedError for an input that is not floating, ValueError for an unknown reduction.
    """
    check_reduction(reduction)
    _same_size(input, target)
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}")
    expect_floating("huber_loss", input)
    losses = _rounded_off(_difference(input, target), delta).to(input.dtype)
    if weight is not None:
        _check_weight(losses, weight)
        losses = losses * weight
    return named(reduced(losses, reduction), "HuberLossBackward0", input, target)


def _difference(input: Tensor, target: Tensor) -> Tensor:
    """input - target, of which one may be bools, that count 1 and 0."""
    if target._data.dtype.kind == "b":
        target = target.to(input.dtype)
    elif input._data.dtype.kind == "b":
        input = input.to(target.dtype)
    return input - target


def _rounded_off(difference: Tensor, bound: float) -> Tensor:
    """A parabola within `bound` of 0, with lines that go on where it ends."""
    size = difference.abs()
    return pointwise.where(size < bound, 0.5 * difference * difference, bound * (size - 0.5 * bound))


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """target * (log(target) - input), the divergence of Kullback & Leibler (1951): `input` holds log-probabilities.

    `target` holds probabilities, or their logarithms if `log_target`. 'batchmean' divides by the size of dimension 0, as
    the definition does, 'mean' by the number of elements and warns. RuntimeError for integers, ValueError for an unknown reduction.
    """
    by_rows = reduction == "batchmean"
    reduction = reduction_of("sum" if by_rows else reduction, size_average, reduce)
    if input._data.dtype.kind != "f" or target._data.dtype.kind != "f":
        raise RuntimeError(f"kl_div: Integral inputs not supported, got {input.dtype} and {target.dtype}")
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' divides only "
            "by the batch size, and aligns with the KL div math definition. 'mean' will be changed to behave the same as "
            "'batchmean' in the next major release.",
            stacklevel=2,
        )
    losses = target.exp() * (target - input) if log_target else special.xlogy(target, target) - target * input
    result = reduced(losses, reduction)
    return result / len(input) if by_rows and input.ndim else result


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """exp(input) - target * input: minus the log-likelihood of counts, given the logarithm of their expectation.

    Without `log_input` the expectation itself is given, and its logarithm taken of input + eps; `full` adds Stirling's
    approximation of log(target!) where the target is above 1. ValueError for an unknown reduction.
    """
    reduction = reduction_of(reduction, size_average, reduce)
    losses = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        large = target > 1
        safe = pointwise.where(large, target, 1.0)
        stirling = safe * safe.log() - safe + 0.5 * (2 * math.pi * safe).log()
        losses = losses + pointwise.where(large, stirling, 0.0).to(losses.dtype)
    return reduced(losses, reduction)


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """(log(var) + (input - target)^2 / var) / 2: minus the log-likelihood of normal numbers, `var` at least `eps`.

    `var` has the input's shape, lacks its last dimension or is 1 in one, or is a number; `full` adds log(2 pi) / 2. Nix &
    Weigend 1994. ValueError for a negative variance, one of another shape, and an unknown reduction.
    """
    variance = var if isinstance(var, Tensor) else input.new_full(tuple(input.shape), var)
    if variance._data.size and variance._data.min() < 0:
        raise ValueError("var has negative entry/entries")
    if variance.shape != input.shape:
        if variance.shape == input.shape[:-1]:
            variance = variance.unsqueeze(-1)
        elif variance.ndim != input.ndim or sum(b for a, b in zip(input.shape, variance.shape, strict=True) if a != b) != 1:
            raise ValueError(f"var is of incorrect size: expected the input's, {list(input.shape)}, got {list(variance.shape)}")
    check_reduction(reduction)
    variance = variance + (eps - variance.detach()).clamp(min=0)  # raised to eps, with its slope
    losses = 0.5 * (variance.log() + (input - target) ** 2 / variance)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)
