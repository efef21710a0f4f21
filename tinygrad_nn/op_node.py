"""OpNode: a recorded call of an op, which runs its rules in the walk back."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from tinygrad_nn.graph import Edge, Gradient, Node, Storage, node_of
from tinygrad_nn.node_names import node_name, shown_inputs
from tinygrad_nn.op import Call, Op, Plan, unbroadcast

Result = TypeVar("Result")  # a Tensor, which this module does not know


def _values(gradient: Gradient) -> Any:
    return gradient if isinstance(gradient, np.ndarray | np.generic) else gradient.detach().numpy()


@functools.cache
def _class_named(name: str) -> type[OpNode]:
    return type(name, (_Named,), {"__slots__": ()})


class OpNode(Node):
    """A recorded call of an op: its saved values, and how to run its rules on them."""

    __slots__ = ("attributes", "broadcast", "plan", "saved", "shape", "storages")

    outputs = 1
    plan: Plan
    saved: tuple[Any, ...] | None
    shape: tuple[int, ...]  # of the output
    broadcast: tuple[tuple[int, ...], ...] | None  # the shapes of the inputs, if they are not all the output's
    attributes: dict[str, Any]
    storages: tuple[Storage, ...]

    @property
    def op(self) -> Op:
        """The op that was called."""
        return self.plan.op

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each input."""
        return self.broadcast or (self.shape,) * len(self.edges)

    def name(self) -> str:
        """The op's name in PyTorch's spelling, such as `MulBackward0`."""
        return node_name(self.op.name, self.attributes, tuple(map(len, self.shapes)))

    def shown_inputs(self) -> Sequence[int]:
        """The inputs that PyTorch has edges for, in its order."""
        constant = [edge is None and not shape for edge, shape in zip(self.edges, self.shapes, strict=True)]
        ruled = [i for i in range(len(constant)) if self.op.differentiable >> i & 1]
        return shown_inputs(self.name(), ruled, constant)

    def shown(self) -> OpNode:
        """Itself, once it is of a class that bears its name: PyTorch has one for each operation."""
        self.__class__ = _class_named(self.name())
        return self

    def release(self) -> None:
        """Let go of what was saved; a node that saved nothing can be walked again, as in PyTorch."""
        if self.saved:
            self.saved = None
            self.storages = ()

    def backward(self, gradient: Gradient, path: Collection[Edge] | None) -> Iterable[Gradient]:
        """Run the rule of each input that wants a gradient."""
        values = self.saved
        if values is None:
            raise RuntimeError(
                f"backward through {self.name()}{self.where} a second time: its saved values were freed by the first; "
                "pass retain_graph=True to the first backward"
            )
        serial = self.serial
        for storage in self.storages:
            if storage.changed > serial:
                self._raise_changed(storage)
        plan = self.plan
        calls: Sequence[Call] = plan.calls
        if type(gradient) is not np.ndarray and not isinstance(gradient, np.generic):
            values = tuple(self._as_tensors(gradient))
            calls = calls if plan.op.link is None else [self._linked(plan.op.link, *call) for call in calls]
        edges, attributes = self.edges, self.attributes
        own, broadcast = self.shape, self.broadcast
        if plan.op.variadic:
            parts = plan.calls[0][1](gradient, *([self.shapes] if plan.shaped else ()), **attributes)
            return [self._fitted(part, i) if edges[i] is not None else None for i, part in enumerate(parts)]
        if plan.shaped:
            values += self.shapes
        gradients: list[Gradient] = [None] * len(edges)
        for i, rule, at in calls:
            if path is not None and edges[i] not in path and node_of(edges[i]) not in path:
                continue
            result = rule(gradient, values, attributes) if at < 0 else rule(gradient, values[at])
            shape = own if broadcast is None else broadcast[i]
            if result.shape != shape:
                result = self._fitted(result, i)
            gradients[i] = result if shape or not isinstance(result, np.generic) else np.asarray(result)  # rules write into arrays
        if self.where:
            self._check_finite(gradient, gradients)
        return gradients

    @staticmethod
    def _linked(link: Callable[[Any, Any], Any], i: int, rule: Callable[..., Any], at: int) -> Call:
        """The rule of a piecewise op, its result tied to the saved tensors that gradients flow to."""

        def linked(g: Any, values: Sequence[Any], attributes: dict[str, Any]) -> Any:
            result = rule(g, values, attributes) if at < 0 else rule(g, values[at])
            for value in values:
                if getattr(value, "requires_grad", False):
                    result = link(result, value)
            return result

        return i, linked, -1

    def _check_finite(self, arrived: Gradient, gradients: list[Gradient]) -> None:
        """In anomaly mode: name the op whose rule made the first non-finite gradient out of a finite one."""
        if not np.isfinite(np.asarray(_values(arrived))).all():
            return
        for name, gradient in zip(self.op.inputs, gradients, strict=False):
            values = None if gradient is None else np.asarray(_values(gradient))
            if values is None or np.isfinite(values).all():
                continue
            kind = "nan" if np.isnan(values).any() else "inf"
            zero = " (0 * inf: the gradient is 0 where the slope is infinite, as in the branch that a where() did not take; "
            zero += "make the input of the op safe before it)"
            hint = zero if kind == "nan" and (np.asarray(_values(arrived)) == 0).any() else ""
            raise RuntimeError(
                f"Function '{self.name()}' returned {kind} values as the gradient of '{name}', shape {list(values.shape)}, "
                f"in its backward; its forward ran at{self.where}{hint}"
            )

    def _fitted(self, gradient: Gradient, i: int) -> Gradient:
        """The gradient with its input's shape: broadcasting undone where the op broadcasts, an error elsewhere."""
        shape = self.shapes[i]
        if gradient.shape == shape:
            return gradient
        name = self.op.inputs[0 if self.op.variadic else i]
        if self.op.promote != "none":
            try:
                return unbroadcast(gradient, shape)
            except ValueError:
                pass
        raise RuntimeError(
            f"{self.op.name}: the rule of '{name}' gave a gradient of shape {tuple(gradient.shape)}, expected {shape}"
        )

    def _as_tensors(self, gradient: Gradient) -> Iterator[Any]:
        """The saved values as Tensors with their place in the graph, so that the rules record themselves.

        Each keeps its storage: a write to it must be noticed by what the rules save as well.
        """
        storages = iter(self.storages)  # one for each array
        for k, value in zip(self.plan.keep, self.saved or (), strict=True):
            if not isinstance(value, np.ndarray):
                yield value
            else:
                yield gradient.rewrap(value, self if k == len(self.op.inputs) else self.edges[k], next(storages))

    def _raise_changed(self, storage: Storage) -> None:
        hint = "" if self.where else "; run under detect_anomaly() to see both lines"
        raise RuntimeError(
            f"one of the variables needed for gradient computation has been modified by an inplace operation: "
            f"what {self.op.name} saved{self.where} was then changed by {storage.changed_by}{hint}"
        )


class _Named(OpNode):
    """A recorded call whose class bears its name."""

    __slots__ = ()

    def name(self) -> str:
        """The name of its class."""
        return type(self).__name__

    def shown(self) -> OpNode:
        """Itself, which is what PyTorch shows."""
        return self


def named(result: Result, name: str, *inputs: Any) -> Result:
    """A result recorded just now, its node shown as PyTorch's of this name where several calls here are one there.

    Its `next_functions` then are those of the tensors `inputs`, if any are given, and not of the last call.
    """
    node = result._edge  # type: ignore[attr-defined]
    kind = type(node)
    if kind is OpNode or issubclass(kind, _Named):
        node.__class__ = _class_named(name)
        if inputs:
            node._notes = {"inputs": tuple([x.edge if x is not None and x.requires_grad else None for x in inputs])}
    return result
