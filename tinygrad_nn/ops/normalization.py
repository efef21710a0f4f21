"""The primitive of normalization: fused, as batch, layer, group and instance normalization are one formula on other axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_nn.op import Array, op


def _wide(x: Array) -> Array:
    """Half precision as float32, in which its squares do not overflow."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


@op(quiet=True)
def standardize(x: Array, /, *, axes: tuple[int, ...], eps: float) -> Array:
    """(x - mean) / sqrt(variance + eps) along `axes`, with the variance's divisor the number of elements."""
    wide = _wide(x)
    count = max(x[tuple(slice(None) if i in axes else slice(1) for i in range(x.ndim))].size, 1)
    centred = wide - np.add.reduce(wide, axis=axes, keepdims=True) / count
    variance = np.add.reduce(np.square(centred), axis=axes, keepdims=True) / count
    centred /= np.sqrt(variance + eps)
    return centred.astype(x.dtype, copy=False)


def _standardize_rule(g: Any, x: Any, y: Any, *, axes: tuple[int, ...], eps: float) -> Any:
    """What of g neither shifts nor scales y, divided by the deviation: mean and variance do not follow such a change."""
    kept = g - np.mean(g, axis=axes, keepdims=True) - y * np.mean(g * y, axis=axes, keepdims=True)
    return kept / np.sqrt(np.var(x, axis=axes, keepdims=True) + eps)


standardize.vjp(x=_standardize_rule)
standardize.sample((2, 3), axes=(1,), eps=1e-5).sample((2, 3, 4), axes=(0, 2), eps=0.1).sample((3,), axes=(0,), eps=0.5)
