"""Images and volumes sampled at any points: a grid of them, and what lies there."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from tinygrad_nn.creation import ones, zeros
from tinygrad_nn.methods import joining, pointwise, shaping
from tinygrad_nn.nn.functional.checks import expect_floating, expect_same_dtype, quiet
from tinygrad_nn.nn.functional.sampling import cubic_shares
from tinygrad_nn.ops import index as ops
from tinygrad_nn.ranges import linspace
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap

_MODES, _PADDINGS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")


@quiet
def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The points, from -1 to 1, that affine maps `theta` (N, d, d + 1) send a grid of `size` (N, C, ...) to: (N, ..., d).

    The last dimension is x, y and, of a volume, z (Jaderberg et al., Spatial Transformer Networks, 2015, section 3.2).
    ValueError for other matrices and sizes, RuntimeError for another number of them.

    >>> affine_grid(Tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (1, 1, 1, 2), align_corners=True)
    tensor([[[[-1.,  0.],
              [ 1.,  0.]]]])
    """
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    spatial = tuple(int(n) for n in size[2:])
    d = len(spatial)
    if d not in (2, 3):
        raise NotImplementedError(f"affine_grid only supports 4D and 5D sizes, got size {list(size)}")
    if theta.ndim != 3 or tuple(theta.shape[1:]) != (d, d + 1):
        raise ValueError(f"Expected affine matrices of shape Nx{d}x{d + 1} for size {list(size)}, got {list(theta.shape)}")
    if len(theta) != size[0]:
        raise RuntimeError(f"affine_grid: expected a matrix for each of {size[0]} images, got theta {list(theta.shape)}")
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {list(size)}")
    align = _aligned(align_corners)
    axes = []
    for i, n in enumerate(spatial):
        places = linspace(-1, 1, n, dtype=theta.dtype) if n > 1 else zeros(1, dtype=theta.dtype)
        places = places if align else places * (n - 1) / n
        axes.append(shaping.expand(places.reshape(*(n if i == k else 1 for k in range(d))), spatial))
    points = joining.stack([*reversed(axes), ones(*spatial, dtype=theta.dtype)], -1).reshape(1, -1, d + 1)
    return shaping.reshape(points @ theta.transpose(1, 2), (size[0], *spatial, d))


@quiet
def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Tensor:
    """What lies in images or volumes `input` (N, C, ...) at points `grid` (N, ..., d) from -1 to 1: (N, C, ...).

    `mode` is 'bilinear' (also of volumes), 'nearest' or, of images, 'bicubic'; `padding_mode`, what lies outside, is
    'zeros', 'border' or 'reflection' (Jaderberg et al., Spatial Transformer Networks, 2015, section 3.3). ValueError
    for other modes, RuntimeError where shapes or dtypes do not fit.

    >>> grid_sample(Tensor([[[[1.0, 3.0]]]]), Tensor([[[[0.0, 0.0], [1.0, 0.0]]]]), align_corners=True)
    tensor([[[[2., 3.]]]])
    """
    for what, given, known in (("mode", mode, _MODES), ("padding_mode", padding_mode, _PADDINGS)):
        if given not in known:
            raise ValueError(f"grid_sample(): expected {what} to be {', '.join(map(repr, known))}, but got: {given!r}")
    align = _aligned(align_corners)
    _check(input, grid, mode)
    sizes = tuple(input.shape[2:])
    taps = [_taps(grid[..., -1 - i], n, mode, padding_mode, align) for i, n in enumerate(sizes)]
    image = np.arange(len(grid)).reshape(-1, *(1,) * len(sizes))
    pixels = shaping.movedim(input, 1, -1)
    total: Any = 0
    for chosen in product(*taps):
        inside = np.logical_and.reduce([(at >= 0) & (at < n) for (at, _), n in zip(chosen, sizes, strict=True)])
        index = (image, *(np.clip(at, 0, n - 1) for (at, _), n in zip(chosen, sizes, strict=True)))
        value = ops.getitem(pixels, index=index)
        if not inside.all():
            value = pointwise.where(wrap(inside[..., None]), value, 0.0)
        for _, share in chosen:
            value = value * shaping.unsqueeze(share, -1)
        total = total + value
    sampled: Tensor = shaping.movedim(total, -1, 1)
    return sampled.contiguous()


def _aligned(align_corners: bool | None) -> bool:
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
            "align_corners=True if the old behavior is desired.",
            stacklevel=4,  # past `quiet`
        )
    return bool(align_corners)


def _check(input: Tensor, grid: Tensor, mode: str) -> None:
    expect_floating("grid_sample", input)
    expect_same_dtype("grid_sample", input, grid=grid)
    if input.ndim not in (4, 5) or grid.ndim != input.ndim:
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    if len(input) != len(grid) or grid.shape[-1] != input.ndim - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid of the input's batch {len(input)} and last dimension {input.ndim - 2} for input "
            f"{list(input.shape)}, but got {list(grid.shape)}"
        )
    if 0 in input.shape[2:]:
        raise RuntimeError(f"grid_sampler(): expected input to have non-empty spatial dimensions, but got {list(input.shape)}")
    if mode == "bicubic" and input.ndim != 4:
        raise RuntimeError(f"grid_sampler(): bicubic interpolation only supports 4D input, got {list(input.shape)}")


def _taps(at: Tensor, size: int, mode: str, padding: str, align: bool) -> list[tuple[Any, Tensor]]:
    """Along one dimension of the image: which of its elements count at the points, and how much each."""
    at = (at + 1) / 2 * (size - 1) if align else ((at + 1) * size - 1) / 2
    if mode == "bicubic":
        low = at.detach().floor()
        nearest = [_padded(low + i, size, padding, align) for i in (-1, 0, 1, 2)]
        return [(_whole(near, size), share) for near, share in zip(nearest, cubic_shares(at - low), strict=True)]
    at = _padded(at, size, padding, align)
    if mode == "nearest":
        near = pointwise.where(at.isfinite(), at, -1.0).round()
        return [(_whole(near, size), near - near.detach() + 1)]
    low = at.detach().floor()
    return [(_whole(low, size), low + 1 - at), (_whole(low + 1, size), at - low)]


def _whole(at: Tensor, size: int) -> Any:
    """Places as indices; all that is outside the image, or no number, is just outside."""
    return np.clip(np.nan_to_num(at.detach().numpy(), nan=-1.0), -1, size).astype(np.int64)


def _padded(at: Tensor, size: int, padding: str, align: bool) -> Tensor:
    """Places moved into the image, which ends in the middle of its outer pixels, or at their edges."""
    if padding == "zeros":
        return at
    if padding == "reflection":
        low, span = (0.0, size - 1.0) if align else (-0.5, float(size))
        if not span:
            return at * 0
        away = (at - low).abs()
        flips = (away.detach() / span).floor()
        beyond = away - flips * span
        at = pointwise.where(flips % 2 == 0, beyond + low, span - beyond + low)
    edge = at.detach().clamp(0, size - 1).nan_to_num()  # which has slope 0
    return pointwise.where((at > 0) & (at < size - 1), at, edge)
