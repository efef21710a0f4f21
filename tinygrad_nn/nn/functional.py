"""The layers' arithmetic as functions, in PyTorch's spelling."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from tinygrad_nn.generator import default_generator
from tinygrad_nn.methods import pointwise, shaping
from tinygrad_nn.methods import softmax as _softmax
from tinygrad_nn.ops import linalg
from tinygrad_nn.ops import softmax as _losses
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap

relu = pointwise.relu
sigmoid = pointwise.sigmoid
tanh = pointwise.tanh


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(..., in) times the transpose of `weight` (out, in), plus `bias` (out,) -> (..., out).

    RuntimeError where the shapes or dtypes do not fit.
    """
    x, w = input._data, weight._data
    if w.ndim != 2 or not x.ndim or x.shape[-1] != w.shape[1]:
        raise RuntimeError(
            f"linear: mat1 and mat2 shapes cannot be multiplied: expected input (..., {w.shape[-1]}) for weight "
            f"{list(w.shape)}, got {list(x.shape)}"
        )
    if x.dtype != w.dtype:
        raise RuntimeError(f"linear: mat1 and mat2 must have the same dtype, but got {input.dtype} and {weight.dtype}")
    if bias is not None and bias._data.shape != w.shape[:1]:
        raise RuntimeError(f"linear: expected bias ({w.shape[0]},), got {list(bias.shape)}")
    return linalg.linear(input, weight, bias)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """input where it is positive, `negative_slope` times it elsewhere."""
    return pointwise.where(input > 0, input, input * negative_slope)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """input * Phi(input), with Phi the normal distribution's, or with its 'tanh' approximation.

    Hendrycks & Gimpel, Gaussian Error Linear Units, 2016.
    """
    if approximate == "tanh":
        inner = math.sqrt(2.0 / math.pi) * (input + 0.044715 * (input * input * input))
        return 0.5 * input * (1.0 + inner.tanh())
    if approximate != "none":
        raise RuntimeError(f"gelu: approximate argument must be either none or tanh, got '{approximate}'")
    return 0.5 * input * (1.0 + (input * math.sqrt(0.5)).erf())


def softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """exp(input) / sum(exp(input)) along `dim`."""
    return _softmax.softmax(input if dtype is None else input.to(dtype), _dim(input, dim, "softmax"))


def log_softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """The logarithm of softmax along `dim`."""
    return _softmax.log_softmax(input if dtype is None else input.to(dtype), _dim(input, dim, "log_softmax"))


def _dim(input: Tensor, dim: int | None, name: str) -> int:
    if dim is None:
        warnings.warn(
            f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
            stacklevel=3,
        )
        return 0 if input.ndim in (0, 1, 3) else 1
    return dim


def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(input)), without overflow."""
    return pointwise.minimum(input, input * 0) - (-input.abs()).exp().log1p()


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability `p` and divide the rest by 1 - p; the input itself when not training.

    Srivastava et al., Dropout, JMLR 15 (2014), in its inverted form. ValueError for `p` outside [0, 1].
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0:
        return input
    if p == 1:
        return input * 0.0
    keep = default_generator.bernoulli(1 - p, tuple(input.shape))
    return input * wrap(keep.astype(input.dtype.numpy) / input.dtype.numpy.type(1 - p))


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A last dimension of zeros with a one at the class: int64 (...) -> int64 (..., num_classes)."""
    labels = tensor.detach().numpy()
    if labels.dtype != np.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type LongTensor, got {tensor.dtype}")
    if labels.size and labels.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    classes = num_classes if num_classes != -1 else int(labels.max()) + 1
    if labels.size and labels.max() >= classes:
        raise RuntimeError(f"Class values must be smaller than num_classes: got {labels.max()} for {classes} classes")
    encoded: Tensor = wrap(np.equal(labels[..., None], np.arange(classes)).astype(np.int64))
    return encoded


def flatten(input: Tensor, start_dim: int = 1, end_dim: int = -1) -> Tensor:
    """The dimensions from `start_dim` to `end_dim` made one."""
    return shaping.flatten(input, start_dim, end_dim)


pad = shaping.pad


# losses


def _reduced(loss: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    return loss


def _check_reduction(reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction: expected 'mean', 'sum' or 'none'")


def _same_size(input: Tensor, target: Tensor, name: str) -> None:
    """Warn, as PyTorch does, where a loss would silently broadcast."""
    if target.shape != input.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) in {name}. This "
            "will likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """The squared difference, averaged, summed or left as it is; shapes that broadcast bring a warning."""
    _check_reduction(reduction)
    _same_size(input, target, "mse_loss")
    difference = input - target
    return _reduced(difference * difference, reduction)


def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """The absolute difference, averaged, summed or left as it is; shapes that broadcast bring a warning."""
    _check_reduction(reduction)
    _same_size(input, target, "l1_loss")
    return _reduced((input - target).abs(), reduction)


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean"
) -> Tensor:
    """-(target * log(input) + (1 - target) * log(1 - input)), logarithms no lower than -100; input in [0, 1].

    ValueError for different shapes, RuntimeError for inputs outside [0, 1].
    """
    _check_reduction(reduction)
    if input.shape != target.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    values = input._data
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise RuntimeError("all elements of input should be between 0 and 1: put a sigmoid before, or use the with_logits loss")
    loss = (target - 1) * (-input).log1p().clamp(min=-100.0) - target * input.log().clamp(min=-100.0)
    return _reduced(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """The binary cross-entropy of sigmoid(input), without overflow; `pos_weight` scales the loss of positives."""
    _check_reduction(reduction)
    if input.shape != target.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    log_probability = logsigmoid(input)
    if pos_weight is None:
        loss = (1 - target) * input - log_probability
    else:
        loss = (1 - target) * input - ((pos_weight - 1) * target + 1) * log_probability
    return _reduced(loss if weight is None else loss * weight, reduction)


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """-input at the target class, of log-probabilities (C,), (N, C) or (N, C, d1, ...) and int64 targets.

    The mean is weighted by `weight` (C,); targets equal to `ignore_index` count nothing. IndexError for a target
    that is no class.
    """
    _check_reduction(reduction)
    rows, labels, scale, shape = _rows_and_labels(input, target, weight, ignore_index)
    losses = _losses.nll(rows, labels, scale=scale)
    if reduction == "none":
        return losses.reshape(shape)
    total = losses.sum()
    return total / _total(scale, len(labels)) if reduction == "mean" else total


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross-entropy of softmax(input) against classes, or against probabilities in the input's shape.

    Input (C,), (N, C) or (N, C, d1, ...); target int64 without the class dimension, or floating with it. The mean
    over classes is weighted by `weight` (C,). IndexError for a target that is no class, RuntimeError for shapes
    that do not fit.
    """
    _check_reduction(reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if target.is_floating_point():
        return _cross_entropy_of_probabilities(input, target, weight, reduction, label_smoothing)
    rows, labels, scale, shape = _rows_and_labels(input, target, weight, ignore_index)
    if reduction == "none" or label_smoothing:
        return _smoothed(rows, labels, scale, shape, weight, reduction, label_smoothing)
    divisor = _total(scale, len(labels)) if reduction == "mean" else 1.0
    per_row = scale[:, None] / divisor if isinstance(scale, np.ndarray) else scale / divisor if divisor else math.nan
    return _losses.cross_entropy(rows, labels, scale=per_row)


def _smoothed(
    rows: Tensor, labels: Any, scale: Any, shape: tuple[int, ...], weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    """Cross-entropy of classes by way of log_softmax: unreduced, or mixed with the loss against all classes alike."""
    log_probabilities = _softmax.log_softmax(rows, 1)
    losses = _losses.nll(log_probabilities, labels, scale=scale)
    if smoothing:
        spread = -(log_probabilities if weight is None else log_probabilities * weight).sum(1)
        if isinstance(scale, np.ndarray):
            spread = spread * wrap((scale != 0).astype(spread.dtype.numpy))
        losses = losses * (1 - smoothing) + spread * (smoothing / rows.shape[1])
    if reduction == "none":
        return losses.reshape(shape)
    return losses.sum() / _total(scale, len(labels)) if reduction == "mean" else losses.sum()


def _cross_entropy_of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    if input.shape != target.shape:
        raise RuntimeError(
            f"cross_entropy: expected floating targets in the shape of the input, {list(input.shape)}, got {list(target.shape)}"
        )
    axis = 0 if input.ndim == 1 else 1
    classes = input.shape[axis]
    target = target * (1 - smoothing) + smoothing / classes if smoothing else target
    losses = -(target * _softmax.log_softmax(input, axis))
    if weight is not None:
        losses = losses * weight.reshape(-1, *(1,) * (input.ndim - axis - 1))
    losses = losses.sum(axis)
    if reduction == "mean":
        return losses.sum() / max(input.numel() // classes, 1)
    return _reduced(losses, reduction)


def _rows_and_labels(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int
) -> tuple[Tensor, Any, Any, tuple[int, ...]]:
    """Scores as (rows, C), labels as (rows,), the weight of each row (1.0 if all count alike), the target's shape."""
    labels, axis = target._data, 0 if input.ndim == 1 else 1
    if labels.dtype.kind not in "iu":
        raise RuntimeError(f"expected scalar type Long for the target, got {target.dtype}")
    expected = (*input._data.shape[:axis], *input._data.shape[axis + 1 :])
    if not input.ndim or labels.shape != expected:
        raise ValueError(
            f"Expected target of shape {list(expected)} for input of shape {list(input.shape)}, got {list(labels.shape)}"
        )
    classes = input._data.shape[axis]
    rows = input if input.ndim == 2 else shaping.movedim(input, axis, -1).reshape(-1, classes)
    shape, labels = labels.shape, labels.reshape(-1)
    if weight is not None and weight._data.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes, got {list(weight.shape)}"
        )
    plain = weight is None and not 0 <= ignore_index < classes and labels.dtype == np.int64 and labels.size
    if plain and labels.view(np.uint64).max() < classes:  # one pass: as an unsigned number a negative one is large
        return rows, labels, 1.0, shape
    ignored = labels == ignore_index
    safe = np.where(ignored, 0, labels)
    wrong = (safe < 0) | (safe >= classes)
    if wrong.any():
        raise IndexError(f"Target {safe[wrong][0]} is out of bounds: expected classes 0 to {classes - 1}")
    of_class = np.ones(classes, rows._data.dtype) if weight is None else weight._data
    return rows, safe, np.where(ignored, rows._data.dtype.type(0), of_class[safe]), shape


def _total(scale: Any, count: int) -> Any:
    """The weight of all rows together."""
    return scale.sum() if isinstance(scale, np.ndarray) else scale * count


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """The input divided by its p-norm along `dim`, or by `eps` where that is larger."""
    norm = (input.abs() ** p).sum(dim, keepdim=True) ** (1.0 / p)
    return input / norm.clamp(min=eps)


