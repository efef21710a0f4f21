"""Parameters computed by a module from others, which are trained in their place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.nn.containers import ModuleDict, ModuleList
from tinygrad_nn.nn.module import Module
from tinygrad_nn.nn.parameter import Parameter
from tinygrad_nn.tensor import Tensor

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "type_before_parametrizations",
]  # fmt: skip

_CACHE: ContextVar[dict[tuple[int, str], Any] | None] = ContextVar("tinygrad_nn_parametrized", default=None)  # within `cached`


@contextmanager
def cached() -> Iterator[None]:
    """A context in which each parametrized tensor is computed once."""
    before = _CACHE.get()
    token = _CACHE.set({} if before is None else before)
    try:
        yield
    finally:
        _CACHE.reset(token)


class ParametrizationList(ModuleList):
    """The original tensor, or several, and the modules that make the parameter of it, one after the other.

    ValueError for a parametrization that changes the shape or dtype, unless `unsafe`.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        with no_grad():
            new: Any = original
            for module in reversed(list(modules)):
                with suppress(NotImplementedError):  # what has no inverse starts from the values as they are
                    new = module.right_inverse(new) if hasattr(module, "right_inverse") else new
        self.is_tensor = isinstance(new, Tensor)
        if self.is_tensor:
            if new is not original:
                original.data = new.detach()
            _register(self, "original", original)
            self.ntensors = 1
        else:
            self.ntensors = len(new)
            for i, part in enumerate(new):
                held = Parameter(part, original.requires_grad) if isinstance(original, Parameter) else part
                _register(self, f"original{i}", held)
        if not unsafe:
            made = self()
            if not isinstance(made, Tensor):
                raise ValueError(f"A parametrization must return a tensor. Got {type(made).__name__}.")
            if made.dtype != original.dtype or tuple(made.shape) != tuple(original.shape):
                raise ValueError(
                    "Registering a parametrization may not change the dtype or shape of the tensor, unless `unsafe` flag is "
                    f"enabled: {original.dtype} {tuple(original.shape)} became {made.dtype} {tuple(made.shape)}"
                )

    def right_inverse(self, value: Tensor) -> None:
        """Change the originals so that they make `value`; RuntimeError if a parametrization cannot be inverted."""
        with no_grad():
            new: Any = value
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                new = module.right_inverse(new)
            for held, part in zip(self._originals(), [new] if self.is_tensor else new, strict=True):
                held.data = part.detach()

    def _originals(self) -> list[Tensor]:
        return [self.original] if self.is_tensor else [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def forward(self) -> Tensor:
        """The parameter."""
        first, *others = self
        made = first(*self._originals())
        for module in others:
            made = module(made)
        result: Tensor = made
        return result


def _register(module: Module, name: str, value: Tensor) -> None:
    if isinstance(value, Parameter):
        module.register_parameter(name, value)
    else:
        module.register_buffer(name, value)


def _parametrized_property(name: str) -> property:
    def get(self: Any) -> Any:
        made = self.parametrizations[name]
        cache = _CACHE.get()
        if cache is None:
            return made()
        if (id(self), name) not in cache:
            cache[id(self), name] = made()
        return cache[id(self), name]

    def put(self: Any, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    return property(get, put)


def register_parametrization(module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False) -> Module:
    """Have the parameter or buffer of that name computed by `parametrization` from what it was; the module itself.

    ValueError for a name that the module has not, or a parametrization that changes the shape or dtype.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        made: Any = module.parametrizations[tensor_name]
        if not unsafe:
            _check_fits(parametrization, made())
        made.append(parametrization)  # to what was computed so far: the originals stay
        made.unsafe |= unsafe
        return module
    held = module._parameters if tensor_name in module._parameters else module._buffers
    original = held.get(tensor_name)
    if original is None:
        raise ValueError(f"Module '{module}' does not have a parameter or buffer with name '{tensor_name}'")
    made = ParametrizationList([parametrization], original, unsafe)
    del held[tensor_name]
    if not is_parametrized(module):
        kind = type(module)
        module.__class__ = type(f"Parametrized{kind.__name__}", (kind,), {"__module__": kind.__module__})
        module.parametrizations = ModuleDict()
    setattr(type(module), tensor_name, _parametrized_property(tensor_name))
    module.parametrizations[tensor_name] = made
    return module


def _check_fits(parametrization: Any, value: Tensor) -> None:
    """ValueError if a parametrization or its inverse gives no tensor, or one of another shape or dtype than the value."""
    after = parametrization(value)
    results = {"": after}
    if hasattr(parametrization, "right_inverse"):
        with no_grad(), suppress(NotImplementedError):
            results["right_inverse of "] = parametrization.right_inverse(after)
    for name, result in results.items():
        if not isinstance(result, Tensor):
            raise ValueError(f"The {name}parametrization must return a tensor. Got: {type(result).__name__}")
        if result.shape != value.shape or result.dtype != value.dtype:
            raise ValueError(
                f"The {name}parametrization must return a tensor of the same shape and dtype, unless the `unsafe` flag is enabled: "
                f"expected {value.dtype} {tuple(value.shape)}, got {result.dtype} {tuple(result.shape)}"
            )


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a module has a parametrized tensor, or that of a name."""
    found = module._modules.get("parametrizations")
    if not isinstance(found, ModuleDict) or not len(found):
        return False
    return tensor_name is None or tensor_name in found


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Put the computed tensor, or the original unless `leave_parametrized`, in the place of both; the module itself.

    ValueError for a name that is not parametrized, and for several originals that would be left.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    made: Any = module.parametrizations[tensor_name]
    if not made.is_tensor and not leave_parametrized:
        raise ValueError("Cannot leave unparametrized a tensor that is parametrized in terms of a sequence of tensors.")
    values = made().detach() if leave_parametrized else None
    if made.is_tensor:
        original = made.original
        if values is not None:
            original.data = values
    else:
        original = Parameter(values)
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class of a module as it was before."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)
