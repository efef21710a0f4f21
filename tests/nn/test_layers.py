"""Layers and losses as modules: each is its function with the options it was made with, and prints them."""

import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.nn import functional as F

X = torch.linspace(-2, 2, 24).reshape(2, 3, 4)
W = torch.linspace(0.5, 1.5, 4)

LAYERS = {
    "Identity()": (nn.Identity(5, a=1), lambda x: x),
    "Flatten(start_dim=1, end_dim=-1)": (nn.Flatten(), lambda x: x.reshape(2, 12)),
    "Flatten(start_dim=0, end_dim=1)": (nn.Flatten(0, 1), lambda x: x.reshape(6, 4)),
    "Dropout(p=1, inplace=False)": (nn.Dropout(1), lambda x: x * 0),
    "Sigmoid()": (nn.Sigmoid(), F.sigmoid),
    "Tanh()": (nn.Tanh(), F.tanh),
    "ReLU()": (nn.ReLU(), F.relu),
    "ReLU(inplace=True)": (nn.ReLU(True), F.relu),
    "LeakyReLU(negative_slope=0.01)": (nn.LeakyReLU(), F.leaky_relu),
    "LeakyReLU(negative_slope=0.5)": (nn.LeakyReLU(0.5), lambda x: F.leaky_relu(x, 0.5)),
    "GELU(approximate='none')": (nn.GELU(), F.gelu),
    "GELU(approximate='tanh')": (nn.GELU("tanh"), lambda x: F.gelu(x, approximate="tanh")),
    "Softmax(dim=1)": (nn.Softmax(1), lambda x: F.softmax(x, 1)),
    "LogSoftmax(dim=0)": (nn.LogSoftmax(0), lambda x: F.log_softmax(x, 0)),
}


@pytest.mark.parametrize("text", LAYERS)
def test_layers(text):
    layer, function = LAYERS[text]
    assert repr(layer) == text
    assert list(layer.state_dict()) == []
    assert layer(X.clone()).tolist() == function(X).tolist()


@pytest.mark.parametrize("bias", [True, False])
def test_linear(bias):
    layer = nn.Linear(4, 5, bias, dtype=torch.float64)
    assert repr(layer) == f"Linear(in_features=4, out_features=5, bias={bias})"
    assert list(layer.state_dict()) == ["weight", "bias"][: 1 + bias]
    assert layer(X.double()).tolist() == F.linear(X.double(), layer.weight, layer.bias).tolist()
    before = layer.weight.tolist()
    layer.reset_parameters()
    assert layer.weight.tolist() != before
    assert layer.weight.abs().max().item() <= 0.5


CLASSES = torch.tensor([[0, 1, 2, 2], [1, 1, 0, 2]])
C = torch.tensor([0.5, 1.0, 2.0])
P, Y = X.sigmoid(), X.cos().abs()

LOSSES = {
    "MSELoss": (nn.MSELoss, {}, X, Y, F.mse_loss),
    "L1Loss": (nn.L1Loss, {}, X, Y, F.l1_loss),
    "BCELoss": (nn.BCELoss, {"weight": W}, P, Y, F.binary_cross_entropy),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss, {"weight": W, "pos_weight": W}, X, Y, F.binary_cross_entropy_with_logits),
    "NLLLoss": (nn.NLLLoss, {"weight": C, "ignore_index": 1}, X, CLASSES, F.nll_loss),
    "CrossEntropyLoss": (
        nn.CrossEntropyLoss, {"weight": C, "ignore_index": 1, "label_smoothing": 0.2}, X, CLASSES, F.cross_entropy
    ),
}  # fmt: skip


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, reduction):
    make, options, x, y, function = LOSSES[name]
    loss_of = make(reduction=reduction, **options)
    assert repr(loss_of) == f"{name}()"
    assert list(loss_of.state_dict()) == [key for key in ("weight", "pos_weight") if key in options]
    assert loss_of(x, y).tolist() == function(x, y, reduction=reduction, **options).tolist()
    plain = make(reduction=reduction)
    assert plain(x, y).tolist() == function(x, y, reduction=reduction).tolist()
    if options:
        assert plain(x, y).tolist() != loss_of(x, y).tolist()
