"""Images at another size, and channels exchanged for pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_nn.nn.functional.planes import apart
from tinygrad_nn.nn.functional.pooling import adaptive_avg_pool1d, adaptive_avg_pool2d
from tinygrad_nn.op import Array
from tinygrad_nn.ops import index as ops
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap

_MODES = ("nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area")
_DIMS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}


def interpolate(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Tensor:  # fmt: skip
    """(N, C, ...), with 1 to 3 dimensions of space, brought to `size`, or `scale_factor` times as large, the floor of it.

    The modes are 'nearest', 'nearest-exact', 'area' and, named by the dimensions, 'linear', 'bilinear', 'bicubic' and 'trilinear'.
    With `antialias`, for 'bilinear' and 'bicubic', an element of a smaller plane is a mean over all that it stands for.
    ValueError for options that do not fit each other, NotImplementedError for other modes, a volume's area and inputs of
    other dimensions.
    """
    if mode not in _MODES:
        raise NotImplementedError(f"interpolate: expected a mode of {', '.join(map(repr, _MODES))}, got {mode!r}")
    if align_corners is not None and mode not in _DIMS:
        raise ValueError(f"align_corners option can only be set with the interpolating modes: linear | bilinear, got {mode!r}")
    dims = input.ndim - 2
    if not 1 <= dims <= (2 if mode == "area" else 3) or dims != _DIMS.get(mode, dims):
        raise NotImplementedError(f"interpolate: mode {mode!r} expected other dimensions of space, got {list(input.shape)}")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(f"Anti-alias option is restricted to bilinear and bicubic modes, got {mode!r}")
    of_bytes = mode in ("bilinear", "bicubic") and input.dtype.name == "uint8"
    if not (input.is_floating_point() or of_bytes or (mode.startswith("nearest") and input.dtype.name == "uint8")):
        raise NotImplementedError(f'"interpolate" in mode {mode!r} not implemented for {input.dtype}')
    sizes, scales = _target(input, dims, size, scale_factor, bool(recompute_scale_factor))
    if min(input.shape[1:]) < 1 or min(sizes) < 1:
        raise RuntimeError(f"interpolate: expected sizes greater than 0, got input {list(input.shape)} and output {list(sizes)}")
    if mode == "area":
        return (adaptive_avg_pool1d if dims == 1 else adaptive_avg_pool2d)(input, sizes)
    each = list(enumerate(zip(sizes, scales, strict=True)))
    resized = input
    for i, (wanted, scale) in each[::-1] if of_bytes else each:
        have = resized.shape[2 + i]
        ratio = 1 / scale if scale else have / wanted
        if antialias and align_corners:
            ratio = (have - 1) / (wanted - 1) if wanted > 1 else 0.0
        between = _cubic if mode == "bicubic" else _linear
        if of_bytes:
            if antialias:
                weights = _filtered(have, wanted, ratio, mode == "bicubic")
            else:
                weights = between(wrap(np.eye(have)), 0, wanted, ratio, bool(align_corners))._data
            resized = _resized_bytes(resized, 2 + i, weights)
        elif antialias:
            shares = wrap(_filtered(have, wanted, ratio, mode == "bicubic").astype(input.dtype.numpy))
            resized = resized @ shares.mT if i else shares @ resized
        elif mode in _DIMS:
            resized = between(resized, 2 + i, wanted, ratio, bool(align_corners))
        else:
            half = 0.5 if mode == "nearest-exact" else 0.0
            at = np.floor((np.arange(wanted) + np.float32(half)).astype(np.float32) * np.float32(ratio)).astype(np.int64)
            resized = _picked(resized, 2 + i, np.minimum(at, have - 1))
    return apart(resized, input)


def _target(input: Tensor, dims: int, size: Any, factor: Any, recompute: bool) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """The size wanted of each dimension, and the scale it comes from, if it does."""
    if (size is None) == (factor is None):
        raise ValueError("only one of size or scale_factor should be defined, got " + ("both" if size is not None else "none"))
    if size is not None:
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        sizes = tuple(size) if isinstance(size, Sequence) else (size,) * dims
        if len(sizes) != dims:
            raise ValueError(f"Input and output must have the same number of spatial dimensions, got {dims} and size {list(sizes)}")
        return tuple(int(n) for n in sizes), (None,) * dims
    factors = tuple(factor) if isinstance(factor, Sequence) else (factor,) * dims
    if len(factors) != dims:
        raise ValueError(f"Input and scale_factor must have the same number of spatial dimensions, got {dims} and {list(factors)}")
    sizes = tuple(math.floor(n * float(f)) for n, f in zip(input.shape[2:], factors, strict=True))
    return sizes, (None,) * dims if recompute else tuple(float(f) for f in factors)


def _picked(input: Tensor, axis: int, at: Any) -> Tensor:
    picked: Tensor = ops.getitem(input, index=(*(slice(None),) * axis, at))
    return picked


def _linear(input: Tensor, axis: int, wanted: int, ratio: float, align_corners: bool) -> Tensor:
    """One dimension at `wanted` places, each between two elements of the input."""
    have = input.shape[axis]
    if have == wanted:
        return input
    if align_corners:
        at = np.arange(wanted) * ((have - 1) / (wanted - 1) if wanted > 1 else 0.0)
    else:
        at = np.maximum((np.arange(wanted) + 0.5) * ratio - 0.5, 0)
    low = np.minimum(at.astype(np.int64), have - 1)
    share = wrap((at - low).astype(input.dtype.numpy).reshape(-1, *(1,) * (input.ndim - axis - 1)))
    return _picked(input, axis, low) * (1 - share) + _picked(input, axis, np.minimum(low + 1, have - 1)) * share


def _cubic(input: Tensor, axis: int, wanted: int, ratio: float, align_corners: bool) -> Tensor:
    """One dimension at `wanted` places, each of four elements."""
    have = input.shape[axis]
    if align_corners:
        at = np.arange(wanted) * ((have - 1) / (wanted - 1) if wanted > 1 else 0.0)
    else:
        at = (np.arange(wanted) + 0.5) * ratio - 0.5
    low = np.floor(at)
    total: Any = 0
    for i, weight in enumerate(cubic_shares(at - low)):
        share = wrap(weight.astype(input.dtype.numpy).reshape(-1, *(1,) * (input.ndim - axis - 1)))
        total = total + _picked(input, axis, np.clip(low.astype(np.int64) + i - 1, 0, have - 1)) * share
    resized: Tensor = total
    return resized


def _resized_bytes(input: Tensor, axis: int, shares: Array) -> Tensor:
    """One dimension of bytes by shares (wanted, have) of 16 bits, rounded at once: Pillow's way, which is PyTorch's."""
    if shares.shape[0] == shares.shape[1]:
        return input
    bits = next((n for n in range(22) if int(shares.max() * 2 ** (n + 1) + 0.5) >= 2**15), 22)
    whole = np.trunc(shares * 2**bits + np.copysign(0.5, shares))
    sums = np.moveaxis(input._data, axis, -1).astype(np.float64) @ whole.T + 2 ** (bits - 1)
    rounded = np.clip(np.floor(sums / 2**bits), 0, 255).astype(np.uint8)
    resized: Tensor = wrap(np.ascontiguousarray(np.moveaxis(rounded, -1, axis)))
    return resized


def _filtered(have: int, wanted: int, ratio: float, cubic: bool) -> Array:
    """(wanted, have): how much each element counts, by a filter as wide as what it is reduced by; Pillow's, as in PyTorch."""
    width = max(ratio, 1.0)
    reach = (2 if cubic else 1) * width
    centre = (np.arange(wanted)[:, None] + 0.5) * ratio
    first, last = np.maximum((centre - reach + 0.5).astype(int), 0), np.minimum((centre + reach + 0.5).astype(int), have)
    at = np.arange(have)
    distance = np.abs(at - centre + 0.5) / width
    if cubic:
        near, far = _keys(distance, -0.5)
        weights = np.where(distance < 1, near, np.where(distance < 2, far, 0.0))
    else:
        weights = np.maximum(1 - distance, 0)
    weights = weights * ((at >= first) & (at < last))
    return np.asarray(weights / weights.sum(1, keepdims=True))


def _keys(d: Any, a: float) -> tuple[Any, Any]:
    """Keys' cubic, 1981, at distances up to 1 and from 1 to 2."""
    return ((a + 2) * d - (a + 3)) * d * d + 1, ((a * d - 5 * a) * d + 8 * a) * d - 4 * a


def cubic_shares(t: Any) -> tuple[Any, Any, Any, Any]:
    """How much each of four elements counts at `t` from 0 to 1 between the inner two, with -0.75 in Keys' cubic."""
    return _keys(t + 1, -0.75)[1], _keys(t, -0.75)[0], _keys(1 - t, -0.75)[0], _keys(2 - t, -0.75)[1]


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:
    """The older name of interpolate."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """interpolate in mode 'nearest'."""
    return interpolate(input, size, scale_factor)


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """interpolate in mode 'bilinear' with corners aligned."""
    return interpolate(input, size, scale_factor, "bilinear", True)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., C * r * r, H, W) -> (..., C, H * r, W * r): Shi et al. 2016; RuntimeError where shapes do not fit."""
    r, lead = upscale_factor, tuple(input.shape[:-3])
    if input.ndim < 3 or r < 1 or input.shape[-3] % (r * r):
        raise RuntimeError(f"pixel_shuffle: expected input (..., a multiple of {r} * {r}, H, W), got {list(input.shape)}")
    channels, height, width = input.shape[-3:]
    parts, n = input.reshape(*lead, channels // (r * r), r, r, height, width), len(lead)
    pixels = apart(parts.permute(*range(n + 1), n + 3, n + 1, n + 4, n + 2), input)
    return pixels.reshape(*lead, channels // (r * r), height * r, width * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(..., C, H * r, W * r) -> (..., C * r * r, H, W), pixel_shuffle undone; RuntimeError where shapes do not fit."""
    r, lead = downscale_factor, tuple(input.shape[:-3])
    if input.ndim < 3 or r < 1 or input.shape[-2] % r or input.shape[-1] % r:
        raise RuntimeError(f"pixel_unshuffle: expected input (..., C, multiples of {r}), got {list(input.shape)}")
    channels, height, width = input.shape[-3], input.shape[-2] // r, input.shape[-1] // r
    parts, n = input.reshape(*lead, channels, height, r, width, r), len(lead)
    planes = apart(parts.permute(*range(n + 1), n + 2, n + 4, n + 1, n + 3), input)
    return planes.reshape(*lead, channels * r * r, height, width)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """(N, C, ...) with the channels of the groups dealt out in turn: Zhang et al., ShuffleNet, 2017."""
    if input.ndim < 3 or groups < 1 or input.shape[1] % groups:
        raise RuntimeError(f"channel_shuffle: expected input (N, a multiple of {groups}, ...), got {list(input.shape)}")
    n, channels = input.shape[:2]
    dealt = input.reshape(n, groups, channels // groups, *input.shape[2:]).transpose(1, 2)
    return apart(dealt, input).reshape(*input.shape)
