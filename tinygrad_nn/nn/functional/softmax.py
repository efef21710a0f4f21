"""Numbers along a dimension turned into probabilities."""

from __future__ import annotations

import warnings
from typing import Any

from tinygrad_nn.generator import default_generator
from tinygrad_nn.methods import softmax as _softmax
from tinygrad_nn.nn.functional.checks import expect_floating
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(input) / sum(exp(input)) along `dim`, computed in `dtype`; NotImplementedError if that is not floating."""
    input = input if dtype is None else input.to(dtype)
    expect_floating("softmax", input)
    return _softmax.softmax(input, _dim(input, "softmax", _stacklevel) if dim is None else dim)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The softmax of -input along `dim`, computed in `dtype`; NotImplementedError if that is not floating."""
    return softmax(-input, _dim(input, "softmin", _stacklevel) if dim is None else dim, dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of softmax along `dim`, computed in `dtype`; NotImplementedError if that is not floating."""
    input = input if dtype is None else input.to(dtype)
    expect_floating("log_softmax", input)
    return _softmax.log_softmax(input, _dim(input, "log_softmax", _stacklevel) if dim is None else dim)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A draw from the categories of `logits` that has a gradient: the softmax of (logits + Gumbel noise) / tau.

    `hard` gives one-hot rows with the gradient of the soft ones. Jang et al., Categorical Reparameterization with
    Gumbel-Softmax, 2016; Maddison et al., The Concrete Distribution, 2016. NotImplementedError for logits not floating.
    """
    expect_floating("gumbel_softmax", logits)
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    noise: Tensor = wrap(default_generator.exponential(logits._data.shape, dtype=logits._data.dtype))
    soft = _softmax.softmax((logits - noise.log()) / tau, dim)
    if not hard:
        return soft
    best = soft.argmax(dim, keepdim=True)
    chosen = (soft * 0).detach().scatter(dim, best, 1.0)
    return chosen - soft.detach() + soft


def _dim(input: Tensor, name: str, stacklevel: int) -> int:
    """The dimension that is meant if none is named."""
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if input.ndim in (0, 1, 3) else 1
