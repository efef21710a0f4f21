"""Dropout: of elements, of whole channels, and the kind that keeps the mean and variance of SELU's activations."""

from __future__ import annotations

import math
import warnings

from tinygrad_nn.generator import default_generator
from tinygrad_nn.memory_order import in_memory_order
from tinygrad_nn.nn.functional.checks import quiet
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap

_FLOOR = 1.7580993408473766  # minus what SELU tends to far below 0


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability `p` and divide the rest by 1 - p; the input itself when not training.

    Srivastava et al., Dropout, JMLR 15 (2014), in its inverted form; written into the input if `inplace`.
    ValueError for `p` outside [0, 1], RuntimeError for integers that would have to be divided.
    """
    return _dropped(input, p, training, inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Set elements to SELU's lowest value with probability `p`, and scale and shift all to mean 0 and variance 1 again.

    Klambauer et al., Self-Normalizing Neural Networks, 2017. Errors as those of `dropout`.
    """
    return _alpha_dropped(input, p, training, inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, L) or (C, L): Tompson et al. 2015; RuntimeError for other shapes."""
    _checked(p)
    if input.ndim not in (2, 3):
        raise RuntimeError(f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input of {list(input.shape)}.")
    return _dropped(input, p, training, inplace, along=2 if input.ndim == 3 else 1)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, H, W): Tompson et al. 2015; RuntimeError for less than 2 dimensions."""
    if input.ndim != 4:
        warnings.warn(f"dropout2d: expected (N, C, H, W), got a {input.ndim}-D input; its dim 1 is the channels", stacklevel=2)
    return feature_dropout(input, p, training, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W): Tompson et al. 2015."""
    if input.ndim not in (4, 5):
        warnings.warn(f"dropout3d: expected (N, C, D, H, W) or (C, D, H, W), got a {input.ndim}-D input", stacklevel=2)
    return _dropped(input, p, training, inplace, along=2 if input.ndim == 5 else 1)


def feature_dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels of (N, C, ...); RuntimeError for less than 2 dimensions."""
    return _dropped(input, p, training, inplace, along=2)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Alpha dropout of whole channels of (N, C, ...); RuntimeError for less than 2 dimensions."""
    return _alpha_dropped(input, p, training, inplace, along=2)


def _checked(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _kept(input: Tensor, p: float, along: int | None) -> Tensor:
    """One for what is kept and zero for what is dropped: a draw for each element, or for each place in the first dimensions."""
    if along is not None and input.ndim < along:
        raise RuntimeError(f"Feature dropout requires at least 2 dimensions in the input, got {list(input.shape)}")
    if not input.is_floating_point():
        raise RuntimeError(f"dropout: expected a floating tensor, result type Float can't be cast to {input.dtype}")
    if along is None:
        drawn = in_memory_order(input._data, lambda shape: default_generator.bernoulli(1 - p, shape))
    else:
        drawn = default_generator.bernoulli(1 - p, (*input._data.shape[:along], *(1 for _ in input._data.shape[along:])))
    kept: Tensor = wrap(drawn.astype(input._data.dtype))
    return kept


@quiet
def _dropped(input: Tensor, p: float, training: bool, inplace: bool, along: int | None = None) -> Tensor:
    _checked(p)
    if not training or p == 0 or not input.numel():
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    noise = _kept(input, p, along)
    noise._data /= noise._data.dtype.type(1 - p)
    return input.mul_(noise) if inplace else input * noise


@quiet
def _alpha_dropped(input: Tensor, p: float, training: bool, inplace: bool, along: int | None = None) -> Tensor:
    _checked(p)
    if not training or p == 0 or not input.numel():
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    kept = _kept(input, p, along)
    scale = 1 / math.sqrt((_FLOOR**2 * p + 1) * (1 - p))
    shift = (kept - 1) * (_FLOOR * scale) + _FLOOR * scale * p
    return input.mul_(kept * scale).add_(shift) if inplace else input * (kept * scale) + shift
