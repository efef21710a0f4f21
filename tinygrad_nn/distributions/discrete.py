"""Distributions of counts and of yes or no."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from tinygrad_nn.creation import arange, empty
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.chances import ByChance
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import Distribution, Shape
from tinygrad_nn.distributions.utils import all_numbers, broadcast_all
from tinygrad_nn.dtypes import finfo
from tinygrad_nn.methods.special import lgamma, xlogy
from tinygrad_nn.nn.functional import binary_cross_entropy_with_logits
from tinygrad_nn.random import bernoulli
from tinygrad_nn.tensor import Tensor

__all__ = ["Bernoulli", "Geometric", "Poisson"]


class _Chances(ByChance):
    """A probability for each place, given as it is or as the logarithm of the odds."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": constraints.unit_interval, "logits": constraints.real}
    _binary = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        name, given = self._given(probs, logits)
        (self.__dict__[name],) = broadcast_all(given)
        super().__init__(() if all_numbers(given) else self.__dict__[name].shape, (), validate_args)


class Bernoulli(_Chances):
    """1 with a probability, else 0.

    >>> Bernoulli(probs=Tensor([0.25])).entropy()
    tensor([0.5623])
    """

    has_enumerate_support = True

    @property
    def support(self) -> Constraint:
        """0 and 1."""
        return constraints.boolean

    @property
    def mean(self) -> Tensor:
        """The probability."""
        return self.probs

    @property
    def mode(self) -> Tensor:
        """1 where it is likelier than 0, NaN where neither is."""
        return (self.probs >= 0.5).to(self.probs.dtype).masked_fill(self.probs == 0.5, math.nan)

    @property
    def variance(self) -> Tensor:
        """p (1 - p)."""
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draws of 0 and 1."""
        return bernoulli(self.probs.detach().expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        """In nats."""
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """0 and 1."""
        values = arange(2, dtype=self.probs.dtype).view(-1, *(1,) * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values


class Geometric(_Chances):
    """How many times something fails before it first succeeds."""

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        super().__init__(probs, logits, validate_args)
        if self._validate_args and probs is not None and not bool((self.probs > 0).all()):
            raise ValueError(f"Expected parameter probs of distribution {self!r} to be positive but found invalid values")

    @property
    def support(self) -> Constraint:
        """Counts."""
        return constraints.nonnegative_integer

    @property
    def mean(self) -> Tensor:
        """1 / p - 1."""
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        """0."""
        return self.probs.detach() * 0

    @property
    def variance(self) -> Tensor:
        """(1 / p - 1) / p."""
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draws, by inversion."""
        probs = self.probs.detach().expand(self._extended_shape(sample_shape))
        u = empty(tuple(probs.shape), dtype=probs.dtype).uniform_(finfo(probs.dtype).tiny, 1)
        return (u.log() / (-probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        probs = probs.masked_fill((probs == 1) & (value == 0), 0.0)
        return value * (-probs).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        """In nats."""
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs


class Poisson(Distribution):
    """Counts of what happens at a rate. There are no draws: PyTorch's order of them is not known here."""

    rate: Tensor
    arg_constraints: ClassVar[dict[str, Constraint]] = {"rate": constraints.nonnegative}

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(() if all_numbers(rate) else self.rate.shape, (), validate_args)

    @property
    def support(self) -> Constraint:
        """Counts."""
        return constraints.nonnegative_integer

    @property
    def mean(self) -> Tensor:
        """The rate."""
        return self.rate

    @property
    def mode(self) -> Tensor:
        """The floor of the rate."""
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        """The rate."""
        return self.rate

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Not supported: the generator has no draw for it in PyTorch's order."""
        raise NotImplementedError("Poisson.sample: not supported; the generator has no draw for it in PyTorch's order")

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        self._validate_sample(value)
        return xlogy(value, self.rate) - self.rate - lgamma(value + 1)
