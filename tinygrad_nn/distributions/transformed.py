"""Distributions of transformed draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.continuous import Normal
from tinygrad_nn.distributions.distribution import Distribution, Shape
from tinygrad_nn.distributions.transforms import ExpTransform, Transform
from tinygrad_nn.distributions.utils import sum_rightmost
from tinygrad_nn.tensor import Tensor

__all__ = ["LogNormal", "TransformedDistribution"]


class TransformedDistribution(Distribution):
    """The draws of a base distribution after one transform, or several in turn."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {}

    def __init__(
        self, base_distribution: Distribution, transforms: Transform | Sequence[Transform], validate_args: bool | None = None
    ) -> None:
        self.base_dist = base_distribution
        self.transforms = [transforms] if isinstance(transforms, Transform) else list(transforms)
        self._event_ndims = max([len(base_distribution.event_shape), *(t.event_dim for t in self.transforms)])
        shape = (*base_distribution.batch_shape, *base_distribution.event_shape)
        cut = len(shape) - self._event_ndims
        super().__init__(shape[:cut], shape[cut:], validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether the base's draws are differentiable."""
        return self.base_dist.has_rsample

    @property
    def support(self) -> Constraint | None:
        """None: where the transforms lead is not checked."""
        return None

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
        grown: Any = 0.0
        y = value
        for transform in reversed(self.transforms):
            x = transform._undo(y)
            grown = grown + sum_rightmost(transform.log_abs_det_jacobian(x, y), self._event_ndims - transform.event_dim)
            y = x
        before = self.base_dist.log_prob(y)
        return sum_rightmost(before, self._event_ndims - len(self.base_dist.event_shape)) - grown

    def cdf(self, value: Tensor) -> Tensor:
        """The base's at the value turned back; NotImplementedError for other transforms than LogNormal's."""
        if not all(isinstance(t, ExpTransform) for t in self.transforms):
            raise NotImplementedError("TransformedDistribution.cdf is implemented for ExpTransform alone")
        for transform in reversed(self.transforms):
            value = transform._undo(value)
        return self.base_dist.cdf(value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class LogNormal(TransformedDistribution):
    """Numbers whose logarithms are normal."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": constraints.real, "scale": constraints.positive}

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(loc, scale, validate_args), ExpTransform(), validate_args)

    @property
    def loc(self) -> Tensor:
        """The mean of the logarithms."""
        loc: Tensor = self.base_dist.__dict__["loc"]
        return loc

    @property
    def scale(self) -> Tensor:
        """The standard deviation of the logarithms."""
        scale: Tensor = self.base_dist.__dict__["scale"]
        return scale

    @property
    def support(self) -> Constraint:
        """Above 0."""
        return constraints.positive

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
