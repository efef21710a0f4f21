"""The graph and the walk back through it: knows nodes, edges, order and accumulation; knows no op and no Tensor.

An *edge* says where a gradient goes on: to a `Node` with one output, to `(node, i)` for output `i` of a node
with several, to a leaf (anything with `receive_gradient`), or nowhere (`None`). The walk adds up whatever
values it is handed: arrays for first derivatives, Tensors when the derivative is to be differentiated again.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from contextvars import ContextVar, Token
from heapq import heappop, heappush, heappushpop
from typing import Any, ClassVar, TypeAlias
from weakref import WeakValueDictionary

Edge: TypeAlias = Any  # Node | tuple[Node, int] | a leaf | None
Gradient: TypeAlias = Any  # an array, or a Tensor when the walk itself is recorded

clock = itertools.count(1)  # one order for nodes and in-place changes: a greater serial came later
PACKAGE = os.path.dirname(__file__)


class Mode:
    """What operations do besides computing: record a graph, refuse to, look for non-finite values, put saved values away."""

    __slots__ = ("anomaly", "grad", "inference", "packing", "rules")

    def __init__(
        self, grad: bool, inference: bool, anomaly: bool, packing: tuple[Callable[[Any], Any], ...], rules: bool
    ) -> None:
        self.grad, self.inference, self.anomaly = grad, inference, anomaly
        self.packing = packing  # nothing, or a pair: what packs the values that a node saves, what unpacks them
        self.rules = rules  # whether rules run on Tensors, so that NumPy's functions have to give Tensors

    def changed(
        self,
        grad: bool | None = None,
        inference: bool | None = None,
        anomaly: bool | None = None,
        packing: tuple[Callable[[Any], Any], ...] | None = None,
        rules: bool | None = None,
    ) -> Mode:
        """The mode with what is given instead of its own."""
        return Mode(
            self.grad if grad is None else grad,
            self.inference if inference is None else inference,
            self.anomaly if anomaly is None else anomaly,
            self.packing if packing is None else packing,
            self.rules if rules is None else rules,
        )


_NORMAL = Mode(grad=True, inference=False, anomaly=False, packing=(), rules=False)
MODE: ContextVar[Mode] = ContextVar("tinygrad_nn_mode", default=_NORMAL)


class mode:
    """Change the `Mode` of this thread or async task within a `with` block."""

    __slots__ = ("changes", "token")

    token: Token[Mode]

    def __init__(self, **changes: Any) -> None:
        self.changes = changes

    def __enter__(self) -> None:
        self.token = MODE.set(MODE.get().changed(**self.changes))

    def __exit__(self, *_: object) -> None:
        MODE.reset(self.token)


class Storage:
    """The history of one block of memory, shared by all tensors that look into it."""

    __slots__ = ("changed", "changed_by", "version")

    def __init__(self) -> None:
        self.version = 0  # how often it was written to
        self.changed = 0  # the serial of the last write
        self.changed_by = ""

    def touch(self, writer: str) -> None:
        """Note that `writer` has changed the memory in place."""
        self.version += 1
        self.changed = next(clock)
        self.changed_by = writer + source_line()


class Node:
    """One step of the computation that can carry gradients from its outputs back to its inputs."""

    __slots__ = ("__weakref__", "_notes", "edges", "hooks", "outputs", "serial", "where")

    edges: Sequence[Edge]
    serial: int
    outputs: int  # 1, or the number of outputs of a node with several
    hooks: list[Callable[[Any], Any]] | None  # each sees, and may replace, the gradient that arrives
    where: str
    _notes: dict[str, Any]  # what is rare, so that a node without any spends no time on it; made when first asked for

    register_hook: ClassVar[Callable[..., Any]]  # which see Tensors: `variable` puts them here
    register_prehook: ClassVar[Callable[..., Any]]

    def __init__(self, edges: Sequence[Edge], outputs: int = 1) -> None:
        self.edges = edges
        self.outputs = outputs
        self.serial = next(clock)
        self.hooks = None
        self.where = source_line() if MODE.get().anomaly else ""

    def backward(self, gradient: Gradient, path: Collection[Edge] | None) -> Iterable[Gradient]:
        """One gradient an edge; `None` where it is not wanted (`path` has the edges that are, `None` all)."""
        raise NotImplementedError

    def release(self) -> None:
        """Let go of what was saved for `backward`."""

    def name(self) -> str:
        """The name that `grad_fn` shows."""
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes that the gradients go on to, each with the number of its output, in PyTorch's layout."""
        composed = self.notes.get("inputs")
        return tuple(map(shown_edge, composed or [self.edges[i] for i in self.shown_inputs()]))

    def shown_inputs(self) -> Sequence[int]:
        """The inputs that PyTorch has edges for, in its order."""
        return range(len(self.edges))

    @property
    def notes(self) -> dict[str, Any]:
        """What is known of this node beside its slots, which most nodes have nothing of."""
        try:
            return self._notes
        except AttributeError:
            self._notes = {}
            return self._notes

    @property
    def metadata(self) -> dict[str, Any]:
        """A dict for whatever the user likes to note of this node."""
        kept: dict[str, Any] = self.notes.setdefault("metadata", {})
        return kept

    def shown(self) -> Node:
        """Itself as `grad_fn` and `next_functions` show it."""
        return self

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


def shown_edge(edge: Edge) -> tuple[Any, int]:
    """Where an edge leads, as `next_functions` shows it."""
    node, number = edge if type(edge) is tuple else (edge, 0)
    return (node.shown() if isinstance(node, Node) else None if node is None else AccumulateGrad.of(node)), number


class AccumulateGrad:
    """The end of a path: the leaf whose `.grad` takes the gradient up."""

    __slots__ = ("__weakref__", "metadata", "variable")

    _made: ClassVar[WeakValueDictionary[int, AccumulateGrad]] = WeakValueDictionary()  # by the leaf, which each keeps alive

    def __init__(self, leaf: Any) -> None:
        self.variable = leaf
        self.metadata: dict[str, Any] = {}

    @classmethod
    def of(cls, leaf: Any) -> AccumulateGrad:
        """The one of this leaf."""
        return cls._made.setdefault(id(leaf), cls(leaf))

    next_functions = ()
    register_hook: ClassVar[Callable[..., Any]]  # as those of a Node
    register_prehook: ClassVar[Callable[..., Any]]

    def name(self) -> str:
        """The name that `next_functions` shows."""
        return "torch::autograd::AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"


def source_line() -> str:
    """Where the user's code stands, as ` (file.py:12, in train)`; empty unless anomaly detection is on."""
    if not MODE.get().anomaly:
        return ""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return f" ({frame.f_code.co_filename}:{frame.f_lineno}, in {frame.f_code.co_name})"


def node_of(edge: Edge) -> Edge:
    """The node (or leaf) that an edge leads to."""
    return edge[0] if type(edge) is tuple else edge


def reachable(roots: Iterable[Edge]) -> list[Node]:
    """Every node from which a gradient could flow out of `roots`, oldest first."""
    seen: set[Node] = set()
    stack = [node_of(edge) for edge in roots]
    while stack:
        node = stack.pop()
        if isinstance(node, Node) and node not in seen:
            seen.add(node)
            stack.extend(node_of(edge) for edge in node.edges if edge is not None)
    return sorted(seen, key=lambda node: node.serial)


def paths_to(wanted: Collection[Edge], roots: Iterable[Edge]) -> set[Edge]:
    """The edges through which a gradient must pass on its way from `roots` to one of `wanted`."""
    path = set(wanted)
    for node in reachable(roots):
        if any(edge in path or node_of(edge) in path for edge in node.edges if edge is not None):
            path.add(node)
            path.update((node, i) for i in range(node.outputs) if node.outputs > 1)
    return path


def walk(
    roots: Sequence[tuple[Edge, Gradient]],
    *,
    wanted: Collection[Edge] | None = None,
    keep_graph: bool = False,
) -> dict[Edge, Gradient]:
    """Carry gradients from `roots` back through the graph, without recursion, latest node first.

    With `wanted`, only what leads to those edges is computed, and their gradients are returned; without, every
    leaf receives its own. A node is visited once, when all that used its output has been: whatever used it
    came later, so the greatest serial that waits is always ready. (Reverse accumulation: Griewank & Walther,
    Evaluating Derivatives, 2008, section 3.2.)
    """
    path = None if wanted is None else paths_to(wanted, [edge for edge, _ in roots])
    arrived: dict[Edge, Gradient] = {}
    found: dict[Edge, Gradient] = {}
    queue: list[tuple[int, Node]] = []
    edges: Sequence[Edge] = [edge for edge, _ in roots]
    parts: Iterable[Gradient] = [gradient for _, gradient in roots]
    while True:
        node: Node | None = None
        for edge, part in zip(edges, parts):  # noqa: B905  strict costs a fifth of the loop; nodes hold it
            if edge is None or part is None:
                continue
            if type(edge) is tuple:
                edge, i = edge
                whole = arrived.get(edge)
                if whole is not None:
                    whole[i] = part if whole[i] is None else whole[i] + part
                    continue
                whole = [None] * edge.outputs
                whole[i], part = part, whole
            elif edge in arrived:
                arrived[edge] = arrived[edge] + part  # never in place: others may hold the same array
                continue
            arrived[edge] = part
            if isinstance(edge, Node):
                if node is None:  # in a chain the only one: it need not queue
                    node = edge
                else:
                    heappush(queue, (-edge.serial, edge))
        if queue:
            node = (heappop(queue) if node is None else heappushpop(queue, (-node.serial, node)))[1]
        if node is None:
            break
        gradient = arrived.pop(node)
        if node.hooks is not None:
            for hook in tuple(node.hooks):  # a hook may remove itself
                gradient = hook(gradient)
        edges = node.edges
        if path is not None and wanted is not None:
            outputs = [(node, gradient)] if node.outputs == 1 else [((node, i), g) for i, g in enumerate(gradient)]
            found.update((edge, g) for edge, g in outputs if edge in wanted)
            if not any(edge in path for edge in edges):
                parts = ()
                continue
        parts = node.backward(gradient, path)
        if not keep_graph:
            node.release()
    parts, part, gradient = (), None, None  # a leaf counts who else holds its gradient: not the walk
    for leaf, gradient in arrived.items():
        if wanted is None:
            leaf.receive_gradient(leaf.hooked_gradient(gradient))
        elif leaf in wanted:
            found[leaf] = leaf.hooked_gradient(gradient)
    return found
