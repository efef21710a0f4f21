"""Activations."""

from __future__ import annotations

import math
import warnings
from typing import Any

from tinygrad_nn.methods import pointwise
from tinygrad_nn.methods import softmax as _softmax
from tinygrad_nn.nn.functional.checks import expect_floating
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.tensor.in_place import in_place

sigmoid = pointwise.sigmoid
tanh = pointwise.tanh


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(input, 0) of each element, written into the input if `inplace`."""
    return relu_(input) if inplace else pointwise.relu(input)


relu_ = in_place(pointwise.relu)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """input where it is positive, `negative_slope` times it elsewhere; written into the input if `inplace`.

    NotImplementedError for an input that is not floating.
    """
    if inplace:
        written: Tensor = leaky_relu_(input, negative_slope)
        return written
    expect_floating("leaky_relu", input)
    return pointwise.where(input > 0, input, input * negative_slope)


leaky_relu_ = in_place(leaky_relu)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """input * Phi(input), with Phi the normal distribution's, or with its 'tanh' approximation.

    Hendrycks & Gimpel, Gaussian Error Linear Units, 2016. NotImplementedError for an input that is not floating,
    RuntimeError for another approximation.
    """
    expect_floating("gelu", input)
    if approximate == "tanh":
        inner = math.sqrt(2.0 / math.pi) * (input + 0.044715 * (input * input * input))
        return 0.5 * input * (1.0 + inner.tanh())
    if approximate != "none":
        raise RuntimeError(f"gelu: approximate argument must be either none or tanh, got '{approximate}'")
    return 0.5 * input * (1.0 + (input * math.sqrt(0.5)).erf())


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * input)) / beta, and the input itself where beta * input is above `threshold`.

    NotImplementedError for an input that is not floating.
    """
    expect_floating("softplus", input)
    scaled = input * beta
    return pointwise.where(scaled > threshold, input, _softplus(scaled) / beta)


def _softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)) without overflow; both branches are the function itself, so all derivatives at 0 are right."""
    return pointwise.relu(x) + pointwise.where(x > 0, -x, x).exp().log1p()


def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(input)), without overflow; NotImplementedError for an input that is not floating."""
    expect_floating("logsigmoid", input)
    return -_softplus(-input)


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(input) / sum(exp(input)) along `dim`, computed in `dtype`; NotImplementedError if that is not floating."""
    input = input if dtype is None else input.to(dtype)
    expect_floating("softmax", input)
    return _softmax.softmax(input, _dim(input, "softmax", _stacklevel) if dim is None else dim)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """The logarithm of softmax along `dim`, computed in `dtype`; NotImplementedError if that is not floating."""
    input = input if dtype is None else input.to(dtype)
    expect_floating("log_softmax", input)
    return _softmax.log_softmax(input, _dim(input, "log_softmax", _stacklevel) if dim is None else dim)


def _dim(input: Tensor, name: str, stacklevel: int) -> int:
    """The dimension that is meant if none is named."""
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if input.ndim in (0, 1, 3) else 1
