"""Padding and resizing beside PyTorch's: values, derivatives, errors."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.image_layers import compare_call, compare_layer
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

CASES = [
    ("nn.ZeroPad1d(2)", "line"),
    ("nn.ZeroPad2d((1, -1, 2, 0))", "image"),
    ("nn.ConstantPad1d((1, 2), 3.5)", "line"),
    ("nn.ConstantPad2d(1, 2)", "image"),
    ("nn.ReflectionPad1d((3, 1))", "line"),
    ("nn.ReflectionPad2d(2)", "image"),
    ("nn.ReplicationPad1d(4)", "line[0]"),
    ("nn.ReplicationPad2d((1, 2, 0, 3))", "image"),
    ("nn.CircularPad1d(2)", "line"),
    ("nn.CircularPad2d((1, 2, 3, 0))", "image"),
    ("nn.ZeroPad3d(2)", "volume"),
    ("nn.ConstantPad3d((1, 2, 0, -1, 1, 0), 3.5)", "volume"),
    ("nn.ReflectionPad3d((1, 2, 0, 2, 3, 1))", "volume"),
    ("nn.ReplicationPad3d(2)", "volume[0]"),
    ("nn.CircularPad3d((1, 2, 3, 0, 1, 1))", "volume"),
    ("nn.Upsample(scale_factor=2)", "image"),
    ("nn.Upsample(size=(5, 13), mode='bilinear')", "image"),
    ("nn.Upsample(scale_factor=(1.5, .7), mode='bilinear', align_corners=True)", "image"),
    ("nn.Upsample(scale_factor=1.7, mode='linear')", "line"),
    ("nn.Upsample(scale_factor=1.7, mode='linear', recompute_scale_factor=True)", "line"),
    ("nn.Upsample(7, mode='nearest-exact')", "line"),
    ("nn.UpsamplingNearest2d(scale_factor=3)", "image"),
    ("nn.UpsamplingBilinear2d((4, 5))", "image"),
    ("nn.PixelShuffle(2)", "image"),
    ("nn.PixelUnshuffle(2)", "image[:, :, :8]"),
    ("nn.ChannelShuffle(2)", "image"),
    ("nn.ReflectionPad2d(9)", "image"),
    ("nn.CircularPad2d(10)", "image"),
    ("nn.PixelShuffle(3)", "image"),
    ("nn.PixelUnshuffle(2)", "image"),
    ("nn.Upsample(scale_factor=2, mode='bilinear')", "line"),
    ("nn.Upsample(scale_factor=2, size=3)", "line"),
    ("nn.Upsample()", "line"),
    ("nn.Upsample(scale_factor=2, align_corners=True)", "line"),
]


@pytest.mark.parametrize(("layer", "given"), CASES)
def test_layer(layer, given):
    compare_layer(torch, tinygrad_nn, layer, given)


CALLS = [
    ("F.pad(a, (1, 1, 1, 1), 'circular')", [(0, 3, 5)]),
    ("F.pad(a, (1, 1), 'circular')", [(2, 0, 5)]),
    ("F.pad(a, (1, 1), 'circular')", [(2, 3, 0)]),
    ("F.pad(a, (1, 1), 'reflect')", [(0, 3, 5)]),
    ("F.pad(a, (1, 1), 'reflect')", [(2, 0, 5)]),
    ("F.interpolate(a, scale_factor=2)", [(2, 4, 5, 3)]),
    ("F.interpolate(a, 7, mode='bilinear')", [(2, 4, 5, 3)]),
    ("F.interpolate(a, mode='bilinear')", [(2, 4, 5, 3)]),
    ("F.upsample(a, scale_factor=2)", [(2, 4, 5, 3)]),
    ("F.upsample_nearest(a, (6, 6))", [(2, 4, 5, 3)]),
    ("F.upsample_bilinear(a, (6, 6))", [(2, 4, 5, 3)]),
    ("F.pixel_shuffle(a, 2)", [(2, 4, 5, 3)]),
    ("F.pixel_shuffle(a, 3)", [(2, 4, 5, 3)]),
    ("F.pixel_unshuffle(a, 2)", [(2, 4, 4, 6)]),
    ("F.pixel_unshuffle(a, 3)", [(2, 4, 4, 6)]),
    ("F.channel_shuffle(a, 2)", [(2, 4, 4, 6)]),
    ("F.channel_shuffle(a, 3)", [(2, 4, 4, 6)]),
]


@pytest.mark.parametrize(("call", "shapes"), CALLS)
def test_call(call, shapes):
    compare_call(torch, tinygrad_nn, call, shapes)


@pytest.mark.parametrize("options", [
    {"mode": "bilinear"}, {"mode": "bicubic"}, {"mode": "bilinear", "align_corners": True},
    {"mode": "bicubic", "align_corners": True}, {"mode": "bilinear", "antialias": True}, {"mode": "bicubic", "antialias": True},
    {"mode": "area"}, {"mode": "nearest"},
])  # fmt: skip
@pytest.mark.parametrize("size", [(3, 3), (7, 5), (4, 9), (6, 11), (1, 30), (6, 2)])
def test_bytes_resized(size, options):
    values = np.random.default_rng(3).integers(0, 256, (2, 3, 6, 11)).tolist()

    def program(p):
        return p.nn.functional.interpolate(p.tensor(values, dtype=p.uint8), size=size, **options)

    compare(program, torch, tinygrad_nn)


APART = [
    *(f"interpolate(x, (4, 3), mode='{mode}')" for mode in ("nearest", "bilinear", "bicubic", "area")),
    "interpolate(x.to(p.uint8), (4, 3), mode='bilinear')", "pixel_shuffle(x, 1)", "pixel_unshuffle(x, 1)",
    *(f"channel_shuffle(x, {groups})" for groups in (1, 2)),
    *(f"pad(x, {widths}, '{mode}')" for mode in ("reflect", "replicate", "circular")
      for widths in ((0, 0, 0, 0), (-1, 0, 0, 0), (1, 0, -1, 0))),
]  # fmt: skip


@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize("call", APART)
def test_results_lie_row_by_row_in_memory_of_their_own(call, turned):
    def program(p):
        x = p.arange(24.0).view(1, 2, 3, 4).mT if turned else p.arange(24.0).view(1, 2, 4, 3)
        y = value_of(f"F.{call}", F=p.nn.functional, p=p, x=x)
        return y.view(-1).add_(1), x

    compare(program, torch, tinygrad_nn)
