"""The distribution of angles."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.creation import zeros
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import Located, Shape
from tinygrad_nn.distributions.utils import broadcast_all, lazy_property
from tinygrad_nn.methods.pointwise import where
from tinygrad_nn.random import rand
from tinygrad_nn.tensor import Tensor

__all__ = ["VonMises"]

# I of order 0 and 1: below 3.75 in (x / 3.75)**2, above times exp(x) / sqrt(x) in 3.75 / x (Abramowitz & Stegun 9.8.1-4)
_BELOW = (
    (1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813),
    (0.5, 0.87890594, 0.51498869, 0.15084934, 0.02658733, 0.00301532, 0.00032411),
)
_ABOVE = (
    (0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281, -0.02057706, 0.02635537, -0.01647633, 0.00392377),
    (0.39894228, -0.03988024, -0.00362018, 0.00163801, -0.01031555, 0.02282967, -0.02895312, 0.01787654, -0.00420059),
)


def _polynomial(coefficients: tuple[float, ...], x: Tensor) -> Tensor:
    found = x * 0 + coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        found = found * x + coefficient
    return found


def _log_bessel_i(x: Tensor, order: int) -> Tensor:
    """The logarithm of the modified Bessel function I of order 0 or 1, to the 7 digits of PyTorch's formula."""
    below = _polynomial(_BELOW[order], (x / 3.75) ** 2)
    below = (x.abs() * below if order else below).log()
    above = x - 0.5 * x.log() + _polynomial(_ABOVE[order], 3.75 / x).log()
    return where(x < 3.75, below, above)


class VonMises(Located):
    """Angles around `loc`, the closer the greater the concentration."""

    support = constraints.real
    concentration: Tensor
    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": constraints.real, "concentration": constraints.positive}

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, (), validate_args)

    @lazy_property
    def variance(self) -> Tensor:
        """One minus the mean cosine of the angle to the location."""
        return 1 - (_log_bessel_i(self.concentration, 1) - _log_bessel_i(self.concentration, 0)).exp()

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draws, by rejection in float64 (Best & Fisher 1979)."""
        with no_grad():
            loc, kappa = self.loc.detach().double(), self.concentration.detach().double()
            tau = 1 + (1 + 4 * kappa**2).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
            r = where(kappa < 1e-5, 1 / kappa + kappa, (1 + rho**2) / (2 * rho))
            x = zeros(self._extended_shape(sample_shape), dtype=loc.dtype)
            waiting = x == 0
            while bool(waiting.any()):
                u1, u2, u3 = rand((3, *x.shape), dtype=loc.dtype).unbind()
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                c = kappa * (r - f)
                accepted = (c * (2 - c) - u2 > 0) | ((c / u2).log() + 1 - c >= 0)
                x = where(accepted, (u3 - 0.5).sign() * f.acos(), x)
                waiting = waiting & ~accepted
            return ((x + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        return self.concentration * (value - self.loc).cos() - math.log(2 * math.pi) - _log_bessel_i(self.concentration, 0)
