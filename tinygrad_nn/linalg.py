"""The namespace `torch.linalg`: norms, factorisations, solutions."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, prod
from typing import Any, TypeAlias

import numpy as np

from tinygrad_nn import return_types
from tinygrad_nn.dtypes import DTypeLike, dtype_of
from tinygrad_nn.methods import factorization, reduction
from tinygrad_nn.methods import matrices as products
from tinygrad_nn.methods.dims import axes_of, axis_of, many
from tinygrad_nn.methods.faces import expect_floating
from tinygrad_nn.methods.factorization import matrices, matrix_exp, matrix_power, solved, triangle
from tinygrad_nn.methods.joining import stack
from tinygrad_nn.methods.matrices import matmul
from tinygrad_nn.methods.out import accept_out
from tinygrad_nn.methods.reflections import orgqr as householder_product
from tinygrad_nn.methods.shaping import movedim, reshape, squeeze, unsqueeze
from tinygrad_nn.ops import elementwise, index, reduce
from tinygrad_nn.ops import factorization as ops
from tinygrad_nn.ops import linalg as primitives
from tinygrad_nn.ops.linalg import LinAlgError
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh",
    "householder_product", "inv", "inv_ex", "lstsq", "lu", "lu_factor", "lu_factor_ex", "lu_solve", "matmul", "matrix_exp",
    "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve", "solve_ex",
    "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot", "vector_norm",
]  # fmt: skip

Order: TypeAlias = int | float | str | None


# norms


def vector_norm(
    x: Tensor, ord: int | float = 2, dim: Any = None, keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """sum(|x|**ord) ** (1 / ord) along `dim` (None: all); inf and -inf give the extremes of |x|, 0 counts what is not 0."""
    x = _normed(x, dtype, "linalg.vector_norm")
    if isinstance(ord, str):
        raise TypeError(f"linalg.vector_norm: expected a number as ord, got '{ord}'")
    axes = axes_of(dim, x.ndim)
    if ord in (inf, -inf):
        if any(x.shape[i] == 0 for i in (range(x.ndim) if axes is None else axes)):
            raise RuntimeError(f"linalg.vector_norm cannot compute the {ord} norm on an empty dimension of {list(x.shape)}")
        extreme = reduction.amax if ord > 0 else reduction.amin
        return extreme(elementwise.abs(x), () if axes is None else axes, keepdim)
    if ord == 0:
        return reduction.sum(elementwise.abs(elementwise.sign(x)), axes, keepdim)
    return reduce.norm(x, p=ord, axis=axes, keepdims=keepdim)


def matrix_norm(
    input: Tensor, ord: int | float | str = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: DTypeLike | None = None
) -> Tensor:
    """input norm of the matrices in two dimensions.

    "fro": of all elements as a vector; "nuc": the sum of the singular values; 2 and -2: the largest and smallest of them;
    1 and -1: the largest and smallest sum of a column of absolute values; inf and -inf: of a row.
    """
    input = _normed(input, dtype, "linalg.matrix_norm")
    if input.ndim < 2 or len(tuple(dim)) != 2:
        raise RuntimeError(f"linalg.matrix_norm: expected matrices and two dims, got shape {list(input.shape)} and dim={dim}")
    row, column = (axis_of(d, input.ndim) for d in dim)
    if row == column:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    if ord == "fro":
        return vector_norm(input, 2, (row, column), keepdim)
    if ord not in ("nuc", 1, -1, 2, -2, inf, -inf):
        raise RuntimeError(f"linalg.matrix_norm: expected ord fro, nuc, 1, -1, 2, -2, inf or -inf, got {ord}")
    input = movedim(input, (row, column), (-2, -1))
    if ord in ("nuc", 2, -2):
        values = svdvals(input)
        y = reduction.sum(values, -1) if ord == "nuc" else (reduction.amax if ord == 2 else reduction.amin)(values, -1)
    else:
        sums = vector_norm(input, 1, -2 if ord in (1, -1) else -1)
        y = (reduction.amax if ord in (1, inf) else reduction.amin)(sums, -1)
    for axis in sorted((row, column)) if keepdim else ():
        y = unsqueeze(y, axis)
    return y


def norm(input: Tensor, ord: Order = None, dim: Any = None, keepdim: bool = False, *, dtype: DTypeLike | None = None) -> Tensor:
    """`vector_norm` along one dimension, `matrix_norm` along two; without `ord`, the 2-norm of all elements."""
    dims = None if dim is None else many(dim)
    if ord is None:
        return vector_norm(input, 2, dims, keepdim, dtype=dtype)
    if dims is None:
        if input.ndim not in (1, 2):
            raise RuntimeError(f"linalg.norm: If ord is given but dim is not, the input must be 1D or 2D. Got {input.ndim}D.")
        dims = tuple(range(input.ndim))
    if len(dims) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}")
    if len(dims) == 2:
        return matrix_norm(input, ord, dims, keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.norm: ord '{ord}' is for matrices, and dim={list(dims)} names vectors")
    return vector_norm(input, ord, dims, keepdim, dtype=dtype)


def _normed(x: Tensor, dtype: DTypeLike | None, name: str) -> Tensor:
    if not x.is_floating_point():
        raise RuntimeError(f"{name}: Expected a floating point tensor as input. Got {x.dtype}")
    if dtype is not None and dtype_of(dtype).itemsize < x.dtype.itemsize:
        raise RuntimeError(f"{name}: {x.dtype}, the dtype of the input, should convert to {dtype_of(dtype)} without narrowing")
    return x if dtype is None else x.to(dtype)


def det(A: Tensor) -> Tensor:
    """The determinants (...) of square matrices (..., n, n)."""
    return factorization.det(A)


def inv(A: Tensor) -> Tensor:
    """The inverses of square matrices (..., n, n); LinAlgError for singular ones."""
    return factorization.inverse(A)


def slogdet(A: Tensor) -> Any:
    """The signs of determinants, and the logarithms of their sizes."""
    return return_types.linalg_slogdet(*factorization.slogdet(A))


def cond(A: Tensor, p: Order = None) -> Tensor:
    """The condition numbers: the norm (2 unless `p` names one) times the norm of the inverse; inf for singular matrices."""
    matrices(A, "linalg.cond", square=p not in (None, 2, -2))
    if not prod(A.shape[-2:]):
        return wrap(np.zeros(A.shape[:-2], A.dtype.numpy))
    if p is None or p in (2, -2):
        values = svdvals(A)
        first, last = (0, -1) if p != -2 else (-1, 0)
        return elementwise.div(values[..., first], values[..., last])
    inverses, info = inv_ex(A)
    size = elementwise.mul(matrix_norm(A, p), matrix_norm(inverses, p))
    return elementwise.where(info.numpy() > 0, inf, size) if info.numpy().any() else size


# factorisations


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """L with L @ L.mT = A (or, `upper`, L.mT) of symmetric positive definite matrices; LinAlgError for others."""
    return factorization.cholesky(A, upper)


def qr(A: Tensor, mode: str = "reduced") -> Any:
    """Q @ R = A: orthonormal columns times upper triangular; `mode` is reduced, complete or r (without Q)."""
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'")
    q, r = factorization.qr(A, some=mode != "complete")
    return return_types.linalg_qr(q.detach().reshape(-1)[:0] if mode == "r" else q, r)


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> Any:
    """U @ diag(S) @ Vh = A, S falling; U and Vh square if `full_matrices`."""
    u, s, v = factorization.svd(A, some=not full_matrices)
    return return_types.linalg_svd(u, s, v.mT)


def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """The singular values, falling."""
    return factorization.svd(A).S


def eigh(A: Tensor, UPLO: str = "L") -> Any:
    """Rising eigenvalues and orthonormal eigenvectors of symmetric matrices, of which one triangle is read."""
    expect_floating("linalg.eigh", A)
    matrices(A, "linalg.eigh", square=True)
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"linalg.eigh: Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    w, v = ops.factors(ops.eigh(A, triangle=UPLO.upper()), 1)
    return return_types.linalg_eigh(squeeze(w, -2).contiguous(), v)


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The rising eigenvalues of symmetric matrices."""
    return eigh(A, UPLO).eigenvalues


def eig(A: Tensor) -> Any:
    """Eigenvalues and eigenvectors of unit length, as real tensors; NotImplementedError if some are complex."""
    w, v = ops.factors(ops.eig(matrices(A, "linalg.eig", square=True)), 1)
    return return_types.linalg_eig(squeeze(w, -2).contiguous(), v)


def eigvals(A: Tensor) -> Tensor:
    """The eigenvalues, as a real tensor; NotImplementedError if some are complex."""
    return eig(A).eigenvalues


def lu(A: Tensor, *, pivot: bool = True) -> Any:
    """P @ L @ U = A by Gaussian elimination with row exchanges."""
    return factorization.plu(A, pivot)[0]


def lu_factor(A: Tensor, *, pivot: bool = True) -> Any:
    """L and U in one matrix, and the row exchanges, as `lu_solve` takes them; RuntimeError where U has a 0 on its diagonal."""
    return return_types.linalg_lu_factor(*_nonzero("linalg.lu_factor", factorization.lu(A, pivot, get_infos=True))[:2])


def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """What `lu_factor` gives, and for each matrix 0, or 1 + i where U has its first 0 on the diagonal at i."""
    found = factorization.lu(A, pivot, get_infos=True)
    return return_types.linalg_lu_factor_ex(*(_nonzero("linalg.lu_factor_ex", found) if check_errors else found))


def _nonzero(name: str, found: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """What a factorisation gave, its infos last; RuntimeError if one of them tells of a 0."""
    if found[-1]._data.any():
        raise RuntimeError(f"{name}: U has a 0 on its diagonal: using it to solve would divide by zero")
    return found


def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False) -> Tensor:
    """The solutions X of A @ X = B (X @ A = B without `left`; A.mT with `adjoint`), A given by `lu_factor`."""
    p, low, up = factorization.lu_unpack(LU, pivots)
    if not left:
        return lu_solve(LU, pivots, B.mT, adjoint=not adjoint).mT
    if adjoint:
        return matmul(p, solved(low.mT, solved(up.mT, B, "linalg.lu_solve"), "linalg.lu_solve"))
    return factorization.lu_solve(B, LU, pivots)


# solutions


def _where_possible(function: Any, attempt: Any, A: Tensor, check_errors: bool) -> tuple[Tensor, Tensor]:
    """function(A), inf where `attempt` fails on a matrix, and for each matrix whether it does: an int32 1."""
    values, info = A.detach().numpy(), np.zeros(A.shape[:-2], np.int32)
    for place in np.ndindex(info.shape) if not check_errors else ():
        try:
            attempt(values[place])
        except LinAlgError:
            info[place] = 1
    if not info.any():
        return function(A), wrap(info)
    result = function(elementwise.where(info[..., None, None] > 0, np.eye(A.shape[-1], dtype=values.dtype), A))
    failed = info.reshape(info.shape + (1,) * (result.ndim - info.ndim)) > 0
    return elementwise.where(failed, inf, result), wrap(info)


def inv_ex(A: Tensor, *, check_errors: bool = False) -> Any:
    """The inverses, and for each matrix 0, or 1 where it is singular, which is then no error: its inverse is inf."""
    matrices(A, "linalg.inv", square=True)
    return return_types.linalg_inv_ex(*_where_possible(inv, primitives.inverse, A, check_errors))


def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> Any:
    """What `solve` gives, and for each matrix 0, or 1 where it is singular, which is then no error: the solution is inf."""
    matrices(A, "linalg.solve", square=True)
    found = _where_possible(lambda a: solve(a, B, left=left), primitives.inverse, A, check_errors)
    return return_types.linalg_solve_ex(*found)


def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> Any:
    """What `cholesky` gives, and for each matrix 0, or which leading minor is the first that is not positive, counted from 1.

    In place of such a matrix's factor is what there is of it by then; that is no error unless `check_errors`.
    """
    matrices(A, "linalg.cholesky", square=True)
    begun, info = A.detach().numpy().copy(), np.zeros(A.shape[:-2], np.int32)
    for place in np.ndindex(info.shape) if not check_errors else ():
        try:
            ops.cholesky(begun[place])
        except LinAlgError:
            begun[place], info[place] = _begun(begun[place])
    failed = info[..., None, None] > 0
    factor = cholesky(elementwise.where(failed, np.eye(A.shape[-1], dtype=begun.dtype), A) if info.any() else A)
    factor = elementwise.where(failed, begun, factor) if info.any() else factor
    return return_types.linalg_cholesky_ex(factor.mT if upper else factor, wrap(info))


def _begun(a: Any) -> tuple[Any, int]:
    """The columns of a Cholesky factor up to the first pivot that is not positive, a's own behind it, and its number from 1."""
    low = np.tril(a)
    for j in range(len(a)):
        low[j, j] -= low[j, :j] @ low[j, :j]
        if not low[j, j] > 0:
            break
        low[j, j] **= 0.5
        low[j + 1 :, j] = (low[j + 1 :, j] - low[j + 1 :, :j] @ low[j, :j]) / low[j, j]
    return low, j + 1


def pinv(
    input: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """The Moore-Penrose inverses, singular values up to max(atol, rtol * the largest) taken for 0; rtol is max(m, n) * eps."""
    atol, rtol = _tolerances(matrices(input, "linalg.pinv", square=hermitian), atol, rcond if rtol is None else rtol)
    return ops.pinv(input, atol=atol, rtol=rtol, hermitian=hermitian)


def matrix_rank(input: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Tensor:
    """The number of singular values above max(atol, rtol * the largest); rtol is max(m, n) * eps unless given."""
    atol, rtol = _tolerances(matrices(input, "linalg.matrix_rank", square=hermitian), tol if atol is None else atol, rtol)
    values = elementwise.abs(eigvalsh(input.detach())) if hermitian else svdvals(input.detach())
    return wrap(np.asarray(_kept(values.numpy(), atol, rtol).sum(-1)))


def _tolerances(A: Tensor, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """Absolute and relative tolerance as arrays; where none is above 0, the relative one is max(m, n) * eps."""
    rounding = max(A.shape[-2:]) * float(np.finfo(A.dtype.numpy).eps)
    absolute = np.asarray(0.0 if atol is None else atol)
    relative = np.where(absolute > 0, 0.0, rounding) if rtol is None else np.asarray(rtol)
    return absolute.astype(A.dtype.numpy), relative.astype(A.dtype.numpy)


def _kept(sizes: Any, atol: Any, rtol: Any) -> Any:
    largest = sizes.max(-1, keepdims=True, initial=0.0)
    return sizes > np.maximum(atol[..., None], rtol[..., None] * largest)


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """The solutions X of A @ X = B (X @ A = B without `left`), B matrices or vectors; LinAlgError for a singular A."""
    if B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1]):
        if not left and B.ndim == 1:
            raise RuntimeError("linalg.solve: Vector broadcasting of the left hand side is not supported for left=False")
        return squeeze(solved(A, unsqueeze(B, -1), "linalg.solve"), -1)
    return solved(A, B, "linalg.solve", left)


def solve_triangular(A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Tensor:
    """The solutions X of A @ X = B (X @ A = B without `left`), A triangular, its other triangle not read."""
    a = triangle(matrices(A, "linalg.solve_triangular", square=True), upper, unitriangular)
    return solved(a, B, "linalg.solve_triangular", left)


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """The X that make the sum of (A @ X - B)**2 smallest, A of full rank; B matrices or vectors."""
    matrices(A, "torch.linalg.lstsq")
    if driver not in (None, "gelsy", "gels", "gelsd", "gelss"):
        raise RuntimeError(f"torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), got {driver}")
    if A.ndim > B.ndim + 1 or B.ndim < 1:
        raise RuntimeError(f"torch.linalg.lstsq: B has too few dimensions: {list(B.shape)} beside A of {list(A.shape)}")
    vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])
    b = unsqueeze(B, -1) if vector else B
    m, n = A.shape[-2:]
    if b.shape[-2] != m:
        raise RuntimeError(f"torch.linalg.lstsq: A and B must have as many rows, got {list(A.shape)} and {list(B.shape)}")
    x = matmul(pinv(A, rcond), b)
    error = matmul(A, x) - b
    none = reshape(A, (-1,))[:0]
    residuals = reduction.sum(elementwise.mul(error, error), -2) if m > n and driver not in (None, "gelsy") else none
    rank = none.detach().long() if driver == "gels" else matrix_rank(A, rtol=rcond)
    values = svdvals(A.detach()) if driver in ("gelsd", "gelss") else none.detach()
    return return_types.linalg_lstsq(squeeze(x, -1) if vector else x, residuals, rank, values)


def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """The inverse of A as a matrix from its dimensions after `ind` to those before."""
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', got {ind}")
    rows, columns = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    if prod(rows) != prod(columns):
        raise RuntimeError(f"tensorinv: expected prod(shape[ind:]) == prod(shape[:ind]), got {list(A.shape)} and ind={ind}")
    return reshape(inv(reshape(A, (prod(rows), prod(columns)))), (*columns, *rows))


def tensorsolve(A: Tensor, B: Tensor, dims: Sequence[int] | None = None) -> Tensor:
    """The X with tensordot(A, X, X.ndim) = B; `dims` of A are moved to its end first."""
    A = A if dims is None else movedim(A, tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    shape = tuple(A.shape[B.ndim :])
    if prod(shape) != prod(B.shape):
        raise RuntimeError(f"Expected A to be as large as B squared, got {list(A.shape)} and {list(B.shape)}")
    return reshape(solve(reshape(A, (prod(B.shape), prod(shape))), reshape(B, (-1,))), shape)


# products


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of two or more matrices in the cheapest order; the first and the last may be vectors."""
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    first, last = tensors[0], tensors[-1]
    if any(t.ndim != 2 for t in tensors[1:-1]) or not {first.ndim, last.ndim} <= {1, 2}:
        raise RuntimeError(f"multi_dot(): expected matrices, first and last perhaps vectors, got {[t.ndim for t in tensors]} dims")
    row = unsqueeze(first, 0) if first.ndim == 1 else first
    column = unsqueeze(last, 1) if last.ndim == 1 else last
    y = products.product_of([row, *tensors[1:-1], column])
    y = squeeze(y, 1) if last.ndim == 1 else y
    return squeeze(y, 0) if first.ndim == 1 else y


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The vector products along `dim`, of size 3; the other dimensions broadcast."""
    return products.cross(input, other, dim)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The sums of x * y along `dim`; the other dimensions broadcast."""
    products.same_dtype(x, y, "linalg.vecdot")
    expect_floating("linalg.vecdot", x)
    return reduction.sum(elementwise.mul(x, y), dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices, a view: the elements at i, i + offset of two dimensions."""
    axis1, axis2 = axis_of(dim1, A.ndim), axis_of(dim2, A.ndim)
    if axis1 == axis2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return index.diagonal(A, offset=offset, axis0=axis1, axis1=axis2)


def vander(x: Tensor, N: int | None = None) -> Tensor:
    """The powers 0, 1, ..., N - 1 of each element along a new last dimension."""
    if N is not None and N <= 1:
        raise RuntimeError(f"N must be greater than 1, got {N}")
    x = x if x.ndim else unsqueeze(x, 0)
    x = x if x.is_floating_point() else x.long()
    powers = [wrap(np.ones(x.shape, x.dtype.numpy))]
    for _ in range((x.shape[-1] if N is None else N) - 1):
        powers.append(elementwise.mul(powers[-1], x))
    return stack(powers, -1)


accept_out(globals())
