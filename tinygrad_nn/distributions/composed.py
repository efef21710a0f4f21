"""Distributions made of others: batches read as events, and mixtures."""

from __future__ import annotations

from typing import ClassVar

from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.categorical import Categorical
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import Distribution, Shape
from tinygrad_nn.distributions.utils import sum_rightmost
from tinygrad_nn.tensor import Tensor

__all__ = ["Independent", "MixtureSameFamily"]


class Independent(Distribution):
    """A distribution whose last batch dimensions are read as part of each draw; ValueError if there are not so many."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {}

    def __init__(self, base_distribution: Distribution, reinterpreted_batch_ndims: int, validate_args: bool | None = None) -> None:
        batch, n = base_distribution.batch_shape, reinterpreted_batch_ndims
        if n > len(batch):
            raise ValueError(
                "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), "
                f"actual {n} vs {len(batch)}"
            )  # fmt: skip
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, n
        cut = len(batch) - n
        super().__init__(batch[:cut], (*batch[cut:], *base_distribution.event_shape), validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether the base's draws are differentiable."""
        return self.base_dist.has_rsample

    @constraints.dependent_property
    def support(self) -> Constraint | None:
        """The base's, met by whole events."""
        base, n = self.base_dist.support, self.reinterpreted_batch_ndims
        return constraints.independent(base, n) if base is not None and n else base

    @property
    def mean(self) -> Tensor:
        """The base's."""
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        """The base's."""
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        """The base's."""
        return self.base_dist.variance

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """The base's draws."""
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """The base's draws."""
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """The sum of the base's over each event."""
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        """The sum of the base's over each event."""
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def __repr__(self) -> str:
        return f"Independent({self.base_dist!r}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamily(Distribution):
    """Draws from one of several distributions of a kind, which lie along the last batch dimension.

    ValueError for a mixing distribution that is no Categorical or has another shape.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {}

    def __init__(
        self, mixture_distribution: Categorical, component_distribution: Distribution, validate_args: bool | None = None
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(" The Mixture distribution needs to be an  instance of torch.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("The Component distribution need to be an instance of torch.distributions.Distribution")
        batch = component_distribution.batch_shape
        for a, b in zip(reversed(mixture_distribution.batch_shape), reversed(batch[:-1]), strict=False):
            if a != b and 1 not in (a, b):
                raise ValueError(f"`mixture_distribution.batch_shape` ({mixture_distribution.batch_shape}) is not compatible "
                                 f"with `component_distribution.batch_shape`({batch})")  # fmt: skip
        count = mixture_distribution.logits.shape[-1]
        if count != batch[-1]:
            raise ValueError(
                f"`mixture_distribution component` ({count}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({batch[-1]})"
            )
        self.mixture_distribution, self.component_distribution = mixture_distribution, component_distribution
        self._event_ndims = len(component_distribution.event_shape)
        super().__init__(batch[:-1], component_distribution.event_shape, validate_args)

    @constraints.dependent_property
    def support(self) -> Constraint | None:
        """What all components allow."""
        base = self.component_distribution.support
        return base if base is None else constraints.MixtureSameFamilyConstraint(base)

    def _weights(self) -> Tensor:
        probs: Tensor = self.mixture_distribution.probs
        return probs.reshape((*probs.shape, *(1,) * self._event_ndims))

    @property
    def mean(self) -> Tensor:
        """The weighted mean of the means."""
        return (self._weights() * self.component_distribution.mean).sum(-1 - self._event_ndims)

    @property
    def variance(self) -> Tensor:
        """The weighted mean of the variances, and the variance of the means."""
        axis, each = -1 - self._event_ndims, self.component_distribution
        within = (self._weights() * each.variance).sum(axis)
        return within + (self._weights() * (each.mean - self.mean.unsqueeze(axis)).pow(2)).sum(axis)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """The draws of the components that the mixing distribution picks."""
        axis = len(sample_shape) + len(self._batch_shape)
        picked = self.mixture_distribution.sample(sample_shape)
        drawn = self.component_distribution.sample(sample_shape)
        at = picked.reshape((*picked.shape, *(1,) * (self._event_ndims + 1)))
        at = at.expand((*drawn.shape[:axis], 1, *drawn.shape[axis + 1 :]))
        found: Tensor = drawn.gather(axis, at).squeeze(axis)
        return found

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the weighted sum of the densities."""
        self._validate_sample(value)
        each = self.component_distribution.log_prob(value.unsqueeze(-1 - self._event_ndims))
        weights: Tensor = self.mixture_distribution.logits.log_softmax(-1)
        return (each + weights).logsumexp(-1)

    def cdf(self, value: Tensor) -> Tensor:
        """The weighted sum of the components'."""
        each = self.component_distribution.cdf(value.unsqueeze(-1))
        found: Tensor = (each * self.mixture_distribution.probs).sum(-1)
        return found

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self.mixture_distribution!r},\n  {self.component_distribution!r})"
