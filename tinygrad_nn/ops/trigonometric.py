"""Primitives of angles: the circular and the hyperbolic functions and their inverses."""

from typing import Any

import numpy as np

from tinygrad_nn.op import Array, op, refuse


@op(promote="float", ufunc=np.sin, quiet=True)
def sin(x: Array, /) -> Array:
    """The sine of x in radians."""
    return np.sin(x)


sin.vjp(x=lambda g, x: g * np.cos(x)).sample((2, 3))


@op(promote="float", ufunc=np.cos, quiet=True)
def cos(x: Array, /) -> Array:
    """The cosine of x in radians."""
    return np.cos(x)


cos.vjp(x=lambda g, x: -g * np.sin(x)).sample((2, 3))


@op(promote="float", ufunc=np.tanh)
def tanh(x: Array, /) -> Array:
    """The hyperbolic tangent."""
    return np.tanh(x)


tanh.vjp(x=lambda g, y: g * (1 - y * y)).sample((2, 3))


@op(promote="float", ufunc=np.tan, quiet=True)
def tan(x: Array, /) -> Array:
    """The tangent of x in radians."""
    return np.tan(x)


tan.vjp(x=lambda g, y: g * (1 + y * y)).sample((2, 3), domain=(-1.2, 1.2))


@op(promote="float", ufunc=np.arcsin, quiet=True)
def asin(x: Array, /) -> Array:
    """The angle between -π/2 and π/2 whose sine is x."""
    return np.arcsin(x)


asin.vjp(x=lambda g, x: g / np.sqrt(1 - x * x)).sample((2, 3), domain=(-0.9, 0.9))


@op(promote="float", ufunc=np.arccos, quiet=True)
def acos(x: Array, /) -> Array:
    """The angle between 0 and π whose cosine is x."""
    return np.arccos(x)


acos.vjp(x=lambda g, x: -g / np.sqrt(1 - x * x)).sample((2, 3), domain=(-0.9, 0.9))


@op(promote="float", ufunc=np.arctan)
def atan(x: Array, /) -> Array:
    """The angle between -π/2 and π/2 whose tangent is x."""
    return np.arctan(x)


atan.vjp(x=lambda g, x: g / (x * x + 1)).sample((2, 3))


@op(promote="float", ufunc=np.arctan2)
def atan2(a: Array, b: Array, /) -> Array:
    """The angle of the point (b, a) from the first axis, between -π and π."""
    return np.arctan2(a, b)


def _by_square(part: Any, a: Any, b: Any) -> Any:
    """A slope of the angle: 0 at the origin, which has none."""
    square = a * a + b * b
    return np.where(square == 0, 0.0, part / square)


atan2.vjp(a=lambda g, a, b: g * _by_square(b, a, b), b=lambda g, a, b: g * _by_square(-a, a, b))
atan2.sample((2, 3), (3,), domain=(0.3, 2.0)).sample((2, 3), (2, 1), domain=(-2.0, -0.3))


@op(promote="common", ufunc=np.hypot, quiet=True, guard=refuse("bui"))
def hypot(a: Array, b: Array, /) -> Array:
    """sqrt(a ** 2 + b ** 2), without overflow."""
    return np.hypot(a, b)


hypot.vjp(a=lambda g, a, y: g * (a / y), b=lambda g, b, y: g * (b / y))
hypot.sample((2, 3), (3,), domain=(0.3, 2.0)).sample((2, 3), (2, 1), domain=(-2.0, -0.3))


@op(promote="float", ufunc=np.sinh, quiet=True)
def sinh(x: Array, /) -> Array:
    """The hyperbolic sine."""
    return np.sinh(x)


sinh.vjp(x=lambda g, x: g * np.cosh(x)).sample((2, 3))


@op(promote="float", ufunc=np.cosh, quiet=True)
def cosh(x: Array, /) -> Array:
    """The hyperbolic cosine."""
    return np.cosh(x)


cosh.vjp(x=lambda g, x: g * np.sinh(x)).sample((2, 3))


@op(promote="float", ufunc=np.arcsinh)
def asinh(x: Array, /) -> Array:
    """The inverse of the hyperbolic sine."""
    return np.arcsinh(x)


asinh.vjp(x=lambda g, x: g / np.sqrt(x * x + 1)).sample((2, 3))


@op(promote="float", ufunc=np.arccosh, quiet=True)
def acosh(x: Array, /) -> Array:
    """The inverse of the hyperbolic cosine, for x from 1 on."""
    return np.arccosh(x)


acosh.vjp(x=lambda g, x: g / np.sqrt(x * x - 1)).sample((2, 3), domain=(1.3, 3.0))


@op(promote="float", ufunc=np.arctanh, quiet=True)
def atanh(x: Array, /) -> Array:
    """The inverse of the hyperbolic tangent, for x between -1 and 1."""
    return np.arctanh(x)


atanh.vjp(x=lambda g, x: g / (1 - x * x)).sample((2, 3), domain=(-0.9, 0.9))
