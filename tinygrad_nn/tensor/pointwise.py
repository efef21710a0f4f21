"""The methods that work element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_nn.methods import pointwise
from tinygrad_nn.tensor.in_place import in_place

if TYPE_CHECKING:
    from tinygrad_nn.tensor.tensor import Tensor


class Pointwise:
    """The methods that work element by element."""

    __slots__ = ()

    add = pointwise.add
    sub = pointwise.sub
    mul = pointwise.mul
    div = pointwise.div
    pow = pointwise.pow
    neg = pointwise.neg
    abs = pointwise.abs
    sign = pointwise.sign
    exp = pointwise.exp
    log = pointwise.log
    log1p = pointwise.log1p
    expm1 = pointwise.expm1
    sqrt = pointwise.sqrt
    rsqrt = pointwise.rsqrt
    square = pointwise.square
    reciprocal = pointwise.reciprocal
    sin = pointwise.sin
    cos = pointwise.cos
    tanh = pointwise.tanh
    sigmoid = pointwise.sigmoid
    relu = pointwise.relu
    erf = pointwise.erf
    maximum = pointwise.maximum
    minimum = pointwise.minimum
    clamp = pointwise.clamp
    masked_fill = pointwise.masked_fill
    eq = pointwise.eq
    ne = pointwise.ne
    lt = pointwise.lt
    le = pointwise.le
    gt = pointwise.gt
    ge = pointwise.ge
    floor_divide = pointwise.floor_divide
    remainder = pointwise.remainder
    logical_not = pointwise.logical_not
    logical_and = pointwise.logical_and
    logical_or = pointwise.logical_or
    bitwise_not = pointwise.bitwise_not
    bitwise_and = pointwise.bitwise_and
    bitwise_or = pointwise.bitwise_or
    bitwise_xor = pointwise.bitwise_xor
    isnan = pointwise.isnan
    isinf = pointwise.isinf
    isfinite = pointwise.isfinite
    floor = pointwise.floor
    ceil = pointwise.ceil
    round = pointwise.round
    subtract = pointwise.sub
    multiply = pointwise.mul
    divide = pointwise.div
    true_divide = pointwise.div
    absolute = pointwise.abs
    negative = pointwise.neg
    clip = pointwise.clamp
    add_ = in_place(pointwise.add)
    sub_ = in_place(pointwise.sub)
    mul_ = in_place(pointwise.mul)
    div_ = in_place(pointwise.div)
    pow_ = in_place(pointwise.pow)
    neg_ = in_place(pointwise.neg)
    abs_ = in_place(pointwise.abs)
    exp_ = in_place(pointwise.exp)
    log_ = in_place(pointwise.log)
    log1p_ = in_place(pointwise.log1p)
    sqrt_ = in_place(pointwise.sqrt)
    rsqrt_ = in_place(pointwise.rsqrt)
    square_ = in_place(pointwise.square)
    reciprocal_ = in_place(pointwise.reciprocal)
    sin_ = in_place(pointwise.sin)
    cos_ = in_place(pointwise.cos)
    tanh_ = in_place(pointwise.tanh)
    sigmoid_ = in_place(pointwise.sigmoid)
    relu_ = in_place(pointwise.relu)
    clamp_ = in_place(pointwise.clamp)
    masked_fill_ = in_place(pointwise.masked_fill)
    floor_ = in_place(pointwise.floor)
    ceil_ = in_place(pointwise.ceil)
    round_ = in_place(pointwise.round)
    clip_ = clamp_

    def where(self: Any, condition: Tensor, other: Any) -> Tensor:
        """This tensor where `condition` holds, `other` elsewhere."""
        return pointwise.where(condition, self, other)
