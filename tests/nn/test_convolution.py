"""Convolution against its definition as a sum, its adjoints against each other, and what it refuses."""

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.nn import functional as F
from tinygrad_nn.ops import window
from tinygrad_nn.ops.window import Window

RNG = np.random.default_rng(0)


def by_definition(x, w, stride, padding, dilation, groups):
    x = np.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    span = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[2:], strict=True)]
    counts = [(n - s) // step + 1 for n, s, step in zip(x.shape[2:], span, stride, strict=True)]
    y = np.zeros((len(x), len(w), *counts))
    each, inputs = len(w) // groups, w.shape[1]
    for o, i, j in np.ndindex(len(w), *counts):
        group = o // each
        top, left = i * stride[0], j * stride[1]
        seen = x[:, group * inputs : (group + 1) * inputs, top : top + span[0] : dilation[0], left : left + span[1] : dilation[1]]
        y[:, o, i, j] = (seen * w[o]).sum((1, 2, 3))
    return y


OPTIONS = [
    {}, {"stride": (2, 1)}, {"padding": (1, 2)}, {"dilation": (2, 1)}, {"groups": 2},
    {"stride": (2, 3), "padding": (1, 0), "dilation": (1, 2), "groups": 4},
]  # fmt: skip


@pytest.mark.parametrize("tile", [1, 1000, 2**18])
@pytest.mark.parametrize("options", OPTIONS)
def test_convolution_is_its_definition(options, tile, monkeypatch):
    monkeypatch.setattr(window, "_TILE", tile)
    options = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1} | options
    x, w = RNG.standard_normal((3, 4, 8, 9)), RNG.standard_normal((8, 4 // options["groups"], 3, 2))
    b = RNG.standard_normal(8)
    y = F.conv2d(torch.tensor(x), torch.tensor(w), torch.tensor(b), **options)
    np.testing.assert_allclose(y.numpy(), by_definition(x, w, **options) + b[:, None, None], atol=1e-12)


@pytest.mark.parametrize("options", OPTIONS)
def test_the_three_are_adjoint(options):
    options = dict(options)
    groups, win = options.pop("groups", 1), Window((3, 2), **options)
    x, w = RNG.standard_normal((2, 4, 8, 9)), RNG.standard_normal((8, 4 // groups, 3, 2))
    y = window.convolution(x, w, None, window=win, groups=groups)
    g = RNG.standard_normal(y.shape)
    expected = (y * g).sum()
    by_input = window.convolution_input(g, w, window=win, groups=groups, plane=(8, 9))
    by_weight = window.convolution_weight(g, x, window=win, groups=groups)
    np.testing.assert_allclose([(by_input * x).sum(), (by_weight * w).sum()], expected)


def test_results_do_not_share_scratch_memory():
    x, w = torch.randn(2, 1, 6, 6), torch.randn(1, 1, 3, 3)
    first = F.unfold(x, 3)
    kept = first.clone()
    F.unfold(x * 2, 3)
    F.conv2d(x, w)
    assert torch.equal(first, kept)


def test_float32_stays_float32_through_a_network():
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3))
    loss = nn.CrossEntropyLoss()(net(torch.rand(5, 1, 8, 8)), torch.tensor([0, 1, 2, 1, 0]))
    loss.backward()
    assert all(p.grad.dtype == torch.float32 for p in net.parameters())
    assert net[1].running_mean.dtype == torch.float32


@pytest.mark.parametrize("make", [nn.Conv3d, nn.ConvTranspose3d])
def test_volumes_are_not_implemented(make):
    with pytest.raises(NotImplementedError, match="3 are not implemented"):
        make(1, 2, 3)
    for function in (F.conv3d, F.conv_transpose3d):
        with pytest.raises(NotImplementedError):
            function(1, 2)


def test_errors_say_what_was_expected():
    x = torch.zeros(1, 3, 5, 5)
    with pytest.raises(RuntimeError, match=r"expected input \[1, 3, 5, 5\] to have 2 channels, but got 3"):
        F.conv2d(x, torch.zeros(4, 2, 3, 3))
    with pytest.raises(RuntimeError, match=r"can't be greater than actual input size \[5, 5\]"):
        F.conv2d(x, torch.zeros(4, 3, 7, 7))
    with pytest.raises(RuntimeError, match="expected weight of the input's dtype"):
        F.conv2d(x, torch.zeros(4, 3, 3, 3, dtype=torch.float64))
    with pytest.raises(RuntimeError, match="is too small"):
        F.max_pool2d(x, 6)
