"""How arrays lie in memory beyond their values: the order of their axes, and which of them look into the same memory.

A file holds each array by its own name, as it looks, row by row. Its layout is said beside it, where it needs one:

- {"strides": [4, 12]}: how many bytes apart neighbours along each axis lie.
- {"strides": [4], "memory": "w", "offset": 8}: it looks into the memory of the array "w", from that byte on.
- {"dtype": "<c16"}: an array of a dtype that tensors do not have, whose bytes are in the file.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_nn.op import Array
from tinygrad_nn.serialization.values import numpy_dtype

Layout = dict[str, Any]


def strides_of(values: Array) -> list[int] | None:
    """The strides that an array is to have again: its own if it has no gaps, else the same order of axes; None for row by row."""
    whole = min(values.strides, default=0) >= 0 and _end(values.shape, values.strides, values.itemsize) <= values.nbytes
    strides = values.strides if whole else np.empty_like(values).strides
    row_by_row = np.empty(values.shape, values.dtype).strides
    return None if strides == row_by_row or not values.size else list(strides)


def _end(shape: tuple[int, ...], strides: Any, itemsize: int) -> int:
    """The byte behind the last one of an array, counted from its first element."""
    return itemsize + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))


def share(tensors: dict[str, Array], arrays: dict[str, Array], layouts: dict[str, Layout]) -> None:
    """Say in `layouts` which of these tensors look into the same memory.

    That is the memory of a tensor that covers all the others; where none does, a copy of it is added to `arrays`.
    """
    bounds = {name: np.lib.array_utils.byte_bounds(values) for name, values in tensors.items() if values.size}
    bounds = {name: both for name, both in bounds.items() if min(tensors[name].strides, default=0) >= 0}
    for group, low, high in _touching(bounds):
        found = {name: tensors[name] for name in group}
        if not _overlap(list(found.values()), low, high):
            continue
        memory = next((name for name in group if bounds[name] == (low, high) and _is_dense(tensors[name])), None)
        if memory is None:
            memory = _unused("memory", arrays)
            arrays[memory] = np.zeros(high - low, np.uint8)
            for values in found.values():
                _seen_from(values, arrays[memory], low)[...] = values
        for name, values in found.items():
            if name != memory:
                offset = values.ctypes.data - low
                layouts[name] = {"strides": list(values.strides), "memory": memory, "offset": offset}


def _is_dense(values: Array) -> bool:
    """Whether an array fills its memory, in whatever order, each place once."""
    return values.flags.c_contiguous or np.empty_like(values).strides == values.strides


def _touching(bounds: dict[str, tuple[int, int]]) -> list[tuple[list[str], int, int]]:
    """The names whose ranges of bytes overlap, in groups of two and more, each with the range of all."""
    groups: list[tuple[list[str], int, int]] = []
    for name, (low, high) in sorted(bounds.items(), key=lambda item: item[1]):
        if groups and low < groups[-1][2]:
            names, start, end = groups[-1]
            names.append(name)
            groups[-1] = names, start, max(end, high)
        else:
            groups.append(([name], low, high))
    return [group for group in groups if len(group[0]) > 1]


def _seen_from(values: Array, memory: Array, low: int, kind: Any = None) -> Array:
    """The place in `memory`, which begins at the address `low`, where an array lies."""
    return np.ndarray(values.shape, kind or values.dtype, memory, values.ctypes.data - low, values.strides)


def _overlap(arrays: list[Array], low: int, high: int) -> bool:
    """Whether two of the arrays have an element in common."""
    taken = np.zeros(high - low, bool)
    for values in arrays:
        place = _seen_from(values, taken, low, bool)
        if place.any():
            return True
        place[...] = True
    return False


def _unused(name: str, names: dict[str, Any]) -> str:
    while name in names:
        name += "_"
    return name


def lay_out(arrays: dict[str, Array], layouts: dict[str, Layout]) -> None:
    """Give arrays that were read row by row their layout; ValueError for one that makes no sense."""
    memories = {name: array.reshape(-1).view(np.uint8) for name, array in arrays.items()}
    views = []
    for name, layout in layouts.items():
        values = arrays[name]
        match layout:
            case {"dtype": kind, **rest} if not rest:
                wanted = numpy_dtype(kind)
                if values.dtype != np.uint8 or values.shape[-1:] != (wanted.itemsize,):
                    raise ValueError(f"array '{name}' does not hold the bytes of {kind}")
                arrays[name] = np.ndarray(values.shape[:-1], wanted, values)
            case {"strides": strides, **rest} if not rest:
                memories[name] = np.zeros(values.nbytes, np.uint8)
                arrays[name] = _place(name, values, memories[name], 0, strides)
                arrays[name][...] = values
            case {"strides": strides, "memory": memory, "offset": offset, **rest} if not rest:
                views.append((name, memory, offset, strides))
            case _:
                raise ValueError(f"array '{name}' has a layout of an unknown kind")
    for name, memory, offset, strides in views:
        arrays[name] = _place(name, arrays[name], memories[memory], offset, strides)


def _place(name: str, values: Array, memory: Array, offset: Any, strides: Any) -> Array:
    """A view of `memory` with the shape and dtype of `values`.

    The bounds are held in Python's whole numbers, since NumPy's own check of them can overflow.
    """
    numbers = [offset, *strides]
    if not all(type(n) is int and n >= 0 for n in numbers) or not values.size:
        raise ValueError(f"array '{name}' has a layout that makes no sense")
    if offset + _end(values.shape, strides, values.itemsize) > memory.size:
        raise ValueError(f"array '{name}' lies outside its memory")
    return np.ndarray(values.shape, values.dtype, memory, offset, strides)
