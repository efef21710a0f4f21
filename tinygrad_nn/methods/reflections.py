"""Orthogonal matrices kept as Householder's reflections I - tau v v^T, each v a column below the diagonal, 1 on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn import return_types
from tinygrad_nn.methods.factorization import matrices
from tinygrad_nn.methods.matrices import matmul, same_dtype
from tinygrad_nn.methods.shaping import unsqueeze
from tinygrad_nn.ops import elementwise

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = ["geqrf", "orgqr", "ormqr"]


def geqrf(input: Tensor) -> Any:
    """R on and above the diagonal, below it the reflections whose product is Q, and their tau; carries no gradient."""
    values = matrices(input, "geqrf").detach().numpy()
    reflected, tau = np.linalg.qr(values, mode="raw")
    found = np.ascontiguousarray(reflected.swapaxes(-1, -2))
    return return_types.geqrf(input.rewrap(found, None), input.rewrap(tau, None))


def orgqr(input: Tensor, tau: Tensor) -> Tensor:
    """The first n columns of the product of the reflections in (..., m, n), given as `geqrf` gives them."""
    m, n = matrices(input, "linalg.householder_product").shape[-2:]
    _check(input, tau, "linalg.householder_product")
    if m < n:
        raise RuntimeError(f"linalg.householder_product: expected at least as many rows as columns, got {list(input.shape)}")
    columns = elementwise.add(elementwise.mul(input, 0), np.eye(m, n, dtype=input.dtype.numpy))
    return _reflected(input, tau, columns, reversed(range(tau.shape[-1])))


def ormqr(input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False) -> Tensor:
    """Q @ other, Q the square product of the reflections; other @ Q without `left`, Q transposed with `transpose`."""
    _check(matrices(input, "ormqr"), tau, "ormqr")
    same_dtype(input, other, "ormqr")
    if other.shape[-2 if left else -1] != input.shape[-2]:
        raise RuntimeError(f"ormqr: expected other to have {input.shape[-2]} rows or columns, got {list(other.shape)}")
    order = range(tau.shape[-1])
    backwards = left != transpose
    turned = other if left else other.mT
    found = _reflected(input, tau, turned, reversed(order) if backwards else order)
    return found if left else found.mT


def _check(input: Tensor, tau: Tensor, name: str) -> None:
    same_dtype(input, tau, name)
    if tau.ndim != input.ndim - 1 or tau.shape[-1] > input.shape[-1]:
        raise RuntimeError(f"{name}: expected at most one tau for each column of {list(input.shape)}, got {list(tau.shape)}")


def _reflected(input: Tensor, tau: Tensor, columns: Tensor, order: Iterable[int]) -> Tensor:
    """The reflections applied to columns, one after the other."""
    rows = np.arange(input.shape[-2])
    for i in order:
        below = elementwise.where(rows > i, input[..., i], 0.0)
        v = unsqueeze(elementwise.add(below, (rows == i).astype(input.dtype.numpy)), -1)
        share = elementwise.mul(matmul(v.mT, columns), tau[..., i, None, None])
        columns = elementwise.sub(columns, matmul(v, share))
    return columns
