"""Every checker on every case, counted and printed: `python -m tests.bench.faults`."""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.bench.faults import FAULTS, RIGHT
from tests.bench.faults.case import Case
from tests.bench.faults.checkers import OTHERS, Checker, attempt, ours


def count(checker: Checker, case: Case, seeds: int) -> dict[str, Any]:
    """How often a checker objects to a case, how often its word is true, and the words it used."""
    start = time.perf_counter()
    objects, fitting, asked = 0, 0, 0
    words: Counter[str] = Counter()
    for seed in range(seeds):
        said: list[Any] = []
        failed = attempt(lambda seed=seed, said=said: said.append(checker(case, seed)))
        verdict = failed if failed.objects else said[0]
        if verdict is None:
            continue
        asked += 1
        if verdict.objects:
            objects += 1
            fitting += case.fits(verdict.code)
            words[str(verdict.code)] += 1
    return {"asked": asked, "objects": objects, "fitting": fitting, "words": dict(words), "seconds": time.perf_counter() - start}


def table(cases: Iterable[Case], checkers: dict[str, Checker], seeds: int, faults: bool) -> list[dict[str, Any]]:
    """Print a row a case as it comes, then the totals; give the rows back."""
    heads = "".join(f"{name:>12s}" for name in checkers)
    print(f"\n{'fault' if faults else 'right op':52s}{heads}{'   diagnosis' if faults else ''}")
    rows = []
    for case in cases:
        found = {name: count(checker, case, seeds) for name, checker in checkers.items()}
        rows.append({"name": case.name, "order": case.order, "code": case.code, "also": case.also, "found": found})
        cells = "".join(f"{_cell(one):>12s}" for one in found.values())
        own = found["ours"]
        said = ", ".join(f"{word} {times}" for word, times in own["words"].items())
        note = f"   {own['fitting']}/{seeds} {case.code or 'unknown'}" if faults else "   " if said else ""
        if said and (not faults or own["fitting"] < own["objects"]):
            note += f" (said {said})"
        print(f"{case.name:52s}{cells}{note}".rstrip(), flush=True)
    for label, least in (("in every draw", 1.0), ("in some draw", 0.0)):
        totals = ""
        for name in checkers:
            asked = [row["found"][name] for row in rows if row["found"][name]["asked"]]
            hits = sum(one["objects"] > 0 and one["objects"] >= least * one["asked"] for one in asked)
            totals += f"{f'{hits}/{len(asked)}':>12s}"
        print(f"{('found ' if faults else 'objected to ') + label:52s}{totals}")
    draws = "".join(f"{_share(rows, name):>12s}" for name in checkers)
    print(f"{'share of draws':52s}{draws}")
    spent = "".join(f"{sum(row['found'][name]['seconds'] for row in rows):>10.1f} s" for name in checkers)
    print(f"{'time':52s}{spent}")
    if faults:
        told = sum(row["found"]["ours"]["fitting"] for row in rows)
        print(f"{'diagnosis true, of draws found':52s}{told}/{sum(row['found']['ours']['objects'] for row in rows)}")
    return rows


def _cell(one: dict[str, Any]) -> str:
    return f"{one['objects']}/{one['asked']}" if one["asked"] else "-"


def _share(rows: list[dict[str, Any]], name: str) -> str:
    found = [row["found"][name] for row in rows]
    return f"{100 * sum(one['objects'] for one in found) / max(sum(one['asked'] for one in found), 1):.2f} %"


def main() -> None:
    """Run the checkers that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--only", help="only cases whose name has this in it")
    parser.add_argument("--others", action="store_true", help="autograd's and PyTorch's checkers beside ours")
    parser.add_argument("--json", type=Path, help="write the counts here")
    options = parser.parse_args()
    checkers: dict[str, Checker] = {"ours": ours} | (OTHERS if options.others else {})
    only = options.only or ""
    counts = {
        "seeds": options.seeds,
        "faults": table([case for case in FAULTS if only in case.name], checkers, options.seeds, True),
        "right": table([case for case in RIGHT if only in case.name], checkers, options.seeds, False),
    }
    if options.json:
        options.json.write_text(json.dumps(counts, indent=1))


if __name__ == "__main__":
    main()
