"""Primitives that round, and the divisions that do."""

from typing import Any

import numpy as np

from tinygrad_nn.op import Array, op, refuse
from tinygrad_nn.ops.elementwise import flat


@op(promote="common", ufunc=np.floor, guard=refuse("b"))
def floor(x: Array, /) -> Array:
    """The largest integer not above x; its slope is 0."""
    return np.floor(x)


@op(promote="common", ufunc=np.ceil, guard=refuse("b"))
def ceil(x: Array, /) -> Array:
    """The smallest integer not below x; its slope is 0."""
    return np.ceil(x)


@op(promote="common", ufunc=np.trunc, guard=refuse("b"))
def trunc(x: Array, /) -> Array:
    """x without its fraction; its slope is 0."""
    return np.trunc(x)


@op(promote="common", ufunc=np.rint, guard=refuse("b"))
def round(x: Array, /) -> Array:
    """The nearest integer, halves to even; its slope is 0."""
    return np.rint(x).astype(x.dtype, copy=False)


for _step in (floor, ceil, trunc, round):
    _step.vjp(x=flat).sample((2, 3), domain=(0.1, 0.4)).sample((3,), domain=(-1.9, -1.6))


def _whole(a: Any, b: Any) -> bool:
    """Whether whole numbers are divided; by 0 they cannot be."""
    whole = np.result_type(a, b).kind in "iu"
    if whole and np.any(np.equal(b, 0)):
        raise RuntimeError("ZeroDivisionError: expected whole numbers other than 0 to divide by, got 0")
    return whole


def _floored(a: Any, b: Any) -> Any:
    _whole(a, b)
    return np.floor_divide(a, b)


def _truncated(a: Any, b: Any) -> Any:
    if not _whole(a, b):
        return np.trunc(np.true_divide(a, b))
    return np.floor_divide(a - np.fmod(a, b), b)  # exact, where a float quotient would not be


@op(promote="common", quiet=True, guard=refuse("b"))
def divide_floor(a: Array, b: Array, /) -> Array:
    """a / b rounded down; its slopes are 0."""
    return _floored(a, b)


@op(promote="common", quiet=True, guard=refuse("b"))
def divide_trunc(a: Array, b: Array, /) -> Array:
    """a / b rounded towards zero; its slopes are 0."""
    return _truncated(a, b)


for _division in (divide_floor, divide_trunc):
    _division.vjp(a=flat, b=flat)
    _division.sample((2, 3), (3,), domain=(1.1, 1.9)).sample((3,), 0.75, domain=(0.8, 1.4))


@op(promote="common", quiet=True, ufunc=np.floor_divide, guard=refuse("b"))
def floor_divide(a: Array, b: Array, /) -> Array:
    """a / b rounded down; the derivative is refused, as it is in PyTorch."""
    return _floored(a, b)


floor_divide.no_vjp().sample((2, 3), (3,))


@op(promote="common", quiet=True, ufunc=np.remainder, guard=refuse("b"))
def remainder(a: Array, b: Array, /) -> Array:
    """a - floor(a / b) * b: what is left of a, with the sign of b."""
    _whole(a, b)
    return np.remainder(a, b)


remainder.vjp(a=lambda g: g, b=lambda g, a, b: -g * divide_floor(a, b))


@op(promote="common", quiet=True, ufunc=np.fmod, guard=refuse("b"))
def fmod(a: Array, b: Array, /) -> Array:
    """a - trunc(a / b) * b: what is left of a, with the sign of a."""
    _whole(a, b)
    return np.fmod(a, b)


fmod.vjp(a=lambda g: g, b=lambda g, a, b: -g * divide_trunc(a, b))
for _rest in (remainder, fmod):
    _rest.sample((2, 3), (3,), domain=(1.1, 1.9)).sample((3,), 0.75, domain=(0.8, 1.4))


@op(promote="common", quiet=True, guard=refuse("b"))
def remainder_of(a: Array, b: Array, /) -> Array:
    """The remainder of a number by a tensor; the derivative is refused, as it is in PyTorch."""
    return remainder.forward(a, b)


remainder_of.no_vjp().sample(7.0, (3,), domain=(1.1, 1.9))
