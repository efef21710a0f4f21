"""biject_to and transform_to: from all numbers to what a constraint allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_nn.distributions import constraints, transforms
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.transforms import Transform

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]

Factory = Callable[[Any], Transform]


class ConstraintRegistry:
    """Of a constraint, a transform from all numbers to it."""

    def __init__(self) -> None:
        self._registry: dict[type[Constraint], Factory] = {}

    def register(self, constraint: Any, factory: Factory | None = None) -> Any:
        """Enter what makes the transform of a kind of constraint, or decorate it; TypeError for what is no constraint."""
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        kind = type(constraint) if isinstance(constraint, Constraint) else constraint
        if not (isinstance(kind, type) and issubclass(kind, Constraint)):
            raise TypeError(f"Expected constraint to be either a Constraint subclass or instance, but got {constraint}")
        self._registry[kind] = factory
        return factory

    def __call__(self, constraint: Constraint) -> Transform:
        """The transform; NotImplementedError where none is known.

        >>> biject_to(constraints.unit_interval)
        SigmoidTransform()
        """
        if type(constraint) not in self._registry:
            raise NotImplementedError(f"Cannot transform {type(constraint).__name__} constraints")
        return self._registry[type(constraint)](constraint)


biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()


def _greater_than(constraint: Any) -> Transform:
    return transforms.ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(constraint.lower_bound, 1)])


def _less_than(constraint: Any) -> Transform:
    return transforms.ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(constraint.upper_bound, -1)])


def _interval(constraint: Any) -> Transform:
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, int | float) and isinstance(high, int | float) and (low, high) == (0, 1):
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)])


def _enter_all(registry: ConstraintRegistry) -> None:
    """What both registries know."""
    registry.register(constraints.real, lambda _: transforms.identity_transform)
    registry.register(constraints.greater_than, _greater_than)
    registry.register(constraints.greater_than_eq, _greater_than)
    registry.register(constraints.less_than, _less_than)
    registry.register(constraints.interval, _interval)
    registry.register(constraints.half_open_interval, _interval)
    registry.register(constraints.corr_cholesky, lambda _: transforms.CorrCholeskyTransform())
    registry.register(
        constraints.independent, lambda c: transforms.IndependentTransform(registry(c.base_constraint), c.reinterpreted_batch_ndims)
    )
    registry.register(constraints.cat, lambda c: transforms.CatTransform([registry(each) for each in c.cseq], c.dim, c.lengths))
    registry.register(constraints.stack, lambda c: transforms.StackTransform([registry(each) for each in c.cseq], c.dim))


_enter_all(biject_to)
_enter_all(transform_to)
biject_to.register(constraints.simplex, lambda _: transforms.StickBreakingTransform())
transform_to.register(constraints.simplex, lambda _: transforms.SoftmaxTransform())
transform_to.register(constraints.lower_cholesky, lambda _: transforms.LowerCholeskyTransform())
transform_to.register(constraints.positive_definite, lambda _: transforms.PositiveDefiniteTransform())
transform_to.register(constraints.positive_semidefinite, lambda _: transforms.PositiveDefiniteTransform())
