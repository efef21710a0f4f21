"""Variable: PyTorch's autograd on a tensor: requires_grad, grad, backward, hooks, detach."""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_nn.dtypes import dtype_of
from tinygrad_nn.graph import Edge, Node, Storage, mode, node_of, walk
from tinygrad_nn.ops import elementwise
from tinygrad_nn.variable.recording import cast, record
from tinygrad_nn.variable.state import set_face, wrap
from tinygrad_nn.variable.writing import Writable


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
            gradient = wrap(np.array(1, output._data.dtype, ndmin=output._data.ndim))
        elif not isinstance(gradient, Variable):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
        elif gradient._data.shape != output._data.shape:
            raise RuntimeError(
                f"Mismatch in shape: the gradient has shape {list(gradient._data.shape)}, its output {list(output._data.shape)}"
            )
        gradient = cast(gradient, output._data.dtype)
        roots.append((output.edge, gradient if create_graph else gradient._data))
    keep = create_graph if retain_graph is None else retain_graph
    edges = None if wanted is None else {tensor.edge for tensor in wanted}
    with mode(grad=create_graph, rules=create_graph), np.errstate(all="ignore"):
        return walk(roots, wanted=edges, keep_graph=keep)


class Variable(Writable):
    """An array, whether gradients flow to it, and the node that made it."""

    __slots__ = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if Variable in cls.__bases__:
            set_face(cls)

    __record__ = staticmethod(record)

    def receive_gradient(self, gradient: Any) -> None:
        """Add a gradient to `.grad`; an array that nobody else holds is kept as it is."""
        if isinstance(gradient, Variable):
            self._grad = record(elementwise.copy, (gradient,), {}) if self._grad is None else self._grad + gradient
        elif self._grad is not None:
            self._grad._data += gradient
            self._grad._touch("backward")
        else:
            unshared = not self._hooks and sys.getrefcount(gradient) <= _UNSHARED  # a hook may have kept what it saw
            own = unshared and type(gradient) is np.ndarray and gradient.base is None and gradient.flags.c_contiguous
            own = own and gradient.dtype == self._data.dtype
            self._grad = wrap(gradient if own else np.array(gradient, self._data.dtype, order="C"))
        if "_afterwards" in self.__dict__:
            for hook in tuple(self.__dict__["_afterwards"]):
                returned = hook(self)
                if not isinstance(returned, Variable | None):
                    raise TypeError(f"a post-accumulate hook: expected it to return None, got {type(returned).__name__}")

    def hooked_gradient(self, gradient: Any) -> Any:
        """The gradient as this leaf's hooks leave it."""
        if self._hooks:
            for hook in tuple(self._hooks):  # a hook may remove itself
                gradient = _call_hook(hook, gradient)
        return gradient

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Let gradients flow to this leaf, or not; returns it."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self.edge is self

    @property
    def grad(self) -> Variable | None:
        """What `backward` has added up for this leaf, or for a tensor that `retain_grad` was called on."""
        if self._edge is not None and self._grad is None and "_retains" not in self.__dict__:
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
        node = node_of(self.edge)
        return node.shown() if isinstance(node, Node) else None

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
        """Add the derivative of this tensor, weighted by `gradient`, to the `.grad` of the leaves (or of `inputs`).

        RuntimeError where shapes do not fit, `inputs` is empty or the graph was freed; TypeError for what is no tensor.
        """
        wanted = None if inputs is None else [inputs] if isinstance(inputs, Variable) else list(dict.fromkeys(inputs))
        if wanted is not None and not wanted:
            raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
        found = differentiate([self], [gradient], wanted, retain_graph=retain_graph, create_graph=create_graph)
        for tensor in wanted or ():
            if tensor.edge in found:
                value = found[tensor.edge]
                tensor.receive_gradient(value if isinstance(value, Variable) else np.array(value))

    def retain_grad(self) -> None:
        """Keep the gradient of this non-leaf in `.grad` as well."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._edge is None or "_retains" in self.__dict__:
            return
        myself = weakref.ref(self)

        def keep(gradient: Variable) -> None:
            tensor = myself()
            if tensor is not None:
                copied = gradient if gradient.requires_grad else wrap(gradient._data.copy())
                tensor._grad = copied if tensor._grad is None else tensor._grad + copied

        self._retains = (self._at_node(keep, last=True), keep)

    def _rebase(self, edge: Edge) -> None:
        """And the gradients that are to be retained are those of the new values."""
        super()._rebase(edge)
        tensor: Any = self
        while tensor is not None:
            if (retains := tensor.__dict__.get("_retains")) is not None:
                handle, keep = retains
                handle.remove()
                tensor._retains = (tensor._at_node(keep, last=True), keep)
            tensor = None if tensor._view is None else tensor._parent()

    @property
    def retains_grad(self) -> bool:
        """Whether this is a non-leaf whose gradient is kept."""
        return "_retains" in self.__dict__

    def register_hook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """Have `hook(grad)` called when the gradient of this tensor is known; what it returns, if not None, replaces it."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self.edge is self:
            if self._hooks is None:
                self._hooks = []
            return RemovableHandle(self._hooks, hook)
        return self._at_node(hook)

    def _at_node(self, hook: Callable[[Any], Any], last: bool = False) -> RemovableHandle:
        """Have a hook called when the gradient arrives at the node of this non-leaf."""
        edge = self.edge
        node, i = edge if type(edge) is tuple else (edge, None)

        def on_arrival(gradient: Any) -> Any:
            if i is None:
                return _call_hook(hook, gradient)
            parts = list(gradient)
            parts[i] = parts[i] if parts[i] is None else _call_hook(hook, parts[i])
            return parts

        if node.hooks is None:
            node.hooks = []
        return RemovableHandle(node.hooks, _Last(on_arrival) if last else on_arrival)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Any], None]) -> RemovableHandle:
        """Have `hook(tensor)` called when `.grad` of this leaf has grown; RuntimeError for a tensor that is no such leaf."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if not self.is_leaf:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return RemovableHandle(self.__dict__.setdefault("_afterwards", []), hook)

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
        if self._requires and value._data.dtype.kind != "f":
            kind = dtype_of(value._data.dtype)
            raise RuntimeError(f"data set to a tensor that requires gradients must be floating point, got {kind}")
        self._data = value._data

    @property
    def _version(self) -> int:
        return 0 if self._storage is None else self._storage.version

    def _astype(self, dtype: np.dtype[Any]) -> Any:
        return cast(self, dtype)


class RemovableHandle:
    """What registering a hook gives: `remove()` takes the hook away again."""

    __slots__ = ("hook", "hooks")

    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self.hooks, self.hook = hooks, hook
        at = len(hooks)
        while at and isinstance(hooks[at - 1], _Last) and not isinstance(hook, _Last):
            at -= 1
        hooks.insert(at, hook)

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        at = next((i for i, hook in enumerate(self.hooks) if hook is self.hook), None)
        if at is not None:
            del self.hooks[at]  # one of them: the same hook may have been added twice
        self.hooks = []

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class _Last:
    """A hook that stays behind those added after it: `retain_grad` keeps what all of them leave."""

    __slots__ = ("hook",)

    def __init__(self, hook: Callable[[Any], Any]) -> None:
        self.hook = hook

    def __call__(self, gradient: Any) -> Any:
        return self.hook(gradient)


def _call_hook(hook: Callable[[Any], Any], gradient: Any) -> Any:
    """What a hook, which sees Tensors, makes of a gradient, which may be an array."""
    given = gradient if isinstance(gradient, Variable) else wrap(np.asarray(gradient))
    replaced = hook(given)
    if replaced is None:
        return gradient
    if not isinstance(replaced, Variable):
        raise TypeError(f"a hook must return a Tensor or None, got {type(replaced).__name__}")
    if replaced._data.shape != given._data.shape or replaced._data.dtype != given._data.dtype:
        raise RuntimeError(
            f"a hook has changed the gradient: expected shape {list(given._data.shape)} of {dtype_of(given._data.dtype)}, "
            f"got {list(replaced._data.shape)} of {dtype_of(replaced._data.dtype)}"
        )
    return replaced if given is gradient else replaced._data


class _Probe(Node):
    """Measures how many references the walk itself holds to a gradient that nobody shares."""

    __slots__ = ()

    def backward(self, gradient: Any, path: Any) -> list[Any]:
        return [np.zeros(1)]


class _ProbeLeaf:
    count = 0

    def hooked_gradient(self, gradient: Any) -> Any:
        return gradient

    def receive_gradient(self, gradient: Any) -> None:
        self.count = sys.getrefcount(gradient)


def _measure_unshared() -> int:
    leaf = _ProbeLeaf()
    walk([(_Probe((leaf,)), np.zeros(1))])
    return leaf.count


_UNSHARED = _measure_unshared()
