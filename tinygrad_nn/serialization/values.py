"""Python's values as JSON and back; knows no tensor and no file.

JSON has strings, true, false and null. Anything else is an object with one key, its kind: whole numbers as decimals
(or hex, with 0x), floats as hex, dicts as pairs, and each kind of `KINDS` as the list of the simpler values that it is
made of. What is made is always of one of these kinds: nothing is imported, nothing is called by a name in the file.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from argparse import Namespace
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from pathlib import Path, PosixPath, PurePath, PurePosixPath, PureWindowsPath, WindowsPath
from types import NoneType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from tinygrad_nn import dtypes
from tinygrad_nn.dtypes import Size, device, dtype

MAX_DEPTH = 200  # how many values may hold one another: far less than Python's own limit, when writing and when reading
_LONGEST_DECIMAL = 12_000  # bits: Python reads and writes much longer decimals only when it is told to
_DTYPES = {d.name: d for d in vars(dtypes).values() if isinstance(d, dtype)}
_FACTORIES: dict[str | None, Any] = {"int": int, "float": float, "list": list, "dict": dict, "set": set, None: None}
_NUMPY_DTYPE = re.compile("[<>|][biufcSU][1-9][0-9]{0,9}")


class Kind(NamedTuple):
    """How one type is taken apart into simpler values and put together again, and the types these have."""

    type: Any
    parts: Callable[[Any], list[Any]]
    make: Callable[[list[Any]], Any]
    takes: Any = object  # one type for any number of parts, or a tuple with one for each


def _distinct(kind: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    def make(parts: list[Any]) -> Any:
        made = kind(parts)
        if len(made) != len(parts):
            raise ValueError(f"two equal items in a {kind.__name__}")
        return made

    return make


def _ordered(parts: list[Any]) -> Any:
    made = OrderedDict(parts[0])
    if parts[1] is not None:
        made._metadata = parts[1]  # type: ignore[attr-defined]
    return made


def _bag(kind: Callable[[], Any]) -> Callable[[list[Any]], Any]:
    def make(parts: list[Any]) -> Any:
        made = kind()
        for name, value in parts[0].items():
            if not isinstance(name, str):
                raise ValueError(f"expected the name of an attribute, got {name!r:.40}")
            vars(made)[name] = value
        return made

    return make


def _scalar(parts: list[Any]) -> Any:
    (made,) = np.frombuffer(parts[1], numpy_dtype(parts[0]))
    return made


def _path(concrete: type[PurePath], pure: type[PurePath]) -> Kind:
    """A path; one of another system's files comes back as what can be said of it here, its pure kind."""
    here = concrete if isinstance(Path(), concrete) else pure
    return Kind(concrete, lambda path: [str(path)], lambda parts: here(parts[0]), (str,))


KINDS = {
    "list": Kind(list, list, list),
    "tuple": Kind(tuple, list, tuple),
    "set": Kind(set, list, _distinct(set)),
    "frozenset": Kind(frozenset, list, _distinct(frozenset)),
    "Size": Kind(Size, list, Size, int),
    "range": Kind(range, lambda r: [r.start, r.stop, r.step], lambda parts: range(*parts), (int, int, int)),
    "slice": Kind(slice, lambda s: [s.start, s.stop, s.step], lambda parts: slice(*parts), (object, object, object)),
    "complex": Kind(complex, lambda z: [z.real, z.imag], lambda parts: complex(*parts), (float, float)),
    "bytes": Kind(
        bytes, lambda b: [base64.b64encode(b).decode()], lambda parts: base64.b64decode(parts[0], validate=True), (str,)
    ),
    "bytearray": Kind(bytearray, lambda b: [bytes(b)], lambda parts: bytearray(parts[0]), (bytes,)),
    "deque": Kind(deque, lambda d: [list(d), d.maxlen], lambda parts: deque(*parts), (list, int | None)),
    "OrderedDict": Kind(OrderedDict, lambda d: [dict(d), getattr(d, "_metadata", None)], _ordered, (dict, object)),
    "Counter": Kind(Counter, lambda d: [dict(d)], lambda parts: Counter(parts[0]), (dict,)),
    "defaultdict": Kind(
        defaultdict,
        lambda d: [next(name for name, factory in _FACTORIES.items() if factory is d.default_factory), dict(d)],
        lambda parts: defaultdict(_FACTORIES[parts[0]], parts[1]),
        (str | None, dict),
    ),
    "Namespace": Kind(Namespace, lambda n: [vars(n)], _bag(Namespace), (dict,)),
    "SimpleNamespace": Kind(SimpleNamespace, lambda n: [vars(n)], _bag(SimpleNamespace), (dict,)),
    "datetime": Kind(datetime, lambda d: [d.isoformat()], lambda parts: datetime.fromisoformat(parts[0]), (str,)),
    "date": Kind(date, lambda d: [d.isoformat()], lambda parts: date.fromisoformat(parts[0]), (str,)),
    "timedelta": Kind(
        timedelta, lambda d: [d.days, d.seconds, d.microseconds], lambda parts: timedelta(*parts), (int, int, int)
    ),
    "PurePosixPath": _path(PurePosixPath, PurePosixPath),
    "PureWindowsPath": _path(PureWindowsPath, PureWindowsPath),
    "PosixPath": _path(PosixPath, PurePosixPath),
    "WindowsPath": _path(WindowsPath, PureWindowsPath),
    "device": Kind(device, lambda d: [str(d)], lambda parts: device(parts[0]), (str,)),
    "dtype": Kind(dtype, lambda d: [d.name], lambda parts: _DTYPES[parts[0]], (str,)),
    "numpy.dtype": Kind(np.dtype, lambda d: [d.str], lambda parts: numpy_dtype(parts[0]), (str,)),
    "scalar": Kind(np.generic, lambda value: [value.dtype.str, value.tobytes()], _scalar, (str, bytes)),
}
_BY_TYPE = {kind.type: name for name, kind in KINDS.items()}
# What any other type is saved as: the first of these that it is a kind of.
_PARENTS = {
    np.generic: "scalar", np.dtype: "numpy.dtype", dtype: "dtype", int: "int", float: "float", Mapping: "dict", list: "list",
    tuple: "tuple",
}  # fmt: skip


def kind_of(obj: Any) -> str | None:
    """The kind that an object is saved as: "int", "float", "dict" or one of `KINDS`; None for what is not saved."""
    if type(obj) in _BY_TYPE:
        return _BY_TYPE[type(obj)]
    return next((name for parent, name in _PARENTS.items() if isinstance(obj, parent)), None)


def veto(obj: Any) -> str | None:
    """What to save in place of an object that is not saved although its type is; None if nothing is against it."""
    if isinstance(obj, Enum):
        return "its value"
    if isinstance(obj, defaultdict) and not any(obj.default_factory is factory for factory in _FACTORIES.values()):
        return "dict(...) of it, for its factory is none of int, float, list, dict, set and None"
    if isinstance(obj, datetime) and type(obj.tzinfo) not in (NoneType, timezone):
        return "its isoformat(), for its time zone is not a fixed one"
    if isinstance(obj, np.ma.MaskedArray):
        return "its data and its mask"
    if isinstance(obj, np.dtype | np.generic | np.ndarray) and not _is_plain(obj if isinstance(obj, np.dtype) else obj.dtype):
        return "numbers in its place: what is of its dtype is not read from a file"
    return None


def instead(obj: Any) -> str | None:
    """What to save in place of an object whose type is not saved; None if there is nothing to say."""
    if isinstance(obj, type):
        return "its name, for nothing that runs is read from a file"
    if hasattr(obj, "state_dict"):
        return "its state_dict()"
    if dataclasses.is_dataclass(obj):
        return "dataclasses.asdict(...) of it"
    if callable(obj):
        return "its name, for nothing that runs is read from a file"
    return "vars(...) of it" if hasattr(obj, "__dict__") else None


def _is_plain(kind: np.dtype[Any]) -> bool:
    """Whether a dtype is one of numbers, bools or strings of a fixed width."""
    return _NUMPY_DTYPE.fullmatch(kind.str) is not None


def numpy_dtype(text: Any) -> np.dtype[Any]:
    """NumPy's dtype of such a short name; ValueError for a name that may be read in another way."""
    if not isinstance(text, str) or not _NUMPY_DTYPE.fullmatch(text):
        raise ValueError(f"expected a dtype such as '<f4', got {text!r:.40}")
    return np.dtype(text)


def number(obj: int | float) -> dict[str, str]:
    """A number as JSON, to its last digit."""
    if isinstance(obj, float):
        return {"float": float(obj).hex()}
    value = int(obj)
    return {"int": str(value) if value.bit_length() <= _LONGEST_DECIMAL else hex(value)}


def made(name: str, parts: list[Any]) -> Any:
    """The value of kind `name` with these parts; ValueError if they are not what such a value has."""
    kind = KINDS[name]
    takes = kind.takes if isinstance(kind.takes, tuple) else (kind.takes,) * len(parts)
    if len(parts) != len(takes) or not all(map(isinstance, parts, takes)):
        raise ValueError(f"a {name} is not made of {', '.join(type(part).__name__ for part in parts[:4]) or 'nothing'}")
    return kind.make(parts)
