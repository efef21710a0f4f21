"""The hooks of a module: what is called before and after its forward, and when gradients pass through it."""

from __future__ import annotations

import itertools
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from tinygrad_nn.autograd.function import Function
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import RemovableHandle

# By kind, the functions by the ids of their handles; by the name of an option, the ids of those that want it.
Stores: TypeAlias = dict[str, OrderedDict[int, Any]]

COMMON: Stores = {}  # the hooks of all modules
_ids = itertools.count()


class Handle(RemovableHandle):
    """The place of a hook, by its `id`, in dictionaries: `remove()` takes it out of them."""

    __slots__ = ("id", "stores")

    def __init__(self, *stores: dict[int, Any]) -> None:
        self.id, self.stores = next(_ids), stores

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        for store in self.stores:
            store.pop(self.id, None)


def add(stores: Stores, kind: str, hook: Any, prepend: bool = False, **options: bool) -> RemovableHandle:
    """Keep a hook, at the end of its kind or at the front, with the options that it wants."""
    hooks = stores.setdefault(kind, OrderedDict())
    wanted = [stores.setdefault(option, OrderedDict()) for option, given in options.items() if given]
    handle = Handle(hooks, *wanted)
    hooks[handle.id] = hook
    for ids in wanted:
        ids[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


class Hook(NamedTuple):
    """A function, and how it wants to be called."""

    call: Callable[..., Any]
    with_kwargs: bool
    always_call: bool


def _by_id(kind: str) -> Any:
    """The attribute by which PyTorch's programs look at the hooks of a kind: a dictionary by the ids of their handles."""

    def get(self: Hooks) -> dict[int, Any]:
        return self._hooks_.setdefault(kind, OrderedDict())

    def put(self: Hooks, hooks: OrderedDict[int, Any]) -> None:
        self._hooks_[kind] = hooks

    return property(get, put)


class Hooks:
    """The part of a Module that keeps hooks by kind and calls them."""

    _hooks_: Stores
    _is_full_backward_hook: bool | None = None
    forward: Callable[..., Any]

    _forward_pre_hooks, _forward_hooks = _by_id("forward_pre"), _by_id("forward")
    _backward_pre_hooks, _backward_hooks = _by_id("backward_pre"), _by_id("backward")
    _state_dict_pre_hooks, _state_dict_hooks = _by_id("state_pre"), _by_id("state_post")
    _load_state_dict_pre_hooks, _load_state_dict_post_hooks = _by_id("load_pre"), _by_id("load_post")

    def _hooks_of_(self, kind: str) -> list[Hook]:
        """Those of all modules and then its own; a copy, since a hook may remove itself."""
        return [
            Hook(call, key in stores.get("with_kwargs", ()), key in stores.get("always_call", ()))
            for stores in (COMMON, self._hooks_)
            for key, call in stores.get(kind, {}).items()
        ]

    def _drop_hook_(self, kind: str, hook: Any) -> None:
        """Take a function away that has no handle."""
        self._hooks_[kind] = OrderedDict((key, one) for key, one in self._hooks_[kind].items() if one is not hook)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Have `hook(module, inputs)` called before forward; what it returns replaces the inputs.

        `with_kwargs` hands it forward's keywords as well, and it returns both or None; `prepend` calls it first.
        """
        return add(self._hooks_, "forward_pre", hook, prepend, with_kwargs=with_kwargs)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Have `hook(module, inputs, output)` called after forward; what it returns replaces the output.

        `with_kwargs` hands it forward's keywords before the output; `always_call` calls it, with None for the output,
        even if forward fails; `prepend` calls it first.
        """
        return add(self._hooks_, "forward", hook, prepend, with_kwargs=with_kwargs, always_call=always_call)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Have `hook(module, grad_output)` called before backward; what it returns replaces grad_output."""
        return add(self._hooks_, "backward_pre", hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Have `hook(module, grad_input, grad_output)` called in backward; what it returns replaces grad_input."""
        return self._backward_hook_(hook, prepend, full=True)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """The old name of `register_full_backward_hook`; RuntimeError for a module that has hooks by both.

        grad_input is that of the module, where PyTorch gives that of the module's last operation.
        """
        return self._backward_hook_(hook, False, full=False)

    def _backward_hook_(self, hook: Callable[..., Any], prepend: bool, full: bool) -> RemovableHandle:
        if self._is_full_backward_hook not in (None, full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one of them."
            )
        self._is_full_backward_hook = full
        return add(self._hooks_, "backward", hook, prepend)

    def _call_with_hooks_(self, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Forward, and the hooks around it."""
        waiting: list[Hook] = self._hooks_of_("forward")
        try:
            for before in self._hooks_of_("forward_pre"):
                inputs, options = self._before_(before, inputs, options)
            watched = Watched(self) if self._hooks_of_("backward") or self._hooks_of_("backward_pre") else None
            if watched:
                inputs = watched.inputs(inputs)
            output = self.forward(*inputs, **options)
            while waiting:
                after = waiting.pop(0)
                replaced = self._after_(after, inputs, options, output)
                output = output if replaced is None else replaced
            return watched.outputs(output) if watched else output
        except Exception:
            for after in waiting:
                if after.always_call:
                    self._after_failure_(after, inputs, options)
            raise

    def _before_(
        self, hook: Hook, inputs: tuple[Any, ...], options: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        replaced = hook.call(self, inputs, options) if hook.with_kwargs else hook.call(self, inputs)
        if replaced is None:
            return inputs, options
        if not hook.with_kwargs:
            return replaced if isinstance(replaced, tuple) else (replaced,), options
        if not isinstance(replaced, tuple) or len(replaced) != 2:
            raise RuntimeError(f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {replaced}.")
        return replaced

    def _after_(self, hook: Hook, inputs: tuple[Any, ...], options: dict[str, Any], output: Any) -> Any:
        return hook.call(self, inputs, options, output) if hook.with_kwargs else hook.call(self, inputs, output)

    def _after_failure_(self, hook: Hook, inputs: tuple[Any, ...], options: dict[str, Any]) -> None:
        try:
            self._after_(hook, inputs, options, None)
        except Exception as error:
            warnings.warn(
                "module forward hook with ``always_call=True`` raised an exception that was silenced as another error was "
                f"raised in forward: {error}",
                stacklevel=2,
            )


class Boundary(Function):
    """Passes values on, and shows the gradients that come back to a callback."""

    @staticmethod
    def forward(ctx: Any, seen: Callable[..., Any], *values: Any) -> Any:
        """The values as they are."""
        ctx.seen = seen
        return tuple(v.detach() if isinstance(v, Tensor) else v for v in values)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """The gradients as the callback leaves them."""
        return (None, *ctx.seen(grads))


class Watched:
    """One call of a module with backward hooks: boundaries on both sides catch the gradients."""

    def __init__(self, module: Hooks) -> None:
        self.module = module
        self.grad_output: tuple[Any, ...] = ()
        self.has_inputs = False

    def inputs(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """The inputs behind their boundary."""
        self.has_inputs = any(isinstance(v, Tensor) and v.requires_grad for v in values)
        passed: tuple[Any, ...] = Boundary.apply(self._on_inputs, *values) if self.has_inputs else values
        return passed

    def outputs(self, output: Any) -> Any:
        """The output, or the tuple of them, behind its boundary."""
        values = output if isinstance(output, tuple) else (output,)
        passed = Boundary.apply(self._on_outputs, *values)
        return passed if isinstance(output, tuple) else passed[0]

    def _on_outputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.module._hooks_of_("backward_pre"):
            grads = _replaced(hook.call(self.module, grads), grads)
        self.grad_output = grads
        if not self.has_inputs:
            self._on_inputs((None,))
        return grads

    def _on_inputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.module._hooks_of_("backward"):
            grads = _replaced(hook.call(self.module, grads, self.grad_output), grads)
        return grads


def _replaced(new: Any, old: tuple[Any, ...]) -> tuple[Any, ...]:
    return old if new is None else new if isinstance(new, tuple) else (new,)


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Have `hook(module, inputs)` called before the forward of every module; what it returns replaces the inputs."""
    return add(COMMON, "forward_pre", hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Have `hook(module, inputs, output)` called after the forward of every module, with the options of a module's own."""
    return add(COMMON, "forward", hook, with_kwargs=with_kwargs, always_call=always_call)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Have `hook(module, grad_output)` called before the backward of every module; what it returns replaces grad_output."""
    return add(COMMON, "backward_pre", hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Have `hook(module, grad_input, grad_output)` called in every module's backward; what it returns replaces grad_input."""
    return add(COMMON, "backward", hook)
