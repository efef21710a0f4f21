"""Functions that compare and test element by element, and the logic of bools and bits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tinygrad_nn.methods.faces import (
    expect_tensor,
    is_bool,
    is_floating,
    of_either,
    of_tensor,
    of_tensor_and_number,
    of_tensors,
)
from tinygrad_nn.ops import compare as ops
from tinygrad_nn.ops import elementwise

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "eq", "ge",
    "greater", "greater_equal", "gt", "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "le", "less",
    "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "ne", "not_equal", "signbit",
]  # fmt: skip

eq, ne = of_tensor_and_number(ops.eq), of_tensor_and_number(ops.ne)
lt, le, gt, ge = (of_tensor_and_number(op) for op in (ops.lt, ops.le, ops.gt, ops.ge))
isnan, isinf, isfinite, signbit = (of_tensor(op) for op in (ops.isnan, ops.isinf, ops.isfinite, ops.signbit))
logical_and, logical_or, logical_xor = (of_tensors(op) for op in (ops.logical_and, ops.logical_or, ops.logical_xor))
logical_not = of_tensor(ops.logical_not)
bitwise_and, bitwise_or, bitwise_xor = (of_either(op) for op in (ops.bitwise_and, ops.bitwise_or, ops.bitwise_xor))
bitwise_left_shift, bitwise_right_shift = of_either(ops.bitwise_left_shift), of_either(ops.bitwise_right_shift)
bitwise_not = of_tensor(ops.bitwise_not)


def isposinf(input: Tensor) -> Tensor:
    """Where the element is infinity."""
    return eq(input, math.inf)


def isneginf(input: Tensor) -> Tensor:
    """Where the element is minus infinity."""
    return eq(input, -math.inf)


def isreal(input: Tensor) -> Tensor:
    """Where the element is real: everywhere, since no dtype here is complex."""
    expect_tensor("isreal", "input", input)
    return ops.logical_not(elementwise.where(ops.isnan(input), False, False))


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where |input - other| <= atol + rtol * |other|; equal infinities are close, NaNs if `equal_nan`."""
    expect_tensor("isclose", "input", input)
    expect_tensor("isclose", "other", other)
    if input.dtype != other.dtype:
        raise RuntimeError(f"isclose: expected tensors of one dtype, got {input.dtype} and {other.dtype}")
    if rtol < 0 or atol < 0:
        raise RuntimeError(f"isclose: expected rtol and atol of at least 0, got {rtol} and {atol}")
    close = eq(input, other)
    if equal_nan and is_floating(input):
        close = close | (isnan(input) & isnan(other))
    if is_bool(input):
        input, other = input.to(np.dtype(np.uint8)), other.to(np.dtype(np.uint8))
    with np.errstate(invalid="ignore"):  # infinities cancel
        apart = elementwise.abs(elementwise.sub(input, other))
    near = le(apart, elementwise.add(elementwise.abs(elementwise.mul(other, rtol)), atol))
    return close | (near & isfinite(apart))


greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
