"""Constraints on the parameters and values of distributions: each says of a tensor where it is met."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_nn import linalg
from tinygrad_nn.tensor import Tensor

__all__ = [
    "Constraint", "boolean", "greater_than", "greater_than_eq", "half_open_interval", "independent", "integer_interval",
    "interval", "lower_cholesky", "multinomial", "nonnegative", "nonnegative_integer", "one_hot", "positive",
    "positive_definite", "positive_integer", "real", "real_vector", "simplex", "unit_interval",
]  # fmt: skip


class Constraint:
    """A region: `check(value)` is true wherever a value lies in it; it takes up the last `event_dim` dimensions."""

    def __init__(self, name: str, test: Callable[[Tensor], Tensor], event_dim: int = 0, is_discrete: bool = False) -> None:
        self._name, self._test, self.event_dim, self.is_discrete = name, test, event_dim, is_discrete

    def check(self, value: Tensor) -> Tensor:
        """Where the value meets the constraint: bools."""
        return self._test(value.detach())

    def __repr__(self) -> str:
        return self._name


def greater_than(lower_bound: Any) -> Constraint:
    """Numbers above a bound."""
    return Constraint(f"GreaterThan(lower_bound={lower_bound})", lambda x: x > lower_bound)


def greater_than_eq(lower_bound: Any) -> Constraint:
    """Numbers not below a bound."""
    return Constraint(f"GreaterThanEq(lower_bound={lower_bound})", lambda x: x >= lower_bound)


def interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Numbers between two bounds, these too."""
    name = f"Interval(lower_bound={lower_bound}, upper_bound={upper_bound})"
    return Constraint(name, lambda x: (x >= lower_bound) & (x <= upper_bound))


def half_open_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Numbers from the first bound on and below the second."""
    name = f"HalfOpenInterval(lower_bound={lower_bound}, upper_bound={upper_bound})"
    return Constraint(name, lambda x: (x >= lower_bound) & (x < upper_bound))


def integer_interval(lower_bound: Any, upper_bound: Any) -> Constraint:
    """Whole numbers between two bounds, these too."""
    name = f"IntegerInterval(lower_bound={lower_bound}, upper_bound={upper_bound})"
    return Constraint(name, lambda x: (x % 1 == 0) & (x >= lower_bound) & (x <= upper_bound), is_discrete=True)


def multinomial(upper_bound: Any) -> Constraint:
    """Counts whose sum along the last dimension is the bound."""
    return Constraint("Multinomial()", lambda x: (x >= 0).all(-1) & (x.sum(-1) == upper_bound), 1, True)


def independent(base: Constraint, reinterpreted_batch_ndims: int) -> Constraint:
    """The constraint met all along the last dimensions of its answer."""

    def test(x: Tensor) -> Tensor:
        met = base.check(x)
        return met.reshape((*met.shape[: met.ndim - reinterpreted_batch_ndims], -1)).all(-1)

    name = f"IndependentConstraint({base}, {reinterpreted_batch_ndims})"
    return Constraint(name, test, base.event_dim + reinterpreted_batch_ndims, base.is_discrete)


def _positive_definite(x: Tensor) -> Tensor:
    symmetric = ((x - x.mT).abs() <= 1e-6 + 1e-5 * x.abs()).flatten(-2).all(-1)
    return symmetric & (linalg.cholesky_ex(x).info == 0)


def _integers_from(bound: int) -> Callable[[Tensor], Tensor]:
    return lambda x: (x % 1 == 0) & (x >= bound)


real = Constraint("Real()", lambda x: x == x)  # noqa: PLR0124 - NaN is no real number
real_vector = independent(real, 1)
positive, nonnegative = greater_than(0.0), greater_than_eq(0.0)
unit_interval = interval(0.0, 1.0)
boolean = Constraint("Boolean()", lambda x: (x == 0) | (x == 1), is_discrete=True)
nonnegative_integer = Constraint("IntegerGreaterThan(lower_bound=0)", _integers_from(0), is_discrete=True)
positive_integer = Constraint("IntegerGreaterThan(lower_bound=1)", _integers_from(1), is_discrete=True)
simplex = Constraint("Simplex()", lambda x: (x >= 0).all(-1) & ((x.sum(-1) - 1).abs() < 1e-6), 1)
one_hot = Constraint("OneHot()", lambda x: ((x == 0) | (x == 1)).all(-1) & (x.sum(-1) == 1), 1, True)
lower_cholesky = Constraint(
    "LowerCholesky()", lambda x: (x.tril() == x).flatten(-2).all(-1) & (x.diagonal(0, -2, -1) > 0).all(-1), 2
)
positive_definite = Constraint("PositiveDefinite()", _positive_definite, 2)
