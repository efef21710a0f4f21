"""A tree of values as JSON and the arrays in it, and back; knows tensors, no file."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_nn.creation import from_numpy
from tinygrad_nn.nn.parameter import Parameter
from tinygrad_nn.op import Array
from tinygrad_nn.serialization.layout import Layout, share, strides_of
from tinygrad_nn.serialization.values import KINDS, MAX_DEPTH, instead, kind_of, made, number, veto
from tinygrad_nn.tensor import Tensor

# By what a tensor is called in the file: whether it is a Parameter, and whether it requires grad.
_TENSORS = {"tensor": (False, False), "leaf": (False, True), "parameter": (True, True), "frozen": (True, False)}
# The dtypes that safetensors files have and tensors too, by their name in the file.
DTYPES: dict[str, np.dtype[Any]] = {
    "F16": np.dtype("<f2"), "F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "I8": np.dtype("i1"), "I16": np.dtype("<i2"),
    "I32": np.dtype("<i4"), "I64": np.dtype("<i8"), "U8": np.dtype("u1"), "BOOL": np.dtype("?"),
}  # fmt: skip
_COUNTED = {"list", "tuple", "set", "frozenset"}  # kinds whose parts have a place in the tree, by their number


class Description:
    """What a file says of a tree: its structure, its arrays by name, row by row, and their layouts where they need one."""

    def __init__(self, obj: Any) -> None:
        self.arrays: dict[str, Array] = {}
        self.layouts: dict[str, Layout] = {}
        self._tensors: dict[str, Array] = {}
        self._names: dict[int, str] = {}  # of arrays and tensors by their id, so that what occurs twice is saved once
        self._kept: list[Any] = []  # them, so that no other gets the id of one that a mapping has made on the way
        self.tree = self._of(obj, "", 0)
        share(self._tensors, self.arrays, self.layouts)

    def _of(self, obj: Any, path: str, depth: int) -> Any:
        if obj is None or type(obj) is bool or type(obj) is str:
            return obj
        if depth > MAX_DEPTH:
            raise ValueError(f"save: expected values nested at most {MAX_DEPTH} deep, got more, or one that holds itself")
        if type(obj) is int or type(obj) is float:
            return number(obj)
        refused, kind = veto(obj), kind_of(obj)
        if isinstance(obj, Tensor | np.ndarray) and not refused:
            return {_kind(obj): self._names.get(id(obj)) or self._add(obj, path or "tensor")}
        if isinstance(obj, str) and kind is None and not refused:
            return str(obj)
        if refused or kind is None:
            hint = refused or instead(obj)
            raise TypeError(
                f"{path or 'object'}: expected tensors, numbers, strings, containers of them or None, got {type(obj).__name__}"
                + (f"; save {hint}" if hint else "")
            )
        return self._nested(obj, kind, path, depth)

    def _nested(self, obj: Any, kind: str, path: str, depth: int) -> Any:
        """What has parts, or is a number of a class of its own."""
        if kind in ("int", "float"):
            return number(obj)
        before = f"{path}." if path else ""
        if kind == "dict":
            return {kind: [[self._of(k, path, depth + 1), self._of(v, f"{before}{k}", depth + 1)] for k, v in obj.items()]}
        parts = KINDS[kind].parts(obj)
        return {kind: [self._of(v, f"{before}{i}" if kind in _COUNTED else path, depth + 1) for i, v in enumerate(parts)]}

    def _add(self, obj: Tensor | Array, name: str) -> str:
        """Take in an array under its name, or one like it that is not taken."""
        while name in self.arrays or name == "__metadata__":  # which is where the file's notes are
            name += "_"
        values = obj.detach().numpy() if isinstance(obj, Tensor) else np.asarray(obj)
        strides = strides_of(values)
        if values.dtype not in DTYPES.values():
            self.layouts[name] = {"dtype": values.dtype.str}
            raw = np.frombuffer(values.tobytes(), np.uint8)
            self.arrays[name] = raw.reshape(*values.shape, values.dtype.itemsize)
        else:
            self.arrays[name] = np.asarray(values, order="C")
            if strides:
                self.layouts[name] = {"strides": strides}
        if isinstance(obj, Tensor):
            self._tensors[name] = values
        self._names[id(obj)] = name
        self._kept.append(obj)
        return name


def _kind(obj: Tensor | Array) -> str:
    """What a tensor or array is to be when it is read again: what requires grad is a leaf that does."""
    if isinstance(obj, np.ndarray):
        return "array"
    is_so = (isinstance(obj, Parameter), obj.requires_grad)
    return next(kind for kind, so in _TENSORS.items() if so == is_so)


class Rebuilt:
    """The value of a tree that was read, out of arrays that have their layout; ValueError for a tree that makes no sense."""

    def __init__(self, tree: Any, arrays: dict[str, Array]) -> None:
        self._arrays = arrays
        self._made: dict[str, Tensor] = {}
        self.value = self._of(tree, 0)

    def _of(self, tree: Any, depth: int) -> Any:
        if tree is None or isinstance(tree, bool | str):
            return tree
        if depth > MAX_DEPTH:
            raise ValueError(f"values are nested more than {MAX_DEPTH} deep")
        if not isinstance(tree, dict) or len(tree) != 1:
            raise ValueError(f"expected an object with one key, its kind, got {str(tree)[:40]}")
        ((kind, content),) = tree.items()
        expected: Any = list if kind in KINDS or kind == "dict" else str
        if not isinstance(content, expected):
            raise ValueError(f"unknown kind '{kind}', or one that holds no {type(content).__name__}")
        if kind == "int":
            return int(content, 0)
        if kind == "float":
            return float.fromhex(content)
        if kind == "dict":
            found = {self._of(key, depth + 1): self._of(value, depth + 1) for key, value in content}
            if len(found) != len(content):
                raise ValueError("two equal keys in a dict")
            return found
        if kind in KINDS:
            return made(kind, [self._of(part, depth + 1) for part in content])
        return self._array(kind, content)

    def _array(self, kind: str, name: str) -> Any:
        if kind == "array":
            return self._arrays[name]
        if kind not in _TENSORS:
            raise ValueError(f"unknown kind '{kind}'")
        if name not in self._made:
            tensor = from_numpy(self._arrays[name])
            of_module, trained = _TENSORS[kind]
            self._made[name] = Parameter(tensor, trained) if of_module else tensor.requires_grad_(trained)
        return self._made[name]
