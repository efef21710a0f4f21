"""The order in which PyTorch's loops go through the elements of an array that is not row-major; knows NumPy only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"


def memory_order(array: Array) -> tuple[int, ...]:
    """The dimensions from the outermost to the innermost, as PyTorch's TensorIterator sorts them.

    The longer stride is outside. A dimension of stride 0, which repeats its elements, stays where the sort meets it.

    >>> memory_order(np.zeros((2, 3, 4)).transpose(2, 0, 1))
    (1, 2, 0)
    """
    order = list(reversed(range(array.ndim)))  # the innermost first
    for start in range(1, array.ndim):
        here = start
        for before in reversed(range(start)):
            inner, outer = ((array.strides[axis], array.shape[axis]) for axis in (order[before], order[here]))
            if inner[0] == 0 or outer[0] == 0:
                continue
            if inner > outer:
                order[before], order[here] = order[here], order[before]
                here = before
            elif inner[0] < outer[0]:
                break
    return tuple(reversed(order))


def in_memory_order(array: Array, make: Callable[[tuple[int, ...]], Array]) -> Array:
    """What `make` gives for a shape, in the shape of `array` and lying in memory as that does, though without its gaps."""
    if array.flags.c_contiguous:
        return make(array.shape)
    order = memory_order(array)
    return make(tuple(array.shape[axis] for axis in order)).transpose(np.argsort(order))
