"""What torch.save and torch.load bring back, beside PyTorch with weights_only=False: types, dtypes, strides, sharing, errors."""

import io
import pathlib
import random
from argparse import Namespace
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, timedelta, timezone
from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, value_of
from tinygrad_nn.porting import names

torch = pytest.importorskip("torch")


def through(package, obj):
    """`obj` after a way through a file."""
    file = io.BytesIO()
    package.save(obj, file)
    file.seek(0)
    return package.load(file, weights_only=False)


def described(value):
    """A value with the names of all types in it."""
    kind = type(value).__name__
    if hasattr(value, "detach"):
        detached = value.detach()
        return kind, repr(value.dtype), value.requires_grad, value.is_leaf, tuple(value.stride()), detached.tolist()
    if isinstance(value, np.ndarray | np.generic):
        return kind, value.dtype.str, value.shape, value.flags.f_contiguous, repr(value.tolist())
    if isinstance(value, Namespace | SimpleNamespace):
        return kind, described(vars(value))
    if isinstance(value, dict):
        extra = repr(getattr(value, "default_factory", None)), repr(getattr(value, "_metadata", None))
        return kind, extra, [(described(key), described(item)) for key, item in value.items()]
    if isinstance(value, set | frozenset):
        return kind, sorted(map(repr, map(described, value)))
    if isinstance(value, list | tuple | deque):
        return kind, getattr(value, "maxlen", None), [described(item) for item in value]
    if isinstance(value, int):
        return kind, hex(value)  # which has no longest one
    return repr(value) if repr(value).startswith("torch.") else (kind, repr(value))


VALUES = [
    "OrderedDict(b=1, a=torch.ones(2))", "torch.Size([2, 3])", "torch.ones(2, 3).shape",
    "(1, [2, (3,), []], {})", "{1: 'a', 2.5: 'b', True and 'x': 'c', None: 'd', (1, ('e',)): 'f'}", "{True: 1, 0: 2}",
    "{(): {frozenset([1]): 2}}", "{b'k': 1, 2j: 2, torch.float32: 3, np.int64(3): 4, torch.Size([1]): 5, date(2020, 1, 2): 6}",
    "OrderedDict([(1, OrderedDict()), ((2, 3), None)])",
    "Namespace(lr=0.1, layers=[1, 2], name=None)", "SimpleNamespace(a=1, b=[torch.ones(1)])",
    "set()", "{1, 'a', (2, 3)}", "frozenset([1, 2.5])", "b''", "bytes(range(256))", "bytearray(b'abc')",
    "np.float32(1.5)", "np.int64(3)", "np.float64(0.1)", "np.bool_(True)", "np.uint16(7)", "np.complex64(1 + 2j)", "np.str_('ab')",
    "np.float16(float('nan'))", "[np.float64(-0.0), -0.0]",
    "torch.float16", "[torch.bool, torch.int64, torch.bfloat16, torch.complex64]", "torch.device('cpu')", "torch.device('cuda:1')",
    "1 + 2j", "complex('nan-0j')", "2**63", "-(10**5000)", "10**4000", "range(3)", "range(10, 0, -3)", "slice(None)",
    "slice(1, -1, 2)", "[slice('a', None, (2,))]", "np.dtype('float32')", "np.dtype('>i2')",
    "pathlib.Path('a') / 'b'", "pathlib.PurePosixPath('/a')", "pathlib.PureWindowsPath('c:\\\\a')", "{pathlib.Path('.'): 1}",
    "deque([1, [2]])", "deque([1, 2], maxlen=5)", "deque(maxlen=0)", "Counter('abca')", "Counter({'x': 2.5})",
    "defaultdict(int, a=1)", "defaultdict(list, {1: [2]})", "defaultdict(float)", "defaultdict(dict)", "defaultdict(set, a={1})",
    "defaultdict(None, a=1)",
    "datetime(2024, 2, 29, 12, 30, 1, 7)", "datetime(2024, 1, 1, tzinfo=timezone.utc)",
    "datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=-5, minutes=-30)))", "date(1999, 12, 31)", "timedelta(-3, 5, 7)",
    "timedelta.max", "datetime.min",
    "torch.arange(6).view(2, 3).t()", "torch.ones(2, 3, 4).permute(2, 0, 1)", "torch.ones(1, 4).expand(5, 4)",
    "torch.ones(3).expand(2, 3).t()", "torch.ones(()).expand(2, 2)", "torch.ones(1, 3).t()", "torch.tensor(3)",
    "torch.empty(0)", "torch.empty(2, 0, 3, dtype=torch.int8)", "torch.ones(2, requires_grad=True)",
    "torch.ones(2, requires_grad=True) * 2", "torch.ones(2, 3, requires_grad=True).t()", "torch.nn.Parameter(torch.ones(2, 3).t())",
    "torch.nn.Parameter(torch.ones(2), requires_grad=False)", "torch.nn.Parameter(torch.tensor([1, 2]), requires_grad=False)",
    "torch.nn.Buffer(torch.ones(2))", "[torch.tensor(2.5, dtype=torch.float64), torch.tensor([True, False])]",
    "np.ones((2, 3), order='F')", "np.arange(6.0).reshape(2, 3).T", "np.array(3.5)", "np.empty((0, 2), np.uint32)",
    "np.array(['a', 'bcd'])", "np.array([b'x', b'yz'])", "np.array([['ü']])",
    *(f"np.array([[0, 1], [1, 0]]).astype('{kind}')" for kind in "?bBhHiIlLqQefdgFDG"),
]  # fmt: skip
NAMES = {
    "Counter": Counter, "Namespace": Namespace, "OrderedDict": OrderedDict, "SimpleNamespace": SimpleNamespace, "date": date,
    "datetime": datetime, "defaultdict": defaultdict, "deque": deque, "np": np, "pathlib": pathlib, "timedelta": timedelta,
    "timezone": timezone,
}  # fmt: skip


def make(package, text):
    return value_of(text, torch=package, **NAMES)


@pytest.mark.parametrize("text", VALUES)
def test_values_come_back_as_they_were(text):
    compare(lambda package: described(through(package, make(package, text))), torch, tinygrad_nn)


@pytest.mark.parametrize(
    "text",
    [
        "torch.nn.Linear(2, 3)", "torch.nn.Sequential(torch.nn.BatchNorm1d(2), torch.nn.Sequential(torch.nn.ReLU()))",
        "torch.nn.InstanceNorm2d(2, track_running_stats=True)", "torch.nn.LSTM(2, 3)", "torch.nn.TransformerEncoderLayer(4, 2, 8)",
        "torch.nn.ModuleDict({'a': torch.nn.GroupNorm(1, 2), 'b': torch.nn.Embedding(2, 2)})",
    ],
)  # fmt: skip
def test_a_state_dict_is_one_again_with_the_versions_of_its_modules(text):
    def program(package):
        state = through(package, make(package, text).state_dict())
        return type(state).__name__, list(state), type(state._metadata).__name__, list(state._metadata.items())

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("version", [None, 1, 2])
@pytest.mark.parametrize("layer", ["BatchNorm1d(2)", "InstanceNorm1d(2, track_running_stats=True)"])
def test_norms_of_the_first_version_counted_no_batches(layer, version):
    def program(package):
        net = make(package, f"torch.nn.Sequential(torch.nn.{layer})")
        net[0].num_batches_tracked.add_(5)
        state = through(package, net.state_dict())
        del state["0.num_batches_tracked"]
        state._metadata["0"] = {} if version is None else {"version": version}
        found = net.load_state_dict(state)
        return list(found.missing_keys), net[0].num_batches_tracked

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize(
    "text",
    [
        "[x, x]", "[x, x.detach()]", "[x, x[2:4]]", "[x[2:4], x]", "[x[:3], x[2:5]]", "[x[1:3], x[:5], x[4:]]", "[x[:3], x[3:]]",
        "[x.view(2, 3), x.view(3, 2).t()]", "[x.view(2, 3).t(), x[3]]", "[x[3], x.view(2, 3).t()]",
        "[x[::2], x[::3]]", "[x.view(2, 3)[:, :2], x.view(2, 3)[:, 1:]]", "[x[:1].expand(4), x]",
        "[x[::3].view(2, 1).expand(2, 2), x[:4]]",
        "[torch.nn.Parameter(x), x]", "[y, y.clone(), x]", "[x, x.view(1, 6), y]", "[x[:0], x]", "[n, n]", "[n, n[:2]]",
        "[n, torch.from_numpy(n)]",
    ],
)  # fmt: skip
def test_what_shared_memory_shares_it_again(text):
    def program(package):
        x, y, n = package.arange(6.0), package.zeros(3), np.zeros(4)
        found = through(package, value_of(text, torch=package, x=x, y=y, n=n))
        for i, one in enumerate(found):
            if isinstance(one, np.ndarray):
                one += i + 10
            elif one.numel():
                one.detach()[(0,) * one.ndim].fill_(i + 10)
        return [described(one) for one in found], [[a is b for a in found] for b in found]

    compare(program, torch, tinygrad_nn)


def test_tied_weights_are_tied_again_and_each_is_in_the_file():
    def program(package):
        net = package.nn.Sequential(package.nn.Linear(2, 2), package.nn.Linear(2, 2))
        net[1].weight = net[0].weight
        state = through(package, net.state_dict())
        state["0.weight"].fill_(7)
        return state["1.weight"], list(state)

    compare(program, torch, tinygrad_nn)


def test_states_of_the_random_numbers():
    def program(package):
        package.manual_seed(3)
        random.seed(4)
        np.random.seed(5)  # noqa: NPY002
        states = through(package, {"torch": package.get_rng_state(), "np": np.random.get_state(), "python": random.getstate()})  # noqa: NPY002
        drawn = package.rand(3).tolist(), np.random.rand(3).tolist(), random.random()  # noqa: NPY002
        package.set_rng_state(states["torch"])
        np.random.set_state(states["np"])  # noqa: NPY002
        random.setstate(states["python"])
        assert (package.rand(3).tolist(), np.random.rand(3).tolist(), random.random()) == drawn  # noqa: NPY002
        return described(states)

    compare(program, torch, tinygrad_nn)


def opened(package, path, how):
    """The file of a tensor, opened in some way."""
    package.save({"a": package.ones(2)}, path)
    if how == "str":
        return str(path)
    if how == "path":
        return path
    if how == "file":
        return path.open("rb")
    if how == "text":
        return path.open(encoding="latin-1")
    file = io.BytesIO(b"before" + path.read_bytes())
    file.seek(6)
    return file


@pytest.mark.parametrize(
    "location",
    [
        None, "'cpu'", "torch.device('cpu')", "torch.device('cuda')", "'cuda'", "'cuda:0'", "'cpu:0'", "'nonsense'",
        "{}", "{'cuda:0': 'cpu'}", "{'cpu': 'cpu'}",
        "{'cpu': 'cuda'}", "{'cpu': None}", "lambda storage, location: storage", "lambda storage, location: None",
        "lambda storage, location: storage.cpu()", "3", "b'cpu'",
    ],
)  # fmt: skip
@pytest.mark.parametrize("tensors", [True, False])
def test_places_to_load_to(location, tensors):
    def program(package):
        file = io.BytesIO()
        package.save({"a": package.ones(2)} if tensors else [1], file)
        file.seek(0)
        return described(package.load(file, map_location=location and value_of(location, torch=package)))

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("how", ["str", "path", "file", "bytes"])
@pytest.mark.parametrize("options", [{}, {"weights_only": False}, {"weights_only": None}, {"mmap": True}, {"mmap": False}], ids=str)
def test_ways_to_open_a_file(tmp_path, how, options):
    def program(package):
        file = opened(package, tmp_path / package.__name__, how)
        try:
            return described(package.load(file, **options))
        finally:
            if hasattr(file, "close"):
                file.close()

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("f", [None, 3, "no/such/folder", ".", "text"])
def test_places_that_cannot_be_written(tmp_path, f):
    def program(package):
        if f != "text":
            return package.save([1], tmp_path / f if isinstance(f, str) else f)
        with (tmp_path / "a").open("w") as file:
            package.save([1], file)

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("f", [None, 3, "missing", "."])
def test_places_that_cannot_be_read(tmp_path, f):
    compare(lambda package: package.load(tmp_path / f if isinstance(f, str) else f), torch, tinygrad_nn)


def test_a_link_is_written_through(tmp_path):
    def program(package):
        place, link = tmp_path / f"{package.__name__}.pt", tmp_path / f"{package.__name__}_link"
        place.write_bytes(b"old")
        link.symlink_to(place)
        package.save([1], link)
        return link.is_symlink(), package.load(place)

    compare(program, torch, tinygrad_nn)


def test_ported_programs_find_the_module():
    for name in ("add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals", "load", "save"):
        assert names.find(f"torch.serialization.{name}") is getattr(tinygrad_nn.serialization, name)
        assert hasattr(torch.serialization, name)


def test_the_module_that_programs_import_from():
    def program(package):
        module = package.serialization
        before = module.get_safe_globals()
        added = module.add_safe_globals([Counter, Namespace])
        new = [one for one in (Counter, Namespace, deque) if one in module.get_safe_globals()]
        with module.safe_globals([deque, Counter]) as entered:
            within = [one for one in (Counter, deque) if one in module.get_safe_globals()]
        after = [one for one in (Counter, Namespace, deque) if one in module.get_safe_globals()]
        module.clear_safe_globals()
        empty = module.get_safe_globals()
        module.add_safe_globals(before)
        return added, new, entered, within, after, empty, module.save is package.save, module.load is package.load

    compare(program, torch, tinygrad_nn)


def test_a_file_in_text_mode_is_not_read(tmp_path):
    def program(package):
        with opened(package, tmp_path / package.__name__, "text") as file:
            package.load(file)

    compare(program, torch, tinygrad_nn)
