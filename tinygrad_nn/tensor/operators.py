"""Python's operators on tensors: each is a function of `methods`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn.methods import compare, matrices, pointwise
from tinygrad_nn.ops import elementwise
from tinygrad_nn.tensor.in_place import in_place
from tinygrad_nn.variable import record, wrap

if TYPE_CHECKING:
    from tinygrad_nn.tensor.tensor import Tensor


def _augmented(function: Any) -> Any:
    """The operator, such as `+=`, that writes what `function` gives into its tensor."""
    write = in_place(function)

    def method(self: Any, other: Any) -> Any:
        return _tried(write, self, other)

    return method


class Operators:
    """What Python's operators do with tensors; where they cannot, Python asks the other operand."""

    __slots__ = ()

    def __add__(self: Any, other: Any) -> Tensor:
        try:
            return record(elementwise.add, (self, other), {})
        except TypeError:
            return NotImplemented

    def __radd__(self: Any, other: Any) -> Tensor:
        try:
            return record(elementwise.add, (other, self), {})
        except TypeError:
            return NotImplemented

    def __sub__(self: Any, other: Any) -> Tensor:
        try:
            return record(elementwise.sub, (self, other), {})
        except TypeError:
            return NotImplemented

    def __rsub__(self: Any, other: Any) -> Tensor:
        try:
            return record(elementwise.sub, (other, self), {})
        except TypeError:
            return NotImplemented

    def __mul__(self: Any, other: Any) -> Tensor:
        try:
            return record(elementwise.mul, (self, other), {})
        except TypeError:
            return NotImplemented

    def __rmul__(self: Any, other: Any) -> Tensor:
        try:
            return record(elementwise.mul, (other, self), {})
        except TypeError:
            return NotImplemented

    def __truediv__(self: Any, other: Any) -> Tensor:
        try:
            return record(elementwise.div, (self, other), {})
        except TypeError:
            return NotImplemented

    def __rtruediv__(self: Any, other: Any) -> Tensor:
        try:
            return record(elementwise.div, (other, self), {})
        except TypeError:
            return NotImplemented

    __div__, __rdiv__ = __truediv__, __rtruediv__  # Python 2's names, which PyTorch keeps

    def __floordiv__(self: Any, other: Any) -> Tensor:
        return _tried(pointwise.floor_divide, self, other)

    def __rfloordiv__(self: Any, other: Any) -> Tensor:
        return _tried(pointwise.floor_divide, other, self)

    def __mod__(self: Any, other: Any) -> Tensor:
        return _tried(pointwise.remainder, self, other)

    def __rmod__(self: Any, other: Any) -> Tensor:
        return _tried(pointwise.remainder, other, self)

    def __pow__(self: Any, other: Any) -> Tensor:
        try:
            return pointwise.pow(self, other)
        except TypeError:
            return NotImplemented

    def __rpow__(self: Any, other: Any) -> Tensor:
        try:
            return pointwise.pow(other, self)
        except TypeError:
            return NotImplemented

    def __matmul__(self: Any, other: Any) -> Tensor:
        if isinstance(other, np.ndarray):  # NumPy's product, as in PyTorch: of two dtypes, and with no gradient
            return wrap(np.asarray(np.matmul(self.numpy(), other)))
        try:
            return matrices.matmul(self, other)
        except TypeError:
            return NotImplemented

    def __rmatmul__(self: Any, other: Any) -> Tensor:
        try:
            return matrices.matmul(other, self)
        except TypeError:
            return NotImplemented

    def __neg__(self: Any) -> Tensor:
        return pointwise.neg(self)

    def __pos__(self: Any) -> Tensor:
        return pointwise.positive(self)

    def __abs__(self: Any) -> Tensor:
        return pointwise.abs(self)

    def __invert__(self: Any) -> Tensor:
        if self.is_floating_point():
            raise TypeError(f"~ (operator.invert) is only implemented on integer and Boolean-type tensors, got {self.dtype}")
        return compare.bitwise_not(self)

    def __and__(self: Any, other: Any) -> Tensor:
        return _tried(compare.bitwise_and, self, other)

    def __or__(self: Any, other: Any) -> Tensor:
        return _tried(compare.bitwise_or, self, other)

    def __xor__(self: Any, other: Any) -> Tensor:
        return _tried(compare.bitwise_xor, self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __lshift__(self: Any, other: Any) -> Tensor:
        return _tried(compare.bitwise_left_shift, self, other)

    def __rlshift__(self: Any, other: Any) -> Tensor:
        return _tried(compare.bitwise_left_shift, other, self)

    def __rshift__(self: Any, other: Any) -> Tensor:
        return _tried(compare.bitwise_right_shift, self, other)

    def __rrshift__(self: Any, other: Any) -> Tensor:
        return _tried(compare.bitwise_right_shift, other, self)

    def __eq__(self: Any, other: Any) -> Any:
        return _tried(compare.eq, self, other)

    def __ne__(self: Any, other: Any) -> Any:
        return _tried(compare.ne, self, other)

    def __lt__(self: Any, other: Any) -> Tensor:
        return _tried(compare.lt, self, other)

    def __le__(self: Any, other: Any) -> Tensor:
        return _tried(compare.le, self, other)

    def __gt__(self: Any, other: Any) -> Tensor:
        return _tried(compare.gt, self, other)

    def __ge__(self: Any, other: Any) -> Tensor:
        return _tried(compare.ge, self, other)

    __iadd__, __isub__, __imul__ = _augmented(pointwise.add), _augmented(pointwise.sub), _augmented(pointwise.mul)
    __itruediv__, __ipow__ = _augmented(pointwise.div), _augmented(pointwise.pow)
    __ifloordiv__, __imod__ = _augmented(pointwise.floor_divide), _augmented(pointwise.remainder)
    __iand__, __ior__, __ixor__ = _augmented(compare.bitwise_and), _augmented(compare.bitwise_or), _augmented(compare.bitwise_xor)
    __ilshift__, __irshift__ = _augmented(compare.bitwise_left_shift), _augmented(compare.bitwise_right_shift)


def _tried(function: Any, a: Any, b: Any) -> Any:
    """What a function makes of two operands; without an answer, Python asks the other operand for one."""
    try:
        return function(a, b)
    except TypeError:
        return NotImplemented
