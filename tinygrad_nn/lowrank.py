"""Singular values and principal components of low rank, from random projections (Halko, Martinsson & Tropp 2009)."""

from __future__ import annotations

from tinygrad_nn import linalg
from tinygrad_nn.random import randn
from tinygrad_nn.tensor import Tensor

__all__ = ["pca_lowrank", "svd_lowrank"]


def _basis(A: Tensor, q: int, niter: int) -> Tensor:
    """Orthonormal columns that span about what the first q singular vectors do."""
    Q = linalg.qr(A @ randn(A.shape[-1], q, dtype=A.dtype)).Q
    for _ in range(niter):
        Q = linalg.qr(A.mT @ Q).Q
        Q = linalg.qr(A @ Q).Q
    basis: Tensor = Q
    return basis


def svd_lowrank(A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """(U, S, V) of the q greatest singular values of A, or of A - M, about; U @ diag(S) @ V.T is near it."""
    matrix = A if M is None else A - M
    wide = matrix.shape[-2] < matrix.shape[-1]
    matrix = matrix.mT if wide else matrix
    Q = _basis(matrix, 6 if q is None else q, 2 if niter is None else niter)
    U, S, Vh = linalg.svd(Q.mT @ matrix, full_matrices=False)
    return (Vh.mT, S, Q @ U) if wide else (Q @ U, S, Vh.mT)


def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """(U, S, V): the columns of V are about the first q principal directions of the rows of A.

    ValueError for a q or a number of iterations out of range.
    """
    m, n = A.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)
