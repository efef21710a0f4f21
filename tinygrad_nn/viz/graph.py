"""The graph model: values, operations and modules in the order they ran; read from public fields, and changing nothing.

Every picture is drawn from it and `to_json` writes it down (its format is described in docs/seeing_the_graph.md).
Nodes are named by position, so that the same program gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from tinygrad_nn.graph import Node as EngineNode
from tinygrad_nn.graph import shown_edge
from tinygrad_nn.nn.module import Module
from tinygrad_nn.op import Array, Op
from tinygrad_nn.op_node import OpNode
from tinygrad_nn.tensor import Tensor

SHARED = " = "  # between the names of a parameter that several modules share
MOST = 3000  # boxes that a picture holds; beyond, modules are collapsed


@dataclass(frozen=True)
class Constant:
    """A number, or None, that a call was given instead of a tensor."""

    value: Any


@dataclass(frozen=True)
class Place:
    """Where in the user's code a call stands."""

    file: str
    line: int
    code: str
    function: str


@dataclass(eq=False)
class Block:
    """One call of a module: the box drawn around what it computed."""

    id: str
    path: str
    type: str
    parent: Block | None


@dataclass(eq=False)
class Node:
    """A value: a leaf, or what one recorded operation made of its inputs."""

    id: str = ""
    kind: str = "op"  # "parameter", "leaf" (requires grad), "data", "op", "failed"
    op: Op | None = None  # None for a leaf and for a function of the user's
    label: str = ""  # the op's name
    name: str = ""  # the variable's or parameter's
    inputs: list[Node | Constant] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    value: Array | None = None
    shape: tuple[int, ...] = ()
    dtype: str = ""
    requires_grad: bool = False
    accumulated: Array | None = None  # a leaf's `.grad` at the time
    place: Place | None = None
    block: Block | None = None
    error: str = ""
    engine: Any = None  # the engine's node, for functions that run their own backward
    output: int | None = None  # of a function with several outputs: which one this is

    @property
    def is_op(self) -> bool:
        """Whether an operation made this value."""
        return self.kind in {"op", "failed"}

    @property
    def parents(self) -> Iterator[Node]:
        """The inputs that are nodes."""
        return (value for value in self.inputs if isinstance(value, Node))


@dataclass
class Graph:
    """All nodes in the order they were made, the calls of modules around them, the output, and what went wrong if it did."""

    nodes: list[Node]
    blocks: list[Block]
    output: Node | None
    error: str = ""

    def __post_init__(self) -> None:
        for i, node in enumerate(self.nodes):
            node.id = f"n{i}"
        used: dict[int, Block] = {}
        for node in self.nodes:
            block = node.block
            while block is not None and id(block) not in used:
                used[id(block)] = block
                block = block.parent
        self.blocks = [block for block in self.blocks if id(block) in used]
        for i, block in enumerate(self.blocks):
            block.id = f"m{i}"

    def __repr__(self) -> str:
        count = sum(node.is_op for node in self.nodes)
        return f"<Graph of {count} operations on {len(self.nodes) - count} leaves>"


def of_tensor(tensor: Any, names: Mapping[int, str], most: int = 100_000) -> Graph:
    """The graph behind a tensor, as far as the engine has kept it: see `trace` for all values.

    TypeError for what is no tensor, ValueError for a tensor without a graph or with more than `most` operations.

    >>> import tinygrad_nn as torch
    >>> of_tensor(torch.tensor(3.0, requires_grad=True) * 2, {})
    <Graph of 1 operations on 1 leaves>
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"draw: expected a Tensor, got {type(tensor).__name__}")
    if tensor.grad_fn is None and tensor.requires_grad:
        raise ValueError(f"draw: expected a tensor that was computed, got a leaf of shape {list(tensor.shape)}")
    if tensor.grad_fn is None:
        raise ValueError(f"draw: the tensor of shape {list(tensor.shape)} has no graph: nothing it came from requires grad")
    engine_nodes = _reached(tensor.grad_fn, most)
    made: dict[Any, Node] = {}
    ordered: list[Node] = []
    for engine in engine_nodes:
        inputs = [_input(engine, i, after, made, ordered, names) for i, after in enumerate(map(shown_edge, engine.edges))]
        node = Node(engine=engine, inputs=inputs, requires_grad=True, label=engine.name().removesuffix("Backward0"))
        if isinstance(engine, OpNode):
            node.op, node.label, node.attributes = engine.op, engine.op.name, engine.attributes
            if engine.saved and len(engine.op.inputs) in engine.plan.keep:
                node.value = engine.saved[engine.plan.keep.index(len(engine.op.inputs))]
        if engine.where:
            node.place = _place_of(engine.where)
        node.name = names.get(id(engine), "")
        made[engine] = node
        ordered.append(node)
    output = made[tensor.grad_fn] if tensor.grad_fn.outputs == 1 else _pick(tensor.grad_fn, tensor.output_nr, made, ordered)
    _fill_values(ordered, output, tensor.detach().numpy())
    output.name = output.name or names.get(id(tensor), "")
    blocks = _blocks_by_parameters(ordered)
    return Graph(ordered, blocks, output)


def _reached(root: EngineNode, most: int) -> list[Any]:
    seen: set[Any] = {root}
    stack: list[Any] = [root]
    while stack:
        for after, _ in map(shown_edge, stack.pop().edges):
            if isinstance(after, EngineNode) and after not in seen:
                seen.add(after)
                stack.append(after)
        if len(seen) > most:
            raise ValueError(f"draw: expected a graph of at most {most:,} operations, got more: draw a part of it")
    return sorted(seen, key=lambda node: node.serial)


def _input(
    engine: Any, i: int, after: tuple[Any, int], made: dict[Any, Node], ordered: list[Node], names: Mapping[int, str]
) -> Node | Constant:
    """Where input `i` of a recorded call came from: a node, a leaf, data that was saved, or a constant."""
    source, number = after
    if isinstance(source, EngineNode):
        return made[source] if source.outputs == 1 else _pick(source, number, made, ordered)
    if source is not None:
        leaf = source.variable
        if id(leaf) not in made:
            made[id(leaf)] = leaf_node(leaf, names.get(id(leaf), ""))
            ordered.append(made[id(leaf)])
        return made[id(leaf)]
    if not isinstance(engine, OpNode):
        return Constant(None)
    keep, shape = engine.plan.keep, engine.shapes[i]
    if engine.saved and i in keep:
        value = engine.saved[keep.index(i)]
        if not isinstance(value, np.ndarray):
            return Constant(value)
        key = array_key(value)
        if key not in made:
            made[key] = data_node(value, names.get(key, ""))
            ordered.append(made[key])
        return made[key]
    if shape == () and engine.op.promote == "none":
        return Constant(None)
    ordered.append(Node(kind="data", shape=shape))
    return ordered[-1]


def _pick(engine: Any, number: int, made: dict[Any, Node], ordered: list[Node]) -> Node:
    """One output of a function with several, as a node of its own."""
    if (engine, number) not in made:
        made[engine, number] = Node(label=f"output {number}", inputs=[made[engine]], requires_grad=True, output=number)
        ordered.append(made[engine, number])
    return made[engine, number]


def leaf_node(tensor: Any, name: str) -> Node:
    """The node of a tensor that no recorded operation made."""
    from_module = type(tensor).__name__ == "Parameter"
    kind = "parameter" if from_module else "leaf" if tensor.requires_grad else "data"
    value = tensor.detach().numpy()
    grad = tensor.grad if tensor.is_leaf else None
    return Node(
        kind=kind, name=name, value=value.copy(), shape=value.shape, dtype=value.dtype.name, requires_grad=tensor.requires_grad,
        accumulated=None if grad is None else grad.detach().numpy().copy(),
    )  # fmt: skip


def data_node(value: Array, name: str) -> Node:
    """The node of an array that takes no gradient."""
    return Node(kind="data", name=name, value=value.copy(), shape=value.shape, dtype=value.dtype.name)


def _place_of(where: str) -> Place:
    file, _, function = where.strip(" ()").partition(", in ")
    name, _, line = file.rpartition(":")
    return place(name, int(line), function)


def place(filename: str, line: int, function: str) -> Place:
    """A line of the user's code, by the file's name without its folder."""
    import linecache

    base = filename.replace("\\", "/").rsplit("/", 1)[-1]
    short = "cell" if "ipykernel" in filename or base.startswith("<") else base
    return Place(short, line, linecache.getline(filename, line).strip(), function)


def _fill_values(ordered: list[Node], output: Node, result: Array) -> None:
    """Give every node the value that its users saved, or that follows from the values before it.

    What was computed anew counts only if it leads to the very result the tensor has: leaves may have changed since.
    """
    for node in ordered:
        engine = node.engine
        if isinstance(engine, OpNode) and engine.saved:
            for k, value in zip(engine.plan.keep, engine.saved, strict=True):
                source = node.inputs[k] if k < len(node.inputs) else None
                if isinstance(source, Node) and source.value is None:
                    source.value = value
        if isinstance(engine, OpNode):
            for source, shape in zip(node.inputs, engine.shapes, strict=True):
                if isinstance(source, Node) and source.value is None:
                    source.shape = shape
    computed: list[Node] = []
    for node in ordered:
        if node.value is None and node.op is not None:
            given = [v.value for v in node.inputs]
            if all(v is not None or isinstance(source, Constant) for v, source in zip(given, node.inputs, strict=True)):
                try:
                    node.value = np.asarray(node.op.forward(*given, **node.attributes))
                except (ValueError, RuntimeError, TypeError, AttributeError):
                    continue
                computed.append(node)
    if output.value is not None and not np.array_equal(output.value, result, equal_nan=True):
        for node in computed:
            node.value = None
    output.value = result
    for node in ordered:
        if node.value is not None:
            node.shape, node.dtype = node.value.shape, node.value.dtype.name
        node.dtype = node.dtype or result.dtype.name


def _blocks_by_parameters(ordered: list[Node]) -> list[Block]:
    """Boxes around neighbours in time that use the parameters of one module."""
    blocks: list[Block] = []
    last: Block | None = None
    for node in ordered:
        if not node.is_op:
            continue
        told = [source.name for source in node.parents if source.kind == "parameter" and SHARED not in source.name]
        paths = {name.rpartition(".")[0] for name in told if "." in name}
        if len(paths) != 1:
            last = None
            continue
        (path,) = paths
        if last is None or last.path != path:
            last = Block("", path, "", None)
            blocks.append(last)
        node.block = last
    own_leaves(ordered)
    return blocks


def own_leaves(ordered: list[Node]) -> None:
    """Put each parameter into the box of the calls that use it, if all are in one."""
    users: dict[int, list[Block | None]] = {}
    for node in ordered:
        for source in node.parents:
            if source.kind == "parameter":
                users.setdefault(id(source), []).append(node.block)
    for node in ordered:
        if id(node) in users:
            node.block = _common(users[id(node)])


def _common(blocks: list[Block | None]) -> Block | None:
    """The innermost box that holds them all."""
    lines = []
    for block in blocks:
        line: list[Block] = []
        while block is not None:
            line.insert(0, block)
            block = block.parent
        lines.append(line)
    found = None
    for level in zip(*lines, strict=False):
        if any(block is not level[0] for block in level):
            break
        found = level[0]
    return found


def names_in(frame: FrameType | None) -> dict[int, str]:
    """The names that tensors, their graph nodes, modules and their parameters have in a frame of the user's code."""
    if frame is None:
        return {}
    names: dict[int, str] = {}
    modules: list[tuple[str, Module]] = []
    scope = {**frame.f_globals, **frame.f_locals}
    for name, value in scope.items():
        if name.startswith("__") or name == "_":
            continue
        if isinstance(value, Module):
            modules.append((name, value))
        for label, tensor in _tensors_in(name, value):
            note(names, tensor, label)
    inner = {id(part) for _, module in modules for part in module.modules() if part is not module}
    outer = {id(module): (name, module) for name, module in modules if id(module) not in inner}
    owners: dict[int, list[str]] = {}
    for name, module in outer.values():
        prefix = name if len(outer) > 1 else ""
        for path, part in module.named_modules():
            names[id(part)] = ".".join(filter(None, [prefix, path]))
        for path, tensor in [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]:
            owners.setdefault(id(tensor), []).append(".".join(filter(None, [prefix, path])))
    return names | {tensor: SHARED.join(paths) for tensor, paths in owners.items()}


def array_key(array: Array) -> int:
    """The same for arrays that are one block of memory seen in one shape, and never that of an object."""
    return -1 - hash((array.__array_interface__["data"][0], array.shape)) % (1 << 60)


def note(names: dict[int, str], tensor: Tensor, name: str) -> None:
    """Enter a tensor's name for the tensor, its array, and the node that made it."""
    names[id(tensor)] = name
    names[array_key(tensor.detach().numpy())] = name
    if tensor.requires_grad and tensor.grad_fn is not None:
        names[id(tensor.grad_fn)] = name


def _tensors_in(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, list | tuple) and len(value) <= 100:
        yield from ((f"{name}[{i}]", part) for i, part in enumerate(value) if isinstance(part, Tensor))
    elif isinstance(value, dict) and len(value) <= 100:
        yield from ((f"{name}[{key!r}]", part) for key, part in value.items() if isinstance(part, Tensor))


def to_text(data: Any) -> str:
    """JSON in one fixed form, for stable bytes; safe inside a `<script>` element."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
