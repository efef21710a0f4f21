"""New tensors: from data, or filled; knows arrays and Tensor, no generator."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from tinygrad_nn.dtypes import (
    DTypeLike,
    dtype_of,
    get_default_dtype,
    on_cpu,
    order_of,
    preserve_format,
    promote_types,
    set_default_dtype,
)
from tinygrad_nn.memory_order import in_memory_order
from tinygrad_nn.methods.dims import sizes_of
from tinygrad_nn.op import Array
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.tensor.memory import zeros_strided
from tinygrad_nn.variable import wrap

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor",
    "ShortTensor", "as_tensor", "asarray", "empty", "empty_like", "empty_permuted", "empty_strided", "eye", "from_dlpack",
    "from_numpy", "frombuffer", "full", "full_like", "ones", "ones_like", "scalar_tensor", "set_default_tensor_type",
    "tensor", "tril_indices", "triu_indices", "zeros", "zeros_like",
]  # fmt: skip

# The `options` of the functions below are those of `new_leaf`: requires_grad, device, layout, pin_memory, memory_format.


def new_leaf(
    array: Array,
    requires_grad: bool = False,
    device: Any = None,
    layout: Any = None,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A leaf on an array of its own."""
    if device is not None:
        on_cpu(device)
    if str(layout or "torch.strided") != "torch.strided" or pin_memory:
        raise NotImplementedError(f"expected layout strided and no pinned memory, the only ones here, got {layout}, {pin_memory}")
    order = order_of(memory_format, array.ndim)
    if order is not None:
        array = np.ascontiguousarray(array.transpose(order)).transpose([order.index(i) for i in range(array.ndim)])
    result: Tensor = wrap(array)
    return result.requires_grad_() if requires_grad else result


def tensor(data: Any, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """A new leaf with a copy of `data`: a number, nested sequences, an array or a tensor.

    Python floats take the default dtype, ints int64, arrays keep theirs. ValueError for ragged sequences.

    >>> tensor([[1, 2], [3, 4]]).dtype
    torch.int64
    """
    return new_leaf(np.array(array_of(data, dtype)), **options)


def as_tensor(data: Any, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """`data` as a tensor, sharing its memory where it can."""
    if isinstance(data, Tensor):
        return data.to(dtype=dtype, device=device)
    return new_leaf(array_of(data, dtype), device=device)


def asarray(
    obj: Any, *, dtype: DTypeLike | None = None, device: Any = None, copy: bool | None = None, requires_grad: bool | None = None
) -> Tensor:
    """`obj` as a tensor: a copy if `copy`, in the same memory or an error if `copy` is False, else as `as_tensor`.

    It keeps its history unless `requires_grad` is False; if that is True, one without becomes a leaf that requires grad.
    """
    result = as_tensor(obj, dtype, device)
    shared = isinstance(obj, Tensor | np.ndarray) and np.may_share_memory(result.detach().numpy(), np.asarray(_plain(obj)))
    if copy is False and not shared:
        raise ValueError(f"asarray: cannot give {type(obj).__name__} as a tensor of dtype {result.dtype} without a copy")
    if copy and shared:
        result = result.clone()
    if requires_grad is None or requires_grad == result.requires_grad:
        return result
    return result.detach().requires_grad_(requires_grad)


def from_numpy(ndarray: Array) -> Tensor:
    """A tensor in the memory of an array; TypeError for anything else.

    >>> from_numpy(np.ones(2))
    tensor([1., 1.], dtype=torch.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected np.ndarray (got {type(ndarray).__name__})")
    result: Tensor = wrap(_checked(ndarray))
    return result


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor in the memory of anything that speaks DLPack, such as PyTorch's tensors, or of a capsule that they gave."""
    return from_numpy(np.from_dlpack(ext_tensor if hasattr(ext_tensor, "__dlpack__") else _Capsule(ext_tensor)))


class _Capsule:
    """A capsule as something that gives it."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # the CPU


def frombuffer(
    buffer: Any, *, dtype: DTypeLike, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A vector in the memory of a buffer, such as bytes."""
    return new_leaf(np.frombuffer(buffer, dtype_of(dtype).numpy, count, offset), requires_grad)


def array_of(data: Any, dtype: DTypeLike | None) -> Array:
    """`data` as an array in PyTorch's dtype for it, in the same memory if it can be."""
    wanted = None if dtype is None else dtype_of(dtype).numpy
    if isinstance(data, Tensor):
        return data.detach().numpy() if wanted is None else data.detach().numpy().astype(wanted, copy=False)
    if isinstance(data, np.ndarray | np.generic):
        return np.asarray(_checked(np.asarray(data)), wanted)
    kinds: set[np.dtype[Any]] = set()
    plain = _plain(data, kinds)
    try:
        found = np.asarray(plain)
    except (ValueError, OverflowError):
        found = None
    if wanted is None and kinds and found is not None and found.dtype.kind in "biuf":
        wanted = _common(data)
    if found is None or found.dtype.kind not in "biuf" or (found.dtype == np.uint64 and not kinds):
        raise _refusal(data)
    if wanted is None and found.dtype.kind == "f":
        wanted = get_default_dtype().numpy
    if wanted is not None and wanted.kind in "iu":
        _check_range(found, wanted)
    with np.errstate(over="ignore"):
        return found if wanted is None else found.astype(wanted)


def _checked(array: Array) -> Array:
    """An array as it is; an error for one whose dtype, byte order or strides no tensor can have."""
    if not array.dtype.isnative:
        raise ValueError(f"expected a numpy array in the machine's byte order, got dtype {array.dtype}; use array.astype('=')")
    dtype_of(array.dtype)
    if any(stride < 0 for stride in array.strides):
        raise ValueError(f"expected a numpy array without negative strides, got {array.strides}; use array.copy()")
    return array


def _check_range(values: Array, wanted: np.dtype[Any]) -> None:
    """RuntimeError for numbers that an integer dtype cannot hold; unsigned ones wrap what is negative."""
    limits = np.iinfo(wanted)
    least = -limits.max if wanted.kind == "u" else limits.min
    if values.size and not (values.min() >= least and values.max() <= limits.max):
        raise RuntimeError(f"value cannot be converted to type {wanted} without overflow: expected {least} to {limits.max}")


def _plain(data: Any, kinds: set[np.dtype[Any]] | None = None) -> Any:
    """A tensor as an array, nested sequences with their tensors, of one element, as numbers.

    The dtypes of tensors, arrays and NumPy's numbers go into `kinds`.
    """
    if isinstance(data, list | tuple):
        return [_plain(item, kinds) for item in data]
    if not isinstance(data, Tensor):
        if kinds is not None and isinstance(data, np.ndarray | np.generic):
            kinds.add(data.dtype)
        return data
    array = data.detach().numpy()
    if kinds is None:
        return array
    kinds.add(array.dtype)
    return array.item() if array.size == 1 else float(data) if array.dtype.kind == "f" else index(data)  # which refuse


def _common(data: Any) -> np.dtype[Any]:
    """The dtype that the tensors and arrays in nested sequences and the numbers beside them are promoted to."""
    if isinstance(data, list | tuple) and data:
        return functools.reduce(promote_types, {_common(item) for item in data})
    return data.dtype.numpy if isinstance(data, Tensor) else array_of(data, None).dtype


def _refusal(data: Any, depth: int = 0) -> Exception:
    """The error for data that make no array: its type is the one that PyTorch raises."""
    if isinstance(data, str | bytes):
        name = type(data).__name__
        return ValueError(f"too many dimensions '{name}'") if depth else TypeError(f"new(): invalid data type '{name}'")
    if isinstance(data, int):
        return ValueError(f"Overflow when unpacking long long: expected an integer within int64, got {data}")
    if isinstance(data, complex):
        return TypeError(f"expected real numbers, the only ones here, got {data}")
    if not isinstance(data, list | tuple):
        return RuntimeError(f"Could not infer dtype of {type(data).__name__}")
    kinds = [isinstance(item, list | tuple | np.ndarray | Tensor) for item in data]
    if any(kinds) and not all(kinds):
        return TypeError("not a sequence: expected numbers or sequences of one length at each level, got both")
    if all(kinds):
        lengths = {len(item) for item in data if isinstance(item, list | tuple) or np.ndim(item)}
        if len(lengths) > 1:
            return ValueError(f"expected sequence of length {len(data[0])} at dim {depth + 1} (got {sorted(lengths)})")
        return _refusal(next(item for item in data if _fails(item)), depth + 1) if any(map(_fails, data)) else (
            ValueError(f"expected sequences of equal length at each level, got ragged ones at dim {depth + 1}"))  # fmt: skip
    wrong = next(i for i, item in enumerate(data) if _fails(item))
    return _refusal(data[wrong], depth + 1 if wrong == 0 else 0)


def _fails(data: Any) -> bool:
    try:
        return np.asarray(_plain(data)).dtype.kind not in "bif"
    except (ValueError, OverflowError):
        return True


def _filled(sizes: tuple[int, ...], value: Any, dtype: DTypeLike | None, options: dict[str, Any]) -> Tensor:
    return new_leaf(_full(sizes, value, dtype), **options)


def _filled_like(
    input: Tensor, value: Any, dtype: DTypeLike | None, memory_format: Any = None, **options: Any
) -> Tensor:
    """One value throughout, lying in memory as `input` does unless a format says otherwise."""
    make = functools.partial(_full, value=value, dtype=input.dtype if dtype is None else dtype)
    kept = memory_format in (None, preserve_format)
    array = in_memory_order(input._data, make) if kept else make(tuple(input.shape))
    return new_leaf(array, memory_format=memory_format, **options)


def _full(sizes: tuple[int, ...], value: Any, dtype: DTypeLike | None) -> Array:
    if isinstance(value, str):
        raise TypeError(f"fill_value: expected a number, got {value!r}")
    if any(n < 0 for n in sizes):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(sizes)}: {list(sizes)}")
    kind = (get_default_dtype() if dtype is None else dtype_of(dtype)).numpy
    if kind.kind in "iu":
        _check_range(np.asarray(value), kind)
    return np.full(sizes, np.asarray(value).astype(kind))


def zeros(*size_: Any, size: Any = None, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """Zeros of the given size."""
    return _filled(sizes_of(size_, size), 0, dtype, options)


def ones(*size_: Any, size: Any = None, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """Ones of the given size."""
    return _filled(sizes_of(size_, size), 1, dtype, options)


def empty(*size_: Any, size: Any = None, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """A tensor of the given size whose values mean nothing (here, zeros)."""
    return _filled(sizes_of(size_, size), 0, dtype, options)


def empty_strided(
    size: Sequence[int], stride: Sequence[int], *, dtype: DTypeLike | None = None, **options: Any
) -> Tensor:
    """Values that mean nothing (here, zeros) of the given size, so many elements apart along each dimension."""
    kind = get_default_dtype() if dtype is None else dtype_of(dtype)
    return new_leaf(zeros_strided(sizes_of((size,)), sizes_of((stride,)), kind.numpy), **options)


def empty_permuted(
    size: Sequence[int], physical_layout: Sequence[int], *, dtype: DTypeLike | None = None, **options: Any
) -> Tensor:
    """Values that mean nothing (here, zeros) of the given size, whose dimensions lie in memory in the order of `physical_layout`.

    RuntimeError if that does not name each dimension once.

    >>> empty_permuted((2, 3, 5), (0, 2, 1)).stride()
    (15, 1, 3)
    """
    sizes, order = sizes_of((size,)), sizes_of((physical_layout,))
    if sorted(order) != list(range(len(sizes))):
        raise RuntimeError(f"empty_permuted: expected each of {len(sizes)} dimensions once in physical_layout, got {list(order)}")
    stride = {axis: math.prod(sizes[later] for later in order[i + 1 :]) for i, axis in enumerate(order)}
    return empty_strided(sizes, [stride[axis] for axis in range(len(sizes))], dtype=dtype, **options)


def full(size: Sequence[int], fill_value: Any, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """One value throughout, in the dtype of the value unless one is given."""
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    own = None if isinstance(value, float) else type(value)  # None is the default dtype
    return _filled(sizes_of((size,)), value, own if dtype is None else dtype, options)


def scalar_tensor(s: float, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """A number as a 0-d tensor of the default dtype."""
    return _filled((), s, dtype, options)


def zeros_like(input: Tensor, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """Zeros in the shape and dtype of `input`, in the order in which that lies in memory."""
    return _filled_like(input, 0, dtype, **options)


def ones_like(input: Tensor, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """Ones in the shape and dtype of `input`, in the order in which that lies in memory."""
    return _filled_like(input, 1, dtype, **options)


def empty_like(input: Tensor, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """Values that mean nothing (here, zeros) in the shape and dtype of `input`, in the order in which that lies in memory."""
    return _filled_like(input, 0, dtype, **options)


def full_like(input: Tensor, fill_value: Any, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """One value throughout in the shape and dtype of `input`, in the order in which that lies in memory."""
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    return _filled_like(input, value, dtype, **options)


def eye(n: int, m: int | None = None, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """Ones on the diagonal of an (n, m) matrix, zeros elsewhere."""
    kind = get_default_dtype() if dtype is None else dtype_of(dtype)
    rows, columns = sizes_of((n, n if m is None else m))
    if rows < 0 or columns < 0:
        raise RuntimeError(f"eye: n and m must be greater or equal to 0, got {rows} and {columns}")
    return new_leaf(np.eye(rows, columns, dtype=kind.numpy), **options)


def _triangle_indices(mask: Array, dtype: DTypeLike | None, options: dict[str, Any]) -> Tensor:
    return new_leaf(np.array(np.nonzero(mask), np.int64 if dtype is None else dtype_of(dtype).numpy), **options)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """The rows and the columns of the elements on and below a diagonal of a (row, col) matrix: (2, count)."""
    return _triangle_indices(_lower(row, col, offset), dtype, options)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """The rows and the columns of the elements on and above a diagonal of a (row, col) matrix: (2, count)."""
    return _triangle_indices(~_lower(row, col, offset - 1), dtype, options)


def _lower(row: int, col: int, offset: int) -> Array:
    if row < 0 or col < 0:
        raise RuntimeError(f"row and col must be non-negative, got {row} and {col}")
    return np.tri(row, col, offset, dtype=np.bool_)


class TensorType:
    """A constructor of tensors of one dtype by PyTorch's old name, such as FloatTensor; `isinstance` tests the dtype."""

    __slots__ = ("elements",)

    def __init__(self, dtype: DTypeLike) -> None:
        self.elements = dtype_of(dtype)

    def __call__(self, *data: Any) -> Tensor:
        """A tensor of the given sizes, or with the values of a sequence or an array."""
        if len(data) == 1 and isinstance(data[0], Sequence | np.ndarray | Tensor):
            return tensor(data[0], dtype=self.elements)
        return zeros(*(data or (0,)), dtype=self.elements)

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Tensor) and value.dtype == self.elements


FloatTensor, DoubleTensor, HalfTensor = TensorType("float32"), TensorType("float64"), TensorType("float16")
LongTensor, IntTensor, ShortTensor, CharTensor = (TensorType(name) for name in ("int64", "int32", "int16", "int8"))
ByteTensor, BoolTensor = TensorType("uint8"), TensorType("bool")


def set_default_tensor_type(t: TensorType | str, /) -> None:
    """Make the dtype of a constructor such as FloatTensor, or `"torch.FloatTensor"`, the one that new tensors get.

    TypeError for what is none, or one of integers.
    """
    floating = {"torch.FloatTensor": FloatTensor, "torch.DoubleTensor": DoubleTensor, "torch.HalfTensor": HalfTensor}
    found = floating.get(t) if isinstance(t, str) else t
    if found is None or found not in floating.values():
        raise TypeError(f"set_default_tensor_type: expected {', '.join(floating)}, got {t}")
    set_default_dtype(found.elements)
