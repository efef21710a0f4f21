"""Tensor: PyTorch's methods and Python's and NumPy's protocols on a Variable; knows no formula and no graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_nn import dtypes, printing
from tinygrad_nn.dtypes import DTypeLike, Size, dtype_of
from tinygrad_nn.methods import indexing, matrices, shaping
from tinygrad_nn.methods.dims import axis_of
from tinygrad_nn.numpy_protocol import FUNCTIONS
from tinygrad_nn.op import UFUNCS, Array
from tinygrad_nn.ops import shape
from tinygrad_nn.tensor.filling import Filling
from tinygrad_nn.tensor.indexing import Indexing
from tinygrad_nn.tensor.matrices import Matrices
from tinygrad_nn.tensor.operators import Operators
from tinygrad_nn.tensor.pointwise import Pointwise
from tinygrad_nn.tensor.reduction import Reduction
from tinygrad_nn.tensor.shaping import Shaping
from tinygrad_nn.variable import Variable, record, wrap

_FLOAT32 = np.dtype(np.float32)
_FLOAT64 = np.dtype(np.float64)


class Tensor(Operators, Pointwise, Reduction, Shaping, Indexing, Matrices, Filling, Variable):
    """An n-dimensional array that remembers how it was computed.

    >>> x = Tensor([1.0, 2.0]).requires_grad_()
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """An instance without values, which `__init__` gives it."""
        return object.__new__(cls)

    def __init__(self, *data: Any, device: Any = None) -> None:
        """A new float tensor: of the given sizes, uninitialised, or with the values of a sequence or an array."""
        if len(data) == 1 and not isinstance(data[0], int):
            values = data[0].detach()._data if isinstance(data[0], Tensor) else data[0]
            array = np.array(values, dtypes.get_default_dtype().numpy)
        else:
            array = np.zeros(data or 0, dtypes.get_default_dtype().numpy)
        self._become_leaf(array, False)

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(value, Tensor):
            value = wrap(np.asarray(value, self._data.dtype if np.ndim(value) == 0 else None))
        self._write_at(indexing.numpy_index(key, self._data.shape), value)

    # what it is

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return Size(self._data.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self._data.shape[axis_of(dim, self.ndim)]

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        return dtype_of(self._data.dtype)

    @property
    def device(self) -> dtypes.device:
        """The CPU."""
        return dtypes.device("cpu")

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._data.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self._data.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self._data.size

    nelement = numel

    def element_size(self) -> int:
        """The bytes of one element."""
        return self._data.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return self._data.nbytes

    def stride(self, dim: int | None = None) -> Any:
        """How many elements apart neighbours along each dimension (or `dim`) lie in memory."""
        strides = tuple(s // self._data.itemsize for s in self._data.strides)
        return strides if dim is None else strides[axis_of(dim, self.ndim)]

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in row-major order without gaps."""
        return self._data.flags.c_contiguous

    def is_floating_point(self) -> bool:
        """Whether the elements are floats."""
        return self._data.dtype.kind == "f"

    def data_ptr(self) -> int:
        """The address of the first element."""
        return int(self._data.ctypes.data)

    @property
    def T(self) -> Tensor:
        """All dimensions reversed."""
        return shape.permute(self, axes=tuple(range(self.ndim))[::-1])

    @property
    def mT(self) -> Tensor:
        """The last two dimensions exchanged."""
        if self.ndim < 2:
            raise RuntimeError(f"tensor.mT is only supported on matrices or batches of matrices. Got {self.ndim}-D tensor.")
        return shape.transpose(self, axis0=-2, axis1=-1)

    # out of the framework and back

    def item(self) -> bool | int | float:
        """The one element as a Python number; RuntimeError if there are several."""
        if self._data.size != 1:
            raise RuntimeError(
                f"a Tensor with {self._data.size} elements cannot be converted to Scalar: shape {list(self.shape)}"
            )
        value: bool | int | float = self._data.item()
        return value

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self._data.tolist()

    def numpy(self, *, force: bool = False) -> Array:
        """The elements as an array in the same memory; RuntimeError if they require grad, unless `force`."""
        if self.requires_grad and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return self._data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    __array_priority__ = 1000

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if options.get("out") is not None:
            raise TypeError(f"np.{ufunc.__name__}: out= is not supported when an input is a Tensor")
        if method == "__call__" and ufunc in UFUNCS and not options:
            if ufunc is np.matmul:
                return matrices.matmul(*(v if isinstance(v, Tensor) else wrap(np.asarray(v)) for v in inputs))
            return record(UFUNCS[ufunc], inputs, {})
        if method == "reduce" and ufunc is np.add:
            return FUNCTIONS[np.sum](*inputs, **options)
        values = [v._data if isinstance(v, Tensor) else v for v in inputs]
        if any(isinstance(v, Tensor) and v.requires_grad for v in inputs):
            raise TypeError(f"np.{ufunc.__name__} is not differentiable here; detach() its inputs to use it all the same")
        return wrap(np.asarray(getattr(ufunc, method)(*values, **options)))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        found = FUNCTIONS.get(function)
        if found is None:
            raise TypeError(f"np.{function.__name__} is not supported for Tensors; use .detach().numpy() for its values")
        return found(*args, **kwargs)

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self._edge is not None:
            raise RuntimeError("only leaf Tensors can be pickled or deep-copied; detach() it first")
        return _rebuild, (type(self), self._data, self._requires, dict(self.__dict__))

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self._edge is not None:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment."
            )
        copied = _rebuild(type(self), self._data.copy(), self._requires, dict(self.__dict__))
        copied._grad = None if self._grad is None else wrap(self._grad._data.copy())
        memo[id(self)] = copied
        return copied

    def to(self, *args: Any, dtype: DTypeLike | None = None, device: Any = None, copy: bool = False, **_: Any) -> Tensor:
        """The tensor in another dtype (or in that of another tensor); the only device is the CPU."""
        for value in (*args, device):
            if isinstance(value, Tensor):
                dtype = value.dtype
            elif isinstance(value, dtypes.dtype | np.dtype | type):
                dtype = value
            elif value is not None and not isinstance(value, bool):
                dtypes.device(value)
        result = self if dtype is None else self._astype(dtype_of(dtype).numpy)
        return result.clone() if copy and result is self else result

    def type(self, dtype: DTypeLike | None = None) -> Any:
        """The tensor in another dtype; without one, the name of its type."""
        if dtype is not None:
            return self.to(dtype)
        names = {"float32": "Float", "float64": "Double", "float16": "Half", "int64": "Long", "int32": "Int",
                 "int16": "Short", "int8": "Char", "uint8": "Byte", "bool": "Bool"}  # fmt: skip
        return f"torch.{names[self.dtype.name]}Tensor"

    def type_as(self, other: Tensor) -> Tensor:
        """The tensor in the dtype of `other`."""
        return self.to(other.dtype)

    def cpu(self) -> Tensor:
        """The tensor itself, which is on the CPU."""
        return self

    def float(self) -> Tensor:
        """The tensor in float32."""
        return self._astype(_FLOAT32)

    def double(self) -> Tensor:
        """The tensor in float64."""
        return self._astype(_FLOAT64)

    def long(self) -> Tensor:
        """The tensor in int64, floats truncated towards zero."""
        return self._astype(np.dtype(np.int64))

    def int(self) -> Tensor:
        """The tensor in int32, floats truncated towards zero."""
        return self._astype(np.dtype(np.int32))

    def bool(self) -> Tensor:
        """Whether each element is non-zero."""
        return self._astype(np.dtype(np.bool_))

    # Python's protocols

    def __repr__(self) -> str:
        suffixes = []
        if self.grad_fn is not None:
            suffixes.append(f"grad_fn={self.grad_fn!r}")
        elif self._requires:
            suffixes.append("requires_grad=True")
        default = dtypes.get_default_dtype().numpy
        return printing.format_tensor(self._data, default_dtype=default, suffixes=suffixes)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.ndim == 0 and spec else repr(self) if self.ndim else str(self.item())

    def __len__(self) -> Any:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self._data)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(shaping.unbind(self))

    def __contains__(self, element: Any) -> Any:
        return np.any(self._data == (element._data if isinstance(element, Tensor) else element)).item()

    def __bool__(self) -> Any:
        if self._data.size != 1:
            raise RuntimeError(
                f"Boolean value of Tensor with {'no' if not self._data.size else 'more than one'} values is ambiguous: "
                f"shape {list(self.shape)}"
            )
        return bool(self._data.item())

    def __float__(self) -> Any:
        return float(self.item())

    def __int__(self) -> Any:
        return int(self.item())

    def __index__(self) -> Any:
        if self._data.size != 1 or self._data.dtype.kind == "f":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._data.item())

    __hash__ = object.__hash__

    def __getitem__(self, key: Any) -> Tensor:
        return indexing.getitem(self, key)


def _rebuild(kind: type[Tensor], array: Array, requires_grad: bool, attributes: dict[str, Any]) -> Tensor:
    """A leaf made again from what a pickle or a copy holds."""
    tensor: Tensor = object.__new__(kind)
    tensor._become_leaf(array, requires_grad)
    tensor.__dict__.update(attributes)
    return tensor
