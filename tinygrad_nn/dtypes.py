"""dtypes, devices and sizes as PyTorch shows them, and its rules of promotion; knows NumPy's dtypes, no Tensor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np


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

DTypeLike: TypeAlias = "dtype | np.dtype[Any] | type | str"

_BY_NUMPY = {
    d.numpy: d for d in (float16, float32, float64, int8, int16, int32, int64, uint8, bool_)
}
_BY_PYTHON: dict[Any, dtype] = {bool: bool_, int: int64, float: float32}
_RANK = {"b": 0, "u": 1, "i": 1, "f": 2}
_default = float32


def dtype_of(like: DTypeLike) -> dtype:
    """The dtype that a NumPy dtype, a Python type or a name stands for; TypeError for one that is not supported."""
    if isinstance(like, dtype):
        return like
    if like is float:
        return _default
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


def promote_types(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """The common dtype of two: the wider of one kind, else the one of the higher kind (bool < integer < float)."""
    rank_a, rank_b = _RANK[a.kind], _RANK[b.kind]
    if rank_a != rank_b:
        return a if rank_a > rank_b else b
    return np.promote_types(a, b)


def _of_kind(kinds: Iterable[np.dtype[Any]]) -> np.dtype[Any] | None:
    common = None
    for d in kinds:
        common = d if common is None else promote_types(common, d)
    return common


def result_type(values: Iterable[Any], floating: bool = False) -> np.dtype[Any]:
    """The dtype in which arrays and Python numbers are computed together.

    Arrays with dimensions decide; 0-d arrays, and after them numbers, only raise the kind. With `floating`,
    integers become the default dtype. (PyTorch's tensor attributes page, "Type promotion".)
    """
    values = list(values)
    arrays = [v for v in values if isinstance(v, np.ndarray)]
    numbers = [_BY_PYTHON[type(v)].numpy if type(v) is not float else _default.numpy
               for v in values if not isinstance(v, np.ndarray)]  # fmt: skip
    result = _of_kind(a.dtype for a in arrays if a.ndim)
    for weaker in (_of_kind(a.dtype for a in arrays if not a.ndim), _of_kind(numbers)):
        if result is None or (weaker is not None and _RANK[weaker.kind] > _RANK[result.kind]):
            result = weaker
    if result is None:
        raise TypeError("expected at least one array or number")
    return _default.numpy if floating and result.kind != "f" else result


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

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"


class device:
    """Where a tensor lives; here there is only `cpu`, and anything else is a RuntimeError."""

    __slots__ = ("index", "type")

    def __init__(self, type: str | device = "cpu", index: int | None = None) -> None:
        name, _, number = str(type).partition(":")
        if name != "cpu":
            raise RuntimeError(f"device '{type}': expected 'cpu', the only device here")
        self.type = name
        self.index = int(number) if number else index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (f", index={self.index})" if self.index is not None else ")")
