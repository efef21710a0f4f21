"""Function: a user's own forward and backward, by PyTorch's ctx protocol."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from tinygrad_nn.graph import MODE, Gradient, Node, Storage, mode
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap
from tinygrad_nn.variable.packing import Packed, pack

_FROM_NODE = ("metadata", "next_functions", "register_hook", "register_prehook")  # what a ctx shows of its node


class FunctionCtx:
    """What forward hands to backward; it may carry any attribute, since the graph's own are those of the node that holds it."""

    to_save: tuple[Tensor | None, ...] = ()
    dirty_tensors: tuple[Tensor, ...] = ()
    non_differentiable: tuple[Tensor, ...] = ()
    materialize_grads = True

    def __init__(self, function: type[Function], needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._forward_cls = function
        self._node_: Callable[[], FunctionNode | None] = lambda: None  # a weak reference, once the call is recorded

    def __getattr__(self, name: str) -> Any:
        node = self._node_() if name in _FROM_NODE else None
        if node is None:
            raise AttributeError(f"'{self.name()}' object has no attribute '{name}'")
        return getattr(node, name)

    def name(self) -> str:
        """The Function's name with `Backward` behind it, as in PyTorch."""
        return f"{self._forward_cls.__name__}Backward"

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors, inputs or outputs, for backward; they are checked for changes in between."""
        for i, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor | None):
                raise TypeError(f"save_for_backward can only save variables, but argument {i} is of type {type(tensor).__name__}")
        self.to_save = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say that these outputs carry no gradient."""
        self.non_differentiable = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say that forward has written to these inputs, which it returns: their history is from then on this function's."""
        self.dirty_tensors = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward sees zeros (the default) or None for an output that was not used."""
        self.materialize_grads = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept; nothing until the call is recorded."""
        node = self._node_()
        return () if node is None else node.saved_tensors

    saved_variables = saved_tensors


class FunctionNode(Node):
    """A recorded call of a Function: runs the user's backward with the user's ctx, whose attributes it shows as its own."""

    __slots__ = ("ctx", "inputs", "results", "saved")

    ctx: FunctionCtx
    inputs: list[tuple[tuple[int, ...], Any]]  # shapes and dtypes
    results: list[tuple[tuple[int, ...], Any]]
    saved: list[tuple[Any, int | None, Storage | None]] | None

    def __init__(self, ctx: FunctionCtx, args: tuple[Any, ...], outputs: list[Any]) -> None:
        edges = [v.edge if need else None for v, need in zip(args, ctx.needs_input_grad, strict=True)]
        self.ctx = ctx
        super().__init__(tuple(edges), len(outputs))
        self.inputs = [(v._data.shape, v._data.dtype) if isinstance(v, Tensor) else ((), None) for v in args]
        self.results = [(tuple(v.shape), v.dtype.numpy) if isinstance(v, Tensor) else ((), None) for v in outputs]
        self.saved = _sealed(ctx.to_save, outputs)
        ctx._node_ = weakref.ref(self)
        for name in ("to_save", "dirty_tensors", "non_differentiable"):
            ctx.__dict__.pop(name, None)  # outputs among them would hold the node

    def __getattr__(self, name: str) -> Any:
        if name in _FROM_NODE:
            raise AttributeError(f"'{self.name()}' object has no attribute '{name}'")
        return getattr(self.ctx, name)

    def name(self) -> str:
        """The Function's name with `Backward` behind it, as in PyTorch."""
        return self.ctx.name()

    def __repr__(self) -> str:
        return f"<torch.autograd.function.{self.name()} object at {id(self):#x}>"

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept."""
        if self.saved is None:
            raise RuntimeError(
                f"backward through {self.name()} a second time: its saved values were freed by the first; "
                "pass retain_graph=True to the first backward"
            )
        found = []
        for value, output, storage in self.saved:
            if storage is not None and storage.changed > self.serial:
                raise RuntimeError(
                    f"one of the variables needed for gradient computation has been modified by an inplace operation: "
                    f"what {self.name()} saved{self.where} was then changed by {storage.changed_by}"
                )
            if output is None and not isinstance(value, Packed):
                found.append(value)
                continue
            array, edge = (value.fetch()._data, value.edge) if isinstance(value, Packed) else (value, None)
            if output is not None:
                edge = self if self.outputs == 1 else (self, output)
            found.append(wrap(array).rewrap(array, edge))
        return tuple(found)

    def release(self) -> None:
        """Let go of what was saved."""
        if self.saved:
            self.saved = None

    def backward(self, gradient: Gradient, path: Collection[Any] | None) -> Iterable[Gradient]:
        """Run the user's backward on Tensors; its results come back as arrays unless the walk is recorded."""
        parts = gradient if self.outputs > 1 else [gradient]
        given = []
        for part, (shape, dtype) in zip(parts, self.results, strict=True):
            if part is None and self.ctx.materialize_grads and dtype is not None:
                part = np.zeros(shape, dtype)
            given.append(part if part is None or isinstance(part, Tensor) else wrap(np.asarray(part)))
        recorded = any(isinstance(part, Tensor) for part in parts)
        with mode(grad=recorded and MODE.get().grad):
            result = rule_of(self.ctx._forward_cls)(self.ctx, *given)
        results = result if isinstance(result, tuple) else (result,)
        while len(results) > len(self.edges) and results[-1] is None:
            results = results[:-1]
        if len(results) != len(self.edges):
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {len(self.edges)}, "
                f"got {len(results)})"
            )
        return [self._checked(i, value, recorded) for i, value in enumerate(results)]

    def _checked(self, i: int, value: Any, recorded: bool) -> Gradient:
        if value is None or self.edges[i] is None:
            return None
        if not isinstance(value, Tensor):
            raise RuntimeError(f"{self.name()}: expected a Tensor or None as gradient {i}, got {type(value).__name__}")
        shape, dtype = self.inputs[i]
        if value._data.shape != shape:
            try:
                value = value.sum_to_size(shape)
            except RuntimeError:
                raise RuntimeError(
                    f"Function {self.name()} returned an invalid gradient at index {i} - got {list(value.shape)} but "
                    f"expected shape compatible with {list(shape)}"
                ) from None
        value = value.to(dtype)
        return value if recorded else value._data


def _sealed(tensors: tuple[Tensor | None, ...], outputs: list[Any]) -> list[tuple[Any, int | None, Storage | None]]:
    """What a node saves: outputs by their arrays and places, so that no node holds its own output; every storage noted."""
    places = {id(tensor): i for i, tensor in enumerate(outputs)}
    sealed: list[tuple[Any, int | None, Storage | None]] = []
    hooks = MODE.get().packing
    for tensor in tensors:
        output = places.get(id(tensor))
        value: Any = tensor if output is None or tensor is None else tensor._data
        storage = None
        if tensor is not None and hooks:
            packed = pack(tensor if output is None else wrap(value), hooks)
            value = packed._replace(edge=tensor.edge if tensor.requires_grad else None)
        elif tensor is not None:
            storage = tensor._storage = tensor._storage or Storage()
        sealed.append((value, output, storage))
    return sealed


class Function:
    """A differentiable function of your own: write `forward(ctx, ...)` and `backward(ctx, *grads)`, call `apply`.

    >>> class Square(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return 2 * x * g
    >>> x = Tensor([3.0]).requires_grad_()
    >>> Square.apply(x).backward()
    >>> x.grad
    tensor([6.])
    """

    @staticmethod
    def forward(*args: Any, **options: Any) -> Any:
        """Compute the outputs; the first argument is `ctx`, unless `setup_context` is there."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """The gradients of the inputs, given those of the outputs; None for an input that has none."""
        raise NotImplementedError("You must implement either the backward or vjp method for your custom autograd.Function.")

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """The outputs for a batch and the dimensions it has in them; a subclass may write it, `torch.vmap` calls it."""
        raise NotImplementedError("To use autograd.Function with vmap, you must override the vmap staticmethod.")

    _backward_cls: Any = FunctionCtx  # of its ctx, and below of its nodes; those of a subclass bear its name
    _node_cls_: Any = FunctionNode
    vjp = backward  # another name for it: a subclass writes one of the two

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        name = f"{cls.__name__}Backward"
        cls._backward_cls, cls._node_cls_ = type(name, (FunctionCtx,), {}), type(name, (FunctionNode,), {"__slots__": ()})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """RuntimeError: `apply` calls the function."""
        raise RuntimeError(f"{type(self).__name__}: expected a call of {type(self).__name__}.apply, got one of an instance")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call the function and record it; what is given by keyword takes its place among forward's arguments."""
        setup = getattr(cls, "setup_context", None)
        if setup is not None:
            args, kwargs = _bound(cls.forward, args, kwargs, defaults=True)
        elif kwargs:
            (_, *rest), kwargs = _bound(cls.forward, (None, *args), kwargs, defaults=False)
            args = tuple(rest)
        if _MAPS.get() and cls.vmap is not Function.vmap:
            return _of_slice(cls, args)
        needs = tuple(isinstance(v, Tensor) and v.requires_grad for v in args)
        ctx = cls._backward_cls(cls, needs)
        with mode(grad=False):
            if setup is None:
                result = cls.forward(ctx, *args, **kwargs)
            else:
                result = cls.forward(*args, **kwargs)
                setup(ctx, args, result)
        outputs = list(result) if isinstance(result, tuple) else [result]
        dirty = {id(v) for v in ctx.dirty_tensors}
        kept = {id(v) for v in args} - dirty
        outputs = [v.detach() if isinstance(v, Tensor) and id(v) in kept else v for v in outputs]
        if any(needs) and MODE.get().grad:
            _record(ctx, args, outputs, dirty)
        return tuple(outputs) if isinstance(result, tuple) else outputs[0]


def rule_of(function: type[Function]) -> Any:
    """Whichever of backward and vjp the subclass has written; RuntimeError for both."""
    own = [rule for rule in (function.backward, function.vjp) if rule is not Function.backward]
    if len(own) == 2:
        raise RuntimeError(f"{function.__name__}: implementing both 'backward' and 'vjp' is not allowed, write one of them")
    return own[0] if own else Function.backward


class VmapInfo(NamedTuple):
    """What a Function's own `vmap` is told of the map: the size of the batch, and what random draws in it are."""

    batch_size: int
    randomness: str


_MAPS: ContextVar[tuple[str, ...]] = ContextVar("tinygrad_nn_maps", default=())  # what draws are in each map under way


@contextmanager
def mapping(randomness: str) -> Iterator[None]:
    """A context in which `vmap` calls the function that it maps."""
    token = _MAPS.set((*_MAPS.get(), randomness))
    try:
        yield
    finally:
        _MAPS.reset(token)


def _of_slice(function: type[Function], args: tuple[Any, ...]) -> Any:
    """One slice by the function's rule for batches, as a batch of one; the rule itself is not mapped."""
    *outer, randomness = _MAPS.get()
    token = _MAPS.set(tuple(outer))
    try:
        dims = tuple(0 if isinstance(v, Tensor) else None for v in args)
        batch = [v if dim is None else v.unsqueeze(0) for v, dim in zip(args, dims, strict=True)]
        outputs, out_dims = function.vmap(VmapInfo(1, randomness), dims, *batch)
    finally:
        _MAPS.reset(token)
    found = outputs if isinstance(outputs, tuple) else (outputs,)
    out_dims = out_dims if isinstance(out_dims, tuple) else (out_dims,) * len(found)
    slices = tuple(v if dim is None else v.select(dim, 0) for v, dim in zip(found, out_dims, strict=True))
    return slices if isinstance(outputs, tuple) else slices[0]


def _record(ctx: FunctionCtx, args: tuple[Any, ...], outputs: list[Any], dirty: set[int]) -> None:
    """Make the call's node, and let the outputs that carry gradients lead to it."""
    if any(id(v) in dirty and v.is_leaf for v, need in zip(args, ctx.needs_input_grad, strict=True) if need):
        raise RuntimeError(f"{ctx.name()}: a leaf Variable that requires grad has been used in an in-place operation.")
    fixed = {id(v) for v in ctx.non_differentiable}
    node = ctx._forward_cls._node_cls_(ctx, args, outputs)
    for i, tensor in enumerate(outputs):
        if not isinstance(tensor, Tensor) or id(tensor) in fixed or not tensor.is_floating_point():
            continue
        edge = node if len(outputs) == 1 else (node, i)
        if id(tensor) in dirty:
            tensor._rebase(edge)
        else:
            tensor._edge, tensor._requires = edge, True
            tensor._view = None  # a view's history is the function's, not its base's


class InplaceFunction(Function):
    """A Function that remembers whether it was made to work in place."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace


def _bound(
    forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], defaults: bool
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments in the order of forward's own, with its defaults if they are wanted, and those that go by keyword only."""
    given = inspect.signature(forward).bind(*args, **kwargs)
    if defaults:
        given.apply_defaults()
    return given.args, given.kwargs


class _Once(Function):
    """The same values, with no derivative."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Any:
        """A new tensor of the values."""
        return x.detach()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """RuntimeError."""
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """A backward that is not recorded: to differentiate its results again is a RuntimeError."""

    @functools.wraps(backward)
    def once(ctx: Any, *grads: Any) -> Any:
        with mode(grad=False):
            found = backward(ctx, *grads)
        if not MODE.get().grad or not any(isinstance(g, Tensor) and g.requires_grad for g in grads):
            return found
        parts = [_Once.apply(g.detach().requires_grad_()) if isinstance(g, Tensor) else g for g in _listed(found)]
        return tuple(parts) if isinstance(found, tuple) else parts[0]

    return once


def _listed(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)
