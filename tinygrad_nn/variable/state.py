"""State: an array with its place in the graph; knows neither how calls are recorded nor what a gradient is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_nn.dtypes import dtype_of
from tinygrad_nn.graph import Edge, Storage, clock
from tinygrad_nn.op import Array, Op


class State:
    """What a tensor holds."""

    __slots__ = (
        "__dict__", "__weakref__", "_data", "_edge", "_grad", "_hooks", "_requires", "_stamp", "_storage", "_view",
    )  # fmt: skip

    _data: Array
    _edge: Edge  # the node that made this tensor; None for a leaf
    _requires: bool
    _grad: Any
    _storage: Storage | None  # made when a first view, save or write needs it
    _view: tuple[State, Op, dict[str, Any], int] | None  # the tensor this one looks into, how, and since when
    _stamp: int  # of a view: the last write that its edge takes into account
    _hooks: list[Callable[[Any], Any]] | None  # of a leaf

    def _become_leaf(self, array: Array, requires_grad: bool) -> None:
        self._data = array
        self._edge = self._grad = self._storage = self._view = self._hooks = None
        self._requires = requires_grad
        self._stamp = 0

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor."""
        if self._view is not None:
            self._refresh()
        return self._requires

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self.edge is not self:
            if not value:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                    "in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
                )
        elif value and self._data.dtype.kind != "f":
            raise RuntimeError(f"only Tensors of floating point dtype can require gradients, got {dtype_of(self._data.dtype)}")
        else:
            self._requires = bool(value)

    @property
    def edge(self) -> Edge:
        """Where a gradient of this tensor goes: to the node that made it, or to the leaf itself."""
        if self._view is not None:
            self._refresh()
        return self if self._edge is None else self._edge

    def rewrap(self, array: Array, edge: Edge, storage: Storage | None = None) -> Any:
        """A saved array as a Tensor again, at `edge` in the graph; the protocol of nodes that record their rules."""
        tensor = wrap(array)
        tensor._edge, tensor._requires, tensor._storage = edge, edge is not None, storage
        return tensor

    def _view_of(self, parent: State, op: Op, attributes: dict[str, Any]) -> None:
        if parent._storage is None:
            parent._storage = Storage()
        self._storage = parent._storage
        self._stamp = self._storage.changed
        self._view = (parent, op, attributes, next(clock))

    def _parent(self) -> State:
        """Of a view: the tensor it looks into, as that lay when the view was made; `t_` and its like may have turned it since."""
        assert self._view is not None
        parent, _, _, since = self._view
        while (former := parent.__dict__.get("_former")) is not None and former[0] > since:
            parent = former[1]
        return parent

    def _refresh(self) -> None:
        """Of a view: follow what was written into its memory since; `Writable` knows how."""
        raise NotImplementedError

    def _follow(self) -> None:
        """What `_refresh` does to each of the views it passes; `Writable` knows how."""
        raise NotImplementedError

    def _touch(self, writer: str) -> None:
        if self._storage is None:
            self._storage = Storage()
        self._storage.touch(writer)


def wrap(data: Array) -> Any:
    """A Tensor on an array as it is, outside any graph."""
    tensor = _new(_face)
    tensor._data = data
    tensor._edge = tensor._grad = tensor._storage = tensor._view = tensor._hooks = None
    tensor._requires = False
    tensor._stamp = 0
    return tensor


_new = object.__new__
_face: type[State]  # what calls return: Tensor, which sets itself by `set_face`


def set_face(face: type[State]) -> None:
    """Make `face` the class of what recorded calls return."""
    global _face
    _face = face
