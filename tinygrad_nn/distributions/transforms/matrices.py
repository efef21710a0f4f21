"""Transforms to Cholesky factors and to matrices."""

from __future__ import annotations

import math

from tinygrad_nn import linalg
from tinygrad_nn.creation import eye
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.transforms.base import Plain, Shape, expect_dimensions
from tinygrad_nn.distributions.utils import tril_matrix_to_vec, vec_to_tril_matrix
from tinygrad_nn.dtypes import Size, finfo
from tinygrad_nn.nn.functional import pad, softplus
from tinygrad_nn.tensor import Tensor

__all__ = ["CorrCholeskyTransform", "LowerCholeskyTransform", "PositiveDefiniteTransform"]


class LowerCholeskyTransform(Plain):
    """(..., n, n): the lower triangle, with exp along the diagonal."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(0, -2, -1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(0, -2, -1).log().diag_embed()


class PositiveDefiniteTransform(Plain):
    """(..., n, n): the product of LowerCholeskyTransform's factor with its transpose."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(linalg.cholesky(y))


class CorrCholeskyTransform(Plain):
    """(..., n (n - 1) / 2) -> (..., n, n): the Cholesky factor of a correlation matrix, whose rows have length 1.

    tanh(x) are partial correlations; each takes its share of what is left of its row's length (Lewandowski, Kurowicka
    & Joe 2009). ValueError where no n fits.
    """

    domain, codomain, bijective = constraints.real_vector, constraints.corr_cholesky, True

    def _call(self, x: Tensor) -> Tensor:
        eps = finfo(x.dtype).eps
        r = vec_to_tril_matrix(x.tanh().clamp(min=-1 + eps, max=1 - eps), -1)
        left = (1 - r.square()).sqrt().cumprod(-1)
        return (r + eye(r.shape[-1], dtype=r.dtype)) * pad(left[..., :-1], (1, 0), value=1.0)

    def _inverse(self, y: Tensor) -> Tensor:
        left = pad(1 - y.square().cumsum(-1)[..., :-1], (1, 0), value=1.0)
        r = tril_matrix_to_vec(y, -1) / tril_matrix_to_vec(left, -1).sqrt()
        return (r.log1p() - (-r).log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """That of the shares, and that of tanh."""
        left = tril_matrix_to_vec(1 - y.square().cumsum(-1), -2)
        found: Tensor = 0.5 * left.log().sum(-1) - 2 * (x + softplus(-2 * x) - math.log(2.0)).sum(-1)
        return found

    def forward_shape(self, shape: Shape) -> Shape:
        """n (n - 1) / 2 becomes n, n; ValueError where no n fits."""
        expect_dimensions(shape, 1)
        n = round(math.sqrt(0.25 + 2 * shape[-1]) + 0.5)
        if n * (n - 1) // 2 != shape[-1]:
            raise ValueError(f"Input is not a flattened lower-diagonal number: got {shape[-1]}")
        return Size((*shape[:-1], n, n))

    def inverse_shape(self, shape: Shape) -> Shape:
        """n, n becomes n (n - 1) / 2; ValueError for what is not square."""
        expect_dimensions(shape, 2)
        if shape[-2] != shape[-1]:
            raise ValueError(f"Input is not square: got {tuple(shape)}")
        return Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))
