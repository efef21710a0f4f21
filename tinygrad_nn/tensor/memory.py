"""The methods that show and change the block of memory under a tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn import dtypes
from tinygrad_nn.dtypes import dtype_of, order_of
from tinygrad_nn.methods.dims import sizes_of
from tinygrad_nn.op import Array
from tinygrad_nn.variable import wrap

if TYPE_CHECKING:
    from tinygrad_nn.tensor.tensor import Tensor


class UntypedStorage:
    """The bytes of a block of memory."""

    __slots__ = ("block",)

    def __init__(self, block: Array) -> None:
        self.block = block

    def __len__(self) -> int:
        return self.block.size

    def __getitem__(self, index: int) -> Any:
        return self.block[index].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self.block[index] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __repr__(self) -> str:
        lines = [f" {value}\n" for value in self.tolist()]
        return f"{''.join(lines)}[{self._kind()} of size {len(self)}]"

    def _kind(self) -> str:
        return "torch.storage.UntypedStorage(device=cpu)"

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        return self.block.tolist()

    def size(self) -> int:
        """The number of elements."""
        return self.block.size

    def nbytes(self) -> int:
        """The number of bytes."""
        return self.block.nbytes

    def element_size(self) -> int:
        """The bytes of one element."""
        return self.block.itemsize

    def data_ptr(self) -> int:
        """The address of the first byte; 0 if there is none."""
        return int(self.block.ctypes.data) if self.block.size else 0

    @property
    def device(self) -> dtypes.device:
        """The CPU."""
        return dtypes.device("cpu")


class TypedStorage(UntypedStorage):
    """A block of memory seen as elements of one dtype."""

    __slots__ = ()

    def _kind(self) -> str:
        return f"torch.storage.TypedStorage(dtype={self.dtype}, device=cpu)"

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        return dtype_of(self.block.dtype)

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage(self.block.view(np.uint8))


def block_of(array: Array) -> Array:
    """The whole memory that an array looks into, as a vector of its dtype."""
    root = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    if not (root.flags.c_contiguous or root.flags.f_contiguous):
        root = array.copy()  # memory with gaps, which NumPy was lent
    flat = root.reshape(-1, order="A")
    return flat if flat.dtype == array.dtype else flat.view(array.dtype)


def strided(block: Array, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> Array:
    """Elements of a block at strides counted in elements; RuntimeError for those beyond its end."""
    if len(size) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if 0 not in size and last >= block.size:
        raise RuntimeError(f"expected sizes and strides within a storage of {block.size} elements, got {size} and {stride}")
    steps = tuple(step * block.itemsize for step in stride)
    return np.lib.stride_tricks.as_strided(block[offset:], size, steps)


def contiguous_strides(size: tuple[int, ...]) -> tuple[int, ...]:
    """The strides, in elements, of row-major order."""
    return tuple(prod(size[i + 1 :]) for i in range(len(size)))


class Memory:
    """The methods that show and change the block of memory under a tensor."""

    __slots__ = ()

    def storage(self: Any) -> TypedStorage:
        """The whole block that the tensor looks into, as elements of its dtype."""
        return TypedStorage(block_of(self._data))

    def untyped_storage(self: Any) -> UntypedStorage:
        """The whole block that the tensor looks into, as bytes."""
        return UntypedStorage(block_of(self._data).view(np.uint8))

    @property
    def _base(self: Any) -> Tensor | None:
        """Of a view: the tensor whose memory it and the views between them look into; None for what is no view."""
        base = self
        while base._view is not None:
            base = base._parent()
        return None if base is self else base

    def _is_view(self: Any) -> bool:
        """Whether the tensor is a view of another."""
        return self._view is not None

    def is_set_to(self: Any, tensor: Tensor) -> Any:
        """Whether both tensors are the same view of the same memory."""
        here, there = self._data, tensor._data
        same = here.shape == there.shape and here.strides == there.strides and here.dtype == there.dtype
        return bool(same and self.data_ptr() == tensor.data_ptr())

    def is_shared(self: Any) -> Any:
        """False: no memory here is shared between processes."""
        return False

    def dim_order(self: Any, *, ambiguity_check: Any = False) -> tuple[int, ...]:
        """The dimensions from the one with the greatest stride to the one with the least."""
        steps = self.stride()
        return tuple(sorted(range(self.ndim), key=lambda i: -steps[i]))

    def resize_(self: Any, *size_: Any, size: Any = None, memory_format: Any = None) -> Tensor:
        """Take another size in the same memory, or, where that is too small, in a new block that begins with the old one.

        Tensors that looked into the old block stay there. RuntimeError for a tensor that requires grad.
        """
        shape = sizes_of(size_, size)
        if order_of(memory_format, len(shape)) is not None:
            raise NotImplementedError(f"resize_: expected the row-major memory_format, the only one it fills, got {memory_format}")
        if any(n < 0 for n in shape):
            raise RuntimeError(f"resize_: expected sizes of at least 0, got {list(shape)}")
        if self.requires_grad:
            raise RuntimeError("cannot resize variables that require grad")
        if shape != self._data.shape:
            start, count = self.storage_offset(), prod(shape)
            block = block_of(self._data)[start:]
            if block.size < count:
                block = np.concatenate([block, np.zeros(count - block.size, block.dtype)])
            _look_at(self, block[:count].reshape(shape))
        return self

    def resize_as_(self: Any, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
        """`resize_` to the size of another tensor."""
        return self.resize_(tuple(the_template.shape), memory_format=memory_format)

    def set_(self: Any, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None) -> Tensor:
        """Look at the memory of another tensor, or at a part of a storage; without either, at nothing."""
        self._before_write((), "set_")
        if source is None:
            _look_at(self, np.zeros(0, self._data.dtype))
            return self
        if source.dtype != self.dtype:
            raise RuntimeError(f"set_: expected a source of {self.dtype}, got {source.dtype}")
        if size is None and not isinstance(source, UntypedStorage):
            _look_at(self, source._data)
            return self
        block = source.block if isinstance(source, UntypedStorage) else block_of(source._data)
        shape = (len(block) - storage_offset,) if size is None else sizes_of((size,))
        steps = contiguous_strides(shape) if stride is None else sizes_of((stride,))
        _look_at(self, strided(block, shape, steps, storage_offset))
        return self

    def new(self: Any, *data: Any, device: Any = None) -> Tensor:
        """A new tensor of this dtype: of the given sizes, with the values of a sequence, or on a tensor or storage of it."""
        dtypes.on_cpu(device or "cpu")
        kind = self._data.dtype
        given: Any = data[0] if len(data) == 1 else None
        if isinstance(given, TypedStorage) or hasattr(given, "__record__"):
            if given.dtype != self.dtype:
                raise TypeError(f"new(): expected a tensor or storage of {self.dtype}, got {given.dtype}")
            made: Tensor = wrap(given.block if isinstance(given, TypedStorage) else given._data)
        elif isinstance(given, list | tuple | np.ndarray) and not isinstance(given, dtypes.Size):
            made = wrap(np.array(given).astype(kind))
        elif given is not None and not hasattr(given, "__index__") and not isinstance(given, dtypes.Size):
            raise TypeError(f"new(): data must be a sequence (got {type(given).__name__})")
        else:
            made = wrap(np.zeros(sizes_of(data) if data else 0, kind))
        return made

    def new_empty_strided(
        self: Any, size: Any, stride: Any, *, dtype: Any = None, layout: Any = None, device: Any = None, pin_memory: Any = False,
        requires_grad: Any = False,
    ) -> Tensor:  # fmt: skip
        """Values that mean nothing (here, zeros) at the given strides, in the dtype of this tensor unless one is given."""
        dtypes.on_cpu(device or "cpu")
        shape, steps = sizes_of((size,)), sizes_of((stride,))
        return self._new(zeros_strided(shape, steps, dtype_of(dtype or self.dtype).numpy), requires_grad)

    def apply_(self: Any, callable: Callable[[Any], Any]) -> Tensor:
        """Replace each element by what a function of Python numbers makes of it; slow, and without gradients."""
        if self.requires_grad:
            raise RuntimeError("Can't call apply_() on Variable that requires grad. Use var.detach().apply_() instead.")
        values = [callable(v) for v in self._data.reshape(-1).tolist()]
        self._write(np.array(values, self._data.dtype).reshape(self._data.shape), "apply_")
        return self

    def map_(self: Any, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
        """Replace each element by what a function makes of it and of the element of `tensor`, broadcast; without gradients."""
        if self.requires_grad or tensor.requires_grad:
            raise RuntimeError("Can't call map_() on Variable that requires grad. Use var.detach().map_() instead.")
        others = self._broadcastable(tensor._data, "map_")
        pairs = zip(self._data.reshape(-1).tolist(), np.broadcast_to(others, self._data.shape).reshape(-1).tolist(), strict=True)
        values = np.array([callable(a, b) for a, b in pairs], self._data.dtype)
        self._write(values.reshape(self._data.shape), "map_")
        return self

    def as_subclass(self: Any, cls: type) -> Tensor:
        """Not supported: what is computed with a subclass of Tensor is a Tensor here."""
        raise NotImplementedError(f"as_subclass: results are plain Tensors here, none stays {cls.__name__}")


def _look_at(tensor: Any, array: Array) -> None:
    """Have a tensor show other memory, outside any graph; a write by one of its new neighbours goes unnoticed, as in PyTorch."""
    tensor._data, tensor._view, tensor._edge = array, None, None


def zeros_strided(size: tuple[int, ...], stride: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Zeros at strides counted in elements."""
    count = 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=False)) if 0 not in size else 0
    return strided(np.zeros(count, dtype), size, stride)
