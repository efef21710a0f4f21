"""save and load: what goes in comes out, whatever it is; what else may read the file; what is refused and how it is said."""

import io
import json
import math
import os
import struct
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import tinygrad_nn as torch
from tinygrad_nn import serialization

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
        [torch.tensor(math.nan), np.array([math.inf])], torch.ones(2), {"": torch.ones(1)}, {"leaf": [True, 1, 1.0]},
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


def test_mappings_come_back_as_dicts_in_order(path):
    found = through(OrderedDict(b=torch.ones(1), a=2), path)
    assert type(found) is dict
    assert list(found) == ["b", "a"]


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


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (object(), "object: expected tensors"),
        ({"a": [1, {2, 3}]}, r"a\.1: expected tensors.*got set"),
        ({"a": {(1, 2): 3}}, "a: expected a key that is a string or a number, got tuple"),
        ({b"k": 1}, "object: expected a key"),
        ([np.ones(2, complex)], "expected a dtype among .* got complex128"),
        ([np.array(["a"])], "expected a dtype among"),
        ({"f": len}, "f: expected tensors.*got builtin"),
        ({"net": torch.nn.Linear(1, 1)}, r"net: expected tensors.*got Linear; save its state_dict\(\)"),
    ],
)
def test_what_cannot_be_saved_is_named_and_nothing_is_written(path, tree, message):
    torch.save(1, path)
    with pytest.raises(TypeError, match=message):
        torch.save(tree, path)
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
    with pytest.raises(FileNotFoundError):
        torch.save(1, tmp_path / "no" / "a")
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
        ({"tree": {"int": "x"}}, "invalid literal"),
        ({"tree": {"float": "x"}}, "hex"),
        ({"tree": {"tensor": "b"}}, "'b'"),
        ({"tree": [1]}, "list"),
        ({"tree": {}}, "unpack"),
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


def test_nothing_deep_enough_to_overflow_is_followed(path):
    depth = 100_000
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
