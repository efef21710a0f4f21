"""Primitives without a derivative that is of use: comparisons, logic, bits, tests of floats."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_nn.op import Array, Guard, Op, op, refuse


def _declare(name: str, ufunc: np.ufunc, doc: str, *sample: Any, guard: Guard | None = None) -> Op:
    """A primitive that is a NumPy ufunc and no more."""

    def binary(a: Any, b: Any, /) -> Any:
        return ufunc(a, b)

    def unary(x: Any, /) -> Any:
        return ufunc(x)

    forward: Callable[..., Any] = binary if ufunc.nin == 2 else unary
    forward.__name__, forward.__doc__ = name, doc
    declared = op(promote="common", quiet=True, ufunc=ufunc, guard=guard)(forward)
    return declared.sample(*sample)


def _bits(name: str, ufunc: np.ufunc, doc: str, *sample: Any, guard: Guard | None = None) -> Op:
    """A primitive that is a NumPy ufunc on whole numbers."""
    declared = _declare(name, ufunc, doc, *sample, guard=guard)
    declared.forward = _without_floats(name, declared.forward)
    return declared


def _without_floats(name: str, forward: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*arrays: Any) -> Any:
        if np.result_type(*arrays).kind == "f":
            raise NotImplementedError(f'"{name}" not implemented for floats, got {np.result_type(*arrays)}')
        return forward(*arrays)

    return checked


_FLOATS = ((2, 3), (3,))
_BITS = (np.array([[0, 1, 6], [7, -1, 2]]), np.array([3, 0, 5]))

eq = _declare("eq", np.equal, "a == b.", *_FLOATS)
ne = _declare("ne", np.not_equal, "a != b.", *_FLOATS)
lt = _declare("lt", np.less, "a < b.", *_FLOATS)
le = _declare("le", np.less_equal, "a <= b.", *_FLOATS)
gt = _declare("gt", np.greater, "a > b.", *_FLOATS)
ge = _declare("ge", np.greater_equal, "a >= b.", *_FLOATS)
logical_and = _declare("logical_and", np.logical_and, "Both a and b are non-zero.", *_FLOATS)
logical_or = _declare("logical_or", np.logical_or, "a or b is non-zero.", *_FLOATS)
logical_xor = _declare("logical_xor", np.logical_xor, "Just one of a and b is non-zero.", *_FLOATS)
logical_not = _declare("logical_not", np.logical_not, "x is zero.", (2, 3))
bitwise_and = _bits("bitwise_and", np.bitwise_and, "The bits both have.", *_BITS)
bitwise_or = _bits("bitwise_or", np.bitwise_or, "The bits either has.", *_BITS)
bitwise_xor = _bits("bitwise_xor", np.bitwise_xor, "The bits just one has.", *_BITS)
bitwise_not = _bits("bitwise_not", np.invert, "The bits inverted.", _BITS[0])
isnan = _declare("isnan", np.isnan, "x is not a number.", (2, 3))
isinf = _declare("isinf", np.isinf, "x is infinite.", (2, 3))
isfinite = _declare("isfinite", np.isfinite, "x is neither infinite nor NaN.", (2, 3))
gcd = _bits("gcd", np.gcd, "The greatest common divisor.", *_BITS, guard=refuse("b"))
lcm = _bits("lcm", np.lcm, "The least common multiple.", *_BITS, guard=refuse("b"))
nextafter = _declare("nextafter", np.nextafter, "The next float after a towards b.", *_FLOATS, guard=refuse("bui"))
nextafter.vjp(a=lambda g, a, b: np.where(a == b, 0.0, g), b=lambda g, b: np.zeros_like(b))


@op(promote="common")
def signbit(x: Array, /) -> Array:
    """x is negative, or -0.0."""
    return np.signbit(x) if x.dtype.kind == "f" else np.less(x, 0)


signbit.sample((2, 3))


@op(promote="common", ufunc=np.heaviside)
def heaviside(a: Array, b: Array, /) -> Array:
    """1 above 0, b at 0, and 0 elsewhere; the derivative is refused, as it is in PyTorch."""
    return np.where(np.equal(a, 0), b, np.greater(a, 0)).astype(np.result_type(a, b))


heaviside.no_vjp().sample(*_FLOATS)


def _misses(a: Any, b: Any) -> tuple[Any, int]:
    """Where b is no number of places to shift a by, and the greatest that is."""
    bits = 8 * np.result_type(a, b).itemsize
    return np.less(b, 0) | np.greater_equal(b, bits), bits - 1


@op(promote="common", ufunc=np.left_shift, guard=refuse("b"))
def bitwise_left_shift(a: Array, b: Array, /) -> Array:
    """The bits of a moved up by b places, those beyond the last dropped."""
    beyond, last = _misses(a, b)
    return np.where(beyond, 0, np.left_shift(a, np.where(beyond, last, b))).astype(np.result_type(a, b))


@op(promote="common", ufunc=np.right_shift, guard=refuse("b"))
def bitwise_right_shift(a: Array, b: Array, /) -> Array:
    """The bits of a moved down by b places; the sign stays."""
    beyond, last = _misses(a, b)
    kept = np.right_shift(a, np.where(beyond, last, b).astype(np.result_type(a, b)))
    return np.where(beyond & np.greater_equal(a, 0), 0, kept).astype(np.result_type(a, b))


bitwise_left_shift.sample(*_BITS)
bitwise_right_shift.sample(*_BITS)
for _shift in (bitwise_left_shift, bitwise_right_shift):
    _shift.forward = _without_floats(_shift.name, _shift.forward)
