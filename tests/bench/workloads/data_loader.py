"""An epoch of 60,000 shuffled images in batches of 64: a data set of tensors, and one that is asked for an image at a time."""

from __future__ import annotations

from collections import deque
from importlib import import_module
from typing import Any

from tests.bench.workload import Step

NAME = "data_loader"
SIZES = {"tensors": {"items": False}, "an item at a time": {"items": True}}


def build(torch: Any, items: bool) -> Step:
    data = import_module(f"{torch.__name__}.utils.data")
    x, y = torch.rand(60_000, 784), torch.randint(0, 10, (60_000,))

    class Items(data.Dataset):
        """A data set as PyTorch's tutorial writes it."""

        def __len__(self) -> int:
            return len(x)

        def __getitem__(self, i: int) -> tuple[Any, Any]:
            return x[i], y[i]

    loader = data.DataLoader(Items() if items else data.TensorDataset(x, y), batch_size=64, shuffle=True)
    return lambda: deque(loader, maxlen=0)
