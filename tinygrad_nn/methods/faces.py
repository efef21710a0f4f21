"""How a primitive becomes a function of PyTorch's: its arguments named, anything but tensors and numbers refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tinygrad_nn.dtypes import RANK, result_type
from tinygrad_nn.graph import MODE, PACKAGE
from tinygrad_nn.op import Op

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

Number: TypeAlias = bool | int | float


def is_tensor(value: Any) -> bool:
    """Whether a value records what is done with it."""
    return hasattr(value, "__record__")


def expect_tensor(name: str, argument: str, value: Any) -> None:
    """TypeError for anything but a tensor."""
    if not is_tensor(value):
        raise TypeError(f"{name}(): argument '{argument}' must be Tensor, not {type(value).__name__}")


def no_tensor(name: str, error: AttributeError, given: Iterable[Any]) -> TypeError | None:
    """What to raise instead, if this package looked for a tensor's attribute in something given that is no tensor."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    ours = place is not None and place.tb_frame.f_code.co_filename.startswith(PACKAGE)
    if not ours or error.name is None or is_tensor(error.obj) or all(value is not error.obj for value in given):
        return None
    kind = type(error.obj)
    found = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return TypeError(f"{name}: expected a Tensor, got {found}; torch.as_tensor() makes one of numbers and arrays")


def is_bool(value: Any) -> bool:
    """Whether a tensor holds bools, or a number is one."""
    return value.dtype.numpy.kind == "b" if is_tensor(value) else isinstance(value, bool)


def is_floating(value: Any) -> bool:
    """Whether a tensor holds floats, or a number is one."""
    return value.is_floating_point() if is_tensor(value) else isinstance(value, float)


def expect_floating(name: str, *tensors: Tensor) -> None:
    """NotImplementedError, which is PyTorch's and a RuntimeError, if none of the tensors is floating."""
    if not any(tensor.is_floating_point() for tensor in tensors):
        raise NotImplementedError(f"{name}: expected a floating tensor, got {tensors[0].dtype}")


def plain(number: Any) -> Any:
    """A NumPy scalar as Python's number, which promotes no tensor; anything else as it is."""
    return number.item() if isinstance(number, np.generic) else number


def in_common(value: Any, *others: Any, floating: bool = False) -> Any:
    """A tensor in the dtype that PyTorch promotes it and the others to; a number as it is."""
    arrays = [v.detach().numpy() if is_tensor(v) else v for v in (value, *others)]
    return value.to(result_type(arrays, floating)) if is_tensor(value) else value


def expect_fit(value: Any, input: Any) -> None:
    """RuntimeError for a whole number too great for the tensor's integers; a negative one wraps around, as in PyTorch."""
    whole = type(value) is int and is_tensor(input) and input.dtype.numpy.kind in "iu"
    if whole and abs(value) > np.iinfo(input.dtype.numpy).max + 1:
        raise RuntimeError(f"value {value} cannot be converted to {input.dtype} without overflow")


def old_order(name: str, count: int, *given: Any) -> tuple[list[Any], list[Any]]:
    """The tensors and the numbers of a call in PyTorch's deprecated order, numbers in front; TypeError for any other order.

    Where one tensor is expected, a number may stand for it.
    """
    args = [value for value in given if value is not None]
    tensors, numbers = [v for v in args if is_tensor(v)], [v for v in args if not is_tensor(v)]
    if count == 1 and len(numbers) == 2:
        tensors = [numbers.pop()]
    if len(tensors) != count or tensors[-1] is not args[-1] or not all(isinstance(v, bool | int | float) for v in numbers):
        kinds = ", ".join(type(v).__name__ for v in args)
        raise TypeError(f"{name}() takes numbers by their names and tensors by position, got ({kinds})")
    told = f"{name}: numbers in front of tensors are a deprecated overload; give them by their names, alpha, beta or value"
    warnings.warn(told, UserWarning, stacklevel=4)
    return tensors, numbers


def put_into(out: Tensor, result: Tensor, name: str, exact: bool = False, warn: bool = True) -> Tensor:
    """The result written into `out`, which takes its size, with a UserWarning unless it was empty or the caller wants none.

    RuntimeError where gradients are wanted, and for a dtype that the result is not of (`exact`) or cannot be cast to.
    """
    if MODE.get().grad and (out.requires_grad or result.requires_grad):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
            "requires grad."
        )
    if exact and result.dtype != out.dtype:
        raise RuntimeError(f"{name}(): Expected out tensor to have dtype {result.dtype}, but got {out.dtype} instead")
    if RANK[result.dtype.numpy.kind] > RANK[out.dtype.numpy.kind]:
        raise RuntimeError(f"result type {result.dtype} can't be cast to the desired output type {out.dtype}")
    if tuple(out.shape) != tuple(result.shape):
        if warn and out.numel():
            told = f"{name}: out is resized from {list(out.shape)} to {list(result.shape)}; out.resize_(0) beforehand allows it"
            warnings.warn(told, UserWarning, stacklevel=3)
        out.resize_(tuple(result.shape))
    return out.copy_(result)


def of_tensor(primitive: Op) -> Callable[..., Tensor]:
    """The function of one tensor that is a primitive and no more."""

    def function(input: Tensor, *, out: Tensor | None = None) -> Tensor:
        expect_tensor(primitive.name, "input", input)
        return primitive(input) if out is None else put_into(out, primitive(input), primitive.name)

    return _named(function, primitive)


def of_tensors(primitive: Op) -> Callable[..., Tensor]:
    """The function of two tensors, broadcast together, that is a primitive and no more."""

    def function(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
        expect_tensor(primitive.name, "input", input)
        expect_tensor(primitive.name, "other", other)
        return primitive(input, other) if out is None else put_into(out, primitive(input, other), primitive.name)

    return _named(function, primitive)


def of_tensor_and_number(primitive: Op) -> Callable[..., Tensor]:
    """The function of a tensor and a tensor or number, broadcast together, that is a primitive and no more."""

    def function(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
        expect_tensor(primitive.name, "input", input)
        return primitive(input, other) if out is None else put_into(out, primitive(input, other), primitive.name)

    return _named(function, primitive)


def of_either(primitive: Op) -> Callable[..., Tensor]:
    """The function of two tensors, one of which may be a number, broadcast together, that is a primitive and no more."""

    def function(input: Tensor | Number, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
        if not is_tensor(input):
            expect_tensor(primitive.name, "other", other)
        return primitive(input, other) if out is None else put_into(out, primitive(input, other), primitive.name)

    return _named(function, primitive)


def _named(function: Callable[..., Tensor], primitive: Op) -> Callable[..., Tensor]:
    function.__name__ = function.__qualname__ = primitive.name
    function.__doc__ = primitive.__doc__
    return function
