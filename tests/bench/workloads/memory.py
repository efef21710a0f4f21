"""The most memory that a training process holds."""

from __future__ import annotations

from typing import Any

from tests.bench.workload import Step
from tests.bench.workloads import cnn, lenet, mlp, transformer

NAME = "memory"
QUANTITIES = ("peak",)
SIZES: dict[str, dict[str, Any]] = {
    f"{module.NAME}, {label}": {"module": module, **module.SIZES[label]}
    for module, label in ((mlp, "batch 128"), (transformer, "batch 16 x 64"), (lenet, "batch 32"), (cnn, "batch 64"))
}


def build(torch: Any, module: Any, **size: Any) -> Step:
    return module.build(torch, **size)
