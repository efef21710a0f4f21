"""Module: parameters, buffers and submodules in the order of their definition, and what is done to all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.creation import empty_like
from tinygrad_nn.dtypes import DTypeLike, dtype_of
from tinygrad_nn.methods.faces import no_tensor
from tinygrad_nn.nn.hooks import COMMON
from tinygrad_nn.nn.parameter import Buffer, Parameter, is_lazy, zero_gradient
from tinygrad_nn.nn.state import State
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.tensor.conversion import dtype_of_type

__all__ = ["Module"]


class Module(State):
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

    def __init__(self) -> None:
        for name in ("_parameters", "_buffers", "_modules", "_hooks_"):
            object.__setattr__(self, name, {})
        object.__setattr__(self, "_non_persistent_buffers_set", set())
        object.__setattr__(self, "training", True)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over the attributes that a copy brings; a subclass may add to them."""
        self.__dict__.update(state)

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Compute the output; every subclass writes its own."""
        raise NotImplementedError(f'Module [{self.__class__.__name__}] is missing the required "forward" function')

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """The output of `forward`, with the hooks called before and after it."""
        try:
            return self._call_with_hooks_(inputs, options) if self._hooks_ or COMMON else self.forward(*inputs, **options)
        except AttributeError as error:
            if mistake := no_tensor(type(self).__name__, error, [*inputs, *options.values()]):
                raise mistake from None
            raise

    # attributes

    def __setattr__(self, name: str, value: Any) -> None:
        stores = self.__dict__
        if "_parameters" not in stores:
            if isinstance(value, Parameter | Module | Buffer):
                raise AttributeError(f"cannot assign '{name}' before Module.__init__() call")
            object.__setattr__(self, name, value)
            return
        if isinstance(value, Parameter):
            self._forget_(name, "_parameters")
            self._parameters[name] = value
        elif isinstance(value, Module):
            if name in self._parameters:
                raise TypeError(f"cannot assign '{value.__class__.__name__}' as parameter '{name}' (Parameter or None expected)")
            self._forget_(name, "_modules")
            self._modules[name] = value
        elif isinstance(value, Buffer):
            self._forget_(name, "_buffers")
            self.register_buffer(name, value, value.persistent)
        elif name in self._parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{value.__class__.__name__}' object to parameter '{name}' (Parameter or None required)"
                )
            self._parameters[name] = None
        elif name in self._modules:
            if value is not None:
                raise TypeError(f"cannot assign '{value.__class__.__name__}' as child module '{name}' (Module or None required)")
            self._modules[name] = None
        elif name in self._buffers:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(f"cannot assign '{value.__class__.__name__}' object to buffer '{name}' (Tensor or None required)")
            self._buffers[name] = value
        else:
            object.__setattr__(self, name, value)

    def _forget_(self, name: str, but: str) -> None:
        self.__dict__.pop(name, None)
        self._non_persistent_buffers_set.discard(name)
        for store in ("_parameters", "_buffers", "_modules"):
            if store != but:
                self.__dict__[store].pop(name, None)

    def __getattr__(self, name: str) -> Any:
        stores = self.__dict__
        for store in ("_parameters", "_modules", "_buffers"):
            if name in (found := stores.get(store, ())):
                return found[name]
        raise AttributeError(f"'{self.__class__.__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        for store in ("_parameters", "_modules", "_buffers"):
            if name in self.__dict__[store]:
                del self.__dict__[store][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or None as the place of one."""
        self._check_name_(name, self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"register_parameter: '{name}' expected a Parameter or None, got {param.__class__.__name__}")
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the module but is not trained; not in the state if not `persistent`."""
        self._check_name_(name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer: '{name}' expected a Tensor or None, got {tensor.__class__.__name__}")
        self._buffers[name] = tensor
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule."""
        self._check_name_(name, self._modules)
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"add_module: '{name}' expected a Module or None, got {module.__class__.__name__}")
        self._modules[name] = module

    register_module = add_module

    def _check_name_(self, name: str, store: dict[str, Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"expected a name that is a string, got {name.__class__.__name__}")
        if not name or "." in name:
            raise KeyError(f"expected a name that is not empty and has no dot, got {name!r}")
        if name not in store and hasattr(self, name):
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

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

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

    def _named_members(
        self, get_members_fn: Callable[[Any], Iterable[tuple[str, Any]]], prefix: str = "", recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:  # fmt: skip
        """What `get_members_fn` lists of each module, as pairs of name and value, with dotted names."""
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in get_members_fn(module):
                if value is not None and id(value) not in seen:
                    if remove_duplicate:
                        seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their dotted names, in the order of definition."""
        return self._named_members(lambda module: module._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters in the order of definition."""
        return (value for _, value in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted names."""
        return self._named_members(lambda module: module._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers."""
        return (value for _, value in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path."""
        module: Module = self
        for name in target.split(".") if target else ():
            found = module._modules.get(name)
            if found is None:
                raise AttributeError(f"{module.__class__.__name__} has no submodule '{name}' (of path '{target}')")
            module = found
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module at a dotted path; with `strict` there must be one already.

        ValueError for an empty path or what is no module, AttributeError where the path leads nowhere.
        """
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {module.__class__}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if (strict or hasattr(parent, name)) and parent._modules.get(name) is None:
            raise AttributeError(f"{parent.__class__.__name__} has no submodule '{name}' (of path '{target}')")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path; AttributeError if there is none."""
        found: Parameter = self._at_(target, "_parameters", "parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path; AttributeError if there is none."""
        found: Tensor = self._at_(target, "_buffers", "buffer")
        return found

    def _at_(self, target: str, store: str, kind: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if module.__dict__[store].get(name) is None:
            raise AttributeError(f"{module.__class__.__name__} has no {kind} '{name}' (of path '{target}')")
        return module.__dict__[store][name]

    # changing all of them

    def train(self, mode: bool = True) -> Self:
        """Put this module and all below it into training mode, or out of it; ValueError for what is no bool."""
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, got {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
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
            if set_to_none:
                parameter.grad = None
            else:
                zero_gradient(parameter)

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module below this one and then on it."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Put `fn` of each parameter, gradient and buffer in its place: all casts go by this, so a subclass may add its own.

        Parameters and gradients stay the objects they are, with new data; buffers are replaced, as in PyTorch.
        """
        for module in self.children() if recurse else ():
            module._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                for value in () if parameter is None else (parameter, parameter.grad):
                    if value is not None and (new := fn(value)) is not value:
                        value.data = new
            for name, buffer in self._buffers.items():
                if is_lazy(buffer):
                    buffer.data = fn(buffer)
                elif buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **options: Any) -> Self:
        """Cast all floating parameters, their gradients and buffers; the only device is the CPU.

        A `memory_format` is for those of 4 or 5 dimensions. TypeError for a dtype that is not floating.
        """
        format = options.pop("memory_format", None)

        def converted(value: Tensor) -> Tensor:
            bare = value.detach()
            cast = bare.to(*args, **options)
            if not value.is_floating_point():
                cast = bare
            elif not cast.is_floating_point():
                raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={cast.dtype}")
            if format is not None and value.ndim in (4, 5):
                cast = cast.to(memory_format=format)
            return value if cast is bare else cast

        return self._apply(converted)

    def type(self, dst_type: DTypeLike) -> Self:
        """Cast all parameters and buffers, integers too."""
        return self._apply(lambda value: value.detach().to(dtype_of_type(dst_type)))

    def float(self) -> Self:
        """Cast all floating parameters and buffers to float32."""
        return self.to(dtype_of("float32"))

    def double(self) -> Self:
        """Cast all floating parameters and buffers to float64."""
        return self.to(dtype_of("float64"))

    def half(self) -> Self:
        """Cast all floating parameters and buffers to float16."""
        return self.to(dtype_of("float16"))

    def bfloat16(self) -> Self:
        """NotImplementedError where there are floating parameters or buffers: there is no such dtype here."""
        return self._apply(lambda value: value.bfloat16() if value.is_floating_point() else value)

    def cuda(self, device: Any = None) -> Self:
        """AssertionError where there are parameters or buffers: there is no GPU here."""
        return self._apply(lambda value: value.cuda(device))

    def compile(self, *args: Any, **options: Any) -> None:
        """Nothing: modules run as they are."""

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Give all parameters and buffers new memory, whose values mean nothing; the only device is the CPU."""
        return self._apply(lambda value: empty_like(value.detach(), device=device), recurse)

    def share_memory(self) -> Self:
        """The module itself: its memory is that of this process, as much as before."""
        return self

    def cpu(self) -> Self:
        """The module itself, which is on the CPU."""
        return self

    # showing

    def extra_repr(self) -> str:
        """What stands in the brackets after the name."""
        return ""

    def _get_name(self) -> str:
        return self.__class__.__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [f"({name}): " + _indented(repr(module)) for name, module in self._modules.items()]
        if not children and "\n" not in extra:
            return f"{self._get_name()}({extra})"
        lines = ([_indented(extra)] if extra else []) + children
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")
