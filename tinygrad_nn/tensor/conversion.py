"""The methods that give a tensor in another dtype or place, and new tensors like it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn import dtypes
from tinygrad_nn.dtypes import DTypeLike, dtype_of, number_in
from tinygrad_nn.methods import shaping
from tinygrad_nn.methods.dims import sizes_of
from tinygrad_nn.ops import elementwise
from tinygrad_nn.variable import wrap

if TYPE_CHECKING:
    from tinygrad_nn.tensor.tensor import Tensor

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
_TYPE_NAMES = {
    "float32": "Float", "float64": "Double", "float16": "Half", "int64": "Long", "int32": "Int", "int16": "Short", "int8": "Char",
    "uint8": "Byte", "bool": "Bool",
}  # fmt: skip


def dtype_of_type(type: Any) -> Any:
    """The dtype that a tensor type or its name stands for, such as `torch.FloatTensor`; a dtype as it is."""
    if isinstance(type, str):
        names = {f"torch.{ours}Tensor": name for name, ours in _TYPE_NAMES.items()}
        if type not in names:
            raise ValueError(f"invalid type: '{type}', expected one of {', '.join(names)}")
        return dtype_of(names[type])
    return getattr(type, "elements", type)


class Conversion:
    """The methods that give a tensor in another dtype or place, and new tensors like it."""

    __slots__ = ()

    def to(
        self: Any,
        *args: Any,
        dtype: DTypeLike | None = None,
        device: Any = None,
        other: Tensor | None = None,
        non_blocking: bool = False,
        copy: bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        """The tensor in another dtype (or in that of another tensor) or memory format; the only device is the CPU."""
        flags = [value for value in args if isinstance(value, bool)]
        for value in (*args, device, other):
            if hasattr(value, "__record__"):
                dtype = value.dtype
            elif isinstance(value, dtypes.dtype | np.dtype | type):
                dtype = value
            elif value is not None and not isinstance(value, bool):
                dtypes.on_cpu(value)
        result = self if dtype is None else self._astype(dtype_of(dtype).numpy)
        if (copy or flags[1:] == [True]) and result is self:
            result = elementwise.copy(self)
        return result if memory_format in (None, dtypes.preserve_format) else shaping.contiguous(result, memory_format)

    def type(self: Any, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The tensor in another dtype; without one, the name of its type."""
        if dtype is None:
            return f"torch.{_TYPE_NAMES[self.dtype.name]}Tensor"
        return self.to(dtype_of_type(dtype))

    def type_as(self: Any, other: Tensor) -> Tensor:
        """The tensor in the dtype of `other`."""
        return self.to(other.dtype)

    def float(self: Any, memory_format: Any = None) -> Tensor:
        """The tensor in float32."""
        return self.to(_FLOAT32, memory_format=memory_format)

    def double(self: Any, memory_format: Any = None) -> Tensor:
        """The tensor in float64."""
        return self.to(_FLOAT64, memory_format=memory_format)

    def half(self: Any, memory_format: Any = None) -> Tensor:
        """The tensor in float16."""
        return self.to(np.dtype(np.float16), memory_format=memory_format)

    def long(self: Any, memory_format: Any = None) -> Tensor:
        """The tensor in int64, floats truncated towards zero."""
        return self.to(np.dtype(np.int64), memory_format=memory_format)

    def int(self: Any, memory_format: Any = None) -> Tensor:
        """The tensor in int32, floats truncated towards zero."""
        return self.to(np.dtype(np.int32), memory_format=memory_format)

    def short(self: Any, memory_format: Any = None) -> Tensor:
        """The tensor in int16, floats truncated towards zero."""
        return self.to(np.dtype(np.int16), memory_format=memory_format)

    def char(self: Any, memory_format: Any = None) -> Tensor:
        """The tensor in int8, floats truncated towards zero."""
        return self.to(np.dtype(np.int8), memory_format=memory_format)

    def byte(self: Any, memory_format: Any = None) -> Tensor:
        """The tensor in uint8, floats truncated towards zero."""
        return self.to(np.dtype(np.uint8), memory_format=memory_format)

    def bool(self: Any, memory_format: Any = None) -> Tensor:
        """Whether each element is non-zero."""
        return self.to(np.dtype(np.bool_), memory_format=memory_format)

    def bfloat16(self: Any, memory_format: Any = None) -> Tensor:
        """Not supported: NumPy has no bfloat16."""
        raise NotImplementedError("bfloat16: NumPy has no such dtype; use float16 or float32")

    def cpu(self: Any, memory_format: Any = None) -> Tensor:
        """The tensor itself, which is on the CPU."""
        return self.to(memory_format=memory_format)

    def cuda(self: Any, *_: Any, **__: Any) -> Tensor:
        """Not supported: everything is on the CPU."""
        raise AssertionError("cuda(): expected 'cpu', the only device here; test torch.cuda.is_available() before it")

    def pin_memory(self: Any, device: Any = None) -> Tensor:
        """Not supported: there is no accelerator to pin memory for."""
        raise RuntimeError("pin_memory(): cannot pin memory without an accelerator; the only device here is 'cpu'")

    def to_dense(self: Any, dtype: DTypeLike | None = None) -> Tensor:
        """The tensor itself, as all are dense here, or in another dtype."""
        return self.to(dtype=dtype)

    def is_pinned(self: Any, device: Any = None) -> Any:
        """False: there is no accelerator to pin memory for."""
        return False

    def share_memory_(self: Any) -> Tensor:
        """The tensor itself: its memory is that of this process, as much as before."""
        return self

    # new tensors of the same dtype

    def _new(self: Any, values: Any, requires_grad: Any) -> Tensor:
        result: Tensor = wrap(values)
        return result.requires_grad_() if requires_grad else result

    def new_tensor(
        self: Any, data: Any, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: Any = False
    ) -> Tensor:
        """A new leaf with a copy of `data`, in the dtype of this tensor unless one is given."""
        dtypes.on_cpu(device or "cpu")
        values = data.detach().numpy() if hasattr(data, "__record__") else data
        return self._new(np.array(values, dtype_of(dtype or self.dtype).numpy), requires_grad)

    def new_full(
        self: Any,
        size: Any,
        fill_value: Any,
        *,
        dtype: DTypeLike | None = None,
        layout: Any = None,
        device: Any = None,
        pin_memory: Any = False,
        requires_grad: Any = False,
    ) -> Tensor:
        """One value throughout, in the dtype of this tensor unless one is given."""
        dtypes.on_cpu(device or "cpu")
        shape = sizes_of((size,))
        if any(n < 0 for n in shape):
            raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
        value = fill_value.item() if hasattr(fill_value, "__record__") else fill_value
        return self._new(np.full(shape, number_in(value, dtype_of(dtype or self.dtype).numpy)), requires_grad)

    def new_zeros(self: Any, *size_: Any, size: Any = None, **options: Any) -> Tensor:
        """Zeros of the given size in the dtype of this tensor unless one is given."""
        return self.new_full(sizes_of(size_, size), 0, **options)

    def new_ones(self: Any, *size_: Any, size: Any = None, **options: Any) -> Tensor:
        """Ones of the given size in the dtype of this tensor unless one is given."""
        return self.new_full(sizes_of(size_, size), 1, **options)

    def new_empty(self: Any, *size_: Any, size: Any = None, **options: Any) -> Tensor:
        """A tensor of the given size in the dtype of this one whose values mean nothing (here, zeros)."""
        return self.new_full(sizes_of(size_, size), 0, **options)
