"""Functions that work element by element: arithmetic, powers, angles, rounding, bounds and choices."""

from __future__ import annotations

import builtins
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn import return_types
from tinygrad_nn.dtypes import get_default_dtype, number_in
from tinygrad_nn.methods.faces import (
    Number,
    expect_fit,
    expect_tensor,
    in_common,
    is_bool,
    is_floating,
    is_tensor,
    of_either,
    of_tensor,
    of_tensor_and_number,
    of_tensors,
    old_order,
    put_into,
)
from tinygrad_nn.op_node import named
from tinygrad_nn.ops import compare, piecewise, rounding, trigonometric
from tinygrad_nn.ops import elementwise as ops

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "addcdiv", "addcmul", "angle", "arccos", "arccosh", "arcsin", "arcsinh", "arctan",
    "arctan2", "arctanh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "clamp", "clamp_max", "clamp_min", "clip", "conj",
    "conj_physical", "copysign", "cos", "cosh", "deg2rad", "div", "divide", "exp", "exp2", "expm1", "fix", "float_power", "floor",
    "floor_divide", "fmax", "fmin", "fmod", "frac", "frexp", "gcd", "heaviside", "hypot", "lcm", "ldexp", "lerp", "log", "log1p",
    "log2", "log10", "logaddexp", "logaddexp2", "masked_fill", "maximum", "minimum", "mul", "multiply", "nan_to_num", "neg",
    "negative", "nextafter", "positive", "pow", "rad2deg", "real", "reciprocal", "relu", "remainder", "resolve_conj",
    "resolve_neg", "round", "rsqrt", "rsub", "sgn", "sigmoid", "sign", "sin", "sinc", "sinh", "sqrt", "square", "sub", "subtract",
    "tan", "tanh", "true_divide", "trunc", "where",
]  # fmt: skip


# what is a primitive and no more

abs, sign, neg, relu = of_tensor(ops.abs), of_tensor(ops.sign), of_tensor(ops.neg), of_tensor(piecewise.relu)
exp, exp2, expm1 = of_tensor(ops.exp), of_tensor(ops.exp2), of_tensor(ops.expm1)
log, log2, log10, log1p = of_tensor(ops.log), of_tensor(ops.log2), of_tensor(ops.log10), of_tensor(ops.log1p)
sqrt, sigmoid = of_tensor(ops.sqrt), of_tensor(ops.sigmoid)
sin, cos, tan = of_tensor(trigonometric.sin), of_tensor(trigonometric.cos), of_tensor(trigonometric.tan)
asin, acos, atan = of_tensor(trigonometric.asin), of_tensor(trigonometric.acos), of_tensor(trigonometric.atan)
sinh, cosh, tanh = of_tensor(trigonometric.sinh), of_tensor(trigonometric.cosh), of_tensor(trigonometric.tanh)
asinh, acosh, atanh = of_tensor(trigonometric.asinh), of_tensor(trigonometric.acosh), of_tensor(trigonometric.atanh)
floor, ceil, trunc = of_tensor(rounding.floor), of_tensor(rounding.ceil), of_tensor(rounding.trunc)
atan2, hypot = of_tensors(trigonometric.atan2), of_tensors(trigonometric.hypot)
maximum, minimum, fmax, fmin = of_tensors(ops.maximum), of_tensors(ops.minimum), of_tensors(ops.fmax), of_tensors(ops.fmin)
logaddexp, logaddexp2 = of_tensors(ops.logaddexp), of_tensors(ops.logaddexp2)
gcd, lcm, nextafter = of_tensors(compare.gcd), of_tensors(compare.lcm), of_tensors(compare.nextafter)
copysign, fmod = of_tensor_and_number(ops.copysign), of_tensor_and_number(rounding.fmod)
floor_divide, mul = of_either(rounding.floor_divide), of_either(ops.mul)


# arithmetic


def add(
    input: Tensor | Number, other: Tensor | Number, _old: Any = None, *, alpha: Number = 1, out: Tensor | None = None
) -> Tensor:
    """input + alpha * other, broadcast together; a whole result allows no broken alpha (RuntimeError)."""
    if _old is not None:
        (other,), (alpha,) = old_order("add", 1, other, _old)
    y = ops.add(input, other if type(alpha) is int and alpha == 1 else _times(input, other, alpha))
    return y if out is None else put_into(out, y, "add")


def sub(
    input: Tensor | Number, other: Tensor | Number, _old: Any = None, *, alpha: Number = 1, out: Tensor | None = None
) -> Tensor:
    """input - alpha * other, broadcast together; bools and, for a whole result, a broken alpha are a RuntimeError."""
    if _old is not None:
        (other,), (alpha,) = old_order("sub", 1, other, _old)
    plain = (type(alpha) is int and alpha == 1) or is_bool(other)  # bools the primitive refuses
    y = ops.sub(input, other if plain else _times(input, other, alpha))
    return y if out is None else put_into(out, y, "sub")


def _times(input: Any, other: Any, alpha: Number) -> Any:
    if isinstance(alpha, bool) and not (is_bool(input) and is_bool(other)):
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, float) and not (is_floating(input) or is_floating(other)):
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    return ops.mul(in_common(other, input), bool(alpha) if is_bool(input) and is_bool(other) else alpha)


def rsub(input: Tensor, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """other - alpha * input, broadcast together."""
    expect_tensor("rsub", "input", input)
    return sub(other, input, alpha=alpha)


def div(
    input: Tensor | Number, other: Tensor | Number, *, rounding_mode: str | None = None, out: Tensor | None = None
) -> Tensor:
    """input / other, broadcast together; `rounding_mode` is None, 'trunc' or 'floor', whose gradients are 0."""
    if out is not None:
        return put_into(out, div(input, other, rounding_mode=rounding_mode), "div")
    if rounding_mode is None:
        return ops.div(input, other)
    if rounding_mode == "floor":
        return rounding.divide_floor(input, other)
    if rounding_mode == "trunc":
        return rounding.divide_trunc(input, other)
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")


def remainder(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """input - floor(input / other) * other: the remainder with the sign of `other`."""
    if is_tensor(input):
        return rounding.remainder(input, other)
    expect_tensor("remainder", "other", other)
    return rounding.remainder_of(input, other)


def reciprocal(input: Tensor) -> Tensor:
    """1 / input."""
    expect_tensor("reciprocal", "input", input)
    return named(ops.div(1.0, input), "ReciprocalBackward0")


def positive(input: Tensor) -> Tensor:
    """The input itself; RuntimeError for bools."""
    expect_tensor("positive", "input", input)
    if is_bool(input):
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def conj(input: Tensor) -> Tensor:
    """The input itself: numbers here are real."""
    expect_tensor("conj", "input", input)
    return input


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, _old: Any = None, *, value: Number = 1) -> Tensor:
    """input + value * tensor1 * tensor2, broadcast together."""
    if _old is not None:
        (tensor1, tensor2), (value,) = old_order("addcmul", 2, tensor1, tensor2, _old)
    expect_tensor("addcmul", "tensor1", tensor1)
    expect_tensor("addcmul", "tensor2", tensor2)
    product = ops.mul(tensor1, tensor2)
    if is_bool(product) and is_bool(input):
        raise NotImplementedError('"addcmul" not implemented for bool')
    if not is_floating(input) and not is_floating(product):
        value = int(value)
    return named(ops.add(input, product if value == 1 else ops.mul(product, value)), "AddcmulBackward0")


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, _old: Any = None, *, value: Number = 1) -> Tensor:
    """input + value * tensor1 / tensor2, broadcast together; RuntimeError if both tensors hold whole numbers."""
    if _old is not None:
        (tensor1, tensor2), (value,) = old_order("addcdiv", 2, tensor1, tensor2, _old)
    expect_tensor("addcdiv", "tensor1", tensor1)
    expect_tensor("addcdiv", "tensor2", tensor2)
    if not is_floating(tensor1) and not is_floating(tensor2):
        raise RuntimeError(f"addcdiv: expected tensor1 or tensor2 of floats, got {tensor1.dtype} and {tensor2.dtype}")
    scaled = tensor1 if value == 1 else ops.mul(in_common(tensor1, input, tensor2), value)
    return named(ops.add(input, ops.div(scaled, tensor2)), "AddcdivBackward0")


def lerp(input: Tensor, end: Tensor, weight: Tensor | Number) -> Tensor:
    """input + weight * (end - input), exact at weight 1; all in one floating dtype."""
    expect_tensor("lerp", "end", end)
    for name, value in (("end", end), ("weight", weight)):
        if is_tensor(value) and value.dtype != input.dtype and (name == "end" or value.ndim):  # type: ignore[union-attr]
            raise RuntimeError(f"lerp: expected dtype {input.dtype} for `{name}`, got {value.dtype}")  # type: ignore[union-attr]
    if not is_floating(input) and not (is_tensor(weight) and is_floating(weight)):
        raise NotImplementedError(f'"lerp" not implemented for {input.dtype}')
    return ops.lerp(input, end, weight)


# powers


def pow(input: Tensor | Number, exponent: Tensor | Number) -> Tensor:
    """input ** exponent, broadcast together; integers to a negative power that is a number are a RuntimeError."""
    if not is_tensor(input):
        expect_tensor("pow", "exponent", exponent)
        exponent = exponent.contiguous()  # type: ignore[union-attr]
    elif isinstance(exponent, bool | int | float):
        if exponent == 2 and is_floating(input):
            return _squared(input, exponent)
        if isinstance(exponent, int) and exponent < 0 and not is_floating(input):
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        expect_fit(exponent, input)
    return ops.pow(input, exponent)


def _squared(input: Any, exponent: float) -> Any:
    """input ** 2, computed as a product, which is quicker."""
    return input.__record__(ops.pow, (input, exponent), {}, input._data * input._data)


def float_power(input: Tensor | Number, exponent: Tensor | Number) -> Tensor:
    """input ** exponent in float64, broadcast together."""
    double = np.dtype(np.float64)
    input, exponent = (v.to(double) if is_tensor(v) else v for v in (input, exponent))  # type: ignore[union-attr]
    return pow(input, exponent)


def square(input: Tensor) -> Tensor:
    """input ** 2."""
    return pow(input, 2)


def rsqrt(input: Tensor) -> Tensor:
    """1 / sqrt(input)."""
    return named(ops.div(1.0, sqrt(input)), "RsqrtBackward0", input)


def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """input * 2 ** other."""
    expect_tensor("ldexp", "input", input)
    expect_tensor("ldexp", "other", other)
    if is_bool(other) and is_floating(input):
        raise NotImplementedError('"ldexp" not implemented for an exponent of bools')
    power = ops.pow(2.0, in_common(other, input, floating=True))
    return ops.mul(in_common(input, other, floating=True), power)


def frexp(input: Tensor) -> Any:
    """The mantissa, of a size from 0.5 to below 1, and the int32 exponent with mantissa * 2**exponent = input."""
    expect_tensor("frexp", "input", input)
    if not is_floating(input):
        raise RuntimeError(f"torch.frexp() only supports floating-point dtypes, got {input.dtype}")
    exponent = np.frexp(input.detach().numpy())[1]
    half = -exponent // 2  # in two steps, since 2**-exponent alone may overflow
    first, second = (np.ldexp(np.ones((), input.dtype.numpy), power) for power in (half, -exponent - half))
    return return_types.frexp(ops.mul(ops.mul(input, first), second), input.rewrap(exponent.astype(np.int32), None))


# angles


def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians."""
    expect_tensor("deg2rad", "input", input)
    return ops.mul(input, math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees."""
    expect_tensor("rad2deg", "input", input)
    return ops.mul(input, 180 / math.pi)


def sinc(input: Tensor) -> Tensor:
    """sin(π input) / (π input), and 1 at 0."""
    zero = compare.eq(input, 0)
    angle = ops.mul(ops.where(zero, 1.0, input), math.pi)  # safe to divide by, in the branch not taken too
    return ops.where(zero, 1.0, ops.div(sin(angle), angle))


def angle(input: Tensor) -> Tensor:
    """The angle of a real number in the complex plane: 0, and π below 0; its slope is 0."""
    expect_tensor("angle", "input", input)
    x = input if is_floating(input) else input.to(get_default_dtype())
    return ops.where(compare.isnan(x), math.nan, ops.mul(piecewise.relu(ops.neg(ops.sign(x))), math.pi))


# rounding


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """The nearest number with so many decimals, halves to even; its slope is 0."""
    expect_tensor("round", "input", input)
    if decimals == 0:
        return rounding.round(input)
    if not is_floating(input):
        raise NotImplementedError(f'"round" to decimals not implemented for {input.dtype}')
    scale = 10.0 ** builtins.abs(decimals)
    there, back = (ops.mul, ops.div) if decimals > 0 else (ops.div, ops.mul)
    return back(rounding.round(there(input, scale)), scale)


def frac(input: Tensor) -> Tensor:
    """The input without its whole part: input - trunc(input)."""
    expect_tensor("frac", "input", input)
    if not is_floating(input):
        raise NotImplementedError(f'"frac" not implemented for {input.dtype}')
    return ops.sub(input, rounding.trunc(input))


# bounds and choices


_PLAIN = (float, int, bool, type(None))


def clamp(input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None) -> Tensor:
    """input held between `min` and `max`, numbers or tensors; one of them may be None. NaN stays, and comes from a NaN bound."""
    expect_tensor("clamp", "input", input)
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if is_floating(input) and type(min) in _PLAIN and type(max) in _PLAIN:
        return ops.clip(input, low=min, high=max)
    if is_bool(input) and (min is None or is_bool(min)) and (max is None or is_bool(max)):
        raise NotImplementedError('"clamp" not implemented for bool')
    if max is None:
        return clamp_min(input, min)  # type: ignore[arg-type]
    if min is None:
        return clamp_max(input, max)
    expect_fit(min, input)
    expect_fit(max, input)
    return ops.clamp(input, min, max)


def clamp_min(input: Tensor, min: Tensor | Number) -> Tensor:
    """The larger of input and `min`."""
    expect_tensor("clamp_min", "input", input)
    expect_fit(min, input)
    return ops.clamp_min(input, min)


def clamp_max(input: Tensor, max: Tensor | Number) -> Tensor:
    """The smaller of input and `max`."""
    expect_tensor("clamp_max", "input", input)
    expect_fit(max, input)
    return ops.clamp_max(input, max)


def where(condition: Tensor, input: Tensor | Number | None = None, other: Tensor | Number | None = None) -> Any:
    """input where `condition` (bool) holds, other elsewhere, broadcast together; alone, the indices where it holds."""
    expect_tensor("where", "condition", condition)
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    if input is None or other is None:
        raise TypeError("where(): expected a condition alone, or both 'input' and 'other'; got one of them")
    if condition.dtype.numpy.kind not in "bu":
        raise RuntimeError(f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype}")
    expect_fit(input, other)
    expect_fit(other, input)
    return ops.where(condition, input, other)


def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """input with `value`, a number or a 0-d tensor, wherever `mask` (bool, broadcast to input) holds; its dtype stays."""
    if not is_bool(mask):
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype}")
    filled = ops.where(mask, _fitted(value, input), input if input.is_contiguous() else ops.copy(input))
    return named(filled, "MaskedFillBackward0", input)


def _fitted(value: Any, input: Tensor) -> Any:
    """A number or a 0-d tensor in the dtype of the input; RuntimeError if it does not fit."""
    if is_tensor(value) and value.ndim:
        raise RuntimeError(f"masked_fill_ only supports a 0-dimensional value tensor, but got {value.ndim} dimension(s)")
    if is_tensor(value) and is_floating(input):
        return value.to(input.dtype)
    return number_in(value.item() if is_tensor(value) else value, input.dtype.numpy).item()


def nan_to_num(input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """NaN replaced by `nan` (0), the infinities by `posinf` and `neginf` (the dtype's greatest and least); slope 0 there."""
    expect_tensor("nan_to_num", "input", input)
    if not is_floating(input):
        return input.clone()
    limits = np.finfo(input.dtype.numpy)
    result = ops.where(compare.isnan(input), 0.0 if nan is None else nan, input)
    result = ops.where(compare.eq(input, math.inf), float(limits.max) if posinf is None else posinf, result)
    return ops.where(compare.eq(input, -math.inf), float(limits.min) if neginf is None else neginf, result)


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """1 above 0, `values` at 0, 0 elsewhere; RuntimeError if the dtypes differ."""
    expect_tensor("heaviside", "input", input)
    expect_tensor("heaviside", "values", values)
    if input.dtype != values.dtype:
        raise RuntimeError(f"heaviside: expected tensors of one dtype, got {input.dtype} and {values.dtype}")
    return compare.heaviside(input, values)


clip, multiply, subtract, divide, true_divide = clamp, mul, sub, div, div
absolute, negative, fix, sgn, arctan2 = abs, neg, trunc, sign, atan2
real = conj_physical = resolve_conj = resolve_neg = conj
arcsin, arccos, arctan, arcsinh, arccosh, arctanh = asin, acos, atan, asinh, acosh, atanh
