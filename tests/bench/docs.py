"""The numbers of docs/speed.md: each marked block of it is written from the records of a run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.bench.rounds import OURS, Record, flatness
from tests.bench.table import TITLES, amount, spread, verdict

PAGE = Path(__file__).parents[2] / "docs" / "speed.md"
BLOCK = re.compile(r"(<!-- bench: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
ENOUGH = 5  # rounds
Find = Callable[[str], list[Record]]


def grid(head: str, rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown; `head` names its columns, parted by bars."""
    titles = [title.strip() for title in head.split("|")]
    return "\n".join(f"| {' | '.join(row)} |" for row in (titles, ["---"] * len(titles), *rows))


def ours(record: Record, threads: int | None = None) -> str:
    """Our median, with its unit."""
    return amount(record.quantity, record.median(OURS, threads))


def theirs(record: Record) -> str:
    """The median of what we are measured against."""
    return amount(record.quantity, record.median(record.against))


def run(about: dict[str, Any]) -> str:
    """What was run, on what."""
    versions = ", ".join(f"{TITLES.get(name, name)} {version}" for name, version in about["versions"].items())
    busy = f", load {about['load']:.1f} at the start" if "load" in about else ""
    trial = f" Fewer than {ENOUGH} rounds: a trial of the bench, not a result." if about["rounds"] < ENOUGH else ""
    return (
        f"`{about['command']}` on {about['date']}: rounds: {about['rounds']}; {about['processor']}, {about['cores']} cores{busy}, "
        f"{about['system']}; Python {about['python']}, {versions}.{trial}"
    )


def ratios(find: Find) -> str:
    """Every workload with its ratio."""
    return grid(
        "workload | size | what | ours | PyTorch's | ratio | spread | line",
        (
            (r.workload, r.size, r.quantity, ours(r), theirs(r), f"{r.ratio():.2f}", spread(r.ratios()), verdict(r))
            for r in find("")
            if r.against == "torch" and not r.workload.startswith("growth")
        ),
    )


def beside(find: Find) -> str:
    """The MLP under whatever was installed."""
    records = [r for r in find("mlp") if "float64" not in r.size]
    others = [name for name in records[0].samples if name != OURS]
    return grid(
        f"size | tinygrad_nn | {' | '.join(TITLES.get(name, name) for name in others)}",
        ((r.size, ours(r), *(amount(r.quantity, r.median(name)) for name in others)) for r in records),
    )


def batch(find: Find) -> str:
    """What an example costs."""
    steps = [r for r in find("growth_batch") if r.quantity == "step"]
    counts = [int(r.size.split()[-1].replace(",", "")) for r in steps]
    return grid(
        "batch | a step | an example",
        ((f"{n:,}", ours(r), amount("step", r.median(OURS) / n)) for n, r in zip(counts, steps, strict=True)),
    )


def threads(find: Find) -> str:
    """One thread and two."""
    steps = [r for r in find("") if r.quantity == "step" and not r.workload.startswith("growth")]
    records = [r for r in steps if r.samples[OURS].keys() == {"1", "2"}]
    return grid("workload | size | one thread | two threads", ((r.workload, r.size, ours(r, 1), ours(r, 2)) for r in records))


def dtype(find: Find) -> str:
    """float32 and float64."""
    single, double = (next(r for r in find("mlp") if r.size == size) for size in ("batch 128", "batch 128, float64"))
    slower = f"{double.median(OURS) / single.median(OURS):.1f}"
    return grid("dtype | a step | to float32", (("float32", ours(single), "1"), ("float64", ours(double), slower)))


def indexing(find: Find) -> str:
    """Whole batches and single items."""
    return grid(
        "data set | an epoch | PyTorch's",
        ((r.size, ours(r), theirs(r)) for r in find("data_loader")),
    )


def imports(find: Find) -> str:
    """Import time."""
    (r,) = find("import")
    return grid(
        "import tinygrad_nn | import numpy | ratio | spread | line",
        [(ours(r), theirs(r), f"{r.ratio():.2f}", spread(r.ratios()), verdict(r))],
    )


def growth(find: Find) -> str:
    """Time and memory against size."""
    by_size: dict[tuple[str, str], list[Record]] = {}
    for r in find("growth"):
        by_size.setdefault((r.workload, r.size), []).append(r)
    rows = (
        (time.size, ours(time), "operation" if time.quantity == "op" else "step", ours(peak), theirs(time), theirs(peak))
        for time, peak in by_size.values()
    )
    table = grid("size | time | of a | peak memory | PyTorch's time | PyTorch's memory", rows)
    collected, paused = (flatness(find("growth_depth"), name) for name in ("growth_depth", "growth_depth_paused"))
    return (
        f"{table}\n\nThe time of an operation at any depth is at most {collected:.2f} of that at the least, and {paused:.2f} while "
        "Python's collector is paused."
    )


BLOCKS: dict[str, Callable[[Find], str]] = {
    f.__name__: f for f in (ratios, beside, batch, threads, dtype, indexing, imports, growth)
}


def refreshed(page: str, records: list[Record], about: dict[str, Any]) -> str:
    """The page with every marked block written anew; LookupError if the run did not measure what one needs."""

    def find(workload: str) -> list[Record]:
        found = [r for r in records if workload in ("", r.workload) or (workload == "growth" and r.workload.startswith("growth"))]
        if not found:
            raise LookupError(f"the page needs records of {workload}, the run has those of {sorted({r.workload for r in records})}")
        return found

    def block(match: re.Match[str]) -> str:
        name = match[2]
        text = run(about) if name == "run" else BLOCKS[name](find)
        return f"{match[1]}{text}\n{match[3]}"

    return BLOCK.sub(block, page)


def write(records: list[Record], about: dict[str, Any]) -> None:
    """Refresh docs/speed.md."""
    PAGE.write_text(refreshed(PAGE.read_text(), records, about))
