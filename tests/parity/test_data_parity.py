"""Datasets, samplers, collation and the DataLoader beside PyTorch's: the same order for the same seed, the same errors."""

import collections

import numpy as np
import pytest

import tinygrad_nn
import tinygrad_nn.utils.data
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")
pytest.importorskip("torch.utils.data")

Pair = collections.namedtuple("Pair", "left right")


def dataset(p, length=10):
    return p.utils.data.TensorDataset(p.arange(length), p.arange(length * 2.0).reshape(length, 2))


class Items:
    """A dataset without a base class, so that nothing but the protocol is used."""

    def __init__(self, p, length=7):
        self.p, self.length = p, length

    def __len__(self):
        return self.length

    def __getitem__(self, i):
        if i >= self.length:
            raise IndexError(i)
        return {"x": self.p.tensor([i, i * 2.0]), "y": (i, i / 2), "name": str(i)}


def batches(p, data, **options):
    loader = p.utils.data.DataLoader(data, **options)
    return [len(loader), list(loader), list(loader)]


LOADERS = {
    "plain": {}, "batch": {"batch_size": 3}, "whole": {"batch_size": 10}, "larger": {"batch_size": 99},
    "drop": {"batch_size": 3, "drop_last": True}, "drop all": {"batch_size": 99, "drop_last": True},
    "shuffle": {"batch_size": 4, "shuffle": True}, "shuffle and drop": {"batch_size": 4, "shuffle": True, "drop_last": True},
    "one by one": {"batch_size": None}, "one by one shuffled": {"batch_size": None, "shuffle": True},
    "no shuffle": {"shuffle": False}, "pinned": {"batch_size": 2, "timeout": 0},
    "sampler list": {"sampler": [3, 1, 4], "batch_size": 2}, "batch sampler": {"batch_sampler": [[1, 2], [5], [0, 9, 8]]},
    "sampler and shuffle": {"sampler": [1], "shuffle": True}, "batch sampler and size": {"batch_sampler": [[1]], "batch_size": 2},
    "batch sampler and shuffle": {"batch_sampler": [[1]], "shuffle": True},
    "batch sampler and sampler": {"batch_sampler": [[1]], "sampler": [1]},
    "batch sampler and drop": {"batch_sampler": [[1]], "drop_last": True},
    "no batches and drop": {"batch_size": None, "drop_last": True}, "workers": {"num_workers": -1},
    "size 0": {"batch_size": 0}, "size -1": {"batch_size": -1}, "size 1.5": {"batch_size": 1.5}, "size True": {"batch_size": True},
    "collate": {"batch_size": 3, "collate_fn": len}, "collate shuffled": {"batch_size": 3, "collate_fn": len, "shuffle": True},
}  # fmt: skip


@pytest.mark.parametrize("kind", ["tensors", "items", "subset", "subset of items", "list"])
@pytest.mark.parametrize("name", LOADERS)
def test_loader(name, kind):
    def program(p):
        p.manual_seed(11)
        data = {
            "tensors": lambda: dataset(p), "items": lambda: Items(p, 10), "list": lambda: [i * 1.5 for i in range(10)],
            "subset": lambda: p.utils.data.Subset(dataset(p, 20), range(19, 9, -1)),
            "subset of items": lambda: p.utils.data.Subset(Items(p, 20), list(range(5, 15))),
        }[kind]()  # fmt: skip
        return [batches(p, data, **LOADERS[name]), p.rand(2)]

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("options", [{}, {"batch_size": None}])
def test_a_generator_of_ones_own(options):
    def program(p):
        p.manual_seed(1)
        generator = p.Generator().manual_seed(42)
        return [batches(p, dataset(p), generator=generator, **options), p.rand(1), p.rand(1, generator=generator)]

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("options", [{}, {"batch_size": 3}, {"batch_size": None}])
def test_shuffled_by_a_generator_of_ones_own(options):
    def program(p):
        generator = p.Generator().manual_seed(42)
        return list(p.utils.data.DataLoader(dataset(p), shuffle=True, generator=generator, **options))

    compare(program, torch, tinygrad_nn)


def test_an_interrupted_loader_starts_anew():
    def program(p):
        p.manual_seed(3)
        loader = p.utils.data.DataLoader(dataset(p), batch_size=2, shuffle=True)
        first = [next(iter(loader)) for _ in range(3)]
        iterator = iter(loader)
        return [first, next(iterator), next(iterator), list(loader), p.rand(1)]

    compare(program, torch, tinygrad_nn)


SPLITS = [
    [7, 3], [10], [5, 5, 0], [0.5, 0.5], [0.7, 0.3], [0.33, 0.33, 0.34], [0.25, 0.25, 0.25, 0.25], [1.0], [3, 3], [11], [0.5, 0.4],
    [0.9, 0.2], [-0.5, 1.5], [1], [0.999, 0.001],
]  # fmt: skip


@pytest.mark.parametrize("lengths", SPLITS, ids=str)
@pytest.mark.parametrize("own", [False, True])
def test_random_split(lengths, own):
    def program(p):
        p.manual_seed(2)
        data = dataset(p)
        parts = p.utils.data.random_split(data, lengths, **({"generator": p.Generator().manual_seed(8)} if own else {}))
        assert all(part.dataset is data for part in parts)
        return [[[len(part), list(part.indices), [part[i] for i in range(len(part))]] for part in parts], p.rand(1)]

    compare(program, torch, tinygrad_nn)


SAMPLERS = {
    "sequential": lambda d, p: d.SequentialSampler(range(5)),
    "random": lambda d, p: d.RandomSampler(range(9)),
    "random one": lambda d, p: d.RandomSampler(range(1)),
    "random more": lambda d, p: d.RandomSampler(range(4), num_samples=10),
    "random fewer": lambda d, p: d.RandomSampler(range(9), num_samples=4),
    "replacement": lambda d, p: d.RandomSampler(range(9), replacement=True),
    "replacement many": lambda d, p: d.RandomSampler(range(5), replacement=True, num_samples=70),
    "replacement 64": lambda d, p: d.RandomSampler(range(5), replacement=True, num_samples=64),
    "generator": lambda d, p: list(d.RandomSampler(range(9), generator=p.Generator().manual_seed(6))),
    "generator and replacement": lambda d, p: d.RandomSampler(range(9), True, 40, p.Generator().manual_seed(6)),
    "none": lambda d, p: d.RandomSampler(range(0)),
    "none asked": lambda d, p: d.RandomSampler(range(3), num_samples=0),
    "negative": lambda d, p: d.RandomSampler(range(3), num_samples=-1),
    "batches": lambda d, p: d.BatchSampler(d.SequentialSampler(range(7)), 3, False),
    "batches dropped": lambda d, p: d.BatchSampler(d.SequentialSampler(range(7)), 3, True),
    "even batches": lambda d, p: d.BatchSampler(d.RandomSampler(range(6)), 3, False),
    "even batches dropped": lambda d, p: d.BatchSampler(range(6), 2, True),
    "batches of 0": lambda d, p: d.BatchSampler(range(6), 0, True),
    "batches of True": lambda d, p: d.BatchSampler(range(6), True, True),
    "batches of a float": lambda d, p: d.BatchSampler(range(6), 2.0, True),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers(name):
    def program(p):
        p.manual_seed(4)
        sampler = SAMPLERS[name](p.utils.data, p)
        return [len(sampler), list(sampler), list(sampler), p.rand(1)]

    compare(program, torch, tinygrad_nn)


COLLATED = {
    "tensors": lambda p: [p.ones(2), p.zeros(2)],
    "0-d": lambda p: [p.tensor(1), p.tensor(2)],
    "arrays": lambda p: [np.ones(2), np.zeros(2)],
    "small arrays": lambda p: [np.ones(2, np.int16)],
    "0-d arrays": lambda p: [np.array(1.5), np.array(2.5)],
    "floats": lambda p: [1.5, 2.5],
    "ints": lambda p: [1, 2],
    "bools": lambda p: [True, False],
    "scalars": lambda p: [np.float32(1.5), np.float32(2.5)],
    "float64 scalars": lambda p: [np.float64(1.5), np.float64(2.5)],
    "int scalars": lambda p: [np.int32(1), np.int32(2)],
    "strings": lambda p: ["a", "b"],
    "bytes": lambda p: [b"a", b"b"],
    "tuples": lambda p: [(1, 2.5), (3, 4.5)],
    "lists": lambda p: [[1, "a"], [3, "b"]],
    "dicts": lambda p: [{"a": 1, "b": p.ones(1)}, {"a": 2, "b": p.zeros(1)}],
    "nested": lambda p: [{"a": [1, (2.0, "x")]}, {"a": [3, (4.0, "y")]}],
    "ordered": lambda p: [collections.OrderedDict(b=1, a=2)],
    "uneven": lambda p: [[1, 2], [1]],
    "uneven tensors": lambda p: [p.ones(2), p.ones(3)],
    "missing key": lambda p: [{"a": 1}, {"b": 1}],
    "objects": lambda p: [object(), object()],
    "none": lambda p: [None],
    "gradients": lambda p: [p.ones(1, requires_grad=True)],
}  # fmt: skip


@pytest.mark.parametrize("name", COLLATED)
def test_collate(name):
    compare(lambda p: p.utils.data.default_collate(COLLATED[name](p)), torch, tinygrad_nn)


def test_strings_come_in_the_tuple_that_gathered_them():
    for samples in ([(1, "x"), (2, "y")], ["x", "y"], [{"a": "x"}, {"a": "y"}]):
        theirs, ours = (p.utils.data.default_collate(samples) for p in (torch, tinygrad_nn))
        assert repr(ours) == repr(theirs)


def test_named_tuples_stay_named():
    for p in (torch, tinygrad_nn):
        batch = p.utils.data.default_collate([Pair(1, 2.0), Pair(3, 4.0)])
        assert type(batch) is Pair
        assert (batch.left.tolist(), batch.right.tolist()) == ([1, 3], [2.0, 4.0])


MISTAKES = {
    "no tensors": lambda p: len(p.utils.data.TensorDataset(p.ones(2), p.ones(3))),
    "item far": lambda p: dataset(p)[10],
    "subset far": lambda p: p.utils.data.Subset(dataset(p), [1])[1],
    "subset beyond": lambda p: p.utils.data.Subset(dataset(p), [99])[0],
    "abstract item": lambda p: p.utils.data.Dataset()[0],
    "abstract sampler": lambda p: list(p.utils.data.Sampler()),
    "empty shuffled": lambda p: batches(p, dataset(p, 0), shuffle=True),
    "empty": lambda p: batches(p, dataset(p, 0)),
    "items": lambda p: [dataset(p)[2], dataset(p)[-1], dataset(p)[2:4], len(dataset(p))],
    "subset of a list": lambda p: p.utils.data.Subset(dataset(p), [5, 6, 7])[[0, 2]],
    "nested subsets": lambda p: p.utils.data.Subset(p.utils.data.Subset(dataset(p), [5, 6, 7]), [2, 0])[0],
    "sampler beyond": lambda p: batches(p, dataset(p), sampler=[99]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_items_and_mistakes(name):
    compare(MISTAKES[name], torch, tinygrad_nn)


# Streams, and datasets put together, beside PyTorch's.
def _streams(p):
    data = p.utils.data

    class Counter(data.IterableDataset):
        def __iter__(self):
            return iter(range(7))

        def __len__(self):
            return 7

    return [
        [batch.tolist() for batch in data.DataLoader(Counter(), batch_size=3)],
        [batch.tolist() for batch in data.DataLoader(Counter(), batch_size=3, drop_last=True)],
        list(data.DataLoader(Counter(), batch_size=None)), len(data.DataLoader(Counter(), batch_size=3)),
        list(data.ChainDataset([Counter(), Counter()])), len(Counter() + Counter()),
    ]  # fmt: skip


TOGETHER = {
    "streams": _streams,
    "shuffled stream": lambda p: p.utils.data.DataLoader(
        type("S", (p.utils.data.IterableDataset,), {"__iter__": list})(), shuffle=True
    ),
    "concatenated": lambda p: [[both[i] for i in (0, 9, 10, -1)] + [len(both)] for both in [dataset(p) + dataset(p, 3)]],
    "concatenated far": lambda p: p.utils.data.ConcatDataset([dataset(p)])[-11],
    "concatenated none": lambda p: p.utils.data.ConcatDataset([]),
    "stacked": lambda p: [p.utils.data.StackDataset(range(3), range(3, 6))[1], p.utils.data.StackDataset(a=range(3))[2]],
    "stacked misfit": lambda p: p.utils.data.StackDataset(range(3), range(2)),
    "weighted": lambda p: list(p.utils.data.WeightedRandomSampler([0.1, 0.2, 0.7], 9)),
    "weighted once": lambda p: list(p.utils.data.WeightedRandomSampler([0.1, 0.2, 0.7], 3, replacement=False)),
    "weighted none": lambda p: p.utils.data.WeightedRandomSampler([1.0], 0),
    "subset": lambda p: list(p.utils.data.SubsetRandomSampler([3, 5, 7, 9])),
    "converted": lambda p: p.utils.data.default_convert({"a": np.ones(2), "b": [np.float32(1.5), "c"]}),
    "worker": lambda p: p.utils.data.get_worker_info(),
    "own generator": lambda p: _state_after(p, 9),
    "own generator, more": lambda p: _state_after(p, 10),
}


def _state_after(p, count):
    generator = p.Generator().manual_seed(6)
    order = list(p.utils.data.RandomSampler(range(9), num_samples=count, generator=generator))
    return [order, p.rand(2, generator=generator)]


@pytest.mark.parametrize("name", TOGETHER)
def test_together(name):
    def program(p):
        p.manual_seed(4)
        return [TOGETHER[name](p), p.rand(1)]

    compare(program, torch, tinygrad_nn)
