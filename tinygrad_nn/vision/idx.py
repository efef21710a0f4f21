"""Knows the IDX file format; does not know what the numbers mean, nor where the file came from."""

from __future__ import annotations

import gzip
import io
import math
import os
import struct
import sys
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_DIMS = 64  # NumPy's own limit
_CHUNK = 1 << 20


def read_idx(path: str | os.PathLike[str], dims: int | None = None) -> npt.NDArray[Any]:
    """Read an IDX file, plain or gzipped, into a native-endian, writable, C-contiguous array.

    The file is four bytes (zero, zero, the element type, the number of dimensions), then each
    dimension's size as a big-endian uint32, then the elements in C order, big-endian: see "The IDX
    file format" at http://yann.lecun.com/exdb/mnist/. The array has the header's shape, and its dtype:
    uint8, int8, int16, int32, float32 or float64. With `dims`, any other number of dimensions is refused.

    The file is not trusted: memory follows the bytes it really holds, never more than its header claims.

    Raises ValueError, in one line, for anything but a whole IDX file; OSError if it cannot be opened.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "tiny-idx2-ubyte")
    ...     _ = path.write_bytes(bytes([0, 0, 8, 2]) + bytes([0, 0, 0, 1, 0, 0, 0, 3]) + bytes([7, 8, 9]))
    ...     read_idx(path, dims=2)
    array([[7, 8, 9]], dtype=uint8)
    """
    with open(path, "rb") as raw:
        try:
            if raw.peek(2)[:2] != b"\x1f\x8b":
                return _parse(raw, dims)
            with gzip.GzipFile(fileobj=raw) as unzipped:
                return _parse(unzipped, dims)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path}: expected a whole gzip stream, found a broken one ({error})") from error
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


def _parse(stream: io.BufferedIOBase, dims: int | None) -> npt.NDArray[Any]:
    magic = _take(stream, 4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        found = f"bytes {magic.hex(' ')}" if magic else "an empty file"
        raise ValueError(f"expected an IDX header (00 00 type dimensions), found {found}")
    code, ndim = magic[2:]
    if code not in _TYPES:
        raise ValueError(f"expected an IDX element type ({', '.join(map(hex, _TYPES))}), found {code:#x}")
    if ndim > _MAX_DIMS or dims not in (None, ndim):
        expected = f"at most {_MAX_DIMS}" if ndim > _MAX_DIMS else dims
        raise ValueError(f"expected {expected} dimensions, found {ndim}")

    sizes = _take(stream, 4 * ndim)
    if len(sizes) < 4 * ndim:
        raise ValueError(f"expected {4 * ndim} bytes of sizes for {ndim} dimensions, found {len(sizes)}")
    shape = struct.unpack(f">{ndim}I", sizes)
    dtype = np.dtype(_TYPES[code])
    # NumPy's strides leave zeros out of the product, so that an empty array can be too big as well.
    if math.prod(filter(None, shape)) * dtype.itemsize > sys.maxsize:
        raise ValueError(f"expected sizes that fit in memory, found {shape}")

    count = math.prod(shape) * dtype.itemsize
    data = _take(stream, count + 1)  # one more: it shows a file that goes on, and makes gzip check its end
    if len(data) != count:
        found = f"{len(data)}" if len(data) < count else "more"
        raise ValueError(f"expected {count} bytes for {dtype.name} of shape {shape}, found {found}")
    big_endian: npt.NDArray[Any] = np.ndarray(shape, dtype, buffer=data)
    return big_endian.astype(dtype.newbyteorder("="), copy=False)


def _take(stream: io.BufferedIOBase, count: int) -> bytearray:
    """Read `count` bytes, or what there is; in pieces, for `read(count)` allocates `count` at once."""
    data = bytearray()
    while len(data) < count and (piece := stream.read(min(count - len(data), _CHUNK))):
        data += piece
    return data
