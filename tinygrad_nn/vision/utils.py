"""Images laid out in a grid, and saved."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_nn.creation import from_numpy
from tinygrad_nn.methods.joining import stack
from tinygrad_nn.tensor import Tensor


def make_grid(
    tensor: Tensor | Sequence[Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """Images (N, C, H, W) as one image, `nrow` in a row with `padding` between; `normalize` maps their range to 0 to 1."""
    images = (tensor if isinstance(tensor, Tensor) else stack(list(tensor))).detach().numpy()
    images = images[(None,) * (images.ndim == 2)]
    if images.ndim == 3:  # one image
        images = images[None]
    if images.ndim != 4:
        raise TypeError(f"make_grid: expected images (N, C, H, W), got shape {list(images.shape)}")
    if images.shape[1] == 1:
        images = images.repeat(3, axis=1)
    if normalize:
        images = np.stack([_scaled(i, value_range) for i in images]) if scale_each else _scaled(images, value_range)
    if len(images) == 1:
        return from_numpy(images[0].copy())
    count, channels, height, width = images.shape
    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    high, wide = height + padding, width + padding
    grid = np.full((channels, rows * high + padding, columns * wide + padding), pad_value, images.dtype)
    for k, image in enumerate(images):
        top, left = k // columns * high + padding, k % columns * wide + padding
        grid[:, top : top + height, left : left + width] = image
    return from_numpy(grid)


def _scaled(images: Any, value_range: tuple[float, float] | None) -> Any:
    low, high = value_range or (float(images.min()), float(images.max()))
    return (images.clip(low, high) - images.dtype.type(low)) / images.dtype.type(max(high - low, 1e-5))


def save_image(tensor: Tensor | Sequence[Tensor], fp: Any, format: str | None = None, **grid: Any) -> None:
    """Save images of values 0 to 1, as a grid, in a PNG file; the options are those of `make_grid`."""
    kind = format or (Path(fp).suffix[1:] if isinstance(fp, str | Path) else "png")
    if kind.lower() != "png":
        raise NotImplementedError(f"save_image: expected a PNG file, the only kind here, got {kind!r}")
    image = make_grid(tensor, **grid).numpy()
    pixels = (image * 255 + 0.5).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
    data = _png(pixels)
    if isinstance(fp, str | Path):
        Path(fp).write_bytes(data)
    else:
        fp.write(data)


def _png(pixels: Any) -> bytes:
    """An (H, W, 3) image of uint8 as a PNG file (PNG Specification, third edition)."""
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row begins with its filter: 0, none
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
