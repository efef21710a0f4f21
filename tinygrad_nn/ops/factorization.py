"""Factorisations of matrices, each one primitive: the factors lie stacked in its output, transposed to k columns.

Column i of every factor belongs together, so U (m, k), S (k) and V (n, k) make one array (m + 1 + n, k), which
`factors` cuts again. A rule cuts the output and its gradient alike, and sees the gradients of all factors at once.
The rules are those of Giles 2008, "An extended collection of matrix derivative results", and of PyTorch.
"""

from typing import Any, Literal

import numpy as np

from tinygrad_nn.op import Array, op
from tinygrad_nn.ops.linalg import failing_as, solve


def factors(stacked: Any, *rows: int) -> list[Any]:
    """The factors of so many rows each; the last one has what is left."""
    ends = np.cumsum((0, *rows)).tolist()
    return [stacked[..., start:end, :] for start, end in zip(ends, [*ends[1:], None], strict=True)]


def _identity(n: int) -> Any:
    return np.eye(n, dtype=bool)


def _lower(x: Any) -> Any:
    """The lower triangle, diagonal included."""
    return np.where(np.tri(x.shape[-1], dtype=bool), x, 0.0)


def _over(a: Any, b: Any) -> Any:
    """a / b, and 0 for 0 / 0: equal values are no harm to a function that does not tell their vectors apart."""
    return a / np.where((a == 0) & (b == 0), 1.0, b)


def _gaps(w: Any) -> Any:
    """w[j] - w[i] at (i, j), and 1 on the diagonal."""
    return w[..., None, :] - w[..., :, None] + np.eye(w.shape[-1], dtype=np.dtype(w.dtype))


@op
def cholesky(a: Array, /) -> Array:
    """The lower triangular L with L @ L.mT = a, read off the lower triangle of a symmetric positive definite a."""
    with failing_as("linalg.cholesky: The factorization could not be completed because the input is not positive-definite"):
        return np.linalg.cholesky(a)


def _cholesky_rule(g: Any, y: Any) -> Any:
    """Half of L**-T (P + P.mT) L**-1, where P is the lower triangle of L.mT g with its diagonal halved (Murray 2016)."""
    p = _lower(y.mT @ g)
    p = np.where(_identity(p.shape[-1]), p / 2, p)
    return solve(y.mT, solve(y.mT, p + p.mT).mT) / 2


cholesky.vjp(a=_cholesky_rule)


@op
def eigh(a: Array, /, *, triangle: Literal["L", "U"]) -> Array:
    """Rising eigenvalues w (1, n) above the eigenvectors V (n, n) of a symmetric a, whose L(ower) or U(pper) triangle is read."""
    with failing_as("linalg.eigh: The algorithm failed to converge because the input matrix is ill-conditioned or not finite"):
        w, v = np.linalg.eigh(a, triangle)
    return np.concatenate([w[..., None, :], v], -2)


def _eigh_rule(g: Any, y: Any) -> Any:
    (gw, gv), (w, v) = factors(g, 1), factors(y, 1)
    turn = v.mT @ gv
    inner = np.where(_identity(v.shape[-1]), gw, _over((turn - turn.mT) / 2, _gaps(w[..., 0, :])))
    return v @ inner @ v.mT


eigh.vjp(a=_eigh_rule)


@op
def eig(a: Array, /) -> Array:
    """Eigenvalues w (1, n) above the eigenvectors V (n, n) of unit length; NotImplementedError if they are not real."""
    with failing_as("linalg.eig: The algorithm failed to converge because the input matrix is ill-conditioned or not finite"):
        w, v = np.linalg.eig(a)
    if np.iscomplexobj(w):
        raise NotImplementedError("linalg.eig: the matrix has complex eigenvalues, and there are no complex dtypes here")
    return np.concatenate([w[..., None, :], v], -2)


def _eig_rule(g: Any, y: Any) -> Any:
    (gw, gv), (w, v) = factors(g, 1), factors(y, 1)
    turned = v.mT @ gv
    length = np.sum(np.where(_identity(v.shape[-1]), turned, 0.0), axis=-2, keepdims=True)  # each vector keeps length 1
    inner = np.where(_identity(v.shape[-1]), gw, _over(turned - (v.mT @ v) * length, _gaps(w[..., 0, :])))
    return solve(v.mT, inner @ v.mT)


eig.vjp(a=_eig_rule)


@op
def svd(a: Array, /, *, full: bool) -> Array:
    """U (m, k), falling singular values S (1, k) and V (n, k), stacked: a = (U * S) @ V.mT, k = min(m, n).

    They are taken from the `full` decomposition, with square U and V, or from the reduced one: the null spaces differ.
    """
    with failing_as("linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values."):
        u, s, vh = np.linalg.svd(a, full_matrices=full)
    k = s.shape[-1]
    return np.concatenate([u[..., :k], s[..., None, :], vh.mT[..., :k]], -2)


def _svd_rule(g: Any, a_shape: tuple[int, ...], y: Any) -> Any:
    """Blind to the signs, and to what turns equal vectors into each other, as long as the function is."""
    m, n = a_shape[-2:]
    (gu, gs, gv), (u, s, v) = factors(g, m, 1), factors(y, m, 1)
    gaps, row, column = _gaps((s * s)[..., 0, :]), s, s.mT
    turn_u, turn_v = u.mT @ gu, v.mT @ gv
    inner = _over(turn_u - turn_u.mT, gaps) * row + column * _over(turn_v - turn_v.mT, gaps)
    gradient = u @ np.where(_identity(min(m, n)), gs, inner) @ v.mT
    if m > n:  # U can also turn out of the space of a's columns, V out of that of its rows
        outside = _over(gu - u @ turn_u, row)
        gradient = gradient + outside @ v.mT
    if n > m:
        outside = _over(gv - v @ turn_v, row)
        gradient = gradient + u @ outside.mT
    return gradient


svd.vjp(a=_svd_rule)


@op
def qr(a: Array, /, *, mode: Literal["reduced", "complete"]) -> Array:
    """Q (m, k) with orthonormal columns above R.mT (n, k), R upper triangular: a = Q @ R; `mode` reduced or complete."""
    q, r = np.linalg.qr(a, mode)
    return np.concatenate([q, r.mT], -2)


def _qr_rule(g: Any, a_shape: tuple[int, ...], y: Any, *, mode: str) -> Any:
    """Of a wide a = Q [U | W], the right part is Q @ W: its gradient goes to Q, and Q and U are those of a square."""
    m, n = a_shape[-2:]
    if mode == "complete" and m > n:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols. "
            "Use mode='reduced' or pass a matrix with fewer rows."
        )
    (gq, grt), (q, rt) = factors(g, m), factors(y, m)
    k = min(m, n)
    gq = gq + q @ (rt[..., k:, :].mT @ grt[..., k:, :])
    low = _lower(rt[..., :k, :].mT @ grt[..., :k, :] - gq.mT @ q)
    symmetric = low + np.where(_identity(k), 0.0, low).mT
    left = solve(rt[..., :k, :].mT, (gq + q @ symmetric).mT).mT
    return np.concatenate([left, q @ grt[..., k:, :].mT], -1)


qr.vjp(a=_qr_rule)


@op
def lu(a: Array, /) -> Array:
    """L (n, n) with a unit diagonal above U.mT (n, n): a = L @ U for square a whose rows need no exchange."""
    u, n = a.copy(), a.shape[-1]
    low = np.zeros_like(a) + np.eye(n, dtype=a.dtype)
    for k in range(n):
        pivot = u[..., k : k + 1, k : k + 1]
        low[..., k + 1 :, k : k + 1] = np.divide(
            u[..., k + 1 :, k : k + 1], pivot, where=pivot != 0, out=np.zeros_like(u[..., k + 1 :, k : k + 1])
        )
        u[..., k + 1 :, :] -= low[..., k + 1 :, k : k + 1] * u[..., k : k + 1, :]
        u[..., k + 1 :, k] = 0
    return np.concatenate([low, u.mT], -2)


def _lu_rule(g: Any, y: Any) -> Any:
    n = y.shape[-1]
    (gl, gut), (low, ut) = factors(g, n), factors(y, n)
    strictly_lower = np.tri(n, k=-1, dtype=bool)
    inner = np.where(strictly_lower, low.mT @ gl, gut.mT @ ut)
    return solve(low.mT, solve(ut.mT, inner.mT).mT)


lu.vjp(a=_lu_rule)


def _exchange(x: Array, k: int, row: Array) -> None:
    """Exchange, in place, row k of each matrix with its own `row`."""
    rows = np.broadcast_to(row[..., None, None], (*x.shape[:-2], 1, x.shape[-1]))
    moved = np.take_along_axis(x, rows, -2)
    np.put_along_axis(x, rows, x[..., k : k + 1, :].copy(), -2)
    x[..., k, :] = moved[..., 0, :]


@op
def pivots(a: Array, /) -> Array:
    """For each step of Gaussian elimination the row, counted from 0, whose element is the largest: the one to go first."""
    a, k = a.copy(), min(a.shape[-2:])
    chosen = np.zeros((*a.shape[:-2], k), np.int64)
    for i in range(k):
        chosen[..., i] = i + np.abs(a[..., i:, i]).argmax(-1)
        _exchange(a, i, chosen[..., i])
        pivot, below = a[..., i : i + 1, i : i + 1], a[..., i + 1 :, i : i + 1]
        a[..., i + 1 :, :] -= np.divide(below, pivot, where=pivot != 0, out=np.zeros_like(below)) * a[..., i : i + 1, :]
    return chosen


@op
def row_order(pivots: Array, /, *, count: int) -> Array:
    """Where each of `count` rows comes from, once row i was exchanged with row pivots[i] for i = 0, 1, ..."""
    order = np.arange(count)[:, None] + np.zeros((*pivots.shape[:-1], 1, 1), np.int64)
    for i in range(pivots.shape[-1]):
        _exchange(order, i, pivots[..., i])
    return order[..., 0]


@op
def pinv(a: Array, /, *, atol: Any, rtol: Any, hermitian: bool) -> Array:
    """The pseudo-inverses (..., n, m), singular values up to max(atol, rtol * the largest) taken for 0.

    Of a `hermitian`, that is symmetric, matrix the lower triangle is read.
    """
    with failing_as("linalg.pinv: The algorithm failed to converge because the input matrix contained non-finite values."):
        u, s, vh = np.linalg.svd(a, full_matrices=False, hermitian=hermitian)
    kept = s > np.maximum(np.expand_dims(atol, -1), np.expand_dims(rtol, -1) * s.max(-1, keepdims=True, initial=0.0))
    inverted = np.divide(1, s, where=kept, out=np.zeros_like(s))
    return (vh.mT * inverted[..., None, :]) @ u.mT


def _pinv_rule(g: Any, a: Any, y: Any) -> Any:
    """Golub and Pereyra 1973, for a matrix whose rank does not change."""
    behind = g.mT - a @ (y @ g.mT)  # what lies outside the columns of a
    beside = g.mT - (g.mT @ y) @ a  # and outside its rows
    return behind @ (y @ y.mT) + (y.mT @ y) @ beside - y.mT @ g @ y.mT


pinv.vjp(a=_pinv_rule)

_TALL = np.array([[2.0, 0.3, 0.5], [0.4, 1.5, -0.6], [-0.7, 0.2, 1.1], [0.9, -0.8, 0.3]])
_SQUARE = np.stack([_TALL[:3], _TALL[1:] + 2 * np.eye(3)])
_SYMMETRIC = _SQUARE @ _SQUARE.mT + np.eye(3)
cholesky.sample(_SYMMETRIC).sample(_SYMMETRIC[0]).sample((0, 0))
eigh.sample(_SYMMETRIC, triangle="L").sample(_SYMMETRIC[0], triangle="U").sample((0, 0), triangle="L")
eig.sample(np.array([[1.0, 0.4, 0.2], [0.1, 2.5, -0.3], [0.3, 0.2, 4.0]])).sample((0, 0))
lu.sample(_SQUARE).sample(_SQUARE[0]).sample((0, 0))
pivots.sample(_SQUARE).sample(_TALL)
row_order.sample(np.array([[1, 2, 2], [0, 1, 2]]), count=4)
svd.sample(_SQUARE, full=False).sample(_TALL, full=False).sample(_TALL.T, full=True).sample((0, 3), full=False)
for _matrix in (_SQUARE, _TALL, _TALL.T):
    pinv.sample(_matrix, atol=0.0, rtol=1e-15, hermitian=False)
for _mode in ("reduced", "complete"):
    qr.sample(_SQUARE, mode=_mode).sample(_TALL.T, mode=_mode).sample((2, 0, 3), mode=_mode)
qr.sample(_TALL, mode="reduced").sample((3, 0), mode="reduced")
