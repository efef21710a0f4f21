"""Bessel functions, zeta, incomplete gamma integrals and orthogonal polynomials, beside PyTorch."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

BESSEL = ["bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0",
          "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "spherical_bessel_j0"]  # fmt: skip
POLYNOMIALS = [
    "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w",
    "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w", "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l",
    "legendre_polynomial_p",
]  # fmt: skip
PLACES = np.concatenate([[0.0, 1e-12, 1e-5], np.linspace(0.1, 60, 40), [200.0, -0.5, -3.0, -40.0, np.nan]])


@pytest.mark.parametrize("name", BESSEL)
def test_bessel_functions(name):
    places = PLACES if "_i" not in name else PLACES[np.abs(PLACES) < 60]
    if "spherical" in name:
        places = np.append(places, [np.inf])

    def program(p, dtype):
        function = getattr(p.special, name)
        return function(p.tensor(places, dtype=getattr(p, dtype)))

    exact = "k0" in name or "k1" in name or "_i" in name
    compare(program, torch, tinygrad_nn, "float64", tolerance=1e-12 if exact else 1e-6)  # PyTorch's J and Y have seven digits
    compare(program, torch, tinygrad_nn, "float32", tolerance=1e-5)
    compare(lambda p: [getattr(p.special, name)(p.tensor([1, 2])), getattr(p.special, name)(p.tensor(0.5))], torch, tinygrad_nn)


def test_bessel_functions_fit_together_to_the_last_digits():
    """J1 Y0 - J0 Y1 = 2 / (pi x) and I0 K1 + I1 K0 = 1 / x (DLMF 10.5.2 and 10.28.2)."""
    special, x = tinygrad_nn.special, tinygrad_nn.linspace(0.05, 80, 500, dtype=tinygrad_nn.float64)
    j0, j1, y0, y1 = (getattr(special, f"bessel_{name}")(x) for name in ("j0", "j1", "y0", "y1"))
    i0, i1 = special.i0e(x), special.i1e(x)
    k0, k1 = special.scaled_modified_bessel_k0(x), special.scaled_modified_bessel_k1(x)
    np.testing.assert_allclose(j1 * y0 - j0 * y1, 2 / (np.pi * x), rtol=1e-12)
    np.testing.assert_allclose(i0 * k1 + i1 * k0, 1 / x, rtol=1e-12)


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials(name):
    x = np.array([-2.0, -0.7, 0.0, 0.3, 0.9, 1.0, 1.5])

    def program(p):
        function = getattr(p.special, name)
        found = [function(p.tensor(x), n) for n in (-1, 0, 1, 2, 3, 7, 2.5)]
        return [*found, function(p.tensor(x), p.arange(7))]

    def single(p):
        function = getattr(p.special, name)
        return [function(0.3, p.tensor([1.0, 4.0])), function(p.tensor([1, 2]), 2)]

    compare(program, torch, tinygrad_nn, tolerance=1e-9)
    compare(single, torch, tinygrad_nn)


@pytest.mark.parametrize("text", [
    "special.zeta(p.tensor([1.5, 2.0, 3.5, 20.0]), p.tensor([0.1, 1.0, 2.5, 30.0]))", "special.zeta(2.0, p.tensor([0.5, 2.0]))",
    "special.zeta(p.tensor([2.0, 3.0]), 2)", "special.zeta(p.tensor([2, 3]), p.tensor([1, 2]))",
    "special.zeta(p.tensor([1.0, 0.5, 2.0, 2.0, 3.0, 2.5]), p.tensor([1.0, 1.0, -1.0, -1.5, -4.25, -0.5]))",
    "igamma(a, x)", "igammac(a, x)", "special.gammainc(a, x)", "special.gammaincc(a, x)", "special.gammaincc(a.double(), x)",
    "special.gammainc(a.long() + 1, x)", "igamma(a, 2.0)", "igammac(a, 2.0)", "Tensor.igamma(a, x)", "Tensor.igammac(a, x)",
    "Tensor.igamma_(a.clone(), x)", "Tensor.igammac_(a.clone(), x)", "special.bessel_j0(a, out=p.zeros(0).double())",
    "special.bessel_j0(1.0)",
])  # fmt: skip
def test_expressions(text):
    def program(p):
        a, x = p.tensor([0.5, 2.0, 30.0]), p.tensor([[0.2], [3.0], [28.0]]).expand(3, 3).contiguous()
        return value_of(f"p.{text}", p=p, a=a, x=x)

    compare(program, torch, tinygrad_nn, tolerance=2e-6)


def test_the_far_side_of_the_gamma_integral_keeps_its_digits():
    compare(lambda p: p.special.gammaincc(p.tensor([1.0, 2.0]), p.tensor([20.0, 18.0])) * 1e7, torch, tinygrad_nn, tolerance=1e-6)
