"""Distributions over a number of things: one drawn, as its index or one-hot, or counts of several draws."""

from __future__ import annotations

import math
from typing import ClassVar

from tinygrad_nn.creation import eye, zeros
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.chances import given
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import Distribution, Shape
from tinygrad_nn.distributions.utils import broadcast_all, lazy_property, logits_to_probs, probs_to_logits
from tinygrad_nn.dtypes import Size, finfo
from tinygrad_nn.methods.shaping import broadcast_tensors
from tinygrad_nn.methods.special import lgamma
from tinygrad_nn.nn.functional import one_hot
from tinygrad_nn.random import multinomial
from tinygrad_nn.ranges import arange
from tinygrad_nn.tensor import Tensor

__all__ = ["ByWeight", "Categorical", "Multinomial", "OneHotCategorical", "OneHotCategoricalStraightThrough"]


class Categorical(Distribution):
    """The index of one of several things: policies of discrete actions.

    The probabilities lie along the last dimension and are normalized, given as they are or as logits. ValueError unless
    one of `probs` and `logits` is given, with at least one dimension.

    >>> Categorical(probs=Tensor([0.25, 0.75])).log_prob(arange(2))
    tensor([-1.3863, -0.2877])
    """

    has_enumerate_support = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def __init__(self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None) -> None:
        name, value = given(probs, logits)
        if value.ndim < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        self.__dict__[name] = value / value.sum(-1, keepdim=True) if name == "probs" else value - value.logsumexp(-1, keepdim=True)
        self._num_events = value.shape[-1]
        super().__init__(value.shape[:-1], (), validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities."""
        return logits_to_probs(self.logits)

    @lazy_property
    def logits(self) -> Tensor:
        """Their logarithms."""
        return probs_to_logits(self.probs)

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return (self.probs if "probs" in self.__dict__ else self.logits).size()

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Constraint:
        """The indices."""
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        """NaN: indices have none."""
        return self.probs.new_full(tuple(self._extended_shape()), math.nan)

    @property
    def variance(self) -> Tensor:
        """NaN: indices have none."""
        return self.mean

    @property
    def mode(self) -> Tensor:
        """The likeliest index."""
        likeliest: Tensor = self.probs.argmax(-1)
        return likeliest

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Indices drawn by their probabilities."""
        weights = self.probs.detach().reshape(-1, self._num_events)
        return multinomial(weights, math.prod(sample_shape), True).T.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        self._validate_sample(value)
        at, logits = broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        found: Tensor = logits.gather(-1, at[..., :1]).squeeze(-1)
        return found

    def entropy(self) -> Tensor:
        """In nats."""
        logits = self.logits.clamp(min=finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All indices."""
        values = arange(self._num_events).view(-1, *(1,) * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values


class ByWeight(Distribution):
    """Vectors of which a Categorical says how likely each place is."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def __init__(self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None) -> None:
        self._categorical = Categorical(probs, logits)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args)

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """Their logarithms."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return self._categorical.param_shape


class OneHotCategorical(ByWeight):
    """One of several things, as a vector with a 1 in its place."""

    support = constraints.one_hot
    has_enumerate_support = True

    @property
    def mean(self) -> Tensor:
        """The probabilities."""
        return self.probs

    @property
    def mode(self) -> Tensor:
        """The likeliest vector."""
        return one_hot(self.probs.argmax(-1), self._event_shape[0]).to(self.probs.dtype)

    @property
    def variance(self) -> Tensor:
        """p (1 - p)."""
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Vectors drawn by their probabilities."""
        return one_hot(self._categorical.sample(sample_shape), self._event_shape[0]).to(self.probs.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        self._validate_sample(value)
        value, logits = broadcast_all(value, self.logits)
        found: Tensor = logits.gather(-1, value.argmax(-1, keepdim=True)).squeeze(-1)
        return found

    def entropy(self) -> Tensor:
        """In nats."""
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All vectors."""
        n = self._event_shape[0]
        values = eye(n, dtype=self.probs.dtype).view(n, *(1,) * len(self._batch_shape), n)
        return values.expand(n, *self._batch_shape, n) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """One-hot vectors whose gradients go to the probabilities as if they had been them."""

    has_rsample = True

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Draws with the probabilities' gradients."""
        return self.sample(sample_shape) + (self.probs - self.probs.detach())


class Multinomial(ByWeight):
    """How often each of several things comes in `total_count` draws.

    NotImplementedError for a count that is no number.
    """

    def __init__(
        self, total_count: int = 1, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        super().__init__(probs, logits, validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Constraint:
        """Counts that add up to no more."""
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        """p n."""
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        """p (1 - p) n."""
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """The counts of each of so many draws."""
        drawn = self._categorical.sample((self.total_count, *sample_shape))
        drawn = drawn.permute(*range(1, drawn.ndim), 0)
        counts = zeros(self._extended_shape(sample_shape), dtype=drawn.dtype)
        counts.scatter_add_(-1, drawn, drawn * 0 + 1)
        return counts.to(self.probs.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability."""
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        factorials = lgamma(value.sum(-1) + 1) - lgamma(value + 1).sum(-1)
        return factorials + (logits.masked_fill((value == 0) & (logits == -math.inf), 0) * value).sum(-1)

    def entropy(self) -> Tensor:
        """In nats."""
        n = self.total_count
        counts = arange(1, n + 1, dtype=self.probs.dtype).view(-1, *(1,) * self.probs.ndim)
        chances = (
            math.lgamma(n + 1) - lgamma(counts + 1) - lgamma(n - counts + 1)
            + counts * self.logits + (n - counts) * (-self.probs).log1p()
        ).exp()  # fmt: skip
        return n * self._categorical.entropy() - math.lgamma(n + 1) + (chances * lgamma(counts + 1)).sum((0, -1))
