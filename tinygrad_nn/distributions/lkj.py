"""Random correlation matrices."""

from __future__ import annotations

import math
from typing import ClassVar

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import Distribution, Shape
from tinygrad_nn.distributions.gamma import Beta
from tinygrad_nn.distributions.utils import broadcast_all
from tinygrad_nn.dtypes import finfo
from tinygrad_nn.methods.special import lgamma, mvlgamma
from tinygrad_nn.random import randn
from tinygrad_nn.ranges import arange
from tinygrad_nn.tensor import Tensor

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Cholesky factors of correlation matrices, whose density goes with det ** (concentration - 1).

    The onion method of Lewandowski, Kurowicka & Joe (2009, section 3.2): row by row, a direction and a length. ValueError
    for a `dim` below 2.
    """

    support = constraints.corr_cholesky
    concentration: Tensor
    arg_constraints: ClassVar[dict[str, Constraint]] = {"concentration": constraints.positive}

    def __init__(self, dim: int, concentration: Tensor | float = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        before = (arange(dim, dtype=self.concentration.dtype) - 1).clamp(min=0)
        self._beta = Beta(before + 0.5, (self.concentration + 0.5 * (dim - 2)).unsqueeze(-1) - 0.5 * before)
        super().__init__(self.concentration.shape, (dim, dim), validate_args)

    def sample(self, sample_shape: Shape = ()) -> Tensor:
        """Draws, without derivatives."""
        with no_grad():
            y = self._beta.sample(sample_shape).unsqueeze(-1)
            normal = randn(self._extended_shape(sample_shape), dtype=y.dtype).tril(-1)
            length = normal.square().sum(-1, keepdim=True).sqrt()
            w = y.sqrt() * (normal / length.masked_fill(length == 0, 1.0))  # the first row has no direction
            rest = (1 - w.square().sum(-1)).clamp(min=finfo(w.dtype).tiny).sqrt()
            return w + rest.diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        self._validate_sample(value)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - arange(2, self.dim + 1)
        density = (order * value.diagonal(0, -1, -2)[..., 1:].log()).sum(-1)
        m = self.dim - 1
        alpha = self.concentration + 0.5 * m
        return density - (0.5 * m * math.log(math.pi) + mvlgamma(alpha - 0.5, m) - lgamma(alpha) * m)
