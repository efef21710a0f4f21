"""Tensor: PyTorch's methods and Python's and NumPy's protocols on a Variable; knows no formula and no graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinygrad_nn import dtypes, printing
from tinygrad_nn.dtypes import DTypeLike, Size, dtype_of
from tinygrad_nn.methods import filling, indexing, matrices, pointwise, reduction, shaping, softmax
from tinygrad_nn.methods.dims import axis_of
from tinygrad_nn.numpy_protocol import FUNCTIONS
from tinygrad_nn.op import UFUNCS, Array
from tinygrad_nn.ops import elementwise, shape
from tinygrad_nn.variable import Variable, record, wrap

_FLOAT32 = np.dtype(np.float32)
_FLOAT64 = np.dtype(np.float64)


def _in_place(function: Any) -> Any:
    """The method that writes what `function` gives back into its tensor."""
    name = function.__name__ + "_"

    def method(self: Tensor, *args: Any, **options: Any) -> Tensor:
        before = self._before_write((*args, *options.values()), name)
        return self._become(function(before, *args, **options), name)

    method.__name__, method.__doc__ = name, f"{function.__doc__} In place."
    return method


class Tensor(Variable):
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

    # operators

    def __add__(self, other: Any) -> Tensor:
        return record(elementwise.add, (self, other), {})

    def __radd__(self, other: Any) -> Tensor:
        return record(elementwise.add, (other, self), {})

    def __sub__(self, other: Any) -> Tensor:
        return pointwise.sub(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return pointwise.sub(other, self)

    def __mul__(self, other: Any) -> Tensor:
        return record(elementwise.mul, (self, other), {})

    def __rmul__(self, other: Any) -> Tensor:
        return record(elementwise.mul, (other, self), {})

    def __truediv__(self, other: Any) -> Tensor:
        return record(elementwise.div, (self, other), {})

    def __rtruediv__(self, other: Any) -> Tensor:
        return record(elementwise.div, (other, self), {})

    def __floordiv__(self, other: Any) -> Tensor:
        return pointwise.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return pointwise.floor_divide(other, self)

    def __mod__(self, other: Any) -> Tensor:
        return pointwise.remainder(self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return pointwise.remainder(other, self)

    def __pow__(self, other: Any) -> Tensor:
        return pointwise.pow(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return pointwise.pow(other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return matrices.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return matrices.matmul(other, self)

    def __neg__(self) -> Tensor:
        return pointwise.neg(self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return pointwise.abs(self)

    def __invert__(self) -> Tensor:
        return pointwise.bitwise_not(self)

    def __and__(self, other: Any) -> Tensor:
        return pointwise.bitwise_and(self, other)

    def __or__(self, other: Any) -> Tensor:
        return pointwise.bitwise_or(self, other)

    def __xor__(self, other: Any) -> Tensor:
        return pointwise.bitwise_xor(self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __eq__(self, other: Any) -> Any:
        return _compared(pointwise.eq, self, other)

    def __ne__(self, other: Any) -> Any:
        return _compared(pointwise.ne, self, other)

    def __lt__(self, other: Any) -> Tensor:
        return pointwise.lt(self, other)

    def __le__(self, other: Any) -> Tensor:
        return pointwise.le(self, other)

    def __gt__(self, other: Any) -> Tensor:
        return pointwise.gt(self, other)

    def __ge__(self, other: Any) -> Tensor:
        return pointwise.ge(self, other)

    # methods: the functions of `methods`, whose first argument is the tensor

    add = pointwise.add
    sub = pointwise.sub
    mul = pointwise.mul
    div = pointwise.div
    pow = pointwise.pow
    neg = pointwise.neg
    abs = pointwise.abs
    sign = pointwise.sign
    exp = pointwise.exp
    log = pointwise.log
    log1p = pointwise.log1p
    expm1 = pointwise.expm1
    sqrt = pointwise.sqrt
    rsqrt = pointwise.rsqrt
    square = pointwise.square
    reciprocal = pointwise.reciprocal
    sin = pointwise.sin
    cos = pointwise.cos
    tanh = pointwise.tanh
    sigmoid = pointwise.sigmoid
    relu = pointwise.relu
    erf = pointwise.erf
    maximum = pointwise.maximum
    minimum = pointwise.minimum
    clamp = pointwise.clamp
    masked_fill = pointwise.masked_fill
    eq = pointwise.eq
    ne = pointwise.ne
    lt = pointwise.lt
    le = pointwise.le
    gt = pointwise.gt
    ge = pointwise.ge
    floor_divide = pointwise.floor_divide
    remainder = pointwise.remainder
    logical_not = pointwise.logical_not
    logical_and = pointwise.logical_and
    logical_or = pointwise.logical_or
    bitwise_not = pointwise.bitwise_not
    bitwise_and = pointwise.bitwise_and
    bitwise_or = pointwise.bitwise_or
    bitwise_xor = pointwise.bitwise_xor
    isnan = pointwise.isnan
    isinf = pointwise.isinf
    isfinite = pointwise.isfinite
    floor = pointwise.floor
    ceil = pointwise.ceil
    round = pointwise.round
    subtract = pointwise.sub
    multiply = pointwise.mul
    divide = pointwise.div
    true_divide = pointwise.div
    absolute = pointwise.abs
    negative = pointwise.neg
    clip = pointwise.clamp

    sum = reduction.sum
    mean = reduction.mean
    prod = reduction.prod
    var = reduction.var
    std = reduction.std
    amax = reduction.amax
    amin = reduction.amin
    max = reduction.max
    min = reduction.min
    argmax = reduction.argmax
    argmin = reduction.argmin
    cumsum = reduction.cumsum
    logsumexp = reduction.logsumexp
    all = reduction.all
    any = reduction.any

    reshape = shaping.reshape
    view = shaping.view
    view_as = shaping.view_as
    flatten = shaping.flatten
    unflatten = shaping.unflatten
    squeeze = shaping.squeeze
    unsqueeze = shaping.unsqueeze
    transpose = shaping.transpose
    t = shaping.t
    permute = shaping.permute
    movedim = shaping.movedim
    expand = shaping.expand
    expand_as = shaping.expand_as
    broadcast_to = shaping.broadcast_to
    sum_to_size = shaping.sum_to_size
    unbind = shaping.unbind
    narrow = shaping.narrow
    split = shaping.split
    chunk = shaping.chunk
    flip = shaping.flip
    roll = shaping.roll
    contiguous = shaping.contiguous
    clone = shaping.clone

    gather = indexing.gather
    index_select = indexing.index_select
    masked_select = indexing.masked_select

    matmul = matrices.matmul
    mm = matrices.mm
    bmm = matrices.bmm
    mv = matrices.mv
    dot = matrices.dot

    def where(self, condition: Tensor, other: Any) -> Tensor:
        """This tensor where `condition` holds, `other` elsewhere."""
        return pointwise.where(condition, self, other)

    def softmax(self, dim: Any, dtype: DTypeLike | None = None) -> Tensor:
        """exp(self) / sum(exp(self)) along `dim`."""
        return softmax.softmax(self if dtype is None else self.to(dtype), dim)

    def log_softmax(self, dim: Any, dtype: DTypeLike | None = None) -> Tensor:
        """The logarithm of softmax along `dim`."""
        return softmax.log_softmax(self if dtype is None else self.to(dtype), dim)

    add_ = _in_place(pointwise.add)
    sub_ = _in_place(pointwise.sub)
    mul_ = _in_place(pointwise.mul)
    div_ = _in_place(pointwise.div)
    pow_ = _in_place(pointwise.pow)
    neg_ = _in_place(pointwise.neg)
    abs_ = _in_place(pointwise.abs)
    exp_ = _in_place(pointwise.exp)
    log_ = _in_place(pointwise.log)
    log1p_ = _in_place(pointwise.log1p)
    sqrt_ = _in_place(pointwise.sqrt)
    rsqrt_ = _in_place(pointwise.rsqrt)
    square_ = _in_place(pointwise.square)
    reciprocal_ = _in_place(pointwise.reciprocal)
    sin_ = _in_place(pointwise.sin)
    cos_ = _in_place(pointwise.cos)
    tanh_ = _in_place(pointwise.tanh)
    sigmoid_ = _in_place(pointwise.sigmoid)
    relu_ = _in_place(pointwise.relu)
    clamp_ = _in_place(pointwise.clamp)
    masked_fill_ = _in_place(pointwise.masked_fill)
    floor_ = _in_place(pointwise.floor)
    ceil_ = _in_place(pointwise.ceil)
    round_ = _in_place(pointwise.round)
    clip_ = clamp_
    uniform_ = filling.uniform_
    normal_ = filling.normal_
    bernoulli_ = filling.bernoulli_
    exponential_ = filling.exponential_
    random_ = filling.random_
    __iadd__, __isub__, __imul__, __itruediv__, __ipow__ = add_, sub_, mul_, div_, pow_


def _compared(comparison: Any, a: Tensor, b: Any) -> Any:
    """A comparison that is False, as Python wants it, against what is neither tensor nor number."""
    if b is None or isinstance(b, str):
        return NotImplemented
    return comparison(a, b)


def _rebuild(kind: type[Tensor], array: Array, requires_grad: bool, attributes: dict[str, Any]) -> Tensor:
    """A leaf made again from what a pickle or a copy holds."""
    tensor: Tensor = object.__new__(kind)
    tensor._become_leaf(array, requires_grad)
    tensor.__dict__.update(attributes)
    return tensor
