"""The DataLoader, which takes whole batches by one indexing where the dataset allows."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tinygrad_nn.generator import Generator, default_generator
from tinygrad_nn.utils.data.collate import default_collate, default_convert
from tinygrad_nn.utils.data.dataset import IterableDataset, collator_of
from tinygrad_nn.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler, random_seed
from tinygrad_nn.utils.data.worker import Worker


class DataLoader:
    """Batches of a dataset, in order or shuffled as PyTorch would for the same seed.

    A dataset with `collated(indices)` gives each batch by one indexing, unless a `collate_fn` is set. `num_workers` take
    turns as PyTorch's processes do, with the same random numbers, but within this one; the options about memory and
    processes change nothing. ValueError for options that do not go together, and for setting what the order of the
    samples hangs on afterwards.
    """

    _fixed = False
    _kept: _Turns | None = None  # of persistent workers

    def __class_getitem__(cls, item: Any) -> Any:  # so that `DataLoader[int]` is an annotation
        return cls

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Any = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        streamed = isinstance(dataset, IterableDataset)
        if streamed and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError("DataLoader with IterableDataset: expected unspecified shuffle, sampler and batch_sampler options")
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError("prefetch_factor option could only be specified in multiprocessing: set num_workers > 0")
        if num_workers == 0 and persistent_workers:
            raise ValueError("persistent_workers option needs num_workers > 0")
        self.dataset, self.generator, self.drop_last, self.num_workers = dataset, generator, drop_last, num_workers
        self.pin_memory, self.pin_memory_device, self.timeout, self.in_order = pin_memory, pin_memory_device, timeout, in_order
        self.worker_init_fn, self.multiprocessing_context = worker_init_fn, multiprocessing_context
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        if streamed:
            sampler = itertools.repeat(None)  # a stream decides itself what comes next
        elif sampler is None:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        self.sampler, self.batch_size = sampler, batch_size
        if batch_sampler is None and batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_sampler = batch_sampler
        self._collator_of = collator_of if collate_fn is None else lambda _: None
        self.collate_fn = collate_fn or (default_convert if self.batch_sampler is None else default_collate)
        self._fixed = True

    def __setattr__(self, name: str, value: Any) -> None:
        if self._fixed and name in ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"):
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        if self._kept is not None:
            self._kept.begin()
            return self._kept
        seed = random_seed(self.generator or default_generator)  # PyTorch draws it for its workers, and without any as well
        if not self.num_workers:
            return _Batches(self)
        batches = _Turns(self, seed)
        if self.persistent_workers:
            self._kept = batches
        return batches

    @property
    def _indices(self) -> Iterable[Any]:
        """What each batch is made of: a list of indices, or one where there are no batches."""
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def _fetcher(self, dataset: Any) -> Callable[[Any], Any]:
        """What gives the batch of some indices from `dataset`; of a stream the next one, until StopIteration."""
        if isinstance(dataset, IterableDataset):
            return self._stream(iter(dataset))
        collator, several = self._collator_of(dataset), getattr(dataset, "__getitems__", None)
        if self.batch_sampler is None:
            return lambda index: self.collate_fn(dataset[index])
        if collator is not None:
            return collator
        if callable(several):
            return lambda indices: self.collate_fn(several(indices))
        return lambda indices: self.collate_fn([dataset[i] for i in indices])

    def _stream(self, samples: Iterator[Any]) -> Callable[[Any], Any]:
        if self.batch_sampler is None:
            return lambda _: self.collate_fn(next(samples))

        def fetch(places: list[None]) -> Any:
            batch = list(itertools.islice(samples, len(places)))
            if not batch or (self.drop_last and len(batch) < len(places)):
                raise StopIteration
            return self.collate_fn(batch)

        return fetch

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset):
            count, size = len(self.dataset), self.batch_size or 1  # type: ignore[arg-type]
            return count // size if self.drop_last else -(-count // size)
        return len(self._indices)  # type: ignore[arg-type]


class _Batches:
    """One pass over a loader, which is as long as it."""

    def __init__(self, loader: DataLoader) -> None:
        self._loader = loader
        self._fetch = loader._fetcher(loader.dataset)
        self._indices = iter(loader._indices)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._fetch(next(self._indices))

    def __len__(self) -> int:
        return len(self._loader)


class _Turns(_Batches):
    """A pass in which workers take turns; like PyTorch it asks the sampler some batches ahead of the one it gives."""

    def __init__(self, loader: DataLoader, seed: int) -> None:
        self._loader, count = loader, loader.num_workers
        start = loader.worker_init_fn
        self._workers = [Worker(i, count, seed, loader.dataset, loader._fetcher, start) for i in range(count)]
        self.begin()

    def begin(self) -> None:
        """Start a pass, the first or, with persistent workers, another."""
        for worker in self._workers:
            worker.resume()
        self._indices = iter(self._loader._indices)
        self._turn = itertools.cycle(self._workers)
        self._ahead: deque[tuple[Worker, Any]] = deque()
        for _ in range(len(self._workers) * (self._loader.prefetch_factor or 1)):
            self._assign()

    def _assign(self) -> None:
        """Have the next worker whose stream has not ended look after the next batch."""
        for indices in itertools.islice(self._indices, 1):
            ready = (worker for worker in itertools.islice(self._turn, len(self._workers)) if not worker.spent)
            self._ahead.extend((worker, indices) for worker in itertools.islice(ready, 1))

    def __next__(self) -> Any:
        while self._ahead:
            worker, indices = self._ahead.popleft()
            if worker.spent:
                continue
            try:
                return worker.fetch(indices)
            except StopIteration:
                worker.spent = True
            finally:
                self._assign()
        raise StopIteration
