"""Memory formats beside PyTorch: images with the channels last, for tensors, new tensors and modules."""

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

TEXTS = [
    "x.to(memory_format=last)", "x.contiguous(memory_format=last)", "y.contiguous()", "y.contiguous(memory_format=last)",
    "x.clone(memory_format=last)", "y.clone(memory_format=p.contiguous_format)", "y.to(memory_format=p.contiguous_format)",
    "x.to(p.float64, memory_format=last)", "x.double().float(memory_format=last)", "y.to(memory_format=p.preserve_format)",
    "y.cpu()", "x.cpu(memory_format=last)", "p.zeros_like(x, memory_format=last)", "p.rand_like(x, memory_format=last) * 0",
    "p.empty(2, 3, 4, 5, memory_format=last) * 0", "p.ones(2, 3).to(memory_format=last)", "x[0].to(memory_format=last)",
    "x[0].contiguous(memory_format=last)", "x[0].clone(memory_format=last)", "p.empty(2, 3, memory_format=last)", "y.view(2, -1)",
    "y.reshape(2, -1)", "y + 1", "y * y", "y.exp()", "y.permute(0, 2, 3, 1)", "x[:1, :1]", "p.ones(2, 1, 3, 3)", "p.tensor(1.0)",
    "x.reshape(2, 3, 2, 2, 2).to(memory_format=p.channels_last_3d)",
    "p.ones(2, 3).resize_(3, 2, memory_format=p.contiguous_format)",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_tensors(text):
    def program(p):
        x = p.arange(48.0).reshape(2, 3, 2, 4)
        last = p.channels_last
        found = value_of(text, p=p, x=x, y=x.to(memory_format=last), last=last)
        formats = p.contiguous_format, last, p.channels_last_3d
        return found, found.stride(), [found.is_contiguous(memory_format=format) for format in formats]

    compare(program, torch, tinygrad_nn)


def test_gradients_pass():
    def program(p):
        x = p.arange(48.0).reshape(2, 3, 2, 4).requires_grad_()
        y = x.to(memory_format=p.channels_last)
        (y * y).sum().backward()
        return x.grad, y.contiguous(memory_format=p.channels_last) is y

    compare(program, torch, tinygrad_nn)


def test_modules():
    def program(p):
        p.manual_seed(0)
        layers = p.nn.Conv2d(3, 4, 2), p.nn.BatchNorm2d(4), p.nn.ReLU(), p.nn.Flatten(), p.nn.Linear(12, 2)
        model = p.nn.Sequential(*layers).to(memory_format=p.channels_last)
        out = model(p.randn(2, 3, 2, 4).to(memory_format=p.channels_last))
        (out**2).sum().backward()
        strides = [parameter.stride() for parameter in model.parameters()]
        return out, strides, model[0].weight.grad, model.double().to(p.float32, memory_format=p.channels_last)[0].weight.stride()

    compare(program, torch, tinygrad_nn)


def test_what_is_not_filled_so():
    with pytest.raises(NotImplementedError, match=r"resize_: expected the row-major memory_format"):
        tinygrad_nn.ones(2).resize_(1, 1, 1, 2, memory_format=tinygrad_nn.channels_last)
