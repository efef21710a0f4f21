"""Primitives without a derivative: comparisons, logic, bits, tests of floats and whole-number division."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_nn.op import Op, op


def _declare(name: str, ufunc: np.ufunc, doc: str, *sample: Any) -> Op:
    """A primitive that is a NumPy ufunc and no more."""

    def binary(a: Any, b: Any, /) -> Any:
        return ufunc(a, b)

    def unary(x: Any, /) -> Any:
        return ufunc(x)

    forward: Callable[..., Any] = binary if ufunc.nin == 2 else unary
    forward.__name__, forward.__doc__ = name, doc
    declared = op(promote="common", quiet=True, ufunc=ufunc)(forward)
    return declared.sample(*sample)


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
bitwise_and = _declare("bitwise_and", np.bitwise_and, "The bits both have.", *_BITS)
bitwise_or = _declare("bitwise_or", np.bitwise_or, "The bits either has.", *_BITS)
bitwise_xor = _declare("bitwise_xor", np.bitwise_xor, "The bits just one has.", *_BITS)
bitwise_not = _declare("bitwise_not", np.invert, "The bits inverted.", _BITS[0])
isnan = _declare("isnan", np.isnan, "x is not a number.", (2, 3))
isinf = _declare("isinf", np.isinf, "x is infinite.", (2, 3))
isfinite = _declare("isfinite", np.isfinite, "x is neither infinite nor NaN.", (2, 3))
floor_divide = _declare("floor_divide", np.floor_divide, "a / b rounded down.", *_FLOATS)


@op(promote="common", quiet=True)
def truncate_divide(a: Any, b: Any, /) -> Any:
    """a / b rounded towards zero."""
    quotient = np.trunc(np.true_divide(a, b))
    return quotient.astype(np.result_type(a, b), copy=False)


truncate_divide.sample(*_FLOATS)
