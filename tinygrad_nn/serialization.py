"""save and load: a tree of tensors in one safetensors file; knows files and structure, never runs what it reads."""

from __future__ import annotations

import json
import os
import secrets
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import safetensors
from safetensors.numpy import save as _serialize

from tinygrad_nn.creation import from_numpy
from tinygrad_nn.dtypes import dtype_of
from tinygrad_nn.nn.parameter import Parameter
from tinygrad_nn.tensor import Tensor

_KEY = "tinygrad_nn"
_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
# By what a tensor is called in the file: whether it is a Parameter, and whether it requires grad.
_TENSORS = {"tensor": (False, False), "leaf": (False, True), "parameter": (True, True), "frozen": (True, False)}
_DTYPES = {
    "F16": "<f2", "F32": "<f4", "F64": "<f8", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8", "U8": "u1", "BOOL": "?",
}  # fmt: skip

File: TypeAlias = str | os.PathLike[str] | IO[bytes]


def save(
    obj: Any, f: File, pickle_module: Any = None, pickle_protocol: int = 2, _use_new_zipfile_serialization: bool = True
) -> None:
    """Write a tree of dicts, lists, tuples, tensors, arrays, numbers, strings and None to `f`, a path or an open binary file.

    The format is safetensors. A flat dict of tensors keeps its keys as names, so that other programs read it as a state
    dict. What goes to a path is written beside its place and renamed when whole. TypeError names the place in the tree
    of what cannot be saved.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "model.safetensors"
    >>> save({"weight": Tensor([1.0]), "step": 3}, path)
    >>> load(path)
    {'weight': tensor([1.]), 'step': 3}
    """
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    names: dict[int, str] = {}
    tree = _describe(obj, "", arrays, names)
    sums = {name: _checksum(array) for name, array in arrays.items()}
    text = json.dumps({"tree": tree, "crc32": sums}, sort_keys=False)
    content = _serialize(arrays, {_KEY: text, f"{_KEY}_crc32": str(zlib.crc32(text.encode()))})
    if isinstance(f, str | os.PathLike):
        _write(Path(f), content)
    else:
        f.write(content)


def _checksum(array: np.ndarray[Any, Any]) -> int:
    """The CRC-32 of an array's dtype, shape and bytes."""
    return zlib.crc32(array.tobytes(), zlib.crc32(f"{array.dtype}{array.shape}".encode()))


def _write(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step, or leave what is there as it is."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with beside.open("xb") as file:  # with the permissions that the user's umask gives, unlike tempfile's
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _describe(obj: Any, path: str, arrays: dict[str, Any], names: dict[int, str]) -> Any:
    """The structure of `obj` as JSON; its arrays go into `arrays`, one that occurs twice only once."""
    if isinstance(obj, Tensor | np.ndarray):
        if id(obj) not in names:
            name = path or "tensor"
            while name in arrays:
                name += "_"
            values = obj.detach().numpy() if isinstance(obj, Tensor) else obj
            dtype_of(values.dtype)
            arrays[name] = np.array(values, order="C")
            names[id(obj)] = name
        return {_kind(obj): names[id(obj)]}
    if obj is None or isinstance(obj, bool | str):
        return obj
    if isinstance(obj, int):
        return {"int": str(int(obj))}
    if isinstance(obj, float):
        return {"float": float(obj).hex()}
    if isinstance(obj, Mapping):
        items = []
        for key, value in obj.items():
            if not (key is None or isinstance(key, str | bool | int | float)):
                raise TypeError(f"{path or 'object'}: expected a key that is a string or a number, got {type(key).__name__}")
            place = f"{path}.{key}" if path else str(key)
            items.append([_describe(key, path, arrays, names), _describe(value, place, arrays, names)])
        return {"dict": items}
    if isinstance(obj, list | tuple):
        kind = "list" if isinstance(obj, list) else "tuple"
        return {kind: [_describe(v, f"{path}.{i}" if path else str(i), arrays, names) for i, v in enumerate(obj)]}
    hint = "; save its state_dict()" if hasattr(obj, "state_dict") else ""
    raise TypeError(f"{path or 'object'}: expected tensors, numbers, strings, dicts, lists or None, got {type(obj).__name__}{hint}")


def _kind(obj: Any) -> str:
    """What a tensor or array is to be when it is read again: what requires grad is a leaf that does."""
    if isinstance(obj, np.ndarray):
        return "array"
    is_so = (isinstance(obj, Parameter), obj.requires_grad)
    return next(kind for kind, so in _TENSORS.items() if so == is_so)


def load(
    f: File, map_location: Any = None, pickle_module: Any = None, *, weights_only: bool | None = True, mmap: bool | None = None
) -> Any:
    """Read what `save` wrote, or any plain safetensors file as a dict of tensors; bfloat16 becomes float32.

    There is one device and nothing that runs, so the arguments after the file change nothing.
    ValueError, in one line, for a file that is damaged or of another kind, such as one of pickles.
    """
    if isinstance(f, str | os.PathLike):
        path, content = str(f), Path(f).read_bytes()
    else:
        path, content = getattr(f, "name", "the file"), f.read()
    if content.startswith(_PICKLES) and content[8:9] != b"{":
        raise ValueError(
            f"{path}: pickled files are not read, for loading one can run any code; convert it where PyTorch is: "
            "safetensors.torch.save_file(torch.load(path, weights_only=True), 'model.safetensors')"
        )
    try:
        unpack: Any = safetensors.deserialize  # which has no annotations
        arrays = {name: _array(name, tensor) for name, tensor in unpack(content)}
        raw = content[8 : 8 + int.from_bytes(content[:8], "little")]
        header = json.loads(raw)
        notes = header.get("__metadata__", {})
        text, checksum = notes.get(_KEY), notes.get(f"{_KEY}_crc32")
        if text is None and checksum is None:
            found = {name: arrays[name] for name in sorted(arrays, key=lambda n: header[n]["data_offsets"])}
            return {name: from_numpy(array) for name, array in found.items()}
        if text is None or checksum != str(zlib.crc32(text.encode())) or not raw.rstrip(b" ").endswith(b"}"):
            raise ValueError("the structure does not have its checksum")
        described = json.loads(text)
        for name, expected in described["crc32"].items():
            if _checksum(arrays[name]) != expected:
                raise ValueError(f"array '{name}' does not have its checksum")
        if set(arrays) != set(described["crc32"]):
            raise ValueError("the arrays are not those of the structure")
        return _rebuild(described["tree"], arrays, {})
    except NotImplementedError as error:
        raise ValueError(f"{path}: {error}") from None
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: expected a whole safetensors file, found damage: {reason}") from None


def _array(name: str, tensor: dict[str, Any]) -> np.ndarray[Any, Any]:
    """One array of the file, in memory of its own; the sixteen bits of a bfloat16 are the upper half of a float32."""
    kind, shape = tensor["dtype"], tensor["shape"]
    if kind == "BF16":
        return (np.frombuffer(tensor["data"], "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
    if kind not in _DTYPES:
        raise NotImplementedError(
            f"'{name}' is of dtype {kind}: expected one of {', '.join(_DTYPES)} or BF16; convert it where the file was written"
        )
    return np.frombuffer(tensor["data"], _DTYPES[kind]).reshape(shape).copy()


def _rebuild(tree: Any, arrays: dict[str, Any], made: dict[str, Any]) -> Any:
    if tree is None or isinstance(tree, bool | str):
        return tree
    ((kind, value),) = tree.items()
    if kind == "int":
        return int(value)
    if kind == "float":
        return float.fromhex(value)
    if kind == "dict":
        return {_rebuild(key, arrays, made): _rebuild(item, arrays, made) for key, item in value}
    if kind in ("list", "tuple"):
        items = [_rebuild(item, arrays, made) for item in value]
        return items if kind == "list" else tuple(items)
    if kind == "array":
        return arrays[value]
    if kind not in _TENSORS:
        raise ValueError(f"unknown kind '{kind}'")
    if value not in made:
        tensor = from_numpy(arrays[value])
        of_module, trained = _TENSORS[kind]
        made[value] = Parameter(tensor, trained) if of_module else tensor.requires_grad_(trained)
    return made[value]
