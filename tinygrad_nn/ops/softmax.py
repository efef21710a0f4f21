"""Softmax, its logarithm, and the classification losses fused with them."""

from typing import Any

import numpy as np

from tinygrad_nn.op import Array, op
from tinygrad_nn.ops.index import scatter_add


@op(quiet=True)
def softmax(x: Array, /, *, axis: int) -> Array:
    """exp(x) / sum(exp(x)) along `axis`; shifted by the maximum, so that exp cannot overflow."""
    z = x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    np.exp(z, out=z)
    z /= np.add.reduce(z, axis=axis, keepdims=True)
    return z


softmax.vjp(x=lambda g, y, *, axis: y * (g - np.sum(g * y, axis=axis, keepdims=True)))
softmax.sample((2, 3), axis=1).sample((2, 3, 4), axis=-2)


@op(quiet=True)
def log_softmax(x: Array, /, *, axis: int) -> Array:
    """x - log(sum(exp(x))) along `axis`; shifted by the maximum, so that exp cannot overflow."""
    z = x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    if z.size:
        z -= np.log(np.add.reduce(np.exp(z), axis=axis, keepdims=True))
    return z


log_softmax.vjp(x=lambda g, y, *, axis: g - np.exp(y) * np.sum(g, axis=axis, keepdims=True))
log_softmax.sample((2, 3), axis=1).sample((2, 3, 4), axis=-2)


def one_hot(target: Array, like: Any) -> Array:
    """Rows of zeros with a one at each row's target, in the shape and dtype of `like`."""
    ones = np.zeros(like.shape, like.dtype)
    ones[np.arange(len(target)), target] = 1
    return ones


@op
def nll(x: Array, target: Array, /, *, scale: Any) -> Array:
    """-x[n, target[n]] * scale[n] for each row n: (N, C) and integer (N,) -> (N,); `scale` a number or (N,)."""
    return -x[np.arange(len(target)), target] * scale


nll.vjp(x=lambda g, x_shape, target, *, scale: scatter_add(-g * scale, index=_targets(target), shape=x_shape))


def _targets(target: Any) -> tuple[Array, Array]:
    labels = np.asarray(target)
    return np.arange(len(labels)), labels


nll.sample((4, 3), np.array([0, 2, 1, 2]), scale=1.0)
nll.sample((4, 3), np.array([0, 2, 1, 2]), scale=np.array([1.0, 0.0, 0.5, 2.0]))


@op
def cross_entropy(x: Array, target: Array, /, *, scale: Any) -> Array:
    """The sum over rows n of -log_softmax(x[n])[target[n]] * scale[n]: (N, C) and integer (N,) -> ().

    `scale` is a number (1/N gives the mean) or one for each row, (N, 1).
    """
    z = x - np.maximum.reduce(x, axis=1, keepdims=True)
    picked = z[np.arange(len(target)), target]
    rows = np.log(np.add.reduce(np.exp(z, out=z), axis=1)) - picked
    return np.add.reduce(rows * np.ravel(scale)) if isinstance(scale, np.ndarray) else np.add.reduce(rows) * scale


cross_entropy.vjp(
    x=lambda g, x, target, *, scale: (softmax(x, axis=1) - one_hot(np.asarray(target), x)) * (g * scale),
)
cross_entropy.sample((4, 3), np.array([0, 2, 1, 2]), scale=0.25)
cross_entropy.sample((4, 3), np.array([0, 2, 1, 2]), scale=np.array([[1.0], [0.0], [0.5], [2.0]]))
