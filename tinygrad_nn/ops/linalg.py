"""Primitives of linear algebra, all on BLAS's matrix product."""

from typing import Any

import numpy as np

from tinygrad_nn.op import Array, op


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


_FEW, _MANY = 8, 64  # between these, OpenBLAS multiplies W by the rows a quarter faster than the rows by W transposed


@op
def linear(x: Array, weight: Array, bias: Array | None, /) -> Array:
    """(..., in) times the transpose of (out, in), plus (out,) -> (..., out)."""
    rows = _rows(x)
    if _FEW <= len(rows) < _MANY and weight.flags.c_contiguous:
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
    bias=lambda g: np.add.reduce(_rows(g), axis=0),
)
linear.sample((2, 3), (4, 3), (4,)).sample((3,), (4, 3), (4,)).sample((2, 5, 3), (1, 3), None)
linear.sample((0, 3), (2, 3), (2,))
