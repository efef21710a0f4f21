"""Incomplete gamma and beta integrals, and how draws move with their parameters, against values computed to fifty digits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_nn as torch
from tinygrad_nn.incomplete import beta_slope, gamma_slope, gammainc

# (a, x, P(a, x), dx/da at a fixed probability)
GAMMA = [
    (0.05, 1e-200, 1.0272168652716751e-10, 9.2003834721501847e-197),
    (0.05, 1e-09, 0.36447029742757681, 4.0450841731631752e-7),
    (0.05, 0.5, 0.97131737124416398, 9.7496189578987816),
    (0.05, 8.0, 0.99999784243041143, 20.477346373548193),
    (0.3, 0.02, 0.34299751585698793, 0.25419430208458901),
    (0.3, 1e-05, 0.035235360615562577, 0.00037812759177265303),
    (1.0, 0.5, 0.39346934028736658, 0.80697911682531802),
    (1.0, 30.0, 0.99999999999990642, 4.0107027853226684),
    (3.5, 3.2, 0.50610535003117015, 1.0023756634854507),
    (20.0, 11.0, 0.0092894579681010518, 0.73672635330169529),
    (1000.0, 850.0, 2.9708126007116911e-7, 0.92109396962634543),
    (1000.0, 999.5, 0.49789662411250702, 0.99991659996338349),
    (1000.0, 1150.0, 0.99999712622393961, 1.071686712436401),
]
# (a, b, x, dx/da at a fixed probability)
BETA = [
    (0.05, 0.05, 1e-12, 7.5113862130009819e-10),
    (0.05, 0.05, 0.5, 53.577882378871568),
    (0.05, 0.05, 0.999999, 0.00020148161777812187),
    (0.05, 1000.0, 1e-10, 3.1241404592090141e-8),
    (1000.0, 0.05, 0.9999, 1.0004251091397197e-7),
    (1000.0, 1000.0, 0.5, 0.00025008334999761667),
    (1000.0, 0.05, 0.99, 9.954552159040415e-6),
    (0.1, 30.0, 0.001, 0.032034709017553175),
    (1.0, 2.0, 0.5, 0.26986038541995898),
    (2.5, 0.7, 0.9, 0.040011110416460976),
    (7.0, 3.0, 0.1, 0.030401969962748134),
]


def test_reference_values():
    a, x, probability, slope = np.array(GAMMA).T
    np.testing.assert_allclose(gammainc(a, x), probability, rtol=1e-11)
    np.testing.assert_allclose(gamma_slope(a, x), slope, rtol=1e-11)
    a, b, x, slope = np.array(BETA).T
    np.testing.assert_allclose(beta_slope(a, b, x), slope, rtol=1e-11)


# At a = 1 the quantile is x = u**(1/a) of b = 1, and 1 - (1 - u)**(1/b) of a = 1.
@given(st.floats(0.05, 1000.0), st.floats(1e-6, 1 - 1e-6))
def test_powers_of_uniform_numbers_move_as_calculus_says(a, u):
    x = u ** (1 / a)
    if 1e-250 < x < 1 - 1e-9:
        np.testing.assert_allclose(beta_slope(np.array(a), np.array(1.0), np.array(x)), -x * np.log(u) / a**2, rtol=1e-6)


@given(st.floats(0.05, 1000.0), st.floats(-3.0, 3.0))
def test_the_slope_is_the_distribution_functions(a, z):
    x = max(a * (1 + z / (3 * np.sqrt(a))), 0.01 * a)
    step = 1e-5 * a
    found = gammainc(np.array([a - step, a + step]), np.array(x))
    density = np.diff(gammainc(np.array(a), x + np.array([-1e-5, 1e-5]) * x))[0] / (2e-5 * x)
    np.testing.assert_allclose(gamma_slope(np.array(a), np.array(x)), -(found[1] - found[0]) / (2 * step) / density, rtol=1e-4)


def gradients_of_a_sum(made, *parameters):
    given = [torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in parameters]
    torch.manual_seed(1)
    drawn = made(*given).rsample()
    return drawn.item(), [gradient.item() for gradient in torch.autograd.grad(drawn.sum(), given)]


@pytest.mark.parametrize("a", [0.05, 0.7, 1.0, 12.0, 1000.0])
def test_draws_move_with_their_concentrations(a):
    d = torch.distributions
    x, (slope, by_rate) = gradients_of_a_sum(d.Gamma, a, 2.0)
    np.testing.assert_allclose([slope, by_rate], [gamma_slope(np.array(a), np.array(2 * x)) / 2, -x / 2], rtol=1e-10)
    x, (slope,) = gradients_of_a_sum(d.Chi2, a)
    np.testing.assert_allclose(slope, gamma_slope(np.array(a / 2), np.array(x / 2)), rtol=1e-10)
    x, (slope, other) = gradients_of_a_sum(d.Beta, a, 3.0)
    expected = [beta_slope(np.array(a), np.array(3.0), np.array(x)), -beta_slope(np.array(3.0), np.array(a), np.array(1 - x))]
    np.testing.assert_allclose([slope, other], expected, rtol=1e-6)
    x, (slope,) = gradients_of_a_sum(d.StudentT, a)
    assert np.isfinite(slope)


def test_the_mean_gradient_of_draws_is_the_gradient_of_the_mean():
    torch.manual_seed(0)
    a, b = torch.tensor(0.8, requires_grad=True), torch.tensor(1.7, requires_grad=True)
    for kind in (torch.distributions.Beta, torch.distributions.Gamma):
        d = kind(a, b)
        found = torch.autograd.grad(d.rsample((4000,)).mean(), (a, b))
        expected = torch.autograd.grad(d.mean, (a, b))
        np.testing.assert_allclose(found, expected, rtol=0.1)


def test_extremes_have_slopes():
    tiny = np.finfo(np.float64).tiny
    assert np.isfinite(gamma_slope(np.array([1e-4, 1e-3, 1e9]), np.array([tiny, tiny, 1e9]))).all()
    assert beta_slope(np.array(2.0), np.array(0.0), np.array(1 - 1e-16)) == 0


def test_float32_stays_and_ends_are_right():
    a = np.array([0, 0, 1, -1, np.inf, 2, np.inf, 1, np.nan], np.float32)
    x = np.array([0, 1, 0, 1, 1, np.inf, np.inf, -1, 1], np.float32)
    found = gammainc(a, x)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [np.nan, 1, 0, np.nan, 0, 1, np.nan, np.nan, np.nan])
