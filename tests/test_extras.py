"""What needs a package that is not installed says which, and what does not need it goes on."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

import tinygrad_nn as torch
from tinygrad_nn import memory, nn
from tinygrad_nn.train import History, TensorBoardLog, fit
from tinygrad_nn.utils.data import DataLoader, TensorDataset
from tinygrad_nn.viz import make_dot, plots


def loader():
    return DataLoader(TensorDataset(torch.arange(8.0).reshape(8, 1), torch.arange(8.0).reshape(8, 1)), batch_size=4)


def trained(**options):
    model = nn.Linear(1, 1)
    return fit(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=1e-3), loader(), epochs=2, **options)


WANTED = {
    "graphviz": lambda: make_dot(torch.ones(1, requires_grad=True) * 2),
    "matplotlib": lambda: plots.learning_curves({"loss": [1.0]}),
    "matplotlib.figure": lambda: History().plot(),
    "threadpoolctl": lambda: torch.set_num_threads(2),
    "tensorboardX": lambda: TensorBoardLog("runs"),
}


@pytest.mark.parametrize("name", WANTED)
def test_the_package_is_named(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"pip install .*{'tinygrad-nn' if 'plot' in name else ''}"):
        WANTED[name]()


def test_training_goes_on_without_a_bar(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert len(trained(progress=True)["loss"]) == 2


def test_tensorboard_gets_each_value(monkeypatch):
    told = []

    class Writer:
        def __init__(self, folder):
            told.append(folder)

        def add_scalar(self, *given):
            told.append(given)

        def close(self):
            told.append("closed")

    monkeypatch.setitem(sys.modules, "tensorboardX", SimpleNamespace(SummaryWriter=Writer))
    history = trained(callbacks=[TensorBoardLog("runs")])
    losses = [given for given in told if given[0] == "loss"]
    assert [value for _, value, _ in losses] == history["loss"]
    assert (told[0], told[-1]) == ("runs", "closed")


def test_memory_is_kept_on_linux_with_its_own_library_alone(monkeypatch):
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: SimpleNamespace())
    assert memory.keep_freed_memory() is False
    monkeypatch.setattr(sys, "platform", "darwin")
    assert memory.keep_freed_memory() is False


def test_parts_are_where_the_guides_name_them():
    code = "import tinygrad_nn as torch; print(torch.viz.plots.learning_curves.__name__, torch.testing.strategies.tensors.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "learning_curves tensors\n"
    with pytest.raises(AttributeError, match="has no attribute 'strategy'"):
        _ = torch.testing.strategy
