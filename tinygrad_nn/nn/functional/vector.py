"""Vectors along a dimension: scaled to length one, made of classes."""

from __future__ import annotations

import math

import numpy as np

from tinygrad_nn.methods import pointwise
from tinygrad_nn.methods.faces import expect_tensor
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A last dimension of zeros with a one at the class: int64 (...) -> int64 (..., num_classes).

    Without `num_classes` there are as many as the largest class needs. RuntimeError for another dtype, for a class
    outside [0, num_classes), and where there is nothing to tell the number of classes from.
    """
    expect_tensor("one_hot", "tensor", tensor)
    labels = np.ascontiguousarray(tensor._data).reshape(tensor.shape)
    if labels.dtype != np.int64:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type LongTensor, got {tensor.dtype}")
    if not labels.size and num_classes <= 0:
        raise RuntimeError(f"Can not infer total number of classes from empty tensor of shape {list(tensor.shape)}.")
    if labels.size and labels.min() < 0:
        raise RuntimeError(f"Class values must be non-negative, got {labels.min()}")
    classes = num_classes if num_classes != -1 else int(labels.max()) + 1
    if labels.size and labels.max() >= classes:
        raise RuntimeError(f"Class values must be smaller than num_classes: got {labels.max()} for {classes} classes")
    encoded: Tensor = wrap(np.equal(labels[..., None], np.arange(classes)).astype(np.int64))
    return encoded


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """The input divided by its p-norm along `dim`, or by `eps` where that is larger.

    RuntimeError for an input that is not floating.
    """
    if not input.is_floating_point():
        raise RuntimeError(f"normalize: expected a floating tensor, got {input.dtype}")
    return input / _norm(input, p, dim).clamp(min=eps)


def _norm(input: Tensor, p: float, dim: int) -> Tensor:
    """The p-norm along `dim`, with slope 0 where it is 0."""
    if p == 0:
        return (input != 0).to(input.dtype).sum(dim, keepdim=True)
    sizes = input.abs()
    if p == math.inf:
        return sizes.amax(dim, keepdim=True)
    if p == 1:
        return sizes.sum(dim, keepdim=True)
    # a power may have an infinite slope at 0: it is taken of 1 there, and its slope dropped
    powers = input * input if p == 2 else _masked_power(sizes, p)
    return _masked_power(powers.sum(dim, keepdim=True), 1 / p)


def _masked_power(x: Tensor, exponent: float) -> Tensor:
    zero = x == 0
    return pointwise.where(zero, x.detach(), pointwise.where(zero, 1.0, x) ** exponent)
