"""Quotients of normal and gamma numbers: Student's t and Fisher's F."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import Distribution, Shape
from tinygrad_nn.distributions.gamma import Chi2, Gamma
from tinygrad_nn.distributions.utils import all_numbers, broadcast_all
from tinygrad_nn.dtypes import finfo
from tinygrad_nn.methods.pointwise import where
from tinygrad_nn.methods.special import digamma, lgamma
from tinygrad_nn.random import randn
from tinygrad_nn.tensor import Tensor

__all__ = ["FisherSnedecor", "StudentT"]


class StudentT(Distribution):
    """Means of `df` + 1 normal numbers by their own spread, scaled and moved (Student 1908)."""

    support = constraints.real
    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "df": constraints.positive, "loc": constraints.real, "scale": constraints.positive,
    }  # fmt: skip

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(self.df.shape, (), validate_args)

    @property
    def mean(self) -> Tensor:
        """The location, NaN up to 1 degree of freedom."""
        return self.loc.masked_fill(self.df <= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        """The location."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """Infinite up to 2 degrees of freedom, NaN up to 1."""
        found = self.scale.pow(2) * self.df / (self.df - 2)
        return found.masked_fill(self.df <= 2, math.inf).masked_fill(self.df <= 1, math.nan)

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """Standard normal numbers by the root of a mean square."""
        x = randn(self._extended_shape(sample_shape), dtype=self.df.dtype)
        return self.loc + self.scale * (x * (self._chi2.rsample(sample_shape) / self.df).rsqrt())

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        y, half = (value - self.loc) / self.scale, 0.5 * self.df
        norm = self.scale.log() + 0.5 * (self.df.log() + math.log(math.pi)) + lgamma(half) - lgamma(half + 0.5)
        return -(half + 0.5) * (y**2 / self.df).log1p() - norm

    def entropy(self) -> Tensor:
        """In nats."""
        half = 0.5 * self.df
        beta = lgamma(half) + math.lgamma(0.5) - lgamma(half + 0.5)
        return self.scale.log() + (half + 0.5) * (digamma(half + 0.5) - digamma(half)) + 0.5 * self.df.log() + beta


class FisherSnedecor(Distribution):
    """Quotients of two mean squares, of `df1` and `df2` normal numbers (Fisher 1924, Snedecor 1934)."""

    support = constraints.positive
    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {"df1": constraints.positive, "df2": constraints.positive}

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        self._gamma1, self._gamma2 = Gamma(self.df1 * 0.5, self.df1), Gamma(self.df2 * 0.5, self.df2)
        super().__init__(() if all_numbers(df1, df2) else self.df1.shape, (), validate_args)

    @property
    def mean(self) -> Tensor:
        """NaN for a df2 up to 2."""
        df2 = self.df2.masked_fill(self.df2 <= 2, math.nan)
        return df2 / (df2 - 2)

    @property
    def mode(self) -> Tensor:
        """NaN for a df1 up to 2."""
        found = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return where(self.df1 <= 2, math.nan, found)

    @property
    def variance(self) -> Tensor:
        """NaN for a df2 up to 4."""
        df2 = self.df2.masked_fill(self.df2 <= 4, math.nan)
        return 2 * df2.pow(2) * (self.df1 + df2 - 2) / (self.df1 * (df2 - 2).pow(2) * (df2 - 4))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """One gamma number by another."""
        tiny = finfo(self.df1.dtype).tiny
        above, below = self._gamma1.rsample(sample_shape), self._gamma2.rsample(sample_shape)
        return (above / below.clamp(min=tiny)).clamp(min=tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        a, b, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        norm = lgamma(a + b) - lgamma(a) - lgamma(b)
        return norm + a * ratio.log() + (a - 1) * value.log() - (a + b) * (ratio * value).log1p()
