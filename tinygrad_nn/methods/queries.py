"""Functions that say something about tensors and dtypes: yes or no, or how many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn import dtypes
from tinygrad_nn.dtypes import dtype_of
from tinygrad_nn.methods.compare import isclose

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "allclose", "can_cast", "equal", "get_device", "imag", "is_complex", "is_conj", "is_floating_point", "is_inference", "is_neg",
    "is_nonzero", "is_same_size", "is_signed", "is_storage", "is_tensor", "numel", "promote_types", "result_type", "typename",
]  # fmt: skip


def is_tensor(obj: Any) -> bool:
    """Whether `obj` is a Tensor."""
    return hasattr(type(obj), "__record__") and hasattr(obj, "requires_grad")


def is_storage(obj: Any) -> bool:
    """Whether `obj` is the memory under a tensor, as `Tensor.storage` and `untyped_storage` give it."""
    return hasattr(obj, "nbytes") and hasattr(obj, "data_ptr") and not is_tensor(obj)


def typename(obj: Any) -> str:
    """The name of a tensor's type, such as 'torch.FloatTensor'; of anything else its own name or its class's, with the module."""
    if is_tensor(obj):
        return obj.type()
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(named, "__module__", None)
    return named.__qualname__ if module in (None, "builtins") else f"{module}.{named.__qualname__}"


def _tensor(value: Any, name: str) -> Any:
    if not is_tensor(value):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(value).__name__}")
    return value


def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are floats."""
    return _tensor(input, "is_floating_point").dtype.is_floating_point


def is_complex(input: Tensor) -> bool:
    """False: there are no complex numbers here."""
    return _tensor(input, "is_complex").dtype.is_complex


def is_conj(input: Tensor) -> bool:
    """False: there are no complex numbers here."""
    return _tensor(input, "is_conj").dtype.is_complex


def is_neg(input: Tensor) -> bool:
    """False: no values are kept with their sign turned."""
    _tensor(input, "is_neg")
    return False


def is_inference(input: Tensor) -> bool:
    """False: every tensor can be saved for a gradient, those made in inference mode too."""
    _tensor(input, "is_inference")
    return False


def is_signed(input: Tensor) -> bool:
    """Whether the dtype has negative values."""
    return _tensor(input, "is_signed").dtype.is_signed


def get_device(input: Tensor) -> int:
    """-1: the CPU."""
    return -1


def imag(input: Tensor) -> Tensor:
    """RuntimeError: numbers here are real."""
    raise RuntimeError(f"imag is not implemented for tensors with non-complex dtypes, got {_tensor(input, 'imag').dtype}")


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element is not zero; RuntimeError if there are several."""
    return bool(_tensor(input, "is_nonzero"))


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have one shape."""
    return tuple(_tensor(input, "is_same_size").shape) == tuple(_tensor(other, "is_same_size").shape)


def numel(input: Tensor) -> int:
    """The number of elements."""
    return _tensor(input, "numel").numel()


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have one shape and equal elements."""
    first, second = (_tensor(x, "equal").detach().numpy() for x in (input, other))
    return np.array_equal(first, second)


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether all elements are within atol + rtol * |other| of each other."""
    return bool(isclose(_tensor(input, "allclose"), other, rtol, atol, equal_nan).all())


def _dtype(value: Any, name: str) -> dtypes.dtype:
    if not isinstance(value, dtypes.dtype):
        raise TypeError(f"{name}(): expected a torch.dtype, got {type(value).__name__}")
    return value


def promote_types(type1: dtypes.dtype, type2: dtypes.dtype) -> dtypes.dtype:
    """The common dtype of two."""
    first, second = (_dtype(t, "promote_types").numpy for t in (type1, type2))
    return dtype_of(dtypes.promote_types(first, second))


def result_type(tensor1: Any, tensor2: Any) -> dtypes.dtype:
    """The dtype in which two tensors or numbers are computed together."""
    return dtype_of(dtypes.result_type([x.detach().numpy() if is_tensor(x) else x for x in (tensor1, tensor2)]))


def can_cast(from_: dtypes.dtype, to: dtypes.dtype) -> bool:
    """Whether values of one dtype may be written into a tensor of another: not floats into integers, nor either into bools."""
    source, target = (_dtype(t, "can_cast").numpy.kind for t in (from_, to))
    return not (source == "f" and target != "f") and not (source != "b" and target == "b")
