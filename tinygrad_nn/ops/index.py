"""Primitives that read and write by index; reading and adding are each other's adjoint."""

from typing import Any

import numpy as np

from tinygrad_nn.op import OPS, Array, Op, op
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
scatter_add.vjp(x=lambda g, *, index: g[index])

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
    out = x.copy()
    out[index] = value
    return out


def _kept_values(g: Any, value_shape: tuple[int, ...], *, index: Any) -> Any:
    """The gradient of what was written: where an element was written twice, only its last value counts."""
    taken = g[index]
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
    out = x.copy("K")
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


def _grid(index: Array, axis: int) -> tuple[Array, ...]:
    """The full index that takes `index` along `axis` and its own position along every other axis."""
    grid = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[axis] = index
    return tuple(grid)


@op
def take_along_axis(x: Array, index: Array, /, *, axis: int) -> Array:
    """x[..., index[..., j, ...], ...]: one element along `axis` for each element of the integer `index`."""
    return np.asarray(x[_grid(index, axis)])


@op
def put_along_axis(x: Array, index: Array, /, *, axis: int, shape: tuple[int, ...]) -> Array:
    """Zeros of `shape` with each element of x added at its `index` along `axis`."""
    out = np.zeros(shape, x.dtype)
    np.add.at(out, _grid(index, axis), x)
    return out


take_along_axis.vjp(x=lambda g, x_shape, index, *, axis: put_along_axis(g, index, axis=axis, shape=x_shape))
put_along_axis.vjp(x=lambda g, index, *, axis: take_along_axis(g, index, axis=axis))
_ALONG = np.array([[0, 2, 2], [1, 0, 1]])
take_along_axis.sample((2, 3), _ALONG, axis=1).sample((3, 3), _ALONG, axis=-2)
put_along_axis.sample((2, 3), _ALONG, axis=1, shape=(2, 4)).sample((2, 3), _ALONG, axis=0, shape=(3, 3))
