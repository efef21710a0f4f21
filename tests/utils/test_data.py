"""Datasets, samplers and the DataLoader: what they hold to for every size, and how a dataset may give whole batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_nn as torch
from tinygrad_nn.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
)


class Squares(Dataset):
    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return index, float(index * index)


class Whole(Squares):
    """Gives whole batches too, and remembers for which indices."""

    def __init__(self, length):
        super().__init__(length)
        self.asked = []

    def collated(self, indices):
        self.asked.append(list(indices))
        return default_collate([self[i] for i in indices])


sizes = st.integers(1, 40)


@given(length=sizes, size=sizes, drop=st.booleans(), shuffle=st.booleans(), whole=st.booleans())
def test_every_sample_comes_once(length, size, drop, shuffle, whole):
    loader = DataLoader((Whole if whole else Squares)(length), batch_size=size, drop_last=drop, shuffle=shuffle)
    batches = list(loader)
    assert len(batches) == len(loader)
    seen = [i for indices, _ in batches for i in indices.tolist()]
    kept = length // size * size if drop else length
    assert len(seen) == len(set(seen)) == kept
    assert set(seen) <= set(range(length))
    assert shuffle or seen == list(range(kept))
    assert all(len(indices) == size for indices, _ in batches[: length // size])
    assert all(values.tolist() == [float(i * i) for i in indices.tolist()] for indices, values in batches)


@given(lengths=st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_a_split_is_a_partition(lengths):
    if sum(lengths) == 1:
        return  # lengths that add up to 1 are fractions
    parts = random_split(Squares(sum(lengths)), lengths)
    assert [len(part) for part in parts] == lengths
    assert sorted(i for part in parts for i in part.indices) == list(range(sum(lengths)))


@given(length=st.integers(0, 50), cuts=st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_fractions_lose_no_sample(length, cuts):
    fractions = [cut / sum(cuts) for cut in cuts]
    if sum(fractions) > 1:
        fractions[-1] -= sum(fractions) - 1
    if sum(fractions) > 1:
        return
    parts = random_split(Squares(length), fractions)
    assert sum(len(part) for part in parts) == length
    assert all(abs(len(part) - length * fraction) <= 1 + 1e-9 for part, fraction in zip(parts, fractions, strict=True))


@given(count=sizes, draws=st.integers(1, 100), replacement=st.booleans())
def test_random_samplers_give_as_many_as_asked(count, draws, replacement):
    found = list(RandomSampler(range(count), replacement, draws))
    assert len(found) == draws
    assert set(found) <= set(range(count))
    if not replacement:
        for start in range(0, draws, count):
            part = found[start : start + count]
            assert len(set(part)) == len(part)


def test_a_loader_asks_for_whole_batches():
    data = Whole(7)
    list(DataLoader(data, batch_size=3))
    assert data.asked == [[0, 1, 2], [3, 4, 5], [6]]
    list(DataLoader(data, batch_size=3, collate_fn=len))
    list(DataLoader(data, batch_size=None))
    assert len(data.asked) == 3  # a collate_fn, or none, wants items
    list(DataLoader(Subset(Subset(data, [6, 5, 4]), [2, 0]), batch_size=2))
    assert data.asked[3:] == [[4, 6]]


def test_an_item_of_ones_own_is_asked_for_although_the_parent_gives_whole_batches():
    class Doubled(TensorDataset):
        def __getitem__(self, index):
            return super().__getitem__(index)[0] * 2

    loaded = DataLoader(Subset(Doubled(torch.arange(4)), [3, 1]), batch_size=2)
    assert next(iter(loaded)).tolist() == [6, 2]


def test_several_items_are_asked_for_together_where_the_dataset_can():
    class Tens(Dataset):
        def __len__(self):
            return 5

        def __getitems__(self, indices):
            return [10 * i for i in indices]

    batches = [batch.tolist() for batch in DataLoader(Tens(), batch_size=2)]
    assert batches == [[0, 10], [20, 30], [40]]
    assert next(iter(DataLoader(Subset(Tens(), [4, 2]), batch_size=2))).tolist() == [40, 20]


def test_a_stream_has_no_length_of_its_own():
    class Stream(IterableDataset[int]):
        def __iter__(self):
            return iter(range(4))

    assert list(Stream()) == [0, 1, 2, 3]
    assert [batch.tolist() for batch in list(DataLoader(Stream(), batch_size=3))] == [[0, 1, 2], [3]]
    for sized in (Stream(), DataLoader(Stream()), Dataset()):
        with pytest.raises(TypeError):
            len(sized)


def test_a_pass_draws_its_seed_when_it_begins_and_knows_its_length():
    loader: DataLoader[int] = DataLoader(range(5), batch_size=2)
    torch.manual_seed(0)
    batches = iter(loader)
    after = torch.rand(())
    torch.manual_seed(0)
    list(loader)
    assert torch.rand(()) == after
    assert len(batches) == 3


@pytest.mark.parametrize("options", [{"timeout": -1}, {"prefetch_factor": 2}, {"persistent_workers": True}])
def test_options_that_do_not_go_together_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        DataLoader(range(3), **options)


def test_what_the_order_hangs_on_stays():
    loader = DataLoader(range(3), num_workers=2)
    assert (loader.prefetch_factor, loader.pin_memory, loader.timeout) == (2, False, 0)
    with pytest.raises(ValueError, match="batch_size"):
        loader.batch_size = 2


def test_a_batch_of_rows_carries_gradients():
    x = torch.arange(6.0).reshape(3, 2).requires_grad_()
    (rows,) = next(iter(DataLoader(TensorDataset(x), batch_sampler=[[2, 0, 2]])))
    rows.sum().backward()
    assert x.grad.tolist() == [[1, 1], [0, 0], [2, 2]]


def test_collating_carries_gradients():
    x = torch.ones(2, requires_grad=True)
    default_collate([x, x * 3]).sum().backward()
    assert x.grad.tolist() == [4, 4]


def test_collated_arrays_are_copies():
    array = np.zeros(2)
    batch = default_collate([array])
    batch += 1
    assert array.tolist() == [0, 0]


def test_the_same_seed_gives_the_same_order():
    def orders(seed):
        torch.manual_seed(seed)
        loader = DataLoader(Squares(50), batch_size=50, shuffle=True)
        return [next(iter(loader))[0].tolist() for _ in range(2)]

    assert orders(3) == orders(3)
    assert orders(3) != orders(4)
    assert orders(3)[0] != orders(3)[1]


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (TensorDataset, AssertionError, "Size mismatch"),
        (lambda: TensorDataset(torch.ones(2), torch.ones(3)), AssertionError, r"Size mismatch.*\[2\], \[3\]"),
        (lambda: Dataset()[0], NotImplementedError, "Dataset has no __getitem__"),
        (lambda: len(Dataset()), TypeError, "has no len"),
        (lambda: iter(Sampler()), NotImplementedError, "Sampler has no __iter__"),
        (lambda: default_collate([object()]), TypeError, "found object"),
        (lambda: default_collate([[1, 2], [1]]), RuntimeError, "equal size"),
        (lambda: random_split(Squares(3), [-0.5, 1.5]), ValueError, "fractions between 0 and 1"),
        (lambda: random_split(Squares(3), [1, 1]), ValueError, "does not equal the length"),
        (lambda: RandomSampler([]), ValueError, "num_samples=0"),
        (lambda: BatchSampler([1], True, False), ValueError, "batch_size=True"),
        (lambda: BatchSampler([1], -2, False), ValueError, "batch_size=-2"),
        (lambda: DataLoader([1], num_workers=-1), ValueError, "num_workers"),
        (lambda: DataLoader([1], sampler=[0], shuffle=True), ValueError, "exclusive with shuffle"),
        (lambda: DataLoader([1], batch_sampler=[[0]], drop_last=True), ValueError, "batch_sampler option"),
        (lambda: DataLoader([1], batch_size=None, drop_last=True), ValueError, "batch_size=None"),
    ],
)
def test_mistakes_are_named(act, error, message):
    with pytest.raises(error, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)


def test_options_for_processes_change_nothing():
    options = {"num_workers": 4, "pin_memory": True, "timeout": 3, "worker_init_fn": print, "prefetch_factor": 2}
    plain, dressed = (list(DataLoader(Squares(5), batch_size=2, **given)) for given in ({}, options))
    assert [[part.tolist() for part in batch] for batch in plain] == [[part.tolist() for part in batch] for batch in dressed]


def test_samplers_have_lengths():
    assert (len(SequentialSampler("abc")), len(RandomSampler("abc")), len(RandomSampler("abc", num_samples=7))) == (3, 3, 7)
    assert [len(BatchSampler(range(7), 3, drop)) for drop in (False, True)] == [3, 2]
    assert len(DataLoader(Squares(5), batch_size=None)) == 5
