"""Pooling beside PyTorch's: values, indices, derivatives, ties, NaN, errors."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.image_layers import compare_call, compare_layer
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

CASES = [
    ("nn.MaxPool1d(3)", "line"),
    ("nn.MaxPool1d(3, 2, 1, ceil_mode=True)", "line"),
    ("nn.MaxPool2d(2)", "image"),
    ("nn.MaxPool2d((3, 2), stride=(2, 1), padding=(1, 1), dilation=(2, 1), ceil_mode=True)", "image"),
    ("nn.MaxPool2d(3, 2, 1, return_indices=True)", "image"),
    ("nn.AvgPool1d(3)", "line"),
    ("nn.AvgPool1d(3, 2, 1, True, False)", "line"),
    ("nn.AvgPool2d(2)", "image"),
    ("nn.AvgPool2d((3, 2), (2, 2), (1, 1), True, False)", "image"),
    ("nn.AvgPool2d(3, 2, 1, True, True)", "image[0]"),
    ("nn.AvgPool2d(3, divisor_override=2)", "image"),
    ("nn.LPPool1d(2, 3)", "line"),
    ("nn.LPPool2d(2, 3, stride=2)", "image"),
    ("nn.LPPool2d(1.5, (3, 2), ceil_mode=True)", "abs(image)"),
    ("nn.AdaptiveAvgPool1d(4)", "line"),
    ("nn.AdaptiveAvgPool2d((3, None))", "image"),
    ("nn.AdaptiveAvgPool2d(1)", "image"),
    ("nn.AdaptiveAvgPool2d((5, 3))", "image[0]"),
    ("nn.AdaptiveMaxPool1d(4)", "line"),
    ("nn.AdaptiveMaxPool2d((3, 4))", "image"),
    ("nn.AdaptiveMaxPool2d((5, None), return_indices=True)", "image"),
    ("nn.MaxPool2d(3, padding=2)", "image"),
    ("nn.MaxPool2d(30)", "image"),
    ("nn.MaxPool2d((1, 2, 3))", "image"),
    ("nn.AvgPool2d(2, padding=2)", "image"),
    ("nn.AvgPool2d(2, divisor_override=0)", "image"),
]


@pytest.mark.parametrize(("layer", "given"), CASES)
def test_layer(layer, given):
    compare_layer(torch, tinygrad_nn, layer, given)


inf, nan = np.inf, np.nan
ODD = {
    "ties": [[1.0, 1, 0, 0], [1, 1, 0, 0], [2, 2, 2, 2], [0, 0, 2, 3]],
    "nan": [[nan, 1, 0, nan], [1, nan, 0, nan], [2, 2, 2, 2], [0, nan, 2, 3]],
    "-inf": [[-inf, -inf, -inf, -inf]] * 4,
    "inf": [[inf, inf, 1, -inf], [-inf, 0, inf, 1], [nan, inf, 1, 2], [-inf] * 4],
}


def odd_program(p, values, options):
    x = p.tensor([values], dtype=p.float64, requires_grad=True)
    y, indices = p.nn.functional.max_pool2d(x, return_indices=True, **options)
    return [y, indices, *p.autograd.grad(y.sum(), x)]


@pytest.mark.parametrize("options", [
    {"kernel_size": 2}, {"kernel_size": 3, "stride": 1, "padding": 1},
    {"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True},
    {"kernel_size": 3, "padding": 1, "dilation": 2, "stride": 1, "ceil_mode": True},
])  # fmt: skip
@pytest.mark.parametrize("name", ODD)
def test_max_pool_of_ties_and_odd_values(name, options):
    compare(odd_program, torch, tinygrad_nn, ODD[name], options)


@pytest.mark.parametrize("call", [
    "max_pool2d(x, 2)", "avg_pool2d(x, 2, padding=1)", "adaptive_max_pool2d(x, 3)", "max_pool1d(x[0], 3, 2)", "avg_pool1d(x[0], 2)",
    "max_pool2d(x, 3, padding=1)",
])  # fmt: skip
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float16", "bool"])
def test_dtypes(dtype, call):
    def program(p):
        x = p.tensor(np.random.default_rng(2).integers(0, 9, (1, 2, 5, 6)).tolist(), dtype=getattr(p, dtype))
        return value_of(call, **{"x": x, **vars(p.nn.functional)})

    compare(program, torch, tinygrad_nn, tolerance=1e-3)


CALLS = [
    ("F.adaptive_avg_pool1d(a, 3)", [(2, 4, 7)]),
    ("p.adaptive_avg_pool1d(a, 3)", [(7,)]),
    ("F.adaptive_max_pool1d(a, 3)", [(2, 4, 7)]),
    ("F.adaptive_max_pool1d(a, 3)", [(7,)]),
    ("F.lp_pool1d(a.abs() + 1, 2, 3)", [(2, 4, 7)]),
    ("F.lp_pool2d(a.abs() + 1, 3, 2)", [(2, 4, 6, 7)]),
    ("F.lp_pool2d(a, 2, 9)", [(2, 4, 6, 7)]),
    ("F.lp_pool1d(a, float('inf'), 3, 2, True)", [(2, 4, 6)]),
    ("F.lp_pool2d(a, float('inf'), (3, 2))", [(2, 4, 6, 7)]),
    ("F.lp_pool2d(a, -float('inf'), 2, 1)", [(2, 4, 6, 7)]),
    ("F.max_unpool1d(*F.max_pool1d(a, 2, return_indices=True), 2)", [(2, 4, 6)]),
    ("F.max_unpool2d(*F.max_pool2d(a, 2, return_indices=True), 2)", [(2, 4, 6, 8)]),
    ("F.max_unpool2d(a, p.zeros(1, dtype=p.int64), 2)", [(2, 4, 6, 8)]),
    ("p.nn.MaxUnpool1d(2)(*F.max_pool1d(a, 2, return_indices=True))", [(2, 4, 6)]),
    ("p.nn.MaxUnpool2d(2, 2)(*F.max_pool2d(a, 2, return_indices=True))", [(2, 4, 6, 8)]),
    ("F.max_pool1d(a, 2)", [(0, 4, 7)]),
    ("F.max_pool1d(a, 2, return_indices=True)", [(0, 4, 7)]),
    ("F.max_pool2d(a, 3, 2, 1, ceil_mode=True, return_indices=True)", [(0, 4, 7, 6)]),
    ("F.adaptive_max_pool1d(a, 3)", [(0, 4, 7)]),
    ("F.adaptive_max_pool2d(a, 2, return_indices=True)", [(0, 4, 8, 6)]),
    ("F.fractional_max_pool2d(a, 2, 3, return_indices=True)", [(0, 4, 7, 6)]),
    ("p.adaptive_max_pool1d(a, 3)", [(2, 4, 7)]),
    ("F.adaptive_max_pool1d_with_indices(a, 3)", [(4, 7)]),
    ("F.adaptive_max_pool2d_with_indices(a, (2, 3))", [(2, 4, 7, 7)]),
    ("p.avg_pool1d(a, 3, 2, 1)", [(2, 4, 7)]),
    ("p.max_pool1d(a, 3, 2, 1)", [(2, 4, 7)]),
    ("p.max_pool2d(a, (2, 3), ceil_mode=True)", [(2, 4, 7, 7)]),
    ("p.max_pool2d(a, 30)", [(2, 4, 7, 7)]),
]


@pytest.mark.parametrize(("call", "shapes"), CALLS)
def test_call(call, shapes):
    compare_call(torch, tinygrad_nn, call, shapes)
