"""Python traces nothing while a profiler's hook runs; in these tests it does, so that the lines of `trace`'s own hook are seen."""

import sys
from functools import partial
from operator import call

import pytest

from tinygrad_nn.viz.tracing import Tracer


@pytest.fixture(autouse=True)
def _traced_hook(monkeypatch):
    hook = Tracer._on_event

    def traced(*event):
        before = sys.getprofile()
        # nobody watches the hook itself, and taking the profiler away makes Python trace again: before the hook's frame begins
        steps = partial(sys.setprofile, None), partial(hook, *event)
        try:
            sys.call_tracing(list, (map(call, steps),))
        finally:
            sys.setprofile(before)

    monkeypatch.setattr(Tracer, "_on_event", traced)
