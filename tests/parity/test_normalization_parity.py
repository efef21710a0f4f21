"""Normalization beside PyTorch's: values, derivatives, running statistics, errors."""

import pytest

import tinygrad_nn
from tests.parity.image_layers import compare_call, compare_layer
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

CASES = [
    ("nn.BatchNorm1d(4)", "row"),
    ("nn.BatchNorm1d(4, momentum=None)", "line"),
    ("nn.BatchNorm1d(4).eval()", "line"),
    ("nn.BatchNorm2d(4)", "image"),
    ("nn.BatchNorm2d(4, affine=False, track_running_stats=False)", "image"),
    ("nn.BatchNorm2d(4, bias=False, eps=.1, momentum=.3)", "image"),
    ("nn.BatchNorm2d(4).eval()", "image"),
    ("nn.LayerNorm(8)", "image"),
    ("nn.LayerNorm((9, 8), eps=.1, bias=False)", "image"),
    ("nn.LayerNorm([8], elementwise_affine=False)", "image"),
    ("nn.GroupNorm(2, 4)", "image"),
    ("nn.GroupNorm(4, 4, affine=False)", "line"),
    ("nn.GroupNorm(1, 4)", "row"),
    ("nn.InstanceNorm1d(4)", "line"),
    ("nn.InstanceNorm1d(4)", "line[0]"),
    ("nn.InstanceNorm2d(4, affine=True, track_running_stats=True)", "image"),
    ("nn.InstanceNorm2d(4, track_running_stats=True).eval()", "image"),
    ("nn.InstanceNorm2d(5)", "image"),
    ("nn.RMSNorm(8)", "image"),
    ("nn.RMSNorm((9, 8), eps=.2, elementwise_affine=False)", "image"),
    ("nn.LocalResponseNorm(2)", "image"),
    ("nn.LocalResponseNorm(3, alpha=.1, beta=.5, k=2.)", "line"),
    ("nn.BatchNorm3d(3)", "volume"),
    ("nn.BatchNorm3d(3).eval()", "volume"),
    ("nn.InstanceNorm3d(3, affine=True)", "volume"),
    ("nn.InstanceNorm3d(3)", "volume[0]"),
    ("nn.BatchNorm3d(3)", "image"),
    ("nn.BatchNorm1d(4)", "image"),
    ("nn.BatchNorm2d(4)", "line"),
    ("nn.BatchNorm1d(4)", "row[:1]"),
    ("nn.BatchNorm2d(5)", "image"),
    ("nn.InstanceNorm2d(4)", "image[:, :, :1, :1]"),
    ("nn.InstanceNorm2d(5, affine=True)", "image"),
    ("nn.GroupNorm(3, 4)", "image"),
    ("nn.GroupNorm(2, 6)", "image"),
    ("nn.LayerNorm(7)", "image"),
]


@pytest.mark.parametrize(("layer", "given"), CASES)
def test_layer(layer, given):
    compare_layer(torch, tinygrad_nn, layer, given)


CALLS = [
    ("F.batch_norm(a, None, None, b, c, True)", [(5, 4), (4,), (4,)]),
    ("p.batch_norm(a, b, c, p.zeros(4, dtype=a.dtype), p.ones(4, dtype=a.dtype), False, 0.1, 1e-5, False)", [(5, 4), (4,), (4,)]),
    ("F.batch_norm(a, None, None)", [(5, 4)]),
    ("F.batch_norm(a, None, None)", [(0, 4)]),
    ("F.batch_norm(a, None, None, b, c, True)", [(0, 4), (4,), (4,)]),
    ("F.instance_norm(a, use_input_stats=False)", [(0, 4, 6)]),
    ("F.instance_norm(a, weight=b, bias=c)", [(2, 4, 6), (4,), (4,)]),
    ("p.instance_norm(a, b, c, None, None, True, 0.1, 1e-5, False)", [(2, 4, 6), (4,), (4,)]),
    ("F.instance_norm(a, weight=b)", [(2, 4, 6), (3,)]),
    ("F.layer_norm(a, (6,), b, c)", [(2, 4, 6), (6,), (6,)]),
    ("p.layer_norm(a, (4, 6))", [(2, 4, 6)]),
    ("F.layer_norm(a, (5,))", [(2, 4, 6)]),
    ("F.group_norm(a, 2, b, c)", [(2, 4, 6), (4,), (4,)]),
    ("p.group_norm(a, 4)", [(2, 4, 6)]),
    ("p.group_norm(a, 3)", [(2, 4, 6)]),
    ("F.rms_norm(a, (6,), b)", [(2, 4, 6), (6,)]),
    ("p.rms_norm(a, (5,))", [(2, 4, 6)]),
    ("F.local_response_norm(a, 3)", [(2, 4, 6)]),
    ("F.local_response_norm(a, 3)", [(4, 6)]),
]


@pytest.mark.parametrize(("call", "shapes"), CALLS)
def test_call(call, shapes):
    compare_call(torch, tinygrad_nn, call, shapes)


@pytest.mark.parametrize(("layer", "shape"), [
    ("BatchNorm2d(3)", (0, 3, 4, 4)), ("BatchNorm2d(3)", (2, 3, 0, 4)), ("BatchNorm2d(3, momentum=None)", (0, 3, 4, 4)),
    ("InstanceNorm2d(3, track_running_stats=True)", (2, 3, 0, 4)),
])  # fmt: skip
def test_running_statistics_of_nothing(layer, shape):
    def program(p):
        module = value_of(f"nn.{layer}", nn=p.nn)
        return module(p.zeros(shape)), module.state_dict()

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("kinds", [
    ("float64", "float32", "float32"), ("float32", "float64", "float64"), ("float32", "float16", "float16"),
    ("float16", "float32", "float32"), ("float16", "float16", "float16"), ("float16", "float32", "float16"),
    ("float32", "float32", "float64"), ("float16", "float64", "float64"),
])  # fmt: skip
@pytest.mark.parametrize("call", [
    "F.layer_norm(x, (4,), a, b)", "F.layer_norm(x, (4,), None, a)", "F.group_norm(x, 2, a, b)", "F.rms_norm(x, (4,), a)",
    "F.batch_norm(x, a, b, training=True)", "F.batch_norm(x, a, b)", "F.batch_norm(x, None, None, a, b, True)",
    "F.instance_norm(x[:, :, None].expand(-1, -1, 3), weight=a, bias=b)",
])  # fmt: skip
def test_dtypes(call, kinds):
    def program(p):
        x, a, b = (p.linspace(1, 2, n).view(shape).to(getattr(p, kind))
                   for n, shape, kind in zip((12, 4, 4), ((3, 4), (4,), (4,)), kinds, strict=True))  # fmt: skip
        return value_of(call, F=p.nn.functional, x=x, a=a, b=b)

    compare(program, torch, tinygrad_nn, tolerance=2e-3)
