"""Transforms of vectors, and of shapes."""

from __future__ import annotations

import math
from typing import Self

from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.transforms.base import Plain, Shape, Transform, expect_dimensions
from tinygrad_nn.distributions.transforms.pointwise import clipped_sigmoid
from tinygrad_nn.dtypes import Size, finfo
from tinygrad_nn.nn.functional import logsigmoid, pad
from tinygrad_nn.ranges import arange
from tinygrad_nn.tensor import Tensor

__all__ = ["ReshapeTransform", "SoftmaxTransform", "StickBreakingTransform"]


class SoftmaxTransform(Plain):
    """exp(x) by its sum along the last dimension; the inverse is the logarithm, one of many."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Shape) -> Shape:
        """The same; ValueError without dimensions."""
        expect_dimensions(shape, 1)
        return shape

    inverse_shape = forward_shape


class StickBreakingTransform(Plain):
    """(..., n) -> (..., n + 1): each number breaks its share off what is left, the last share is the rest.

    x of 0 gives equal shares.
    """

    domain, codomain, bijective = constraints.real_vector, constraints.simplex, True

    def _call(self, x: Tensor) -> Tensor:
        z = clipped_sigmoid(x - _left(x).log())
        return pad(z, (0, 1), value=1.0) * pad((1 - z).cumprod(-1), (1, 0), value=1.0)

    def _inverse(self, y: Tensor) -> Tensor:
        shares = y[..., :-1]
        rest = (1 - shares.cumsum(-1)).clamp(min=finfo(y.dtype).tiny)
        return shares.log() - rest.log() + _left(shares).log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The sum of the logarithms of how much each share grows."""
        x = x - _left(x).log()
        found: Tensor = (-x + logsigmoid(x) + y[..., :-1].log()).sum(-1)
        return found

    def forward_shape(self, shape: Shape) -> Shape:
        """One more; ValueError without dimensions."""
        expect_dimensions(shape, 1)
        return Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Shape) -> Shape:
        """One less; ValueError without dimensions."""
        expect_dimensions(shape, 1)
        return Size((*shape[:-1], shape[-1] - 1))


def _left(x: Tensor) -> Tensor:
    """How many shares are still to come at each number: n, n - 1, ..., 1."""
    return arange(x.shape[-1], 0, -1, dtype=x.dtype)


class ReshapeTransform(Transform):
    """The last dimensions in another shape; ValueError for shapes of different numbers of elements."""

    bijective = True

    def __init__(self, in_shape: Shape, out_shape: Shape, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if math.prod(in_shape) != math.prod(out_shape):
            raise ValueError("in_shape, out_shape have different numbers of elements")

    @property
    def domain(self) -> Constraint:
        """All arrays."""
        return constraints.independent(constraints.real, len(self.in_shape))

    @property
    def codomain(self) -> Constraint:
        """All arrays."""
        return constraints.independent(constraints.real, len(self.out_shape))

    def _copied(self, cache_size: int) -> Self:
        return type(self)(self.in_shape, self.out_shape, cache_size)

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape((*x.shape[: x.ndim - len(self.in_shape)], *self.out_shape))

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape((*y.shape[: y.ndim - len(self.out_shape)], *self.in_shape))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """0."""
        return x.new_zeros(x.shape[: x.ndim - len(self.in_shape)])

    def forward_shape(self, shape: Shape) -> Shape:
        """With the new shape at the end; ValueError if the old is not there."""
        return _exchanged(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Shape) -> Shape:
        """With the old shape at the end; ValueError if the new is not there."""
        return _exchanged(shape, self.out_shape, self.in_shape)


def _exchanged(shape: Shape, old: Shape, new: Shape) -> Shape:
    expect_dimensions(shape, len(old))
    cut = len(shape) - len(old)
    if tuple(shape[cut:]) != tuple(old):
        raise ValueError(f"Shape mismatch: expected {tuple(old)} at the end but got {tuple(shape[cut:])}")
    return Size((*shape[:cut], *new))
