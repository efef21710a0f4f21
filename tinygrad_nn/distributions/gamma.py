"""Gamma, chi-squared, beta and Dirichlet distributions, all drawn from gamma numbers (Marsaglia & Tsang 2000).

Draws are differentiable by implicit differentiation of the distribution function (Figurnov, Mohamed & Mnih 2018), once.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from tinygrad_nn.autograd import Function
from tinygrad_nn.autograd.function import once_differentiable
from tinygrad_nn.creation import as_tensor, new_leaf
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import ExponentialFamily, Shape
from tinygrad_nn.distributions.utils import all_numbers, broadcast_all
from tinygrad_nn.dtypes import finfo
from tinygrad_nn.generator import default_generator
from tinygrad_nn.incomplete import beta_slope, gamma_slope
from tinygrad_nn.methods.joining import stack
from tinygrad_nn.methods.pointwise import where
from tinygrad_nn.methods.special import digamma, gammainc, lgamma, xlogy
from tinygrad_nn.nn.functional import one_hot
from tinygrad_nn.tensor import Tensor

__all__ = ["Beta", "Chi2", "Dirichlet", "Gamma"]


class _StandardGamma(Function):
    """A gamma number of rate 1 for each concentration."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        given = concentration.detach().numpy()
        drawn = np.maximum(default_generator.gamma(given), finfo(concentration.dtype).tiny)
        found = new_leaf(drawn.astype(given.dtype))
        ctx.save_for_backward(concentration, found)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        at, drawn = (saved.detach().numpy() for saved in ctx.saved_tensors)
        return gradient * new_leaf(gamma_slope(at, drawn).astype(at.dtype))


class _StandardDirichlet(Function):
    """Gamma numbers by their sum along the last dimension; each share is a beta number, the others make room for it."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        given = concentration.detach().numpy()
        drawn = default_generator.gamma(given.astype(np.float64))
        shares = np.maximum(drawn / drawn.sum(-1, keepdims=True), finfo(concentration.dtype).tiny)
        found = new_leaf(shares.astype(given.dtype))
        ctx.save_for_backward(concentration, found)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        at, share = (saved.detach().numpy().astype(np.float64) for saved in ctx.saved_tensors)
        share = np.minimum(share, 1 - np.finfo(np.float64).epsneg)
        slope = beta_slope(at, at.sum(-1, keepdims=True) - at, share) / (1 - share)
        moved = gradient - (ctx.saved_tensors[1] * gradient).sum(-1, keepdim=True)
        return moved * new_leaf(slope.astype(gradient.dtype.numpy))


class Gamma(ExponentialFamily):
    """Sums of exponential times: of a `concentration`, at a `rate`."""

    support = constraints.nonnegative
    has_rsample = True
    concentration: Tensor
    rate: Tensor
    arg_constraints: ClassVar[dict[str, Constraint]] = {"concentration": constraints.positive, "rate": constraints.positive}

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(() if all_numbers(concentration, rate) else self.rate.shape, (), validate_args)

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
        """Standard gamma numbers, divided."""
        drawn: Tensor = _StandardGamma.apply(self.concentration.expand(self._extended_shape(sample_shape)))
        return (drawn / self.rate).clamp(min=finfo(self.rate.dtype).tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        value = as_tensor(value, dtype=self.rate.dtype)
        self._validate_sample(value)
        part = xlogy(self.concentration, self.rate) + xlogy(self.concentration - 1, value)
        return part - self.rate * value - lgamma(self.concentration)

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw not above a value."""
        self._validate_sample(value)
        return gammainc(*broadcast_all(self.concentration, self.rate * value))

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


class Dirichlet(ExponentialFamily):
    """Shares that add up to 1 along the last dimension; ValueError without dimensions."""

    support = constraints.simplex
    has_rsample = True
    concentration: Tensor
    arg_constraints: ClassVar[dict[str, Constraint]] = {"concentration": constraints.independent(constraints.positive, 1)}

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.ndim < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args)

    @property
    def mean(self) -> Tensor:
        """The concentration by its sum."""
        return self.concentration / self.concentration.sum(-1, keepdim=True)

    @property
    def mode(self) -> Tensor:
        """The likeliest shares; where all concentrations are below 1 and no shares are, all of the first of the greatest."""
        above = (self.concentration - 1).clamp(min=0.0)
        found = above / above.sum(-1, keepdim=True)
        edge = one_hot(found.argmax(-1), found.shape[-1]).to(found.dtype)
        return where((self.concentration < 1).all(-1, keepdim=True), edge, found)

    @property
    def variance(self) -> Tensor:
        """The variance of each share."""
        total = self.concentration.sum(-1, keepdim=True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Gamma numbers by their sum."""
        drawn: Tensor = _StandardDirichlet.apply(self.concentration.expand(self._extended_shape(sample_shape)))
        return drawn

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


class Beta(ExponentialFamily):
    """Shares of one of two things.

    >>> Beta(2.0, 3.0).mean
    tensor(0.4000)
    """

    support = constraints.unit_interval
    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "concentration1": constraints.positive, "concentration0": constraints.positive,
    }  # fmt: skip

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        self._dirichlet = Dirichlet(stack(broadcast_all(concentration1, concentration0), -1), validate_args)
        super().__init__(self._dirichlet.batch_shape, (), validate_args)

    @property
    def concentration1(self) -> Tensor:
        """The concentration of the thing whose shares are drawn."""
        return self._dirichlet.concentration[..., 0]

    @property
    def concentration0(self) -> Tensor:
        """The concentration of the other thing."""
        return self._dirichlet.concentration[..., 1]

    @property
    def mean(self) -> Tensor:
        """The first concentration by the sum of both."""
        return self._dirichlet.mean[..., 0]

    @property
    def mode(self) -> Tensor:
        """The likeliest share."""
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self._dirichlet.variance[..., 0]

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Gamma numbers by their sum."""
        return self._dirichlet.rsample(sample_shape).select(-1, 0)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        return self._dirichlet.log_prob(stack([value, 1.0 - value], -1))

    def entropy(self) -> Tensor:
        """In nats."""
        return self._dirichlet.entropy()
