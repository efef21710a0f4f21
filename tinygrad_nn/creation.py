"""New tensors: from data, filled, in sequence; knows arrays and Tensor, no generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_nn.dtypes import DTypeLike, device, dtype_of, get_default_dtype
from tinygrad_nn.methods.dims import sizes_of
from tinygrad_nn.op import Array
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap


def tensor(data: Any, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A new leaf with a copy of `data`: a number, nested sequences, an array or a tensor.

    Python floats take the default dtype, ints int64, arrays keep theirs. ValueError for ragged sequences.

    >>> tensor([[1, 2], [3, 4]]).dtype
    torch.int64
    """
    return new_leaf(np.array(_array(data, dtype)), requires_grad, device)


def as_tensor(data: Any, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """`data` as a tensor, sharing its memory where it can."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    return new_leaf(_array(data, dtype), False, device)


def from_numpy(array: Array) -> Tensor:
    """A tensor in the memory of an array; TypeError for anything else.

    >>> from_numpy(np.ones(2))
    tensor([1., 1.], dtype=torch.float64)
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected np.ndarray (got {type(array).__name__})")
    dtype_of(array.dtype)
    result: Tensor = wrap(array)
    return result


def new_leaf(array: Array, requires_grad: bool, where: Any = None) -> Tensor:
    """A leaf on an array of its own."""
    if where is not None:
        device(where)
    result: Tensor = wrap(array)
    return result.requires_grad_() if requires_grad else result


def _array(data: Any, dtype: DTypeLike | None) -> Array:
    """`data` as an array in PyTorch's dtype for it."""
    wanted = None if dtype is None else dtype_of(dtype).numpy
    if isinstance(data, Tensor):
        return data.detach().numpy() if wanted is None else data.detach().numpy().astype(wanted)
    if isinstance(data, np.ndarray | np.generic):
        found = np.asarray(data, wanted)
        dtype_of(found.dtype)
        return found
    try:
        found = np.asarray(_plain(data))
    except ValueError:
        raise ValueError("tensor: expected sequences of equal length at each level, got ragged ones") from None
    if wanted is None and found.dtype.kind == "f" and not _holds_arrays(data):
        wanted = get_default_dtype().numpy
    if found.dtype.kind not in "biuf":
        raise TypeError(f"tensor: expected numbers, got {type(data).__name__} of {found.dtype}")
    return found if wanted is None else found.astype(wanted)


def _plain(data: Any) -> Any:
    """Nested sequences with their tensors as arrays."""
    if isinstance(data, Tensor):
        return data.detach().numpy()
    return [_plain(item) for item in data] if isinstance(data, list | tuple) else data


def _holds_arrays(data: Any) -> bool:
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return isinstance(data, np.ndarray | np.generic)


def _filled(sizes: Any, value: Any, dtype: DTypeLike | None, requires_grad: bool, where: Any) -> Tensor:
    shape = sizes_of(sizes)
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    kind = get_default_dtype() if dtype is None else dtype_of(dtype)
    return new_leaf(np.full(shape, value, kind.numpy), requires_grad, where)


def zeros(*size: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the given size."""
    return _filled(size, 0, dtype, requires_grad, device)


def ones(*size: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of the given size."""
    return _filled(size, 1, dtype, requires_grad, device)


def empty(*size: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of the given size whose values mean nothing (here, zeros)."""
    return _filled(size, 0, dtype, requires_grad, device)


def full(
    size: Sequence[int], fill_value: Any, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """One value throughout, in the dtype of the value unless one is given."""
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    return _filled((tuple(size),), value, type(value) if dtype is None else dtype, requires_grad, device)


def zeros_like(input: Tensor, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape and dtype of `input`."""
    return zeros(tuple(input.shape), dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def ones_like(input: Tensor, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape and dtype of `input`."""
    return ones(tuple(input.shape), dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def empty_like(input: Tensor, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Values that mean nothing in the shape and dtype of `input`."""
    return zeros_like(input, dtype=dtype, device=device, requires_grad=requires_grad)


def full_like(
    input: Tensor, fill_value: Any, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """One value throughout in the shape and dtype of `input`."""
    return full(tuple(input.shape), fill_value, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def arange(
    *bounds: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """start, start + step, ... up to but without end: `arange(end)`, `arange(start, end)`, `arange(start, end, step)`."""
    start, end, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1)[:3]
    if step == 0 or (end - start) * step < 0:
        raise RuntimeError(f"arange: upper bound and lower bound inconsistent with step sign: {start}, {end}, {step}")
    whole = all(isinstance(bound, int) for bound in (start, end, step))
    kind = dtype_of(dtype) if dtype is not None else dtype_of(int if whole else float)
    values: Array = np.arange(start, end, step, dtype=np.int64 if whole else np.float64)
    return new_leaf(values.astype(kind.numpy), requires_grad, device)


def linspace(
    start: float, end: float, steps: int, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`steps` evenly spaced values from `start` to `end`, both included."""
    if steps < 0:
        raise RuntimeError(f"linspace: number of steps must be non-negative, got {steps}")
    kind = get_default_dtype() if dtype is None else dtype_of(dtype)
    return new_leaf(np.linspace(start, end, steps).astype(kind.numpy), requires_grad, device)


def eye(
    n: int, m: int | None = None, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Ones on the diagonal of an (n, m) matrix, zeros elsewhere."""
    kind = get_default_dtype() if dtype is None else dtype_of(dtype)
    return new_leaf(np.eye(n, m, dtype=kind.numpy), requires_grad, device)
