"""Distributions that are draws of others, transformed."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from tinygrad_nn.creation import as_tensor, full_like, ones_like
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.composed import Independent
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.continuous import Cauchy, Exponential, Normal, Uniform
from tinygrad_nn.distributions.distribution import Distribution
from tinygrad_nn.distributions.gamma import Gamma
from tinygrad_nn.distributions.transformed import TransformedDistribution
from tinygrad_nn.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    ExpTransform,
    PowerTransform,
    StickBreakingTransform,
)
from tinygrad_nn.distributions.utils import all_numbers, broadcast_all, euler_constant
from tinygrad_nn.dtypes import finfo
from tinygrad_nn.methods.pointwise import where
from tinygrad_nn.methods.special import digamma, lgamma
from tinygrad_nn.tensor import Tensor

__all__ = [
    "Gumbel", "HalfCauchy", "HalfNormal", "InverseGamma", "Kumaraswamy", "LogNormal", "LogisticNormal", "Pareto", "Weibull",
]  # fmt: skip


class LogNormal(TransformedDistribution):
    """Numbers whose logarithms are normal."""

    support = constraints.positive
    base_dist: Normal
    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": constraints.real, "scale": constraints.positive}

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(loc, scale, validate_args), ExpTransform(), validate_args)

    @property
    def loc(self) -> Tensor:
        """The mean of the logarithms."""
        return self.base_dist.loc

    @property
    def scale(self) -> Tensor:
        """The standard deviation of the logarithms."""
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        """exp(loc + scale**2 / 2)."""
        return (self.loc + self.scale.pow(2) / 2).exp()

    @property
    def mode(self) -> Tensor:
        """exp(loc - scale**2)."""
        return (self.loc - self.scale.square()).exp()

    @property
    def variance(self) -> Tensor:
        """The variance."""
        squared = self.scale.pow(2)
        return squared.expm1() * (2 * self.loc + squared).exp()

    def entropy(self) -> Tensor:
        """In nats."""
        return self.base_dist.entropy() + self.loc


class _Half(TransformedDistribution):
    """The distances from 0 of draws that lie evenly around it."""

    support = constraints.nonnegative
    base_dist: Normal | Cauchy
    arg_constraints: ClassVar[dict[str, Constraint]] = {"scale": constraints.positive}

    @property
    def scale(self) -> Tensor:
        """The base's scale."""
        return self.base_dist.scale

    @property
    def mode(self) -> Tensor:
        """0."""
        return self.scale.detach() * 0

    def log_prob(self, value: Any) -> Tensor:
        """Twice the base's density above 0, in logarithms."""
        self._validate_sample(value)
        value = as_tensor(value, dtype=self.scale.dtype)
        return (self.base_dist.log_prob(value) + math.log(2)).masked_fill(value < 0, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw not above a value."""
        self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value: Tensor) -> Tensor:
        """The value that a draw is not above with a probability."""
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        """In nats."""
        return self.base_dist.entropy() - math.log(2)


class HalfNormal(_Half):
    """The distances from 0 of normal numbers of mean 0."""

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(0, scale, validate_args=False), AbsTransform(), validate_args)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.scale.pow(2) * (1 - 2 / math.pi)


class HalfCauchy(_Half):
    """The distances from 0 of Cauchy numbers around it."""

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Cauchy(0, scale, validate_args=False), AbsTransform(), validate_args)

    @property
    def mean(self) -> Tensor:
        """Infinite."""
        return full_like(self.scale, math.inf)

    @property
    def variance(self) -> Tensor:
        """Infinite."""
        return self.base_dist.variance


class Gumbel(TransformedDistribution):
    """The greatest of many numbers (Gumbel 1958): loc - scale log(-log u) of uniform u."""

    support = constraints.real
    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": constraints.real, "scale": constraints.positive}

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        limits = finfo(self.loc.dtype)
        low, high = limits.tiny, 1 - limits.eps
        if all_numbers(loc, scale):
            base = Uniform(low, high, validate_args)
        else:
            base = Uniform(full_like(self.loc, low), full_like(self.loc, high), validate_args)
        minus = AffineTransform(0, -ones_like(self.scale))
        parts = [ExpTransform().inv, minus, ExpTransform().inv, AffineTransform(loc, -self.scale)]
        super().__init__(base, parts, validate_args)

    @property
    def mean(self) -> Tensor:
        """The location and 0.5772 scales."""
        return self.loc + self.scale * euler_constant

    @property
    def mode(self) -> Tensor:
        """The location."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """pi scale / sqrt(6)."""
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        """The square of the standard deviation."""
        return self.stddev.pow(2)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return y - y.exp() - self.scale.log()

    def entropy(self) -> Tensor:
        """In nats."""
        return self.scale.log() + (1 + euler_constant)


class Weibull(TransformedDistribution):
    """Times until the weakest of many parts fails (Weibull 1951): scale times the root of exponential times."""

    support = constraints.positive
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "scale": constraints.positive, "concentration": constraints.positive,
    }  # fmt: skip

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        self.concentration_reciprocal = self.concentration.reciprocal()
        parts = [PowerTransform(self.concentration_reciprocal), AffineTransform(0, self.scale)]
        super().__init__(Exponential(ones_like(self.scale), validate_args), parts, validate_args)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.scale * lgamma(1 + self.concentration_reciprocal).exp()

    @property
    def mode(self) -> Tensor:
        """The likeliest value, for concentrations above 1."""
        found: Tensor = self.scale * ((self.concentration - 1) / self.concentration) ** self.concentration.reciprocal()
        return found

    @property
    def variance(self) -> Tensor:
        """The variance."""
        first, second = (lgamma(1 + k * self.concentration_reciprocal) for k in (1, 2))
        return self.scale.pow(2) * (second.exp() - (2 * first).exp())

    def entropy(self) -> Tensor:
        """In nats."""
        return euler_constant * (1 - self.concentration_reciprocal) + (self.scale * self.concentration_reciprocal).log() + 1


class Pareto(TransformedDistribution):
    """Numbers from `scale` on that exceed x with a chance that falls as x**-alpha (Pareto 1896)."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"alpha": constraints.positive, "scale": constraints.positive}

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        parts = [ExpTransform(), AffineTransform(0, self.scale)]
        super().__init__(Exponential(self.alpha, validate_args), parts, validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Constraint:
        """From the scale on."""
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        """Infinite for an alpha up to 1."""
        a = self.alpha.clamp(min=1)
        return a * self.scale / (a - 1)

    @property
    def mode(self) -> Tensor:
        """The scale."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """Infinite for an alpha up to 2."""
        a = self.alpha.clamp(min=2)
        return self.scale.pow(2) * a / ((a - 1).pow(2) * (a - 2))

    def entropy(self) -> Tensor:
        """In nats."""
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())


class InverseGamma(TransformedDistribution):
    """Reciprocals of gamma numbers."""

    support = constraints.positive
    base_dist: Gamma
    arg_constraints: ClassVar[dict[str, Constraint]] = {"concentration": constraints.positive, "rate": constraints.positive}

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args)
        super().__init__(base, PowerTransform(-base.rate.new_ones(())), validate_args)

    @property
    def concentration(self) -> Tensor:
        """The base's."""
        return self.base_dist.concentration

    @property
    def rate(self) -> Tensor:
        """The base's."""
        return self.base_dist.rate

    @property
    def mean(self) -> Tensor:
        """rate / (concentration - 1), infinite for a concentration up to 1."""
        return where(self.concentration > 1, self.rate / (self.concentration - 1), math.inf)

    @property
    def mode(self) -> Tensor:
        """rate / (concentration + 1)."""
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        """Infinite for a concentration up to 2."""
        a = self.concentration
        return where(a > 2, self.rate.square() / ((a - 1).square() * (a - 2)), math.inf)

    def entropy(self) -> Tensor:
        """In nats."""
        a = self.concentration
        return a + self.rate.log() + lgamma(a) - (1 + a) * digamma(a)


class Kumaraswamy(TransformedDistribution):
    """Numbers from 0 to 1, much as Beta's, by inversion (Kumaraswamy 1980)."""

    support = constraints.unit_interval
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "concentration1": constraints.positive, "concentration0": constraints.positive,
    }  # fmt: skip

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        base = Uniform(full_like(self.concentration0, 0), full_like(self.concentration0, 1), validate_args)
        parts = [
            PowerTransform(self.concentration0.reciprocal()), AffineTransform(1.0, -1.0),
            PowerTransform(self.concentration1.reciprocal()),
        ]  # fmt: skip
        super().__init__(base, parts, validate_args)

    def _moment(self, n: int) -> Tensor:
        """The mean of the nth power."""
        a, b = 1 + n / self.concentration1, self.concentration0
        return b * (lgamma(a) + lgamma(b) - lgamma(a + b)).exp()

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        """NaN where a concentration is below 1."""
        a, b = self.concentration1, self.concentration0
        logs = b.reciprocal() * (-b).log1p() - (-b * a).log1p()
        return logs.masked_fill((b < 1) | (a < 1), math.nan).exp()

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self._moment(2) - self.mean.pow(2)

    def entropy(self) -> Tensor:
        """In nats."""
        a, b = self.concentration1, self.concentration0
        harmonic = digamma(b + 1) + euler_constant
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * harmonic - a.log() - b.log()


class LogisticNormal(TransformedDistribution):
    """Shares, one more than there are normal numbers, broken off as StickBreakingTransform does."""

    support = constraints.simplex
    base_dist: Independent
    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": constraints.real, "scale": constraints.positive}

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base: Distribution = Normal(loc, scale, validate_args)
        super().__init__(base if base.batch_shape else base.expand((1,)), StickBreakingTransform(), validate_args)

    @property
    def loc(self) -> Tensor:
        """The normal numbers' mean."""
        loc: Tensor = self.base_dist.base_dist.__dict__["loc"]
        return loc

    @property
    def scale(self) -> Tensor:
        """The normal numbers' standard deviation."""
        scale: Tensor = self.base_dist.base_dist.__dict__["scale"]
        return scale
