"""The normal distribution of vectors."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from tinygrad_nn import linalg
from tinygrad_nn.creation import eye
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import Located, Shape
from tinygrad_nn.random import randn
from tinygrad_nn.tensor import Tensor

__all__ = ["MultivariateNormal"]


class MultivariateNormal(Located):
    """Vectors of a mean and a covariance, which may be given by its inverse or its Cholesky factor.

    ValueError for none or several of the three, and for too few dimensions.
    """

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
        given = [(name, matrix) for name, matrix in matrices.items() if matrix is not None]
        if len(given) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = given
        if matrix.ndim < 2:
            raise ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
        n = loc.shape[-1]
        # the batch is what the mean's and the matrix's together broadcast to
        batch = tuple((loc[..., 0] + matrix[..., 0, 0]).shape) if loc.ndim > 1 or matrix.ndim > 2 else ()
        self.__dict__[name] = matrix.expand((*batch, *matrix.shape[-2:]))
        self.loc = loc.expand((*batch, n))
        super().__init__(batch, (n,), validate_args)
        if scale_tril is not None:
            self._factor = self.__dict__[name]
        elif covariance_matrix is not None:
            self._factor = linalg.cholesky(self.__dict__[name])
        else:  # the factor of P turned round is the inverse of P^-1's factor, turned round
            turned = linalg.cholesky(self.__dict__[name].flip(-2, -1)).flip(-2, -1).mT
            self._factor = linalg.solve_triangular(turned, eye(n, dtype=loc.dtype), upper=False)

    def __getattr__(self, name: str) -> Any:
        """The matrices that were not given, at their first use."""
        factor = self.__dict__.get("_factor")
        if factor is None or name not in ("covariance_matrix", "precision_matrix", "scale_tril"):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        if name == "scale_tril":
            return factor
        return factor @ factor.mT if name == "covariance_matrix" else linalg.inv(factor @ factor.mT)

    @property
    def support(self) -> Constraint:
        """All vectors."""
        return constraints.real_vector

    @property
    def variance(self) -> Tensor:
        """The variance of each element."""
        return self._factor.pow(2).sum(-1).expand((*self._batch_shape, *self._event_shape))

    def rsample(self, sample_shape: Shape = ()) -> Tensor:
        """loc plus the factor times standard normal vectors."""
        eps = randn(self._extended_shape(sample_shape), dtype=self.loc.dtype)
        moved: Tensor = self.loc + (self._factor @ eps.unsqueeze(-1)).squeeze(-1)
        return moved

    def _half_log_det(self) -> Tensor:
        found: Tensor = self._factor.diagonal(0, -2, -1).log().sum(-1)
        return found

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        apart = (value - self.loc).unsqueeze(-1)
        distance = linalg.solve_triangular(self._factor, apart, upper=False).pow(2).sum((-2, -1))
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - self._half_log_det()

    def entropy(self) -> Tensor:
        """In nats."""
        return 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._half_log_det()
