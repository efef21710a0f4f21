"""The ratios as a picture: a point each, its spread as a bar, the line it must hold as a tick."""

from __future__ import annotations

from pathlib import Path

from tests.bench.rounds import Record
from tests.bench.table import TITLES


def label(record: Record) -> str:
    """What was measured."""
    return ", ".join(part for part in (record.workload, record.size, record.quantity) if part)


def draw(records: list[Record], path: Path) -> None:
    """Write the chart; needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    matplotlib.rcParams.update({"svg.hashsalt": "tinygrad_nn", "font.size": 9})
    records = records[::-1]
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.24 * len(records)), layout="constrained")
    axes.axvline(1, color="#999999", linewidth=0.8)
    for y, record in enumerate(records):
        color = "#d55e00" if record.met() is False else "#0072b2"
        ratios = record.ratios()
        axes.plot([min(ratios), max(ratios)], [y, y], color=color, linewidth=3, alpha=0.35, solid_capstyle="round")
        axes.plot(record.ratio(), y, "o", color=color, markersize=5)
        if record.line is not None:
            axes.plot(record.line, y, "|", color="black", markersize=11)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    axes.set_yticks(range(len(records)), [f"{label(record)} / {TITLES[record.against]}" for record in records])
    axes.set_ylim(-0.7, len(records) - 0.3)
    axes.set_xlabel("tinygrad_nn to the other: less is better; a tick is the line to hold")
    axes.grid(axis="x", color="#eeeeee")
    axes.set_axisbelow(True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
