"""Pooling: windows of a plane reduced to their largest or mean element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_nn.methods import joining
from tinygrad_nn.methods.dims import listed
from tinygrad_nn.nn.functional.checks import expect_floating
from tinygrad_nn.nn.functional.planes import Sizes, as_planes, expect_planes, like_given, pair, sizes_of
from tinygrad_nn.op import Array
from tinygrad_nn.op_node import named
from tinygrad_nn.ops import index as index_ops
from tinygrad_nn.ops import shape as shape_ops
from tinygrad_nn.ops import window as ops
from tinygrad_nn.ops.window import Pair, Window
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap


def max_pool1d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element under each window: (N, C, L) or (C, L) -> (N, C, L') or (C, L'), with int64 indices if asked for.

    RuntimeError where shapes or options do not fit.
    """
    return _max_pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element under each window: (N, C, H, W) or (C, H, W) -> (N, C, H', W'), with int64 indices if asked for.

    An index is the element's number in its plane, row by row. RuntimeError where shapes or options do not fit.
    """
    return _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool1d_with_indices(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """As `max_pool1d`, always with the indices."""
    found: tuple[Tensor, Tensor] = max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)
    return found


def max_pool2d_with_indices(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """As `max_pool2d`, always with the indices."""
    found: tuple[Tensor, Tensor] = max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)
    return found


def avg_pool1d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """The mean under each window: (N, C, L) or (C, L) -> (N, C, L') or (C, L'); RuntimeError where options do not fit."""
    return _avg_pool("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """The mean under each window, or the sum over `divisor_override`: (N, C, H, W) or (C, H, W) -> (N, C, H', W').

    RuntimeError where shapes or options do not fit.
    """
    return _avg_pool("avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """(sum of x**norm_type under each window)**(1 / norm_type): (N, C, L) or (C, L) -> (N, C, L') or (C, L')."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """(sum of x**norm_type under each window)**(1 / norm_type): (N, C, H, W) or (C, H, W) -> (N, C, H', W')."""
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def _lp_pool(dims: int, input: Tensor, order: float, kernel_size: Sizes, stride: Sizes | None, ceil: bool) -> Tensor:
    average, largest = (avg_pool1d, max_pool1d) if dims == 1 else (avg_pool2d, max_pool2d)
    if math.isinf(order):  # the largest size, or the smallest of order -inf
        sign = math.copysign(1.0, order)
        found: Tensor = sign * largest(sign * input.abs(), kernel_size, stride, 0, 1, ceil)
        return found
    means = average(input.pow(order), kernel_size, stride, 0, ceil)
    area = math.prod(sizes_of(kernel_size, dims, "kernel_size"))
    return (means.sign() * means.abs().relu() * area).pow(1.0 / order)


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of `output_size` parts of each line: (N, C, L) or (C, L) -> (N, C, L') or (C, L')."""
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of H' by W' parts of each plane: (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W')."""
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool1d_with_indices(input: Tensor, output_size: Any, return_indices: bool = False) -> tuple[Tensor, Tensor]:
    """As `adaptive_max_pool1d`, always with the indices."""
    found: tuple[Tensor, Tensor] = adaptive_max_pool1d(input, output_size, True)
    return found


def adaptive_max_pool2d_with_indices(input: Tensor, output_size: Any, return_indices: bool = False) -> tuple[Tensor, Tensor]:
    """As `adaptive_max_pool2d`, always with the indices."""
    found: tuple[Tensor, Tensor] = adaptive_max_pool2d(input, output_size, True)
    return found


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The means of `output_size` parts of each line: (N, C, L) or (C, L) -> (N, C, L') or (C, L')."""
    return _adaptive_avg("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The means of H' by W' parts of each plane: (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W').

    A size None stays as it is.
    """
    return _adaptive_avg("adaptive_avg_pool2d", 2, input, output_size)


def _laid(
    name: str, dims: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil: bool
) -> tuple[Window, Pair]:
    """The window of a pooling, and how often it fits; in ceil mode it may hang over the far edge, if it starts before it."""
    expect_planes(name, input, dims)
    if 0 in input.shape[-dims - 1 :]:
        raise RuntimeError(f"{name}: expected input with nothing but a batch of size 0, got {list(input.shape)}")
    kernel = sizes_of(kernel_size, dims, "kernel_size")
    strides = kernel if stride is None or not len(listed(stride)) else sizes_of(stride, dims, "stride")
    paddings, dilations = sizes_of(padding, dims, "padding"), sizes_of(dilation, dims, "dilation")
    given = (("kernel size", kernel, 1), ("stride", strides, 1), ("pad", paddings, 0), ("dilation", dilations, 1))
    for what, values, least in given:
        if min(values) < least:
            raise RuntimeError(f"{name}: {what} must be at least {least}, got {list(values)}")
    if any(2 * p > d * (k - 1) + 1 for p, k, d in zip(paddings, kernel, dilations, strict=True)):
        raise RuntimeError(f"{name}: pad should be at most half of effective kernel size {list(kernel)}, got {list(paddings)}")
    counts = []
    for n, k, s, p, d in zip(input.shape[-dims:], kernel, strides, paddings, dilations, strict=True):
        count = (n + 2 * p - d * (k - 1) - 1 + (s - 1 if ceil else 0)) // s + 1
        counts.append(count - 1 if ceil and (count - 1) * s >= n + p else count)
    if min(counts) < 1:
        raise RuntimeError(f"{name}: given input size {list(input.shape)}, calculated output size {counts} is too small")
    return Window(pair(kernel, 1), pair(strides, 1), pair(paddings, 0), pair(dilations, 1)), pair(tuple(counts), 1)


def _taken(planes: Tensor, places: Tensor) -> Tensor:
    """The elements of (n, c, h, w) at int64 places (n, c, h', w') in their planes."""
    # numbered through all planes, for NumPy adds at one plain index far more quickly than at several
    area = planes.shape[2] * planes.shape[3]
    starts = np.arange(planes.shape[0] * planes.shape[1]) * area
    flat = (places._data.reshape(starts.size, math.prod(places.shape[2:])) + starts[:, None]).reshape(-1)
    taken = index_ops.chosen(planes.reshape(-1), index=flat)
    return taken.reshape(places.shape)


def _max_pool(
    name: str, dims: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil: bool, indices: bool
) -> Any:
    if input.dtype.name == "bool" or (dims == 1 and not indices and not input.is_floating_point()):  # as in PyTorch
        raise NotImplementedError(f'"{name}" not implemented for {input.dtype}')
    window, counts = _laid(name, dims, input, kernel_size, stride, padding, dilation, ceil)
    planes = as_planes(input, dims)
    places = ops.argmax_windows(planes.detach(), window=window, counts=counts)
    largest = like_given(_taken(planes, places), input, dims)
    if dims == 2:
        largest = named(largest, "MaxPool2DWithIndicesBackward0", input)
    return (largest, like_given(places, input, dims)) if indices else largest


def _avg_pool(
    name: str, dims: int, input: Tensor, kernel_size: Any, stride: Any, padding: Any, ceil: bool, include: bool, divisor: int | None
) -> Tensor:
    if input.dtype.name == "bool" or (not input.is_floating_point() and input.dtype.name != "int64"):
        raise NotImplementedError(f'"{name}" not implemented for {input.dtype}')
    if divisor == 0:
        raise RuntimeError(f"{name}: divisor must be not zero, got 0")
    window, counts = _laid(name, dims, input, kernel_size, stride, padding, 1, ceil)
    planes = as_planes(input, dims)
    height, width = planes.shape[2:]
    covered, over = [], []
    for n, count, k, s, p in zip((height, width), counts, window.size, window.stride, window.padding, strict=True):
        start = np.arange(count) * s - p
        end = np.minimum(start + k, n + p)
        covered.append(end - start if include else np.minimum(end, n) - np.maximum(start, 0))
        over.append(max((count - 1) * s + k - n - 2 * p, 0))
    if any(over):  # the window hangs over the far edge: there is nothing
        frame = ((0, 0), (0, 0), (0, over[0]), (0, over[1]))
        planes = shape_ops.pad(planes, widths=frame, value=0)
    sums = ops.sum_windows(planes, window=window)[:, :, : counts[0], : counts[1]]
    areas = np.multiply.outer(*covered) if divisor is None else np.array(divisor)
    if not input.is_floating_point():
        return like_given(sums.div(wrap(areas), rounding_mode="trunc"), input, dims)
    mean = sums / int(areas.flat[0]) if (areas == areas.flat[0]).all() else sums / wrap(areas.astype(input.dtype.numpy))
    mean = like_given(mean, input, dims)
    return named(mean, "AvgPool2DBackward0", input) if dims == 2 else mean


def _parts(name: str, dims: int, input: Tensor, output_size: Any) -> tuple[Pair, list[list[slice]]]:
    """The output's height and width, and the slices of rows and of columns that each of its elements stands for."""
    if dims == 2 and output_size is not None and not hasattr(output_size, "__index__") and input.ndim <= len(output_size):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}, got input of size {list(input.shape)}")
    expect_planes(name, input, dims)
    wanted = (output_size,) * dims if output_size is None or hasattr(output_size, "__index__") else tuple(output_size)
    if len(wanted) != dims:
        raise RuntimeError(f"{name}: output_size must be {dims} numbers, got {output_size!r}")
    if 0 in input.shape[-dims - 1 :]:
        raise RuntimeError(f"{name}: expected input with nothing but a batch of size 0, got {list(input.shape)}")
    sizes = tuple(n if m is None else m for n, m in zip(input.shape[-dims:], wanted, strict=True))
    if min(sizes) < 0:
        raise RuntimeError(f"{name}: elements of output_size must be greater than or equal to 0, got {list(sizes)}")
    plane = pair(tuple(input.shape[-dims:]), 1)
    down, across = pair(sizes, 1)
    cut = [[slice(i * n // m, -(-(i + 1) * n // m)) for i in range(m)] for n, m in zip(plane, (down, across), strict=True)]
    return (down, across), cut


def _adaptive_avg(name: str, dims: int, input: Tensor, output_size: Any) -> Tensor:
    sizes, (rows, columns) = _parts(name, dims, input, output_size)
    expect_floating(name, input)
    planes = as_planes(input, dims)
    height, width = planes.shape[2:]
    if 0 in sizes:
        return like_given(planes[:, :, : sizes[0], : sizes[1]], input, dims)
    if sizes == (1, 1):
        return like_given(planes.mean((2, 3), keepdim=True), input, dims)
    if height % sizes[0] == 0 and width % sizes[1] == 0:
        size = (height // sizes[0], width // sizes[1])
        means = ops.sum_windows(planes, window=Window(size, size)) / (size[0] * size[1])
    else:
        bands = joining.stack([planes[:, :, part].mean(2) for part in rows], 2)
        means = joining.stack([bands[..., part].mean(3) for part in columns], 3)
    return like_given(means, input, dims)


def _adaptive_max(name: str, dims: int, input: Tensor, output_size: Any, indices: bool) -> Any:
    (down, across), (rows, columns) = _parts(name, dims, input, output_size)
    expect_floating(name, input)
    planes = as_planes(input, dims)
    height, width = planes.shape[2:]
    if down and across and height % down == 0 and width % across == 0:
        size = (height // down, width // across)
        found: Tensor = ops.argmax_windows(planes.detach(), window=Window(size, size), counts=(down, across))
    else:
        found = wrap(_places_of_parts(planes._data, rows, columns))
    largest = like_given(_taken(planes, found), input, dims)
    return (largest, like_given(found, input, dims)) if indices else largest


def _places_of_parts(x: Array, rows: list[slice], columns: list[slice]) -> Array:
    """Where in its plane the largest element of each part lies."""
    places = np.empty((*x.shape[:2], len(rows), len(columns)), np.int64)
    for i, band in enumerate(rows):
        for j, part in enumerate(columns):
            tile = x[:, :, band, part]
            inside = ops.argmax_windows.forward(tile, window=Window(tile.shape[2:]), counts=(1, 1))[..., 0, 0]
            height, width = np.divmod(inside, tile.shape[3])
            places[:, :, i, j] = (height + band.start) * x.shape[3] + width + part.start
    return places


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    output_size: Any = None,
) -> Tensor:  # fmt: skip
    """Zeros with each value where max_pool1d found it: (N, C, L) or (C, L) -> (N, C, L') or (C, L')."""
    return _max_unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    output_size: Any = None,
) -> Tensor:  # fmt: skip
    """Zeros with each value where max_pool2d found it: (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W')."""
    return _max_unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def _max_unpool(
    name: str, dims: int, input: Tensor, indices: Tensor, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Tensor:
    expect_planes(name, input, dims)
    kernel = sizes_of(kernel_size, dims, "kernel_size")
    strides = kernel if stride is None else sizes_of(stride, dims, "stride")
    paddings = sizes_of(padding, dims, "padding")
    natural = [(n - 1) * s + k - 2 * p for n, s, k, p in zip(input.shape[-dims:], strides, kernel, paddings, strict=True)]
    plane = natural if output_size is None else list(output_size)[-dims:]
    if len(plane) != dims or any(abs(n - m) >= s for n, m, s in zip(plane, natural, strides, strict=True)):
        raise ValueError(f"{name}: expected an output_size within {list(strides)} of {natural}, got {output_size}")
    if indices.dtype.name != "int64" or tuple(indices.shape) != tuple(input.shape):
        raise RuntimeError(
            f"{name}: expected int64 indices of the input's shape {list(input.shape)}, got {indices.dtype} {list(indices.shape)}"
        )
    area = math.prod(plane)
    if indices.numel() and not 0 <= int(indices.min()) <= int(indices.max()) < area:
        raise RuntimeError(f"{name}: found an invalid max index: expected 0 to {area - 1} for an output of size {plane}")
    lead = tuple(input.shape[:-dims])
    values, places = input.reshape(-1, math.prod(input.shape[-dims:])), indices._data.reshape(-1, math.prod(input.shape[-dims:]))
    return ops.unpool(values, places, area=area).reshape(*lead, *plane)
