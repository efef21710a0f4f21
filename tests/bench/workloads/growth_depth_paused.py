"""The chains of `growth_depth` while Python's collector of cycles is paused: what growth is left is the package's own."""

from __future__ import annotations

import gc
from typing import Any

from tests.bench.workload import Step
from tests.bench.workloads import chain, growth_depth

NAME = "growth_depth_paused"
QUANTITIES = growth_depth.QUANTITIES
THREADS = growth_depth.THREADS
SIZES = {f"{label}, collector paused": size for label, size in growth_depth.SIZES.items()}


def build(torch: Any, depth: int) -> Step:
    step = chain.build(torch, depth)

    def paused() -> None:
        gc.disable()
        step()
        gc.enable()

    return paused
