"""A DataLoader's workers, who take turns in one process: each has a copy of the dataset and random numbers of its own."""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from tinygrad_nn.generator import Generator, default_generator


class WorkerInfo(NamedTuple):
    """Which of how many workers is at work, the seed of its random numbers, and its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_AT_WORK: ContextVar[WorkerInfo | None] = ContextVar("tinygrad_nn_worker", default=None)


def get_worker_info() -> WorkerInfo | None:
    """The worker that asks the dataset just now; None if that is the DataLoader itself."""
    return _AT_WORK.get()


def _streams() -> tuple[Any, ...]:
    """The state of every source of random numbers that a worker has for itself."""
    return default_generator.get_state(), random.getstate(), np.random.get_state()  # noqa: NPY002  the stream that datasets draw from


def _restore(streams: tuple[Any, ...]) -> None:
    default_generator.set_state(streams[0])
    random.setstate(streams[1])
    np.random.set_state(streams[2])  # noqa: NPY002


def _seeded(base: int, worker: int) -> tuple[Any, ...]:
    """The states that PyTorch's worker starts with: NumPy's comes from the seed and the worker's number, mixed."""
    words = np.random.SeedSequence([worker, base % 2**32, base >> 32, 0]).generate_state(4)
    ours, python, numpy = Generator(), random.Random(base + worker), np.random.RandomState(words)
    return ours.manual_seed(base + worker).get_state(), python.getstate(), numpy.get_state()


class Worker:
    """One of the workers; what it does to random streams and to its dataset's attributes stays with it.

    `fetcher(dataset)` makes what gives the batch of some indices; `start(id)` is called before, once.
    """

    def __init__(self, id: int, count: int, base: int, dataset: Any, fetcher: Callable[[Any], Any], start: Any) -> None:
        self.spent = False
        self._info = WorkerInfo(id, count, base + id, copy.copy(dataset))
        self._streams = _seeded(base, id)
        self._fetcher, self._start = fetcher, start
        self._fetch: Callable[[Any], Any] | None = None

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        outside, token = _streams(), _AT_WORK.set(self._info)
        _restore(self._streams)
        try:
            yield
        finally:
            self._streams = _streams()
            _restore(outside)
            _AT_WORK.reset(token)

    def fetch(self, indices: Any) -> Any:
        """The batch of these indices; of a stream the next one, until StopIteration."""
        with self._at_work():
            if self._start is not None:
                start, self._start = self._start, None
                start(self._info.id)
            if self._fetch is None:
                self._fetch = self._fetcher(self._info.dataset)
            return self._fetch(indices)

    def resume(self) -> None:
        """Begin a new pass over the same copy of the dataset, with the random numbers that follow."""
        self.spent, self._fetch = False, None
