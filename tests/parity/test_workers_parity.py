"""A DataLoader's workers beside PyTorch's processes: who gives which batch, on whose copy, with whose random numbers."""

import random

import numpy as np
import pytest

import tinygrad_nn
import tinygrad_nn.utils.data
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")
pytest.importorskip("torch.utils.data")
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")


class Noisy:
    """Items with a random number of each source, and how often this copy was asked."""

    def __init__(self, p, length=11):
        self.p, self.length, self.asked = p, length, 0

    def __len__(self):
        return self.length

    def __getitem__(self, i):
        self.asked += 1
        worker = self.p.utils.data.get_worker_info()
        who = (worker.id, worker.num_workers, worker.seed % 1000, worker.dataset is self)
        return i, self.p.rand(2), random.random(), np.random.rand(), self.asked, who, self.p.initial_seed() % 1000  # noqa: NPY002  the stream that datasets draw from


def numbers_of_a_stream(p, end, shared):
    class Stream(p.utils.data.IterableDataset):
        """The whole numbers below `end`, shared among the workers or given by each."""

        def __init__(self):
            self.start, self.end = 0, end

        def __iter__(self):
            worker = p.utils.data.get_worker_info()
            share = -(-self.end // worker.num_workers) if shared else self.end
            start = self.start + worker.id * share if shared else self.start
            return iter(range(start, min(start + share, self.end)))

    return Stream()


def seed_anew(p):
    def start(_):
        random.seed(p.initial_seed() % 2**32)
        np.random.seed(p.initial_seed() % 2**32)  # noqa: NPY002

    return start


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("anew", [False, True])
def test_each_worker_has_its_own_random_numbers_and_dataset(workers, persistent, anew):
    def program(p):
        p.manual_seed(0)
        data = Noisy(p)
        loader = p.utils.data.DataLoader(
            data, batch_size=2, shuffle=True, num_workers=workers, persistent_workers=persistent,
            worker_init_fn=seed_anew(p) if anew else None,
        )  # fmt: skip
        return [[list(loader), p.rand(1)] for _ in range(3)], data.asked, p.utils.data.get_worker_info()

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("options", [{}, {"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"batch_size": None}], ids=str)
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_streams_come_in_turn(shared, options, workers):
    def program(p):
        return list(p.utils.data.DataLoader(numbers_of_a_stream(p, 17, shared), num_workers=workers, **options))

    compare(program, torch, tinygrad_nn)


def test_streams_of_unlike_lengths():
    def program(p):
        def start(i):
            p.utils.data.get_worker_info().dataset.end = (5, 1, 9)[i]

        stream = numbers_of_a_stream(p, 0, False)
        return list(p.utils.data.DataLoader(stream, num_workers=3, worker_init_fn=start, prefetch_factor=1)), stream.end

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("ahead", [1, 2, 4])
def test_the_sampler_is_asked_ahead(ahead):
    def program(p):
        p.manual_seed(1)

        class Drawn(p.utils.data.Sampler):
            def __iter__(self):
                for _ in range(12):
                    yield int(p.randint(0, 9, ()))

            def __len__(self):
                return 12

        loader = p.utils.data.DataLoader(range(9), sampler=Drawn(), batch_size=2, num_workers=2, prefetch_factor=ahead)
        return [(batch, p.rand(1)) for batch in loader]

    compare(program, torch, tinygrad_nn)


def test_a_pass_goes_on_after_a_mistake():
    class Failing(Noisy):
        def __getitem__(self, i):
            if i == 3:
                raise KeyError(i)
            return i

    def program(p):
        batches = iter(p.utils.data.DataLoader(Failing(p, 8), batch_size=2, num_workers=2))
        found = [len(batches)]
        for _ in range(4):
            try:
                found.append(next(batches))
            except KeyError:
                found.append("KeyError")
        return found

    compare(program, torch, tinygrad_nn)
