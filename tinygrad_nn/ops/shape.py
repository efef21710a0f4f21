"""Primitives that move, repeat, join or cut elements; most are each other's adjoint."""

from typing import Any

import numpy as np

from tinygrad_nn.op import Array, op, unbroadcast


@op(view=True)
def reshape(x: Array, /, *, shape: tuple[int, ...]) -> Array:
    """The same elements, in order, in another shape."""
    return x.reshape(shape)


reshape.vjp(x=lambda g, x_shape: reshape(g, shape=x_shape))
reshape.sample((2, 6), shape=(3, 4)).sample((), shape=(1, 1)).sample((2, 3), shape=(-1,))


@op(view=True)
def reinterpret(x: Array, /, *, dtype: np.dtype[Any]) -> Array:
    """The bytes of x read as another dtype."""
    return x.view(dtype)


reinterpret.sample(np.arange(4, dtype=np.int32), dtype=np.dtype(np.float32))


@op(view=True)
def transpose(x: Array, /, *, axis0: int, axis1: int) -> Array:
    """Two axes exchanged."""
    return x.swapaxes(axis0, axis1)


transpose.vjp(x=lambda g, *, axis0, axis1: transpose(g, axis0=axis0, axis1=axis1))
transpose.sample((2, 3, 4), axis0=0, axis1=2).sample((2, 3), axis0=-1, axis1=-2)


@op(view=True)
def permute(x: Array, /, *, axes: tuple[int, ...]) -> Array:
    """Axis i of the result is axis `axes[i]` of x."""
    return x.transpose(axes)


permute.vjp(x=lambda g, *, axes: permute(g, axes=tuple(np.argsort([a % len(axes) for a in axes]).tolist())))
permute.sample((2, 3, 4), axes=(2, 0, 1)).sample((2, 3), axes=(-1, 0)).sample((), axes=())


@op(view=True)
def broadcast_to(x: Array, /, *, shape: tuple[int, ...]) -> Array:
    """x repeated, without copying, to a larger shape."""
    return np.broadcast_to(x, shape)


@op
def sum_to(x: Array, /, *, shape: tuple[int, ...]) -> Array:
    """x summed over the axes along which `shape` would have been broadcast."""
    return np.asarray(unbroadcast(x, shape))


broadcast_to.vjp(x=lambda g, x_shape: sum_to(g, shape=x_shape))
broadcast_to.sample((3, 1), shape=(2, 3, 4)).sample((), shape=(2,)).sample((2, 3), shape=(2, 3))
sum_to.vjp(x=lambda g, x_shape: broadcast_to(g, shape=x_shape))
sum_to.sample((2, 3, 4), shape=(3, 1)).sample((2,), shape=()).sample((2, 3), shape=(2, 3))


def _pieces(g: Any, shapes: tuple[tuple[int, ...], ...], axis: int) -> list[Any]:
    """`g` cut along `axis` into the shapes that were joined."""
    before = (slice(None),) * (axis % len(g.shape))
    ends = np.cumsum([shape[axis] for shape in shapes]).tolist()
    return [g[(*before, slice(start, end))] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


@op
def concatenate(*xs: Array, axis: int) -> Array:
    """The inputs joined along an axis they have."""
    return np.concatenate(xs, axis)


concatenate.vjp(xs=lambda g, xs_shape, *, axis: _pieces(g, xs_shape, axis))
concatenate.sample((2, 3), (1, 3), (2, 3), axis=0).sample((2, 3), (2, 0), (2, 2), axis=-1).sample((3,), axis=0)


@op
def stack(*xs: Array, axis: int) -> Array:
    """The inputs, all of one shape, joined along a new axis."""
    return np.stack(xs, axis)


stack.vjp(xs=lambda g, *, axis: list(np.moveaxis(g, axis, 0)))
stack.sample((2, 3), (2, 3), axis=0).sample((2, 3), (2, 3), (2, 3), axis=-1).sample((), (), axis=0)


@op
def pad(x: Array, /, *, widths: tuple[tuple[int, int], ...], value: float) -> Array:
    """x with `value` added before and after along every axis; `widths` has a (before, after) for each."""
    return np.pad(x, widths, constant_values=value)


pad.vjp(x=lambda g, x_shape, *, widths: g[tuple(slice(b, b + n) for (b, _), n in zip(widths, x_shape, strict=True))])
pad.sample((2, 3), widths=((1, 0), (2, 1)), value=0.0).sample((3,), widths=((0, 2),), value=1.5)


@op
def flip(x: Array, /, *, axes: tuple[int, ...]) -> Array:
    """x with the order along `axes` reversed."""
    return np.flip(x, axes).copy()


flip.vjp(x=lambda g, *, axes: flip(g, axes=axes))
flip.sample((2, 3), axes=(0, 1)).sample((2, 3), axes=(-1,))


@op
def roll(x: Array, /, *, shifts: tuple[int, ...], axes: tuple[int, ...] | None) -> Array:
    """x with its elements moved along `axes` by `shifts`, those that fall off the end entering at the start."""
    return np.roll(x, shifts if axes is not None else shifts[0], axes)


roll.vjp(x=lambda g, *, shifts, axes: roll(g, shifts=tuple(-n for n in shifts), axes=axes))
roll.sample((2, 3), shifts=(1, -2), axes=(0, 1)).sample((2, 3), shifts=(4,), axes=None)
