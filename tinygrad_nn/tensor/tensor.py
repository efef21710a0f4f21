"""Tensor: PyTorch's methods and Python's and NumPy's protocols on a Variable; knows no formula and no graph."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_nn import dtypes, numpy_protocol, printing
from tinygrad_nn.dtypes import Size, dtype_of, number_in
from tinygrad_nn.graph import MODE
from tinygrad_nn.methods import arranging, indexing, joining, matrices, queries, shaping
from tinygrad_nn.methods.dims import axis_of, sizes_of
from tinygrad_nn.op import UFUNCS, Array
from tinygrad_nn.ops import shape
from tinygrad_nn.tensor.conversion import Conversion
from tinygrad_nn.tensor.filling import Filling
from tinygrad_nn.tensor.indexing import Indexing
from tinygrad_nn.tensor.matrices import Matrices
from tinygrad_nn.tensor.memory import Memory
from tinygrad_nn.tensor.operators import Operators
from tinygrad_nn.tensor.pointwise import Pointwise
from tinygrad_nn.tensor.reduction import Reduction
from tinygrad_nn.tensor.shaping import Shaping
from tinygrad_nn.tensor.sorting import Sorting
from tinygrad_nn.variable import Variable, record, wrap

_FLOAT32 = np.dtype(np.float32)
_FLOAT64 = np.dtype(np.float64)


class Tensor(Operators, Pointwise, Reduction, Sorting, Shaping, Indexing, Matrices, Filling, Conversion, Memory, Variable):
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
        """A new float tensor: of the given sizes, uninitialised, or with the values of a sequence or array; or a tensor's."""
        dtypes.on_cpu(device or "cpu")
        wanted = dtypes.get_default_dtype().numpy
        if len(data) != 1 or isinstance(data[0], int | Size):
            self._become_leaf(np.zeros(sizes_of(data) if data else 0, wanted), False)
        elif isinstance(data[0], Tensor):
            self._become_leaf(data[0]._data, False)
        elif isinstance(data[0], Sequence | np.ndarray) and not isinstance(data[0], str | bytes):
            self._become_leaf(np.array(data[0], wanted), False)
        else:
            raise TypeError(f"new(): data must be a sequence (got {type(data[0]).__name__})")

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(value, Tensor):
            kind = _FLOAT64 if self._data.dtype == np.float16 else self._data.dtype  # what half precision cannot hold is inf there
            value = wrap(np.asarray(value) if np.ndim(value) else number_in(value, kind))
        basic, index = indexing.split_index(indexing.numpy_index(key, self._data.shape))
        (self if basic is None else indexing.getitem(self, basic))._write_at(index, value)

    def __delitem__(self, key: Any) -> None:
        raise TypeError("Tensor does not support deleting items")

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
    ndimension = dim

    def element_size(self) -> int:
        """The bytes of one element."""
        return self._data.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return self._data.nbytes

    def stride(self, dim: int | None = None) -> Any:
        """How many elements apart neighbours along each dimension (or `dim`) lie in memory."""
        if self._data.size:
            strides = tuple(s // self._data.itemsize for s in self._data.strides)
            if 0 in strides:
                strides = _steps(strides, self._data.shape)
        else:  # PyTorch counts an empty dimension as one element
            strides = tuple(Size(max(n, 1) for n in self._data.shape[i + 1 :]).numel() for i in range(self.ndim))
        return strides if dim is None else strides[axis_of(dim, self.ndim)]

    def storage_offset(self) -> int:
        """How many elements into its memory block the tensor begins."""
        root = self._data
        while isinstance(root.base, np.ndarray):
            root = root.base
        return (self._data.ctypes.data - root.ctypes.data) // self._data.itemsize if self._data.size else 0

    def is_contiguous(self, memory_format: Any = None) -> Any:
        """Whether the elements lie in memory without gaps, in row-major order or, of a format for images, channels last."""
        order = None if memory_format is None else dtypes.CHANNELS_LAST.get(str(memory_format))
        if order is None:
            return self._data.flags.c_contiguous
        return self.ndim == len(order) and self._data.transpose(order).flags.c_contiguous

    def is_floating_point(self) -> Any:
        """Whether the elements are floats."""
        return self._data.dtype.kind == "f"

    def is_complex(self) -> Any:
        """False: there are no complex numbers here."""
        return False

    def is_signed(self) -> Any:
        """Whether the dtype has negative values."""
        return self.dtype.is_signed

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return self._data.itemsize

    @property
    def layout(self) -> dtypes.layout:
        """All elements in memory, one at each step of a stride."""
        return dtypes.strided

    is_nonzero, is_same_size = queries.is_nonzero, queries.is_same_size
    is_conj, is_neg, is_inference = queries.is_conj, queries.is_neg, queries.is_inference
    equal, allclose = queries.equal, queries.allclose

    is_cpu = True
    is_cuda = is_mps = is_sparse = is_quantized = is_meta = is_nested = is_mkldnn = False  # only dense CPU tensors exist
    is_xpu = is_xla = is_vulkan = is_ipu = is_mtia = is_maia = is_sparse_csr = False
    name = None

    get_device = queries.get_device

    def data_ptr(self) -> int:
        """The address of the first element; 0 if there is none."""
        return int(self._data.ctypes.data) if self._data.size else 0

    @property
    def T(self) -> Tensor:
        """All dimensions reversed; a UserWarning unless there are two, since it is meant for matrices."""
        if self.ndim != 2:
            told = "The use of `x.T` on tensors of dimension other than 2 is deprecated; use mT for matrices, else permute"
            warnings.warn(told, UserWarning, stacklevel=2)
        return shape.permute(self, axes=tuple(range(self.ndim))[::-1])

    @property
    def mT(self) -> Tensor:
        """The last two dimensions exchanged."""
        if self.ndim == 1:
            raise RuntimeError("tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor.")
        return shaping.adjoint(self)

    mH = mT

    @property
    def H(self) -> Tensor:
        """The transpose of a matrix."""
        if self.ndim not in (0, 2):
            raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {self.ndim}-D tensor.")
        return shaping.adjoint(self)

    @property
    def real(self) -> Tensor:
        """The tensor itself: numbers here are real."""
        return self

    @property
    def imag(self) -> Tensor:
        """An error: numbers here are real."""
        return queries.imag(self)

    def _forget_grad(self) -> None:
        self._grad = None

    grad = Variable.grad.deleter(_forget_grad)  # type: ignore[attr-defined]

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
        """The elements as an array in the same memory; RuntimeError if they require grad, unless `force` or in `no_grad`."""
        if self.requires_grad and MODE.get().grad and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return self._data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    __array_priority__ = 1000

    def __dlpack__(self, **options: Any) -> Any:
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return self._data.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._data.__dlpack_device__()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if options.get("out") is not None:
            raise TypeError(f"np.{ufunc.__name__}: out= is not supported when an input is a Tensor")
        if method == "__call__" and ufunc in UFUNCS and not options:
            if ufunc is np.matmul:
                return matrices.matmul(*(v if isinstance(v, Tensor) else wrap(np.asarray(v)) for v in inputs))
            return record(UFUNCS[ufunc], inputs, {})
        if method == "reduce" and ufunc is np.add:
            return numpy_protocol.call(np.sum, inputs, options)
        values = [v._data if isinstance(v, Tensor) else v for v in inputs]
        if any(isinstance(v, Tensor) and v.requires_grad for v in inputs):
            raise RuntimeError(f"np.{ufunc.__name__} is not differentiable here; detach() its inputs to use it all the same")
        found = getattr(ufunc, method)(*values, **options)
        return tuple(map(wrap, found)) if isinstance(found, tuple) else found if found is None else wrap(np.asarray(found))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return numpy_protocol.call(function, args, kwargs)

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self._edge is not None:
            raise RuntimeError("only leaf Tensors can be pickled or deep-copied; detach() it first")
        return _rebuild, (type(self), self._data, self._requires, self._own_attributes())

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self._edge is not None:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment."
            )
        from copy import deepcopy  # the package imports quicker without it

        copied = _rebuild(type(self), self._data.copy(order="K"), self._requires, {})
        memo[id(self)] = copied
        copied.__dict__.update(deepcopy(self._own_attributes(), memo))
        copied._grad = deepcopy(self._grad, memo)
        return copied

    def _own_attributes(self) -> dict[str, Any]:
        """What the user has set on this tensor: hooks, and what else the engine keeps there, stay with it."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_afterwards", "_former", "_retains")}

    # Python's protocols

    def __repr__(self) -> str:
        suffixes = []
        if self.grad_fn is not None:
            suffixes.append(f"grad_fn=<{self.grad_fn.name()}>")
        elif self._requires:
            suffixes.append("requires_grad=True")
        default = dtypes.get_default_dtype().numpy
        return printing.format_tensor(self._data, default_dtype=default, suffixes=suffixes)

    def __format__(self, spec: str) -> str:
        if self.ndim == 0 and type(self) is Tensor:
            return format(self.item(), spec)
        return object.__format__(self, spec)

    def __len__(self) -> Any:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self._data)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(joining.unbind(self))

    def __reversed__(self) -> Tensor:
        return arranging.flip(self, 0) if self.ndim else self

    def __contains__(self, element: Any) -> Any:
        if not isinstance(element, Tensor | bool | int | float):
            raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")
        return bool((self == element).any())

    def __bool__(self) -> Any:
        if self._data.size != 1:
            raise RuntimeError(
                f"Boolean value of Tensor with {'no' if not self._data.size else 'more than one'} values is ambiguous: "
                f"shape {list(self.shape)}"
            )
        return bool(self._data.item())

    def _scalar(self) -> Any:
        if self._data.size != 1:
            raise ValueError(f"only one element tensors can be converted to Python scalars, got shape {list(self.shape)}")
        return self._data.item()

    def __float__(self) -> Any:
        return float(self._scalar())

    def __int__(self) -> Any:
        return int(self._scalar())

    def __complex__(self) -> Any:
        return complex(self._scalar())

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


def _steps(strides: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides as PyTorch tells them: a dimension of one element, which NumPy gives no step, spans those within it."""
    found = list(strides)
    for i in reversed(range(len(shape))):
        if shape[i] == 1 and not found[i]:
            found[i] = found[i + 1] * shape[i + 1] if i + 1 < len(shape) else 1
    return tuple(found)
