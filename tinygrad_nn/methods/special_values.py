"""Special functions that carry no gradients, as in PyTorch: Bessel functions, zeta, and orthogonal polynomials."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn import bessel_arrays
from tinygrad_nn.dtypes import result_type
from tinygrad_nn.methods.faces import Number, expect_tensor, is_tensor
from tinygrad_nn.op import Array

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor


def _values(function: Callable[..., Array], name: str, *given: Any) -> Tensor:
    """What a function of float64 arrays gives, in the floating dtype that the tensors and numbers among `given` have together."""
    tensors = [value for value in given if is_tensor(value)]
    if not tensors:
        expect_tensor(name, "input", given[0])
    plain = [value.detach().numpy() if is_tensor(value) else value for value in given]
    with np.errstate(all="ignore"):
        found = function(*np.broadcast_arrays(*(np.asarray(value, np.float64) for value in plain)))
        result: Tensor = tensors[0].rewrap(np.asarray(found).astype(result_type(plain, True)), None)
    return result


def bessel_j0(input: Tensor) -> Tensor:
    """The Bessel function J of order 0."""
    return _values(lambda x: bessel_arrays.bessel_j(x, 0), "special_bessel_j0", input)


def bessel_j1(input: Tensor) -> Tensor:
    """The Bessel function J of order 1."""
    return _values(lambda x: bessel_arrays.bessel_j(x, 1), "special_bessel_j1", input)


def bessel_y0(input: Tensor) -> Tensor:
    """The Bessel function Y of order 0; nan below 0."""
    return _values(lambda x: bessel_arrays.bessel_y(x, 0), "special_bessel_y0", input)


def bessel_y1(input: Tensor) -> Tensor:
    """The Bessel function Y of order 1; nan below 0."""
    return _values(lambda x: bessel_arrays.bessel_y(x, 1), "special_bessel_y1", input)


def modified_bessel_k0(input: Tensor) -> Tensor:
    """The modified Bessel function K of order 0; nan below 0."""
    return _values(lambda x: bessel_arrays.bessel_k(x, 0, False), "special_modified_bessel_k0", input)


def modified_bessel_k1(input: Tensor) -> Tensor:
    """The modified Bessel function K of order 1; nan below 0."""
    return _values(lambda x: bessel_arrays.bessel_k(x, 1, False), "special_modified_bessel_k1", input)


def scaled_modified_bessel_k0(x: Tensor) -> Tensor:
    """The modified Bessel function K of order 0 times exp(x)."""
    return _values(lambda v: bessel_arrays.bessel_k(v, 0, True), "special_scaled_modified_bessel_k0", x)


def scaled_modified_bessel_k1(x: Tensor) -> Tensor:
    """The modified Bessel function K of order 1 times exp(x)."""
    return _values(lambda v: bessel_arrays.bessel_k(v, 1, True), "special_scaled_modified_bessel_k1", x)


def spherical_bessel_j0(x: Tensor) -> Tensor:
    """sin(x) / x, and 1 at 0: the spherical Bessel function j of order 0."""

    def values(v: Array) -> Array:
        return np.where(v == 0, 1.0, np.where(np.isinf(v), 0.0, np.sin(v) / v))

    return _values(values, "special_spherical_bessel_j0", x)


def zeta(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """Hurwitz's zeta function: the sum of (other + k)^-input over k from 0 on."""
    return _values(bessel_arrays.zeta, "special_zeta", input, other)


# orthogonal polynomials, by their recurrences in the degree (DLMF 18.9); 0 for a negative degree


def _polynomial(
    name: str, x: Any, n: Any, first: Callable[[Array], Array], step: Callable[[int, Array, Array, Array], Array]
) -> Tensor:
    """P_n(x), where P_0 is 1, P_1 is first(x) and P_k+1 is step(k, x, P_k, P_k-1)."""

    def values(v: Array, degrees: Array) -> Array:
        degrees = np.trunc(degrees)
        before, now = np.ones_like(v), first(v)
        found = np.where(degrees == 0, before, np.where(degrees == 1, now, 0.0))
        for k in range(1, int(degrees.max(initial=0))):
            before, now = now, step(k, v, now, before)
            found = np.where(degrees == k + 1, now, found)
        return found

    return _values(values, name, x, n)


def _chebyshev(name: str, x: Any, n: Any, first: Callable[[Array], Array], shifted: bool = False) -> Tensor:
    def turned(v: Array) -> Array:
        return 2 * v - 1 if shifted else v

    return _polynomial(name, x, n, lambda v: first(turned(v)), lambda k, v, now, before: 2 * turned(v) * now - before)


def chebyshev_polynomial_t(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the first kind of degree n."""
    return _chebyshev("special_chebyshev_polynomial_t", x, n, lambda v: v)


def chebyshev_polynomial_u(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the second kind of degree n."""
    return _chebyshev("special_chebyshev_polynomial_u", x, n, lambda v: 2 * v)


def chebyshev_polynomial_v(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the third kind of degree n."""
    return _chebyshev("special_chebyshev_polynomial_v", x, n, lambda v: 2 * v - 1)


def chebyshev_polynomial_w(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Chebyshev's polynomial of the fourth kind of degree n."""
    return _chebyshev("special_chebyshev_polynomial_w", x, n, lambda v: 2 * v + 1)


def shifted_chebyshev_polynomial_t(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """`chebyshev_polynomial_t` at 2 x - 1."""
    return _chebyshev("special_shifted_chebyshev_polynomial_t", x, n, lambda v: v, True)


def shifted_chebyshev_polynomial_u(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """`chebyshev_polynomial_u` at 2 x - 1."""
    return _chebyshev("special_shifted_chebyshev_polynomial_u", x, n, lambda v: 2 * v, True)


def shifted_chebyshev_polynomial_v(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """`chebyshev_polynomial_v` at 2 x - 1."""
    return _chebyshev("special_shifted_chebyshev_polynomial_v", x, n, lambda v: 2 * v - 1, True)


def shifted_chebyshev_polynomial_w(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """`chebyshev_polynomial_w` at 2 x - 1."""
    return _chebyshev("special_shifted_chebyshev_polynomial_w", x, n, lambda v: 2 * v + 1, True)


def hermite_polynomial_h(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """The physicist's Hermite polynomial of degree n."""
    name = "special_hermite_polynomial_h"
    return _polynomial(name, x, n, lambda v: 2 * v, lambda k, v, now, before: 2 * v * now - 2 * k * before)


def hermite_polynomial_he(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """The probabilist's Hermite polynomial of degree n."""
    return _polynomial("special_hermite_polynomial_he", x, n, lambda v: v, lambda k, v, now, before: v * now - k * before)


def laguerre_polynomial_l(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Laguerre's polynomial of degree n."""

    def step(k: int, v: Array, now: Array, before: Array) -> Array:
        return ((2 * k + 1 - v) * now - k * before) / (k + 1)

    return _polynomial("special_laguerre_polynomial_l", x, n, lambda v: 1 - v, step)


def legendre_polynomial_p(x: Tensor | Number, n: Tensor | Number) -> Tensor:
    """Legendre's polynomial of degree n."""

    def step(k: int, v: Array, now: Array, before: Array) -> Array:
        return ((2 * k + 1) * v * now - k * before) / (k + 1)

    return _polynomial("special_legendre_polynomial_p", x, n, lambda v: v, step)
