"""Saved values that a hook has put away, and that its counterpart fetches when their rules run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_nn.graph import Edge, Gradient, Storage, mode
from tinygrad_nn.op_node import OpNode
from tinygrad_nn.variable.state import State, wrap


class Packed(NamedTuple):
    """What a pack hook made of a tensor, and the hook that makes a tensor of it again."""

    content: Any
    unpack: Callable[[Any], Any]
    edge: Edge = None  # of what a Function saved: where its gradient goes

    def fetch(self) -> Any:
        """The tensor again; TypeError for what is none."""
        tensor = self.unpack(self.content)
        if not isinstance(tensor, State):
            found = type(tensor).__name__
            raise TypeError(f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {found}")
        return tensor


def pack(tensor: Any, hooks: Sequence[Callable[[Any], Any]]) -> Packed:
    """Have a tensor put away; RuntimeError if the hook writes to it."""
    before = tensor._version
    into, out_of = hooks
    with mode(grad=False, packing=()):
        content = into(tensor)
    if tensor._version != before:
        raise RuntimeError("A saved tensor pack hook is modifying its input in place: expected it to leave the tensor as it is")
    return Packed(content, out_of)


class PackedNode(OpNode):
    """A recorded call whose saved values were put away."""

    __slots__ = ()

    def shown(self) -> OpNode:
        """Itself; its class is what fetches the values."""
        return self

    def backward(self, gradient: Gradient, path: Collection[Edge] | None) -> Iterable[Gradient]:
        """Fetch the values, and run the rules on them."""
        held = self.saved
        if held is not None:
            self.saved = tuple([value.fetch()._data if isinstance(value, Packed) else value for value in held])
        try:
            return super().backward(gradient, path)
        finally:
            self.saved = held


def put_away(node: OpNode, inputs: tuple[Any, ...], result: State, hooks: Any) -> None:
    """Have the arrays that a node saved packed; from then on it does not matter who writes to them."""
    packed: list[Any] = []
    for k, value in zip(node.plan.keep, node.saved or (), strict=True):
        if isinstance(value, np.ndarray):
            holder = inputs[k] if k < len(inputs) else None
            exact = isinstance(holder, State) and holder._data is value
            value = pack(holder if exact else wrap(value), hooks)  # the output without its node, which would hold itself
        packed.append(value)
    node.saved = tuple(packed)
    node.storages = tuple([Storage() for _ in node.storages])
    node.__class__ = PackedNode
