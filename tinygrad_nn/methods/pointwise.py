"""Functions that work element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from tinygrad_nn.ops import compare
from tinygrad_nn.ops import elementwise as ops

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "abs", "absolute", "add", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "ceil", "clamp", "clip", "cos",
    "div", "divide", "eq", "erf", "exp", "expm1", "floor", "floor_divide", "ge", "gt", "isfinite", "isinf", "isnan",
    "le", "log", "log1p", "logical_and", "logical_not", "logical_or", "lt", "masked_fill", "maximum", "minimum", "mul",
    "multiply", "ne", "neg", "negative", "pow", "reciprocal", "relu", "remainder", "round", "rsqrt", "sigmoid", "sign",
    "sin", "sqrt", "square", "sub", "subtract", "tanh", "true_divide", "where",
]  # fmt: skip

Number: TypeAlias = bool | int | float


def add(input: Tensor, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """input + alpha * other, broadcast together."""
    return ops.add(input, other if alpha == 1 else ops.mul(other, alpha))


def sub(input: Tensor, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """input - alpha * other, broadcast together."""
    if _is_bool(input) and _is_bool(other):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported; use `^` or logical_xor() instead"
        )
    return ops.sub(input, other if alpha == 1 else ops.mul(other, alpha))


def mul(input: Tensor, other: Tensor | Number) -> Tensor:
    """input * other, broadcast together."""
    return ops.mul(input, other)


def div(input: Tensor, other: Tensor | Number, *, rounding_mode: str | None = None) -> Tensor:
    """input / other, broadcast together; `rounding_mode` is None, 'trunc' or 'floor' (those carry no gradient)."""
    if rounding_mode is None:
        return ops.div(input, other)
    if rounding_mode == "floor":
        return compare.floor_divide(input, other)
    if rounding_mode == "trunc":
        return compare.truncate_divide(input, other)
    raise RuntimeError(f"div: expected rounding_mode None, 'trunc' or 'floor', got '{rounding_mode}'")


def pow(input: Tensor | Number, exponent: Tensor | Number) -> Tensor:
    """input ** exponent, broadcast together; integers to a negative power are a RuntimeError."""
    if isinstance(exponent, int) and exponent < 0 and not _is_floating(input):
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    if isinstance(exponent, int | float) and exponent == 2:
        return ops.mul(input, input)
    return ops.pow(input, exponent)


def neg(input: Tensor) -> Tensor:
    """-input."""
    if _is_bool(input):
        raise RuntimeError("Negation, the `-` operator, on a bool tensor is not supported; use `~` or logical_not()")
    return ops.neg(input)


def positive(input: Tensor) -> Tensor:
    """The input itself."""
    return input


def abs(input: Tensor) -> Tensor:
    """|input|, with slope 0 at 0."""
    return ops.abs(input)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1 by the sign of each element."""
    return ops.sign(input)


def exp(input: Tensor) -> Tensor:
    """e ** input."""
    return ops.exp(input)


def log(input: Tensor) -> Tensor:
    """The natural logarithm."""
    return ops.log(input)


def log1p(input: Tensor) -> Tensor:
    """log(1 + input), exact for small input."""
    return ops.log1p(input)


def expm1(input: Tensor) -> Tensor:
    """exp(input) - 1, exact for small input."""
    return ops.expm1(input)


def sqrt(input: Tensor) -> Tensor:
    """The square root."""
    return ops.sqrt(input)


def rsqrt(input: Tensor) -> Tensor:
    """1 / sqrt(input)."""
    return ops.div(1.0, ops.sqrt(input))


def square(input: Tensor) -> Tensor:
    """input * input."""
    return ops.mul(input, input)


def reciprocal(input: Tensor) -> Tensor:
    """1 / input."""
    return ops.div(1.0, input)


def sin(input: Tensor) -> Tensor:
    """The sine of an angle in radians."""
    return ops.sin(input)


def cos(input: Tensor) -> Tensor:
    """The cosine of an angle in radians."""
    return ops.cos(input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return ops.tanh(input)


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-input))."""
    return ops.sigmoid(input)


def relu(input: Tensor) -> Tensor:
    """max(input, 0), with slope 0 at 0."""
    return ops.relu(input)


def erf(input: Tensor) -> Tensor:
    """The error function."""
    return ops.erf(input)


def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of the two; a tie gives each half the gradient."""
    return ops.maximum(input, other)


def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of the two; a tie gives each half the gradient."""
    return ops.minimum(input, other)


def where(condition: Tensor, input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """input where `condition` (bool) holds, other elsewhere, broadcast together."""
    if not _is_bool(condition):
        raise RuntimeError(f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype}")
    return ops.where(condition, input, other)


def clamp(input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None) -> Tensor:
    """input held between `min` and `max`, numbers or tensors; one of them may be None."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if not hasattr(min, "__record__") and not hasattr(max, "__record__"):
        return ops.clip(input, low=min, high=max)
    low = input if min is None else where(compare.gt(input, min), input, min)
    return low if max is None else where(compare.lt(low, max), low, max)


def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """input with `value` wherever `mask` (bool, broadcast to input) holds; its dtype stays."""
    if not _is_bool(mask):
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype}")
    filled: Tensor = ops.where(mask, value, input)
    return filled if filled.dtype == input.dtype else filled.to(input.dtype)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or (hasattr(value, "__record__") and value.dtype.numpy.kind == "b")


def _is_floating(value: Any) -> bool:
    return value.is_floating_point() if hasattr(value, "__record__") else isinstance(value, float)


def eq(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where input == other, as bools."""
    return compare.eq(input, other)


def ne(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where input != other, as bools."""
    return compare.ne(input, other)


def lt(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where input < other, as bools."""
    return compare.lt(input, other)


def le(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where input <= other, as bools."""
    return compare.le(input, other)


def gt(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where input > other, as bools."""
    return compare.gt(input, other)


def ge(input: Tensor, other: Tensor | Number) -> Tensor:
    """Where input >= other, as bools."""
    return compare.ge(input, other)


def floor_divide(input: Tensor, other: Tensor | Number) -> Tensor:
    """input / other rounded down; carries no gradient."""
    return compare.floor_divide(input, other)


def remainder(input: Tensor, other: Tensor | Number) -> Tensor:
    """input - floor(input / other) * other: the remainder with the sign of `other`."""
    return ops.remainder(input, other)


def logical_not(input: Tensor) -> Tensor:
    """Where the element is zero or False."""
    return compare.logical_not(input)


def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """Where both are non-zero."""
    return compare.logical_and(input, other)


def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """Where at least one is non-zero."""
    return compare.logical_or(input, other)


def bitwise_not(input: Tensor) -> Tensor:
    """The bits inverted; for bools, not."""
    return compare.bitwise_not(input)


def bitwise_and(input: Tensor, other: Tensor | Number) -> Tensor:
    """The bits that both have; for bools, and."""
    return compare.bitwise_and(input, other)


def bitwise_or(input: Tensor, other: Tensor | Number) -> Tensor:
    """The bits that either has; for bools, or."""
    return compare.bitwise_or(input, other)


def bitwise_xor(input: Tensor, other: Tensor | Number) -> Tensor:
    """The bits that just one has; for bools, exclusive or."""
    return compare.bitwise_xor(input, other)


def isnan(input: Tensor) -> Tensor:
    """Where the element is not a number."""
    return compare.isnan(input)


def isinf(input: Tensor) -> Tensor:
    """Where the element is plus or minus infinity."""
    return compare.isinf(input)


def isfinite(input: Tensor) -> Tensor:
    """Where the element is neither infinite nor NaN."""
    return compare.isfinite(input)


def floor(input: Tensor) -> Tensor:
    """The largest integer not above; its slope is 0."""
    return ops.floor(input)


def ceil(input: Tensor) -> Tensor:
    """The smallest integer not below; its slope is 0."""
    return ops.ceil(input)


def round(input: Tensor) -> Tensor:
    """The nearest integer, halves to even; its slope is 0."""
    return ops.round(input)


clip, multiply, subtract, divide, absolute, negative, true_divide = clamp, mul, sub, div, abs, neg, div
