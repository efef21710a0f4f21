"""make_dot: names, shapes, the same text for the same program."""

import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.viz import make_dot


def source():
    model = nn.Sequential(nn.Linear(3, 2), nn.Sigmoid())
    return make_dot(model(torch.ones(1, 3)).sum(), params=dict(model.named_parameters())).source


def test_ops_shapes_and_parameter_names_are_there():
    text = source()
    for expected in ("Linear", "Sigmoid", "Sum", "0.weight", "(2, 3)", "0.bias", "output"):
        assert expected in text


def test_the_same_program_gives_the_same_text():
    assert source() == source()


def test_a_shared_node_is_drawn_once():
    x = torch.ones(2, requires_grad=True)
    assert make_dot(x * x).source.count("(2)") == 2


def test_depth_does_not_matter():
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(10_000):
        y = y + 1
    assert make_dot(y).source.count("Add") == 10_000


def test_bad_input_is_told():
    with pytest.raises(TypeError, match="expected a Tensor, got int"):
        make_dot(3)
    with pytest.raises(ValueError, match="has no graph"):
        make_dot(torch.ones(2))


def test_arrows_between_ops_show_shapes():
    x = torch.rand(5, 4, requires_grad=True)
    source = make_dot((x @ torch.rand(4, 3)).sigmoid().sum()).source
    assert source.count('label="(5, 3)"') == 2
