"""A recurrent cell written by hand, over an image's 28 rows: 28 numbers in, 64 kept; a training step."""

from __future__ import annotations

from typing import Any

from tests.bench.workload import Step

NAME = "rnn_cell"
SIZES = {"28 steps, batch 32": {"batch": 32, "steps": 28}}
LINES = {("28 steps, batch 32", "step"): 0.8}


def build(torch: Any, batch: int, steps: int) -> Step:
    nn = torch.nn
    into, over, out = nn.Linear(28, 64), nn.Linear(64, 64), nn.Linear(64, 10)
    parameters = [p for module in (into, over, out) for p in module.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    x, y = torch.rand(batch, steps, 28), torch.randint(0, 10, (batch,))

    def step() -> None:
        h = torch.zeros(batch, 64)
        for t in range(steps):
            h = torch.tanh(into(x[:, t]) + over(h))
        optimizer.zero_grad()
        nn.functional.cross_entropy(out(h), y).backward()
        optimizer.step()

    return step
