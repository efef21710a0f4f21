"""The report of a gradient check: a bool, a page of text for a terminal, a table with a heat map for Jupyter."""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from tinygrad_nn.op import Array
from tinygrad_nn.testing.diagnosis import Diagnosis

_RED, _GREEN, _YELLOW, _BOLD, _OFF = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1m", "\x1b[0m"
_HEAT_SIDE = 48  # a larger gradient is shown by its first rows and columns
_HEADINGS = ("input", "shape", "looked at", "wrong", "worst error")


class Breach(NamedTuple):
    """One promise of the contract that was not kept: a code for programs, a line for people."""

    code: str
    text: str


class Worst(NamedTuple):
    """The element that is furthest off; `analytic` is None where the gradient has another shape than its input."""

    input: str
    index: tuple[int, ...]  # type: ignore[assignment]  # hides tuple.index, which nobody asks a report for
    analytic: float | None
    numeric: float
    ulps: float
    step: float


class Kink(NamedTuple):
    """A point where the function has a corner or a jump: the slopes on either side, and the gradient given there."""

    input: str
    index: tuple[int, ...]  # type: ignore[assignment]
    left: float
    right: float
    analytic: float


@dataclass
class InputResult:
    """What was found for one input."""

    name: str
    shape: tuple[int, ...]
    looked_at: str
    wrong: int
    worst: Worst | None
    kinks: int
    errors: Array = field(repr=False)  # relative to the larger of the two, nan where nothing was compared

    def cells(self) -> tuple[str, ...]:
        """The row of the report's table."""
        error = "" if self.worst is None or self.worst.analytic is None else _ulps(self.worst.ulps)
        return self.name, str(list(self.shape)), self.looked_at, str(self.wrong), error


class GradcheckError(AssertionError, RuntimeError):
    """A gradient that is wrong; its message is the report."""


@dataclass
class Report:
    """The outcome of a check: true if all is right; `str` tells the rest."""

    order: int
    inputs: list[InputResult]
    worst: Worst | None
    diagnosis: Diagnosis | None
    kinks: list[Kink]
    breaches: list[Breach]
    notes: list[str]

    @property
    def ok(self) -> bool:
        """Whether every gradient is right and the contract is kept."""
        return self.diagnosis is None

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return self.text(color=sys.stdout.isatty() and "NO_COLOR" not in os.environ)

    def text(self, color: bool = False) -> str:
        """The report in lines of text, with colours for a terminal if wanted."""

        def paint(text: str, code: str) -> str:
            return f"{code}{text}{_OFF}" if color else text

        return "\n".join([self._verdict(paint), *self._findings(paint), *self._table(), *self._remarks(paint)])

    def _verdict(self, paint: Callable[[str, str], str]) -> str:
        ordinal = "first" if self.order == 1 else "second"
        kinks = f", {len(self.kinks)} kink{'s' * (len(self.kinks) > 1)}" if self.kinks else ""
        return f"gradcheck, {ordinal} order: " + (paint("right", _GREEN) if self.ok else paint("WRONG", _RED + _BOLD)) + kinks

    def _findings(self, paint: Callable[[str, str], str]) -> list[str]:
        lines = []
        if self.diagnosis is not None:
            lines.append(f"  diagnosis: {paint(self.diagnosis.text, _BOLD)}  [{self.diagnosis.code}]")
        w = self.worst
        if w is not None and w.analytic is not None and any(r.wrong for r in self.inputs):
            lines.append(
                f"  worst: {w.input}{_place(w.index)}: given {w.analytic:.10g}, expected {w.numeric:.10g} "
                f"({_ulps(w.ulps)} apart, step {w.step:.1e})"
            )
        told = None if self.diagnosis is None else self.diagnosis.text
        return lines + [f"  contract: {breach.text}  [{breach.code}]" for breach in self.breaches if breach.text != told]

    def _table(self) -> list[str]:
        rows = [_HEADINGS, *(r.cells() for r in self.inputs)] if self.inputs else []
        widths = [max(len(row[k]) for row in rows) for k in range(len(_HEADINGS))] if rows else []
        return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]

    def _remarks(self, paint: Callable[[str, str], str]) -> list[str]:
        lines = [
            paint(f"  kink at {k.input}{_place(k.index)}: slope {k.left:.6g} on the left, {k.right:.6g} on the right, "
                  f"given {k.analytic:.6g}", _YELLOW)
            for k in self.kinks[:5]
        ]  # fmt: skip
        if len(self.kinks) > 5:
            lines.append(f"  and {len(self.kinks) - 5} more kinks")
        return lines + [f"  note: {note}" for note in self.notes]

    def _repr_html_(self) -> str:
        """The report for Jupyter: the verdict, the table, and a heat map of each wrong input's error."""

        def plain(text: str, code: str) -> str:
            return text

        colour = "#1a7f37" if self.ok else "#cf222e"
        head = f'<b style="color:{colour}">{html.escape(self._verdict(plain))}</b>'
        parts = [head, *(f"<br>{html.escape(line.strip())}" for line in self._findings(plain))]
        parts.append("<table><tr>" + "".join(f"<th>{heading}</th>" for heading in _HEADINGS) + "</tr>")
        for r in self.inputs:
            parts.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in r.cells()) + "</tr>")
        parts.append("</table>")
        parts += [_heat_map(r) for r in self.inputs if r.wrong and r.errors.size and r.errors.shape == r.shape]
        parts += [f"<div>{html.escape(line.strip())}</div>" for line in self._remarks(plain)]
        return '<div style="font-family:monospace">' + "".join(parts) + "</div>"


def _place(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]" if index else ""


def _ulps(ulps: float) -> str:
    return f"{ulps:.0f} ulps" if ulps < 1e6 else f"{ulps:.1e} ulps"


def _heat_map(result: InputResult) -> str:
    """The relative errors of one input as coloured cells: white is right, red is off by the value itself."""
    errors = np.atleast_2d(result.errors)
    errors = errors.reshape(-1, errors.shape[-1])
    shown = errors[:_HEAT_SIDE, :_HEAT_SIDE]
    rows = []
    for i, row in enumerate(shown):
        cells = []
        for j, error in enumerate(row):
            level = 0.0 if not error > 0 else min(1.0, max(0.0, 1 + np.log10(min(error, 1.0)) / 8))
            shade = int(255 - 200 * level)
            title = f"[{i}, {j}] relative error {error:.2e}"
            cells.append(
                f'<td title="{title}" style="width:10px;height:10px;padding:0;background:rgb(255,{shade},{shade})"></td>'
            )
        rows.append("<tr>" + "".join(cells) + "</tr>")
    cut = f", the first {shown.shape} of {errors.shape}" if shown.size < errors.size else ""
    return f'<div>error of {html.escape(result.name)}{cut}</div><table style="border:1px solid #888">{"".join(rows)}</table>'
