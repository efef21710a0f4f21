"""Initial values: their distribution, their bounds, and what they refuse."""

import math

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn.nn import init

SHAPE = (200, 300)

# name: the function, and the standard deviation it promises for (200, 300)
SPREADS = {
    "uniform": (lambda t: init.uniform_(t, -1.0, 2.0), 3 / math.sqrt(12)),
    "normal": (lambda t: init.normal_(t, 0.0, 0.7), 0.7),
    "xavier_uniform": (init.xavier_uniform_, math.sqrt(2 / 500)),
    "xavier_normal": (lambda t: init.xavier_normal_(t, gain=3.0), 3 * math.sqrt(2 / 500)),
    "kaiming_uniform": (init.kaiming_uniform_, math.sqrt(2 / 300)),
    "kaiming_uniform-slope": (lambda t: init.kaiming_uniform_(t, a=1.0), math.sqrt(1 / 300)),
    "kaiming_normal": (lambda t: init.kaiming_normal_(t, nonlinearity="relu"), math.sqrt(2 / 300)),
    "kaiming_normal-out": (lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="linear"), math.sqrt(1 / 200)),
    "orthogonal": (init.orthogonal_, math.sqrt(1 / 300)),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", SPREADS)
def test_spread(name, dtype):
    torch.manual_seed(0)
    fill, expected = SPREADS[name]
    given = torch.full(SHAPE, 50.0, dtype=dtype, requires_grad=True)
    assert fill(given) is given
    assert given.is_leaf
    assert given.requires_grad
    assert given.dtype is dtype
    values = given.detach().numpy()
    assert values.std() == pytest.approx(expected, rel=0.02)
    if "uniform" in name and name != "uniform":
        assert np.abs(values).max() <= expected * math.sqrt(3) * 1.0001


@pytest.mark.parametrize(("name", "expected"), [("ones_", 1.0), ("zeros_", 0.0)])
def test_one_value(name, expected):
    given = torch.full((2, 3), 9.0, requires_grad=True)
    assert getattr(init, name)(given) is given
    assert given.tolist() == [[expected] * 3] * 2
    assert init.constant_(given, 0.25).tolist() == [[0.25] * 3] * 2


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2)])
def test_eye(shape):
    assert init.eye_(torch.full(shape, 9.0)).tolist() == [[float(i == j) for j in range(shape[1])] for i in range(shape[0])]


@pytest.mark.parametrize("shape", [(4, 4), (3, 8), (8, 3), (4, 2, 3)])
def test_orthogonal(shape):
    q = init.orthogonal_(torch.empty(*shape, dtype=torch.float64), gain=2.0).reshape(shape[0], -1).numpy()
    product = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_fans_of_convolutions_count_the_field():
    torch.manual_seed(0)
    weight = init.kaiming_normal_(torch.empty(64, 16, 3, 3), nonlinearity="linear")
    assert weight.std().item() == pytest.approx(1 / math.sqrt(16 * 9), rel=0.02)


FILLS = [init.uniform_, init.normal_, init.xavier_uniform_, init.xavier_normal_, init.kaiming_uniform_, init.kaiming_normal_]


@pytest.mark.parametrize("fill", [*FILLS, init.orthogonal_])
def test_a_generator_of_ones_own_leaves_the_common_one_alone(fill):
    torch.manual_seed(1)
    expected = torch.rand(3).tolist()
    torch.manual_seed(1)
    first, second = (fill(torch.empty(4, 5), generator=torch.Generator().manual_seed(2)) for _ in range(2))
    assert (first == second).all()
    assert torch.rand(3).tolist() == expected


@pytest.mark.parametrize(
    ("name", "param", "expected"),
    [
        ("linear", None, 1.0), ("conv2d", None, 1.0), ("sigmoid", None, 1.0), ("tanh", None, 5 / 3),
        ("relu", None, math.sqrt(2)), ("selu", None, 0.75), ("leaky_relu", None, math.sqrt(2 / 1.0001)),
        ("leaky_relu", 0.5, math.sqrt(1.6)), ("leaky_relu", 0, math.sqrt(2)),
    ],
)  # fmt: skip
def test_gain(name, param, expected):
    assert init.calculate_gain(name, param) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: init.calculate_gain("swish"), "Unsupported nonlinearity swish"),
        (lambda: init.eye_(torch.ones(3)), "2 dimensions are supported, got 1"),
        (lambda: init.xavier_uniform_(torch.ones(3)), "fewer than 2 dimensions"),
        (lambda: init.kaiming_normal_(torch.ones(3)), "fewer than 2 dimensions"),
        (lambda: init.kaiming_uniform_(torch.ones(3, 3), mode="in"), "Mode in not supported"),
        (lambda: init.orthogonal_(torch.ones(3)), "2 or more dimensions"),
    ],
)
def test_mistakes_are_explained(act, message):
    with pytest.raises(ValueError, match=message):
        act()


@pytest.mark.parametrize("fill", [init.kaiming_uniform_, init.kaiming_normal_])
def test_nothing_to_fill_warns(fill):
    empty = torch.empty(0, 3)
    with pytest.warns(UserWarning, match="zero-element"):
        assert fill(empty) is empty
