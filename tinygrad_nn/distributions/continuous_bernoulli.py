"""A distribution of shades of grey (Loaiza-Ganem & Cunningham 2019, "The continuous Bernoulli")."""

from __future__ import annotations

import math
from typing import Any

from tinygrad_nn.creation import full_like
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.chances import ByChance
from tinygrad_nn.distributions.distribution import ExponentialFamily, Shape
from tinygrad_nn.distributions.utils import broadcast_all, clamp_probs, lazy_property, logits_to_probs
from tinygrad_nn.methods.pointwise import where
from tinygrad_nn.nn.functional import binary_cross_entropy_with_logits
from tinygrad_nn.random import rand
from tinygrad_nn.tensor import Tensor

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(ByChance, ExponentialFamily):
    """Numbers from 0 to 1 whose density is proportional to p**x (1 - p)**(1 - x).

    Its formulas divide 0 by 0 at p = 1/2: between the two `lims`, series stand for them.
    """

    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, probs: Any = None, logits: Any = None, lims: tuple[float, float] = (0.499, 0.501), validate_args: bool | None = None
    ) -> None:
        self._lims = lims
        super().__init__(probs, logits, validate_args)
        if probs is not None:
            self.__dict__["probs"] = clamp_probs(self.probs)

    @lazy_property
    def probs(self) -> Tensor:
        """The parameter p, kept from 0 and 1."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _cut(self) -> tuple[Tensor, Tensor]:
        """Where the formulas hold, and p there, something else where they do not."""
        apart = (self.probs <= self._lims[0]) | (self.probs > self._lims[1])
        return apart, where(apart, self.probs, full_like(self.probs, self._lims[0]))

    def _log_norm(self) -> Tensor:
        """The logarithm of the factor that makes the density's integral 1."""
        apart, p = self._cut()
        found = ((-p).log1p() - p.log()).abs().log() - (1 - 2 * p).abs().log()
        x = (self.probs - 0.5).pow(2)
        return where(apart, found, math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        apart, p = self._cut()
        x = self.probs - 0.5
        series = 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.pow(2)) * x
        return where(apart, p / (2 * p - 1) + 1 / ((-p).log1p() - p.log()), series)

    @property
    def variance(self) -> Tensor:
        """The variance."""
        apart, p = self._cut()
        x = (self.probs - 0.5).pow(2)
        series = 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x
        return where(apart, p * (p - 1) / (1 - 2 * p).pow(2) + ((-p).log1p() - p.log()).pow(-2), series)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """By inversion of uniform numbers."""
        return self.icdf(rand(self._extended_shape(sample_shape), dtype=self.probs.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none") + self._log_norm()

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw not above a value."""
        self._validate_sample(value)
        apart, p = self._cut()
        found = (p.pow(value) * (1 - p).pow(1 - value) + p - 1) / (2 * p - 1)
        return where(apart, found, value).masked_fill(value <= 0, 0.0).masked_fill(value >= 1, 1.0)

    def icdf(self, value: Tensor) -> Tensor:
        """The value that a draw is not above with a probability."""
        apart, p = self._cut()
        found = ((-p + value * (2 * p - 1)).log1p() - (-p).log1p()) / (p.log() - (-p).log1p())
        return where(apart, found, value)

    def entropy(self) -> Tensor:
        """In nats."""
        no, yes = (-self.probs).log1p(), self.probs.log()
        return self.mean * (no - yes) - self._log_norm() - no
