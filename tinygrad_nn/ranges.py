"""Evenly spaced numbers as new tensors, to PyTorch's last bit."""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from tinygrad_nn.creation import new_leaf
from tinygrad_nn.dtypes import DTypeLike, dtype_of, get_default_dtype
from tinygrad_nn.op import Array
from tinygrad_nn.tensor import Tensor

__all__ = ["arange", "linspace", "logspace"]


def _number(value: Any) -> Any:
    """A number, NumPy's or a tensor's included, as Python's."""
    if isinstance(value, Tensor | np.generic):
        return value.item()
    if not isinstance(value, int | float):
        raise TypeError(f"expected a number, got {type(value).__name__}")
    return value


def arange(
    *bounds: Any, start: Any = 0, end: Any = None, step: Any = 1, dtype: DTypeLike | None = None, **options: Any
) -> Tensor:
    """start, start + step, ... up to but without end: `arange(end)`, `arange(start, end)`, `arange(start, end, step)`."""
    if len(bounds) > 3 or (not bounds and end is None):
        raise TypeError(f"arange: expected (end), (start, end) or (start, end, step), got {len(bounds)} numbers")
    if len(bounds) == 1 and end is None:
        end = bounds[0]
    elif bounds:
        start, end, step = (*bounds, end, step)[:3] if len(bounds) < 2 else (*bounds, step)[:3]
    start, end, step = _number(start), _number(end), _number(step)
    if not all(map(math.isfinite, (start, end, step))):
        raise RuntimeError(f"arange: unsupported range: {start} -> {end} by {step}")
    if step == 0 or (end - start) * step < 0:
        raise RuntimeError(f"arange: upper bound and lower bound inconsistent with step sign: {start}, {end}, {step}")
    if dtype is not None and dtype_of(dtype).name == "int64":
        start, end, step = int(start), int(end), int(step)
    whole = all(isinstance(bound, int) for bound in (start, end, step))
    kind = dtype_of(dtype) if dtype is not None else dtype_of(int) if whole else get_default_dtype()
    if whole:
        return new_leaf(np.arange(start, end, step, dtype=np.int64).astype(kind.numpy), **options)
    count = math.ceil((end - start) / step)
    if kind.numpy.kind in "iu":
        start, step = int(start), int(step)
        return new_leaf((start + np.arange(count) * step).astype(kind.numpy), **options)
    return new_leaf(_counted(start, step, count, kind.numpy), **options)


def _counted(start: float, step: float, count: int, dtype: np.dtype[Any]) -> Array:
    """start + step * i for `count` i, to the last bit as PyTorch's loop: groups of 32 bytes are counted from their first value.

    The loop takes two groups at a time; what is left is counted from the start.
    """
    i, lanes, wide = np.arange(count), 32 // dtype.itemsize, _wider(dtype).type
    if dtype.itemsize == 2:
        start, step = float(np.float32(start)), float(np.float32(step))
    first = np.where(i < count - count % (2 * lanes), i - i % lanes, i)
    base = (wide(start) + wide(step) * first).astype(dtype)
    return (base + wide(step) * (i - first)).astype(dtype)


def _wider(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which a product and a sum lose nothing, as in the processor's fused operation."""
    return np.dtype(np.longdouble if dtype.itemsize == 8 else np.float64)


def linspace(start: Any, end: Any, steps: int, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """`steps` evenly spaced values from `start` to `end`, both included."""
    kind = get_default_dtype() if dtype is None else dtype_of(dtype)
    return new_leaf(_spaced(start, end, steps, kind.numpy, "linspace").astype(kind.numpy), **options)


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """`base` to the powers that `linspace` gives."""
    kind = (get_default_dtype() if dtype is None else dtype_of(dtype)).numpy
    powers = _spaced(start, end, steps, kind, "logspace")
    return new_leaf(np.power(powers.dtype.type(base), powers).astype(kind), **options)


def _spaced(start: Any, end: Any, steps: int, dtype: np.dtype[Any], name: str) -> Array:
    """Evenly spaced values: the first half counted from `start`, the second from `end`, as PyTorch does."""
    if not hasattr(steps, "__index__") or isinstance(steps, bool):
        raise TypeError(f"{name}: expected steps as an int, got {type(steps).__name__}")
    steps = index(steps)
    if steps < 0:
        raise RuntimeError(f"{name}: number of steps must be non-negative, got {steps}")
    if any(isinstance(bound, Tensor) and bound.ndim for bound in (start, end)):
        raise RuntimeError(f"{name}: expected start and end as numbers or 0-d tensors")
    inner = np.dtype(np.float64) if dtype.kind != "f" else np.dtype(np.float32) if dtype.itemsize == 2 else dtype
    first, last = (inner.type(_number(v) if dtype.kind == "f" else int(_number(v))) for v in (start, end))
    if steps == 1:
        return np.full(1, first)
    with np.errstate(all="ignore"):
        i, wide = np.arange(steps), _wider(inner).type
        step = wide((last - first) / inner.type(max(steps - 1, 1)))
        return np.where(i < steps // 2, wide(first) + step * i, wide(last) - step * (steps - 1 - i)).astype(inner)
