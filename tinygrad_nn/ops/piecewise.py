"""Primitives that are linear in pieces: the activations with a kink, and what ties their slopes to their inputs."""

import numpy as np

from tinygrad_nn.op import Array, op
from tinygrad_nn.ops.elementwise import no_bools


@op
def tied(a: Array, b: Array, /) -> Array:
    """a, which changes with b in jumps only: with slope 0 in b."""
    return a


tied.vjp(a=lambda g: g, b=lambda g, b: np.zeros_like(b)).sample((2, 3), (3,))


@op(promote="common", guard=no_bools)
def relu(x: Array, /) -> Array:
    """max(x, 0), with slope 0 at 0."""
    return np.maximum(x, 0)


# A product is several times quicker than `where`; the 0 added makes 0.0 of the -0.0 that a negative g leaves.
relu.vjp(x=lambda g, y: g * ~(y <= 0) + 0).piecewise(tied).sample((2, 3), kinks=(0.0,))


@op(promote="common", quiet=True)
def leaky_relu(x: Array, /, *, slope: float) -> Array:
    """x where it is positive, `slope` times it elsewhere."""
    return np.where(x > 0, x, x * slope)


leaky_relu.vjp(x=lambda g, x, *, slope: np.where(x > 0, g, g * slope)).piecewise(tied).sample((2, 3), kinks=(0.0,), slope=0.3)


@op(promote="common", quiet=True)
def prelu_kernel(x: Array, weight: Array, /) -> Array:
    """x where it is positive, `weight` times it elsewhere."""
    return np.where(x > 0, x, weight * x)


prelu_kernel.vjp(x=lambda g, x, weight: np.where(x > 0, g, g * weight), weight=lambda g, x: np.where(x > 0, 0.0, g * x))
prelu_kernel.piecewise(tied).sample((2, 3), (3,), kinks=(0.0,))


@op(promote="common")
def hardtanh(x: Array, /, *, low: float, high: float) -> Array:
    """x held between `low` and `high`, with slope 0 at both."""
    return np.clip(x, low, high)


hardtanh.vjp(x=lambda g, x, *, low, high: np.where((x > low) & (x < high), g, 0.0)).piecewise(tied)
hardtanh.sample((2, 3), kinks=(-0.5, 0.7), low=-0.5, high=0.7)


@op(promote="common")
def threshold(x: Array, /, *, bound: float, value: float) -> Array:
    """x where it is above `bound`, `value` elsewhere."""
    return np.where(x <= bound, value, x)


threshold.vjp(x=lambda g, x, *, bound: np.where(x <= bound, 0.0, g)).piecewise(tied)
threshold.sample((2, 3), kinks=(0.3,), bound=0.3, value=1.5)


@op(promote="common")
def hardshrink(x: Array, /, *, bound: float) -> Array:
    """x where it is outside [-bound, bound], 0 inside."""
    return np.where((x >= -bound) & (x <= bound), 0.0, x)


@op(promote="common", quiet=True)
def softshrink(x: Array, /, *, bound: float) -> Array:
    """x moved towards 0 by `bound`, and 0 within it."""
    return x - np.clip(x, -bound, bound)


for _shrink in (hardshrink, softshrink):
    _shrink.vjp(x=lambda g, x, *, bound: np.where((x >= -bound) & (x <= bound), 0.0, g)).piecewise(tied)
    _shrink.sample((2, 3), kinks=(-0.5, 0.5), bound=0.5)
