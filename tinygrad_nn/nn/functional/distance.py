"""Distances and angles between vectors."""

from __future__ import annotations

import math

import numpy as np

from tinygrad_nn import linalg
from tinygrad_nn.dtypes import result_type
from tinygrad_nn.methods import shaping
from tinygrad_nn.nn.functional.checks import expect_floating
from tinygrad_nn.tensor import Tensor


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along `dim`, broadcast together; no length counts as less than `eps`.

    NotImplementedError if neither tensor is floating.
    """
    expect_floating("cosine_similarity", x1, x2)
    dtype = result_type([x1._data, x2._data])
    x1, x2 = shaping.broadcast_tensors(x1.to(dtype), x2.to(dtype))
    return (_unit(x1, dim, eps) * _unit(x2, dim, eps)).sum(dim)


def _unit(x: Tensor, dim: int, eps: float) -> Tensor:
    """x divided by its length, which is never less than `eps` but keeps its slope."""
    length = linalg.vector_norm(x, 2, dim, True)
    missing = (eps - length.detach()).clamp(min=0)
    return x / (length + missing)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dimension, the tensors broadcast together."""
    return linalg.vector_norm(x1 - x2 + eps, p, -1, keepdim)


def pdist(input: Tensor, p: float = 2) -> Tensor:
    """The p-norm distances between the rows of (n, m), each pair once, in the order (0, 1), (0, 2), ...: (n (n - 1) / 2,).

    RuntimeError for other shapes, a negative p, and dtypes that are not floating.
    """
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    expect_floating("pdist", input)
    if p < 0:
        raise RuntimeError(f"pdist only supports non-negative p values, got {p}")
    first, second = np.triu_indices(len(input), 1)
    return _distance(input[first] - input[second], p)


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """The p-norm distances of all rows of (..., n, m) to all of (..., k, m): (..., n, k); leading dimensions broadcast.

    `compute_mode` is taken and makes no difference: differences are always subtracted, as is most exact. RuntimeError for
    other shapes, a negative p, and dtypes that are not floating.
    """
    for x in (x1, x2):
        if x.ndim < 2:
            raise RuntimeError(f"cdist: expected tensors of at least 2 dimensions, got shape {list(x.shape)}")
        expect_floating("cdist", x)
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    if p < 0:
        raise RuntimeError(f"cdist only supports non-negative p values, got {p}")
    return _distance(x1.unsqueeze(-2) - x2.unsqueeze(-3), p)


def _distance(difference: Tensor, p: float) -> Tensor:
    """The p-norm along the last dimension; that of no numbers is 0, for the infinite p as well."""
    nothing = math.isinf(p) and not difference.shape[-1]
    return linalg.vector_norm(difference, 1 if nothing else p, -1)
