"""The pytest plugin: `@gradcheck_op` makes a test of every sample, dtype and order; `--gradcheck-report` writes a page."""

from __future__ import annotations

import html
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tinygrad_nn.nn import Module
from tinygrad_nn.testing.decorator import MARK, Spec
from tinygrad_nn.testing.gradcheck import gradcheck
from tinygrad_nn.testing.report import GradcheckError, Report
from tinygrad_nn.testing.samples import named_samples, shrunk

_REPORTS = pytest.StashKey[list["_Outcome"]]()


class _Outcome(NamedTuple):
    """One item's result for the page."""

    name: str
    report: Report
    example: list[Any]


class _GradcheckItem(pytest.Item):
    """One check: a target, a sample, a dtype, an order."""

    def __init__(self, *, target: Any, inputs: list[Any], options: dict[str, Any], **base: Any) -> None:
        super().__init__(**base)
        self.target, self.inputs, self.options = target, inputs, options

    def setup(self) -> None:
        """Make the module that the target is a class or a factory of."""
        self.target = self.target() if _makes(self.target) else self.target

    def check(self, inputs: list[Any]) -> Report:
        """The report at the given inputs."""
        return gradcheck(self.target, inputs, **self.options)

    def runtest(self) -> None:
        """Check; where it fails, look for a smaller example that fails alike."""
        report = self.check(self.inputs)
        example = self.inputs
        if report.diagnosis is not None:
            code = report.diagnosis.code

            def still_fails(candidate: list[Any]) -> bool:
                try:
                    smaller = self.check(candidate)
                except Exception:  # a smaller input that the function does not take is no example
                    return False
                return smaller.diagnosis is not None and smaller.diagnosis.code == code

            example = shrunk(self.inputs, still_fails)
            report = self.check(example)
        self.config.stash.setdefault(_REPORTS, []).append(_Outcome(self.nodeid, report, example))
        self.user_properties.append(("gradcheck", "ok" if report.diagnosis is None else report.diagnosis.code))
        if report.diagnosis is not None:
            told = f"{report.diagnosis.code}: {report.diagnosis.text}"  # the first line is the one in pytest's summary
            raise GradcheckError(f"{told}\n{report.text()}\n\n  smallest example found:\n{_listed(example)}")

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The report itself; of another error the lines of the user's own code, without those of the checker."""
        if isinstance(excinfo.value, GradcheckError):
            return str(excinfo.value)
        theirs = excinfo.traceback.filter(lambda entry: not _internal(Path(entry.path)))
        excinfo.traceback = theirs or excinfo.traceback[-1:]
        return super().repr_failure(excinfo, style or "short")

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the item stands."""
        return self.path, None, f"gradcheck {self.name}"


def _makes(target: Any) -> bool:
    """Whether a target is called to get what is to be checked: a Module's class, or a function without parameters."""
    if isinstance(target, type):
        return issubclass(target, Module)
    return inspect.isroutine(target) and not inspect.signature(target).parameters


def _internal(path: Path) -> bool:
    """Whether a file is the checker's or pytest's own."""
    return path.parent == Path(__file__).parent or not {"pluggy", "_pytest"}.isdisjoint(path.parts)


def _listed(inputs: list[Any]) -> str:
    """The inputs as lines that can be pasted into a program."""
    texts = [np.array_repr(v, precision=4) if isinstance(v, np.ndarray) else repr(v) for v in inputs]
    return "\n".join(f"    input {i} = " + text.replace("\n", "\n" + " " * 14) for i, text in enumerate(texts))


def pytest_pycollect_makeitem(collector: Any, name: str, obj: Any) -> list[pytest.Item] | None:
    """Collect what `@gradcheck_op` has marked, whatever its name."""
    spec = getattr(obj, "__dict__", {}).get(MARK)
    if not isinstance(spec, Spec):
        return None
    if isinstance(collector, pytest.Class):
        obj = getattr(collector.obj(), name)  # a method needs its self
    return list(_items(collector, name, obj, spec))


def _items(collector: Any, name: str, obj: Any, spec: Spec) -> Iterator[pytest.Item]:
    target = obj if spec.vjp is None else (obj, spec.vjp)
    for label, inputs in named_samples(spec.samples).items():
        for dtype in spec.dtypes:
            for order in spec.orders if dtype == "float64" else (1,):
                options = {**spec.options, "dtype": dtype, "order": order}
                title = f"{name}[{label}-{dtype}-order{order}]"
                yield _GradcheckItem.from_parent(collector, name=title, target=target, inputs=inputs, options=options)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--gradcheck-report`."""
    parser.getgroup("tinygrad_nn").addoption(
        "--gradcheck-report", metavar="FILE.html", help="write one self-contained page about all gradient checks"
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the page."""
    path = session.config.getoption("--gradcheck-report")
    if path:
        Path(path).write_text(_page(session.config.stash.get(_REPORTS, [])), encoding="utf-8")


def _page(outcomes: list[_Outcome]) -> str:
    failed = [outcome for outcome in outcomes if not outcome.report]
    parts = [
        "<!doctype html><meta charset='utf-8'><title>Gradient checks</title>",
        "<style>body{font:14px system-ui;margin:2em;max-width:70em}td,th{padding:2px 10px;text-align:left}"
        "pre{background:#8881;padding:1em;overflow:auto}:root{color-scheme:light dark}</style>",
        f"<h1>Gradient checks</h1><p>{len(outcomes)} checks, {len(failed)} failed.</p>",
    ]
    for outcome in failed:
        parts.append(f"<h2>{html.escape(outcome.name)}</h2>{outcome.report._repr_html_()}")
        parts.append(f"<p>The smallest example found:</p><pre>{html.escape(_listed(outcome.example))}</pre>")
    parts.append("<h2>All checks</h2><table><tr><th>check</th><th>result</th></tr>")
    for outcome in outcomes:
        result = "right" if outcome.report.diagnosis is None else outcome.report.diagnosis.code
        parts.append(f"<tr><td>{html.escape(outcome.name)}</td><td>{html.escape(result)}</td></tr>")
    return "\n".join([*parts, "</table>"])
