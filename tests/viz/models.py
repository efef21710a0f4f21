"""The networks whose pictures are tested."""

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.viz import trace


def neuron():
    """micrograd's neuron, in float64."""
    x1, x2, w1, w2, b = (
        torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (2.0, 0.0, -3.0, 1.0, 6.8813735870195432)
    )

    def f(x1, x2, w1, w2, b):
        n = x1 * w1 + x2 * w2 + b
        o = n.tanh()
        return o

    return trace(f, x1, x2, w1, w2, b)


def shared():
    """A value that is used again by what is computed from it: where depth-first order goes wrong."""
    a = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)

    def f(a):
        b = a * 3.0
        c = b * b
        d = b + c
        return d * b

    return trace(f, a)


def mlp(activation=nn.Tanh, dtype="float64"):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), activation(), nn.Sequential(nn.Linear(4, 2))).to(getattr(torch, dtype))
    x, y = torch.randn(5, 3).to(getattr(torch, dtype)), torch.tensor([0, 1, 0, 1, 1])
    return trace(lambda x: nn.functional.cross_entropy(model(x), y), x)


def cnn():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 3 * 3, 10)
    )
    x, y = torch.rand(2, 1, 12, 12), torch.tensor([1, 2])
    return trace(lambda x: nn.functional.cross_entropy(model(x), y), x)


def lstm():
    torch.manual_seed(0)
    cell, x = nn.LSTMCell(3, 4), torch.randn(10, 2, 3)

    def f(x):
        h = c = torch.zeros(2, 4)
        for t in range(10):
            h, c = cell(x[t], (h, c))
        return h.sum()

    return trace(f, x)


def transformer():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    model, x = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), torch.randn(2, 5, 8)
    return trace(lambda x: model(x).mean(), x)


def tangle():
    """Five hundred nodes whose edges reach far back."""
    x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)

    def f():
        values = [x]
        for i in range(210):
            values.append((values[-1] * 0.5 + values[i // 2]).tanh() if i % 3 else values[-1] * values[i // 3])
        return sum(values[-20:])

    return trace(f)
