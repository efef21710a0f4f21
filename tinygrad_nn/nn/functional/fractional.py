"""Pooling by windows at places that are drawn: Graham, Fractional Max-Pooling, 2014."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_nn.nn.functional.checks import expect_floating
from tinygrad_nn.nn.functional.planes import Sizes, as_planes, expect_planes, like_given, sizes_of
from tinygrad_nn.op import Array
from tinygrad_nn.random import rand
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap

__all__ = ["fractional_max_pool2d", "fractional_max_pool2d_with_indices"]


def fractional_max_pool2d(
    input: Tensor, kernel_size: Sizes, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """The largest elements under H' by W' windows at drawn places: (N, C, H, W) or (C, H, W) -> (N, C, H', W').

    The size is given, or is `output_ratio` times the input's. `_random_samples` (N, C, 2), in [0, 1), say where the windows of
    each plane lie. ValueError without size and ratio, RuntimeError for windows that do not fit.
    """
    largest, places = fractional_max_pool2d_with_indices(
        input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )
    return (largest, places) if return_indices else largest


def fractional_max_pool2d_with_indices(
    input: Tensor, kernel_size: Sizes, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """As `fractional_max_pool2d`, always with the elements' int64 numbers in their planes."""
    expect_planes("fractional_max_pool2d", input, 2)
    expect_floating("fractional_max_pool2d", input)
    if output_size is None and output_ratio is None:
        raise ValueError("fractional_max_pool2d requires specifying either an output_size or an output_ratio")
    planes, kernel = as_planes(input, 2), sizes_of(kernel_size, 2, "kernel_size")
    batch, channels, *plane = planes.shape
    if output_size is None:
        ratios = output_ratio if isinstance(output_ratio, list | tuple) else (output_ratio, output_ratio)
        output_size = [int(n * ratio) for n, ratio in zip(plane, ratios, strict=True)]
    sizes = sizes_of(output_size, 2, "output_size")
    if any(wanted + k - 1 > n for wanted, k, n in zip(sizes, kernel, plane, strict=True)):
        raise RuntimeError(f"fractional_max_pool2d: {list(sizes)} windows of {list(kernel)} do not fit into {plane}")
    drawn = rand(batch, channels, 2, dtype=input.dtype) if _random_samples is None else _random_samples
    samples = drawn._data.reshape(-1, 2)  # of a plane: the first is for its columns, the second for its rows
    rows, columns = (_starts(samples[:, 1 - i], plane[i], sizes[i], kernel[i]) for i in range(2))
    rows = (rows[..., None] + np.arange(kernel[0]))[:, :, None, :, None]
    columns = (columns[..., None] + np.arange(kernel[1]))[:, None, :, None, :]
    windows = (rows * plane[1] + columns).reshape(batch * channels, math.prod(sizes), math.prod(kernel))
    flat = planes.reshape(batch * channels, math.prod(plane))
    values = np.take_along_axis(flat._data[:, None], windows, 2)
    places = np.take_along_axis(windows, values.argmax(2)[..., None], 2)[..., 0]
    shape = (batch, channels, *sizes)
    largest = flat.gather(1, wrap(places)).reshape(shape)
    return like_given(largest, input, 2), like_given(wrap(places.reshape(shape)), input, 2)


def _starts(samples: Array, have: int, wanted: int, size: int) -> Array:
    """Where the windows begin, a row for each sample: at steps of about (have - size) / (wanted - 1), the last at the end."""
    kind = samples.dtype.type
    step = kind(have - size) / kind(max(wanted - 1, 1))
    samples = samples[:, None]
    starts = ((np.arange(wanted, dtype=samples.dtype) + samples) * step).astype(np.int64) - (samples * step).astype(np.int64)
    starts[:, -1:] = have - size
    return starts
