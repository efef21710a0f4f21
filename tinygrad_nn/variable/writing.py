"""Writable: memory written in place, and views that follow it, by PyTorch's rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_nn.dtypes import RANK, dtype_of, number_in
from tinygrad_nn.graph import MODE, Edge, clock, mode
from tinygrad_nn.ops import index, shape
from tinygrad_nn.variable.recording import cast, record
from tinygrad_nn.variable.state import State, wrap


class Writable(State):
    """A tensor that can be written to."""

    __slots__ = ()

    def _refresh(self) -> None:
        """Of a view: follow what was written into its memory since, as the tensor it looks into did."""
        stale: list[State] = []
        view: State = self
        while view._view is not None and view._storage is not None and view._storage.changed > view._stamp:
            stale.append(view)
            view = view._parent()
        for view in reversed(stale):  # without recursion: views of views may be many
            view._follow()

    def _follow(self) -> None:
        """Of a view that a write has made stale, and whose parent is not: have the parent's history again."""
        if self._view is None or self._storage is None:
            return
        parent, (_, op, attributes, _) = self._parent(), self._view
        self._stamp = self._storage.changed
        if parent._requires:
            with mode(grad=True):
                again = record(op, (parent,), attributes, self._data)
            self._edge, self._requires = again._edge, True

    def _before_write(self, others: Sequence[Any], writer: str) -> Any:
        """This tensor as it is now, safe from the write that follows; RuntimeError if it must not be written."""
        if MODE.get().grad:
            root: State = self
            while root._view is not None and not (root._requires and root._edge is None):
                root = root._parent()
            if root._requires and root._edge is None:
                if root._view is not None:
                    raise RuntimeError(
                        f"{writer}: a view that was created in no_grad mode is being modified in place with grad mode enabled; "
                        "make the view and the write both inside no_grad, or both outside"
                    )
                which = "a leaf Variable" if root is self else "a view of a leaf Variable"
                raise RuntimeError(f"{which} that requires grad is being used in an in-place operation: {writer}")
            given = self._data.dtype.kind == "f" and any(isinstance(v, State) and v.requires_grad for v in others)
            if self.requires_grad or given:
                if self.requires_grad:
                    return self.rewrap(self._data.copy(), self._edge)
                return wrap(self._data.copy())
        return self

    def _become(self, result: Any, writer: str) -> Any:
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
            result = cast(result, self._data.dtype)
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
        before.__dict__.update(_former=self.__dict__.get("_former"))
        after = function(before, *args, **options)
        self._data = after._data
        if self._view is not None or self._requires or self._storage is not None:  # else nobody else looks at it
            self._edge, self._requires, self._storage = after._edge, after._requires, after._storage
            self._view, self._stamp = after._view, after._stamp
            self.__dict__["_former"] = (next(clock), before)  # whose views still look at it
        return self

    def _write(self, values: Any, writer: str) -> None:
        repeated = 0 in [stride for stride, n in zip(self._data.strides, self._data.shape, strict=True) if n > 1]
        if not self._data.flags.writeable and not repeated:
            raise RuntimeError(f"{writer}: the memory that the tensor shares with an array is read-only; clone() the tensor first")
        target = self._data
        if repeated and target.size and not np.ndim(values):
            target = target[tuple(slice(None) if stride else slice(1) for stride in target.strides)]
            target.flags.writeable = True
        elif repeated and target.size:
            raise RuntimeError(
                f"{writer}: unsupported operation: more than one element of the written-to tensor refers to a single "
                "memory location. Please clone() the tensor before performing the operation."
            )
        np.copyto(target, values, casting="unsafe")
        self._touch(writer)

    def _rebase(self, edge: Edge) -> None:
        """Give this tensor, and whatever it looks into, a new history."""
        tensor: State = self
        while True:
            tensor._edge, tensor._requires = edge, True
            if tensor._storage is not None:
                tensor._stamp = tensor._storage.changed
            if tensor._view is None:
                return
            parent, (_, op, attributes, _) = tensor._parent(), tensor._view
            part = tensor.rewrap(tensor._data, edge)
            whole = parent.rewrap(parent._data, parent.edge if parent._requires else None)
            edge = record(index.set_view, (whole, part), {"view": op, "attributes": attributes}, parent._data)._edge
            tensor = parent

    def _overwrite(self, value: Any, writer: str) -> Any:
        """Set every element to `value`, a tensor or a number."""
        before = self._before_write((value,), writer)
        if before is self:
            value = cast(value, self._data.dtype)._data if isinstance(value, State) else value
            self._write(self._broadcastable(value, writer), writer)
            return self
        whole = {"view": shape.reshape, "attributes": {"shape": self._data.shape}}
        value = value if isinstance(value, State) else wrap(np.asarray(value))
        self._broadcastable(value._data, writer)
        spread = shape.broadcast_to(cast(value, self._data.dtype), shape=self._data.shape)
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
        """Set every element to one value, a number or a 0-d tensor, in place; RuntimeError for a number that does not fit."""
        if isinstance(value, State) and value._data.ndim:
            raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value._data.ndim} dimensions.")
        return self._overwrite(value if isinstance(value, State) else number_in(value, self._data.dtype), "fill_")

    def zero_(self) -> Any:
        """Set every element to zero, in place."""
        return self._overwrite(0, "zero_")

    def copy_(self, src: State, non_blocking: bool = False) -> Any:
        """Take the values of `src`, broadcast and cast, in place."""
        return self._overwrite(src, "copy_")

    def _write_at(self, plain: Any, value: Any) -> None:
        """Set the elements at a NumPy index to `value`, broadcast and cast."""
        before = self._before_write((value,), "__setitem__")
        if self._data.dtype != value._data.dtype:
            value = cast(value, self._data.dtype)
        try:
            written = np.broadcast_shapes(value._data.shape, self._data[plain].shape) if value._data.ndim else ()
        except ValueError:
            raise RuntimeError(
                f"__setitem__: shape mismatch: value tensor of shape {list(value._data.shape)} cannot be broadcast to indexing "
                f"result of shape {list(self._data[plain].shape)}"
            ) from None
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
