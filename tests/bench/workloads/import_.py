"""`import tinygrad_nn` beside `import numpy`, byte code compiled."""

from __future__ import annotations

import sys

NAME = "import"
SIZES: dict[str, dict[str, object]] = {"": {}}
LINES = {("", "step"): 1.3}
AGAINST = "numpy"
THREADS = (1,)
PAIRS = 5


def command(package: str) -> list[str]:
    """Time the statement in an interpreter that has loaded nothing else."""
    timed = f"import time; start = time.perf_counter(); import {package}; seconds = time.perf_counter() - start"
    return [sys.executable, "-c", f"{timed}; print('{{\"step\":', seconds, '}}')"]
