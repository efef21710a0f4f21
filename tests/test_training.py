"""Modules, losses, optimiser and data together: what a training program does, and what it is told when it errs."""

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.nn import functional as F
from tinygrad_nn.utils.data import DataLoader, Dataset, Subset, TensorDataset, random_split


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 8)
        self.scale = nn.Parameter(torch.ones(1))
        self.register_buffer("seen", torch.zeros(1))
        self.blocks = nn.ModuleList([nn.Linear(8, 8), nn.Linear(8, 2)])
        self.named = nn.ModuleDict({"act": nn.Tanh()})

    def forward(self, x):
        for block in self.blocks:
            x = block(self.named["act"](self.first(x))) if block is self.blocks[0] else block(x)
        return x * self.scale


def test_parameters_and_state_in_the_order_of_definition():
    net = Net()
    names = ["scale", "first.weight", "first.bias", "blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "blocks.1.bias"]
    assert [name for name, _ in net.named_parameters()] == names
    assert list(net.state_dict()) == [names[0], "seen", *names[1:]]
    assert [name for name, _ in net.named_modules()][1] == "first"
    with pytest.raises(AttributeError, match="before Module"):
        type("Early", (nn.Module,), {"__init__": lambda self: setattr(self, "a", nn.Linear(1, 1))})()


def test_a_state_that_does_not_fit_changes_nothing():
    net = Net()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = net.state_dict()
    state["first.bias"] = torch.zeros(3)
    state["other"] = state.pop("scale") * 0 + 5
    with pytest.raises(RuntimeError, match=r"size mismatch for first\.bias") as caught:
        net.load_state_dict(state)
    assert all(part in str(caught.value) for part in ("Missing key", "Unexpected key"))
    assert all((value == before[name]).all() for name, value in net.state_dict().items())
    result = Net().load_state_dict({"scale": torch.ones(1)}, strict=False)
    assert "first.weight" in result.missing_keys


def test_save_load_and_go_on(tmp_path):
    net = Net()
    torch.save({"model": net.state_dict(), "epoch": 3, "lr": 0.5}, tmp_path / "a.safetensors")
    found = torch.load(tmp_path / "a.safetensors")
    other = Net()
    other.load_state_dict(found["model"])
    x = torch.randn(4, 2)
    assert (other(x) == net(x)).all()
    assert (found["epoch"], found["lr"]) == (3, 0.5)


def test_corrupted_files_are_named(tmp_path):
    path = tmp_path / "a.safetensors"
    torch.save({"a": torch.arange(10.0), "b": [torch.ones(2), None, "x"]}, path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        at = int(rng.integers(len(whole)))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ int(rng.integers(1, 256))]) + whole[at + 1 :])
        with pytest.raises(ValueError, match=r"a\.safetensors"):
            torch.load(path)
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match=r"a\.safetensors"):
            torch.load(path)
    path.write_bytes(b"PK\x03\x04zip")
    with pytest.raises(ValueError, match="pickled files are not read"):
        torch.load(path)
    with pytest.raises(TypeError, match=r"model\.0: expected tensors"):
        torch.save({"model": [object()]}, path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-4}])
def test_a_network_learns(options):
    torch.manual_seed(0)
    x = torch.randn(200, 2)
    data = TensorDataset(x, (x[:, 0] * x[:, 1] > 0).long())
    net, loss_of = Net(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.2, **options)
    losses = []
    for _ in range(40):
        for inputs, targets in DataLoader(data, batch_size=20, shuffle=True):
            loss = loss_of(net(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    state = optimizer.state_dict()
    optimizer.load_state_dict(state)
    assert "lr: 0.2" in repr(optimizer)


def test_whole_batches_equal_collated_ones():
    data = TensorDataset(torch.arange(10.0), torch.arange(10))

    class Items(Dataset):
        def __len__(self):
            return 10

        def __getitem__(self, i):
            return data[i]

    for options in ({}, {"shuffle": True}, {"drop_last": True}, {"batch_size": 4, "shuffle": True}):
        torch.manual_seed(1)
        whole = [[part.tolist() for part in batch] for batch in DataLoader(data, **{"batch_size": 3, **options})]
        torch.manual_seed(1)
        items = [[part.tolist() for part in batch] for batch in DataLoader(Items(), **{"batch_size": 3, **options})]
        assert whole == items
    parts = random_split(data, [0.5, 0.5])
    assert sorted(parts[0].indices + parts[1].indices) == list(range(10))
    assert [batch[1].tolist() for batch in DataLoader(Subset(data, [3, 1]), batch_size=2)] == [[3, 1]]
    with pytest.raises(ValueError, match="does not equal"):
        random_split(data, [3, 3])


def test_hooks_see_forward_and_backward():
    layer, seen = nn.Linear(2, 1), []
    layer.register_forward_pre_hook(lambda module, inputs: seen.append("before"))
    layer.register_forward_hook(lambda module, inputs, output: seen.append(tuple(output.shape)))
    layer.register_full_backward_hook(lambda module, into, out: seen.append((into[0].tolist(), out[0].tolist())))
    x = torch.ones(1, 2, requires_grad=True)
    layer(x).sum().backward()
    assert seen == ["before", (1, 1), (layer.weight.tolist(), [[1.0]])]


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: F.cross_entropy(torch.zeros(2, 3), torch.tensor([0, 3])), IndexError, "Target 3 is out of bounds"),
        (lambda: F.cross_entropy(torch.zeros(2, 3), torch.tensor([0, -1])), IndexError, "Target -1 is out of bounds"),
        (lambda: F.cross_entropy(torch.zeros(2, 3), torch.tensor([0])), ValueError, "Expected target of shape"),
        (lambda: F.nll_loss(torch.zeros(2, 3), torch.zeros(2)), RuntimeError, "expected scalar type Long"),
        (lambda: F.binary_cross_entropy(torch.full((2,), 1.5), torch.zeros(2)), RuntimeError, "between 0 and 1"),
        (lambda: F.linear(torch.zeros(2, 3), torch.zeros(4, 2)), RuntimeError, "cannot be multiplied"),
        (lambda: nn.Dropout(1.5), ValueError, "between 0 and 1"),
        (lambda: torch.optim.SGD([], lr=1), ValueError, "empty parameter list"),
        (lambda: torch.optim.SGD(torch.zeros(1), lr=1), TypeError, "iterable"),
        (lambda: torch.optim.SGD([torch.zeros(1)], lr=-1), ValueError, "Invalid learning rate"),
        (lambda: DataLoader([1], batch_size=0), ValueError, "positive integer"),
        (lambda: nn.Module()(1), NotImplementedError, "forward"),
    ],
)
def test_errors_name_what_is_wrong(act, error, message):
    with pytest.raises(error, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)


def test_a_loss_that_broadcasts_warns():
    with pytest.warns(UserWarning, match="different to the input size"):
        assert F.mse_loss(torch.zeros(4, 1), torch.ones(4)).item() == 1.0
