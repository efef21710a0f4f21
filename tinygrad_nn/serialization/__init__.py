"""save and load: a tree of tensors in one safetensors file; knows files, never runs what it reads.

The file's tensors are those of the tree, by their places in it ("model.weight"). Its notes hold `tinygrad_nn`, a JSON
text, and `tinygrad_nn_crc32`, the text's checksum. The text is {"tree": ..., "crc32": ..., "layout": ...}:

- tree: the structure (`values.py` lists the kinds), in which {"tensor": name}, "leaf" for one that requires grad,
  "parameter", "frozen" and "array" for NumPy's stand for the arrays: {"dict": [["step", {"int": "3"}], ["w", {"tensor": "w"}]]}.
- crc32: the checksum of each array, by name.
- layout: the memory of arrays that do not lie row by row in a block of their own (`layout.py`).
"""

from __future__ import annotations

import io
import json
import os
import secrets
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import safetensors
from safetensors.numpy import save as _serialize

from tinygrad_nn.creation import from_numpy
from tinygrad_nn.dtypes import device
from tinygrad_nn.op import Array
from tinygrad_nn.serialization.layout import lay_out
from tinygrad_nn.serialization.tree import DTYPES, Description, Rebuilt

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "load", "safe_globals", "save"]

_KEY = "tinygrad_nn"
_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_safe_globals: list[Any] = []

File: TypeAlias = str | os.PathLike[str] | IO[bytes]


def save(
    obj: Any, f: File, pickle_module: Any = None, pickle_protocol: int = 2, _use_new_zipfile_serialization: bool = True
) -> None:
    """Write a tree of tensors, arrays, numbers, strings and Python's containers to `f`, a path or an open binary file.

    The format is safetensors. A flat dict of tensors keeps its keys as names, so that other programs read it as a state
    dict. Tensors come back with their strides, and those that looked into the same memory do so again; each is in the
    file by its own name all the same. What goes to a path is written beside its place and renamed when whole.

    TypeError names the place in the tree of what cannot be saved, and what to save instead. RuntimeError if the folder is
    not there. ValueError for what is nested too deep, or for more numbers outside of tensors than a file's header holds.

    >>> import tempfile
    >>> import tinygrad_nn as torch
    >>> path = Path(tempfile.mkdtemp()) / "model.safetensors"
    >>> save({"weight": torch.ones(1), "step": 3}, path)
    >>> load(path)
    {'weight': tensor([1.]), 'step': 3}
    """
    _check_file(f, "save", "write")
    content = _packed(obj)
    if isinstance(f, str | os.PathLike):
        _write(Path(os.path.realpath(f)), content)
    else:
        f.write(content)


def _check_file(f: Any, name: str, method: str) -> None:
    """TypeError or AttributeError, as PyTorch's, for what is neither a path nor a file of bytes."""
    if isinstance(f, io.TextIOBase):
        raise TypeError(f"{name}: expected a file opened in binary mode, with 'rb' or 'wb', got one in text mode")
    if not isinstance(f, str | os.PathLike) and not hasattr(f, method):
        raise AttributeError(f"{name}: expected f to be a path or a file with a '{method}' method, got {type(f).__name__}")


def _packed(obj: Any) -> bytes:
    """The file of a tree."""
    found = Description(obj)
    sums = {name: _checksum(array) for name, array in found.arrays.items()}
    text = json.dumps({"tree": found.tree, "crc32": sums, "layout": found.layouts})
    try:
        return _serialize(found.arrays, {_KEY: text, f"{_KEY}_crc32": str(zlib.crc32(text.encode()))})
    except safetensors.SafetensorError as error:
        raise ValueError(f"save: {error}: expected long lists of numbers as tensors or arrays") from None


def _checksum(array: Array) -> int:
    """The CRC-32 of an array's dtype, shape and bytes."""
    return zlib.crc32(array.tobytes(), zlib.crc32(f"{array.dtype}{array.shape}".encode()))


def _write(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step, or leave what is there as it is; a device or a pipe is written to."""
    if path.is_dir() or not path.parent.is_dir():
        what = f"'{path}' is a directory" if path.is_dir() else f"Parent directory {path.parent} does not exist."
        raise RuntimeError(f"save: {what}")
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
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


def load(
    f: File, map_location: Any = None, pickle_module: Any = None, *, weights_only: bool | None = True, mmap: bool | None = None,
    encoding: str = "utf-8",
) -> Any:
    """Read what `save` wrote, or any plain safetensors file as a dict of tensors; bfloat16 becomes float32.

    An open file is read from where it stands to its end. RuntimeError if `map_location`, a name, a device or a dict by
    names, leads to another device than the CPU; a function is not called, as tensors are where they stay. Nothing that
    is read runs, so `weights_only` changes nothing, nor does `encoding`, of pickled strings. ValueError, in one line, for a
    file that is damaged or of another kind, such as one of pickles.
    """
    _check_file(f, "load", "read")
    if isinstance(f, str | os.PathLike):
        path, content = str(f), Path(f).read_bytes()
    elif mmap:
        raise ValueError("load: expected f to be a path where mmap is True")
    else:
        path, content = getattr(f, "name", "the file"), f.read()
    if not content:
        raise ValueError(f"{path}: expected a whole safetensors file, found nothing from here on; f.seek(0) goes to its start")
    if content.startswith(_PICKLES) and content[8:9] != b"{":
        raise ValueError(
            f"{path}: pickled files are not read, for loading one can run any code; convert it where PyTorch is: "
            "safetensors.torch.save_file(torch.load(path, weights_only=True), 'model.safetensors')"
        )
    try:
        arrays, notes = _unpacked(content)
        found = _tree(arrays, notes) if notes else {name: from_numpy(array) for name, array in arrays.items()}
    except NotImplementedError as error:
        raise ValueError(f"{path}: {error}") from None
    except (
        safetensors.SafetensorError, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RuntimeError,
    ) as error:  # fmt: skip
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: expected a whole safetensors file, found damage: {reason}") from None
    if arrays:
        _check_location(map_location)
    return found


def _check_location(wanted: Any) -> None:
    """RuntimeError for another device than the CPU; TypeError for what does not say where tensors are to be."""
    if wanted is None or callable(wanted):
        return
    place = wanted.get("cpu", "cpu") if isinstance(wanted, dict) else str(wanted) if isinstance(wanted, device) else wanted
    if not isinstance(place, str):
        raise TypeError(f"load: expected map_location to be a device, a dict or a function, got {type(place).__name__}")
    if place != "cpu":
        raise RuntimeError(f"load: expected map_location to be 'cpu', the only device here, got '{place}'")


def _unpacked(content: bytes) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays of a file in their order, and what `save` has noted about them: nothing if the file is another program's."""
    unpack: Any = safetensors.deserialize  # which has no annotations
    tensors = dict(unpack(content))
    raw = content[8 : 8 + int.from_bytes(content[:8], "little")]
    header = json.loads(raw, object_pairs_hook=_unique)
    arrays = {name: _array(name, tensors[name]) for name in sorted(tensors, key=lambda n: header[n]["data_offsets"])}
    notes = {key: text for key, text in header.get("__metadata__", {}).items() if key in (_KEY, f"{_KEY}_crc32")}
    if notes and not raw.rstrip(b" ").endswith(b"}"):
        raise ValueError("the structure does not have its checksum")
    return arrays, notes


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object as a dict; ValueError for one with two values for a key, which readers understand differently."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("two equal keys in an object")
    return found


def _tree(arrays: dict[str, Array], notes: dict[str, str]) -> Any:
    """The tree that the notes describe."""
    text = notes.get(_KEY)
    if text is None or notes.get(f"{_KEY}_crc32") != str(zlib.crc32(text.encode())):
        raise ValueError("the structure does not have its checksum")
    described = json.loads(text, object_pairs_hook=_unique)
    for name, expected in described["crc32"].items():
        if _checksum(arrays[name]) != expected:
            raise ValueError(f"array '{name}' does not have its checksum")
    if set(arrays) != set(described["crc32"]):
        raise ValueError("the arrays are not those of the structure")
    lay_out(arrays, described.get("layout", {}))
    return Rebuilt(described["tree"], arrays).value


def _array(name: str, tensor: dict[str, Any]) -> Array:
    """One array of the file, in memory of its own; the sixteen bits of a bfloat16 are the upper half of a float32."""
    kind, shape = tensor["dtype"], tensor["shape"]
    if kind == "BF16":
        return (np.frombuffer(tensor["data"], "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
    if kind not in DTYPES:
        raise NotImplementedError(
            f"'{name}' is of dtype {kind}: expected one of {', '.join(DTYPES)} or BF16; convert it where the file was written"
        )
    return np.frombuffer(tensor["data"], DTYPES[kind]).reshape(shape).copy()


def add_safe_globals(safe_globals: Iterable[Any]) -> None:
    """Note classes that a program would let PyTorch read; here no file can name a class, so the list changes nothing."""
    _safe_globals.extend(one for one in safe_globals if one not in _safe_globals)


def clear_safe_globals() -> None:
    """Forget what `add_safe_globals` has noted."""
    _safe_globals.clear()


def get_safe_globals() -> list[Any]:
    """What `add_safe_globals` has noted."""
    return list(_safe_globals)


class safe_globals:
    """A context in which `safe_globals` are noted; afterwards they are not, even if they were before, as in PyTorch."""

    def __init__(self, safe_globals: list[Any]) -> None:
        self._added = safe_globals

    def __enter__(self) -> None:
        add_safe_globals(self._added)

    def __exit__(self, *_: object) -> None:
        _safe_globals[:] = [one for one in _safe_globals if one not in self._added]
