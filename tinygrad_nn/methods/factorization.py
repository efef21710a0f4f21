"""Factorisations of matrices and what they solve: inverses, determinants, powers, in the spelling of `torch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn import return_types
from tinygrad_nn.methods.matrices import matmul, same_dtype
from tinygrad_nn.methods.shaping import broadcast_to, squeeze, unsqueeze
from tinygrad_nn.ops import compare, elementwise, factorization, linalg, reduce, shape
from tinygrad_nn.ops import index as indexing

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "cholesky", "cholesky_inverse", "cholesky_solve", "det", "inverse", "logdet", "lu", "lu_solve", "lu_unpack", "matrix_exp",
    "matrix_power", "pinverse", "qr", "slogdet", "svd", "triangular_solve",
]  # fmt: skip


def matrices(input: Tensor, name: str, square: bool = False) -> Tensor:
    """The input, if it holds matrices (square ones) in a dtype that they are factorised in; RuntimeError if not."""
    _shaped(input, name, square)
    return floating(input, name)


def _shaped(input: Tensor, name: str, square: bool) -> None:
    """RuntimeError unless the input holds matrices, square ones if asked for."""
    if input.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor must have at least 2 dimensions, got shape {list(input.shape)}")
    if square and input.shape[-1] != input.shape[-2]:
        raise RuntimeError(f"{name}: A must be batches of square matrices, got shape {list(input.shape)}")


def floating(input: Tensor, name: str) -> Tensor:
    """The input, if it is of float32 or float64; RuntimeError if not."""
    if input.dtype.name not in ("float32", "float64"):
        raise RuntimeError(f"{name}: Expected a float32 or float64 tensor as input. Got {input.dtype}")
    return input


def triangle(input: Tensor, upper: bool, unit: bool = False) -> Tensor:
    """The upper or lower triangle of square matrices, with a diagonal of ones if `unit`."""
    lower = np.tri(input.shape[-1], dtype=bool)
    part = elementwise.where(lower.T if upper else lower, input, 0.0)
    return elementwise.where(np.eye(input.shape[-1], dtype=bool), 1.0, part) if unit else part


def solved(a: Tensor, b: Tensor, name: str, left: bool = True) -> Tensor:
    """The matrices x with a @ x = b, or, with `left` False, x @ a = b."""
    same_dtype(matrices(a, name, square=True), b, name)
    if b.ndim < 2 or a.shape[-1] != b.shape[-2 if left else -1]:
        raise RuntimeError(f"{name}: Incompatible shapes of A and B: {list(a.shape)} and {list(b.shape)}")
    return linalg.solve(a, b) if left else linalg.solve(a.mT, b.mT).mT.contiguous()


def det(input: Tensor) -> Tensor:
    """The determinants (...) of square matrices (..., n, n); the gradient is right where they are 0, too."""
    return linalg.det(matrices(input, "linalg.det", square=True))


def slogdet(input: Tensor) -> Any:
    """The signs of determinants, and the logarithms of their sizes."""
    input = matrices(input, "linalg.slogdet", square=True)
    return return_types.slogdet(linalg.detsign(input), linalg.logabsdet(input))


def logdet(input: Tensor) -> Tensor:
    """The logarithms of determinants: nan for negative ones, -inf for 0."""
    sign, size = slogdet(input)
    return elementwise.add(elementwise.log(sign), size)


def inverse(input: Tensor) -> Tensor:
    """The inverses of square matrices; LinAlgError for a singular one."""
    return linalg.inverse(matrices(input, "linalg.inv", square=True))


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The Moore-Penrose inverses (..., n, m), singular values up to `rcond` times the largest taken for 0."""
    return factorization.pinv(matrices(input, "linalg.pinv"), atol=0.0, rtol=rcond, hermitian=False)


def matrix_power(input: Tensor, n: int) -> Tensor:
    """Square matrices, of integers too, multiplied n times, by repeated squaring; with negative n, their inverses."""
    _shaped(input, "linalg.matrix_power", square=True)
    if n == 0:
        return elementwise.add(elementwise.mul(input, 0), np.eye(input.shape[-1], dtype=input.dtype.numpy))
    power: Tensor = inverse(input) if n < 0 else elementwise.copy(input)
    result, left = power, abs(n) - 1
    while left:
        if left & 1:
            result = matmul(result, power)
        left >>= 1
        power = matmul(power, power) if left else power
    return result


def matrix_exp(input: Tensor) -> Tensor:
    """The exponentials of square matrices."""
    return linalg.matrix_exp(matrices(input, "linalg.matrix_exp", square=True))


def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """L with L @ L.mT = input (or, `upper`, L.mT) of symmetric positive definite matrices; LinAlgError for others."""
    factor: Tensor = factorization.cholesky(matrices(input, "linalg.cholesky", square=True))
    return factor.mT if upper else factor


def cholesky_solve(input: Tensor, input2: Tensor, upper: bool = False) -> Tensor:
    """The solutions x of A @ x = input, A given by its Cholesky factor."""
    low = _factor(input2, upper, "cholesky_solve")
    return solved(low.mT, solved(low, input, "cholesky_solve"), "cholesky_solve")


def cholesky_inverse(input: Tensor, upper: bool = False) -> Tensor:
    """The inverse of a matrix given by its Cholesky factor."""
    low = inverse(_factor(input, upper, "cholesky_inverse"))
    return matmul(low.mT, low)


def _factor(L: Tensor, upper: bool, name: str) -> Tensor:
    """A lower Cholesky factor; one that is triangular stays as it is, for its gradient is that of L @ L.mT in PyTorch."""
    low = matrices(L, name, square=True)
    low = low.mT if upper else low
    return triangle(low, upper=False) if np.triu(low.detach().numpy(), 1).any() else low


def triangular_solve(
    input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Any:
    """The solutions x of A @ x = input (or A.mT @ x), A triangular."""
    a = triangle(matrices(A, "triangular_solve", square=True), upper, unitriangular)
    return return_types.triangular_solve(solved(a.mT if transpose else a, input, "triangular_solve"), elementwise.copy(A))


def qr(input: Tensor, some: bool = True) -> Any:
    """Q @ R = input: orthonormal columns times upper triangular; without `some`, Q is square."""
    m = matrices(input, "linalg.qr").shape[-2]
    q, r = factorization.factors(factorization.qr(input, mode="reduced" if some else "complete"), m)
    return return_types.qr(q, r.mT)


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """U @ diag(S) @ V.mT = input, S falling; without `some`, U and V are square, their additional columns constants."""
    m = matrices(input, "linalg.svd").shape[-2]
    u, s, v = factorization.factors(factorization.svd(input, full=not some), m, 1)
    k = s.shape[-1]
    if not some or not compute_uv:
        left, _, right = np.linalg.svd(input.detach().numpy(), full_matrices=True)
        u = shape.concatenate(u, left[..., k:], axis=input.ndim - 1)
        v = shape.concatenate(v, right.mT[..., k:], axis=input.ndim - 1)
    if not compute_uv:
        u, v = (elementwise.mul(t, 0).detach() for t in (u, v))
    return return_types.svd(u, squeeze(s, -2).contiguous(), v)


def plu(input: Tensor, pivot: bool = True) -> tuple[Any, Tensor]:
    """P @ L @ U = input by Gaussian elimination with row exchanges, and the exchanges, counted from 0."""
    if not pivot:
        raise RuntimeError("linalg.lu: LU without pivoting is not implemented on the CPU")
    m, n = matrices(input, "linalg.lu").shape[-2:]
    pivots = factorization.pivots(input.detach())
    order = row_order(pivots, m)
    rows = indexing.take_along_axis(input, broadcast_to(unsqueeze(order, -1), input.shape), axis=input.ndim - 2)
    k = min(m, n)
    low, ut = factorization.factors(factorization.lu(rows[..., :k, :k]), k)
    up = ut.mT
    if m > n:
        low = shape.concatenate(low, solved(up, rows[..., k:, :], "linalg.lu", left=False), axis=input.ndim - 2)
    if n > m:
        up = shape.concatenate(up, solved(low, rows[..., k:], "linalg.lu"), axis=input.ndim - 1)
    return return_types.linalg_lu(permutation(order, input), low.contiguous(), up.contiguous()), pivots


def lu(A: Tensor, pivot: bool = True, get_infos: bool = False) -> tuple[Tensor, ...]:
    """L below the diagonal and U on and above it, in one matrix; the row exchanged with row i, counted from 1.

    With `get_infos`, for each matrix also 1 + i where U has its first 0 on the diagonal at i, and 0 where it has none.
    """
    (_, low, up), pivots = plu(A, pivot)
    m, n = A.shape[-2:]
    below = elementwise.where(np.tri(m, low.shape[-1], -1, dtype=bool), low, 0.0)
    below = linalg.matmul(below, np.eye(up.shape[-2], n, dtype=A.dtype.numpy))
    found = elementwise.add(below, linalg.matmul(np.eye(m, low.shape[-1], dtype=A.dtype.numpy), up)), (pivots + 1).int()
    if not get_infos:
        return found
    zero = compare.eq(indexing.diagonal(up.detach(), offset=0, axis0=-2, axis1=-1), 0)
    infos = reduce.any(zero, axis=-1, keepdims=False).int()
    return *found, (infos * (reduce.argmax(zero, axis=-1, keepdims=False) + 1)).int() if zero.shape[-1] else infos


def row_order(pivots: Tensor, m: int) -> Tensor:
    """Where each of m rows comes from, after row i was exchanged with row pivots[i], i = 0, 1, ..."""
    return factorization.row_order(pivots, count=m)


def permutation(order: Tensor, like: Tensor) -> Tensor:
    """The matrices P that put the rows, taken in `order`, back to their places."""
    return indexing.put_along_axis(
        elementwise.add(elementwise.mul(unsqueeze(order, -2), 0).to(like.dtype), 1.0), unsqueeze(order, -2),
        axis=order.ndim - 1, shape=(*order.shape, order.shape[-1]),
    )  # fmt: skip


def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True) -> Any:
    """P, L and U of what `linalg.lu_factor` gives; empty tensors for what is not asked for."""
    m, n = matrices(LU_data, "lu_unpack").shape[-2:]
    k = min(m, n)
    low, up = (elementwise.where(mask, LU_data, 0.0) for mask in (np.tri(m, n, -1, dtype=bool), ~np.tri(m, n, -1, dtype=bool)))
    low = elementwise.add(low[..., :k], np.eye(m, k, dtype=LU_data.dtype.numpy))
    p: Any = permutation(row_order(LU_pivots - 1, m), LU_data)
    empty = LU_data.detach().reshape(-1)[:0]
    return return_types.lu_unpack(p if unpack_pivots else empty, *((low, up[..., :k, :]) if unpack_data else (empty, empty)))


def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """The solutions x of A @ x = b, A given by what `linalg.lu_factor` gives."""
    p, low, up = lu_unpack(LU_data, LU_pivots)
    return solved(up, solved(low, matmul(p.mT, b), "lu_solve"), "lu_solve")
