"""A chain of multiplications of ten numbers, forward and backward: what an operation costs where the arithmetic costs nothing."""

from __future__ import annotations

from typing import Any

from tests.bench.workload import Step

NAME = "chain"
SIZES = {"200 operations": {"depth": 200}}
LINES = {("200 operations", "step"): 0.65}


def build(torch: Any, depth: int) -> Step:
    x = torch.ones(10, requires_grad=True)

    def step() -> None:
        x.grad = None
        y = x
        for _ in range(depth):
            y = y * x
        y.sum().backward()

    return step
