"""The hooks of a module: what is called before and after its forward, and when gradients pass through it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from tinygrad_nn.autograd.function import Function
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import RemovableHandle


class Hook(NamedTuple):
    """A function, and how it wants to be called."""

    call: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


class Hooks:
    """The part of a Module that keeps hooks by kind and calls them."""

    _hooks: dict[str, list[Hook]]
    forward: Callable[..., Any]

    def _register(self, kind: str, hook: Hook, prepend: bool = False) -> RemovableHandle:
        hooks = self._hooks.setdefault(kind, [])
        handle = RemovableHandle(hooks, hook)
        if prepend:
            hooks.insert(0, hooks.pop())
        return handle

    def _hooks_of(self, kind: str) -> list[Hook]:
        """A copy, since a hook may remove itself."""
        return list(self._hooks.get(kind, ()))

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Have `hook(module, inputs)` called before forward; what it returns replaces the inputs.

        `with_kwargs` hands it forward's keywords as well, and it returns both or None; `prepend` calls it first.
        """
        return self._register("forward_pre", Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Have `hook(module, inputs, output)` called after forward; what it returns replaces the output.

        `with_kwargs` hands it forward's keywords before the output; `always_call` calls it, with None for the output,
        even if forward fails; `prepend` calls it first.
        """
        return self._register("forward", Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Have `hook(module, grad_output)` called before backward; what it returns replaces grad_output."""
        return self._register("backward_pre", Hook(hook), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Have `hook(module, grad_input, grad_output)` called in backward; what it returns replaces grad_input."""
        return self._register("backward", Hook(hook), prepend)

    def _call_with_hooks(self, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Forward, and the hooks around it."""
        waiting: list[Hook] = self._hooks_of("forward")
        try:
            for before in self._hooks_of("forward_pre"):
                inputs, options = self._before(before, inputs, options)
            watched = Watched(self) if self._hooks_of("backward") or self._hooks_of("backward_pre") else None
            if watched:
                inputs = watched.inputs(inputs)
            output = self.forward(*inputs, **options)
            while waiting:
                after = waiting.pop(0)
                replaced = self._after(after, inputs, options, output)
                output = output if replaced is None else replaced
            return watched.outputs(output) if watched else output
        except Exception:
            for after in waiting:
                if after.always_call:
                    self._after_failure(after, inputs, options)
            raise

    def _before(
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

    def _after(self, hook: Hook, inputs: tuple[Any, ...], options: dict[str, Any], output: Any) -> Any:
        return hook.call(self, inputs, options, output) if hook.with_kwargs else hook.call(self, inputs, output)

    def _after_failure(self, hook: Hook, inputs: tuple[Any, ...], options: dict[str, Any]) -> None:
        try:
            self._after(hook, inputs, options, None)
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
        for hook in self.module._hooks_of("backward_pre"):
            grads = _replaced(hook.call(self.module, grads), grads)
        self.grad_output = grads
        if not self.has_inputs:
            self._on_inputs((None,))
        return grads

    def _on_inputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.module._hooks_of("backward"):
            grads = _replaced(hook.call(self.module, grads, self.grad_output), grads)
        return grads


def _replaced(new: Any, old: tuple[Any, ...]) -> tuple[Any, ...]:
    return old if new is None else new if isinstance(new, tuple) else (new,)
