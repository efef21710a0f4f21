"""Records in words: a table for the terminal."""

from __future__ import annotations

from tests.bench.rounds import OURS, Record

TITLES = {"torch": "PyTorch", "numpy": "NumPy", "jax": "JAX", "mygrad": "MyGrad"}
WIDTHS = (20, 39, 6, 11, 10, 11, 7, 15, 0)
COLUMNS = ("workload", "size", "what", "ours", "against", "", "ratio", "spread", "line")


def amount(quantity: str, value: float) -> str:
    """A time or a memory with its unit, in three digits or so."""
    if quantity == "peak":
        return f"{value / 2**20:,.0f} MiB"
    unit, scale = next((u, s) for u, s in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)) if value >= s or u == "ns")
    value /= scale
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit}"


def spread(ratios: list[float]) -> str:
    """The least and the greatest."""
    return f"{min(ratios):.2f} to {max(ratios):.2f}"


def verdict(record: Record) -> str:
    """The line and whether it is held."""
    return "" if record.line is None else f"≤ {record.line:.2f} {'met' if record.met() else 'not met'}"


def cells(record: Record) -> list[list[str]]:
    """A row for each package beside ours, the one with the line first."""
    ours = amount(record.quantity, record.median(OURS))
    rows = []
    for package in (name for name in record.samples if name != OURS):
        theirs, ratios = amount(record.quantity, record.median(package)), record.ratios(package)
        row = [record.workload, record.size, record.quantity, ours] if not rows else [""] * 4
        row += [TITLES.get(package, package), theirs, f"{record.ratio(package):.2f}", spread(ratios)]
        rows.append([*row, verdict(record) if package == record.against else ""])
    return rows


def line(row: list[str]) -> str:
    """A row in columns."""
    return "".join(f"{cell:<{width}s}" for width, cell in zip(WIDTHS, row, strict=True)).rstrip()


def heading() -> str:
    """The names of the columns."""
    return line(list(COLUMNS))
