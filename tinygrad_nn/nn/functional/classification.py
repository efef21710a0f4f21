"""Losses of classes: scores of every class against the number, or the probabilities, of the right one."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_nn.methods import pointwise, shaping
from tinygrad_nn.methods import softmax as _softmax
from tinygrad_nn.methods.faces import expect_tensor
from tinygrad_nn.nn.functional.checks import (
    check_reduction,
    expect_constant,
    expect_floating,
    expect_same_dtype,
    reduced,
    reduction_of,
)
from tinygrad_nn.op_node import named
from tinygrad_nn.ops import softmax as ops
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap

_LABELS = (np.dtype(np.int64), np.dtype(np.uint8))


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-input at the target class, of log-probabilities (C,), (N, C) or (N, C, d1, ...) and int64 or uint8 targets.

    The mean is weighted by `weight` (C,); targets equal to `ignore_index` count nothing, and the mean of nothing is
    NaN. IndexError for a target that is no class, NotImplementedError for an input that is not floating, ValueError
    for another number of targets than of inputs, RuntimeError for other shapes and dtypes that do not fit.
    """
    expect_tensor("nll_loss", "target", target)
    reduction = reduction_of(reduction, size_average, reduce)
    rows, labels, scale, _, shape = _rows_and_labels(input, target, weight, ignore_index)
    check_reduction(reduction)
    return named(_summed(ops.nll(rows, labels, scale=scale), scale, shape, reduction), "NllLossBackward0", input)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross-entropy of softmax(input) against classes, or against probabilities in the input's shape.

    Input (C,), (N, C) or (N, C, d1, ...); target int64 or uint8 without the class dimension, or floating with it.
    The mean over classes is weighted by `weight` (C,); the mean of nothing is NaN. IndexError for a target that is
    no class, NotImplementedError for an input that is not floating, ValueError for another number of targets than
    of inputs, RuntimeError for other shapes, dtypes and options that do not fit.
    """
    if size_average is not None or reduce is not None:
        reduction = reduction_of(reduction, size_average, reduce)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    expect_tensor("cross_entropy", "target", target)
    if target._data.shape == input._data.shape:
        return _of_probabilities(input, target, weight, ignore_index, reduction, label_smoothing)
    rows, labels, scale, ignored, shape = _rows_and_labels(input, target, weight, ignore_index)
    check_reduction(reduction)
    if reduction == "none" or label_smoothing or not labels.size:
        log_probabilities = _softmax.log_softmax(rows, 1)
        losses = ops.nll(log_probabilities, labels, scale=scale)
        if label_smoothing:
            spread = -(log_probabilities if weight is None else log_probabilities * weight).sum(1)
            spread = spread if ignored is None else pointwise.where(wrap(ignored), 0.0, spread)
            losses = losses * (1 - label_smoothing) + spread * (label_smoothing / rows.shape[1])
        return named(_summed(losses, scale, shape, reduction), "AddBackward0" if label_smoothing else "NllLossBackward0")
    if isinstance(scale, np.ndarray):
        with np.errstate(invalid="ignore"):
            scale = (scale / _total(scale, len(labels)) if reduction == "mean" else scale)[:, None]
    elif reduction == "mean":
        scale = 1.0 / len(labels)
    return ops.cross_entropy(rows, labels, scale=scale)


def _of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    """Cross-entropy against probabilities of all classes."""
    if not target.is_floating_point():
        raise RuntimeError(
            f"Expected floating point type for target with class probabilities, got {target.dtype} in the input's shape "
            f"{list(input.shape)}"
        )
    expect_floating("cross_entropy", input)
    if ignore_index >= 0:
        raise RuntimeError(f"ignore_index is not supported for floating point target, got {ignore_index}")
    if not input.ndim:
        raise IndexError("cross_entropy: expected an input of at least 1 dimension, got a number")
    axis = 0 if input.ndim == 1 else 1
    classes = input.shape[axis]
    _check_weight(weight, classes)
    target = target * (1 - smoothing) + smoothing / classes if smoothing else target
    losses = -(target * _softmax.log_softmax(input, axis))
    if weight is not None:
        losses = losses * weight.reshape(-1, *(1,) * (input.ndim - axis - 1))
    losses = losses.sum(axis)
    if reduction == "mean":
        return losses.sum() / losses.numel()
    return reduced(losses, reduction)


def _rows_and_labels(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int
) -> tuple[Tensor, Any, Any, Any, tuple[int, ...]]:
    """Scores as (rows, C), labels as (rows,), each row's weight (or 1.0), where it is ignored (or None), the target's shape."""
    scores, labels = input._data, target._data
    shape, axis = labels.shape, 0 if scores.ndim == 1 else 1
    if labels.dtype not in _LABELS:
        raise RuntimeError(
            f"expected scalar type Long or Byte for the target, or floating in the shape of the input, {list(scores.shape)}, "
            f"but got {target.dtype} of shape {list(shape)}"
        )
    if scores.dtype.kind != "f":
        expect_floating("the loss of classes", input)
    expected = scores.shape[:axis] + scores.shape[axis + 1 :]
    if scores.ndim == 1 and shape == (1,):
        shape = ()
    if not scores.ndim or shape != expected:
        counts_differ = scores.ndim < 2 or not labels.ndim or shape[0] != scores.shape[0]
        raise (ValueError if counts_differ else RuntimeError)(
            f"Expected target of shape {list(expected)} for input of shape {list(scores.shape)}, got {list(shape)}"
        )
    classes = scores.shape[axis]
    rows = input if scores.ndim == 2 else shaping.movedim(input, axis, -1).reshape(labels.size, classes)
    labels = labels.reshape(-1)
    if weight is not None:
        _check_weight(weight, classes)
        expect_same_dtype("the loss of classes", input, weight=weight)
        expect_constant("the loss of classes", weight=weight)
    if labels.dtype.itemsize == 1:
        labels = labels.astype(np.int64)
    plain = weight is None and not 0 <= ignore_index < classes
    if plain and labels.size and np.maximum.reduce(labels.view(np.uint64)) < classes:  # one pass: unsigned, a negative one is large
        return rows, labels, 1.0, None, shape
    ignored = labels == ignore_index
    safe = np.where(ignored, 0, labels)
    wrong = (safe < 0) | (safe >= classes)
    if wrong.any():
        raise IndexError(f"Target {safe[wrong][0]} is out of bounds: expected classes 0 to {classes - 1}")
    of_class = np.ones(classes, scores.dtype) if weight is None else weight._data
    scale = np.where(ignored, scores.dtype.type(0), of_class[safe]) if classes else np.zeros(0, scores.dtype)
    if not ignored.any():
        return rows, safe, scale, None, shape
    # what is ignored counts nothing, even if it is infinite or all there is
    return pointwise.where(wrap(ignored[:, None]), 0.0, rows), safe, scale, ignored, shape


def _check_weight(weight: Tensor | None, classes: int) -> None:
    if weight is not None and weight._data.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes, got {list(weight.shape)}"
        )


def _summed(losses: Tensor, scale: Any, shape: tuple[int, ...], reduction: str) -> Tensor:
    """Losses of rows reduced: the mean is by the weight of all rows together."""
    if reduction == "none":
        return losses.reshape(shape)
    total = losses.sum()
    return total / _total(scale, losses.numel()) if reduction == "mean" else total


def _total(scale: Any, count: int) -> Any:
    """The weight of all rows together."""
    return scale.sum().item() if isinstance(scale, np.ndarray) else scale * count
