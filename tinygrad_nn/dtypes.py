"""dtypes, devices and sizes as PyTorch shows them, and its rules of promotion; knows NumPy's dtypes, no Tensor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self, TypeAlias

import numpy as np

__all__ = [
    "Size", "bfloat16", "channels_last", "channels_last_3d", "complex64", "complex128", "contiguous_format", "device", "dtype",
    "finfo", "float16", "float32", "float64", "get_default_device", "get_default_dtype", "iinfo", "int8", "int16", "int32", "int64",
    "layout", "memory_format", "preserve_format", "set_default_device", "set_default_dtype", "strided", "uint8",
]  # fmt: skip


class dtype:
    """An element type: PyTorch's name for a NumPy dtype, which `.numpy` gives.

    >>> float32, float32.itemsize, float32.is_floating_point
    (torch.float32, 4, True)
    """

    __slots__ = ("dtype", "is_floating_point", "itemsize", "name", "numpy")
    is_complex = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.numpy: np.dtype[Any] = np.dtype(name)
        self.dtype = self.numpy  # what NumPy looks for when it is handed this object as a dtype
        self.itemsize = self.numpy.itemsize
        self.is_floating_point = self.numpy.kind == "f"

    @property
    def is_signed(self) -> bool:
        """Whether the type has negative values."""
        return self.numpy.kind in "if"

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return dtype_of, (self.name,)


float16, float32, float64 = (dtype(name) for name in ("float16", "float32", "float64"))
int8, int16, int32, int64 = (dtype(name) for name in ("int8", "int16", "int32", "int64"))
uint8, bool_ = dtype("uint8"), dtype("bool")


class _Absent(dtype):
    """A dtype of PyTorch's that NumPy or this package has not: it has a name to compare with, and any use is an error."""

    __slots__ = ("is_complex",)

    def __init__(self, name: str, itemsize: int) -> None:
        self.name, self.itemsize = name, itemsize
        self.is_complex = name.startswith("complex")
        self.is_floating_point = not self.is_complex

    def __getattr__(self, name: str) -> Any:
        if name not in ("numpy", "dtype"):
            raise AttributeError(f"{self!r} has no attribute '{name}'")
        raise NotImplementedError(f"{self!r} is not supported: expected a dtype among {', '.join(map(str, _BY_NUMPY.values()))}")


bfloat16, complex64, complex128 = _Absent("bfloat16", 2), _Absent("complex64", 8), _Absent("complex128", 16)


class layout:
    """How a tensor's elements lie in memory, by PyTorch's name; here there is only `strided`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"


class memory_format(layout):
    """The order of a tensor's dimensions in memory, by PyTorch's name."""

    __slots__ = ()


CHANNELS_LAST = {"torch.channels_last": (0, 2, 3, 1), "torch.channels_last_3d": (0, 2, 3, 4, 1)}


def order_of(format: Any, ndim: int) -> tuple[int, ...] | None:
    """The dimensions as a memory format has them lie, outermost first; None for row-major ones.

    RuntimeError for another number of dimensions than the format is for.
    """
    order = CHANNELS_LAST.get(str(format))
    if order is not None and len(order) != ndim:
        raise RuntimeError(f"required rank {len(order)} tensor to use {format.name} format, got {ndim} dimensions")
    return order


strided = layout("strided")
contiguous_format, preserve_format, channels_last, channels_last_3d = (
    memory_format(name) for name in ("contiguous_format", "preserve_format", "channels_last", "channels_last_3d")
)

DTypeLike: TypeAlias = dtype | np.dtype[Any] | type | str

_BY_NUMPY = {
    d.numpy: d for d in (float16, float32, float64, int8, int16, int32, int64, uint8, bool_)
}
_BY_PYTHON: dict[Any, dtype] = {bool: bool_, int: int64, float: float64}
RANK = {"b": 0, "u": 1, "i": 1, "f": 2}
_default = float32


def dtype_of(like: DTypeLike) -> dtype:
    """The dtype that a NumPy dtype, a Python type or a name stands for; TypeError for one that is not supported."""
    if isinstance(like, dtype):
        return like
    if isinstance(like, np.dtype) and (known := _BY_NUMPY.get(like)) is not None:
        return known
    if isinstance(like, type) and like in _BY_PYTHON:
        return _BY_PYTHON[like]
    found = _BY_NUMPY.get(np.dtype(like).newbyteorder("="))
    if found is None:
        names = ", ".join(d.name for d in _BY_NUMPY.values())
        raise TypeError(f"expected a dtype among {names}, got {np.dtype(like)}")
    return found


def get_default_dtype() -> dtype:
    """The floating dtype that new tensors get when none is named."""
    return _default


def set_default_dtype(d: DTypeLike, /) -> None:
    """Make `d`, a floating dtype, the one that new tensors get when none is named."""
    global _default
    found = dtype_of(d)
    if not found.is_floating_point:
        raise TypeError(f"set_default_dtype: expected a floating dtype, got {found}")
    _default = found


def get_default_device() -> device:
    """The CPU."""
    return device("cpu")


def set_default_device(device: Any) -> None:
    """Accept the CPU, the only device."""
    on_cpu(device or "cpu")


class finfo:
    """The limits of a floating dtype, by default of the default one.

    >>> finfo(float16).max
    65504.0
    """

    __slots__ = ("bits", "dtype", "eps", "max", "min", "resolution", "smallest_normal", "tiny")

    def __init__(self, type: dtype | None = None) -> None:
        kind = dtype_of(type or _default)
        if not kind.is_floating_point:
            raise TypeError(f"finfo: expected a floating dtype, got {kind}; use iinfo for it")
        limits = np.finfo(kind.numpy)
        self.bits, self.dtype, self.eps, self.resolution = limits.bits, kind.name, float(limits.eps), 10.0**-limits.precision
        self.max, self.min = float(limits.max), float(limits.min)
        self.tiny = self.smallest_normal = float(limits.tiny)

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return f"finfo({', '.join(f'{name}={getattr(self, name):g}' for name in names)}, dtype={self.dtype})"


class iinfo:
    """The limits of an integer dtype.

    >>> iinfo(int8).max
    127
    """

    __slots__ = ("bits", "dtype", "max", "min")

    def __init__(self, type: dtype) -> None:
        kind = dtype_of(type)
        if kind.numpy.kind not in "iu":
            raise TypeError(f"iinfo: expected an integer dtype, got {kind}; use finfo for a floating one")
        limits = np.iinfo(kind.numpy)
        self.bits, self.dtype, self.max, self.min = limits.bits, kind.name, int(limits.max), int(limits.min)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


def promote_types(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """The common dtype of two: the wider of one kind, else the one of the higher kind (bool < integer < float)."""
    rank_a, rank_b = RANK[a.kind], RANK[b.kind]
    if rank_a != rank_b:
        return a if rank_a > rank_b else b
    return np.promote_types(a, b)


def _of_kind(kinds: Iterable[np.dtype[Any]]) -> np.dtype[Any] | None:
    common = None
    for d in kinds:
        common = d if common is None else promote_types(common, d)
    return common


def _of_number(number: Any) -> np.dtype[Any]:
    kind = type(number.item() if isinstance(number, np.generic) else number)
    return _default.numpy if kind is float else _BY_PYTHON[kind].numpy


def result_type(values: Iterable[Any], floating: bool = False) -> np.dtype[Any]:
    """The dtype in which arrays and Python numbers are computed together.

    Arrays with dimensions decide; 0-d arrays, and after them numbers, only raise the kind. With `floating`,
    integers become the default dtype. (PyTorch's tensor attributes page, "Type promotion".)
    """
    values = list(values)
    arrays = [v for v in values if isinstance(v, np.ndarray)]
    numbers = [_of_number(v) for v in values if not isinstance(v, np.ndarray)]
    result = _of_kind(a.dtype for a in arrays if a.ndim)
    for weaker in (_of_kind(a.dtype for a in arrays if not a.ndim), _of_kind(numbers)):
        if result is None or (weaker is not None and RANK[weaker.kind] > RANK[result.kind]):
            result = weaker
    if result is None:
        raise TypeError("expected at least one array or number")
    return _default.numpy if floating and result.kind != "f" else result


def number_in(value: Any, kind: np.dtype[Any]) -> Any:
    """A number as a 0-d array of `kind`, cut off or rounded; below 0 a whole one wraps around in uint8, as in PyTorch.

    TypeError for what is no number, RuntimeError for one that is beyond what `kind` holds.

    >>> number_in(-1, np.dtype(np.uint8)), number_in(2.5, np.dtype(np.int64))
    (array(255, dtype=uint8), array(2))
    """
    if not isinstance(value, int | float | np.number | np.bool_ | np.ndarray):
        raise TypeError(f"expected a number, got {type(value).__name__}")
    number = np.asarray(value)
    if kind.kind != "b" and not _holds(kind, value, number.dtype.kind):
        raise RuntimeError(f"value {value} cannot be converted to {dtype_of(kind)} without overflow")
    return number.astype(kind)


def _holds(kind: np.dtype[Any], value: Any, given: str) -> bool:
    """Whether a number of the `given` kind is within what a dtype of numbers holds."""
    if kind.kind == "f":
        most = float(np.finfo(kind).max)
        return bool(-most <= value <= most) or not np.isfinite(value)
    limits = np.iinfo(kind)
    least = -limits.max if kind.kind == "u" and given != "f" else limits.min
    return bool(least <= value <= limits.max)


class Size(tuple[int, ...]):
    """A shape: a tuple of ints that prints as PyTorch's.

    >>> Size((2, 3)), Size((2, 3)).numel()
    (torch.Size([2, 3]), 6)
    """

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        count = 1
        for n in self:
            count *= n
        return count

    def __getitem__(self, key: Any) -> Any:
        part = tuple.__getitem__(self, key)
        return Size(part) if isinstance(key, slice) else part

    def __add__(self, other: Any) -> Size:
        return Size(tuple(self) + tuple(other))

    def __radd__(self, other: Any) -> Size:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, times: Any) -> Size:
        return Size(tuple(self) * times)

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"


class device:
    """A place for tensors by PyTorch's name, to hold and compare; only `cpu` is here, see `on_cpu`.

    >>> device("cuda:1"), device("cpu") == device("cpu")
    (device(type='cuda', index=1), True)
    """

    __slots__ = ("index", "type")

    def __init__(self, type: str | device | None = None, index: int | None = None, *, device: str | device | None = None) -> None:
        given = str(device if type is None else type)
        name, _, number = given.partition(":")
        if name not in _PLACES or (number and not number.isdecimal()):
            raise RuntimeError(f"device '{given}': expected one of {', '.join(_PLACES)}, with a number after a colon or without")
        self.type = name
        self.index = int(number) if number else index

    def __enter__(self) -> Self:
        on_cpu(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is to be restored: new tensors are on the CPU anyway."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (f", index={self.index})" if self.index is not None else ")")


_PLACES = ("cpu", "cuda", "mps", "xpu", "xla", "hip", "meta")


def on_cpu(place: Any) -> None:
    """Accept the CPU, the only device here; AssertionError for `cuda`, RuntimeError for another, as PyTorch without them."""
    wanted = device(place)
    if wanted.type != "cpu":
        kind = AssertionError if wanted.type == "cuda" else RuntimeError
        raise kind(f"device '{wanted}': expected 'cpu', the only device here")
