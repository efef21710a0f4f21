"""Watching a function run: every recorded call with its values, its line, its module and the names it was given.

Python's own profiler hook tells when `record` and `Module.__call__` are entered and left, so the engine has no part in
it and nothing is paid while nobody watches.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from tinygrad_nn.autograd.function import Function
from tinygrad_nn.nn.module import Module
from tinygrad_nn.op import Op
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import record
from tinygrad_nn.viz.graph import SHARED, Block, Constant, Graph, Node, array_key, data_node, leaf_node, note, own_leaves, place

_PACKAGE = str(Path(__file__).parents[1])
_RECORD, _CALL = record.__code__, Module.__call__.__code__
_CALL_WITH_HOOKS = Module._call_with_hooks_.__code__
_CUT = {Tensor.detach.__code__, Tensor.data.fget.__code__}  # type: ignore[attr-defined]  # what leaves the graph
_APPLY = Function.apply.__func__.__code__  # type: ignore[attr-defined]


class Tracer:
    """What `trace` has seen so far: nodes in order, and which tensor is which."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names  # of leaves, by identity
        self.nodes: list[Node] = []
        self.blocks: list[Block] = []
        self._calls: list[tuple[Block, Module]] = []
        self._open: list[Block] = []
        self._paths: dict[int, str] = {}
        self._made: dict[Any, Node] = {}
        self._held: list[Any] = []  # tensors that must live, or another would take over their identity
        self._inside = 0  # functions of the user's whose forward is running: one step each
        self._before: Any = None

    def __enter__(self) -> Tracer:
        self._before = sys.getprofile()
        sys.setprofile(self._on_event)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self._before)

    def _on_event(self, frame: FrameType, event: str, result: Any) -> None:
        code = frame.f_code
        if event == "call":
            if code is _CALL:
                self._enter(frame.f_locals["self"])
            elif code is _APPLY:
                self._inside += 1
        elif event == "return":
            if code is _RECORD:
                if result is not None and not self._inside:
                    self._on_record(frame, result)
            elif code is _CALL:
                self._open.pop()
            elif code is _APPLY:
                self._inside -= 1
                if result is not None and not self._inside:
                    self._on_function(frame, result)
            elif code in _CUT:
                if frame.f_back and not frame.f_back.f_code.co_filename.startswith(_PACKAGE) and not self._inside:
                    self._on_cut(frame, result)
            elif not code.co_filename.startswith(_PACKAGE):
                self._name_locals(frame)

    def _enter(self, module: Module) -> None:
        if not self._open:
            prefix = self.names.get(id(module), "")  # of a module that is part of one the caller knows, where that one has it
            for path, tensor in module.named_parameters():
                known = self.names.setdefault(id(tensor), path)
                if id(module) not in self.names and SHARED not in known and known.endswith(f".{path}"):
                    prefix = prefix or known.removesuffix(path).rstrip(".")
            for path, part in module.named_modules():
                self._paths.setdefault(id(part), ".".join(filter(None, [prefix, path])))
            for path, buffer in module.named_buffers():
                self.names.setdefault(id(buffer), path)
            self._held.append(module)
        path = self._paths.get(id(module), "")
        block = Block("", path, type(module).__name__, self._open[-1] if self._open else None)
        self.blocks.append(block)
        self._calls.append((block, module))
        self._open.append(block)

    def _name_locals(self, frame: FrameType) -> None:
        for name, value in frame.f_locals.items():
            if isinstance(value, Tensor) and name != "_":
                node = self._made.get(_key(value))
                if node is not None and (node.is_op or not node.name):
                    node.name = name

    def _on_record(self, frame: FrameType, result: Any) -> None:
        if _key(result) in self._made:
            return  # a call that brought its inputs to one dtype, and was recorded by then
        seen = frame.f_locals
        self.add(seen["op"], seen["inputs"], seen["attributes"], frame, result)

    def add(self, op: Op, inputs: tuple[Any, ...], attributes: dict[str, Any], frame: FrameType | None, result: Any) -> Node:
        """A recorded call; its result is None where it failed."""
        node = Node(op=op, label=op.name, attributes=dict(attributes), inputs=[self.source(v) for v in inputs])
        node.place, node.block = user_place(frame), self._open[-1] if self._open else None
        if result is not None:
            self._settle(node, result)
        self.nodes.append(node)
        return node

    def _settle(self, node: Node, result: Tensor) -> None:
        node.value = result._data.copy()
        node.shape, node.dtype, node.requires_grad = node.value.shape, node.value.dtype.name, result.requires_grad
        self._made[_key(result)] = node
        self._held += [result, result.grad_fn]

    def _on_function(self, frame: FrameType, result: Any) -> None:
        seen = frame.f_locals
        inputs = [self.source(v) for v in seen["args"]]
        node = Node(label=seen["cls"].__name__, inputs=inputs, place=user_place(frame))
        node.block, node.engine = self._open[-1] if self._open else None, seen["ctx"]._node_() or seen["ctx"]
        self.nodes.append(node)
        if isinstance(result, Tensor):
            self._settle(node, result)
            return
        node.requires_grad = any(isinstance(part, Tensor) and part.requires_grad for part in result)
        for i, part in enumerate(result):
            if isinstance(part, Tensor):
                self.nodes.append(Node(label=f"output {i}", inputs=[node], output=i, block=node.block, place=node.place))
                self._settle(self.nodes[-1], part)

    def _on_cut(self, frame: FrameType, result: Tensor) -> None:
        """The user takes a value out of the graph: a step of its own, which no gradient passes."""
        node = Node(label=frame.f_code.co_name, inputs=[self.source(frame.f_locals["self"])], place=user_place(frame))
        node.block = self._open[-1] if self._open else None
        self.nodes.append(node)
        self._settle(node, result)

    def source(self, value: Any) -> Node | Constant:
        """The node that an input of a call came from; a new leaf where it is seen for the first time."""
        if isinstance(value, Tensor):
            key = _key(value)
            if key not in self._made or (value.requires_grad and not self._made[key].requires_grad):
                self._made[key] = leaf_node(value, self.names.get(id(value), ""))
                self._made[key].block = None
                self.nodes.append(self._made[key])
                self._held.append(value)
            return self._made[key]
        if isinstance(value, np.ndarray) and value.ndim:
            key = array_key(value)
            if key not in self._made:
                self._made[key] = data_node(value, self.names.get(key, ""))
                self.nodes.append(self._made[key])
                self._held.append(value)
            return self._made[key]
        return Constant(value[()] if isinstance(value, np.ndarray) else value)

    def fail(self, error: BaseException) -> None:
        """Add the call that raised: the op if it was one, else the function of the package that refused its inputs."""
        frames = [frame for frame in _frames(error.__traceback__) if frame.f_code.co_filename != __file__]
        if not frames:
            raise error  # it was not even called: the number of its arguments is wrong
        calls = [frame for frame in frames if frame.f_code is _CALL]
        recorded = [frame for frame in frames if frame.f_code is _RECORD]
        if recorded:
            seen = recorded[-1].f_locals
            node = self.add(seen["op"], seen["inputs"], seen["attributes"], recorded[-1], None)
        else:
            users = [i for i, frame in enumerate(frames) if not frame.f_code.co_filename.startswith(_PACKAGE)]
            beyond = frames[users[-1] + 1 :] if users else frames
            called = [f for f in beyond if f.f_code not in (_CALL, _CALL_WITH_HOOKS) and f.f_code.co_name != "forward"]
            frame = (called or beyond or frames)[0 if called else -1]
            arguments = frame.f_code.co_varnames[: frame.f_code.co_argcount]
            given = [value for name in arguments for value in _flat([frame.f_locals.get(name)]) if isinstance(value, Tensor)]
            node = Node(label=frame.f_code.co_name.strip("_"), inputs=[self.source(value) for value in given])
            node.place = user_place(frame)
            self.nodes.append(node)
        if calls:
            module = calls[-1].f_locals["self"]
            node.block = next(block for block, of in reversed(self._calls) if of is module)
        node.kind, node.error = "failed", f"{type(error).__name__}: {error}"

    def graph(self, result: Any, error: str = "") -> Graph:
        """What was seen, cut down to what leads to the result (all of it after an error)."""
        tensors = [value for value in _flat([result]) if isinstance(value, Tensor)]
        roots = [self._made[_key(tensor)] for tensor in tensors if _key(tensor) in self._made]
        output = next((node for node in roots if node.requires_grad and node.value is not None and node.value.size == 1), None)
        output = output or (roots[0] if roots else self.nodes[-1] if error and self.nodes else None)
        nodes = self.nodes
        if roots and not error:
            wanted: set[int] = set()
            stack = list(roots)
            while stack:
                node = stack.pop()
                if id(node) not in wanted:
                    wanted.add(id(node))
                    stack.extend(node.parents)
            nodes = [node for node in nodes if id(node) in wanted]
        own_leaves(nodes)
        return Graph(nodes, self.blocks, output, error)


def _key(tensor: Tensor) -> Any:
    """What stays the same for one value: its place in the graph, or, outside it, the tensor and its version."""
    if tensor.requires_grad:
        edge = tensor.edge
        if edge is not tensor:
            return (id(edge[0]), edge[1]) if type(edge) is tuple else id(edge)
    return (id(tensor), "data", tensor._version)


def user_place(frame: FrameType | None) -> Any:
    """The innermost line of code outside this package."""
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return None if frame is None else place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def _frames(traceback: TracebackType | None) -> Iterator[FrameType]:
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, dict):
            yield from _flat(value.values())
        elif isinstance(value, list | tuple):
            yield from _flat(value)
        else:
            yield value


def run(f: Callable[..., Any], inputs: tuple[Any, ...], names: dict[int, str]) -> tuple[Graph, Exception | None]:
    """Run `f(*inputs)` and give its graph, partial where it raised, with what it raised.

    TypeError for what cannot be called, ValueError if nothing was computed on tensors.
    """
    if not callable(f):
        raise TypeError(f"trace: expected a function, got {type(f).__name__}")
    named = getattr(f, "__code__", None)
    if named is not None:
        for name, value in zip(named.co_varnames[: named.co_argcount], inputs, strict=False):
            if isinstance(value, Tensor) and id(value) not in names:
                note(names, value, name)
    tracer, error, result = Tracer(names), None, None
    try:
        with tracer:
            result = f(*inputs)
    except Exception as raised:
        error = raised
        tracer.fail(raised)
    if not tracer.nodes:
        raise ValueError("trace: expected a function that computes something on tensors, got none of their operations")
    return tracer.graph(result, "" if error is None else f"{type(error).__name__}: {error}"), error
