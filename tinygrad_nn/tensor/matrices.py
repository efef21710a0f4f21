"""The methods of linear algebra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_nn.methods import factorization, matrices, reflections
from tinygrad_nn.tensor.in_place import in_place

if TYPE_CHECKING:
    from tinygrad_nn.tensor.tensor import Tensor


class Matrices:
    """The methods of linear algebra."""

    __slots__ = ()

    matmul = matrices.matmul
    mm = matrices.mm
    bmm = matrices.bmm
    mv = matrices.mv
    dot = matrices.dot
    vdot = matrices.vdot
    inner = matrices.inner
    outer = ger = matrices.outer
    addmm, addmm_ = matrices.addmm, in_place(matrices.addmm)
    addmv, addmv_ = matrices.addmv, in_place(matrices.addmv)
    addr, addr_ = matrices.addr, in_place(matrices.addr)
    addbmm, addbmm_ = matrices.addbmm, in_place(matrices.addbmm)
    baddbmm, baddbmm_ = matrices.baddbmm, in_place(matrices.baddbmm)
    kron = matrices.kron
    cross = matrices.cross
    trace = matrices.trace

    det = factorization.det
    slogdet = factorization.slogdet
    logdet = factorization.logdet
    inverse = factorization.inverse
    pinverse = factorization.pinverse
    matrix_power = factorization.matrix_power
    matrix_exp = factorization.matrix_exp
    cholesky = factorization.cholesky
    cholesky_solve = factorization.cholesky_solve
    cholesky_inverse = factorization.cholesky_inverse
    triangular_solve = factorization.triangular_solve
    qr = factorization.qr
    svd = factorization.svd
    lu = factorization.lu
    lu_solve = factorization.lu_solve
    geqrf = reflections.geqrf

    def orgqr(self: Any, input2: Tensor) -> Tensor:
        """The first n columns of the product of the reflections in (..., m, n), `input2` their tau."""
        return reflections.orgqr(self, input2)

    def ormqr(self: Any, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False) -> Tensor:
        """Q @ input3, Q the product of the reflections in the tensor, `input2` their tau."""
        return reflections.ormqr(self, input2, input3, left, transpose)
