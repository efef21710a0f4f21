"""Padding and resizing beside PyTorch's: values, derivatives, errors."""

import pytest

import tinygrad_nn
from tests.parity.image_layers import compare_call, compare_layer

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
