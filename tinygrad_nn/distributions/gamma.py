"""Gamma, chi-squared, beta and Dirichlet distributions, all drawn from gamma numbers (Marsaglia & Tsang 2000)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from tinygrad_nn.autograd import is_grad_enabled
from tinygrad_nn.creation import new_leaf
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import Distribution, Shape
from tinygrad_nn.distributions.utils import all_numbers, broadcast_all
from tinygrad_nn.dtypes import finfo
from tinygrad_nn.generator import default_generator
from tinygrad_nn.methods.joining import stack
from tinygrad_nn.methods.special import digamma, lgamma, xlogy
from tinygrad_nn.tensor import Tensor

__all__ = ["Beta", "Chi2", "Dirichlet", "Gamma"]


def _undifferentiated(name: str, *parameters: Tensor) -> None:
    """NotImplementedError where a draw would have to carry gradients to its parameters."""
    if is_grad_enabled() and any(p.requires_grad for p in parameters):
        raise NotImplementedError(f"{name}.rsample: draws have no gradients here; sample() draws without them")


class Gamma(Distribution):
    """Sums of exponential times: of a `concentration`, at a `rate`. Draws carry no gradients to the concentration."""

    has_rsample = True
    concentration: Tensor
    rate: Tensor
    arg_constraints: ClassVar[dict[str, Constraint]] = {"concentration": constraints.positive, "rate": constraints.positive}

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(() if all_numbers(concentration, rate) else self.rate.shape, (), validate_args)

    @property
    def support(self) -> Constraint:
        """From 0 on."""
        return constraints.nonnegative

    @property
    def mean(self) -> Tensor:
        """concentration / rate."""
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        """(concentration - 1) / rate, not below 0."""
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        """concentration / rate**2."""
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Standard gamma numbers, divided; NotImplementedError if the concentration needs gradients."""
        _undifferentiated(type(self).__name__, self.concentration)
        shape, tiny = self._extended_shape(sample_shape), finfo(self.rate.dtype).tiny
        drawn = default_generator.gamma(np.broadcast_to(self.concentration.detach().numpy(), shape))
        return (new_leaf(np.maximum(drawn, tiny).astype(self.rate.dtype.numpy)) / self.rate).clamp(min=tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        part = xlogy(self.concentration, self.rate) + xlogy(self.concentration - 1, value)
        return part - self.rate * value - lgamma(self.concentration)

    def entropy(self) -> Tensor:
        """In nats."""
        at = self.concentration
        return at - self.rate.log() + lgamma(at) + (1.0 - at) * digamma(at)


class Chi2(Gamma):
    """Sums of squares of `df` normal numbers."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args)

    @property
    def df(self) -> Tensor:
        """The degrees of freedom."""
        return self.concentration * 2


class Dirichlet(Distribution):
    """Shares that add up to 1 along the last dimension. Draws carry no gradients; ValueError without dimensions."""

    has_rsample = True
    concentration: Tensor
    arg_constraints: ClassVar[dict[str, Constraint]] = {"concentration": constraints.independent(constraints.positive, 1)}

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.ndim < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args)

    @property
    def support(self) -> Constraint:
        """Shares."""
        return constraints.simplex

    @property
    def mean(self) -> Tensor:
        """The concentration by its sum."""
        return self.concentration / self.concentration.sum(-1, keepdim=True)

    @property
    def variance(self) -> Tensor:
        """The variance of each share."""
        total = self.concentration.sum(-1, keepdim=True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Gamma numbers by their sum; NotImplementedError if the concentration needs gradients."""
        _undifferentiated(type(self).__name__, self.concentration)
        given = self.concentration.detach().numpy()
        drawn = default_generator.gamma(np.broadcast_to(given, self._extended_shape(sample_shape)).astype(np.float64))
        shares = drawn / drawn.sum(-1, keepdims=True)
        return new_leaf(np.maximum(shares, finfo(self.concentration.dtype).tiny).astype(given.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        at = self.concentration
        return xlogy(at - 1.0, value).sum(-1) + lgamma(at.sum(-1)) - lgamma(at).sum(-1)

    def entropy(self) -> Tensor:
        """In nats."""
        at, k = self.concentration, self.concentration.size(-1)
        total = at.sum(-1)
        part = lgamma(at).sum(-1) - lgamma(total) - (k - total) * digamma(total)
        return part - ((at - 1.0) * digamma(at)).sum(-1)


class Beta(Distribution):
    """Shares of one of two things. Draws carry no gradients."""

    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "concentration1": constraints.positive, "concentration0": constraints.positive,
    }  # fmt: skip

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        both = broadcast_all(concentration1, concentration0)
        self._dirichlet = Dirichlet(stack(both, -1), validate_args=False)
        self.concentration1, self.concentration0 = both
        super().__init__(self._dirichlet.batch_shape, (), validate_args)

    @property
    def support(self) -> Constraint:
        """From 0 to 1."""
        return constraints.unit_interval

    @property
    def mean(self) -> Tensor:
        """The first concentration by the sum of both."""
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def variance(self) -> Tensor:
        """The variance."""
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Gamma numbers by their sum; NotImplementedError if a concentration needs gradients."""
        _undifferentiated(type(self).__name__, self.concentration1, self.concentration0)
        return self._dirichlet.rsample(sample_shape).select(-1, 0)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        return self._dirichlet.log_prob(stack([value, 1.0 - value], -1))

    def entropy(self) -> Tensor:
        """In nats."""
        return self._dirichlet.entropy()
