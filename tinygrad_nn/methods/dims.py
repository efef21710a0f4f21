"""PyTorch's `dim` arguments turned into NumPy's axes; knows only numbers of dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any


def axis_of(dim: int, ndim: int) -> int:
    """`dim` as an axis from 0 to ndim - 1; a 0-d tensor counts as one with one dimension, as in PyTorch."""
    dim, bound = index(dim), ndim or 1
    if not -bound <= dim < bound:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim})")
    return dim % bound


def axes_of(dim: int | Sequence[int] | None, ndim: int) -> tuple[int, ...] | None:
    """`dim` as distinct axes, or None for all of them; what is empty also means all."""
    if dim is None:
        return None
    axes = tuple([axis_of(d, ndim) for d in listed(dim)])
    for i, axis in enumerate(axes):
        if axis in axes[:i]:
            raise RuntimeError(f"dim {axis} appears multiple times in the list of dims")
    return axes if axes and ndim else None


def sizes_of(sizes: tuple[Any, ...], named: Any = None) -> tuple[int, ...]:
    """A shape given as `f(2, 3)`, as `f((2, 3))` or by its name; TypeError for what is not whole numbers."""
    if named is not None:
        sizes = (named,)
    elif not sizes:
        raise TypeError("missing 1 required positional argument: the sizes or dimensions, as integers or one tuple of them")
    if len(sizes) == 1 and not isinstance(sizes[0], int) and hasattr(sizes[0], "__iter__") and getattr(sizes[0], "ndim", 1) > 0:
        sizes = tuple(sizes[0])
    try:
        return tuple(map(index, sizes))
    except TypeError:
        got = ", ".join(type(n).__name__ for n in sizes)
        raise TypeError(f"expected sizes or dimensions as integers or one tuple of them, got {got}") from None


def listed(numbers: Any) -> Sequence[int]:
    """One number, of Python's, NumPy's or in a tensor, or several, as a sequence."""
    return (numbers,) if isinstance(numbers, int) or hasattr(numbers, "__index__") else numbers


def many(numbers: int | Sequence[int]) -> tuple[int, ...]:
    """One number or several, as a tuple of Python's."""
    return tuple(map(index, listed(numbers)))


def inferred(sizes: tuple[int, ...], count: int) -> tuple[int, ...]:
    """A shape of `count` elements with its one -1, if any, worked out."""
    known = 1
    for n in sizes:
        known *= n if n != -1 else 1
    if sizes.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if -1 in sizes and known and count % known == 0:
        return tuple(count // known if n == -1 else n for n in sizes)
    if -1 in sizes and not known and count == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(sizes)} because the unspecified dimension size -1 "
            "can be any value and is ambiguous"
        )
    if -1 in sizes or known != count or any(n < -1 for n in sizes):
        raise RuntimeError(f"shape '{list(sizes)}' is invalid for input of size {count}")
    return sizes
