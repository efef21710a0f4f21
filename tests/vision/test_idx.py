"""The IDX reader against a small writer, against damaged and hostile files, and against real ones."""

from __future__ import annotations

import gzip
import os
import re
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_nn.vision.idx import read_idx

CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}
SHAPES = {
    "train-images": (60000, 28, 28),
    "train-labels": (60000,),
    "t10k-images": (10000, 28, 28),
    "t10k-labels": (10000,),
}
FOLDERS = [
    Path(os.environ.get("TINYGRAD_NN_DATA") or os.devnull),
    Path(__file__).parents[3] / "shared" / "mnist",
]
REAL = [
    pytest.param(file, shape, id=f"{folder.name}/{file.name}")
    for name, shape in SHAPES.items()
    for folder in FOLDERS
    for file in sorted(folder.glob(f"{name}-idx?-ubyte*"))
]
SMALL = np.arange(6, dtype=np.int16).reshape(2, 3) - 3


def header(code: int, *sizes: int) -> bytes:
    return bytes([0, 0, code, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes)


def encode(array: npt.NDArray[Any]) -> bytes:
    return header(CODES[array.dtype.name], *array.shape) + array.astype(array.dtype.newbyteorder(">")).tobytes()


def refusal(path: Path, data: bytes, dims: int | None = None) -> str:
    """What the reader says of `data`, checked to be one line that starts with the path."""
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"expected") as caught:
        read_idx(path, dims)
    whole = re.fullmatch(re.escape(f"{path}: ") + "(expected .+, found .+)", str(caught.value))
    assert whole, str(caught.value)
    return whole[1]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("idx") / "file.gz"  # named so whatever it holds: the bytes decide


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=1, mtime=0)


@given(
    array=hnp.arrays(st.sampled_from(list(CODES)), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)),
    gz=st.booleans(),
    checked=st.booleans(),
)
def test_round_trip(path: Path, array: npt.NDArray[Any], gz: bool, checked: bool) -> None:
    path.write_bytes(zipped(encode(array)) if gz else encode(array))
    read = read_idx(path, array.ndim if checked else None)
    assert isinstance(read, np.ndarray)
    assert (read.shape, read.dtype) == (array.shape, array.dtype)
    assert read.dtype.isnative
    assert read.tobytes() == array.tobytes()  # bytes, so that a NaN equals itself
    assert read.flags.writeable
    assert read.flags.c_contiguous
    assert read.flags.aligned


def test_known_bytes(path: Path) -> None:
    path.write_bytes(bytes.fromhex("00000b02 00000001 00000002 0102 fffe"))
    np.testing.assert_array_equal(read_idx(path), np.array([[258, -2]], np.int16), strict=True)


def test_path_may_be_a_string_and_zip_members_may_be_many(path: Path) -> None:
    data = encode(SMALL)
    path.write_bytes(zipped(data[:5]) + zipped(data[5:]))
    np.testing.assert_array_equal(read_idx(str(path)), SMALL, strict=True)


def test_larger_than_one_piece(path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 256, (3, 1 << 20), np.uint8)
    path.write_bytes(zipped(encode(array)))
    np.testing.assert_array_equal(read_idx(path), array, strict=True)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "absent")


@pytest.mark.parametrize("pack", [bytes, zipped])
@pytest.mark.parametrize(
    ("data", "dims", "says"),
    [
        (b"", None, "found an empty file"),
        (b"\0\0\x08", None, "found bytes 00 00 08"),
        (b"\x89PNG\r\n", None, "found bytes 89 50 4e 47"),
        (header(0x0A, 1) + b"\0", None, "element type.*found 0xa"),
        (header(0x08, 1) + b"\0", 3, "expected 3 dimensions, found 1"),
        (header(0x08, *[1] * 65) + b"\0", None, "expected at most 64 dimensions, found 65"),
        (header(0x08, *[1] * 65) + b"\0", 65, "expected at most 64 dimensions, found 65"),
        (header(0x08, 2, 2)[:-1], None, "expected 8 bytes of sizes for 2 dimensions, found 7"),
        (header(0x0C, 2) + bytes(7), None, r"expected 8 bytes for int32 of shape \(2,\), found 7"),
        (header(0x0C, 2) + bytes(9), None, r"expected 8 bytes for int32 of shape \(2,\), found more"),
        (header(0x08, 0) + b"\0", None, "expected 0 bytes .* found more"),
        (header(0x08, 2**32 - 1, 2**20) + b"\0", None, "found 1$"),
        (header(0x08, *[2**32 - 1] * 64) + b"\0", None, "expected sizes that fit in memory"),
        (header(0x08, 0, *[2**32 - 1] * 3), None, "expected sizes that fit in memory"),
    ],
)
def test_refused(path: Path, data: bytes, dims: int | None, says: str, pack: Any) -> None:
    assert re.search(says, refusal(path, pack(data), dims))


@pytest.mark.parametrize("pack", [bytes, zipped])
def test_every_truncation_is_refused(path: Path, pack: Any) -> None:
    whole = pack(encode(SMALL))
    for length in range(len(whole)):
        refusal(path, whole[:length])


def test_truncated_then_zipped_or_zipped_then_lengthened_is_refused(path: Path) -> None:
    whole = encode(SMALL)
    for length in range(len(whole)):
        refusal(path, zipped(whole[:length]))
    assert "gzip" in refusal(path, zipped(whole) + b"more")


def test_damaged_checksum_is_refused(path: Path) -> None:
    whole = bytearray(zipped(encode(SMALL)))
    whole[-8] ^= 1
    assert "CRC" in refusal(path, bytes(whole))


@given(
    gz=st.booleans(),
    flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=4),
)
def test_flipped_bytes_give_an_array_or_a_refusal(path: Path, gz: bool, flips: list[tuple[int, int]]) -> None:
    data = bytearray(zipped(encode(SMALL)) if gz else encode(SMALL))
    for place, mask in flips:
        data[place % len(data)] ^= mask
    path.write_bytes(data)
    try:
        read = read_idx(path)
    except ValueError:
        refusal(path, bytes(data))
    else:
        assert isinstance(read, np.ndarray)


def test_every_flipped_bit_of_the_plain_header_is_refused(path: Path) -> None:
    whole = encode(SMALL)
    for bit in range(8 * 12):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        refusal(path, bytes(data))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(header(0x08, 10) + bytes(1 << 25), id="more than the header says"),
        pytest.param(b"not idx" + bytes(1 << 25), id="no header"),
    ],
)
def test_memory_does_not_follow_a_decompression_bomb(path: Path, data: bytes) -> None:
    bomb = zipped(data)
    assert peak_of_refusal(path, bomb) < 1 << 20


def test_memory_does_not_follow_the_header(path: Path) -> None:
    assert peak_of_refusal(path, header(0x08, 1 << 30)) < 1 << 22
    assert peak_of_refusal(path, zipped(header(0x08, 1 << 30))) < 1 << 22


def peak_of_refusal(path: Path, data: bytes) -> int:
    tracemalloc.start()
    try:
        refusal(path, data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("file", "shape"), [pytest.param(None, (10000,), id="made here"), *REAL])
def test_mnist(file: Path | None, shape: tuple[int, ...], path: Path) -> None:
    if file is None:
        path.write_bytes(zipped(encode(np.resize(np.arange(10, dtype=np.uint8), shape))))
    read = read_idx(file or path, dims=len(shape))
    assert read.shape == shape
    assert read.dtype == np.uint8
    if len(shape) == 1:
        assert np.unique(read).tolist() == list(range(10))
    else:
        assert (read.min(), read.max()) == (0, 255)
