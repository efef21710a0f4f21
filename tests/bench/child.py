"""One side of a workload in a process of its own: `python -m tests.bench.child WORKLOAD SIZE PACKAGE THREADS SECONDS`."""

from __future__ import annotations

import importlib
import json
import re
import resource
import statistics
import sys
import time
from pathlib import Path

from tests.bench.workload import Step, Workload
from tests.bench.workloads import WORKLOADS


def time_step(step: Step, seconds: float) -> float:
    """The median time of a step, in seconds: steps for `seconds`, after a quarter as long of warming up; at least one of each."""
    times: list[float] = []
    for budget in (seconds / 4, seconds):
        times.clear()
        start = time.perf_counter()
        until = start + budget
        while not times or start < until:
            step()
            end = time.perf_counter()
            times.append(end - start)
            start = end
    return statistics.median(times)


def peak() -> float:
    """The most memory that this process has held, in bytes."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        found = None
    if found:  # getrusage counts the parent's memory too, from before this program was loaded
        return int(found[1]) * 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1.0 if sys.platform == "darwin" else 1024.0)


def measure(workload: Workload, label: str, package: str, threads: int, seconds: float) -> dict[str, float]:
    """The quantities of one process: times in seconds, memory in bytes."""
    size = workload.sizes[label]
    if package in workload.beside:
        step = workload.beside[package](**size)
    else:
        assert workload.build is not None
        torch = importlib.import_module(package)
        if package == "torch":
            torch.set_num_threads(threads)
        torch.manual_seed(0)
        step = workload.build(torch, **size)
    if workload.once:
        step()
        return {"peak": peak()}
    seconds = time_step(step, seconds)
    return {"step": seconds, "op": seconds / size.get("depth", 1), "peak": peak()}


if __name__ == "__main__":
    name, label, package, threads, seconds = sys.argv[1:]
    print(json.dumps(measure(WORKLOADS[name], label, package, int(threads), float(seconds))))
