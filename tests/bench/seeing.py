"""Seconds until a graph is seen: its layout at two sizes, and a page of 500 nodes from opening to its answer to a key.

python -m tests.bench.seeing --rounds 5
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.viz import models
from tests.viz.browser.conftest import CHROMIUM, MISSING
from tests.viz.geometry import random_graph
from tinygrad_nn.viz.layout import layout


def seconds(job: Callable[[], Any], rounds: int) -> str:
    """The median, the least and the most."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return f"{statistics.median(times):7.3f} s ({min(times):.3f} to {max(times):.3f})"


def in_a_browser(rounds: int) -> None:
    """Open the page, step twice, and wait until it says so."""
    from playwright.sync_api import sync_playwright

    picture = models.tangle()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "page.html"
        picture.save(path)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})

        def answer() -> None:
            page.goto(path.as_uri())
            page.click("#forth")
            page.keyboard.press("ArrowRight")
            if "forward 2" not in page.inner_text("#where"):
                raise RuntimeError(f"expected the page at its second step, got {page.inner_text('#where')!r}")

        kind = f"{len(picture.graph.nodes)} nodes, from opening to its answer to a key"
        print(f"page:   {kind:45s}{seconds(answer, rounds)}")
        print(f"page:   {'to its last step':45s}{seconds(partial(page.click, '#last'), rounds)}")
        browser.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    for nodes in (300, 3000):
        for span in (10, nodes):
            for nested in (False, True):
                graph = random_graph(nodes, 1, span=span, nested=nested)
                kind = f"{nodes} nodes, edges over {span}, {'in modules' if nested else 'flat'}"
                print(f"layout: {kind:45s}{seconds(partial(layout, *graph), rounds)}", flush=True)
    if MISSING:
        print(f"page: left out, there is no {' and no '.join(MISSING)}")
    else:
        in_a_browser(rounds)


if __name__ == "__main__":
    main()
