"""Numbers that are not Python's, NumPy's or those of 0-d tensors, and numbers that a dtype cannot hold, beside PyTorch's."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

f, d, inf, nan = np.float64(0.3), np.int64(1), float("inf"), float("nan")

PROMOTE_NOTHING = [
    "x.clamp(min=f)", "x.clamp(max=f)", "x.clip(f, np.float32(1.0))", "x.clamp(f, 1)", "i.clamp(f)", "x.logit(eps=f)",
    "x.var(correction=f)", "x.std(correction=d)", "F.leaky_relu(x - 2, f)", "F.hardtanh(x, -f, f)", "F.threshold(x, f, f)",
    "F.softshrink(x, f)", "F.rrelu(x - 2, f, f)", "F.normalize(x, eps=f)", "p.special.zeta(np.float64(2.0), x + 2)",
    "x.quantile(np.float32(0.5))", "p.searchsorted(x[0], f)", "p.bucketize(f, x[0])", "p.where(x > 1, x, f)", "x * f", "f * x",
    "x.masked_fill(x > 1, f)", "x.fill_(np.float32(2.5))", "i.fill_diagonal_(np.float64(2.5))",
]  # fmt: skip

DIMENSIONS = [
    *(f"{call}({extra})" for call in (
        "x.sum", "x.mean", "x.squeeze", "x.std", "x.var", "x.nansum", "x.logsumexp", "x.nanmean", "x.count_nonzero", "x.amax",
        "x.amin", "x.all", "x.any", "x.softmax", "x.cumsum", "x.argmax", "x.flip", "x.max", "x.prod",
        "x.unsqueeze") for extra in ("d", "t")),
    "p.std_mean(x, d)", "p.var_mean(x, d)", "x.norm(2, d)", "x.aminmax(dim=d)", "F.normalize(x, dim=d)",
    "F.cosine_similarity(x, x, dim=d)", "p.linalg.vector_norm(x, 2, d)", "p.linalg.norm(x, 2, d)", "p.linalg.norm(x, p.tensor(2))",
    "p.tensordot(x, x, ([d], [d]))", "p.hsplit(x, np.int64(3))", "x.tensor_split(np.int64(2), d)",
    "x.sum([0, d])", "x.sum(())", "x.amax(())", "x.all(())", "p.histogram(x, np.int64(2))", "p.histogramdd(x, np.int64(2))",
    "p.linspace(0, 1, t)", "p.linspace(0, 1, p.tensor(3))", "p.hann_window(p.tensor(5))", "p.nn.MaxPool2d(np.int64(2))(image)",
    "p.nn.AvgPool2d(np.int64(2))(image)", "F.max_pool2d(image, 2, stride=d)", "F.avg_pool2d(image, 2, stride=d, padding=d)",
    "F.max_pool2d(image, 2, stride=())", "F.adaptive_avg_pool1d(x, d)",
    "p.nn.LayerNorm(np.int64(3))(x)", "p.nn.RMSNorm(np.int64(3))(x)", "p.nn.ZeroPad2d(d)(image)", "x.sum(1.0)", "x.softmax(1.0)",
]  # fmt: skip

_KINDS = "int8", "uint8", "int32", "int64", "float16", "float32", "bool"
_NUMBERS = "0", "2.5", "-1", "-1.5", "127.5", "200", "-200", "300", "2**31", "2**63", "70000.0", "1e300", "nan", "-inf", "True"
_WRITES = "new_full((2,), {})", "fill_diagonal_({})", "masked_fill_(p.eye(2).bool(), {})", "index_fill(0, p.tensor([0]), {})", \
          "scatter(0, p.tensor([[0]]), {})"  # fmt: skip
FILLED = [
    *(f"p.zeros(2, dtype=p.{kind}).fill_({number})" for kind in _KINDS for number in _NUMBERS),
    *(f"p.zeros(2, 2, dtype=p.{kind}).{write.format(number)}" for write in _WRITES for kind, number in (
        ("uint8", "-1"), ("uint8", "-1.5"), ("int8", "200"), ("int64", "2.5"), ("int64", "nan"), ("float16", "1e5"),
        ("bool", "2.5"))),
]  # fmt: skip

WRITTEN = [
    "p.zeros(3, 1).expand(3, 4).fill_(2)", "p.zeros(3, 1).expand(3, 4).zero_()", "p.zeros(1).expand(3).copy_(p.ones(3))",
    "p.zeros(3, 1).expand(3, 4).add_(1)", "p.zeros(2, dtype=p.int64).copy_(p.tensor([nan, 2.5]))", "p.zeros(2).fill_('a')",
    "p.zeros(2).fill_(None)", "p.zeros(2, dtype=p.int8).fill_(p.tensor(200))", "p.zeros(2, dtype=p.float16).copy_(p.tensor(1e9))",
]  # fmt: skip


@pytest.mark.parametrize("text", [*PROMOTE_NOTHING, *DIMENSIONS, *FILLED, *WRITTEN])
def test_numbers_of_every_kind(text):
    def program(p):
        p.manual_seed(0)
        x, i = p.arange(6.0).reshape(2, 3), p.arange(6).reshape(2, 3)
        names = {"x": x, "i": i, "t": p.tensor(1), "image": p.arange(16.0).reshape(1, 1, 4, 4)}
        return value_of(text, p=p, F=p.nn.functional, np=np, f=f, d=d, inf=inf, nan=nan, **names)

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("value", [2.5, -1, -1.5, 200, 1e300, nan, None, "a", np.int64(200)])
@pytest.mark.parametrize("kind", ["int8", "uint8", "float16", "float32", "bool"])
@pytest.mark.parametrize("index", [0, slice(1, None), [0, 1], "mask"])
def test_a_number_written_at_an_index(index, kind, value):
    def program(p):
        x = p.zeros(3, dtype=getattr(p, kind))
        x[x == 0 if index == "mask" else index] = value
        return x

    compare(program, torch, tinygrad_nn)


def test_an_expanded_tensor_is_filled_in_the_memory_it_shares():
    base = tinygrad_nn.zeros(3, 1)
    base.expand(3, 4)[1:].fill_(2)
    assert base.tolist() == [[0.0], [2.0], [2.0]]


def test_a_gradient_through_numpy_numbers_keeps_its_dtype():
    x = tinygrad_nn.tensor([-1.0, 2.0], requires_grad=True)
    (tinygrad_nn.nn.functional.leaky_relu(x, f) + x.clamp(max=f)).sum().backward()
    assert x.grad.tolist() == pytest.approx([1.3, 1.0])
    assert x.grad.dtype is tinygrad_nn.float32
