"""The linear map."""

from __future__ import annotations

import numpy as np

from tinygrad_nn.methods.einsum import einsum
from tinygrad_nn.nn.functional.checks import expect_same_dtype
from tinygrad_nn.ops import linalg
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import record


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(..., in) times the transpose of `weight` (out, in), plus `bias` (out,) -> (..., out).

    A weight (in,) gives (...,); a bias of another shape is broadcast. RuntimeError where shapes or dtypes do not fit.
    """
    x, w = input._data, weight._data
    if w.ndim == 2 and x.ndim and x.shape[-1] == w.shape[1] and x.dtype is w.dtype:
        b = None if bias is None else bias._data
        if b is None or (b.shape == w.shape[:1] and b.dtype is w.dtype):
            return record(linalg.linear, (input, weight, bias), {})
    return _uncommon(input, weight, bias)


def _uncommon(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """What is left: a weight that is a vector, a bias to broadcast, mistakes."""
    expect_same_dtype("linear", input, weight=weight, bias=bias)
    if weight.ndim not in (1, 2) or not input.ndim:
        raise RuntimeError(
            f"linear: expected an input of at least 1 dimension and a weight of 1 or 2, got {input.ndim} and {weight.ndim}"
        )
    if input.shape[-1] != weight.shape[-1]:
        raise RuntimeError(
            f"linear: mat1 and mat2 shapes cannot be multiplied: expected input (..., {weight.shape[-1]}) for weight "
            f"{list(weight.shape)}, got {list(input.shape)}"
        )
    if weight.ndim == 2:
        product: Tensor = linalg.linear(input, weight, None)
    elif bias is None or input.ndim != 2:
        product = linalg.linear(input, weight.unsqueeze(0), None).squeeze(-1)
    else:
        raise RuntimeError(f"linear: expected a weight of 2 dimensions beside a matrix and a bias, got {list(weight.shape)}")
    if bias is None:
        return product
    try:
        spread = np.broadcast_shapes(product.shape, bias.shape)
    except ValueError:
        spread = ()
    if spread != tuple(product.shape):
        raise RuntimeError(f"linear: expected a bias that broadcasts to {list(product.shape)}, got {list(bias.shape)}")
    return product + bias


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x1 times each matrix of `weight` (out, in1, in2) times x2, plus `bias`: (..., in1), (..., in2) -> (..., out).

    RuntimeError where shapes or dtypes do not fit.
    """
    expect_same_dtype("bilinear", input1, input2=input2, weight=weight, bias=bias)
    if input1.ndim != input2.ndim or input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got {list(input1.shape)} and {list(input2.shape)}"
        )
    if weight.ndim != 3 or tuple(weight.shape[1:]) != (input1.shape[-1], input2.shape[-1]):
        raise RuntimeError(
            f"bilinear(): expected a weight (out, {input1.shape[-1]}, {input2.shape[-1]}), got {list(weight.shape)}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise RuntimeError(f"bilinear(): expected a bias {list(weight.shape[:1])}, got {list(bias.shape)}")
    product = einsum("...i,kij,...j->...k", input1, weight, input2)
    return product if bias is None else product + bias
