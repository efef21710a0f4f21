"""Primitives that lay a window on planes (images, channels, height, width): unfolding, convolution, sums.

A convolution is linear in its input and in its weight, so there are three of a kind: the convolution and its adjoints
by each of the two. Each is the rule of the others, which closes the set under derivatives of every order. All three
unfold a few images at a time into a matrix that stays in the cache, and leave the work to one matrix product
(Chellapilla, Puri & Simard 2006).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from tinygrad_nn.op import Array, op
from tinygrad_nn.ops.index import take_along_axis

Pair: TypeAlias = tuple[int, int]

_TILE = 2**18  # elements that are unfolded at a time: 1 MB of float32, what a core keeps in its cache
_KEPT = 2**22  # bytes of scratch memory that are kept for each use
_scratch = threading.local()


def _memory(use: str, shape: tuple[int, ...], dtype: Any) -> Array:
    """Uninitialized memory, the same at every call for one `use` of it if it is small: paging in new memory takes long."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if size > _KEPT:
        return np.empty(shape, dtype)
    kept = _scratch.__dict__.get(use)
    if kept is None:
        kept = _scratch.__dict__[use] = np.empty(_KEPT, np.uint8)
    return kept[:size].view(dtype).reshape(shape)


class Window(NamedTuple):
    """How a window lies on a plane; each field has one number for the height and one for the width."""

    size: Pair
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)

    def counts(self, plane: tuple[int, ...]) -> Pair:
        """How often the window fits into a plane (height, width) with its padding; 0 or less if it is too large."""
        height, width = (
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(plane, self.size, self.stride, self.padding, self.dilation, strict=True)
        )
        return height, width

    def places(self, counts: Pair) -> Iterator[tuple[int, int, tuple[Any, ...]]]:
        """Each place (i, j) in the window, and the slice of the padded planes that it meets as the window moves."""
        down, across = (
            [slice(i * d, i * d + s * (n - 1) + 1, s) for i in range(k)]
            for k, s, d, n in zip(self.size, self.stride, self.dilation, counts, strict=True)
        )
        return ((i, j, (..., rows, columns)) for i, rows in enumerate(down) for j, columns in enumerate(across))


def padded(x: Array, padding: Pair) -> Array:
    """Planes with zeros around; themselves where there is nothing to add."""
    if not any(padding):
        return x
    (top, left), (height, width) = padding, x.shape[-2:]
    frame = np.zeros((*x.shape[:-2], height + 2 * top, width + 2 * left), x.dtype)
    frame[..., top : top + height, left : left + width] = x
    return frame


def _unpadded(frame: Array, padding: Pair) -> Array:
    top, left = padding
    return frame[..., top : frame.shape[-2] - top, left : frame.shape[-1] - left]


def _unfolded(frame: Array, window: Window, counts: Pair) -> Array:
    """What the window meets in (n, c, height, width): (c, rows, columns, n, down, across), in scratch memory.

    First along the width only, then along the height: so only the first step copies in runs as short as a row.
    """
    (rows, columns), (down, across) = window.size, counts
    view = np.lib.stride_tricks.as_strided
    n, c, row, element = frame.strides
    strips = view(
        frame, (frame.shape[1], columns, frame.shape[0], frame.shape[2], across),
        (c, element * window.dilation[1], n, row, element * window.stride[1]), writeable=False,
    )  # fmt: skip
    if columns > 1 or window.stride[1] > 1:
        copy = _memory("strips", strips.shape, frame.dtype)
        np.copyto(copy, strips)
        strips = copy
    c, column, n, row, element = strips.strides
    meets = view(
        strips, (strips.shape[0], rows, columns, strips.shape[2], down, across),
        (c, row * window.dilation[0], column, n, row * window.stride[0], element), writeable=False,
    )  # fmt: skip
    out = _memory("columns", meets.shape, frame.dtype)
    np.copyto(out, meets)
    return out


def _fold(frame: Array, columns: Array, window: Window) -> None:
    """Add what `_unfolded` gave where it came from: first along the height, then along the width."""
    _, rows, width, images, down, across = columns.shape
    (stride, step), (dilation, apart) = window.stride, window.dilation
    strips = _memory("strips", (columns.shape[0], width, images, frame.shape[2], across), frame.dtype)
    strips[...] = 0
    for i in range(rows):
        strips[..., i * dilation : i * dilation + stride * (down - 1) + 1 : stride, :] += columns[:, i]
    planes = frame.swapaxes(0, 1)
    for j in range(width):
        planes[..., j * apart : j * apart + step * (across - 1) + 1 : step] += strips[:, j]


@op
def unfold(x: Array, /, *, window: Window) -> Array:
    """What the window covers at each position: (n, c, h, w) -> (n, c, rows, columns, down, across)."""
    columns = _unfolded(padded(x, window.padding), window, window.counts(x.shape[2:]))
    return np.moveaxis(columns, 3, 0).copy("C")


@op
def fold(columns: Array, /, *, window: Window, plane: Pair) -> Array:
    """Planes (height, width) of zeros to which what the window covers is added at each position."""
    (height, width), (top, left) = plane, window.padding
    frame = np.zeros((*columns.shape[:2], height + 2 * top, width + 2 * left), columns.dtype)
    _fold(frame, np.moveaxis(columns, 0, 3), window)
    return np.ascontiguousarray(_unpadded(frame, window.padding))


unfold.vjp(x=lambda g, x_shape, *, window: fold(g, window=window, plane=tuple(x_shape[2:])))
fold.vjp(columns=lambda g, *, window: unfold(g, window=window))


def _parts(images: int, each: int) -> Iterator[slice]:
    """Slices of as many images as may be unfolded at a time, if one takes `each` elements."""
    step = max(1, _TILE // max(each, 1))
    return (slice(start, min(start + step, images)) for start in range(0, images, step))


def _columns(x: Array, window: Window, groups: int, counts: Pair, outputs: int) -> Iterator[tuple[slice, Array]]:
    """A few images at a time, unfolded: (groups, channels of a group and places in the window, images and positions)."""
    n, c = x.shape[:2]
    area, positions = window.size[0] * window.size[1], counts[0] * counts[1]
    for part in _parts(n, max(c * area, outputs) * positions):
        columns = _unfolded(padded(x[part], window.padding), window, counts)
        yield part, columns.reshape(groups, c // groups * area, (part.stop - part.start) * positions)


def _kernels(weight: Array, groups: int) -> Array:
    """A weight (out, in of a group, rows, columns) as a matrix for each group."""
    return weight.reshape(groups, weight.shape[0] // groups, weight[:1].size)


def _by_channel(g: Array, groups: int) -> Array:
    """(n, out, down, across) as a matrix (out of a group, images and positions) for each group."""
    turned = _memory("turned", (g.shape[1], len(g), *g.shape[2:]), g.dtype)
    np.copyto(turned, g.swapaxes(0, 1))
    return turned.reshape(groups, g.shape[1] // groups, g[:, :1].size)


@op
def convolution(x: Array, weight: Array, bias: Array | None, /, *, window: Window, groups: int) -> Array:
    """(n, in, h, w) with weight (out, in / groups, rows, columns) and bias (out,) -> (n, out, down, across)."""
    counts, outputs = window.counts(x.shape[2:]), len(weight)
    y = np.empty((len(x), outputs, *counts), x.dtype)
    kernels = _kernels(weight, groups)
    for part, columns in _columns(x, window, groups, counts, outputs):
        product = _memory("product", (groups, outputs // groups, columns.shape[2]), x.dtype)
        np.matmul(kernels, columns, out=product)
        product = product.reshape(outputs, part.stop - part.start, *counts).swapaxes(0, 1)
        if bias is None:
            y[part] = product
        else:
            np.add(product, bias[:, None, None], out=y[part])
    return y


@op
def convolution_input(out: Array, weight: Array, /, *, window: Window, groups: int, plane: Pair) -> Array:
    """The adjoint by the input, a transposed convolution: (n, out, down, across) -> (n, in, height, width) for a `plane`."""
    (height, width), (top, left) = plane, window.padding
    channels, counts = weight.shape[1] * groups, (out.shape[2], out.shape[3])
    turned = _kernels(weight, groups).swapaxes(1, 2)
    x = np.zeros((len(out), channels, height, width), out.dtype)
    for part in _parts(len(out), max(weight[:1].size * groups, len(weight)) * counts[0] * counts[1]):
        images = part.stop - part.start
        columns = _memory("columns", (groups, turned.shape[1], images * counts[0] * counts[1]), out.dtype)
        np.matmul(turned, _by_channel(out[part], groups), out=columns)
        frame = np.zeros((images, channels, height + 2 * top, width + 2 * left), out.dtype) if top or left else x[part]
        _fold(frame, columns.reshape(channels, *window.size, images, *counts), window)
        if top or left:
            x[part] = _unpadded(frame, window.padding)
    return x


@op
def convolution_weight(out: Array, x: Array, /, *, window: Window, groups: int) -> Array:
    """The adjoint by the weight: (n, out, down, across) and (n, in, h, w) -> (out, in / groups, rows, columns)."""
    outputs, inputs = out.shape[1], x.shape[1] // groups
    turned = np.zeros((groups, inputs * window.size[0] * window.size[1], outputs // groups), out.dtype)
    for part, columns in _columns(x, window, groups, (out.shape[2], out.shape[3]), outputs):
        turned += np.matmul(columns, _by_channel(out[part], groups).swapaxes(1, 2))  # turned, BLAS is quicker by up to half
    return np.ascontiguousarray(turned.swapaxes(1, 2)).reshape(outputs, inputs, *window.size)


def _like(out_shape: tuple[int, ...], x: Any, weight: Any, window: Window, groups: int) -> Any:
    """The convolution at the positions of `out` only: the plane of a transposed one may have room for more."""
    return convolution(x, weight, None, window=window, groups=groups)[..., : out_shape[2], : out_shape[3]]


convolution.vjp(
    x=lambda g, x_shape, weight, *, window, groups: convolution_input(
        g, weight, window=window, groups=groups, plane=tuple(x_shape[2:])
    ),
    weight=lambda g, x, *, window, groups: convolution_weight(g, x, window=window, groups=groups),
    bias=lambda g: np.sum(g, axis=(0, 2, 3)),
)
convolution_input.vjp(
    out=lambda g, out_shape, weight, *, window, groups: _like(out_shape, g, weight, window, groups),
    weight=lambda g, out, *, window, groups: convolution_weight(out, g, window=window, groups=groups),
)
convolution_weight.vjp(
    out=lambda g, out_shape, x, *, window, groups: _like(out_shape, x, g, window, groups),
    x=lambda g, out, x_shape, *, window, groups: convolution_input(
        out, g, window=window, groups=groups, plane=tuple(x_shape[2:])
    ),
)


@op
def sum_windows(x: Array, /, *, window: Window) -> Array:
    """The sum of what the window covers at each position: (n, c, h, w) -> (n, c, down, across)."""
    frame, counts = padded(x, window.padding), window.counts(x.shape[2:])
    y = np.zeros((*x.shape[:2], *counts), x.dtype)
    for _, _, meets in window.places(counts):
        y += frame[meets]
    return y


@op
def spread_windows(out: Array, /, *, window: Window, plane: Pair) -> Array:
    """Planes (height, width) of zeros to which each value is added wherever its window lies."""
    (height, width), (top, left) = plane, window.padding
    frame = np.zeros((*out.shape[:2], height + 2 * top, width + 2 * left), out.dtype)
    for _, _, meets in window.places((out.shape[2], out.shape[3])):
        frame[meets] += out
    return np.ascontiguousarray(_unpadded(frame, window.padding))


sum_windows.vjp(x=lambda g, x_shape, *, window: spread_windows(g, window=window, plane=tuple(x_shape[2:])))
spread_windows.vjp(out=lambda g, *, window: sum_windows(g, window=window))


@op
def argmax_windows(x: Array, /, *, window: Window, counts: Pair) -> Array:
    """Where in its plane, row by row, the largest element under the window lies: the first, or the last NaN.

    Padding counts as smaller than everything. With `counts` that do not fit the window hangs over the far edges.
    """
    (height, width), (top, left) = x.shape[2:], window.padding
    starts = [np.arange(n) * s - p for n, s, p in zip(counts, window.stride, window.padding, strict=True)]
    frame = x
    reach = [int(at[-1]) + d * (k - 1) + 1 for at, k, d in zip(starts, window.size, window.dilation, strict=True)]
    if top or left or reach[0] > height or reach[1] > width:
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        below, beside = (max(far - n, 0) for far, n in zip(reach, (height, width), strict=True))
        frame = np.pad(x, ((0, 0), (0, 0), (top, below), (left, beside)), constant_values=lowest)
    nans = x.dtype.kind == "f" and bool(np.isnan(np.max(x, initial=-np.inf)))
    # the first place that is not padding, as numbered along the window's rows
    row, column = (np.maximum(-at, 0) + d - 1 for at, d in zip(starts, window.dilation, strict=True))
    first = (row // window.dilation[0])[:, None] * window.size[1] + column // window.dilation[1]
    best = np.full((*x.shape[:2], *counts), frame[next(window.places(counts))[2]])
    place = np.empty(best.shape, np.min_scalar_type(window.size[0] * window.size[1]))
    place[...] = first
    for k, (_, _, meets) in enumerate(window.places(counts)):
        value = frame[meets]
        better = (value > best) | np.isnan(value) if nans else value > best
        np.maximum(place, np.multiply(better, k, dtype=place.dtype), out=place)
        np.maximum(best, value, out=best)
    offset = np.add.outer(np.arange(window.size[0]) * window.dilation[0] * width, np.arange(window.size[1]) * window.dilation[1])
    return np.take(offset, place) + np.add.outer(starts[0] * width, starts[1])


@op
def unpool(x: Array, index: Array, /, *, area: int) -> Array:
    """Rows (n, area) of zeros with each element of x (n, k) at its `index`; those at one place each count, being equal."""
    out = np.zeros((len(x), area), x.dtype)
    np.put_along_axis(out, index, x, 1)
    return out


unpool.vjp(x=lambda g, index: take_along_axis(g, index, axis=1))
unpool.sample((2, 3), np.array([[3, 0, 1], [2, 1, 0]]), area=4)


_ODD = Window((2, 3), (2, 1), (1, 0), (1, 2))
for _window in (Window((2, 2)), _ODD, Window((1, 1))):
    _down, _across = _window.counts((5, 6))
    unfold.sample((2, 2, 5, 6), window=_window)
    fold.sample((2, 2, *_window.size, _down, _across), window=_window, plane=(5, 6))
    sum_windows.sample((2, 2, 5, 6), window=_window)
    argmax_windows.sample((2, 2, 5, 6), window=_window, counts=(_down, _across))
    spread_windows.sample((2, 2, _down, _across), window=_window, plane=(5, 6))
    for _groups in (1, 2):
        _weight, _out = (4, 2 // _groups, *_window.size), (2, 4, _down, _across)
        convolution.sample((2, 2, 5, 6), _weight, (4,) if _groups == 2 else None, window=_window, groups=_groups)
        convolution_input.sample(_out, _weight, window=_window, groups=_groups, plane=(5, 6))
        convolution_weight.sample(_out, (2, 2, 5, 6), window=_window, groups=_groups)
