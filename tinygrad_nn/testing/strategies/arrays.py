"""Strategies of values: tensors in every memory layout, floats away from kinks, incoming gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_nn.creation import from_numpy
from tinygrad_nn.dtypes import DTypeLike, dtype_of, float64
from tinygrad_nn.op import Array
from tinygrad_nn.tensor import Tensor

LAYOUTS = ("contiguous", "transposed", "strided", "reversed", "offset", "broadcast")


@st.composite
def tensors(
    draw: st.DrawFn,
    dtype: DTypeLike = float64,
    shape: tuple[int, ...] | st.SearchStrategy[tuple[int, ...]] | None = None,
    *,
    elements: st.SearchStrategy[Any] | None = None,
    requires_grad: bool = False,
    layouts: bool = True,
    special_values: bool = False,
    min_dims: int = 0,
    max_dims: int = 3,
    min_side: int = 1,
    max_side: int = 4,
) -> Tensor:
    """Leaf tensors of one dtype, of `shape` or of any shape within the bounds (`min_side=0` allows empty ones).

    Floats lie in [-2, 2], integers in [-8, 8] or [0, 8], unless `elements` says otherwise. `layouts` also lays them out
    transposed, strided, reversed, off the start of their memory, or broadcast (zero strides, read-only).
    `special_values` mixes in NaN, infinities, both zeros, subnormals and ties.

    >>> from hypothesis import find
    >>> find(tensors(shape=(2,)), lambda x: x.sum() > 1)
    tensor([0., 2.], dtype=torch.float64)
    """
    kind = dtype_of(dtype).numpy
    if shape is None:
        shape = hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)
    size = shape if isinstance(shape, tuple) else draw(shape)
    each = _elements(kind, special_values) if elements is None else elements
    array = draw(hnp.arrays(kind, size, elements=each, fill=st.nothing()))
    laid = draw(layouts_of(array)) if layouts else array
    tensor = from_numpy(laid.copy() if min(laid.strides, default=0) < 0 else laid)  # a tensor has no negative strides
    return tensor.requires_grad_() if requires_grad else tensor


def _elements(kind: np.dtype[Any], special_values: bool) -> st.SearchStrategy[Any]:
    if kind.kind == "b":
        return st.booleans()
    if kind.kind == "u":
        return st.integers(0, 8)
    if kind.kind == "i":
        return st.integers(-8, 8)
    width: Any = 8 * kind.itemsize
    floats: st.SearchStrategy[float] = st.floats(-2, 2, width=width, allow_subnormal=special_values)
    if not special_values:
        return floats
    tiny = float(np.finfo(kind).smallest_subnormal)
    return st.sampled_from([0.0, 1.0, -0.0, -1.0, math.inf, -math.inf, math.nan, tiny, -tiny]) | floats


@st.composite
def layouts_of(draw: st.DrawFn, array: Array) -> Array:
    """The values of `array`, in its shape, laid out in memory in any of six ways; only "broadcast" changes values.

    >>> from hypothesis import find
    >>> find(layouts_of(np.ones((2, 3))), lambda a: a.strides == (48, 16)).flags.owndata
    False
    """
    layout = draw(st.sampled_from(LAYOUTS if array.ndim and array.size else LAYOUTS[:1]))
    if layout == "transposed":
        return np.ascontiguousarray(array.T).T
    if layout == "strided":
        return np.repeat(array, 2, -1)[..., ::2]
    if layout == "reversed":
        return np.flip(np.flip(array).copy())
    if layout == "offset":
        return np.concatenate([array[:1], array])[1:]
    if layout == "broadcast":
        axis = draw(st.integers(0, array.ndim - 1))
        return np.broadcast_to(array.take([0], axis), array.shape)
    return array


def away_from(kinks: Iterable[float], low: float = -2.0, high: float = 2.0, gap: float = 0.05) -> st.SearchStrategy[float]:
    """Floats from `low` to `high` that are at least `gap` away from every kink; ValueError if there are none.

    >>> from hypothesis import find
    >>> find(away_from([0.0], gap=0.5), lambda x: True)
    1.0
    """
    pieces: list[st.SearchStrategy[float]] = []
    start = low
    for kink in (*sorted(kinks), math.inf):
        end = min(high, kink - gap)
        if start <= end:
            pieces.insert(0, st.floats(start, end, allow_subnormal=False))  # positive numbers are simpler: last piece first
        start = max(start, kink + gap)
    if not pieces:
        raise ValueError(f"away_from: no number from {low} to {high} is {gap} away from {sorted(kinks)}")
    return st.one_of(pieces)


@st.composite
def upstream(draw: st.DrawFn, shape: tuple[int, ...], dtype: DTypeLike = float64) -> Array:
    """An incoming gradient of `shape`: an array in [-1, 1] without zeros in which no two neighbours are equal.

    Ones would hide a sum in the wrong place and zeros whatever they multiply.

    >>> from hypothesis import find
    >>> find(upstream((3,)), lambda g: True)
    array([0.0625, 0.1875, 0.0625])
    """
    size = math.prod(shape)
    drawn = [draw(st.integers(-4, 3)) for _ in range(size)]
    values = [(2 * n + i % 2) / 8 + 1 / 16 for i, n in enumerate(drawn)]
    return np.array(values, dtype_of(dtype).numpy).reshape(shape)
