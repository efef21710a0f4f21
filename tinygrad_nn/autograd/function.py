"""Function: a user's own forward and backward, by PyTorch's ctx protocol."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np

from tinygrad_nn.graph import MODE, Gradient, Node, Storage, clock, mode
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap
from tinygrad_nn.variable.packing import Packed, pack


class Context(Node):
    """What forward hands to backward: it is the node itself, and may carry any attribute."""

    __slots__ = ("__dict__", "_dirty", "_fixed", "_inputs", "_saved", "_shapes", "function", "materialize", "needs_input_grad")

    def __init__(self, function: type[Function]) -> None:
        super().__init__(())
        self.function = function
        self.needs_input_grad: tuple[bool, ...] = ()
        self.materialize = True
        self._saved: list[tuple[Any, int | None, Storage | None]] | None = []
        self._fixed: tuple[int, ...] = ()
        self._dirty: tuple[int, ...] = ()
        self._inputs: list[tuple[tuple[int, ...], Any]] = []
        self._shapes: list[tuple[tuple[int, ...], Any]] = []

    def name(self) -> str:
        """The Function's name with `Backward` behind it, as in PyTorch."""
        return f"{self.function.__name__}Backward"

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors, inputs or outputs, for backward; they are checked for changes in between."""
        for i, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor | None):
                raise TypeError(f"save_for_backward can only save variables, but argument {i} is of type {type(tensor).__name__}")
        self._saved = [(tensor, None, None) for tensor in tensors]

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say that these outputs carry no gradient."""
        self._fixed = tuple(id(tensor) for tensor in tensors)

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say that forward has written to these inputs, which it returns: their history is from then on this function's."""
        self._dirty = tuple(id(tensor) for tensor in tensors)

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward sees zeros (the default) or None for an output that was not used."""
        self.materialize = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept."""
        if self._saved is None:
            raise RuntimeError(
                f"backward through {self.name()} a second time: its saved values were freed by the first; "
                "pass retain_graph=True to the first backward"
            )
        found = []
        for value, output, storage in self._saved:
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

    def _seal(self, outputs: list[Any]) -> None:
        """Hold saved outputs by their arrays, so that no node holds its own output; note every storage."""
        places = {id(tensor): i for i, tensor in enumerate(outputs)}
        sealed: list[tuple[Any, int | None, Storage | None]] = []
        hooks = MODE.get().packing
        for tensor, _, _ in self._saved or ():
            output = places.get(id(tensor))
            value = tensor if output is None else tensor._data
            storage = None
            if tensor is not None and hooks:
                packed = pack(tensor if output is None else wrap(value), hooks)
                value = packed._replace(edge=tensor.edge if tensor.requires_grad else None)
            elif tensor is not None:
                storage = tensor._storage = tensor._storage or Storage()
            sealed.append((value, output, storage))
        self._saved = sealed

    def release(self) -> None:
        """Let go of what was saved."""
        if self._saved:
            self._saved = None

    def backward(self, gradient: Gradient, path: Collection[Any] | None) -> Iterable[Gradient]:
        """Run the user's backward on Tensors; its results come back as arrays unless the walk is recorded."""
        parts = gradient if self.outputs > 1 else [gradient]
        given = []
        for part, (shape, dtype) in zip(parts, self._shapes, strict=True):
            if part is None and self.materialize and dtype is not None:
                part = np.zeros(shape, dtype)
            given.append(part if part is None or isinstance(part, Tensor) else wrap(np.asarray(part)))
        recorded = any(isinstance(part, Tensor) for part in parts)
        with mode(grad=recorded and MODE.get().grad):
            result = self.function._rule()(self, *given)
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
        shape, dtype = self._inputs[i]
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


FunctionCtx = Context


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

    _kind: type[Context]
    vjp = backward  # another name for it: a subclass writes one of the two

    @classmethod
    def _rule(cls) -> Any:
        """Whichever of backward and vjp the subclass has written; RuntimeError for both."""
        own = [rule for rule in (cls.backward, cls.vjp) if rule is not Function.backward]
        if len(own) == 2:
            raise RuntimeError(f"{cls.__name__}: implementing both 'backward' and 'vjp' is not allowed, write one of them")
        return own[0] if own else Function.backward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """RuntimeError: `apply` calls the function."""
        raise RuntimeError(f"{type(self).__name__}: expected a call of {type(self).__name__}.apply, got one of an instance")

    @classmethod
    def _context(cls) -> Context:
        """A new context, of a class that bears the function's name."""
        kind = cls.__dict__.get("_kind")
        if kind is None:
            kind = cls._kind = type(f"{cls.__name__}Backward", (Context,), {"__slots__": ()})
        made: Context = kind(cls)
        return made

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call the function and record it; what is given by keyword takes its place among forward's arguments."""
        ctx = cls._context()
        setup = getattr(cls, "setup_context", None)
        if setup is not None:
            args, kwargs = _bound(cls.forward, args, kwargs, defaults=True)
        elif kwargs:
            (_, *rest), kwargs = _bound(cls.forward, (ctx, *args), kwargs, defaults=False)
            args = tuple(rest)
        needs = tuple(isinstance(v, Tensor) and v.requires_grad for v in args)
        ctx.needs_input_grad = needs
        with mode(grad=False):
            if setup is None:
                result = cls.forward(ctx, *args, **kwargs)
            else:
                result = cls.forward(*args, **kwargs)
                setup(ctx, args, result)
        outputs = list(result) if isinstance(result, tuple) else [result]
        ctx.outputs = len(outputs)
        kept = {id(v) for v in args}.difference(ctx._dirty)
        outputs = [v.detach() if isinstance(v, Tensor) and id(v) in kept else v for v in outputs]
        if any(needs) and MODE.get().grad:
            if any(id(v) in ctx._dirty and v.is_leaf for v, need in zip(args, needs, strict=True) if need):
                raise RuntimeError(f"{ctx.name()}: a leaf Variable that requires grad has been used in an in-place operation.")
            ctx.serial = next(clock)  # what forward wrote in place came before
            ctx.edges = tuple(v.edge if need else None for v, need in zip(args, needs, strict=True))
            ctx._inputs = [(v._data.shape, v._data.dtype) if isinstance(v, Tensor) else ((), None) for v in args]
            ctx._shapes = [(tuple(v.shape), v.dtype.numpy) if isinstance(v, Tensor) else ((), None) for v in outputs]
            ctx._seal(outputs)
            for i, tensor in enumerate(outputs):
                if not isinstance(tensor, Tensor) or id(tensor) in ctx._fixed or not tensor.is_floating_point():
                    continue
                edge = ctx if ctx.outputs == 1 else (ctx, i)
                if id(tensor) in ctx._dirty:
                    tensor._rebase(edge)
                else:
                    tensor._edge, tensor._requires = edge, True
                    tensor._view = None  # a view's history is the function's, not its base's
        return tuple(outputs) if isinstance(result, tuple) else outputs[0]


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


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """A backward that is not recorded: its results are constants to a second derivative."""

    @functools.wraps(backward)
    def once(ctx: Any, *grads: Any) -> Any:
        with mode(grad=False):
            return backward(ctx, *grads)

    return once
