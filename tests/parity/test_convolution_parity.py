"""Convolutions and unfolding beside PyTorch's: the same weights from the same seed, values, derivatives, errors."""

import pytest

import tinygrad_nn
from tests.parity.image_layers import compare_call, compare_layer

torch = pytest.importorskip("torch")

CASES = [
    ("nn.Conv1d(4, 6, 3)", "line"),
    ("nn.Conv1d(4, 6, (3, ), stride=2, padding=1, dilation=2, groups=2, bias=False)", "line"),
    ("nn.Conv1d(4, 6, 4, padding='same')", "line"),
    ("nn.Conv1d(4, 6, 4, padding='same', padding_mode='circular', dilation=2)", "line"),
    ("nn.Conv1d(4, 6, 3, padding=2, padding_mode='replicate')", "line[0]"),
    ("nn.Conv2d(4, 6, 3)", "image"),
    ("nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2)", "image"),
    ("nn.Conv2d(4, 8, 3, padding=1, groups=4, padding_mode='reflect')", "image"),
    ("nn.Conv2d(4, 8, 3, padding='valid')", "image[0]"),
    ("nn.Conv2d(4, 8, (2, 4), padding='same', padding_mode='reflect')", "image"),
    ("nn.Conv2d(4, 8, (2, 4), padding='same')", "image"),
    ("nn.Conv2d(4, 8, 1, bias=False)", "image"),
    ("nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1)", "line"),
    ("nn.ConvTranspose2d(4, 6, 3)", "image"),
    ("nn.ConvTranspose2d(4, 6, (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2, dilation=(2, 1))", "image"),
    ("nn.ConvTranspose2d(4, 6, 3, dilation=2, output_padding=1, padding=1)", "image"),
    ("nn.ConvTranspose2d(4, 6, 3, bias=False)", "image[0]"),
    ("nn.Unfold(3)", "image"),
    ("nn.Unfold((2, 3), dilation=2, padding=1, stride=(2, 1))", "image[0]"),
    ("nn.Fold((5, 6), (2, 3), padding=1, stride=2)", "columns"),
    ("nn.Conv2d(4, 6, 3, groups=3)", "image"),
    ("nn.Conv2d(4, 6, 3, padding='same', stride=2)", "image"),
    ("nn.Conv2d(4, 6, 3, padding='x')", "image"),
    ("nn.Conv2d(4, 6, 3, padding_mode='x')", "image"),
    ("nn.Conv2d(4, 6, 3)", "line[:, :3]"),
    ("nn.Conv2d(5, 6, 3)", "image"),
    ("nn.Conv2d(4, 6, 12)", "image"),
    ("nn.Conv2d(4, 6, 3, stride=0)", "image"),
    ("nn.Conv2d(4, 6, 3, padding=-1)", "image"),
    ("nn.Conv2d(4, 6, 3, stride=(1, 2, 3))", "image"),
    ("nn.ConvTranspose2d(4, 6, 3, output_padding=2)", "image"),
    ("nn.ConvTranspose2d(4, 6, 3, padding_mode='circular')", "image"),
    ("nn.Unfold(12)", "image"),
    ("nn.Fold((5, 6), (2, 3))", "columns"),
]


@pytest.mark.parametrize(("layer", "given"), CASES)
def test_layer(layer, given):
    compare_layer(torch, tinygrad_nn, layer, given)


CALLS = [
    ("F.conv2d(a, b, c, padding=1)", [(2, 4, 5, 6), (3, 4, 3, 3), (3,)]),
    ("p.conv1d(a, b, c, 2)", [(2, 4, 7), (3, 4, 3), (3,)]),
    ("p.conv2d(a, b, None, 2, 1, 1, 2)", [(2, 4, 5, 6), (6, 2, 3, 3)]),
    ("p.conv2d(a, b)", [(2, 4, 5, 6), (6, 3, 3, 3)]),
    ("F.conv_transpose1d(a, b, c, 2)", [(2, 4, 5), (4, 3, 3), (3,)]),
    ("p.conv_transpose1d(a, b)", [(2, 4, 5), (3, 3, 3)]),
    ("F.conv_transpose2d(a, b, c, padding=1)", [(2, 4, 5, 6), (4, 3, 3, 3), (3,)]),
    ("p.conv_transpose2d(a, b, None, 2, 0, 1)", [(2, 4, 5, 6), (4, 3, 3, 3)]),
    ("F.fold(a, (4, 5), (2, 2))", [(2, 8, 12)]),
    ("F.fold(a, (4, 5), (2, 2))", [(2, 8, 11)]),
]


@pytest.mark.parametrize(("call", "shapes"), CALLS)
def test_call(call, shapes):
    compare_call(torch, tinygrad_nn, call, shapes)
