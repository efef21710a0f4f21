"""Fresh processes in turn, round by round, and the arithmetic of what they report."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.bench.workload import Workload

OURS = "tinygrad_nn"
ROOT = Path(__file__).parents[2]
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class ProcessFailed(Exception):
    """A measuring process ended with an error; the message is its last line."""


@dataclass
class Record:
    """A quantity of a workload at a size: for each package and number of threads, a sample a round."""

    workload: str
    size: str
    quantity: str
    against: str
    line: float | None
    samples: dict[str, dict[str, list[float]]]

    def best(self, package: str) -> list[float]:
        """Each round's sample at the better number of threads."""
        return [min(each) for each in zip(*self.samples[package].values(), strict=True)]

    def median(self, package: str, threads: int | None = None) -> float:
        """The median of the rounds, at a number of threads or at the better one."""
        return statistics.median(self.best(package) if threads is None else self.samples[package][str(threads)])

    def ratios(self, package: str | None = None) -> list[float]:
        """Ours to the other's, round by round."""
        return [a / b for a, b in zip(self.best(OURS), self.best(package or self.against), strict=True)]

    def ratio(self, package: str | None = None) -> float:
        """The median of the rounds' ratios."""
        return statistics.median(self.ratios(package))

    def met(self) -> bool | None:
        """Whether the ratio holds the line; None without a line."""
        return None if self.line is None else self.ratio() <= self.line


def run(workload: Workload, label: str, package: str, threads: int, seconds: float) -> dict[str, float]:
    """What a fresh process reports, and its wall time."""
    arguments = [workload.name, label, package, str(threads), str(seconds)]
    command = workload.command(package) if workload.command else [sys.executable, "-m", "tests.bench.child", *arguments]
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)
    wall = time.perf_counter() - start
    if done.returncode:
        raise ProcessFailed(f"{package}: {(done.stderr.strip() or f'exit status {done.returncode}').splitlines()[-1]}")
    return {**json.loads(done.stdout.splitlines()[-1]), "wall": wall}


def measure(workload: Workload, label: str, rounds: int, seconds: float) -> list[Record]:
    """A record for each quantity; the packages take turns, and every other round goes backwards."""
    packages = [OURS, workload.against, *(name for name in workload.beside if find_spec(name))]
    reports: dict[str, dict[str, list[dict[str, float]]]] = {p: {str(t): [] for t in workload.threads} for p in packages}
    if workload.pairs > 1 or workload.once:  # the first process compiles byte code and prepares files
        for package in packages:
            run(workload, label, package, workload.threads[0], seconds)
    for turn in range(rounds * workload.pairs):
        for package in packages[:: -1 if turn % 2 else 1]:
            for threads in workload.threads:
                reports[package][str(threads)].append(run(workload, label, package, threads, seconds))
    return [
        Record(
            workload.name, label, quantity, workload.against, workload.lines.get((label, quantity)),
            {p: {t: [report[quantity] for report in some] for t, some in by.items()} for p, by in reports.items()},
        )
        for quantity in workload.quantities
    ]  # fmt: skip


def flatness(records: Iterable[Record], workload: str) -> float:
    """The greatest of our time per operation at any depth of a workload, in units of that at the least depth."""
    times = [record.median(OURS) for record in records if record.workload == workload and record.quantity == "op"]
    return max(times) / times[0]


def to_json(records: Iterable[Record], about: dict[str, Any]) -> str:
    """The records and what is known of the run, as text."""
    return json.dumps({"about": about, "records": [vars(record) for record in records]}, indent=1, ensure_ascii=False)


def from_json(text: str) -> tuple[list[Record], dict[str, Any]]:
    """What `to_json` was given."""
    read = json.loads(text)
    return [Record(**record) for record in read["records"]], read["about"]
