"""Primitives of look-up tables: reading rows and adding rows, each other's adjoint."""

from typing import Any

import numpy as np

from tinygrad_nn.op import Array, op


@op
def rows(table: Array, index: Array, /, *, share: Array | None) -> Array:
    """table[index]: (n, ...) and integers (...) -> (..., ...); the gradient of each row read counts `share` (all of it if None)."""
    return table.take(index, axis=0)


@op
def add_rows(x: Array, index: Array, /, *, count: int) -> Array:
    """Zeros (count, ...) with each row of x added at its index: (m, ...) and integers (m,) -> (count, ...)."""
    out = np.zeros((count, *x.shape[1:]), x.dtype)
    if index.size:
        order = np.argsort(index, kind="stable")
        ordered = index[order]
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        out[ordered[starts]] = np.add.reduceat(x[order], starts, axis=0)  # far quicker than np.add.at
    return out


def _rows_rule(g: Any, table_shape: tuple[int, ...], index: Any, *, share: Array | None) -> Any:
    g = g if share is None else g * share + 0  # a row without a share gets 0.0, not -0.0
    return add_rows(np.reshape(g, (-1, *table_shape[1:])), np.asarray(index).reshape(-1), count=table_shape[0])


rows.vjp(table=_rows_rule)
add_rows.vjp(x=lambda g, index: rows(g, index, share=None))
_INDEX = np.array([2, 0, 2])
rows.sample((4, 3), _INDEX, share=None).sample((4, 3), _INDEX.reshape(3, 1), share=None).sample((2, 3), _INDEX[:0], share=None)
add_rows.sample((3, 2), _INDEX, count=4).sample((0, 2), _INDEX[:0], count=2)
