"""How a call of an op is computed and, where gradients can flow, linked into the graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_nn.dtypes import result_type
from tinygrad_nn.graph import MODE, Edge, Storage, clock, source_line
from tinygrad_nn.op import Array, Op, Plan
from tinygrad_nn.op_node import OpNode
from tinygrad_nn.ops import elementwise
from tinygrad_nn.variable.packing import put_away
from tinygrad_nn.variable.state import State, wrap

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
_UNWATCHED = Storage()  # of the arrays that no tensor holds
_NO_ATTRIBUTES: dict[str, Any] = {}  # one for all nodes without any: nobody writes to it
_new = object.__new__


def record(op: Op, inputs: tuple[Any, ...], attributes: dict[str, Any], output: Array | None = None) -> Any:
    """Compute an op (or take its `output` as given) and, where gradients can flow, link it into the graph."""
    arrays: list[Any] = []
    edges: list[Edge] = []
    shapes: list[tuple[int, ...]] = []
    mask, bit, dtype, plain = 0, 1, None, True
    for value in inputs:
        edge, shape = None, ()
        if isinstance(value, State):
            if value._view is not None:
                value._refresh()
            array = value._data
            shape = array.shape
            if array.dtype is not dtype:
                plain = plain and dtype is None
                dtype = array.dtype
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
        bit += bit
    if not (plain and (dtype is _FLOAT32 or dtype is _FLOAT64)) and op.promote != "none":
        promoted = _promoted(op, inputs)
        if promoted is not None:
            return record(op, promoted, attributes, output)
    mode = MODE.get()
    try:
        y = output
        if y is None:
            y = op.forward(*arrays, **attributes) if attributes else op.forward(*arrays)
    except ValueError as error:
        raise RuntimeError(_misfit(op, [np.shape(array) for array in arrays if array is not None], error)) from None
    if type(y) is not np.ndarray:
        y = np.asarray(y)
    if mode.anomaly:
        _check_forward(op, arrays, y)
    viewed = op.view and output is None and y.base is not None and np.may_share_memory(y, arrays[0])
    if op.promote == "none" and not viewed and output is None and not y.flags.c_contiguous:
        y = np.ascontiguousarray(y)  # as PyTorch's results are, but of what works element by element
    result = wrap(y)
    if viewed:
        result._view_of(inputs[0], op, attributes)
    mask &= op.differentiable
    if mask and mode.grad and y.dtype.kind == "f":
        node = _new(OpNode)
        node.serial, node.hooks, node.where = next(clock), None, source_line() if mode.anomaly else ""
        node.plan = plan = op.plans.get(mask) or op.plan(mask)
        node.edges, node.attributes = tuple(edges), attributes or _NO_ATTRIBUTES
        node.shape = shape = y.shape
        node.broadcast = None if shapes.count(shape) == len(shapes) else tuple(shapes)
        node.saved, node.storages = _kept(plan, inputs, arrays, result)
        result._edge, result._requires = node, True
        if mode.packing:
            put_away(node, inputs, result, mode.packing)
    elif viewed and mask and y.dtype.kind == "f":
        result._requires = True  # as in PyTorch, though nothing leads from it to what it looks into
    return result


def _misfit(op: Op, given: list[tuple[int, ...]], error: ValueError) -> str:
    """What is wrong with inputs of the given shapes: the first two sizes that do not broadcast, else what NumPy says."""
    shapes = ", ".join(str(list(shape)) for shape in given)
    most = max(map(len, given), default=0)
    for back in range(1, most + 1) if "broadcast together with shapes" in str(error) else ():
        deep = [(name, shape[-back]) for name, shape in zip("abc", given, strict=False) if len(shape) >= back]
        sizes = [(name, size) for name, size in deep if size != 1]
        for name, size in sizes:
            first, expected = sizes[0]
            if size != expected:
                return (
                    f"{op.name}: shapes {shapes} do not broadcast: The size of tensor {first} ({expected}) must match the size of "
                    f"tensor {name} ({size}) at non-singleton dimension {most - back}"
                )
    return f"{op.name}: inputs of shapes {shapes} do not fit: {error}"


def _kept(
    plan: Plan, inputs: tuple[Any, ...], arrays: list[Any], result: State
) -> tuple[tuple[Any, ...], tuple[Storage, ...]]:
    """What the rules will ask for, and the storages, one for each array of it, that must not change until then."""
    saved: list[Any] = []
    storages: list[Storage] = []
    count = len(arrays)
    for k in plan.keep:
        holder: Any = result
        array = result._data
        if k < count:
            array, holder = arrays[k], inputs[k]
        saved.append(array)
        if holder is not array:  # a tensor, then
            storage = holder._storage
            if storage is None:
                storage = holder._storage = Storage()
            storages.append(storage)
        elif isinstance(array, np.ndarray):
            storages.append(_UNWATCHED)
    return tuple(saved), tuple(storages)


def _promoted(op: Op, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The inputs of a mixed call brought to PyTorch's common dtype, through the graph; None if they are in it."""
    exempt = op.unpromoted
    values = [v.item() if isinstance(v, np.generic) else wrap(v) if isinstance(v, np.ndarray) else v for v in inputs]
    for i, v in enumerate(values):
        if not isinstance(v, State | bool | int | float):
            raise TypeError(f"{op.name}: argument '{op.inputs[i]}' expected a Tensor or a number, got {type(v).__name__}")
    mixed = [v._data if isinstance(v, State) else v for i, v in enumerate(values) if i not in exempt]
    common = result_type(mixed, floating=op.promote == "float")
    if op.guard is not None:
        op.guard(op.name, "".join(np.asarray(v).dtype.kind for v in mixed), common)
    only_numbers = not any(isinstance(v, np.ndarray) for v in mixed)
    for i, v in enumerate(values):
        if isinstance(v, State) and i not in exempt and v._data.dtype != common:
            values[i] = cast(v, common)
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


def cast(value: State, dtype: np.dtype[Any]) -> Any:
    """A tensor in another dtype, through the graph; itself if it is in it."""
    if value._data.dtype == dtype:
        return value
    return record(elementwise.astype, (value,), {"dtype": dtype, "was": value._data.dtype})
