"""Findings: what the doctor says, how it is ranked, printed and made fatal."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple

SEVERITIES = ("info", "warning", "error")
OUTCOMES = ("stuck-at-chance", "underfit", "overfit")  # what a mistake leads to: told last, unless nothing else explains it
PAGE = "docs/doctor.md"


class Cause(NamedTuple):
    """What one code means: how bad it is if a check says nothing else, its name in words, what to do."""

    severity: str
    title: str
    advice: str


CAUSES: dict[str, Cause] = {}  # by code; causes stand before their consequences, which is the order of a report


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: what, where, the evidence in numbers, what to do.

    >>> print(Finding("dead-relu", "warning", "model.1 (ReLU)", "70 % of 64 units never fire"))
    warning  dead-relu: ReLUs that never fire
      where     model.1 (ReLU)
      evidence  70 % of 64 units never fire
      advice    lower the learning rate, check the scale of the inputs, or use LeakyReLU
      more      docs/doctor.md#dead-relu
    """

    code: str
    severity: str
    where: str
    evidence: str

    @property
    def title(self) -> str:
        """The name of the cause, in words."""
        return CAUSES[self.code].title

    @property
    def advice(self) -> str:
        """What to do."""
        return CAUSES[self.code].advice

    @property
    def link(self) -> str:
        """Where the page of the doctor explains it."""
        return f"{PAGE}#{self.code}"

    def __str__(self) -> str:
        parts = (("where", self.where), ("evidence", self.evidence), ("advice", self.advice), ("more", self.link))
        return "\n".join([f"{self.severity}  {self.code}: {self.title}", *(f"  {name:9} {text}" for name, text in parts)])


class DoctorError(RuntimeError):
    """A finding that `raise_on` or strict mode made fatal."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.code}: {finding.title} at {finding.where}: {finding.evidence}; {finding.advice}")
        self.finding = finding


class raise_on:
    """Make findings of this severity and above fatal, from now on or within a `with` block; "never" ends it.

    >>> with raise_on("error"):
    ...     raise_on.threshold
    'error'
    """

    threshold = "never"

    def __init__(self, severity: str) -> None:
        if severity not in (*SEVERITIES, "never"):
            raise ValueError(f"raise_on: expected one of {', '.join(SEVERITIES)} or never, got {severity!r}")
        self.before = raise_on.threshold
        raise_on.threshold = severity

    def __enter__(self) -> raise_on:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        raise_on.threshold = self.before


class Report:
    """The findings, the likeliest cause first; print it, or look at it in a notebook."""

    def __init__(self, fatal: frozenset[str] = frozenset()) -> None:
        self._found: dict[tuple[str, str], Finding] = {}
        self._fatal = fatal  # codes that strict mode makes errors
        self.steps = 0

    def add(self, code: str, where: str, evidence: str, severity: str | None = None) -> None:
        """Note a finding, once for each code and place; DoctorError if it is fatal."""
        finding = Finding(code, severity or CAUSES[code].severity, where, evidence)
        before = self._found.get((code, where))
        if before is not None and SEVERITIES.index(before.severity) >= SEVERITIES.index(finding.severity):
            return
        self._found[code, where] = finding
        threshold = raise_on.threshold
        severe = threshold != "never" and SEVERITIES.index(finding.severity) >= SEVERITIES.index(threshold)
        if severe or code in self._fatal:
            raise DoctorError(finding)

    @property
    def findings(self) -> list[Finding]:
        """What was found: errors before warnings, causes before their consequences, outcomes last."""
        order = list(CAUSES)
        rank = lambda f: (f.code in OUTCOMES, -SEVERITIES.index(f.severity), order.index(f.code))
        return sorted(self._found.values(), key=rank)

    @property
    def codes(self) -> list[str]:
        """The codes in the same order, each once."""
        return list(dict.fromkeys(finding.code for finding in self.findings))

    def of(self, severity: str) -> list[Finding]:
        """The findings of one severity."""
        return [finding for finding in self.findings if finding.severity == severity]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, code: object) -> bool:
        return any(finding.code == code for finding in self._found.values())

    def _headline(self) -> str:
        if not self._found:
            return f"The doctor found nothing wrong in {self.steps} steps."
        counts = [f"{n} {severity}{'s' * (n > 1)}" for severity in reversed(SEVERITIES) if (n := len(self.of(severity)))]
        return f"The doctor found {', '.join(counts)} in {self.steps} steps; the likeliest cause comes first."

    def __str__(self) -> str:
        shown = [f"{i}. {finding}".replace("\n", "\n   ") for i, finding in enumerate(self.findings, 1)]
        return "\n\n".join([self._headline(), *shown])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        colors = {"error": "#b3261e", "warning": "#8a6100", "info": "#3b5b92"}
        items = []
        for finding in self.findings:
            where, evidence, advice = (html.escape(t) for t in (finding.where, finding.evidence, finding.advice))
            items.append(
                f'<li style="margin-bottom:.8em"><b style="color:{colors[finding.severity]}">{finding.severity}</b> '
                f"<b>{html.escape(finding.title)}</b> (<code>{finding.code}</code>)<br>{evidence}<br>"
                f"<code>{where}</code><br><i>{advice}</i></li>"
            )
        return f"<p>{self._headline()}</p><ol>{''.join(items)}</ol>"
