"""Distributions of one real number, each by its location and scale."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from tinygrad_nn.creation import empty
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import Distribution, ExponentialFamily, Located, Shape
from tinygrad_nn.distributions.utils import all_numbers, broadcast_all
from tinygrad_nn.dtypes import finfo
from tinygrad_nn.methods.pointwise import where
from tinygrad_nn.random import normal, rand, randn
from tinygrad_nn.tensor import Tensor

__all__ = ["Cauchy", "Exponential", "GeneralizedPareto", "Laplace", "Normal", "Uniform"]


class _LocationScale(Located):
    """A parameter `loc` that is any number, and a `scale` above 0."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    scale: Tensor

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(() if all_numbers(loc, scale) else self.loc.shape, (), validate_args)



class Normal(_LocationScale, ExponentialFamily):
    """Numbers of a mean and a standard deviation.

    >>> Normal(0.0, 2.0).log_prob(Tensor([1.0]))
    tensor([-1.7371])
    """

    @property
    def stddev(self) -> Tensor:
        """The scale."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """The square of the scale."""
        return self.scale.pow(2)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draws, without derivatives."""
        shape = self._extended_shape(sample_shape)
        return normal(self.loc.detach().expand(shape), self.scale.detach().expand(shape))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """loc plus scale times standard normal numbers."""
        return self.loc + randn(self._extended_shape(sample_shape), dtype=self.loc.dtype) * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        return -((value - self.loc) ** 2) / (2 * self.scale**2) - self.scale.log() - math.log(math.sqrt(2 * math.pi))

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw not above a value."""
        self._validate_sample(value)
        return 0.5 * (1 + ((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)).erf())

    def icdf(self, value: Tensor) -> Tensor:
        """The value that a draw is not above with a probability."""
        return self.loc + self.scale * (2 * value - 1).erfinv() * math.sqrt(2)

    def entropy(self) -> Tensor:
        """In nats."""
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()


class Laplace(_LocationScale):
    """Numbers whose distance from a location is exponential."""

    @property
    def variance(self) -> Tensor:
        """Twice the square of the scale."""
        return 2 * self.scale.pow(2)

    @property
    def stddev(self) -> Tensor:
        """The root of the variance."""
        return 2**0.5 * self.scale

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """By inversion of uniform numbers."""
        u = empty(self._extended_shape(sample_shape), dtype=self.loc.dtype).uniform_(finfo(self.loc.dtype).eps - 1, 1)
        return self.loc - self.scale * u.sign() * (-u.abs()).log1p()

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw not above a value."""
        self._validate_sample(value)
        return 0.5 - 0.5 * (value - self.loc).sign() * (-(value - self.loc).abs() / self.scale).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        """The value that a draw is not above with a probability."""
        term = value - 0.5
        return self.loc - self.scale * term.sign() * (-2 * term.abs()).log1p()

    def entropy(self) -> Tensor:
        """In nats."""
        return 1 + (2 * self.scale).log()


class Cauchy(_LocationScale):
    """Quotients of two normal numbers, scaled and moved."""

    @property
    def mean(self) -> Tensor:
        """NaN: there is none."""
        return self.loc.new_full(tuple(self._extended_shape()), math.nan)

    @property
    def variance(self) -> Tensor:
        """Infinite."""
        return self.loc.new_full(tuple(self._extended_shape()), math.inf)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """loc plus scale times standard Cauchy numbers."""
        return self.loc + empty(self._extended_shape(sample_shape), dtype=self.loc.dtype).cauchy_() * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        return -math.log(math.pi) - self.scale.log() - (((value - self.loc) / self.scale) ** 2).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw not above a value."""
        self._validate_sample(value)
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        """The value that a draw is not above with a probability."""
        return (math.pi * (value - 0.5)).tan() * self.scale + self.loc

    def entropy(self) -> Tensor:
        """In nats."""
        return math.log(4 * math.pi) + self.scale.log()


class Uniform(Distribution):
    """Numbers from `low` up to `high`, each as likely; ValueError unless low < high."""

    has_rsample = True
    low: Tensor
    high: Tensor

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self.low, self.high = broadcast_all(low, high)
        super().__init__(() if all_numbers(low, high) else self.low.shape, (), validate_args)

    @property
    def arg_constraints(self) -> dict[str, Constraint]:
        """Each bound by the other."""
        return {"low": constraints.less_than(self.high), "high": constraints.greater_than(self.low)}

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Constraint:
        """From low to high."""
        return constraints.interval(self.low, self.high)

    @property
    def mean(self) -> Tensor:
        """The middle."""
        return (self.high + self.low) / 2

    @property
    def mode(self) -> Tensor:
        """NaN: all values are as likely."""
        return math.nan * self.high

    @property
    def stddev(self) -> Tensor:
        """The root of the variance."""
        return (self.high - self.low) / 12**0.5

    @property
    def variance(self) -> Tensor:
        """A twelfth of the width's square."""
        return (self.high - self.low).pow(2) / 12

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Uniform numbers stretched."""
        return self.low + rand(self._extended_shape(sample_shape), dtype=self.low.dtype) * (self.high - self.low)

    def log_prob(self, value: Tensor) -> Tensor:
        """Minus the logarithm of the width inside, minus infinity outside."""
        self._validate_sample(value)
        inside = (self.low.le(value) & self.high.gt(value)).type_as(self.low)
        return inside.log() - (self.high - self.low).log()

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw not above a value."""
        self._validate_sample(value)
        return ((value - self.low) / (self.high - self.low)).clamp(min=0, max=1)

    def icdf(self, value: Tensor) -> Tensor:
        """The value that a draw is not above with a probability."""
        return value * (self.high - self.low) + self.low

    def entropy(self) -> Tensor:
        """In nats."""
        return (self.high - self.low).log()


class Exponential(ExponentialFamily):
    """Times until something happens that does at a rate."""

    support = constraints.nonnegative
    has_rsample = True
    rate: Tensor
    arg_constraints: ClassVar[dict[str, Constraint]] = {"rate": constraints.positive}

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(() if all_numbers(rate) else self.rate.shape, (), validate_args)

    @property
    def mean(self) -> Tensor:
        """One by the rate."""
        return self.rate.reciprocal()

    @property
    def mode(self) -> Tensor:
        """0."""
        return self.rate.detach() * 0

    @property
    def stddev(self) -> Tensor:
        """The mean."""
        return self.rate.reciprocal()

    @property
    def variance(self) -> Tensor:
        """The square of the mean."""
        return self.rate.pow(-2)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Exponential numbers of rate 1, divided."""
        return empty(self._extended_shape(sample_shape), dtype=self.rate.dtype).exponential_() / self.rate

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        return self.rate.log() - self.rate * value

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw not above a value."""
        self._validate_sample(value)
        return 1 - (-self.rate * value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        """The value that a draw is not above with a probability."""
        return -(-value).log1p() / self.rate

    def entropy(self) -> Tensor:
        """In nats."""
        return 1.0 - self.rate.log()


class GeneralizedPareto(Distribution):
    """What is beyond a threshold `loc` (Pickands 1975): exponential at a concentration of 0, heavier above, bounded below."""

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real,
    }  # fmt: skip

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(() if all_numbers(loc, scale, concentration) else self.loc.shape, (), validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Constraint:
        """From the location on, bounded for a negative concentration."""
        end = where(self.concentration < 0, self.loc - self.scale / self.concentration, math.inf)
        return constraints.interval(self.loc, end)

    def _split(self) -> tuple[Tensor, Tensor]:
        """Where the concentration is 0, and the concentration with 1 there."""
        zero = self.concentration.abs() <= 1e-8
        return zero, self.concentration.masked_fill(zero, 1.0)

    @property
    def mean(self) -> Tensor:
        """NaN for a concentration from 1 on."""
        beyond = self.concentration >= 1
        return (self.loc + self.scale / (1 - self.concentration.masked_fill(beyond, 0.5))).masked_fill(beyond, math.nan)

    @property
    def mode(self) -> Tensor:
        """The location."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """NaN for a concentration from 1/2 on."""
        beyond = self.concentration >= 0.5
        at = self.concentration.masked_fill(beyond, 0.25)
        return (self.scale**2 / ((1 - at) ** 2 * (1 - 2 * at))).masked_fill(beyond, math.nan)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """By inversion of uniform numbers."""
        return self.icdf(rand(self._extended_shape(sample_shape), dtype=self.loc.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        z, (zero, at) = (value - self.loc) / self.scale, self._split()
        power = 1 / at + 1
        return -self.scale.log() - where(zero, z, where(power == 0, power, power * (at * z).log1p()))

    def log_survival_function(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of a draw above a value."""
        self._validate_sample(value)
        z, (zero, at) = (value - self.loc) / self.scale, self._split()
        return where(zero, -z, -(at * z).log1p() / at)

    def log_cdf(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of a draw not above a value."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw not above a value."""
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        """The value that a draw is not above with a probability."""
        logs, (zero, at) = (-value).log1p(), self._split()
        return self.loc + self.scale * where(zero, -logs, (-at * logs).expm1() / at)

    def entropy(self) -> Tensor:
        """In nats."""
        return self.scale.log() + self.concentration + 1
