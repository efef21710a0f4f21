"""Dropout: of elements, of whole channels, and the kind that keeps the mean and variance of SELU's activations."""

from __future__ import annotations

import math
import warnings

import numpy as np

from tinygrad_nn.generator import default_generator
from tinygrad_nn.nn.functional.checks import quiet
from tinygrad_nn.op import Array
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap

_FLOOR = 1.7580993408473766  # minus what SELU tends to far below 0


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability `p` and divide the rest by 1 - p; the input itself when not training.

    Srivastava et al., Dropout, JMLR 15 (2014), in its inverted form; written into the input if `inplace`.
    ValueError for `p` outside [0, 1], RuntimeError for integers that would have to be divided.
    """
    return _dropped(input, p, training, inplace, _shape(input))


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Set elements to SELU's lowest value with probability `p`, and scale and shift all to mean 0 and variance 1 again.

    Klambauer et al., Self-Normalizing Neural Networks, 2017. Errors as those of `dropout`.
    """
    return _alpha_dropped(input, p, training, inplace, _shape(input))


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, L) or (C, L): Tompson et al. 2015; RuntimeError for other shapes."""
    _checked(p)
    if input.ndim not in (2, 3):
        raise RuntimeError(f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input of {list(input.shape)}.")
    return _dropped(input, p, training, inplace, _shape(input, channels=True, batched=input.ndim == 3))


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, H, W): Tompson et al. 2015; RuntimeError for less than 2 dimensions."""
    if input.ndim != 4:
        warnings.warn(f"dropout2d: expected (N, C, H, W), got a {input.ndim}-D input; its dim 1 is the channels", stacklevel=2)
    return feature_dropout(input, p, training, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W): Tompson et al. 2015."""
    if input.ndim not in (4, 5):
        warnings.warn(f"dropout3d: expected (N, C, D, H, W) or (C, D, H, W), got a {input.ndim}-D input", stacklevel=2)
    return _dropped(input, p, training, inplace, _shape(input, channels=True, batched=input.ndim == 5))


def feature_dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, ...); RuntimeError for less than 2 dimensions."""
    return _dropped(input, p, training, inplace, _shape(input, channels=True))


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Alpha dropout of whole channels of (N, C, ...); RuntimeError for less than 2 dimensions."""
    return _alpha_dropped(input, p, training, inplace, _shape(input, channels=True))


def _shape(input: Tensor, channels: bool = False, batched: bool = True) -> tuple[int, ...] | None:
    """How many draws there are: one for each element, or one for each channel; None for what has no channels."""
    shape = input._data.shape
    if not channels:
        return shape
    kept = 2 if batched else 1
    return (*shape[:kept], *(1 for _ in shape[kept:])) if len(shape) >= kept else None


def _checked(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _kept(input: Tensor, p: float, shape: tuple[int, ...] | None) -> Tensor:
    """One for what is kept and zero for what is dropped, drawn in the shape."""
    if shape is None:
        raise RuntimeError(f"Feature dropout requires at least 2 dimensions in the input, got {list(input.shape)}")
    if not input.is_floating_point():
        raise RuntimeError(f"dropout: expected a floating tensor, result type Float can't be cast to {input.dtype}")
    kept: Tensor = wrap(_drawn(input._data, p, shape).astype(input._data.dtype))
    return kept


def _drawn(data: Array, p: float, shape: tuple[int, ...]) -> Array:
    """What is kept; one for each element is drawn in the order in which they lie in memory, as in PyTorch."""
    if shape != data.shape or data.flags.c_contiguous:
        return default_generator.bernoulli(1 - p, shape)
    order = sorted(range(data.ndim), key=lambda axis: -data.strides[axis])
    drawn = default_generator.bernoulli(1 - p, tuple(shape[axis] for axis in order))
    return drawn.transpose(np.argsort(order))


@quiet
def _dropped(input: Tensor, p: float, training: bool, inplace: bool, shape: tuple[int, ...] | None) -> Tensor:
    _checked(p)
    if not training or p == 0 or not input.numel():
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    noise = _kept(input, p, shape)
    noise._data /= noise._data.dtype.type(1 - p)
    return input.mul_(noise) if inplace else input * noise


@quiet
def _alpha_dropped(input: Tensor, p: float, training: bool, inplace: bool, shape: tuple[int, ...] | None) -> Tensor:
    _checked(p)
    if not training or p == 0 or not input.numel():
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    kept = _kept(input, p, shape)
    scale = 1 / math.sqrt((_FLOOR**2 * p + 1) * (1 - p))
    shift = (kept - 1) * (_FLOOR * scale) + _FLOOR * scale * p
    return input.mul_(kept * scale).add_(shift) if inplace else input * (kept * scale) + shift
