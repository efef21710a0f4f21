"""Functions of lists of tensors, `torch._foreach_...`, as optimisers and averages of weights spell their loops.

Each calls the tensors' own method, one after the other. Operands are lists as long as the first, of tensors or numbers, or
one number or 0-d tensor for all; results are a tuple, and those in place give back the list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

from tinygrad_nn.tensor import Tensor

METHODS = [
    "abs", "acos", "add", "asin", "atan", "ceil", "clamp_max", "clamp_min", "cos", "cosh", "div", "erf", "erfc", "exp", "expm1",
    "floor", "frac", "lerp", "lgamma", "log", "log10", "log1p", "log2", "mul", "neg", "reciprocal", "round", "rsqrt", "sigmoid",
    "sign", "sin", "sinh", "sqrt", "sub", "tan", "tanh", "trunc",
]  # fmt: skip


def _spread(value: Any, count: int) -> Sequence[Any]:
    """An operand for each of so many tensors; RuntimeError for a list of another length, or one tensor that has axes."""
    if isinstance(value, list | tuple):
        if len(value) != count:
            raise RuntimeError(f"_foreach: expected lists of the same length, got {count} and {len(value)}")
        return value
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(f"_foreach: expected a scalar tensor of 0 dimensions, got shape {list(value.shape)}")
    return [value] * count


def _rows(tensors: Any, operands: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Each tensor with the operands that belong to it."""
    if not isinstance(tensors, list | tuple) or not all(isinstance(tensor, Tensor) for tensor in tensors):
        raise TypeError(f"_foreach: expected a list or tuple of Tensors, got {type(tensors).__name__}")
    if not tensors:
        raise RuntimeError("_foreach: Tensor list must have at least one tensor.")
    return zip(tensors, *(_spread(operand, len(tensors)) for operand in operands), strict=True)


def _each(method: str) -> Callable[..., Any]:
    """The function that calls this method of each tensor."""

    def call(self: Any, *operands: Any, **named: Any) -> Any:
        options = {key: named.pop(key) for key in ("alpha", "value") if key in named}
        operands += tuple(named.values())  # `scalar`, `scalars`, `other`: the name says what it is, not where it goes
        end, results = 1 + len(operands), []
        for row in _rows(self, (*operands, *options.values())):
            results.append(getattr(row[0], method)(*row[1:end], **dict(zip(options, row[end:], strict=True))))
        return self if method.endswith("_") else tuple(results)

    call.__name__ = call.__qualname__ = f"_foreach_{method}"
    call.__doc__ = f"`Tensor.{method}` of each tensor in a list."
    return call


def _each_with_value(method: str) -> Callable[..., Any]:
    """The function that calls `addcmul` or its like of each tensor, with one value for all or one for each."""
    each = _each(method)

    def call(self: Any, tensor1: Any, tensor2: Any, value: Any = 1) -> Any:
        return each(self, tensor1, tensor2, value=value.tolist() if isinstance(value, Tensor) else value)

    return wraps(each)(call)


for _name in METHODS:
    globals()[f"_foreach_{_name}"] = _each(_name)
    globals()[f"_foreach_{_name}_"] = _each(f"{_name}_")

_foreach_addcmul, _foreach_addcmul_ = _each_with_value("addcmul"), _each_with_value("addcmul_")
_foreach_addcdiv, _foreach_addcdiv_ = _each_with_value("addcdiv"), _each_with_value("addcdiv_")
_foreach_maximum, _foreach_maximum_ = _each("clamp_min"), _each("clamp_min_")  # which take numbers too
_foreach_minimum, _foreach_minimum_ = _each("clamp_max"), _each("clamp_max_")
_foreach_clone, _foreach_copy_, _foreach_zero_, _foreach_max = _each("clone"), _each("copy_"), _each("zero_"), _each("max")
_foreach_pow_ = _each("pow_")


def _foreach_pow(self: Any, exponent: Any) -> Any:
    """Each tensor to a power, or a number to the power of each."""
    if isinstance(self, list | tuple):
        return _each("pow")(self, exponent)
    return tuple(self ** row[0] for row in _rows(exponent, ()))


def _foreach_norm(self: Any, ord: float = 2, dtype: Any = None) -> Any:
    """The norm of each tensor, as a tuple of 0-d tensors."""
    return tuple(row[0].norm(ord, dtype=dtype) for row in _rows(self, ()))
