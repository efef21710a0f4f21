"""Strategies of shapes that fit each other, of axes and of indices."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

Shape: TypeAlias = tuple[int, ...]


def broadcastable_shapes(
    n: int = 2, *, min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 3
) -> st.SearchStrategy[hnp.BroadcastableShapes]:
    """`n` shapes that broadcast together: an object with `input_shapes` and `result_shape`.

    >>> from hypothesis import find
    >>> find(broadcastable_shapes(), lambda s: s.result_shape == (2, 3))
    BroadcastableShapes(input_shapes=((), (2, 3)), result_shape=(2, 3))
    """
    return hnp.mutually_broadcastable_shapes(
        num_shapes=n, min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side
    )


class MatmulShapes(NamedTuple):
    """The shapes of two factors and of their matrix product."""

    a: Shape
    b: Shape
    result: Shape


def matmul_shapes(*, max_dims: int = 2, min_side: int = 1, max_side: int = 3) -> st.SearchStrategy[MatmulShapes]:
    """Shapes that `matmul` takes: vectors, matrices and up to `max_dims` batch axes that broadcast.

    >>> from hypothesis import find
    >>> find(matmul_shapes(), lambda s: len(s.a) == 2 and len(s.b) == 3)
    MatmulShapes(a=(1, 1), b=(1, 1, 1), result=(1, 1, 1))
    """
    found = hnp.mutually_broadcastable_shapes(
        signature=np.matmul.signature or "", max_dims=max_dims, min_side=min_side, max_side=max_side
    )
    return found.map(lambda s: MatmulShapes(s.input_shapes[0], s.input_shapes[1], s.result_shape))


class ConvShapes(NamedTuple):
    """A valid convolution: input (N, C, *size), weight (O, C / groups, *kernel), output (N, O, *size), and its options."""

    input: Shape
    weight: Shape
    output: Shape
    stride: Shape
    padding: Shape
    dilation: Shape
    groups: int


@st.composite
def conv_shapes(draw: st.DrawFn, dims: int = 2, *, max_side: int = 6, max_channels: int = 2) -> ConvShapes:
    """Shapes and options of a convolution over `dims` axes that has at least one place to stand on.

    >>> from hypothesis import find
    >>> find(conv_shapes(1), lambda c: c.groups == 2)
    ConvShapes(input=(1, 2, 1), weight=(2, 1, 1), output=(1, 2, 1), stride=(1,), padding=(0,), dilation=(1,), groups=2)
    """
    groups, inner, outer = (draw(st.integers(1, max_channels)) for _ in range(3))
    rows = []
    for _ in range(dims):
        kernel, dilation, stride = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 3))
        padding = draw(st.integers(0, kernel // 2 * dilation))
        reach = dilation * (kernel - 1) + 1
        shortest = max(1, reach - 2 * padding)
        side = draw(st.integers(shortest, max(shortest, max_side)))
        rows.append((side, kernel, (side + 2 * padding - reach) // stride + 1, stride, padding, dilation))
    sides, kernels, outputs, strides, paddings, dilations = zip(*rows, strict=True)
    batch = draw(st.integers(1, 2))
    return ConvShapes(
        (batch, groups * inner, *sides), (groups * outer, inner, *kernels), (batch, groups * outer, *outputs),
        strides, paddings, dilations, groups,
    )  # fmt: skip


def axes(shape: Shape, *, min_size: int = 1, max_size: int | None = None) -> st.SearchStrategy[Any]:
    """An axis of `shape` as an int, or distinct axes as a tuple of `min_size` to `max_size`; some count from the end.

    >>> from hypothesis import find
    >>> find(axes((2, 3, 4)), lambda axis: isinstance(axis, tuple) and len(axis) == 2)
    (0, 1)
    """
    ndim = len(shape)
    most = ndim if max_size is None else min(ndim, max_size)
    if most < min_size:
        raise ValueError(f"axes: a shape of {ndim} axes has not the {min_size} asked for")
    tuples = hnp.valid_tuple_axes(ndim, min_size=min_size, max_size=most)
    return st.integers(0, ndim - 1) | st.integers(-ndim, -1) | tuples if min_size <= 1 <= most else tuples


@st.composite
def index_expressions(
    draw: st.DrawFn,
    shape: Shape,
    *,
    advanced: bool = True,
    allow_empty: bool = True,
    negative_steps: bool = True,
    allow_newaxis: bool = True,
) -> Any:
    """Anything valid in `x[...]` for x of `shape`: ints, slices, None, ..., int arrays, lists, masks, and their mixtures.

    Without `advanced` only those that make views; without `allow_empty` none that selects nothing (no side may be 0);
    without `negative_steps` slices go forward, as PyTorch demands. A single part may come without its tuple.

    >>> from hypothesis import find
    >>> np.ones((2, 3))[find(index_expressions((2, 3)), lambda index: np.ones((2, 3))[index].size == 3)].size
    3
    """
    ndim = len(shape)
    named = draw(st.integers(0, ndim))  # the axes that the index speaks of; an ellipsis may part them
    split = draw(st.none() | st.integers(0, named))
    masked = advanced and bool(named) and draw(st.booleans())
    chosen = [i if split is None or i < split else ndim - named + i for i in range(named)]
    start, mask = 0, None
    if masked:  # drawn first, as its count of True is the length that int arrays must have
        start = draw(st.integers(0, named - 1))
        end = split if split is not None and start < split else named
        covered = chosen[start : start + draw(st.integers(1, end - start))]
        sides = tuple(shape[axis] for axis in covered)
        mask = draw(hnp.arrays(bool, sides, fill=st.nothing()))
        if not allow_empty and not mask.any():
            mask = ~mask
    common = hnp.array_shapes(min_dims=1, max_dims=2, min_side=1 if not allow_empty else 0, max_side=3)
    points: Shape = draw(common) if advanced and mask is None else () if mask is None else (int(mask.sum()),)
    parts: list[Any] = []
    i = 0
    while i <= named:
        if i == split:
            parts.append(...)
        if allow_newaxis and sum(part is None for part in parts) < 2 and draw(st.integers(0, 5)) == 5:
            parts.append(None)
        if i == named:
            break
        if mask is not None and i == start:
            parts.append(mask)
            i += mask.ndim
            continue
        parts.append(draw(_part(shape[chosen[i]], points, advanced, allow_empty, negative_steps)))
        i += 1
    return parts[0] if len(parts) == 1 and draw(st.booleans()) else tuple(parts)


def _part(side: int, points: Shape, advanced: bool, allow_empty: bool, negative_steps: bool) -> st.SearchStrategy[Any]:
    """What may index one axis of length `side`, where arrays have the shape `points`, or broadcast to it."""
    slices = st.slices(side).filter(
        lambda s: (allow_empty or bool(range(*s.indices(side)))) and (negative_steps or (s.step or 1) > 0)
    )
    kinds: list[st.SearchStrategy[Any]] = [st.just(slice(None)), slices]
    if side:
        kinds.append(st.integers(-side, side - 1))
    if advanced and (side or not math.prod(points)):
        each = st.integers(-side, side - 1) if side else st.just(0)
        shapes = st.sampled_from([points, points[1:]] if side and len(points) > 1 else [points])
        arrays = shapes.flatmap(lambda s: hnp.arrays(np.int64, s, elements=each, fill=st.nothing()))
        kinds += [arrays, arrays.map(lambda a: a.tolist() if a.ndim == 1 and a.size else a)]
    return st.one_of(kinds)
