"""Distribution: the base of all distributions, their shapes and the check of their parameters and values."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Self

from tinygrad_nn.autograd import grad, no_grad
from tinygrad_nn.distributions.constraints import Constraint, is_dependent
from tinygrad_nn.distributions.utils import lazy_property
from tinygrad_nn.dtypes import Size
from tinygrad_nn.tensor import Tensor

__all__ = ["Distribution", "ExponentialFamily", "Located"]

Shape = Sequence[int]


class Distribution:
    """A distribution over `event_shape`, one for each place of `batch_shape`.

    ValueError for parameters outside their domain, and for values outside the support, unless `validate_args` is False.
    """

    has_rsample: bool = False
    has_enumerate_support = False
    _validate_args = True

    def __init__(self, batch_shape: Shape = (), event_shape: Shape = (), validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions made from now on check their parameters and values."""
        Distribution._validate_args = bool(value)

    def _check_parameters(self) -> None:
        for name, constraint in self.arg_constraints.items():
            uncomputed = name not in self.__dict__ and isinstance(getattr(type(self), name, None), lazy_property)
            if uncomputed or is_dependent(constraint):
                continue
            value = getattr(self, name)
            if not bool(constraint.check(value).all()):
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution {self!r} "
                    f"to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    @property
    def arg_constraints(self) -> dict[str, Constraint]:
        """What each parameter has to meet, by its name."""
        return {}

    @property
    def batch_shape(self) -> Size:
        """How many distributions there are, in which shape."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one draw."""
        return self._event_shape

    @property
    def support(self) -> Constraint | None:
        """The constraint that all draws meet."""
        raise NotImplementedError(f"{type(self).__name__}.support is not implemented")

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise NotImplementedError(f"{type(self).__name__}.mean is not implemented")

    @property
    def mode(self) -> Tensor:
        """The likeliest value."""
        raise NotImplementedError(f"{type(self).__name__}.mode is not implemented")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError(f"{type(self).__name__}.variance is not implemented")

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draws, without derivatives."""
        with no_grad():
            return self.rsample(sample_shape).detach()

    def sample_n(self, n: int) -> Tensor:
        """`n` draws, without derivatives."""
        return self.sample((n,))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Draws that are differentiable by the parameters."""
        raise NotImplementedError(f"{type(self).__name__}.rsample is not implemented")

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density or probability at a value."""
        raise NotImplementedError(f"{type(self).__name__}.log_prob is not implemented")

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw not above a value."""
        raise NotImplementedError(f"{type(self).__name__}.cdf is not implemented")

    def icdf(self, value: Tensor) -> Tensor:
        """The value that a draw is not above with a probability."""
        raise NotImplementedError(f"{type(self).__name__}.icdf is not implemented")

    def entropy(self) -> Tensor:
        """The mean of minus the logarithm of the density."""
        raise NotImplementedError(f"{type(self).__name__}.entropy is not implemented")

    def perplexity(self) -> Tensor:
        """exp of the entropy."""
        return self.entropy().exp()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values there are, along a new first dimension."""
        raise NotImplementedError(f"{type(self).__name__}.enumerate_support is not implemented")

    def expand(self, batch_shape: Shape, _instance: Any = None) -> Self:
        """The same distribution for a larger batch."""
        new = object.__new__(type(self))
        old = len(self._batch_shape)
        for name, value in self.__dict__.items():
            if isinstance(value, Tensor):
                value = value.expand((*batch_shape, *value.shape[old:]))
            elif isinstance(value, Distribution):
                value = value.expand((*batch_shape, *value.batch_shape[old:]))
            new.__dict__[name] = value
        new._batch_shape = Size(batch_shape)
        return new

    def _extended_shape(self, sample_shape: Shape = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value: Any) -> None:
        """ValueError for what is no tensor, has another shape or lies outside the support."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        start = value.ndim - len(self._event_shape)
        if start < 0 or tuple(value.shape[start:]) != tuple(self._event_shape):
            raise ValueError(
                f"The right-most size of value must match event_shape: {tuple(value.shape)} vs {tuple(self._event_shape)}."
            )
        expected = (*self._batch_shape, *self._event_shape)
        for size, wanted in zip(reversed(value.shape), reversed(expected), strict=False):
            if 1 not in (size, wanted) and size != wanted:
                raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {tuple(value.shape)} vs {expected}.")
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(f"{type(self)} does not define `support`: values are not checked", stacklevel=3)
            return
        if support is not None and not bool(support.check(value).all()):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the support "
                f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def __repr__(self) -> str:
        shown = []
        for name in self.arg_constraints:
            if name in self.__dict__:
                value = self.__dict__[name]
                shown.append(f"{name}: {value if value.numel() == 1 else value.size()}")
        return f"{type(self).__name__}({', '.join(shown)})"


class ExponentialFamily(Distribution):
    """A distribution whose density is exp(natural parameters · statistics - log normalizer) times a carrier measure.

    Of a subclass that gives `_natural_params`, `_log_normalizer` and `_mean_carrier_measure`, the entropy follows
    (Nielsen & Nock 2010, "Entropies and cross-entropies of exponential families").
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError(f"{type(self).__name__}._natural_params is not implemented")

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__}._log_normalizer is not implemented")

    @property
    def _mean_carrier_measure(self) -> float:
        raise NotImplementedError(f"{type(self).__name__}._mean_carrier_measure is not implemented")

    def entropy(self) -> Tensor:
        """The log normalizer less the natural parameters times its derivatives."""
        parameters = [p.detach().requires_grad_() for p in self._natural_params]
        normalizer = self._log_normalizer(*parameters)
        found = normalizer - self._mean_carrier_measure
        for parameter, slope in zip(parameters, grad(normalizer.sum(), parameters, create_graph=True), strict=True):
            found = found - (parameter * slope).reshape((*self._batch_shape, -1)).sum(-1)
        return found


class Located(Distribution):
    """A distribution that lies evenly around `loc`, its mean and its likeliest value."""

    loc: Tensor

    @property
    def mean(self) -> Tensor:
        """The location."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        """The location."""
        return self.loc
