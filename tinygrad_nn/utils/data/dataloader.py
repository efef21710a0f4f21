"""The DataLoader, which takes whole batches by one indexing where the dataset allows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tinygrad_nn.generator import Generator, default_generator
from tinygrad_nn.utils.data.collate import default_collate, default_convert
from tinygrad_nn.utils.data.dataset import IterableDataset, collator_of
from tinygrad_nn.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler, random_seed


def get_worker_info() -> None:
    """None: there are no worker processes."""


class DataLoader:
    """Batches of a dataset, in order or shuffled as PyTorch would for the same seed.

    A dataset with `collated(indices)` gives each batch by one indexing, unless a `collate_fn` is set. `num_workers`
    and the options about memory and processes are accepted and change nothing. ValueError for options that do not go
    together, and for setting what the order of the samples hangs on afterwards.
    """

    _fixed = False

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
        self._collator = collator_of(dataset) if collate_fn is None else None
        self.collate_fn = collate_fn or (default_convert if self.batch_sampler is None else default_collate)
        self._fixed = True

    def __setattr__(self, name: str, value: Any) -> None:
        if self._fixed and name in ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"):
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        random_seed(self.generator or default_generator)  # PyTorch draws a seed for its workers, here for none
        return _Batches(self, self._stream() if isinstance(self.dataset, IterableDataset) else self._sampled())

    def _sampled(self) -> Iterator[Any]:
        if self.batch_sampler is None:
            for index in self.sampler:
                yield self.collate_fn(self.dataset[index])
            return
        collator, several = self._collator, getattr(self.dataset, "__getitems__", None)
        for indices in self.batch_sampler:
            if collator is not None:
                yield collator(indices)
            else:
                yield self.collate_fn(several(indices) if callable(several) else [self.dataset[i] for i in indices])

    def _stream(self) -> Iterator[Any]:
        samples = iter(self.dataset)
        if self.batch_size is None:
            yield from map(self.collate_fn, samples)
            return
        while batch := list(itertools.islice(samples, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset):
            count, size = len(self.dataset), self.batch_size or 1  # type: ignore[arg-type]
            return count // size if self.drop_last else -(-count // size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]


class _Batches:
    """One pass over a loader, which is as long as it."""

    def __init__(self, loader: DataLoader, batches: Iterator[Any]) -> None:
        self._loader, self._batches = loader, batches

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._batches)

    def __len__(self) -> int:
        return len(self._loader)
