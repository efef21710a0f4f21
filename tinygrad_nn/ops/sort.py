"""Primitives that find places by order: they have no derivative, and what stands there is taken with its gradient."""

from typing import Any

import numpy as np

from tinygrad_nn.op import Array, op


@op
def argsort(x: Array, /, *, axis: int, descending: bool) -> Array:
    """Where the elements stand that sort x along `axis`; equal ones keep their order, NaN counts as the largest."""
    if not descending:
        return np.argsort(x, axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)


@op
def argmedian(x: Array, /, *, axis: int, skip_nan: bool) -> Array:
    """Where the lower median along `axis`, which is kept, stands: the first NaN if there is one, or `skip_nan`."""
    valid = np.sum(~np.isnan(x), axis=axis, keepdims=True)
    rank = np.maximum((valid - 1) // 2, 0)
    rank = rank if skip_nan else np.where(valid < x.shape[axis], valid, rank)
    return np.take_along_axis(np.argsort(x, axis, kind="stable"), rank, axis)


@op
def argmode(x: Array, /, *, axis: int) -> Array:
    """Where the most frequent element along `axis`, which is kept, last stands; the smallest of several such elements."""
    order = np.moveaxis(np.argsort(x, axis, kind="stable"), axis, -1)
    sorted_ = np.take_along_axis(np.moveaxis(x, axis, -1), order, -1)
    place = np.arange(sorted_.shape[-1])
    starts = np.concatenate([np.ones_like(sorted_[..., :1], bool), sorted_[..., 1:] != sorted_[..., :-1]], -1)
    lengths = place - np.maximum.accumulate(np.where(starts, place, 0), -1)  # how many equal ones came before
    return np.moveaxis(np.take_along_axis(order, np.argmax(lengths, -1, keepdims=True), -1), -1, axis)


argsort.sample((3, 4), axis=0, descending=False).sample((3, 4), axis=-1, descending=True)
argmedian.sample((3, 4), axis=0, skip_nan=False).sample((3, 4), axis=-1, skip_nan=True)
argmode.sample((3, 4), axis=0).sample(np.array([[2, 1, 2, 1, 3]]), axis=1)


@op
def searchsorted(sequence: Array, values: Array, /, *, right: bool) -> Array:
    """Where each of `values` (..., m) would enter the last axis of the sorted `sequence`, (n,) or (..., n)."""
    side: Any = "right" if right else "left"
    if sequence.ndim == 1:
        return np.searchsorted(sequence, values, side)
    found = np.empty(values.shape, np.int64)
    for row in np.ndindex(values.shape[:-1]):
        found[row] = np.searchsorted(sequence[row], values[row], side)
    return found


searchsorted.sample(np.arange(3.0), (2, 3), right=False).sample(np.arange(6.0).reshape(2, 3), (2, 4), right=True)
