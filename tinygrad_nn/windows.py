"""Sequences beside `arange`: the windows of signal processing, and `range`, which includes its end."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import partial
from operator import index
from typing import Any

import numpy as np

from tinygrad_nn.creation import new_leaf
from tinygrad_nn.dtypes import DTypeLike, dtype_of, get_default_dtype
from tinygrad_nn.op import Array
from tinygrad_nn.tensor import Tensor

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window", "range"]


def range(start: float = 0, end: float | None = None, step: float = 1, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """start, start + step, ... up to and with `end`; a UserWarning, since `arange` is meant to be used."""
    if end is None:
        raise TypeError("range() missing 1 required positional argument: 'end'")
    told = "torch.range is deprecated: its end is included, unlike that of Python's range; use torch.arange"
    warnings.warn(told, UserWarning, stacklevel=2)
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError(f"upper bound and lower bound inconsistent with step sign: {start}, {end}, {step}")
    kind = get_default_dtype() if dtype is None else dtype_of(dtype)
    count = math.floor((end - start) / step) + 1
    return new_leaf((start + np.arange(count) * step).astype(kind.numpy), **options)


def hann_window(window_length: int, periodic: bool = True, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """0.5 - 0.5 cos(2 pi n / N); N is one less than the length, or, `periodic`, the length."""
    return window_of("hann_window", lambda n, N: 0.5 - 0.5 * np.cos(2 * np.pi * n / N), window_length, periodic, dtype, **options)


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *, dtype: DTypeLike | None = None,
    **options: Any,
) -> Tensor:  # fmt: skip
    """alpha - beta cos(2 pi n / N); N is one less than the length, or, `periodic`, the length."""

    def shape(n: Array, N: int) -> Array:
        return alpha - beta * np.cos(2 * np.pi * n / N)

    return window_of("hamming_window", shape, window_length, periodic, dtype, **options)


def blackman_window(window_length: int, periodic: bool = True, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N); N is one less than the length, or, `periodic`, the length."""

    def shape(n: Array, N: int) -> Array:
        return 0.42 - 0.5 * np.cos(2 * np.pi * n / N) + 0.08 * np.cos(4 * np.pi * n / N)

    return window_of("blackman_window", shape, window_length, periodic, dtype, **options)


def bartlett_window(window_length: int, periodic: bool = True, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """A triangle, 1 - |2 n / N - 1|; N is one less than the length, or, `periodic`, the length."""
    return window_of("bartlett_window", triangle, window_length, periodic, dtype, **options)


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: DTypeLike | None = None, **options: Any
) -> Tensor:
    """I0(beta sqrt(1 - (2 n / N - 1)^2)) / I0(beta), I0 the Bessel function (Kaiser, 1974); N as with `hann_window`."""
    return window_of("kaiser_window", partial(kaiser_bessel, beta), window_length, periodic, dtype, **options)


def triangle(n: Array, N: int) -> Array:
    """1 - |2 n / N - 1|."""
    return 1 - np.abs(2 * n / N - 1)


def kaiser_bessel(beta: float, n: Array, N: int) -> Array:
    """I0(beta sqrt(1 - (2 n / N - 1)^2)) / I0(beta)."""
    return np.i0(beta * np.sqrt(np.maximum(0, 1 - (2 * n / N - 1) ** 2))) / np.i0(beta)


def window_of(
    name: str,
    shape: Callable[[Array, int], Array],
    length: int,
    periodic: bool,
    dtype: DTypeLike | None = None,
    error: type[Exception] = RuntimeError,
    **options: Any,
) -> Tensor:
    """The window with the values `shape(n, N)` at n = 0, 1, ...; a single value is 1. `error` for no float dtype or length."""
    length, kind = index(length), (get_default_dtype() if dtype is None else dtype_of(dtype)).numpy
    if kind.kind != "f":
        raise error(f"{name} expects floating point dtypes, got {dtype_of(kind)}")
    if length < 0:
        raise error(f"{name} requires non-negative window_length, got window_length={length}")
    if length < 2:
        return new_leaf(np.ones(length, kind), **options)
    values = shape(np.arange(length), length if periodic else length - 1)
    return new_leaf(values.astype(kind), **options)
