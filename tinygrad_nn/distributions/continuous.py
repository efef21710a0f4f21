"""Distributions of one real number, each by its location and scale."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from tinygrad_nn.creation import empty
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import Distribution, Located, Shape
from tinygrad_nn.distributions.utils import all_numbers, broadcast_all
from tinygrad_nn.dtypes import finfo
from tinygrad_nn.random import normal, rand, randn
from tinygrad_nn.tensor import Tensor

__all__ = ["Cauchy", "Exponential", "HalfNormal", "Laplace", "Normal", "Uniform"]


class _LocationScale(Located):
    """A parameter `loc` that is any number, and a `scale` above 0."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": constraints.real, "scale": constraints.positive}
    has_rsample = True
    scale: Tensor

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(() if all_numbers(loc, scale) else self.loc.shape, (), validate_args)

    @property
    def support(self) -> Constraint:
        """All numbers."""
        return constraints.real


class Normal(_LocationScale):
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
    arg_constraints: ClassVar[dict[str, Constraint]] = {"low": constraints.real, "high": constraints.real}

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self.low, self.high = broadcast_all(low, high)
        super().__init__(() if all_numbers(low, high) else self.low.shape, (), validate_args)
        if self._validate_args and not bool((self.low < self.high).all()):
            raise ValueError(f"Uniform is not defined when low>= high: got low {self.low} and high {self.high}")

    @property
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


class Exponential(Distribution):
    """Times until something happens that does at a rate."""

    has_rsample = True
    rate: Tensor
    arg_constraints: ClassVar[dict[str, Constraint]] = {"rate": constraints.positive}

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(() if all_numbers(rate) else self.rate.shape, (), validate_args)

    @property
    def support(self) -> Constraint:
        """From 0 on."""
        return constraints.nonnegative

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


class HalfNormal(Distribution):
    """The distances from 0 of normal numbers of mean 0."""

    has_rsample = True
    scale: Tensor
    arg_constraints: ClassVar[dict[str, Constraint]] = {"scale": constraints.positive}

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        (self.scale,) = broadcast_all(scale)
        super().__init__(() if all_numbers(scale) else self.scale.shape, (), validate_args)

    @property
    def support(self) -> Constraint:
        """From 0 on."""
        return constraints.nonnegative

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def mode(self) -> Tensor:
        """0."""
        return self.scale.detach() * 0

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.scale.pow(2) * (1 - 2 / math.pi)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Normal numbers without their signs."""
        return (randn(self._extended_shape(sample_shape), dtype=self.scale.dtype) * self.scale).abs()

    def log_prob(self, value: Tensor) -> Tensor:
        """Twice the normal density above 0, in logarithms."""
        self._validate_sample(value)
        inside = Normal(0 * self.scale, self.scale, validate_args=False).log_prob(value) + math.log(2)
        return inside.masked_fill(value < 0, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw not above a value."""
        self._validate_sample(value)
        return 2 * Normal(0 * self.scale, self.scale, validate_args=False).cdf(value) - 1

    def icdf(self, value: Tensor) -> Tensor:
        """The value that a draw is not above with a probability."""
        return Normal(0 * self.scale, self.scale, validate_args=False).icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        """In nats."""
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log() - math.log(2)
