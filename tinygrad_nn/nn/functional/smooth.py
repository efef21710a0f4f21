"""Activations with slopes that change smoothly."""

from __future__ import annotations

import math

from tinygrad_nn.methods import pointwise
from tinygrad_nn.nn.functional.checks import expect_floating, quiet, written
from tinygrad_nn.op_node import named
from tinygrad_nn.ops.special import normal_cdf
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.tensor.in_place import in_place

sigmoid = pointwise.sigmoid
tanh = pointwise.tanh

_SELU_SCALE = 1.0507009873554804934193349852946  # with these two, mean 0 and variance 1 are a fixed point
_SELU_ALPHA = 1.6732632423543772848170429916717


@quiet
def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """input * Phi(input), with Phi the normal distribution's, or with its 'tanh' approximation.

    Hendrycks & Gimpel, Gaussian Error Linear Units, 2016. NotImplementedError for an input that is not floating,
    RuntimeError for another approximation.
    """
    expect_floating("gelu", input)
    if approximate == "tanh":
        inner = math.sqrt(2.0 / math.pi) * (input + 0.044715 * (input * input * input))
        return named(0.5 * input * (1.0 + inner.tanh()), "GeluBackward0", input)
    if approximate != "none":
        raise RuntimeError(f"gelu: approximate argument must be either none or tanh, got '{approximate}'")
    return named(input * normal_cdf(input), "GeluBackward0", input)


@quiet
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """input * sigmoid(input), written into the input if `inplace`; NotImplementedError if that is not floating.

    Elfwing et al., Sigmoid-Weighted Linear Units, 2017; Ramachandran et al., Swish, 2017.
    """
    if inplace:
        return written(silu, input)
    expect_floating("silu", input)
    return named(input * input.sigmoid(), "SiluBackward0", input)


@quiet
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """input * tanh(softplus(input)), written into the input if `inplace`; NotImplementedError if that is not floating.

    Misra, Mish: A Self Regularized Non-Monotonic Neural Activation Function, 2019.
    """
    if inplace:
        return written(mish, input)
    expect_floating("mish", input)
    return named(input * log1p_exp(input).tanh(), "MishBackward0", input)


@quiet
def _exponential(input: Tensor, alpha: float, scale: float, steepness: float) -> Tensor:
    """scale * input above 0, scale * alpha * (exp(steepness * input) - 1) below, where exp cannot overflow."""
    return pointwise.where(input > 0, input * scale, (input.clamp(max=0) * steepness).expm1() * (scale * alpha))


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """input where it is positive, alpha * (exp(input) - 1) elsewhere; written into the input if `inplace`.

    Clevert et al., Exponential Linear Units, 2015. NotImplementedError for an input that is not floating.
    """
    if inplace:
        return written(elu, input, alpha)
    expect_floating("elu", input)
    return named(_exponential(input, alpha, 1, 1), "EluBackward0", input)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """The ELU scaled so that activations keep mean 0 and variance 1; written into the input if `inplace`.

    Klambauer et al., Self-Normalizing Neural Networks, 2017. NotImplementedError for an input that is not floating.
    """
    if inplace:
        return written(selu, input)
    expect_floating("selu", input)
    return named(_exponential(input, _SELU_ALPHA, _SELU_SCALE, 1), "EluBackward0", input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """The ELU of input / alpha times alpha, whose slope has no jump; written into the input if `inplace`.

    Barron, Continuously Differentiable Exponential Linear Units, 2017. RuntimeError for alpha 0, NotImplementedError for
    an input that is not floating.
    """
    if inplace:
        return written(celu, input, alpha)
    expect_floating("celu", input)
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return named(_exponential(input, alpha, 1, 1 / alpha), "CeluBackward0", input)


elu_, selu_, celu_ = in_place(elu), in_place(selu), in_place(celu)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * input)) / beta, and the input itself where beta * input is above `threshold`.

    NotImplementedError for an input that is not floating.
    """
    expect_floating("softplus", input)
    scaled = input * beta
    return named(pointwise.where(scaled > threshold, input, log1p_exp(scaled) / beta), "SoftplusBackward0", input)


def log1p_exp(x: Tensor) -> Tensor:
    """log(1 + exp(x)) without overflow; both branches are the function itself, so all derivatives at 0 are right."""
    return pointwise.relu(x) + pointwise.where(x > 0, -x, x).exp().log1p()


def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(input)), without overflow; NotImplementedError for an input that is not floating."""
    expect_floating("logsigmoid", input)
    return named(-log1p_exp(-input.contiguous()), "LogSigmoidBackward0", input)


@quiet
def tanhshrink(input: Tensor) -> Tensor:
    """input - tanh(input)."""
    return input - input.tanh()


@quiet
def softsign(input: Tensor) -> Tensor:
    """input / (1 + |input|)."""
    return input / (input.abs() + 1)
