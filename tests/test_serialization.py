"""save and load: what goes in comes out, whatever it is; what else may read the file; what is refused and how it is said."""

import base64
import dataclasses
import enum
import functools
import io
import json
import math
import os
import stat
import struct
import threading
from collections import OrderedDict, defaultdict, namedtuple
from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import tinygrad_nn as torch
from tinygrad_nn import serialization
from tinygrad_nn.serialization import values

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.safetensors"


def through(obj, path):
    torch.save(obj, path)
    return torch.load(path)


def same(a, b):
    """Whether two trees are equal in structure, types and values."""
    if isinstance(a, torch.Tensor | np.ndarray):
        kept = type(a) is type(b) and a.dtype == b.dtype and tuple(a.shape) == tuple(b.shape)
        return kept and np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
@pytest.mark.parametrize("make", [torch.from_numpy, np.asarray], ids=["tensor", "array"])
def test_values_of_every_dtype_and_shape(path, dtype, shape, make):
    values = make(np.random.default_rng(0).integers(0, 2, shape).astype(dtype))
    assert same(values, through(values, path))


@pytest.mark.parametrize(
    "tree",
    [
        None, True, False, 0, -7, 2**100, 1.5, -0.0, math.inf, math.nan, 5e-324, "", "ü\n\0", {}, [], (), [[]], ((), []),
        {1: "int", "1": "str", 1.5: "float", None: "none"}, {"a": {"b": {"c": [1, (2.0, None)]}}},
        {"a.b": torch.ones(1), "a": {"b": torch.zeros(2)}}, {"a": [torch.ones(2), np.ones(2)], "a.0": torch.zeros(3)},
        [torch.tensor(math.nan), np.array([math.inf])], torch.ones(2), {"": torch.ones(1)},
        {"__metadata__": torch.ones(1)}, {"leaf": [True, 1, 1.0]},
    ],
    ids=repr,
)  # fmt: skip
def test_trees(path, tree):
    assert same(tree, through(tree, path))


trees = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.floats(width=32), max_size=3).map(torch.tensor)
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=9,
)


@given(tree=trees)
def test_any_tree(tmp_path_factory, tree):
    assert same(tree, through(tree, tmp_path_factory.getbasetemp() / "any.safetensors"))


class Config(dict):
    pass


class Text(str):
    __slots__ = ()


class Whole(int):
    pass


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("obj", "plain"),
    [
        (Config(b=1, a=2), {"b": 1, "a": 2}), (Point(1, 2), (1, 2)), (torch.tensor([[1, 2]]).max(1), None), (Text("a"), "a"),
        (Whole(3), 3),
    ],
)  # fmt: skip
def test_classes_of_others_come_back_as_what_they_are_made_from(path, obj, plain):
    found = through(obj, path)
    if plain is None:
        assert (type(found), [v.tolist() for v in found]) == (tuple, [[2], [1]])
    else:
        assert (type(found), found, repr(found)) == (type(plain), plain, repr(plain))


def test_a_checkpoint_of_a_training(path):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    history = defaultdict(list, {1: [0.5], 2: [0.25]})
    saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "history": history, "epoch": 2}
    found = through(saved, path)
    assert same(dict(found["model"]), {name: value.detach() for name, value in model.state_dict().items()})
    assert (found["history"], found["epoch"]) == ({1: [0.5], 2: [0.25]}, 2)
    again = torch.optim.Adam(model.parameters(), lr=1.0)
    again.load_state_dict(found["optimizer"])
    assert same(again.state_dict()["state"], optimizer.state_dict()["state"])
    assert again.param_groups[0]["lr"] == 0.1


def test_open_files(path):
    buffer = io.BytesIO()
    torch.save({"a": torch.ones(2)}, buffer)
    buffer.seek(0)
    assert torch.load(buffer, map_location=torch.device("cpu"))["a"].tolist() == [1, 1]
    with path.open("wb") as file:
        torch.save([1], file)
    with path.open("rb") as file:
        assert torch.load(file, weights_only=False) == [1]
    with pytest.raises(ValueError, match="the file: pickled files are not read"):
        torch.load(io.BytesIO(b"\x80\x02cos"))


def written(path, kind, shape, data):
    header = json.dumps({"w": {"dtype": kind, "shape": shape, "data_offsets": [0, len(data)]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)


def test_bfloat16_of_other_programs_is_float32(path):
    values = np.array([[1.5, -0.0, np.inf], [np.nan, 2.0**-126, -3.140625]], np.float32)
    written(path, "BF16", [2, 3], (values.view(np.uint32) >> 16).astype("<u2").tobytes())
    found = torch.load(path)["w"]
    assert found.dtype == torch.float32
    np.testing.assert_array_equal(found.numpy(), values)


@pytest.mark.parametrize(("kind", "size"), [("F8_E4M3", 1), ("F8_E5M2", 1), ("U32", 4)])
def test_dtypes_that_are_not_here_are_named(path, kind, size):
    written(path, kind, [2], bytes(2 * size))
    with pytest.raises(ValueError, match=f"a.safetensors: 'w' is of dtype {kind}: expected one of F16, .* convert it") as caught:
        torch.load(path)
    assert "\n" not in str(caught.value)


def test_what_needed_gradients_needs_them_again(path):
    x = torch.ones(2, requires_grad=True)
    leaf, result = through([x, x * 2], path)
    assert (leaf.requires_grad, leaf.is_leaf, result.requires_grad) == (True, True, True)
    assert result.is_leaf
    assert result.tolist() == [2, 2]
    (leaf * leaf).sum().backward()
    assert leaf.grad.tolist() == [2, 2]


def test_a_tensor_that_occurs_twice_is_still_one(path):
    shared, array = torch.ones(3), np.ones(2)
    found = through({"a": shared, "b": [shared], "c": array, "d": array}, path)
    assert found["a"] is found["b"][0]
    assert found["c"] is found["d"]
    assert sorted(load_file(path)) == ["a", "c"]


@pytest.mark.parametrize("view", [lambda x: x.T, lambda x: x[::2, 1:], lambda x: x[:1].expand(5, 4), lambda x: x.flip(0)])
def test_views_are_saved_as_they_look(path, view):
    x = torch.arange(12.0).reshape(3, 4)
    assert through(view(x), path).tolist() == view(x).tolist()


def test_what_is_loaded_can_be_written_to(path):
    tensor, array = through([torch.zeros(2), np.zeros(2)], path)
    tensor += 1
    array += 1
    assert (tensor.tolist(), array.tolist()) == ([1, 1], [1, 1])
    assert torch.load(path)[0].tolist() == [0, 0]


def test_other_programs_read_a_state_dict(path):
    net = torch.nn.Linear(3, 2)
    torch.save(net.state_dict(), path)
    found = load_file(path)
    assert sorted(found) == ["bias", "weight"]
    np.testing.assert_array_equal(found["weight"], net.weight.detach())


def test_files_of_other_programs_are_dicts_in_their_order(path):
    save_file({"z": np.ones((2, 1), np.float32), "a": np.arange(3)}, path)
    found = torch.load(str(path), map_location="cpu", weights_only=True)
    assert sorted(found) == ["a", "z"]
    assert found["a"].tolist() == [0, 1, 2]
    assert found["z"].dtype == torch.float32
    found["a"] += 1


class Option(enum.Enum):
    A = 1


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Settings:
    lr: float


class Loose:
    pass


class Moving(tzinfo):
    def utcoffset(self, dt):
        return None


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (object(), "object: expected tensors.*got object$"),
        ({"a": [1, memoryview(b"")]}, r"a\.1: expected tensors.*got memoryview$"),
        ({"a": {object(): 3}}, "a: expected tensors, .*, got object"),
        ({"a": {1, Option.A}}, r"a\.[01]: expected tensors.*got Option; save its value"),
        (OrderedDict(a=object()), "^a: expected tensors"),
        (defaultdict(lambda: 3), r"got defaultdict; save dict\(...\) of it, for its factory is none of int, float, list"),
        (datetime(2024, 1, 1, tzinfo=Moving()), r"got datetime; save its isoformat\(\)"),
        (np.ma.masked_array([1, 2], [True, False]), "got MaskedArray; save its data and its mask"),
        ([np.array([None])], "^0: expected tensors.*got ndarray; save numbers in its place"),
        (np.zeros(2, "f4,i4"), "got ndarray; save numbers"),
        (np.array(["2024-01-01"], "M8[D]"), "got ndarray; save numbers"),
        (np.datetime64("2024-01-01"), "got datetime64; save numbers"),
        (np.dtype("O"), "got ObjectDType; save numbers"),
        ({"f": len}, "f: expected tensors.*got builtin_function_or_method; save its name, for nothing that runs is read"),
        ({"f": functools.partial(len)}, "got partial; save its name"),
        (torch.nn.Linear, "got type; save its name"),
        (Option, "got EnumType; save its name"),
        (Option.A, "got Option; save its value"),
        ({"level": Level.LOW}, "level: .* got Level; save its value"),
        ({Level.LOW: 1}, "got Level; save its value"),
        (Settings(1), r"got Settings; save dataclasses.asdict\(...\) of it"),
        (Settings, "got type; save its name"),
        (Loose(), r"got Loose; save vars\(...\) of it"),
        (torch.optim.SGD([torch.ones(1, requires_grad=True)], 0.1), r"got SGD; save its state_dict\(\)"),
        ({"net": torch.nn.Linear(1, 1)}, r"net: expected tensors.*got Linear; save its state_dict\(\)"),
    ],
)
def test_what_cannot_be_saved_is_named_and_nothing_is_written(path, tree, message):
    torch.save(1, path)
    with pytest.raises(TypeError, match=message) as caught:
        torch.save(tree, path)
    assert "\n" not in str(caught.value)
    assert torch.load(path) == 1
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(path, monkeypatch, failing):
    torch.save("old", path)

    def fail(*_):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, failing, fail)
        with pytest.raises(OSError, match="disk full"):
            torch.save("new", path)
    assert torch.load(path) == "old"
    assert os.listdir(path.parent) == [path.name]


def test_a_folder_or_file_that_is_missing(tmp_path):
    with pytest.raises(RuntimeError, match=r"Parent directory .*no does not exist"):
        torch.save(1, tmp_path / "no" / "a")
    with pytest.raises(RuntimeError, match="is a directory"):
        torch.save(1, tmp_path)
    with pytest.raises(FileNotFoundError):
        torch.load(tmp_path / "a")


def forged(path, notes, **arrays):
    """A file with such notes about its structure, under the checksums that they should have."""
    text = json.dumps({"crc32": {name: serialization._checksum(value) for name, value in arrays.items()}, **notes})
    sums = {"tinygrad_nn": text, "tinygrad_nn_crc32": str(serialization.zlib.crc32(text.encode()))}
    save_file(arrays, path, metadata=sums)


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        ({"tree": {"what": 1}}, "unknown kind 'what'"),
        ({"tree": {"what": "a"}}, "unknown kind 'what'"),
        ({"tree": {"int": "x"}}, "invalid literal"),
        ({"tree": {"float": "x"}}, "hex"),
        ({"tree": {"tensor": "b"}}, "'b'"),
        ({"tree": [1]}, r"expected an object with one key, its kind, got \[1\]"),
        ({"tree": 1}, "expected an object with one key"),
        ({"tree": {}}, "expected an object with one key"),
        ({"tree": {"int": "1", "float": "1"}}, "expected an object with one key"),
        ({"tree": {"int": 1}}, "holds no int"),
        ({"tree": {"int": "9" * 5000}}, "Exceeds the limit"),
        ({"tree": {"list": "abc"}}, "holds no str"),
        ({"tree": {"dict": [["a", 1, 2]]}}, "too many values"),
        ({"tree": {"dict": ["abc"]}}, "too many values"),
        ({"tree": {"dict": [["a", None], ["a", True]]}}, "two equal keys in a dict"),
        ({"tree": {"dict": [[{"int": "1"}, None], [{"float": "0x1p0"}, None]]}}, "two equal keys"),
        ({"tree": {"dict": [[{"list": []}, None]]}}, "unhashable"),
        ({"tree": {"set": ["a", "a"]}}, "two equal items in a set"),
        ({"tree": {"frozenset": [{"list": []}]}}, "unhashable"),
        ({"tree": {"Size": ["a"]}}, "a Size is not made of str"),
        ({"tree": {"range": [{"int": "1"}, {"int": "2"}]}}, "a range is not made of int, int"),
        ({"tree": {"range": [{"int": "1"}, {"int": "2"}, {"int": "0"}]}}, "must not be zero"),
        ({"tree": {"complex": ["1", "2"]}}, "a complex is not made of str"),
        ({"tree": {"bytes": ["?"]}}, "base64"),
        ({"tree": {"bytes": []}}, "a bytes is not made of nothing"),
        ({"tree": {"deque": [{"list": []}, {"int": "-1"}]}}, "non-negative"),
        ({"tree": {"deque": ["abc", None]}}, "a deque is not made of str, NoneType"),
        ({"tree": {"defaultdict": ["eval", {"dict": []}]}}, "eval"),
        ({"tree": {"OrderedDict": [{"list": []}, None]}}, "an? OrderedDict is not made of list"),
        ({"tree": {"Namespace": [{"dict": [[{"int": "1"}, None]]}]}}, "expected the name of an attribute, got 1"),
        ({"tree": {"datetime": ["tomorrow"]}}, "isoformat"),
        ({"tree": {"timedelta": [{"int": "9" * 30}, {"int": "0"}, {"int": "0"}]}}, "too large"),
        ({"tree": {"device": ["nowhere"]}}, "nowhere"),
        ({"tree": {"dtype": ["object"]}}, "object"),
        ({"tree": {"numpy.dtype": ["O"]}}, "expected a dtype such as '<f4', got 'O'"),
        ({"tree": {"numpy.dtype": ["(9,9)<f4"]}}, "expected a dtype such as"),
        ({"tree": {"scalar": ["<f4", {"bytes": [""]}]}}, "not enough values"),
        ({"tree": {"scalar": ["<f4", {"bytes": [base64.b64encode(bytes(8)).decode()]}]}}, "too many values"),
        ({"tree": {"PosixPath": [{"bytes": [""]}]}}, "a PosixPath is not made of bytes"),
        ({"tree": {"parameter": "b"}}, "'b'"),
        ({"tree": None, "layout": []}, "items"),
        ({"tree": None, "layout": {"b": {"strides": [8]}}}, "'b'"),
        ({"tree": None, "layout": {"a": None}}, "array 'a' has a layout of an unknown kind"),
        ({"tree": None, "layout": {"a": {"strides": [8], "more": 1}}}, "unknown kind"),
        ({"tree": None, "layout": {"a": {"strides": [16]}}}, "array 'a' lies outside its memory"),
        ({"tree": None, "layout": {"a": {"strides": [2**63 - 8]}}}, "lies outside its memory"),
        ({"tree": None, "layout": {"a": {"strides": [10**30]}}}, "lies outside its memory"),
        ({"tree": None, "layout": {"a": {"strides": [-8]}}}, "a layout that makes no sense"),
        ({"tree": None, "layout": {"a": {"strides": [8.0]}}}, "a layout that makes no sense"),
        ({"tree": None, "layout": {"a": {"strides": [True]}}}, "a layout that makes no sense"),
        ({"tree": None, "layout": {"a": {"strides": [8, 8]}}}, "longer than"),
        ({"tree": None, "layout": {"a": {"strides": 8}}}, "iterable"),
        ({"tree": None, "layout": {"a": {"strides": [8], "memory": "a", "offset": 8}}}, "lies outside its memory"),
        ({"tree": None, "layout": {"a": {"strides": [8], "memory": "a", "offset": -8}}}, "a layout that makes no sense"),
        ({"tree": None, "layout": {"a": {"strides": [8], "memory": "a", "offset": "0"}}}, "a layout that makes no sense"),
        ({"tree": None, "layout": {"a": {"strides": [8], "memory": "b", "offset": 0}}}, "'b'"),
        ({"tree": None, "layout": {"a": {"strides": [8], "memory": [], "offset": 0}}}, "unhashable"),
        ({"tree": None, "layout": {"a": {"dtype": "<c16"}}}, "array 'a' does not hold the bytes of <c16"),
        ({"tree": None, "layout": {"a": {"dtype": "O"}}}, "expected a dtype such as"),
        ({}, "tree"),
        ({"tree": None, "crc32": {}}, "the arrays are not those of the structure"),
        ({"tree": None, "crc32": {"a": 0}}, "array 'a' does not have its checksum"),
        ({"tree": None, "crc32": {"b": 0}}, "'b'"),
        ({"tree": None, "crc32": 3}, "items"),
    ],
)
def test_structures_that_make_no_sense_are_damage(path, notes, message):
    forged(path, notes, a=np.ones(2))
    with pytest.raises(ValueError, match=r"a\.safetensors: expected a whole .* file, found damage: .*" + message) as caught:
        torch.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "notes", [{"tinygrad_nn": "{}"}, {"tinygrad_nn_crc32": "1"}, {"tinygrad_nn": "{}", "tinygrad_nn_crc32": "1"}]
)
def test_notes_without_their_checksum_are_damage(path, notes):
    save_file({"a": np.ones(2)}, path, metadata=notes)
    with pytest.raises(ValueError, match="the structure does not have its checksum"):
        torch.load(path)


@pytest.mark.parametrize("depth", [values.MAX_DEPTH + 2, 490, 5000, 100_000])
def test_nothing_deep_enough_to_overflow_is_followed(path, depth):
    text = '{"crc32": {}, "tree": ' + '{"list": [' * depth + "]}" * depth + "}"
    checksum = str(serialization.zlib.crc32(text.encode()))
    save_file({}, path, metadata={"tinygrad_nn": text, "tinygrad_nn_crc32": checksum})
    with pytest.raises(ValueError, match="found damage"):
        torch.load(path)


@pytest.mark.parametrize(
    "content", [b"", b"x", b"{}", struct.pack("<Q", 2**63), struct.pack("<Q", 2) + b"{]", b"\0" * 64, b"\xff" * 64]
)
def test_other_files_are_damage(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.safetensors: expected a whole safetensors file"):
        torch.load(path)


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\x80\x02", b"\x80\x04", b"\x80\x05"])
def test_pickles_are_refused_unread(path, start):
    path.write_bytes(start + b"cos\nsystem\n")
    with pytest.raises(ValueError, match="pickled files are not read, for loading one can run any code") as caught:
        torch.load(path)
    assert "\n" not in str(caught.value)


def test_a_header_as_long_as_a_pickles_mark_is_no_pickle(path):
    """The first eight bytes are the header's length: some lengths look like a pickle's first bytes."""
    for pad in range(700):
        torch.save({"k" * pad: 1, "t": torch.ones(1)}, path)
        if path.read_bytes().startswith(serialization._PICKLES):
            break
    else:
        pytest.fail("no header of such a length came up")
    assert torch.load(path)["t"].tolist() == [1.0]


def test_a_file_has_the_permissions_of_any_other(path):
    torch.save({"a": torch.ones(2)}, path)
    other = path.with_name("other")
    other.write_bytes(b"")
    assert path.stat().st_mode == other.stat().st_mode


def nested(depth, innermost=1):
    tree = innermost
    for _ in range(depth):
        tree = [tree]
    return tree


def test_what_is_nested_deep_is_read_again_or_not_written(path):
    assert through(nested(values.MAX_DEPTH), path) == nested(values.MAX_DEPTH)
    itself = {}
    itself["a"] = itself
    for tree in (nested(values.MAX_DEPTH + 1), nested(values.MAX_DEPTH + 1, torch.ones(1)), itself):
        with pytest.raises(ValueError, match="expected values nested at most 200 deep, got more, or one that holds itself"):
            torch.save(tree, path)


def test_more_than_a_header_holds_is_not_written(path):
    with pytest.raises(ValueError, match=r"save: .*header too large: expected long lists of numbers as tensors or arrays"):
        torch.save("x" * 100_000_001, path)
    assert not path.exists()


def test_two_values_for_one_key_are_damage(path):
    text = '{"crc32": {}, "tree": {"int": "1", "int": "2"}}'
    save_file({}, path, metadata={"tinygrad_nn": text, "tinygrad_nn_crc32": str(serialization.zlib.crc32(text.encode()))})
    with pytest.raises(ValueError, match="found damage: two equal keys in an object"):
        torch.load(path)
    one = '"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'
    header = f"{{{one},{one}}}".encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"1")
    with pytest.raises(ValueError, match="found damage: two equal keys in an object"):
        torch.load(path)


def test_a_stride_that_overflows_stays_within_its_memory(path):
    forged(path, {"tree": {"array": "a"}, "layout": {"a": {"strides": [2**62]}}}, a=np.ones(5))
    with pytest.raises(ValueError, match="array 'a' lies outside its memory"):
        torch.load(path)


def test_files_written_before_there_were_layouts(path):
    """The description as it was: no layout, mappings as dicts, whole numbers and floats as text."""
    arrays = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "v": np.arange(3)}
    tree = {
        "dict": [
            ["w", {"parameter": "w"}], ["leaf", {"leaf": "w"}], ["v", {"array": "v"}], ["again", {"list": [{"array": "v"}]}],
            [{"int": "-12"}, {"tuple": [None, True, {"float": "0x1.8000000000000p+0"}, {"float": "inf"}]}],
        ]
    }  # fmt: skip
    forged(path, {"tree": tree}, **arrays)
    found = torch.load(path)
    assert list(found) == ["w", "leaf", "v", "again", -12]
    assert isinstance(found["w"], torch.nn.Parameter)
    assert found["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["v"] is found["again"][0]
    assert found[-12] == (None, True, 1.5, math.inf)


def test_every_tensor_of_a_flat_dict_is_in_the_file_as_it_looks(path):
    x = torch.arange(6.0)
    saved = {"tied": x, "x": x.detach(), "t": x.view(2, 3).t(), "part": x[1:3], "wide": x[:1].expand(4)}
    torch.save(saved, path)
    found = load_file(path)
    assert sorted(found) == sorted(saved)
    for name, array in found.items():
        np.testing.assert_array_equal(array, saved[name].numpy())
    torch.save({"q": x[:4], "k": x[2:]}, path)
    assert sorted(load_file(path)) == ["k", "memory", "q"]
    assert load_file(path)["k"].tolist() == [2, 3, 4, 5]
    torch.save({"memory": x[:4], "k": x[2:]}, path)
    assert sorted(load_file(path)) == ["k", "memory", "memory_"]
    assert load_file(path)["memory"].tolist() == [0, 1, 2, 3]


def test_tensors_side_by_side_share_nothing(path):
    x = torch.arange(12.0).view(3, 4)
    torch.save({"a": x[0], "b": x[1:], "c": x[:, :2].clone()}, path)
    torch.save({"q": x[:, :2], "k": x[:, 2:]}, path)
    assert sorted(load_file(path)) == ["k", "q"]
    assert torch.load(path)["k"].tolist() == [[2, 3], [6, 7], [10, 11]]


@given(
    shape=st.lists(st.integers(0, 3), max_size=3),
    picks=st.lists(st.tuples(st.permutations([0, 1, 2]), st.lists(st.tuples(*[st.integers(0, 2)] * 2), max_size=3)), max_size=4),
)
def test_views_of_one_memory_look_the_same_and_share_as_before(shape, picks):
    base = np.arange(math.prod(shape)).reshape(shape)
    views = [torch.from_numpy(base)]
    for order, slices in picks:
        view = base.transpose([axis for axis in order if axis < len(shape)])
        cut = tuple(slice(start, None, step + 1) for start, step in slices[: len(shape)])
        views.append(torch.from_numpy(view[(*cut, ...)]))
    file = io.BytesIO()
    torch.save(views, file)
    found = torch.load(io.BytesIO(file.getvalue()))
    assert [v.tolist() for v in found] == [v.tolist() for v in views]
    for own, again in zip(views, found, strict=True):
        own.fill_(-1)
        again.fill_(-1)
        assert [v.tolist() for v in found] == [v.tolist() for v in views]


class Lazy(Mapping):
    def __len__(self):
        return 9

    def __iter__(self):
        return iter(range(9))

    def __getitem__(self, key):
        return torch.full((2,), key)


def test_tensors_that_are_made_on_the_way_are_not_taken_for_one_another(path):
    assert {key: tensor.tolist() for key, tensor in through(Lazy(), path).items()} == {key: [key, key] for key in range(9)}


def test_views_of_another_dtype_share_their_bytes(path):
    x = torch.ones(2)
    found = through([x, x.view(torch.int32)], path)
    found[0].fill_(0)
    assert found[1].tolist() == [0, 0]


def test_a_pipe_is_written_to_and_stays_a_pipe(path):
    os.mkfifo(path)
    read = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    torch.save([1], path)
    reader.join()
    assert torch.load(io.BytesIO(read[0])) == [1]
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_an_empty_file_says_where_it_stands():
    file = io.BytesIO()
    torch.save(1, file)
    with pytest.raises(ValueError, match=r"found nothing from here on; f.seek\(0\) goes to its start"):
        torch.load(file)


@pytest.mark.parametrize("kind", ["PosixPath", "WindowsPath"])
def test_a_path_of_another_system_is_a_pure_one(path, kind):
    forged(path, {"tree": {kind: ["a"]}})
    found = torch.load(path)
    assert type(found).__name__ == (kind if type(Path()).__name__ == kind else f"Pure{kind}")
    assert str(found) == "a"


def test_a_header_that_was_changed_behind_its_end_is_damage(path):
    torch.save(1, path)
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    path.write_bytes(struct.pack("<Q", size + 1) + content[8 : 8 + size] + b"\n" + content[8 + size :])
    with pytest.raises(ValueError, match="found damage: the structure does not have its checksum"):
        torch.load(path)


def test_nothing_in_a_file_is_imported_or_called(path):
    for name in ("builtins.print", "print", "eval", "int.__class__", "Description", "object"):
        forged(path, {"tree": {name: ["x"]}})
        with pytest.raises(ValueError, match="found damage: unknown kind"):
            torch.load(path)
