"""Milliseconds and peak memory of a training step of two CNNs, here and under PyTorch, in turn and in fresh processes."""

from __future__ import annotations

import argparse
import importlib
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

BATCHES = {"mnist": 64, "lenet": 32}


def layers(nn: Any, name: str) -> Any:
    """The network of PyTorch's MNIST example, or LeNet-5 with max pooling."""
    if name == "mnist":
        return nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten(),
            nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10),
        )  # fmt: skip
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def measure(package: str, name: str, threads: int, steps: int) -> tuple[float, float]:
    """The median time of a step in milliseconds, and the MB by which the process grew at its peak, in this process."""
    torch: Any = importlib.import_module(package)
    if package == "torch":
        torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = layers(torch.nn, name)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loss_of = torch.nn.CrossEntropyLoss()
    batch = BATCHES[name]
    x, y = torch.rand(batch, 1, 28, 28), torch.randint(0, 10, (batch,))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss_of(model(x), y).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return statistics.median(times[steps // 5 :]) * 1e3, grown / 1024


def in_process(package: str, name: str, threads: int, steps: int) -> tuple[float, float]:
    """The same in a fresh process, whose BLAS has the given number of threads."""
    command = [sys.executable, "-m", "tests.bench.cnn", "--child", package, name, str(threads), str(steps)]
    environment = {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads), "PATH": "/usr/bin:/bin"}
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    took, grown = printed.split()
    return float(took), float(grown)


def main() -> None:
    """Print a table of medians and of the ratio, each side at its better number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--networks", nargs="+", default=list(BATCHES))
    parser.add_argument("--child", nargs=4)
    options = parser.parse_args()
    if options.child:
        package, name, threads, steps = options.child
        print(*measure(package, name, int(threads), int(steps)))
        return
    print("network  tinygrad_nn    PyTorch   ratio (each round)              memory: here  PyTorch")
    for name in options.networks:
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(min(in_process("tinygrad_nn", name, threads, options.steps) for threads in (1, 2)))
            theirs.append(min(in_process("torch", name, threads, options.steps) for threads in (1, 2)))
        ratios = sorted(a / b for (a, _), (b, _) in zip(ours, theirs, strict=True))
        spread = " ".join(f"{ratio:.2f}" for ratio in ratios)
        print(
            f"{name:8s} {statistics.median(t for t, _ in ours):8.2f} ms {statistics.median(t for t, _ in theirs):7.2f} ms   "
            f"{statistics.median(ratios):.2f} ({spread})   {statistics.median(m for _, m in ours):8.0f} MB "
            f"{statistics.median(m for _, m in theirs):6.0f} MB"
        )


if __name__ == "__main__":
    main()
