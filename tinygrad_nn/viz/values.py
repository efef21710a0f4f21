"""What a picture keeps of an array: every number of a small one; of a large one a strip, a grid, a histogram."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_nn.op import Array

FULL = 1024  # arrays of up to so many elements are kept number by number
STRIP = 32  # cells of a strip
GRID = 32  # rows and columns, at most, of a grid
_BINS = 16


def number(value: Any) -> Any:
    """A number as JSON can hold it, exactly; what is not finite by its name.

    >>> number(np.float32(0.5)), number(float("inf")), number(np.int8(3)), number(np.bool_(True))
    (0.5, 'inf', 3, True)
    """
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return "nan" if math.isnan(plain) else "inf" if plain > 0 else "-inf"
    return plain


def short(value: Any, digits: int = 4) -> str:
    """A number with few digits, as the pictures show it.

    >>> short(0.70710678), short(-3.0), short(1e-9), short(12345678.0), short(7)
    ('0.7071', '-3', '1e-09', '1.235e+07', '7')
    """
    plain = value.item() if isinstance(value, np.generic) else value
    return f"{plain:.{digits}g}" if isinstance(plain, float) else str(plain)


def odd_ones(values: Array) -> dict[str, int]:
    """How many of the numbers are not finite, by name; none where all are.

    >>> odd_ones(np.array([1.0, np.nan, -np.inf, np.inf]))
    {'nan': 1, 'inf': 2}
    """
    counts = {"nan": int(np.isnan(values).sum()), "inf": int(np.isinf(values).sum())}
    return {name: count for name, count in counts.items() if count}


def span(values: Array) -> str:
    """The least, the mean and the greatest number; where some are not finite, how many in place of the mean.

    >>> span(np.array([1.0, 2.0, 6.0])), span(np.array([1.0, np.nan, 6.0])), span(np.array([np.inf]))
    ('1 … 3 … 6', '1 … 6, 1 nan', '1 inf')
    """
    odd, finite = odd_ones(values), values[np.isfinite(values)]
    ends = [] if not finite.size else [finite.min(), finite.max()] if odd else [finite.min(), finite.mean(), finite.max()]
    told = [" … ".join(short(float(v), 2) for v in ends)] if ends else []
    return ", ".join(told + [f"{count} {name}" for name, count in odd.items()])


def summary(array: Array, full: int = FULL, colors: bool = False) -> dict[str, Any]:
    """An array for JSON: shape, dtype and `data` in row-major order, or, beyond `full` elements, what stands for them.

    With `colors`, an image of three channels keeps them all.

    >>> summary(np.array([[1.0, 2.0]]))
    {'shape': [1, 2], 'dtype': 'float64', 'data': [1.0, 2.0]}
    >>> sorted(summary(np.zeros((50, 50))))
    ['dtype', 'grid', 'histogram', 'max', 'mean', 'min', 'shape', 'strip']
    """
    kept: dict[str, Any] = {"shape": list(array.shape), "dtype": array.dtype.name}
    if array.size <= full:
        kept["data"] = [number(v) for v in array.ravel().tolist()]
        return kept
    values = array.real.astype(np.float64)
    finite = values[np.isfinite(values)]
    low, mean, high = (finite.min(), finite.mean(), finite.max()) if finite.size else (np.nan,) * 3
    kept |= {"min": number(low), "mean": number(mean), "max": number(high)} | odd_ones(values)
    kept["strip"] = [_rounded(v) for v in strip(values)]
    kept["grid"] = [[_rounded(v) for v in row] for row in grid(values)]
    if colors and is_image(array.shape) and array.shape[-3] == 3:
        channels = values.reshape(-1, *array.shape[-3:])[0]
        kept["colors"] = [[[_rounded(v) for v in row] for row in grid(channel)] for channel in channels]
    counts, edges = np.histogram(finite, _BINS) if finite.size else (np.zeros(0, int), np.zeros(2))
    kept["histogram"] = {"low": number(edges[0]), "high": number(edges[-1]), "counts": counts.tolist()}
    return kept


def strip(values: Array, cells: int = STRIP) -> Array:
    """The elements in order, averaged into at most so many cells."""
    flat = values.ravel().astype(np.float64)
    if flat.size <= cells:
        return flat
    edges = np.linspace(0, flat.size, cells + 1).astype(int)
    return np.add.reduceat(flat, edges[:-1]) / np.diff(edges)


def grid(values: Array) -> Array:
    """The last two axes of the first sample, thinned out to what a small grid can show."""
    matrix = values.reshape(-1, *values.shape[-2:])[0] if values.ndim >= 2 else values.reshape(1, -1)
    rows, columns = (-(-n // GRID) for n in matrix.shape)
    return matrix[:: max(rows, 1), :: max(columns, 1)]


def is_image(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape is better seen than read: (..., channels, rows, columns), at least 8 by 8.

    >>> is_image((64, 1, 28, 28)), is_image((64, 784)), is_image((3, 32, 32))
    (True, False, True)
    """
    return len(shape) >= 3 and min(shape[-2:]) >= 8 and max(shape[-2:]) <= 4 * min(shape[-2:]) and 0 not in shape


def _rounded(value: Any) -> Any:
    return number(float(f"{float(value):.3g}"))
