"""History: what each epoch gave, as a dict of lists that prints as a table and draws itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinygrad_nn.doctor import Report

_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")


class History(dict[str, list[Any]]):
    """The values of each epoch by name, such as `history["val_loss"][-1]`.

    >>> history = History()
    >>> history.add({"loss": 0.75, "accuracy": 0.5})
    >>> history.add({"loss": 0.25, "accuracy": 1.0})
    >>> print(history)
    epoch    loss  accuracy
        1  0.7500    0.5000
        2  0.2500    1.0000
    >>> history.best("loss")
    (2, 0.25)
    """

    report: Report | None = None  # the doctor's, where fit was asked for one

    def __init__(self, values: Mapping[str, list[Any]] | None = None) -> None:
        super().__init__({name: list(column) for name, column in (values or {}).items()})
        self.seconds: list[float] = []  # of each epoch of this process; not part of the values, which repeat bit for bit

    @property
    def epochs(self) -> int:
        """How many epochs there are."""
        return max(map(len, self.values()), default=0)

    def add(self, values: Mapping[str, Any]) -> None:
        """Add an epoch."""
        before = self.epochs
        for name, value in values.items():
            column = self.setdefault(name, [None] * before)
            column.append(value)

    def best(self, name: str) -> tuple[int, float]:
        """The epoch, counted from 1, with the lowest value of a loss or error, or the highest of anything else."""
        column = self[name]
        pick = min if lower_is_better(name) else max
        value = pick(column)
        return column.index(value) + 1, value

    def _numbers(self) -> dict[str, list[float]]:
        """The columns of plain numbers, which a table and a plot can show."""
        return {name: column for name, column in self.items() if all(isinstance(v, float | int) for v in column)}

    def _rows(self) -> tuple[list[str], list[list[str]]]:
        columns = self._numbers()
        rows = [[str(i + 1), *(_number(c[i]) if i < len(c) else "" for c in columns.values())] for i in range(self.epochs)]
        return ["epoch", *columns], rows

    def __str__(self) -> str:
        names, rows = self._rows()
        widths = [max(len(name), *(len(row[i]) for row in rows), 0) if rows else len(name) for i, name in enumerate(names)]
        lines = (("  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))) for row in (names, *rows))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        names, rows = self._rows()
        head = "".join(f"<th>{name}</th>" for name in names)
        body = "".join("<tr>" + "".join(f"<td>{text}</td>" for text in row) + "</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw the curves, training and validation of one name in one picture; saved at `path`, if given.

        Returns matplotlib's figure. ImportError without matplotlib.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise ImportError('plot needs matplotlib: pip install "tinygrad-nn[examples]"') from None
        columns = self._numbers()
        names = [name for name in columns if not name.startswith("val_")]
        figure = Figure(figsize=(4 * max(len(names), 1), 3.2), layout="constrained")
        for at, name in enumerate(names):
            axes = figure.add_subplot(1, len(names), at + 1)
            for shown, style, color in ((name, "o-", _COLORS[0]), (f"val_{name}", "s--", _COLORS[1])):
                if shown in columns:
                    axes.plot(range(1, len(columns[shown]) + 1), columns[shown], style, color=color, label=shown, markersize=4)
            axes.set(title=name, xlabel="epoch")
            axes.spines[["top", "right"]].set_visible(False)
            axes.legend(frameon=False)
        if path is not None:
            figure.savefig(path, dpi=120)
        return figure


def lower_is_better(name: str) -> bool:
    """Whether a value of this name is a loss or an error."""
    return "loss" in name or "error" in name


def _number(value: float) -> str:
    """A value in about six characters."""
    if value is None:
        return ""
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3g}"
