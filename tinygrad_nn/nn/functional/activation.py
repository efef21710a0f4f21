"""Activations made of straight pieces, and the choice between two sides of a number."""

from __future__ import annotations

import numpy as np

from tinygrad_nn.generator import default_generator
from tinygrad_nn.methods import pointwise
from tinygrad_nn.methods.faces import plain
from tinygrad_nn.nn.functional.checks import expect_floating, quiet, written
from tinygrad_nn.op_node import named
from tinygrad_nn.ops import piecewise
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.tensor.in_place import in_place
from tinygrad_nn.variable import wrap


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(input, 0) of each element, written into the input if `inplace`."""
    return relu_(input) if inplace else pointwise.relu(input)


relu_ = in_place(pointwise.relu)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """input held between 0 and 6, with slope 0 at both; written into the input if `inplace`. RuntimeError for bools.

    Howard et al., MobileNets, 2017.
    """
    return hardtanh(input, 0, 6, inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """input where it is positive, `negative_slope` times it elsewhere; written into the input if `inplace`.

    NotImplementedError for an input that is not floating.
    """
    if inplace:
        return written(leaky_relu, input, negative_slope)
    expect_floating("leaky_relu", input)
    return piecewise.leaky_relu(input, slope=plain(negative_slope))


leaky_relu_ = in_place(leaky_relu)


@quiet
def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """input where it is positive; elsewhere times a slope drawn from [lower, upper), or their mean when not training.

    Xu et al., Empirical Evaluation of Rectified Activations, 2015. NotImplementedError for an input that is not floating,
    RuntimeError for lower above upper.
    """
    if inplace:
        return written(rrelu, input, lower, upper, training)
    expect_floating("rrelu", input)
    if lower > upper:
        raise RuntimeError(f"Lower bound should be less than or equal to the upper bound, got {lower} and {upper}")
    if not training:
        return leaky_relu(input.contiguous(), (lower + upper) / 2)
    slopes = np.ones_like(input._data, order="C")
    drawn = input._data <= 0
    slopes[drawn] = default_generator.uniform((int(drawn.sum()),), lower, upper, np.float64)
    return input * wrap(slopes)


rrelu_ = in_place(rrelu)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """input where it is above `threshold`, `value` elsewhere; written into the input if `inplace`.

    NotImplementedError for bools.
    """
    if inplace:
        changed: Tensor = threshold_(input, threshold, value)
        return changed
    if input._data.dtype.kind == "b":
        raise NotImplementedError("threshold: expected numbers, got torch.bool")
    if input._data.dtype.kind != "f":
        return pointwise.masked_fill(input, input <= threshold, value)
    return piecewise.threshold(input, bound=plain(threshold), value=plain(value))


threshold_ = in_place(threshold)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """input held between `min_val` and `max_val`, with slope 0 at both; written into the input if `inplace`.

    ValueError for min_val above max_val, RuntimeError for bools and for bounds that unsigned integers cannot hold.
    """
    if inplace:
        return written(hardtanh, input, min_val, max_val)
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val, got {min_val} and {max_val}")
    dtype = input._data.dtype
    if dtype.kind == "b" or (dtype.kind == "u" and min_val < 0):
        raise RuntimeError(f"hardtanh: expected a dtype that holds {min_val} to {max_val}, got {input.dtype}")
    if dtype.kind != "f":
        return input.clamp(int(min_val), int(max_val))
    return piecewise.hardtanh(input, low=plain(min_val), high=plain(max_val))


hardtanh_ = in_place(hardtanh)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """A line from 0 at -3 to 1 at 3, level beyond; written into the input if `inplace`.

    NotImplementedError for an input that is not floating.
    """
    if inplace:
        return written(hardsigmoid, input)
    expect_floating("hardsigmoid", input)
    return named(hardtanh(input + 3, 0, 6) / 6, "HardsigmoidBackward0", input)


@quiet
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """input * hardsigmoid(input): Howard et al., Searching for MobileNetV3, 2019; written into the input if `inplace`.

    NotImplementedError for an input that is not floating.
    """
    if inplace:
        return written(hardswish, input)
    expect_floating("hardswish", input)
    return named(input * hardtanh(input + 3, 0, 6) / 6, "HardswishBackward0", input)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """input moved towards 0 by `lambd`, and 0 within it.

    RuntimeError for a negative lambd, NotImplementedError for an input that is not floating.
    """
    expect_floating("softshrink", input)
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    return piecewise.softshrink(input, bound=plain(lambd))


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half along `dim` times the sigmoid of the second: Dauphin et al., Gated Convolutional Networks, 2016.

    RuntimeError for a dimension that cannot be halved, NotImplementedError for an input that is not floating.
    """
    if not input.ndim:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    size = input.size(dim)
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {size}")
    expect_floating("glu", input)
    first, second = input.narrow(dim, 0, size // 2), input.narrow(dim, size // 2, size // 2)
    return named(first * second.sigmoid(), "GluBackward0", input)
