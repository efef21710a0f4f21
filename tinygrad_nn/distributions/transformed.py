"""Distributions of transformed draws."""

from __future__ import annotations

from typing import Any, ClassVar

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.composed import Independent
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import Distribution, Shape
from tinygrad_nn.distributions.transforms import ComposeTransform, Transform
from tinygrad_nn.distributions.utils import sum_rightmost
from tinygrad_nn.dtypes import Size
from tinygrad_nn.tensor import Tensor

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """The draws of a base distribution after one transform, or a list of them in turn; ValueError for anything else."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {}

    def __init__(
        self, base_distribution: Distribution, transforms: Transform | list[Transform], validate_args: bool | None = None
    ) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(self.transforms, list) or not all(isinstance(t, Transform) for t in self.transforms):
            raise ValueError(f"transforms must be a Transform or a list of Transforms, but was {transforms}")
        whole = ComposeTransform(self.transforms)
        taken, given = whole.domain.event_dim, whole.codomain.event_dim
        shape = base_distribution.batch_shape + base_distribution.event_shape
        if len(shape) < taken:
            raise ValueError(f"base_distribution needs to have shape with size at least {taken}, but got {shape}.")
        after = Size(whole.forward_shape(shape))
        self.base_dist = _as_wide(base_distribution, Size(whole.inverse_shape(after)), taken)
        # what the base's draws have beyond what the transforms take goes through them
        cut = len(after) - max(given, len(base_distribution.event_shape) + given - taken)
        super().__init__(after[:cut], after[cut:], validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether the base's draws are differentiable."""
        return self.base_dist.has_rsample

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Constraint | None:
        """Where the last transform leads."""
        if not self.transforms:
            return self.base_dist.support
        found = self.transforms[-1].codomain
        more = len(self._event_shape) - found.event_dim
        return constraints.independent(found, more) if more > 0 else found

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """The base's draws, transformed."""
        with no_grad():
            return self._through(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """The base's draws, transformed."""
        return self._through(self.base_dist.rsample(sample_shape))

    def _through(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        """The base's at the value turned back, less the logarithm of how much space has grown there."""
        self._validate_sample(value)
        event_dim = len(self._event_shape)
        grown: Any = 0.0
        y = value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            event_dim += transform.domain.event_dim - transform.codomain.event_dim
            grown = grown + sum_rightmost(transform.log_abs_det_jacobian(x, y), event_dim - transform.domain.event_dim)
            y = x
        return sum_rightmost(self.base_dist.log_prob(y), event_dim - len(self.base_dist.event_shape)) - grown

    def _turned(self, chance: Tensor) -> Tensor:
        """One minus the probability where the transforms fall, so that it counts from below."""
        sign = ComposeTransform(self.transforms).sign
        return chance if isinstance(sign, int) and sign == 1 else sign * (chance - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        """The base's at the value turned back; NotImplementedError for a transform that neither rises nor falls."""
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        return self._turned(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        """The base's, transformed; NotImplementedError for a transform that neither rises nor falls."""
        return self._through(self.base_dist.icdf(self._turned(value)))


def _as_wide(base: Distribution, shape: Size, event_dim: int) -> Distribution:
    """The base for a shape that the transforms' parameters broadcast it to, with as many event dimensions as they take."""
    own = len(base.event_shape)
    if shape != base.batch_shape + base.event_shape:
        base = base.expand(shape[: len(shape) - own])
    return Independent(base, event_dim - own) if event_dim > own else base
