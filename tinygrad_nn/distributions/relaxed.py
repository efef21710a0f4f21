"""Draws that are nearly 0 and 1, or nearly one-hot, and differentiable (Maddison, Mnih & Teh 2017; Jang, Gu & Poole 2017)."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from tinygrad_nn.creation import full_like
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.categorical import ByWeight
from tinygrad_nn.distributions.chances import ByChance
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import Distribution, Shape
from tinygrad_nn.distributions.transformed import TransformedDistribution
from tinygrad_nn.distributions.transforms import ExpTransform, SigmoidTransform
from tinygrad_nn.distributions.utils import broadcast_all, clamp_probs
from tinygrad_nn.methods.special import lgamma
from tinygrad_nn.random import rand
from tinygrad_nn.tensor import Tensor

__all__ = ["ExpRelaxedCategorical", "LogitRelaxedBernoulli", "RelaxedBernoulli", "RelaxedOneHotCategorical"]


class _Tempered(Distribution):
    """A distribution of a `temperature`, which is one for the whole batch."""

    temperature: Tensor

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Self:
        """The same distribution for a larger batch."""
        new = super().expand(batch_shape)
        new.temperature = self.temperature
        return new


class LogitRelaxedBernoulli(_Tempered, ByChance):
    """The logarithms of the odds of RelaxedBernoulli's draws."""

    support = constraints.real

    def __init__(
        self, temperature: Tensor, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        super().__init__(probs, logits, validate_args)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Logistic numbers moved by the logits, by the temperature."""
        shape = self._extended_shape(sample_shape)
        probs = clamp_probs(self.probs.expand(shape))
        u = clamp_probs(rand(shape, dtype=probs.dtype))
        return (u.log() - (-u).log1p() + probs.log() - (-probs).log1p()) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        apart = logits - value * self.temperature
        return self.temperature.log() + apart - 2 * apart.exp().log1p()


class ExpRelaxedCategorical(_Tempered, ByWeight):
    """The logarithms of RelaxedOneHotCategorical's draws."""

    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, temperature: Tensor, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        super().__init__(probs, logits, validate_args)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """The logits moved by Gumbel numbers, by the temperature, normalized."""
        u = clamp_probs(rand(self._extended_shape(sample_shape), dtype=self.logits.dtype))
        scores = (self.logits - (-u.log()).log()) / self.temperature
        return scores - scores.logsumexp(-1, keepdim=True)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        k = self._event_shape[0]
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        score = logits - value * self.temperature
        score = (score - score.logsumexp(-1, keepdim=True)).sum(-1)
        return score + lgamma(full_like(self.temperature, k)) + self.temperature.log() * (k - 1)


class _Relaxed(TransformedDistribution):
    base_dist: LogitRelaxedBernoulli | ExpRelaxedCategorical

    @property
    def temperature(self) -> Tensor:
        """The closer to 0, the closer the draws are to 0 and 1."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """The base's logits."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The base's probabilities."""
        return self.base_dist.probs


class RelaxedBernoulli(_Relaxed):
    """Numbers from 0 to 1, the closer to one of them the lower the temperature."""

    support = constraints.unit_interval
    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": constraints.unit_interval, "logits": constraints.real}

    def __init__(
        self, temperature: Tensor, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        super().__init__(LogitRelaxedBernoulli(temperature, probs, logits), SigmoidTransform(), validate_args)


class RelaxedOneHotCategorical(_Relaxed):
    """Shares, the closer to one-hot the lower the temperature."""

    support = constraints.simplex
    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def __init__(
        self, temperature: Tensor, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        super().__init__(ExpRelaxedCategorical(temperature, probs, logits, validate_args), ExpTransform(), validate_args)
