"""SummaryWriter hands on to tensorboardX, with arrays for tensors; says what to install without it."""

import sys
from types import ModuleType

import numpy as np
import pytest

import tinygrad_nn as torch


class Recorder:
    """Stands where tensorboardX's writer would, and keeps what it is called with."""

    logdir = "there"

    def __init__(self, *args, **options):
        self.calls = [("init", args, options)]

    def __getattr__(self, name):
        return lambda *args, **options: self.calls.append((name, args, options))


@pytest.fixture
def writer(monkeypatch):
    stand_in = ModuleType("tensorboardX")
    stand_in.SummaryWriter = Recorder
    monkeypatch.setitem(sys.modules, "tensorboardX", stand_in)
    return torch.utils.tensorboard.SummaryWriter("runs/a", comment="b")


def test_tensors_become_arrays(writer):
    with writer as w:
        w.add_scalar("loss", torch.tensor(1.5, requires_grad=True), 3)
        w.add_scalars("all", {"a": torch.tensor(2.0), "b": 1}, global_step=4)
        w.add_embedding([torch.ones(2)], ["x"])
        assert w.logdir == "there"
    start, scalar, scalars, embedding, close = writer._writer.calls
    assert start == ("init", ("runs/a",), {"comment": "b"})
    assert scalar == ("add_scalar", ("loss", np.array(1.5, np.float32), 3), {})
    assert type(scalar[1][1]) is np.ndarray
    assert scalars == ("add_scalars", ("all", {"a": np.array(2.0), "b": 1}), {"global_step": 4})
    assert type(embedding[1][0][0]) is np.ndarray
    assert close == ("close", (), {})


def test_there_is_no_trace_to_draw(writer):
    with pytest.raises(NotImplementedError, match="viz"):
        writer.add_graph(None)


def test_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"expected tensorboardX, which is not installed \(pip install tensorboardX\)"):
        torch.utils.tensorboard.SummaryWriter()


def test_events_are_written(tmp_path):
    pytest.importorskip("tensorboardX")
    with torch.utils.tensorboard.SummaryWriter(tmp_path) as w:
        w.add_scalar("loss", torch.tensor(1.5), 0)
        w.add_histogram("weights", torch.randn(10), 0)
    assert any("tfevents" in path.name for path in tmp_path.iterdir())
