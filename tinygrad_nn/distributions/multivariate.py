"""Distributions of vectors and matrices around a covariance: normal, normal of few factors, Wishart's."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

from tinygrad_nn import linalg
from tinygrad_nn.creation import eye, tensor
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import Distribution, ExponentialFamily, Located, Shape
from tinygrad_nn.distributions.gamma import Chi2
from tinygrad_nn.distributions.utils import lazy_property, vec_to_tril_matrix
from tinygrad_nn.dtypes import finfo
from tinygrad_nn.methods.pointwise import where
from tinygrad_nn.methods.shaping import broadcast_shapes
from tinygrad_nn.methods.special import digamma, mvlgamma
from tinygrad_nn.random import randn
from tinygrad_nn.ranges import arange
from tinygrad_nn.tensor import Tensor

__all__ = ["LowRankMultivariateNormal", "MultivariateNormal", "Wishart"]


class _Scattered(Distribution):
    """A distribution with a covariance matrix, given as it is, by its inverse or by its Cholesky factor."""

    _factor: Tensor

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance."""
        return self._factor

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        return self._factor @ self._factor.mT

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        inverse = linalg.solve_triangular(self._factor, eye(self._factor.shape[-1], dtype=self._factor.dtype), upper=False)
        return inverse.mT @ inverse

    def _half_log_det(self) -> Tensor:
        found: Tensor = self._factor.diagonal(0, -2, -1).log().sum(-1)
        return found


def _only_one(matrices: Mapping[str, Tensor | None]) -> tuple[str, Tensor]:
    """The one that is given; ValueError for none, several, or too few dimensions."""
    given = [(name, matrix) for name, matrix in matrices.items() if matrix is not None]
    if len(given) != 1:
        raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
    ((name, matrix),) = given
    if matrix.ndim < 2:
        raise ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
    return name, matrix


def _factor_of(name: str, matrix: Tensor) -> Tensor:
    """The Cholesky factor of the covariance that a matrix stands for."""
    if name == "scale_tril":
        return matrix
    if name == "covariance_matrix":
        return linalg.cholesky(matrix)
    # the factor of P turned round is the inverse of P^-1's factor, turned round
    turned = linalg.cholesky(matrix.flip(-2, -1)).flip(-2, -1).mT
    return linalg.solve_triangular(turned, eye(matrix.shape[-1], dtype=matrix.dtype), upper=False)


class MultivariateNormal(_Scattered, Located):
    """Vectors of a mean and a covariance, which may be given by its inverse or its Cholesky factor.

    ValueError for none or several of the three, and for too few dimensions.
    """

    support = constraints.real_vector
    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite, "scale_tril": constraints.lower_cholesky,
    }  # fmt: skip

    def __init__(
        self, loc: Tensor, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None, validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if loc.ndim < 1:
            raise ValueError("loc must be at least one-dimensional.")
        matrices = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril}
        name, matrix = _only_one(matrices)
        batch, n = broadcast_shapes(loc.shape[:-1], matrix.shape[:-2]), loc.shape[-1]
        self.__dict__[name] = matrix.expand((*batch, *matrix.shape[-2:]))
        self.loc = loc.expand((*batch, n))
        super().__init__(batch, (n,), validate_args)
        self._factor = _factor_of(name, self.__dict__[name])

    @property
    def variance(self) -> Tensor:
        """The variance of each element."""
        return self._factor.pow(2).sum(-1).expand((*self._batch_shape, *self._event_shape))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """loc plus the factor times standard normal vectors."""
        eps = randn(self._extended_shape(sample_shape), dtype=self.loc.dtype)
        moved: Tensor = self.loc + (self._factor @ eps.unsqueeze(-1)).squeeze(-1)
        return moved

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        apart = (value - self.loc).unsqueeze(-1)
        distance = linalg.solve_triangular(self._factor, apart, upper=False).pow(2).sum((-2, -1))
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - self._half_log_det()

    def entropy(self) -> Tensor:
        """In nats."""
        return 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._half_log_det()


class LowRankMultivariateNormal(Located):
    """Normal vectors of covariance W W^T + diag(d), of few factors W: (..., n, m) with m below n.

    Its inverse and determinant come from an (m, m) matrix (Woodbury 1950). ValueError for shapes that do not fit.
    """

    support = constraints.real_vector
    has_rsample = True
    arg_constraints: ClassVar[dict[str, Constraint]] = {
        "loc": constraints.real_vector, "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }  # fmt: skip

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        if loc.ndim < 1:
            raise ValueError("loc must be at least one-dimensional.")
        n = loc.shape[-1]
        if cov_factor.ndim < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if cov_factor.shape[-2] != n:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {n} x m")
        if cov_diag.shape[-1:] != (n,):
            raise ValueError(f"cov_diag must be a batch of vectors with shape ({n},)")
        try:
            batch = broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        except RuntimeError as error:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, cov_diag {cov_diag.shape}"
            ) from error
        self.loc, self.cov_diag = loc.expand((*batch, n)), cov_diag.expand((*batch, n))
        self.cov_factor = cov_factor.expand((*batch, *cov_factor.shape[-2:]))
        m = cov_factor.shape[-1]
        self._capacitance_tril = linalg.cholesky(eye(m, dtype=loc.dtype) + self._scaled() @ self.cov_factor)
        super().__init__(batch, (n,), validate_args)

    def _scaled(self) -> Tensor:
        """W^T diag(d)^-1."""
        return self.cov_factor.mT / self.cov_diag.unsqueeze(-2)

    def _whitened(self) -> Tensor:
        """The matrix A with covariance^-1 = diag(d)^-1 - A^T A."""
        return linalg.solve_triangular(self._capacitance_tril, self._scaled(), upper=False)

    @property
    def variance(self) -> Tensor:
        """The variance of each element."""
        return self.cov_factor.pow(2).sum(-1) + self.cov_diag

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        return self.cov_factor @ self.cov_factor.mT + self.cov_diag.diag_embed()

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance."""
        return linalg.cholesky(self.covariance_matrix)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        whitened = self._whitened()
        return self.cov_diag.reciprocal().diag_embed() - whitened.mT @ whitened

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """loc plus the factors of normal numbers, and normal numbers of each element's own."""
        shape = self._extended_shape(sample_shape)
        common = randn((*shape[:-1], self.cov_factor.shape[-1], 1), dtype=self.loc.dtype)
        own = randn(shape, dtype=self.loc.dtype)
        return self.loc + (self.cov_factor @ common).squeeze(-1) + self.cov_diag.sqrt() * own

    def _log_det(self) -> Tensor:
        """The logarithm of the covariance's determinant."""
        found: Tensor = 2 * self._capacitance_tril.diagonal(0, -2, -1).log().sum(-1) + self.cov_diag.log().sum(-1)
        return found

    def _distance(self, apart: Tensor) -> Tensor:
        """x^T covariance^-1 x."""
        part = (self._whitened() @ apart.unsqueeze(-1)).squeeze(-1)
        return (apart.pow(2) / self.cov_diag).sum(-1) - part.pow(2).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        norm = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (norm + self._log_det() + self._distance(value - self.loc))

    def entropy(self) -> Tensor:
        """In nats."""
        return 0.5 * (self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._log_det())


class Wishart(_Scattered, ExponentialFamily):
    """Sums of squares and products of `df` normal vectors, drawn by Bartlett's factors (1933).

    ValueError for a `df` not above n - 1; a warning below n, where draws are often singular.
    """

    support = constraints.positive_definite
    has_rsample = True

    def __init__(
        self, df: Any, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None, validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        matrices = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril}
        if sum(matrix is not None for matrix in matrices.values()) != 1:
            raise AssertionError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        name, matrix = _only_one(matrices)
        df = df if isinstance(df, Tensor) else tensor(df, dtype=matrix.dtype)
        batch, n = broadcast_shapes(matrix.shape[:-2], df.shape), matrix.shape[-1]
        self.df = df.expand(batch)
        if bool((self.df <= n - 1).any()):
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        if bool((self.df < n).any()):
            message = "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim."
            warnings.warn(message, stacklevel=2)
        self.__dict__[name] = matrix.expand((*batch, n, n))
        super().__init__(batch, (n, n), validate_args)
        self._factor = _factor_of(name, self.__dict__[name])
        self._dist_chi2 = Chi2(self.df.unsqueeze(-1) - arange(n, dtype=matrix.dtype))

    @property
    def arg_constraints(self) -> dict[str, Constraint]:
        """What each parameter has to meet, by its name."""
        return {
            "covariance_matrix": constraints.positive_definite, "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky, "df": constraints.greater_than(self._event_shape[-1] - 1),
        }  # fmt: skip

    @property
    def mean(self) -> Tensor:
        """df times the covariance."""
        return self.df[..., None, None] * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        """NaN for a df up to n + 1."""
        factor = self.df - self._event_shape[-1] - 1
        return factor.masked_fill(factor <= 0, math.nan)[..., None, None] * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        """The variance of each element."""
        v = self.covariance_matrix
        diagonal = v.diagonal(0, -2, -1)
        return self.df[..., None, None] * (v.pow(2) + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def rsample(self, sample_shape: Shape = (), max_try_correction: int = 10) -> Tensor:
        """Squares of Bartlett's factors; those that come out singular are drawn anew a number of times.

        PyTorch 2.13 tests the first draws the wrong way round and draws the sound ones once more: so it is done here.
        """
        drawn = self._bartlett(sample_shape)
        again = self._sound(drawn)
        for _ in range(max_try_correction):
            if not bool(again.any()):
                break
            new = self._bartlett((int(again.sum()),))
            places = (again.reshape(-1).long().cumsum(0) - 1).clamp(min=0).reshape(again.shape)
            drawn = where(again[(..., *[None] * (drawn.ndim - again.ndim))], new[places], drawn)
            again = again & ~self._sound(drawn)
        return drawn

    def _sound(self, drawn: Tensor) -> Tensor:
        """Which draws are positive definite, in any place of the batch."""
        met = self.support.check(drawn)
        return met.flatten(met.ndim - len(self._batch_shape)).any(-1) if self._batch_shape else met

    def _bartlett(self, sample_shape: Shape) -> Tensor:
        n = self._event_shape[-1]
        diagonal = self._dist_chi2.rsample(sample_shape).sqrt().clamp(min=finfo(self.df.dtype).eps)
        below = randn((*sample_shape, *self._batch_shape, n * (n - 1) // 2), dtype=diagonal.dtype)
        factor = self._factor @ (vec_to_tril_matrix(below, -1) + diagonal.diag_embed())
        return factor @ factor.mT

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        n, half = self._event_shape[-1], self.df / 2
        whitened = linalg.solve_triangular(self._factor, value, upper=False)
        trace = linalg.solve_triangular(self._factor.mT, whitened, upper=True).diagonal(0, -2, -1).sum(-1)
        norm = self.df * (n * math.log(2) / 2 + self._half_log_det()) + mvlgamma(half, n)
        return (half - (n + 1) / 2) * linalg.slogdet(value).logabsdet - trace / 2 - norm

    def entropy(self) -> Tensor:
        """In nats."""
        n, half = self._event_shape[-1], self.df / 2
        slopes: Tensor = digamma(half.unsqueeze(-1) - arange(n, dtype=half.dtype) / 2).sum(-1)
        known = (n + 1) * (n * math.log(2) / 2 + self._half_log_det()) + mvlgamma(half, n) + half * n
        return known - (half - (n + 1) / 2) * slopes

    @property
    def _mean_carrier_measure(self) -> float:
        return 0.0

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x, y = natural_params
        n = self._event_shape[-1]
        half = y + (n + 1) / 2
        return half * (math.log(2) * n - linalg.slogdet(-2 * x).logabsdet) + mvlgamma(half, n)
