"""Normalization beside PyTorch's: values, derivatives, running statistics, errors."""

import pytest

import tinygrad_nn
from tests.parity.image_layers import compare_call, compare_layer

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
