"""The primitive of normalization: fused, as batch, layer, group and instance normalization are one formula on other axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_nn.op import Array, op
from tinygrad_nn.sums import sum_last


def _wide(x: Array) -> Array:
    """Half precision as float32, in which its squares do not overflow."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def _mean(x: Any, axes: tuple[int, ...]) -> Any:
    """The mean along `axes`, which stay; NaN where there is nothing."""
    if axes == (len(x.shape) - 1,) and x.shape[-1]:
        return sum_last(x) / x.shape[-1]
    return np.mean(x, axis=axes, keepdims=True)


@op(quiet=True)
def standardize(x: Array, /, *, axes: tuple[int, ...], eps: float) -> Array:
    """(x - mean) / sqrt(variance + eps) along `axes`, with the variance's divisor the number of elements."""
    wide = _wide(x)
    if not x.size:
        return x.copy()
    centred = wide - _mean(wide, axes)
    centred /= np.sqrt(_mean(np.square(centred), axes) + eps)
    return centred.astype(x.dtype, copy=False)


def _standardize_rule(g: Any, x: Any, y: Any, *, axes: tuple[int, ...], eps: float) -> Any:
    """What of g neither shifts nor scales y, divided by the deviation: mean and variance do not follow such a change."""
    kept = g - _mean(g, axes) - y * _mean(g * y, axes)
    centred = x - _mean(x, axes)
    return kept / np.sqrt(_mean(centred * centred, axes) + eps)


standardize.vjp(x=_standardize_rule)
standardize.sample((2, 3), axes=(1,), eps=1e-5).sample((2, 3, 4), axes=(0, 2), eps=0.1).sample((3,), axes=(0,), eps=0.5)
