"""Trees of tensors: dicts, lists and tuples of them, one within the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tinygrad_nn.tensor import Tensor


def map_tensors(value: Any, change: Callable[[Tensor], Any], other: Callable[[Any], Any] = lambda value: value) -> Any:
    """The dicts, lists and tuples of `value` with each tensor changed, and by `other` all else."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, Mapping):
        return {key: map_tensors(item, change, other) for key, item in value.items()}
    return type(value)(map_tensors(item, change, other) for item in value) if type(value) in (list, tuple) else other(value)


def tensors_of(value: Any) -> list[Tensor]:
    """The tensors of a tree, in its order."""
    found: list[Tensor] = []
    map_tensors(value, found.append)
    return found


def with_tensors(tree: Any, values: Sequence[Any]) -> Any:
    """The tree with these values, in its order, in the place of its tensors."""
    remaining = iter(values)
    return map_tensors(tree, lambda _: next(remaining))
