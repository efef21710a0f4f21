"""The losses and other pieces that PyTorch has at its top too, where a reduction is a number and every argument has its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_nn.nn.functional import ctc, loss, normalization, padding
from tinygrad_nn.nn.functional import grid as _grid
from tinygrad_nn.nn.functional import margin as _margin
from tinygrad_nn.nn.functional.dropout import dropout
from tinygrad_nn.nn.functional.embedding import embedding as _embedding
from tinygrad_nn.tensor import Tensor

_REDUCTIONS = ("none", "mean", "sum")
_INTERPOLATIONS = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def kl_div(input: Tensor, target: Tensor, reduction: int = 0, *, log_target: bool = False) -> Tensor:
    """target * (log(target) - input): `nn.functional.kl_div`, its `reduction` 0 for none, 1 for mean and 2 for sum."""
    each = loss.kl_div(input, target, reduction="none", log_target=log_target)
    return each.mean() if reduction == 1 else each.sum() if reduction == 2 else each


def cosine_embedding_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0) -> Tensor:
    """`nn.functional.cosine_embedding_loss`, its `reduction` 0 for none, 1 for mean and 2 for sum."""
    return _margin.cosine_embedding_loss(input1, input2, target, margin, reduction=_REDUCTIONS[reduction])


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 0) -> Tensor:
    """`nn.functional.hinge_embedding_loss`, its `reduction` 0 for none, 1 for mean and 2 for sum."""
    return _margin.hinge_embedding_loss(input, target, margin, reduction=_REDUCTIONS[reduction])


def margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0) -> Tensor:
    """`nn.functional.margin_ranking_loss`, its `reduction` 0 for none, 1 for mean and 2 for sum."""
    return _margin.margin_ranking_loss(input1, input2, target, margin, reduction=_REDUCTIONS[reduction])


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6,
    swap: bool = False, reduction: int = 0,
) -> Tensor:  # fmt: skip
    """`nn.functional.triplet_margin_loss`, its `reduction` 0 for none, 1 for mean and 2 for sum."""
    return _margin.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=_REDUCTIONS[reduction])


def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int) -> Tensor:
    """`nn.functional.poisson_nll_loss`, its `reduction` 0 for none, 1 for mean and 2 for sum."""
    return loss.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=_REDUCTIONS[reduction])


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, pos_weight: Tensor | None = None, reduction: int = 0
) -> Tensor:
    """`nn.functional.binary_cross_entropy_with_logits`, its `reduction` 0 for none, 1 for mean and 2 for sum."""
    how = _REDUCTIONS[reduction]
    return loss.binary_cross_entropy_with_logits(input, target, weight, reduction=how, pos_weight=pos_weight)


def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Tensor | Sequence[int], target_lengths: Tensor | Sequence[int],
    blank: int = 0, reduction: int = 0, zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """`nn.functional.ctc_loss`, its `reduction` 0 for none, 1 for mean and 2 for sum."""
    how = _REDUCTIONS[reduction]
    return ctc.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, how, zero_infinity)


def embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Tensor:
    """`nn.functional.embedding` with the weight first; a `padding_idx` of -1 is none."""
    row = None if padding_idx < 0 else padding_idx
    return _embedding(indices, weight, row, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """`nn.functional.pad` with a constant."""
    return padding.pad(input, pad, "constant", value)


def grid_sampler(input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Tensor:
    """`nn.functional.grid_sample`, its modes numbered: bilinear, nearest, bicubic; zeros, border, reflection."""
    return _grid.grid_sample(input, grid, _INTERPOLATIONS[interpolation_mode], _PADDINGS[padding_mode], align_corners)


def dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.dropout` in place."""
    return dropout(input, p, train, inplace=True)


def native_layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """`nn.functional.layer_norm`, the means, and one over the standard deviations that it divided by."""
    dims = tuple(range(input.ndim - len(normalized_shape), input.ndim))
    y = normalization.layer_norm(input, normalized_shape, weight, bias, eps)
    return y, *_moments(input, dims, eps, True)


def native_batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None,
    training: bool, momentum: float, eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """`nn.functional.batch_norm`, the means, and one over the standard deviations; these two are empty unless `training`."""
    dims = tuple(i for i in range(input.ndim) if i != 1)
    y = normalization.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    return y, *(_moments(input, dims, eps, False) if training else (input.new_empty(0), input.new_empty(0)))


def _moments(input: Tensor, dims: tuple[int, ...], eps: float, keepdim: bool) -> tuple[Any, Any]:
    x = input.detach()
    return x.mean(dims, keepdim), (x.var(dims, unbiased=False, keepdim=keepdim) + eps).rsqrt()
