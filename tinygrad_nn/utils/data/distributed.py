"""The part of a data set that is one process's among several."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from tinygrad_nn.generator import Generator
from tinygrad_nn.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler):
    """Every `num_replicas`-th index, from `rank` on, in an order that `seed` and the epoch decide; PyTorch's for the same.

    The order is repeated at its end to a multiple of `num_replicas`, or cut if `drop_last`. RuntimeError without
    `num_replicas` and `rank`, as there is no group of processes to ask; ValueError for a rank outside it.
    """

    def __init__(
        self, dataset: Any, num_replicas: int | None = None, rank: int | None = None, shuffle: bool = True, seed: int = 0,
        drop_last: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if num_replicas is None or rank is None:
            raise RuntimeError("DistributedSampler: expected num_replicas and rank, as there is one process here")
        if not 0 <= rank < num_replicas:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset, self.num_replicas, self.rank, self.epoch = dataset, num_replicas, rank, 0
        self.drop_last, self.shuffle, self.seed = drop_last, shuffle, seed
        whole = len(dataset) // num_replicas if drop_last else math.ceil(len(dataset) / num_replicas)
        self.num_samples, self.total_size = whole, whole * num_replicas

    def __iter__(self) -> Iterator[int]:
        count = len(self.dataset)
        if self.shuffle:
            order = Generator().manual_seed(self.seed + self.epoch).permutation(count).tolist()
        else:
            order = list(range(count))
        order = order * math.ceil(self.total_size / max(count, 1))
        return iter(order[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Have the next pass in the order of another epoch."""
        self.epoch = epoch
