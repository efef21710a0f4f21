"""Primitives of linear algebra that give one matrix or number; the factorisations are next door.

The rules are those of Giles 2008, "An extended collection of matrix derivative results".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from math import comb, factorial
from typing import Any

import numpy as np

from tinygrad_nn.op import Array, op
from tinygrad_nn.sums import sum_first


@op(promote="common", ufunc=np.matmul)
def matmul(a: Array, b: Array, /) -> Array:
    """(..., m, k) @ (..., k, n) -> (..., m, n); leading axes broadcast."""
    return np.dot(a, b) if a.ndim == b.ndim == 2 else np.matmul(a, b)


matmul.vjp(a=lambda g, b: g @ b.mT, b=lambda g, a: a.mT @ g)
matmul.sample((2, 3), (3, 4)).sample((5, 2, 3), (3, 4)).sample((2, 3), (5, 3, 1)).sample((2, 1, 2, 3), (4, 3, 2))
matmul.sample((0, 3), (3, 2)).sample((2, 0), (0, 3))


def _rows(v: Any) -> Any:
    """(..., n) as a matrix (rows, n)."""
    return v if len(v.shape) == 2 else np.reshape(v, (-1, v.shape[-1]))


_FEW, _MANY = 8, 64  # between these, OpenBLAS multiplies a large W by the rows a quarter faster than the rows by W transposed
_LARGE = 1 << 13


@op
def linear(x: Array, weight: Array, bias: Array | None, /) -> Array:
    """(..., in) times the transpose of (out, in), plus (out,) -> (..., out)."""
    rows = _rows(x)
    if weight.size >= _LARGE and _FEW <= len(rows) < _MANY and weight.flags.c_contiguous:
        y = np.dot(weight, rows.T).T
        y = np.add(y, bias, order="C") if bias is not None else np.ascontiguousarray(y)
    else:
        y = np.dot(rows, weight.T)
        if bias is not None:
            y += bias
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], weight.shape[0])


linear.vjp(
    x=lambda g, weight: linear(g, weight.T, None),
    weight=lambda g, x: np.dot(_rows(g).T, _rows(x)),
    bias=lambda g: sum_first(g, len(g.shape) - 1),
)
linear.sample((2, 3), (4, 3), (4,)).sample((3,), (4, 3), (4,)).sample((2, 5, 3), (1, 3), None)
linear.sample((0, 3), (2, 3), (2,))


class _LinAlgError(RuntimeError):
    """A decomposition or a solution that the values of a matrix do not allow."""


LinAlgError = _LinAlgError  # in messages it has PyTorch's name


@contextmanager
def failing_as(message: str) -> Iterator[None]:
    """NumPy's LinAlgError as ours, with `message`."""
    try:
        yield
    except np.linalg.LinAlgError:
        raise LinAlgError(message) from None


@op
def inverse(a: Array, /) -> Array:
    """The inverses of square matrices (..., n, n); LinAlgError for a singular one."""
    with failing_as("linalg.inv: The inversion could not be completed because the input matrix is singular."):
        return np.linalg.inv(a)


inverse.vjp(a=lambda g, y: -(y.mT @ g @ y.mT))


@op(promote="common")
def solve(a: Array, rhs: Array, /) -> Array:
    """The solutions (..., n, k) of a @ y = rhs for square a; leading axes broadcast; LinAlgError for a singular a."""
    with failing_as("linalg.solve: The solver failed because the input matrix is singular."):
        return np.linalg.solve(a, rhs)


solve.vjp(a=lambda g, a, y: -(solve(a.mT, g) @ y.mT), rhs=lambda g, a: solve(a.mT, g))


def _cofactors(a: Any) -> Any:
    """The derivative of the determinant by each element, which exists where the inverse does not: signed minors."""
    n = a.shape[-1]
    if n <= 1:
        return np.ones_like(a)
    others = np.array([[k for k in range(n) if k != i] for i in range(n)])
    minors = a[..., others[:, None, :, None], others[None, :, None, :]]
    return det(minors) * (-1.0) ** np.add.outer(np.arange(n), np.arange(n)).astype(np.dtype(a.dtype))


@op
def det(a: Array, /) -> Array:
    """The determinants (...) of square matrices (..., n, n)."""
    return np.linalg.det(a)


def _det_rule(g: Any, a: Any, y: Any) -> Any:
    """g * det(a) * inverse(a).mT; where rounding hides whether the determinant is zero, the cofactors themselves."""
    largest = np.prod(np.sqrt(np.sum(a * a, axis=-1)), axis=-1)  # Hadamard's bound on the determinant
    singular = np.absolute(y) <= a.shape[-1] * float(np.finfo(np.dtype(a.dtype)).eps) * largest
    if np.any(singular):
        return g[..., None, None] * _cofactors(a)
    return (g * y)[..., None, None] * inverse(a).mT


det.vjp(a=_det_rule)


@op(quiet=True)
def logabsdet(a: Array, /) -> Array:
    """log|det(a)| of square matrices (..., n, n), without overflow."""
    return np.linalg.slogdet(a)[1]


logabsdet.vjp(a=lambda g, a: g[..., None, None] * inverse(a).mT)


@op
def detsign(a: Array, /) -> Array:
    """The sign of det(a): -1, 0 or 1; its slope is 0."""
    return np.linalg.slogdet(a)[0]


detsign.vjp(a=lambda g, a: a * 0)

_PADE = tuple(float(factorial(26 - k) // factorial(13) * comb(13, k)) for k in range(14))


@op
def matrix_exp(a: Array, /) -> Array:
    """The exponentials of square matrices: a Padé approximant of a / 2**s, squared s times (Higham 2005)."""
    size = np.abs(a).sum(-1, keepdims=True).max(-2, keepdims=True, initial=0.0)
    squarings = np.maximum(np.ceil(np.log2(np.maximum(size, 1e-30) / 5.37)), 0).astype(int)
    a = np.ldexp(a, -squarings)
    square, identity = a @ a, np.eye(a.shape[-1], dtype=a.dtype)
    even = odd = np.zeros_like(a)
    for k in range(12, -2, -2):
        even, odd = even @ square + _PADE[k] * identity, odd @ square + _PADE[k + 1] * identity
    odd = a @ odd
    y = np.linalg.solve(even - odd, even + odd)
    for i in range(squarings.max(initial=0)):
        y = np.where(squarings > i, y @ y, y)
    return y


def _matrix_exp_rule(g: Any, a: Any) -> Any:
    """The upper right block of exp([[a.mT, g], [0, a.mT]]) (Al-Mohy and Higham 2009)."""
    n = a.shape[-1]
    upper, lower = np.concatenate([a.mT, g], -1), np.concatenate([np.zeros_like(a), a.mT], -1)
    return matrix_exp(np.concatenate([upper, lower], -2))[..., :n, n:]


matrix_exp.vjp(a=_matrix_exp_rule)

_WELL = np.array([[[3.0, 0.5, -1.0], [0.2, -2.0, 0.7], [0.4, 1.1, 1.5]], [[1.0, 2.0, 0.3], [-0.6, 2.5, 0.1], [0.9, 0.2, -1.8]]])
for _square in (inverse, det, logabsdet, detsign, matrix_exp):
    _square.sample(_WELL).sample(_WELL[0]).sample((0, 0)).sample(_WELL[:, :1, :1])
det.sample(np.array([[1.0, 2.0], [2.0, 4.0]])).sample(np.ones((3, 3)))
matrix_exp.sample(4 * _WELL[0])
solve.sample(_WELL, (2, 3, 2)).sample(_WELL[0], (2, 3, 1)).sample(_WELL, (3, 2)).sample((0, 0), (0, 2))
