"""Constraints on the parameters and values of distributions: each says of a tensor where it is met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from tinygrad_nn import linalg
from tinygrad_nn.creation import full
from tinygrad_nn.dtypes import finfo
from tinygrad_nn.methods.compare import isclose
from tinygrad_nn.methods.joining import cat as joined
from tinygrad_nn.methods.joining import stack as stacked
from tinygrad_nn.tensor import Tensor

__all__ = [
    "Constraint", "MixtureSameFamilyConstraint", "boolean", "cat", "corr_cholesky", "dependent", "dependent_property",
    "greater_than", "greater_than_eq", "half_open_interval", "independent", "integer_interval", "interval", "is_dependent",
    "less_than", "lower_cholesky", "lower_triangular", "multinomial", "nonnegative", "nonnegative_integer", "one_hot", "positive",
    "positive_definite", "positive_integer", "positive_semidefinite", "real", "real_vector", "simplex", "square", "stack",
    "symmetric", "unit_interval",
]  # fmt: skip

Bound: TypeAlias = Tensor | float


class Constraint:
    """A region: `check(value)` is true wherever a value lies in it; it takes up the last `event_dim` dimensions."""

    @property
    def is_discrete(self) -> bool:
        """Whether there are gaps between the values."""
        return False

    @property
    def event_dim(self) -> int:
        """How many dimensions one value has."""
        return 0

    def check(self, value: Tensor) -> Tensor:
        """Where the value meets the constraint: bools."""
        raise NotImplementedError(f"{type(self).__name__}.check is not implemented")

    def __repr__(self) -> str:
        return f"{type(self).__name__.removeprefix('_')}({self._shown()})"

    def _shown(self) -> str:
        """The bounds that it has."""
        bounds = {name: self.__dict__[name] for name in ("lower_bound", "upper_bound") if name in self.__dict__}
        return ", ".join(f"{name}={value}" for name, value in bounds.items())


def _rows(met: Tensor, kept: int) -> Tensor:
    """Whether all is met in each of the first `kept` dimensions."""
    return met.reshape((*met.shape[:kept], -1)).all(-1)


class _Dependent(Constraint):
    """A constraint that is only known when the parameters are; ValueError when it is asked about a value."""

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        self._is_discrete, self._event_dim = is_discrete, event_dim

    @property
    def is_discrete(self) -> bool:
        if self._is_discrete is NotImplemented:
            raise NotImplementedError(".is_discrete cannot be determined statically")
        return bool(self._is_discrete)

    @property
    def event_dim(self) -> int:
        if self._event_dim is NotImplemented:
            raise NotImplementedError(".event_dim cannot be determined statically")
        return int(self._event_dim)

    def __call__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> _Dependent:
        """The same with what is known of it."""
        given = (self._is_discrete if is_discrete is NotImplemented else is_discrete,
                 self._event_dim if event_dim is NotImplemented else event_dim)  # fmt: skip
        return _Dependent(is_discrete=given[0], event_dim=given[1])

    def check(self, value: Tensor) -> Tensor:
        raise ValueError("Cannot determine validity of dependent constraint")


class _DependentProperty(property, _Dependent):
    """A property of a distribution that gives a constraint, and is one itself when the class is asked for it."""

    def __init__(
        self, fn: Callable[[Any], Any] | None = None, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented
    ) -> None:
        property.__init__(self, fn)
        _Dependent.__init__(self, is_discrete=is_discrete, event_dim=event_dim)

    def __call__(self, fn: Callable[[Any], Any]) -> _DependentProperty:  # type: ignore[override]
        """As a decorator with arguments."""
        return _DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


def is_dependent(constraint: object) -> bool:
    """Whether a constraint is only known when the parameters are."""
    return isinstance(constraint, _Dependent)


class _IndependentConstraint(Constraint):
    """The constraint met all along the last dimensions of its answer; ValueError for a value without them."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> bool:
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        met = self.base_constraint.check(value)
        if met.ndim < self.reinterpreted_batch_ndims:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.ndim}")
        return _rows(met, met.ndim - self.reinterpreted_batch_ndims)

    def _shown(self) -> str:
        return f"{self.base_constraint!r}, {self.reinterpreted_batch_ndims}"


class MixtureSameFamilyConstraint(Constraint):
    """The constraint of every component of a mixture."""

    def __init__(self, base_constraint: Constraint) -> None:
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> bool:
        """Whether there are gaps between the values."""
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:
        """How many dimensions one value has."""
        return self.base_constraint.event_dim

    def check(self, value: Tensor) -> Tensor:
        """Where the value meets the constraint of all components: bools."""
        met = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        if value.ndim < self.event_dim:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.ndim}")
        return _rows(met, value.ndim - self.event_dim)

    def _shown(self) -> str:
        return repr(self.base_constraint)


class _Real(Constraint):
    def check(self, value: Tensor) -> Tensor:
        return value == value  # noqa: PLR0124 - NaN is no real number


class _Boolean(Constraint):
    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value == 0) | (value == 1)


class _OneHot(Constraint):
    is_discrete, event_dim = True, 1

    def check(self, value: Tensor) -> Tensor:
        return boolean.check(value).all(-1) & (value.sum(-1) == 1)


class _GreaterThan(Constraint):
    def __init__(self, lower_bound: Bound) -> None:
        self.lower_bound = lower_bound

    def check(self, value: Tensor) -> Tensor:
        return value > self.lower_bound


class _GreaterThanEq(_GreaterThan):
    def check(self, value: Tensor) -> Tensor:
        return value >= self.lower_bound


class _IntegerGreaterThan(_GreaterThanEq):
    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & super().check(value)


class _LessThan(Constraint):
    def __init__(self, upper_bound: Bound) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return value < self.upper_bound


class _Interval(Constraint):
    def __init__(self, lower_bound: Bound, upper_bound: Bound) -> None:
        self.lower_bound, self.upper_bound = lower_bound, upper_bound

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value <= self.upper_bound)


class _HalfOpenInterval(_Interval):
    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value < self.upper_bound)


class _IntegerInterval(_Interval):
    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & super().check(value)


class _Multinomial(Constraint):
    is_discrete, event_dim = True, 1

    def __init__(self, upper_bound: Bound) -> None:
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)

    def _shown(self) -> str:
        return ""


class _Simplex(Constraint):
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class _Matrix(Constraint):
    event_dim = 2


class _LowerTriangular(_Matrix):
    def check(self, value: Tensor) -> Tensor:
        return _rows(value.tril() == value, value.ndim - 2)


class _LowerCholesky(_Matrix):
    def check(self, value: Tensor) -> Tensor:
        return lower_triangular.check(value) & (value.diagonal(0, -2, -1) > 0).all(-1)


class _CorrCholesky(_Matrix):
    def check(self, value: Tensor) -> Tensor:
        tolerance = finfo(value.dtype).eps * value.size(-1) * 10
        lengths = value.detach().square().sum(-1).sqrt()
        return lower_cholesky.check(value) & ((lengths - 1).abs() <= tolerance).all(-1)


class _Square(_Matrix):
    def check(self, value: Tensor) -> Tensor:
        return full(value.shape[:-2], value.size(-2) == value.size(-1))


class _Symmetric(_Square):
    def check(self, value: Tensor) -> Tensor:
        if value.size(-2) != value.size(-1):
            return super().check(value)
        return _rows(isclose(value, value.mT, atol=1e-6), value.ndim - 2)


class _PositiveSemidefinite(_Symmetric):
    def check(self, value: Tensor) -> Tensor:
        symmetric = super().check(value)
        return (linalg.eigvalsh(value.detach()) >= 0).all(-1) if bool(symmetric.all()) else symmetric


class _PositiveDefinite(_Symmetric):
    def check(self, value: Tensor) -> Tensor:
        symmetric = super().check(value)
        met: Tensor = linalg.cholesky_ex(value.detach()).info == 0 if bool(symmetric.all()) else symmetric
        return met


class _Joined(Constraint):
    """A constraint for each part of a value along a dimension."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0) -> None:
        self.cseq, self.dim = list(cseq), dim

    @property
    def is_discrete(self) -> bool:
        return any(each.is_discrete for each in self.cseq)

    def _shown(self) -> str:
        return ""


class _Cat(_Joined):
    """The parts are `lengths` long, which are 1 if left out."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None) -> None:
        super().__init__(cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)

    @property
    def event_dim(self) -> int:
        return max(each.event_dim for each in self.cseq)

    def check(self, value: Tensor) -> Tensor:
        parts = value.split(self.lengths, self.dim)
        return joined([each.check(part) for each, part in zip(self.cseq, parts, strict=True)], self.dim)


class _Stack(_Joined):
    """The parts have one dimension less."""

    @property
    def event_dim(self) -> int:
        most = max(each.event_dim for each in self.cseq)
        return most + 1 if self.dim + most < 0 else most

    def check(self, value: Tensor) -> Tensor:
        parts = value.unbind(self.dim)
        return stacked([each.check(part) for each, part in zip(self.cseq, parts, strict=False)], self.dim)


dependent, dependent_property = _Dependent(), _DependentProperty
independent, interval, half_open_interval, integer_interval = _IndependentConstraint, _Interval, _HalfOpenInterval, _IntegerInterval
greater_than, greater_than_eq, less_than, multinomial = _GreaterThan, _GreaterThanEq, _LessThan, _Multinomial
cat, stack = _Cat, _Stack
real = _Real()
real_vector = independent(real, 1)
positive, nonnegative = greater_than(0.0), greater_than_eq(0.0)
unit_interval = interval(0.0, 1.0)
boolean, one_hot = _Boolean(), _OneHot()
nonnegative_integer, positive_integer = _IntegerGreaterThan(0), _IntegerGreaterThan(1)
simplex = _Simplex()
lower_triangular, lower_cholesky, corr_cholesky = _LowerTriangular(), _LowerCholesky(), _CorrCholesky()
square, symmetric = _Square(), _Symmetric()
positive_semidefinite, positive_definite = _PositiveSemidefinite(), _PositiveDefinite()
