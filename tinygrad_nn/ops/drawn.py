"""Random draws as functions of their parameters: constant, for all that the derivative knows, as in PyTorch."""

import numpy as np

from tinygrad_nn.op import Array, op
from tinygrad_nn.ops.elementwise import flat


@op
def bernoulli(x: Array, /, *, drawn: Array) -> Array:
    """What was drawn by the chances x, in their dtype; its slope is 0."""
    return drawn.astype(x.dtype)


@op
def poisson(x: Array, /, *, drawn: Array) -> Array:
    """What was drawn at the rates x, in their dtype; its slope is 0."""
    return drawn.astype(x.dtype)


@op(promote="common")
def normal(mean: Array, std: Array, /, *, drawn: Array) -> Array:
    """What was drawn with these means and standard deviations, in their common dtype; its slopes are 0."""
    return drawn.astype(np.result_type(mean, std))


for _draw in (bernoulli, poisson):
    _draw.vjp(x=flat).sample((2, 3), drawn=np.array([[1, 0, 0], [0, 1, 1]]), domain=(0.1, 0.9))
normal.vjp(mean=flat, std=flat).sample((2, 3), (3,), drawn=np.array([[0.5, -1, 2], [0, 1, -2]]), domain=(0.5, 2.0))
normal.sample(0.5, (2,), drawn=np.array([1.5, -0.5]), domain=(0.5, 2.0))
