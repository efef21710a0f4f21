"""Primitives that read and write by index; reading and adding are each other's adjoint."""

from typing import Any

import numpy as np

from tinygrad_nn.op import OPS, Array, Op, op
from tinygrad_nn.ops.piecewise import tied
from tinygrad_nn.ops.shape import sum_to


def _is_basic(index: Any) -> bool:
    """Whether an index holds only integers, slices, None and ...: then it selects no element twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is ... or isinstance(part, int | slice) for part in parts)


@op(view=True)
def getitem(x: Array, /, *, index: Any) -> Array:
    """x[index], for every kind of NumPy index."""
    return np.asarray(x[index])


@op
def scatter_add(x: Array, /, *, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of `shape` with x added at `index`, as often as an element is named."""
    out = np.zeros(shape, x.dtype)
    if _is_basic(index):
        out[index] = x
    else:
        np.add.at(out, index, x)
    return out


getitem.vjp(x=lambda g, x_shape, *, index: scatter_add(g, index=index, shape=x_shape))
scatter_add.vjp(x=lambda g, *, index: getitem(g, index=index))


@op
def chosen(x: Array, /, *, index: Any) -> Array:
    """x[index], of elements that were chosen by their values, as the largest under a window are."""
    return x[index]


chosen.vjp(x=lambda g, x, *, index: scatter_add(g, index=index, shape=tuple(x.shape))).piecewise(tied)
chosen.sample((5,), index=np.array([1, 4, 1]))

_ROWS, _COLUMNS = np.array([[0, 2], [2, 2]]), np.array([1, 0])
_MASK = np.array([[True, False, True, False], [False, False, True, True], [False, False, False, True]])
for _index, _shape in (
    ((slice(0, 2), 1), (2,)),
    ((..., None, slice(None, None, -2)), (3, 1, 2)),
    (([0, 0, 2],), (3, 4)),
    ((_ROWS, _COLUMNS), (2, 2)),
    ((slice(1, None), _COLUMNS), (2, 2)),
    ((_MASK,), (5,)),
    ((2, 3), ()),
):
    getitem.sample((3, 4), index=_index)
    scatter_add.sample(_shape, index=_index, shape=(3, 4))


@op
def setitem(x: Array, value: Array, /, *, index: Any) -> Array:
    """A copy of x with `value` at `index`; where an index repeats, the last value stays."""
    out = np.array(x)
    out[index] = value
    return out


def _kept_values(g: Any, value_shape: tuple[int, ...], *, index: Any) -> Any:
    """The gradient of what was written: where an element was written twice, only its last value counts."""
    taken = getitem(g, index=index)
    if not _is_basic(index):
        order = np.arange(int(np.prod(taken.shape))).reshape(taken.shape)
        last = np.zeros(g.shape, np.int64)
        last[index] = order
        taken = taken * (last[index] == order)
    lead = len(value_shape) - len(taken.shape)
    if lead > 0:
        taken = np.reshape(taken, (1,) * lead + tuple(taken.shape))
    return sum_to(taken, shape=value_shape)


setitem.vjp(
    x=lambda g, *, index: setitem(g, np.zeros((), g.dtype), index=index),
    value=_kept_values,
)
setitem.sample((3, 4), (4,), index=1).sample((3, 4), (2, 1), index=(slice(0, 2), slice(1, 3)))
setitem.sample((3, 4), (), index=_MASK).sample((3, 4), (3, 4), index=[0, 0, 2]).sample((4,), (1, 2), index=slice(0, 2))


@op
def set_view(x: Array, value: Array, /, *, view: Op, attributes: Any) -> Array:
    """A copy of x in which the elements that the op `view` looks at are `value`."""
    out = np.array(x, order="C")  # in another order a reshape may copy, and what is written to it would be lost
    view.forward(out, **attributes)[...] = value
    return out


set_view.vjp(
    x=lambda g, value_shape, *, view, attributes: set_view(
        g, np.zeros(value_shape, g.dtype), view=view, attributes=attributes
    ),
    value=lambda g, *, view, attributes: view(g, **attributes),
)
set_view.sample((3, 4), (2,), view=getitem, attributes={"index": (slice(0, 2), 1)})
set_view.sample((3, 4), (12,), view=OPS["reshape"], attributes={"shape": (12,)})


def grid(index: Array, axis: int) -> tuple[Array, ...]:
    """The full index that takes `index` along `axis` and its own position along every other axis."""
    grid = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[axis] = index
    return tuple(grid)


@op
def take_along_axis(x: Array, index: Array, /, *, axis: int) -> Array:
    """x[..., index[..., j, ...], ...]: one element along `axis` for each element of the integer `index`."""
    return np.asarray(x[grid(index, axis)])


@op
def put_along_axis(x: Array, index: Array, /, *, axis: int, shape: tuple[int, ...]) -> Array:
    """Zeros of `shape` with each element of x added at its `index` along `axis`."""
    out = np.zeros(shape, x.dtype)
    np.add.at(out, grid(index, axis), x)
    return out


take_along_axis.vjp(x=lambda g, x_shape, index, *, axis: put_along_axis(g, index, axis=axis, shape=x_shape))
put_along_axis.vjp(x=lambda g, index, *, axis: take_along_axis(g, index, axis=axis))
_ALONG = np.array([[0, 2, 2], [1, 0, 1]])
take_along_axis.sample((2, 3), _ALONG, axis=1).sample((3, 3), _ALONG, axis=-2)
put_along_axis.sample((2, 3), _ALONG, axis=1, shape=(2, 4)).sample((2, 3), _ALONG, axis=0, shape=(3, 3))


@op(view=True)
def diagonal(x: Array, /, *, offset: int, axis0: int, axis1: int) -> Array:
    """The elements of two axes at i, i + offset, along a new last axis."""
    out = x.diagonal(offset, axis0, axis1)
    if x.flags.writeable:
        out.flags.writeable = True  # NumPy gives this one view read-only
    return out


diagonal.vjp(
    x=lambda g, x_shape, *, offset, axis0, axis1: set_view(
        np.zeros(x_shape, g.dtype), g, view=diagonal, attributes={"offset": offset, "axis0": axis0, "axis1": axis1}
    )
)
diagonal.sample((3, 4), offset=1, axis0=0, axis1=1).sample((2, 3, 3), offset=-1, axis0=-1, axis1=0)


@op(view=True)
def windows(x: Array, /, *, axis: int, size: int, step: int) -> Array:
    """The windows of `size` elements along `axis`, `step` apart, each along a new last axis."""
    every = (slice(None),) * axis + (slice(None, None, step),)
    return np.lib.stride_tricks.sliding_window_view(x, size, axis, writeable=x.flags.writeable)[every]


@op
def add_windows(x: Array, /, *, axis: int, step: int, shape: tuple[int, ...]) -> Array:
    """Zeros of `shape` with each window of x, along its last axis, added where it lies along `axis`."""
    out = np.zeros(shape, x.dtype)
    count = x.shape[axis]
    for i in range(x.shape[-1]):
        out[(slice(None),) * axis + (slice(i, i + step * (count - 1) + 1, step),)] += x[..., i]
    return out


windows.vjp(x=lambda g, x_shape, *, axis, step: add_windows(g, axis=axis, step=step, shape=x_shape))
add_windows.vjp(x=lambda g, x_shape, *, axis, step: windows(g, axis=axis, size=x_shape[-1], step=step))
windows.sample((7, 2), axis=0, size=3, step=2).sample((2, 5), axis=1, size=2, step=1)
add_windows.sample((3, 2, 3), axis=0, step=2, shape=(7, 2)).sample((2, 4, 2), axis=1, step=1, shape=(2, 5))


@op(view=True)
def as_strided(x: Array, /, *, size: tuple[int, ...], stride: tuple[int, ...], offset: int) -> Array:
    """The memory of the row-major x, from element `offset` on, seen with other sizes and strides."""
    flat = np.ascontiguousarray(x).reshape(-1)[offset:]
    return np.lib.stride_tricks.as_strided(flat, size, [n * x.itemsize for n in stride], writeable=x.flags.writeable)


def _places(size: tuple[int, ...], stride: tuple[int, ...], offset: int) -> Array:
    """Which element of the memory each element of a strided view is."""
    return offset + sum((np.arange(n).reshape(-1, *[1] * (len(size) - i - 1)) * stride[i] for i, n in enumerate(size)),
                        np.zeros(size, np.int64))  # fmt: skip


as_strided.vjp(
    x=lambda g, x_shape, *, size, stride, offset: np.reshape(
        scatter_add(g, index=_places(size, stride, offset), shape=(int(np.prod(x_shape)),)), x_shape
    )
)
as_strided.sample((3, 4), size=(3, 2), stride=(1, 2), offset=1).sample((6,), size=(2, 2), stride=(0, 1), offset=2)


@op
def scatter_extreme(x: Array, src: Array, index: Array, /, *, axis: int, largest: bool) -> Array:
    """x with, at each `index` along `axis`, the largest (or smallest) of what is there and what src puts there."""
    out = np.array(x)
    (np.maximum if largest else np.minimum).at(out, grid(index, axis), src)
    return out


def _share(g: Any, x: Any, src: Any, index: Any, y: Any, axis: int) -> tuple[Any, Any, Any]:
    """Which of x and of src are the extreme, and the gradient shared evenly among them."""
    own, hit = np.equal(x, y) * np.ones((), g.dtype), np.equal(src, take_along_axis(y, index, axis=axis)) * np.ones((), g.dtype)
    return own, hit, g / np.maximum(own + put_along_axis(hit, index, axis=axis, shape=tuple(y.shape)), 1)


def _share_of_x(g: Any, x: Any, src: Any, index: Any, y: Any, *, axis: int) -> Any:
    own, _, share = _share(g, x, src, index, y, axis)
    return share * own


def _share_of_src(g: Any, x: Any, src: Any, index: Any, y: Any, *, axis: int) -> Any:
    _, hit, share = _share(g, x, src, index, y, axis)
    return take_along_axis(share, index, axis=axis) * hit


scatter_extreme.vjp(x=_share_of_x, src=_share_of_src)
scatter_extreme.sample((2, 4), (2, 3), _ALONG, axis=1, largest=True)
scatter_extreme.sample((3, 3), (2, 3), _ALONG, axis=0, largest=False)


@op
def nonzero(x: Array, /) -> Array:
    """The positions of the elements other than zero, one in a row."""
    return np.argwhere(x)


@op
def repeated(repeats: Array, /) -> Array:
    """Each position as often as its element says."""
    return np.repeat(np.arange(repeats.size), repeats)


nonzero.sample((2, 3)).sample(np.array([0, 2, 0, 1]))
repeated.sample(np.array([2, 0, 1]))
