"""Measure and print: `python -m tests.bench --help`."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import re
import sys
from datetime import date
from pathlib import Path
from typing import Any

from tests.bench import chart, docs, rounds, table
from tests.bench.workload import Workload
from tests.bench.workloads import WORKLOADS
from tests.bench.workloads.growth_depth import FLAT


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"workloads, or how their names begin: {', '.join(WORKLOADS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of measured steps in each process")
    parser.add_argument("--size", default="", help="only the sizes whose label contains this")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--chart", type=Path, metavar="FILE.svg")
    parser.add_argument("--write-docs", type=Path, metavar="FILE.json", help="measure nothing: put its numbers into the docs")
    options = parser.parse_args()
    unknown = [name for name in options.names if not any(known.startswith(name) for known in WORKLOADS)]
    if unknown:
        parser.error(f"expected names of workloads ({', '.join(WORKLOADS)}), got {', '.join(unknown)}")
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def about(options: argparse.Namespace) -> dict[str, Any]:
    """The machine, the versions and the command."""
    cpu = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", cpu.read_text()) if cpu.exists() else None
    versions = {}
    for name in ("numpy", "torch", "jax", "mygrad", "autograd"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "command": " ".join(["python -m tests.bench", *options.names, f"--rounds {options.rounds} --seconds {options.seconds:g}"]),
        "date": date.today().isoformat(),
        "rounds": options.rounds,
        "processor": model[1] if model else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions,
    }


def main() -> int:
    """Run the program; 1 if something could not be measured."""
    options = arguments()
    described = about(options)
    if options.write_docs:
        docs.write(*rounds.from_json(options.write_docs.read_text()))
        return 0
    chosen: list[Workload] = [w for w in WORKLOADS.values() if not options.names or w.name.startswith(tuple(options.names))]
    records: list[rounds.Record] = []
    failed = False
    print(table.heading(), flush=True)
    for workload in chosen:
        for size in (size for size in workload.sizes if options.size in size):
            try:
                new = rounds.measure(workload, size, options.rounds, options.seconds)
            except rounds.ProcessFailed as error:
                failed = True
                print(f"{workload.name:20s}{size:39s}could not be measured: {error}", flush=True)
                continue
            records += new
            print("\n".join(table.line(row) for record in new for row in table.cells(record)), flush=True)
            if options.json:
                options.json.write_text(rounds.to_json(records, described) + "\n")
    for name in ("growth_depth", "growth_depth_paused"):
        if any(record.workload == name for record in records):
            flat, verdict = rounds.flatness(records, name), "met" if rounds.flatness(records, name) <= FLAT else "not met"
            print(f"{name}: time per operation at any depth, to that at the least: {flat:.2f}, ≤ {FLAT} {verdict}")
    if options.chart and records:
        chart.draw(records, options.chart)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
