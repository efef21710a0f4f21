"""What functions of images share: one or two numbers for each dimension of space, and lines treated as planes of one row."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from tinygrad_nn.ops.window import Pair
from tinygrad_nn.tensor import Tensor

Sizes: TypeAlias = int | Sequence[int]


def sizes_of(value: Any, dims: int, name: str) -> tuple[int, ...]:
    """`value` as a number for each of `dims` dimensions; RuntimeError for another count of them, TypeError for no integers."""
    try:
        given = tuple(operator.index(v) for v in value) if isinstance(value, Sequence) else (operator.index(value),)
    except TypeError:
        raise TypeError(f"{name} expected an integer or {dims} of them, got {value!r}") from None
    if len(given) not in (1, dims):
        raise RuntimeError(f"{name} must be a single integer or a tuple of {dims}, got {value!r}")
    return given * dims if len(given) == 1 else given


def pair(value: tuple[int, ...], line: int) -> Pair:
    """A number for each dimension as one for height and width; a line's height has `line`."""
    return (value[0], value[1]) if len(value) == 2 else (line, value[0])


def expect_planes(name: str, input: Tensor, dims: int) -> None:
    """RuntimeError unless the input has channels and `dims` dimensions of space, with or without a batch before them."""
    if input.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {name}, got input of size {list(input.shape)}"
        )


def as_planes(input: Tensor, dims: int) -> Tensor:
    """(c, ...) or (n, c, ...), with 1 or 2 dimensions of space, as (n, c, h, w)."""
    shape = tuple(input.shape)
    lead = shape[:-dims] if input.ndim == dims + 2 else (1, *shape[:-dims])
    wanted = (*lead, *pair(shape[-dims:], 1))
    return input if wanted == shape else input.reshape(wanted)


def like_given(planes: Tensor, input: Tensor, dims: int) -> Tensor:
    """(n, c, h, w) with as many dimensions of space, and a batch or none, as the input had."""
    wanted = (*planes.shape[input.ndim == dims + 1 : 2], *planes.shape[4 - dims :])
    return planes if len(wanted) == 4 else planes.reshape(wanted)


def apart(made: Tensor, input: Tensor) -> Tensor:
    """What was made of the input, row by row in memory of its own, where it may lie in the input's."""
    made = made.contiguous()
    return made.clone() if np.may_share_memory(made._data, input._data) else made
