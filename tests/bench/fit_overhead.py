"""What fit, and the doctor, cost over the bare loop: an epoch of the 784-128-64-10 MLP, each in turn, round after round.

python -m tests.bench.fit_overhead --rounds 15
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.train import fit
from tinygrad_nn.utils.data import DataLoader, TensorDataset
from tinygrad_nn.vision.datasets import MNIST


def data(folder: Path | None, samples: int) -> Any:
    """MNIST's first samples, or noise in its shape."""
    torch.manual_seed(0)
    if folder is None:
        return TensorDataset(torch.randn(samples, 784), torch.randint(0, 10, (samples,)))
    found = MNIST(folder)
    x = (found.data[:samples].reshape(-1, 784).float() / 255 - 0.1307) / 0.3081
    return TensorDataset(x, found.targets[:samples])


def parts() -> tuple[Any, Any, Any]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, 128), nn.Sigmoid(), nn.Linear(128, 64), nn.Sigmoid(), nn.Linear(64, 10))
    return model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1)


def bare(model: Any, loss_of: Any, optimizer: Any, loader: Any) -> float:
    total = 0.0
    for x, y in loader:
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    return total / len(loader.dataset)


def main() -> None:
    """Print the ratios of processor time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    loader = DataLoader(data(options.data, options.samples), batch_size=options.batch, shuffle=True)
    ways = {
        "bare": lambda: bare(*parts(), loader),
        "fit": lambda: fit(*parts(), loader, epochs=1),
        "fit with doctor": lambda: fit(*parts(), loader, epochs=1, doctor=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for i in range(options.rounds):
        for name in sorted(ways, key=lambda name: (list(ways).index(name) + i) % len(ways)):
            start = time.process_time()
            ways[name]()
            seconds[name].append(time.process_time() - start)
    print(f"an epoch of {options.samples} at batch {options.batch}: {statistics.median(seconds['bare']):.2f} s bare")
    for name in ("fit", "fit with doctor"):
        ratios = sorted(a / b - 1 for a, b in zip(seconds[name], seconds["bare"], strict=True))
        quarter = len(ratios) // 4
        print(f"{name:16s} {statistics.median(ratios):+.1%} (quartiles {ratios[quarter]:+.1%} to {ratios[-quarter - 1]:+.1%})")


if __name__ == "__main__":
    main()
