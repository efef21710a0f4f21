"""Microseconds of a training step of the 784-128-64-10 MLP, here and under PyTorch, in turn and in fresh processes."""

from __future__ import annotations

import argparse
import importlib
import statistics
import subprocess
import sys
import time
from typing import Any


def measure(package: str, batch: int, threads: int, steps: int) -> float:
    """The median time of a step in microseconds, in this process."""
    torch: Any = importlib.import_module(package)
    if package == "torch":
        torch.set_num_threads(threads)
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(784, 128), nn.Sigmoid(), nn.Linear(128, 64), nn.Sigmoid(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss_of = nn.CrossEntropyLoss()
    x, y = torch.rand(batch, 784), torch.randint(0, 10, (batch,))
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss_of(model(x), y).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    return statistics.median(times[steps // 5 :]) * 1e6


def in_process(package: str, batch: int, threads: int, steps: int) -> float:
    """The same in a fresh process, whose BLAS has the given number of threads."""
    command = [sys.executable, "-m", "tests.bench.mlp_step", "--child", package, str(batch), str(threads), str(steps)]
    environment = {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads), "PATH": "/usr/bin:/bin"}
    return float(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)


def main() -> None:
    """Print a table of medians and of the ratio, each side at its better number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32, 128])
    parser.add_argument("--child", nargs=4)
    options = parser.parse_args()
    if options.child:
        package, *numbers = options.child
        print(measure(package, *map(int, numbers)))
        return
    print("batch  tinygrad_nn     PyTorch   ratio (each round)")
    for batch in options.batches:
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(min(in_process("tinygrad_nn", batch, threads, options.steps) for threads in (1, 2)))
            theirs.append(min(in_process("torch", batch, threads, options.steps) for threads in (1, 2)))
        ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
        spread = " ".join(f"{ratio:.2f}" for ratio in ratios)
        print(
            f"{batch:5d} {statistics.median(ours):9.0f} µs {statistics.median(theirs):8.0f} µs   "
            f"{statistics.median(ratios):.2f} ({spread})"
        )


if __name__ == "__main__":
    main()
