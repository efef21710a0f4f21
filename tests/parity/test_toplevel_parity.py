"""Names at the top of `torch` that lie elsewhere too, windows, and what little else a program asks for, beside PyTorch."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

rng = np.random.default_rng(2)
X, Y, TARGET = (rng.uniform(-2, 2, (3, 4)).astype(np.float32) for _ in range(3))
WINDOWS = ["bartlett", "blackman", "cosine", "exponential", "gaussian", "general_hamming", "hamming", "hann", "kaiser", "nuttall"]

EXPRESSIONS = [
    *[f"p.{name}({args})" for name in ("hann_window", "hamming_window", "blackman_window", "bartlett_window", "kaiser_window")
      for args in ("4", "5, False", "1", "0", "-1", "6, dtype=p.float64", "4, dtype=p.int64", "4, True, requires_grad=True")],
    *[f"p.signal.windows.{name}({args})"
      for name in WINDOWS
      for args in ("5", "6, sym=False", "1", "0", "-1", "6, dtype=p.float64", "4, dtype=p.int64", "4, requires_grad=True")],
    "p.signal.windows.exponential(5, tau=2.0)", "p.signal.windows.exponential(5, center=1.0, sym=False)",
    "p.signal.windows.exponential(5, center=1.0)", "p.signal.windows.exponential(5, tau=0.0)",
    "p.signal.windows.gaussian(5, std=0.7)", "p.signal.windows.gaussian(5, std=0)", "p.signal.windows.kaiser(5, beta=3.0)",
    "p.signal.windows.kaiser(5, beta=-1.0)",
    "p.signal.windows.general_cosine(6, a=[0.5, 0.3, 0.2], sym=False)", "p.signal.windows.general_cosine(6, a=[])",
    "p.signal.windows.general_cosine(6, a=1.0)", "p.signal.windows.general_hamming(6, alpha=0.6)",
    "p.hamming_window(4, True, 0.5, 0.4)", "p.kaiser_window(5, False, 6.0)", "p.range(1, 3, 0.5)", "p.range(0, 3)", "p.range(5)",
    "p.range(3, 1, -1)", "p.range(0, 3, dtype=p.int64)", "p.range(0, 1, 0)", "p.range(0, 1, -1)",
    "p.frexp(p.tensor([1.5, -8.0, 0.0, float('inf'), 1e-45, 3e38]))", "p.tensor([0.3]).double().frexp()", "p.frexp(p.tensor([1]))",
    "p.typename(x)", "p.typename(x.int())", "p.typename(1)", "p.typename('a')", "p.typename(p.nn.Parameter(x))",
    "p.gradient(v, spacing=(p.tensor([0.0, 1.0, 3.0, 4.0]),))", "p.gradient(v, edge_order=2)",
    "p.gradient(v, spacing=2.0, edge_order=2)", "p.gradient(v, spacing=(p.tensor([0.0, 1.0, 3.0, 4.0]),), edge_order=2)",
    "p.gradient(x, spacing=(p.tensor([0.0, 1.0, 3.0]), p.tensor([0.0, 1.0, 3.0, 4.0])))", "p.gradient(x, dim=1, edge_order=2)",
    "p.gradient(v[:2])", "p.gradient(v[:2], edge_order=2)", "p.gradient(v, edge_order=3)", "p.gradient(v, spacing=(v[:2],))",
    "p.histogramdd(x[:, :2], bins=[2, 3])", "p.histogramdd(x, 2)", "p.histogramdd(x[:, :2], [p.tensor([-2.0, 0.0, 2.0])] * 2)",
    "p.histogramdd(x[:, :2], 2, range=[-1.0, 1.0, -2.0, 2.0], weight=p.tensor([1.0, 2.0, 3.0]), density=True)",
    "p.histogramdd(v, 2)", "p.is_anomaly_enabled()", "p.is_anomaly_check_nan_enabled()",
    "p.embedding(x, p.tensor([[0, 2]]))", "p.embedding(x, p.tensor([0, 2]), 0)", "p.constant_pad_nd(x, (1, 2), 3)",
    "p.constant_pad_nd(x, (1, 2, 0, 1))", *[f"p.kl_div(y, t.softmax(1), {n})" for n in range(3)],
    "p.kl_div(y, t, log_target=True)", "p.kl_div(y, t)",
    "p.cosine_embedding_loss(x, y, sign)", "p.hinge_embedding_loss(v, sign4)",
    "p.margin_ranking_loss(x, y, p.ones(3, 4))", "p.triplet_margin_loss(x, y, t)", "p.binary_cross_entropy_with_logits(x, t)",
    "p.ctc_loss(x.log_softmax(1), p.tensor([1, 2]), (3,), (2,))",
    *[f"p.cosine_embedding_loss(x, y, sign, 0.1, {n})" for n in range(3)],
    *[f"p.hinge_embedding_loss(v, sign4, 1.0, {n})" for n in range(3)],
    *[f"p.margin_ranking_loss(x, y, p.ones(3, 4), 0.5, {n})" for n in range(3)],
    *[f"p.triplet_margin_loss(x, y, t, 1.0, 2.0, 1e-6, False, {n})" for n in range(3)],
    *[f"p.poisson_nll_loss(x, t.abs(), True, False, 1e-8, {n})" for n in range(3)],
    *[f"p.binary_cross_entropy_with_logits(x, t.sigmoid(), None, None, {n})" for n in range(3)],
    "p.binary_cross_entropy_with_logits(x, t.sigmoid(), p.tensor([1.0, 2.0, 3.0, 4.0]), p.tensor(2.0))",
    *[f"p.ctc_loss(x.log_softmax(1), p.tensor([1, 2]), (3,), (2,), 0, {n})" for n in range(3)],
    "p.grid_sampler(x.reshape(1, 1, 3, 4), y[:, :2].reshape(1, 1, 3, 2), 0, 1, False)",
    "p.grid_sampler(x.reshape(1, 1, 3, 4), y[:, :2].reshape(1, 1, 3, 2), 1, 0, True)",
    "p.dropout_(x.clone(), 0.5, True)", "p.dropout_(x.clone(), 0.5, False)", "p.native_layer_norm(x, (4,), v, None, 1e-5)",
    "p.native_layer_norm(x, (3, 4), None, None, 1e-5)", "p.native_batch_norm(x, v, v, None, None, True, 0.1, 1e-5)",
    "p.native_batch_norm(x, None, None, v, v.abs(), False, 0.1, 1e-5)", "p.real(x)", "p.is_conj(x)", "p.is_neg(x)",
    "p.is_inference(x)", "p.conj(x)", "p.conj_physical(x)", "p.resolve_conj(x)", "p.resolve_neg(x)", "p.detach(x).requires_grad",
    "p.detach_(x)", "p.fill_(x.clone(), 2.0)", "p.zero_(x.clone())", "p.index_put_(p.zeros(3), (p.tensor([1]),), p.tensor(2.0))",
    "p.resize_as_(p.ones(2), p.ones(1))", "p.empty_strided((2, 3), (1, 2)).stride()",
    "p.empty_permuted((2, 3, 5), (0, 2, 1)).stride()", "p.empty_permuted((2, 3), (1, 0), dtype=p.int64).dtype == p.int64",
    "p.empty_permuted((2, 3), (0, 0))", "p.empty_permuted((2, 3), (0,))", "p.empty_permuted((2, 3), (0, -1))",
    *[f"p.nonzero_static(p.tensor([[1, 0], [0, 3]]), size={size})" for size in ("3", "1", "0", "-1", "4, fill_value=9")],
    "p.tensor([0, 2]).nonzero_static(size=2)", "p.nonzero_static(p.tensor(3.0), size=2)", "p.is_tensor(p.Tensor)",
    *[f"(lambda t: (t, t.requires_grad, t.is_leaf))(p.asarray({source}{options}))"
      for source in ("x", "p.ones(2, requires_grad=True)", "p.ones(2, requires_grad=True) * 2", "[1.0]")
      for options in (", requires_grad=True", ", requires_grad=False", ", requires_grad=True, copy=True")],
 "p.get_num_interop_threads() >= 1",
    "p.set_num_interop_threads(0)", "p.set_warn_always(False)", "p.is_warn_always_enabled()",
    "p.set_flush_denormal(False) in (0, 1)",
]  # fmt: skip


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions(text):
    def program(p):
        x, y, t, v = p.tensor(X), p.tensor(Y), p.tensor(TARGET), p.tensor(X[0])
        p.manual_seed(3)
        return value_of(text, p=p, x=x, y=y, t=t, v=v, sign=p.tensor([1.0, -1.0, 1.0]), sign4=p.tensor([1.0, -1.0, 1.0, -1.0]))

    compare(program, torch, tinygrad_nn, tolerance=2e-5 if "window" in text else 1e-5, quiet="range" in text or "kl_div" in text)


def test_range_warns_that_arange_is_meant():
    for package in (torch, tinygrad_nn):
        with pytest.warns(UserWarning, match=r"range is deprecated"):
            package.range(0, 3)


@pytest.mark.parametrize("text", [
    "gradient(x, dim=1, edge_order=2)[0]", "frexp(x)[0]", "kl_div(x, t, 2)", "native_layer_norm(x, (4,), v, v, 1e-5)[0]",
    "embedding(x, p.tensor([0, 2, 0]))", "constant_pad_nd(x, (1, -1))",
])  # fmt: skip
def test_gradients_pass(text):
    def program(p):
        x, t, v = p.tensor(X, requires_grad=True), p.tensor(TARGET).abs(), p.tensor(X[0])
        y = value_of(f"p.{text}", p=p, x=x, t=t, v=v)
        (y * p.arange(1.0, y.numel() + 1).reshape(y.shape)).sum().backward()
        return x.grad

    compare(program, torch, tinygrad_nn, tolerance=1e-5)


def test_threads_between_operations_are_remembered():
    before = tinygrad_nn.get_num_interop_threads()
    tinygrad_nn.set_num_interop_threads(before)
    assert tinygrad_nn.get_num_interop_threads() == before
    tinygrad_nn.set_warn_always(True)
    assert tinygrad_nn.is_warn_always_enabled()
    tinygrad_nn.set_warn_always(False)


@pytest.mark.parametrize("options", [
    {}, {"low": 0.5, "high": 2.5}, {"low": 3}, {"low": 3, "high": 2}, {"noncontiguous": True}, {"exclude_zero": True},
    {"requires_grad": True}, {"low": float("nan")}, {"low": 0, "high": 2, "exclude_zero": True},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
def test_make_tensor(dtype, options):
    def program(p):
        p.manual_seed(5)
        make = p.testing.make_tensor
        made = make((3, 4), dtype=getattr(p, dtype), device="cpu", **options)
        return [made, made.requires_grad, made.is_contiguous(), make(2, 3, dtype=getattr(p, dtype), device="cpu")]

    compare(program, torch, tinygrad_nn)
