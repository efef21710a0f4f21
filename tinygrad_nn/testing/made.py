"""Tensors to test with: values drawn from PyTorch's stream, within limits that suit the dtype."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_nn import random
from tinygrad_nn.creation import empty
from tinygrad_nn.dtypes import DTypeLike, dtype_of, iinfo, on_cpu
from tinygrad_nn.methods.dims import sizes_of
from tinygrad_nn.tensor import Tensor


def make_tensor(
    *shape: Any, dtype: DTypeLike, device: Any, low: float | None = None, high: float | None = None, requires_grad: bool = False,
    noncontiguous: bool = False, exclude_zero: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Uniform values from `low` to below `high`, for which -9 and 9 (10 for integers, 0 and 2 for bools) stand unless given.

    `noncontiguous` values lie two apart in memory; `exclude_zero` puts 1, or the least positive float, for 0. ValueError for
    limits in the wrong order or NaN, and for integers that are to require grad.
    """
    on_cpu(device)
    kind = dtype_of(dtype)
    if requires_grad and not kind.is_floating_point:
        raise ValueError(f"`requires_grad=True` is not supported for boolean and integral dtypes, but got dtype={kind}")
    if noncontiguous and memory_format is not None:
        raise ValueError("expected one of noncontiguous and memory_format, got both")
    size = sizes_of(shape) if shape else ()
    apart = noncontiguous and math.prod(size) > 1
    size = (*size[:-1], 2 * size[-1]) if apart else size
    first, last = _limits(kind, low, high)
    if kind.is_floating_point:
        made = empty(size, dtype=kind).uniform_(first, last)
    else:
        made = random.randint(math.ceil(first), math.ceil(last), size, dtype=kind)
    made = made[..., 1::2] if apart else made
    if exclude_zero:
        made[made == 0] = np.finfo(kind.numpy).tiny if kind.is_floating_point else 1
    return made.requires_grad_() if requires_grad else made


def _limits(kind: Any, low: float | None, high: float | None) -> tuple[float, float]:
    """The limits asked for, or the dtype's usual ones, within what it can hold."""
    if kind.name == "bool":
        least, most, usual = 0.0, 2.0, (0.0, 2.0)
    elif kind.is_floating_point:
        least, most, usual = float(np.finfo(kind.numpy).min), float(np.finfo(kind.numpy).max), (-9.0, 9.0)
    else:
        least, most, usual = iinfo(kind).min, iinfo(kind).max + 1, (-9, 10)
    first, last = (usual[0] if low is None else low), (usual[1] if high is None else high)
    if not first < last or last < least or first >= most:
        raise ValueError(f"make_tensor: expected low below high, within [{least}, {most}) of {kind}, got {first} and {last}")
    return max(first, least), min(last, most)
