"""Variable: an array and its place in the graph; knows how calls are recorded, views followed, memory written.

`Tensor`, its one subclass, gives it PyTorch's face and is what every recorded call returns.
"""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_nn.dtypes import RANK, dtype_of, result_type
from tinygrad_nn.graph import MODE, Edge, Node, Storage, clock, mode, source_line, walk
from tinygrad_nn.op import Array, Op, OpNode, Plan
from tinygrad_nn.ops import elementwise, index, shape

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


def record(op: Op, inputs: tuple[Any, ...], attributes: dict[str, Any], output: Array | None = None) -> Any:
    """Compute an op (or take its `output` as given) and, where gradients can flow, link it into the graph."""
    arrays: list[Any] = []
    edges: list[Edge] = []
    shapes: list[tuple[int, ...]] = []
    mask, bit, dtype, plain = 0, 1, None, True
    for value in inputs:
        edge, shape = None, ()
        if isinstance(value, Variable):
            array = value._data
            shape = array.shape
            if array.dtype is not dtype:
                plain = plain and dtype is None
                dtype = array.dtype
            if value._view is not None:
                value._refresh()
            if value._requires:
                mask |= bit
                edge = value if value._edge is None else value._edge
        else:
            array = value
            plain = plain and (type(value) is float or type(value) is int)
            if type(value) is np.ndarray:
                shape = value.shape
        arrays.append(array)
        edges.append(edge)
        shapes.append(shape)
        bit <<= 1
    if not (plain and (dtype is _FLOAT32 or dtype is _FLOAT64)) and op.promote != "none":
        promoted = _promoted(op, inputs)
        if promoted is not None:
            return record(op, promoted, attributes, output)
    recording = MODE.get()
    try:
        y = op.forward(*arrays, **attributes) if output is None else output
    except ValueError as error:
        misfits = ", ".join(str(list(np.shape(array))) for array in arrays if array is not None)
        raise RuntimeError(f"{op.name}: inputs of shapes {misfits} do not fit: {error}") from None
    if type(y) is not np.ndarray:
        y = np.asarray(y)
    if recording.anomaly:
        _check_forward(op, arrays, y)
    result = wrap(y)
    if op.view and output is None and y.base is not None and np.may_share_memory(y, arrays[0]):
        result._view_of(inputs[0], op, attributes)
    mask &= op.differentiable
    if mask and recording.grad and y.dtype.kind == "f":
        node = _new(OpNode)
        node.op, node.attributes, node.edges, node.shapes = op, attributes, edges, shapes
        node.outputs, node.hooks, node.serial = 1, None, next(clock)
        node.where = source_line() if recording.anomaly else ""
        node.plan = op.plans.get(mask) or op.plan(mask)
        node.saved, node.storages = _kept(node.plan, inputs, arrays, result)
        result._edge, result._requires = node, True
    return result


def _kept(plan: Plan, inputs: tuple[Any, ...], arrays: list[Any], result: Variable) -> tuple[list[Any], list[Storage]]:
    """What the rules will ask for, and the storages in which it must not change until then."""
    saved: list[Any] = []
    storages: list[Storage] = []
    for k in plan.keep:
        if k < len(arrays):
            saved.append(arrays[k])
            holder = inputs[k]
            if not isinstance(holder, Variable):
                continue
        else:
            holder = result
            saved.append(result._data)
        storage = holder._storage
        if storage is None:
            storage = holder._storage = Storage()
        storages.append(storage)
    return saved, storages


def _promoted(op: Op, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The inputs of a mixed call brought to PyTorch's common dtype, through the graph; None if they are in it."""
    exempt = op.unpromoted
    values = [v.item() if isinstance(v, np.generic) else wrap(v) if isinstance(v, np.ndarray) else v for v in inputs]
    for i, v in enumerate(values):
        if not isinstance(v, Variable | bool | int | float):
            raise TypeError(f"{op.name}: argument '{op.inputs[i]}' expected a Tensor or a number, got {type(v).__name__}")
    mixed = [v._data if isinstance(v, Variable) else v for i, v in enumerate(values) if i not in exempt]
    common = result_type(mixed, floating=op.promote == "float")
    if op.guard is not None:
        op.guard(op.name, "".join(np.asarray(v).dtype.kind for v in mixed), common)
    only_numbers = not any(isinstance(v, np.ndarray) for v in mixed)
    for i, v in enumerate(values):
        if isinstance(v, Variable) and i not in exempt and v._data.dtype != common:
            values[i] = v._astype(common)
        elif isinstance(v, bool | int | float) and (common.kind != "f" or isinstance(v, bool) or only_numbers):
            done = isinstance(inputs[i], np.generic) and inputs[i].dtype == common
            values[i] = inputs[i] if done else np.asarray(v).astype(common)[()]  # whole numbers that do not fit wrap around
    return None if all(value is given for value, given in zip(values, inputs, strict=True)) else tuple(values)


def _check_forward(op: Op, arrays: list[Any], y: Array) -> None:
    """In anomaly mode: name the op that made the first non-finite value out of finite ones."""
    if y.dtype.kind != "f" or np.isfinite(y).all():
        return
    flat = [v for a in arrays for v in (a if isinstance(a, tuple) else (a,)) if v is not None]
    if all(np.isfinite(v).all() for v in flat):
        shapes = ", ".join(str(list(np.shape(v))) for v in flat)
        kind = "nan" if np.isnan(y).any() else "inf"
        raise RuntimeError(f"{op.name} made the first {kind} out of finite inputs of shapes {shapes}{source_line()}")


def wrap(data: Array) -> Any:
    """A Tensor on an array as it is, outside any graph."""
    tensor = _new(_face)
    tensor._data = data
    tensor._edge = tensor._grad = tensor._storage = tensor._view = tensor._hooks = None
    tensor._requires = False
    tensor._stamp = 0
    return tensor


_new = object.__new__
_face: type[Variable]  # what calls return: the one direct subclass, Tensor


def differentiate(
    outputs: Sequence[Variable],
    gradients: Sequence[Variable | None],
    wanted: Sequence[Variable] | None = None,
    *,
    retain_graph: bool | None,
    create_graph: bool,
) -> dict[Edge, Any]:
    """Walk back from `outputs`: into the leaves' `.grad`, or, with `wanted`, into the dict that is returned."""
    roots = []
    for output, gradient in zip(outputs, gradients, strict=True):
        if not output.requires_grad:
            raise RuntimeError(
                f"a tensor of shape {list(output._data.shape)} does not require grad and does not have a grad_fn: "
                "nothing it was computed from requires grad"
            )
        if gradient is None:
            if output._data.size != 1:
                raise RuntimeError(
                    f"grad can be implicitly created only for scalar outputs, got one of shape {list(output._data.shape)}; "
                    "pass a gradient of that shape, or reduce it with .sum() or .mean()"
                )
            gradient = wrap(np.ones_like(output._data))
        elif gradient._data.shape != output._data.shape:
            raise RuntimeError(
                f"Mismatch in shape: the gradient has shape {list(gradient._data.shape)}, its output {list(output._data.shape)}"
            )
        roots.append((output.edge, gradient if create_graph else gradient._data))
    keep = create_graph if retain_graph is None else retain_graph
    edges = None if wanted is None else {tensor.edge for tensor in wanted}
    with mode(grad=create_graph), np.errstate(all="ignore"):
        return walk(roots, wanted=edges, keep_graph=keep)


class Variable:
    """An array, whether gradients flow to it, and the node that made it."""

    __slots__ = (
        "__dict__", "__weakref__", "_data", "_edge", "_grad", "_hooks", "_requires", "_stamp", "_storage", "_view",
    )  # fmt: skip

    _data: Array
    _edge: Edge  # the node that made this tensor; None for a leaf
    _requires: bool
    _grad: Any
    _storage: Storage | None  # made when a first view, save or write needs it
    _view: tuple[Variable, Op, dict[str, Any]] | None  # the tensor this one looks into, and how
    _stamp: int  # of a view: the last write that its edge takes into account
    _hooks: list[Callable[[Any], Any]] | None  # of a leaf

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if Variable in cls.__bases__:
            global _face
            _face = cls

    def _become_leaf(self, array: Array, requires_grad: bool) -> None:
        self._data = array
        self._edge = self._grad = self._storage = self._view = self._hooks = None
        self._requires = requires_grad
        self._stamp = 0

    # the graph protocol

    def __record__(self, op: Op, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        return record(op, inputs, attributes)

    @property
    def edge(self) -> Edge:
        """Where a gradient of this tensor goes: to the node that made it, or to the leaf itself."""
        if self._view is not None:
            self._refresh()
        return self if self._edge is None else self._edge

    def rewrap(self, array: Array, edge: Edge) -> Any:
        """A saved array as a Tensor again, at `edge` in the graph; the protocol of nodes that record their rules."""
        tensor = wrap(array)
        tensor._edge, tensor._requires = edge, edge is not None
        return tensor

    def receive_gradient(self, gradient: Any) -> None:
        """Add a gradient to `.grad`; an array that nobody else holds is kept as it is."""
        unshared = sys.getrefcount(gradient) <= _UNSHARED
        gradient = self.hooked_gradient(gradient)
        if isinstance(gradient, Variable):
            self._grad = gradient if self._grad is None else self._grad + gradient
        elif self._grad is not None:
            self._grad._data += gradient
            self._grad._touch("backward")
        else:
            own = unshared and type(gradient) is np.ndarray and gradient.base is None and gradient.flags.c_contiguous
            self._grad = wrap(gradient if own else np.array(gradient, self._data.dtype, order="C"))

    def hooked_gradient(self, gradient: Any) -> Any:
        """The gradient as this leaf's hooks leave it."""
        for hook in self._hooks or ():
            gradient = _call_hook(hook, gradient)
        return gradient

    def _view_of(self, parent: Variable, op: Op, attributes: dict[str, Any]) -> None:
        if parent._storage is None:
            parent._storage = Storage()
        self._storage = parent._storage
        self._stamp = self._storage.changed
        self._view = (parent, op, attributes)

    def _refresh(self) -> None:
        """Of a view: follow what was written into its memory since, as the tensor it looks into did."""
        if self._view is None or self._storage is None or self._storage.changed <= self._stamp:
            return
        parent, op, attributes = self._view
        parent._refresh()
        self._stamp = self._storage.changed
        if parent._requires:
            with mode(grad=True):
                again = record(op, (parent,), attributes, self._data)
            self._edge, self._requires = again._edge, True

    def _touch(self, writer: str) -> None:
        if self._storage is None:
            self._storage = Storage()
        self._storage.touch(writer)

    # writing in place

    def _before_write(self, others: Sequence[Any], writer: str) -> Any:
        """This tensor as it is now, safe from the write that follows; RuntimeError if it must not be written."""
        if MODE.get().grad:
            root = self
            while root._view is not None and not (root._requires and root._edge is None):
                root = root._view[0]
            if root._requires and root._edge is None:
                which = "a leaf Variable" if root is self else "a view of a leaf Variable"
                raise RuntimeError(f"{which} that requires grad is being used in an in-place operation: {writer}")
            if self.requires_grad or any(isinstance(v, Variable) and v.requires_grad for v in others):
                if self.requires_grad:
                    return self.rewrap(self._data.copy(), self._edge)
                return wrap(self._data.copy())
        return self

    def _become(self, result: Variable, writer: str) -> Any:
        """Take over the values, and in grad mode the history, of `result`."""
        if result._data.shape != self._data.shape:
            raise RuntimeError(
                f"{writer}: output with shape {list(self._data.shape)} doesn't match the broadcast shape {list(result._data.shape)}"
            )
        if result._data.dtype != self._data.dtype:
            if RANK[result._data.dtype.kind] > RANK[self._data.dtype.kind]:
                raise RuntimeError(
                    f"{writer}: result type {dtype_of(result._data.dtype)} can't be cast to the desired output type "
                    f"{dtype_of(self._data.dtype)}"
                )
            result = result._astype(self._data.dtype)
        if self._requires and not result._requires and MODE.get().grad:
            return self._overwrite(result, writer)  # no gradient passes: what was there is forgotten
        self._write(result._data, writer)
        if result._requires:
            self._rebase(result.edge)
        return self

    def _become_view(self, function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any], writer: str) -> Any:
        """Look at the same memory as `function`, which gives views, would show it."""
        self._before_write((), writer)
        before = self.rewrap(self._data, self._edge)
        before._storage, before._view, before._stamp = self._storage, self._view, self._stamp
        after = function(before, *args, **options)
        self._data = after._data
        if self._view is not None or self._requires:  # else there is no history to keep
            self._edge, self._requires, self._storage = after._edge, after._requires, after._storage
            self._view, self._stamp = after._view, after._stamp
        return self

    def _write(self, values: Any, writer: str) -> None:
        if not self._data.flags.writeable or (self._data.size and 0 in [
            stride for stride, n in zip(self._data.strides, self._data.shape, strict=True) if n > 1
        ]):  # fmt: skip
            raise RuntimeError(
                f"{writer}: unsupported operation: more than one element of the written-to tensor refers to a single "
                "memory location. Please clone() the tensor before performing the operation."
            )
        np.copyto(self._data, values, casting="unsafe")
        self._touch(writer)

    def _rebase(self, edge: Edge) -> None:
        """Give this tensor, and whatever it looks into, a new history."""
        if self._view is not None:
            parent, op, attributes = self._view
            part = self.rewrap(self._data, edge)
            whole = parent.rewrap(parent._data, parent.edge if parent._requires else None)
            again = record(index.set_view, (whole, part), {"view": op, "attributes": attributes}, parent._data)
            parent._rebase(again._edge)
        self._edge, self._requires = edge, True
        if self._storage is not None:
            self._stamp = self._storage.changed

    def _overwrite(self, value: Any, writer: str) -> Any:
        """Set every element to `value`, a tensor or a number."""
        before = self._before_write((value,), writer)
        if before is self:
            value = value._data if isinstance(value, Variable) else value
            self._write(self._broadcastable(value, writer), writer)
            return self
        whole = {"view": shape.reshape, "attributes": {"shape": self._data.shape}}
        value = value if isinstance(value, Variable) else wrap(np.asarray(value))
        self._broadcastable(value._data, writer)
        spread = shape.broadcast_to(value._astype(self._data.dtype), shape=self._data.shape)
        return self._become(record(index.set_view, (before, spread), whole), writer)

    def _broadcastable(self, value: Any, writer: str) -> Any:
        try:
            np.broadcast_to(value, self._data.shape)
        except ValueError:
            raise RuntimeError(
                f"{writer}: a value of shape {list(np.shape(value))} cannot be broadcast to {list(self._data.shape)}"
            ) from None
        return value

    def fill_(self, value: Any) -> Any:
        """Set every element to one value, in place."""
        return self._overwrite(value, "fill_")

    def zero_(self) -> Any:
        """Set every element to zero, in place."""
        return self._overwrite(0, "zero_")

    def copy_(self, src: Variable, non_blocking: bool = False) -> Any:
        """Take the values of `src`, broadcast and cast, in place."""
        return self._overwrite(src, "copy_")

    def _write_at(self, plain: Any, value: Variable) -> None:
        """Set the elements at a NumPy index to `value`, broadcast and cast."""
        before = self._before_write((value,), "__setitem__")
        if self._data.dtype != value._data.dtype:
            value = value._astype(self._data.dtype)
        try:
            written = np.broadcast_shapes(value._data.shape, self._data[plain].shape) if value._data.ndim else ()
        except ValueError as error:
            raise RuntimeError(f"__setitem__: {error}") from None
        except IndexError as error:
            raise IndexError(f"__setitem__: {error}; the tensor's shape is {list(self._data.shape)}") from None
        target = self._data[plain]
        if value._data.ndim > target.ndim and int(np.prod(written[: value._data.ndim - target.ndim])) != 1:
            raise RuntimeError(
                f"shape mismatch: value tensor of shape {list(value._data.shape)} cannot be broadcast to indexing result of "
                f"shape {list(target.shape)}"
            )
        if not self._data.flags.writeable:
            self._write(self._data, "__setitem__")
        self._data[plain] = value._data
        self._touch("__setitem__")
        if before is not self:
            after = record(index.setitem, (before, value), {"index": plain}, self._data)
            self._rebase(after._edge)

    # autograd

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor."""
        if self._view is not None:
            self._refresh()
        return self._requires

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self._edge is not None:
            if not value:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                    "in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
                )
        elif value and self._data.dtype.kind != "f":
            raise RuntimeError(f"only Tensors of floating point dtype can require gradients, got {dtype_of(self._data.dtype)}")
        else:
            self._requires = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Let gradients flow to this leaf, or not; returns it."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self._edge is None

    @property
    def grad(self) -> Variable | None:
        """What `backward` has added up for this leaf, or for a tensor that `retain_grad` was called on."""
        if self._edge is not None and self._grad is None and not getattr(self, "_retains", False):
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't "
                "be populated during autograd.backward(). Call .retain_grad() on it first if you want its gradient.",
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value: Variable | None) -> None:
        if value is not None:
            if not isinstance(value, Variable):
                raise TypeError(f"grad: expected a Tensor or None, got {type(value).__name__}")
            if value._data.shape != self._data.shape or value._data.dtype != self._data.dtype:
                raise RuntimeError(
                    f"assigned grad has shape {list(value._data.shape)} and dtype {dtype_of(value._data.dtype)}, expected "
                    f"{list(self._data.shape)} and {dtype_of(self._data.dtype)}"
                )
        self._grad = value

    @property
    def grad_fn(self) -> Node | None:
        """The node that made this tensor; None for a leaf."""
        edge = self.edge
        return None if edge is self else edge[0] if type(edge) is tuple else edge

    @property
    def output_nr(self) -> int:
        """Which output of its node this tensor is."""
        return self._edge[1] if type(self._edge) is tuple else 0

    def backward(
        self,
        gradient: Variable | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Sequence[Variable] | Variable | None = None,
    ) -> None:
        """Add the derivative of this tensor, weighted by `gradient`, to the `.grad` of the leaves (or of `inputs`)."""
        wanted = (inputs,) if isinstance(inputs, Variable) else inputs
        found = differentiate([self], [gradient], wanted, retain_graph=retain_graph, create_graph=create_graph)
        for tensor in wanted or ():
            if tensor.edge in found:
                value = found[tensor.edge]
                tensor.receive_gradient(value if isinstance(value, Variable) else np.array(value))

    def retain_grad(self) -> None:
        """Keep the gradient of this non-leaf in `.grad` as well."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._edge is None or getattr(self, "_retains", False):
            return
        self._retains = True
        myself = weakref.ref(self)

        def keep(gradient: Variable) -> None:
            tensor = myself()
            if tensor is not None:
                copied = gradient if gradient.requires_grad else wrap(gradient._data.copy())
                tensor._grad = copied if tensor._grad is None else tensor._grad + copied

        self.register_hook(keep)

    @property
    def retains_grad(self) -> bool:
        """Whether this is a non-leaf whose gradient is kept."""
        return getattr(self, "_retains", False)

    def register_hook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """Have `hook(grad)` called when the gradient of this tensor is known; what it returns, if not None, replaces it."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        edge = self.edge
        if edge is self:
            if self._hooks is None:
                self._hooks = []
            return RemovableHandle(self._hooks, hook)
        node, i = edge if type(edge) is tuple else (edge, None)

        def on_arrival(gradient: Any) -> Any:
            if i is None:
                return _call_hook(hook, gradient)
            parts = list(gradient)
            parts[i] = parts[i] if parts[i] is None else _call_hook(hook, parts[i])
            return parts

        if node.hooks is None:
            node.hooks = []
        return RemovableHandle(node.hooks, on_arrival)

    def detach(self) -> Any:
        """The same memory outside the graph; writes to it are still noticed."""
        if self._storage is None:
            self._storage = Storage()
        tensor = wrap(self._data)
        tensor._storage = self._storage
        return tensor

    def detach_(self) -> Any:
        """Make this tensor a leaf."""
        if self._view is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._edge, self._requires = None, False
        return self

    @property
    def data(self) -> Any:
        """The same memory outside the graph and unwatched: writes to it go unnoticed by autograd."""
        return wrap(self._data)

    @data.setter
    def data(self, value: Variable) -> None:
        if not isinstance(value, Variable):
            raise TypeError(f"data: expected a Tensor, got {type(value).__name__}")
        self._data = value._data

    @property
    def _version(self) -> int:
        return 0 if self._storage is None else self._storage.version

    def _astype(self, dtype: np.dtype[Any]) -> Any:
        if self._data.dtype == dtype:
            return self
        return record(elementwise.astype, (self,), {"dtype": dtype, "was": self._data.dtype})


class RemovableHandle:
    """What registering a hook gives: `remove()` takes the hook away again."""

    __slots__ = ("hook", "hooks")

    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self.hooks, self.hook = hooks, hook
        hooks.append(hook)

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        self.hooks[:] = [hook for hook in self.hooks if hook is not self.hook]

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def _call_hook(hook: Callable[[Any], Any], gradient: Any) -> Any:
    """What a hook, which sees Tensors, makes of a gradient, which may be an array."""
    if isinstance(gradient, Variable):
        replaced = hook(gradient)
        return gradient if replaced is None else replaced
    replaced = hook(wrap(np.asarray(gradient)))
    return gradient if replaced is None else replaced._data


class _Probe(Node):
    """Measures how many references the walk itself holds to a gradient that nobody shares."""

    __slots__ = ()

    def backward(self, gradient: Any, path: Any) -> list[Any]:
        return [np.zeros(1)]


class _ProbeLeaf:
    count = 0

    def receive_gradient(self, gradient: Any) -> None:
        self.count = sys.getrefcount(gradient)


def _measure_unshared() -> int:
    leaf = _ProbeLeaf()
    walk([(_Probe((leaf,)), None)])
    return leaf.count


_UNSHARED = _measure_unshared()
