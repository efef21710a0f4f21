"""What users ask of the graph's nodes that takes Tensors: hooks, and the values that were saved."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np

from tinygrad_nn.graph import AccumulateGrad, Edge, Gradient, Node
from tinygrad_nn.op_node import OpNode
from tinygrad_nn.variable.packing import Packed
from tinygrad_nn.variable.state import State, wrap
from tinygrad_nn.variable.variable import RemovableHandle, _Last


class Handles:
    """Several handles in one: `remove()` takes all their hooks away."""

    def __init__(self, *handles: RemovableHandle) -> None:
        self._handles = handles

    def remove(self) -> None:
        """Take the hooks away; a second call does nothing."""
        for handle in self._handles:
            handle.remove()

    def __enter__(self) -> Handles:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def _as_tensors(gradients: Iterable[Gradient]) -> tuple[Any, ...]:
    return tuple(g if g is None or isinstance(g, State) else wrap(np.asarray(g)) for g in gradients)


def _replaced(hook: Callable[..., Any], gradients: list[Gradient], *before: Any) -> list[Gradient]:
    """The gradients as a hook, which sees Tensors, leaves them; TypeError or RuntimeError for what it must not return."""
    shown = _as_tensors(gradients)
    found = hook(shown, *before)
    if found is None:
        return gradients
    if not isinstance(found, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(found).__name__}'")
    if len(found) != len(shown):
        raise RuntimeError(f"a hook has returned an incorrect number of values (got {len(found)}, but expected {len(shown)})")
    for value in found:
        if not isinstance(value, State | None):
            raise TypeError(f"expected a Tensor or None, but hook returned '{type(value).__name__}'")
    recorded = any(isinstance(g, State) for g in gradients)
    return [value if value is None or recorded else value._data for value in found]


class _Hooked:
    """A node with hooks on what its rules give."""

    __slots__ = ()

    def backward(self: Any, gradient: Gradient, path: Collection[Edge] | None) -> Iterable[Gradient]:
        """Run the rules, then the hooks on their results."""
        parts = list(super().backward(gradient, path))  # type: ignore[misc]
        arrived = _as_tensors([gradient] if self.outputs == 1 else gradient)
        places = self.shown_inputs()
        for hook in tuple(self.notes["hooks"]):  # a hook may remove itself
            for i, part in zip(places, _replaced(hook, [parts[i] for i in places], arrived), strict=True):
                parts[i] = part
        return parts


@functools.cache
def _hooked(kind: Any) -> Any:
    return type(kind.__name__, (_Hooked, kind), {"__slots__": (), "__module__": kind.__module__})


def register_hook(node: Node, hook: Callable[[tuple[Any, ...], tuple[Any, ...]], Any]) -> RemovableHandle:
    """Have `hook(grad_inputs, grad_outputs)` called when this node has been walked through; a tuple replaces grad_inputs."""
    kind: Any = type(node)
    if not issubclass(kind, _Hooked):
        node.__class__ = _hooked(kind)
    return RemovableHandle(node.notes.setdefault("hooks", []), hook)


def register_prehook(node: Node, hook: Callable[[tuple[Any, ...]], Any]) -> RemovableHandle:
    """Have `hook(grad_outputs)` called before this node is walked through; a tuple that it returns replaces them."""

    def on_arrival(gradient: Gradient) -> Gradient:
        parts = _replaced(hook, [gradient] if node.outputs == 1 else gradient)
        return parts[0] if node.outputs == 1 else parts

    if node.hooks is None:
        node.hooks = []
    return RemovableHandle(node.hooks, _Last(on_arrival))  # behind those of the tensor, as in PyTorch


def _register_leaf_hook(end: AccumulateGrad, hook: Callable[[tuple[()], tuple[Any]], Any]) -> Handles:
    """Have `hook((), (gradient,))` called when the leaf has taken a gradient up."""
    arrived: list[Any] = []
    leaf = end.variable
    watch = _Last(lambda gradient: arrived.__setitem__(slice(None), [gradient]))
    return Handles(
        leaf.register_hook(watch), leaf.register_post_accumulate_grad_hook(lambda _: hook((), (arrived.pop(),)) and None)
    )


def _register_leaf_prehook(end: AccumulateGrad, hook: Callable[[tuple[Any]], Any]) -> RemovableHandle:
    """Have `hook((gradient,))` called before the leaf takes a gradient up, or `grad` gives it; a tuple replaces it."""
    handle: RemovableHandle = end.variable.register_hook(lambda gradient: _replaced(hook, [gradient])[0])
    return handle


Node.register_hook, Node.register_prehook = register_hook, register_prehook
AccumulateGrad.register_hook, AccumulateGrad.register_prehook = _register_leaf_hook, _register_leaf_prehook

_SECOND = {"PowBackward0": "exponent", "MmBackward0": "mat2", "MatmulBackward0": "mat2"}  # the second input, elsewhere "other"


def _saved(node: OpNode, role: str) -> Any:
    """What a node saved, under PyTorch's name; None if these inputs did without, AttributeError if this op never saves it."""
    op, name = node.op, node.name()
    place = {"self": 0, _SECOND.get(name, "other"): 1, "result": len(op.inputs)}.get(role)
    if place is None or not any(place in op._slots(rule)[0] for rule in op.rules.values()):
        raise AttributeError(f"'{name}' object has no attribute '_saved_{role}'")
    if place not in node.plan.keep:
        return None
    if node.saved is None:
        raise RuntimeError(
            f"{name}: expected saved values, got none: a backward has freed them; pass retain_graph=True to the first backward"
        )
    value = node.saved[node.plan.keep.index(place)]
    if isinstance(value, Packed):
        return value.fetch()
    if not isinstance(value, np.ndarray):
        return value if role == "exponent" else wrap(np.asarray(value))
    edge = node if role == "result" else node.edges[place]
    if isinstance(edge, State) and edge._data is value:
        return edge  # a leaf: itself
    shown = wrap(value)
    return shown.rewrap(value, edge)


for _role in ("self", "other", "exponent", "mat2", "result"):
    setattr(OpNode, f"_saved_{_role}", property(functools.partial(_saved, role=_role)))
