"""Module: parameters, buffers and submodules in the order of their definition, and what is done to all of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.autograd.function import Function
from tinygrad_nn.nn.parameter import Parameter
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import RemovableHandle


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` did not find in the state, and what it found there but has no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class Module:
    """The base of all layers and networks: assign Parameters and Modules in `__init__`, write `forward`.

    >>> class Scale(Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = Parameter(Tensor([2.0]))
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(Tensor([3.0]))
    tensor([6.], grad_fn=<MulBackward0>)
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]

    def __init__(self) -> None:
        for name in ("_parameters", "_buffers", "_modules"):
            object.__setattr__(self, name, {})
        object.__setattr__(self, "_transient", set())  # names of buffers that are not part of the state
        object.__setattr__(self, "_pre_hooks", [])
        object.__setattr__(self, "_hooks", [])
        object.__setattr__(self, "_backward_hooks", [])
        object.__setattr__(self, "training", True)

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Compute the output; every subclass writes its own."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """The output of `forward`, with the hooks called before and after it."""
        if not (self._pre_hooks or self._hooks or self._backward_hooks):
            return self.forward(*inputs, **options)
        for hook in list(self._pre_hooks):
            replaced = hook(self, inputs)
            if replaced is not None:
                inputs = replaced if isinstance(replaced, tuple) else (replaced,)
        watched = _Watched(self) if self._backward_hooks else None
        if watched:
            inputs = watched.inputs(inputs)
        output = self.forward(*inputs, **options)
        for hook in list(self._hooks):
            replaced = hook(self, inputs, output)
            output = output if replaced is None else replaced
        return watched.outputs(output) if watched else output

    # attributes

    def __setattr__(self, name: str, value: Any) -> None:
        stores = self.__dict__
        if "_parameters" not in stores:
            if isinstance(value, Parameter | Module):
                raise AttributeError(f"cannot assign '{name}' before Module.__init__() call")
            object.__setattr__(self, name, value)
            return
        if isinstance(value, Parameter):
            self._forget(name, "_parameters")
            self._parameters[name] = value
        elif isinstance(value, Module):
            self._forget(name, "_modules")
            self._modules[name] = value
        elif name in self._parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' object to parameter '{name}' (Parameter or None required)"
                )
            self._parameters[name] = None
        elif name in self._modules:
            if value is not None:
                raise TypeError(f"cannot assign '{type(value).__name__}' as child module '{name}' (Module or None required)")
            self._modules[name] = None
        elif name in self._buffers:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(f"cannot assign '{type(value).__name__}' object to buffer '{name}' (Tensor or None required)")
            self._buffers[name] = value
        else:
            object.__setattr__(self, name, value)

    def _forget(self, name: str, but: str) -> None:
        self.__dict__.pop(name, None)
        for store in ("_parameters", "_buffers", "_modules"):
            if store != but:
                self.__dict__[store].pop(name, None)

    def __getattr__(self, name: str) -> Any:
        for store in ("_parameters", "_modules", "_buffers"):
            found = self.__dict__.get(store, {})
            if name in found:
                return found[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        for store in ("_parameters", "_modules", "_buffers"):
            if name in self.__dict__[store]:
                del self.__dict__[store][name]
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or None as the place of one."""
        self._check_name(name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"register_parameter: '{name}' expected a Parameter or None, got {type(param).__name__}")
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the module but is not trained; not in the state if not `persistent`."""
        self._check_name(name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer: '{name}' expected a Tensor or None, got {type(tensor).__name__}")
        self._buffers[name] = tensor
        (self._transient.discard if persistent else self._transient.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"add_module: '{name}' expected a Module or None, got {type(module).__name__}")
        self._check_name(name)
        self._modules[name] = module

    register_module = add_module

    def _check_name(self, name: str) -> None:
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"expected a name that is not empty and has no dot, got {name!r}")
        if hasattr(self, name) and not any(name in s for s in (self._parameters, self._buffers, self._modules)):
            raise KeyError(f"attribute '{name}' already exists")

    # walking

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it with their dotted paths, each once, parents first."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct submodules with their names."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The direct submodules."""
        return (module for _, module in self.named_children())

    def _named(
        self, store: str, prefix: str, recurse: bool, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in module.__dict__[store].items():
                if value is not None and id(value) not in seen:
                    if remove_duplicate:
                        seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their dotted names, in the order of definition."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters in the order of definition."""
        return (value for _, value in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted names."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers."""
        return (value for _, value in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path."""
        module: Module = self
        for name in target.split(".") if target else ():
            found = module._modules.get(name)
            if found is None:
                raise AttributeError(f"{type(module).__name__} has no submodule '{name}' (of path '{target}')")
            module = found
        return module

    # state

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> OrderedDict[str, Tensor]:
        """All parameters and persistent buffers by their dotted names, sharing memory with the module."""
        state: OrderedDict[str, Tensor] = OrderedDict()
        for name, value in (*self._parameters.items(), *self._buffers.items()):
            if value is not None and name not in self._transient:
                state[prefix + name] = value if keep_vars else value.detach()
        for name, module in self._modules.items():
            if module is not None:
                state.update(module.state_dict(prefix=f"{prefix}{name}.", keep_vars=keep_vars))
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> IncompatibleKeys:
        """Copy a state into the parameters and buffers; nothing is changed if it does not fit.

        RuntimeError for wrong shapes and, with `strict`, for missing or unexpected keys.
        """
        own = self.state_dict(keep_vars=True)
        missing = [key for key in own if key not in state_dict]
        unexpected = [key for key in state_dict if key not in own]
        errors = []
        if strict and unexpected:
            errors.append("Unexpected key(s) in state_dict: " + ", ".join(f'"{key}"' for key in unexpected) + ".")
        if strict and missing:
            errors.append("Missing key(s) in state_dict: " + ", ".join(f'"{key}"' for key in missing) + ".")
        found = {key: value for key, value in state_dict.items() if key in own}
        for key, value in found.items():
            if not isinstance(value, Tensor | np.ndarray):
                errors.append(f'expected a tensor for "{key}", got {type(value).__name__}.')
            elif tuple(value.shape) != tuple(own[key].shape):
                errors.append(
                    f"size mismatch for {key}: copying a param with shape {list(value.shape)} from checkpoint, the shape "
                    f"in current model is {list(own[key].shape)}."
                )
        if errors:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}: " + " ".join(errors))
        with no_grad():
            for key, value in found.items():
                source = value.detach().numpy() if isinstance(value, Tensor) else value
                own[key]._write(source, "load_state_dict")
        return IncompatibleKeys(missing, unexpected)

    # changing all of them

    def train(self, mode: bool = True) -> Self:
        """Put this module and all below it into training mode, or out of it."""
        for module in self.modules():
            object.__setattr__(module, "training", bool(mode))
        return self

    def eval(self) -> Self:
        """Put this module and all below it into evaluation mode."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let gradients flow to all parameters, or to none."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad.zero_()

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module below this one and then on it."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def to(self, *args: Any, **options: Any) -> Self:
        """Cast all floating parameters and buffers; the only device is the CPU."""
        tensors: list[Tensor] = [*self.parameters(), *self.buffers()]
        for value in tensors:
            cast = value.detach().to(*args, **options)
            if value.is_floating_point() and cast.dtype != value.dtype:
                value.data = cast
                value.grad = None
        return self

    def float(self) -> Self:
        """Cast all floating parameters and buffers to float32."""
        return self.to(np.float32)

    def double(self) -> Self:
        """Cast all floating parameters and buffers to float64."""
        return self.to(np.float64)

    def cpu(self) -> Self:
        """The module itself, which is on the CPU."""
        return self

    # hooks

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Have `hook(module, inputs)` called before forward; what it returns replaces the inputs."""
        return RemovableHandle(self._pre_hooks, hook)

    def register_forward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Have `hook(module, inputs, output)` called after forward; what it returns replaces the output."""
        return RemovableHandle(self._hooks, hook)

    def register_full_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Have `hook(module, grad_input, grad_output)` called in backward; what it returns replaces grad_input."""
        return RemovableHandle(self._backward_hooks, hook)

    # showing

    def extra_repr(self) -> str:
        """What stands in the brackets after the name."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [f"({name}): " + _indented(repr(module)) for name, module in self._modules.items()]
        if not children:
            return f"{self._get_name()}({_indented(extra)})" if "\n" not in extra else f"{self._get_name()}(\n  {extra}\n)"
        lines = ([extra] if extra else []) + children
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


class _Boundary(Function):
    """Passes values on, and shows the gradients that come back to a callback."""

    @staticmethod
    def forward(ctx: Any, seen: Callable[..., Any], *values: Any) -> Any:
        ctx.seen = seen
        return tuple(v.detach() if isinstance(v, Tensor) else v for v in values)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return (None, *ctx.seen(grads))


class _Watched:
    """One call of a module with backward hooks: boundaries on both sides catch the gradients."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.grad_output: tuple[Any, ...] = ()
        self.has_inputs = False

    def inputs(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        self.has_inputs = any(isinstance(v, Tensor) and v.requires_grad for v in values)
        passed: tuple[Any, ...] = _Boundary.apply(self._on_inputs, *values) if self.has_inputs else values
        return passed

    def outputs(self, output: Any) -> Any:
        values = output if isinstance(output, tuple) else (output,)
        passed = _Boundary.apply(self._on_outputs, *values)
        return passed if isinstance(output, tuple) else passed[0]

    def _on_outputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        self.grad_output = grads
        if not self.has_inputs:
            self._call((None,))
        return grads

    def _on_inputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        return self._call(grads)

    def _call(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in list(self.module._backward_hooks):
            replaced = hook(self.module, grads, self.grad_output)
            if replaced is not None:
                grads = replaced if isinstance(replaced, tuple) else (replaced,)
        return grads
