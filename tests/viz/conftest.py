"""Python traces nothing while a profiler's hook runs; in these tests it does, so that the lines of `trace`'s own hook are seen."""

import sys

import pytest

from tinygrad_nn.viz.tracing import Tracer


@pytest.fixture(autouse=True)
def _traced_hook(monkeypatch):
    hook = Tracer._on_event

    def alone(*event):
        sys.setprofile(None)  # nobody watches the hook itself; this also makes Python trace again
        hook(*event)

    def traced(*event):
        before = sys.getprofile()
        try:
            sys.call_tracing(alone, event)
        finally:
            sys.setprofile(before)

    monkeypatch.setattr(Tracer, "_on_event", traced)
