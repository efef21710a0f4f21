"""Functions that count and look up values; what they give carries no gradient, save cov and corrcoef."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn import return_types
from tinygrad_nn.dtypes import get_default_dtype
from tinygrad_nn.methods.dims import axis_of
from tinygrad_nn.methods.queries import result_type
from tinygrad_nn.methods.reduction import sum
from tinygrad_nn.op import Array
from tinygrad_nn.ops import elementwise, linalg, shape
from tinygrad_nn.ops import sort as ops

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "bincount", "bucketize", "corrcoef", "cov", "histc", "histogram", "histogramdd", "isin", "searchsorted", "unique",
    "unique_consecutive",
]  # fmt: skip


def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The distinct elements (or slices along `dim`) in order; also where each one went, and how often each one is."""
    x = _array(input)
    axis = None if dim is None else axis_of(dim, input.ndim)
    values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True, axis=axis, equal_nan=False)
    inverse = inverse.reshape(x.shape if axis is None else -1)
    return _with_wanted(input, values, (return_inverse, inverse), (return_counts, counts))


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The first of each run of equal elements (or slices along `dim`); also the run of each, and the length of each run."""
    x = _array(input)
    rows = x.reshape(-1) if dim is None else np.moveaxis(x, axis_of(dim, input.ndim), 0)
    flat = rows.reshape(len(rows), -1) if rows.size else np.zeros((len(rows), 1))
    starts = np.concatenate([np.ones(min(len(rows), 1), bool), np.any(flat[1:] != flat[:-1], axis=1)])
    inverse = (np.cumsum(starts) - 1).reshape(x.shape if dim is None else -1)
    counts = np.diff(np.append(np.flatnonzero(starts), len(rows)))
    values = rows[starts] if dim is None else np.moveaxis(rows[starts], 0, axis_of(dim, input.ndim))
    return _with_wanted(input, values, (return_inverse, inverse), (return_counts, counts))


def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Where each value would enter the last dimension of the sorted sequence, (n,) or (..., n) for values (..., m)."""
    if side not in (None, "left", "right") or (side == "left" and right):
        raise RuntimeError(f"searchsorted(): expected side 'left' or 'right' and right to agree, got {side} and {right}")
    sequence, values = _alike(sorted_sequence, input)
    if sequence.ndim == 0:
        raise RuntimeError("searchsorted(): boundaries tensor should have positive dimension")
    if sequence.ndim > 1 and sequence.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            f"searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and "
            f"input value tensor must match, but we got {list(sequence.shape)} and {list(values.shape)}"
        )
    if sorter is not None:
        order = _array(sorter)
        if order.shape != sequence.shape or order.dtype != np.int64:
            raise RuntimeError(f"searchsorted(): sorter must be int64 of shape {list(sequence.shape)}, got {list(order.shape)}")
        if order.size and (order.min() < 0 or order.max() >= sequence.shape[-1]):
            raise RuntimeError("searchsorted(): sorter index out of range")
        sequence = np.take_along_axis(sequence, order, -1)
    found = ops.searchsorted(sequence, values, right=right or side == "right")
    return _tensor(sorted_sequence, np.asarray(found, np.int32 if out_int32 else np.int64))


def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """Which of the intervals between the sorted `boundaries` (n,) each value lies in: from 0, below the first, to n."""
    if boundaries.ndim != 1:
        raise RuntimeError(f"bucketize(): boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    found = ops.searchsorted(*_alike(boundaries, input), right=right)
    return _tensor(boundaries, np.asarray(found, np.int32 if out_int32 else np.int64))


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each of `elements` is one of `test_elements`."""
    found = np.isin(_array(elements), _array(test_elements), assume_unique=assume_unique, invert=invert)
    return _tensor(elements if hasattr(elements, "__record__") else test_elements, found)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each whole number from 0 occurs in a vector, or what the `weights` of its occurrences add up to."""
    x = _array(input)
    if x.ndim != 1 or x.dtype.kind not in "iu" or (x.size and x.min() < 0):
        raise RuntimeError(f"bincount only supports 1-d non-negative integral inputs, got {input.dtype} {list(x.shape)}")
    if minlength < 0:
        raise RuntimeError(f"minlength should be >= 0, got {minlength}")
    if weights is None:
        return _tensor(input, np.bincount(x, None, minlength).astype(np.int64, copy=False))
    w = _array(weights)
    if w.shape != x.shape:
        raise RuntimeError(f"weights should be 1-d and have the same length as input, got {list(w.shape)} for {list(x.shape)}")
    return _tensor(input, np.bincount(x, w, minlength).astype(np.float32 if w.dtype == np.float32 else np.float64))


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of `bins` equal intervals from `min` to `max`; if these are equal, of all elements."""
    x = _floats(input, "histc")
    if bins <= 0:
        raise RuntimeError(f"histc(): bins must be > 0, got {bins}")
    low, high = _bounds(x, min, max)
    return _tensor(input, np.histogram(x[(x >= low) & (x <= high)], bins, (low, high))[0].astype(x.dtype))


def histogram(
    input: Tensor,
    bins: int | Tensor = 100,
    *,
    range: tuple[float, float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """How many elements (or what weight) each bin holds, and the edges of the bins: `bins` are these, or their number."""
    x = _floats(input, "histogram")
    w = None if weight is None else _array(weight).reshape(-1)
    counts, edges = np.histogram(x, bins if isinstance(bins, int | np.integer) else _array(bins), range, weights=w)
    if density:
        with np.errstate(invalid="ignore"):
            counts = counts / (counts.sum() * np.diff(edges))
    return return_types.histogram(*(_tensor(input, found.astype(x.dtype)) for found in (counts, edges)))


def histogramdd(
    input: Tensor,
    bins: int | Sequence[Any],
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """How many points (or what weight) each box holds, and the edges along each of D dimensions: the points are (..., D).

    `bins` are the edges along each dimension, or their numbers; `range` the first and the last edge of each, one after the
    other.
    """
    if input.ndim < 2:
        raise RuntimeError(f"histogramdd: expected points of shape (..., D), got shape {list(input.shape)}")
    size = input.shape[-1]
    points = _floats(input, "histogramdd").reshape(-1, size)
    each: Any = [bins] * size if isinstance(bins, int | np.integer) else bins
    wanted: Any = [n if isinstance(n, int | np.integer) else _array(n) for n in each]
    limits = None if range is None else list(zip(range[::2], range[1::2], strict=True))
    w = None if weight is None else _array(weight).reshape(-1)
    counts, edges = np.histogramdd(points, wanted, limits, weights=w, density=density)
    found = [_tensor(input, one.astype(points.dtype)) for one in (counts, *edges)]
    return return_types.histogramdd(found[0], tuple(found[1:]))


def cov(input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None) -> Tensor:
    """The covariances (d, d) of d variables in the rows of (d, n), each of the n columns counted `fweights` times."""
    if input.ndim > 2:
        raise RuntimeError(f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions")
    if input.dtype.name == "bool":
        raise RuntimeError("cov(): bool dtype is not supported for input")
    rows = input if input.ndim == 2 else shape.reshape(input, shape=(1, -1))
    rows = rows if rows.is_floating_point() else rows.to(get_default_dtype())
    weights = _weights(fweights, aweights, rows)
    total: Any = rows.shape[1] if weights is None else sum(weights)
    freedom: Any = total - correction
    if aweights is not None and correction:
        freedom = total - correction * (sum(weights * aweights) / total)
    if freedom <= 0:
        warnings.warn("cov(): degrees of freedom is <= 0: expected a correction below the number of columns", stacklevel=2)
        freedom = freedom * 0.0
    centred = elementwise.sub(rows, sum(rows if weights is None else rows * weights, 1, True) / total)
    found = elementwise.div(linalg.matmul(centred, (centred if weights is None else centred * weights).mT), freedom)
    return found if input.ndim == 2 and input.shape[0] != 1 else shape.reshape(found, shape=())


def corrcoef(input: Tensor) -> Tensor:
    """The correlations (d, d) of d variables in the rows of (d, n): their covariances over their standard deviations."""
    if input.ndim > 2:
        raise RuntimeError(f"corrcoef(): expected input to have two or fewer dimensions but got {input.ndim}")
    found = cov(input)
    if not found.ndim:
        return elementwise.div(found, found)
    deviation = elementwise.sqrt(found.diagonal())
    return elementwise.clip(found / deviation[:, None] / deviation[None, :], low=-1.0, high=1.0)


def _weights(fweights: Tensor | None, aweights: Tensor | None, rows: Tensor) -> Tensor | None:
    """The product of the weights of the columns, checked."""
    for name, weights, floating in (("fweights", fweights, False), ("aweights", aweights, True)):
        if weights is None:
            continue
        if weights.ndim > 1 or weights.numel() != rows.shape[1]:
            raise RuntimeError(f"cov(): expected {name} to have {rows.shape[1]} elements, got {list(weights.shape)}")
        if weights.is_floating_point() != floating:
            kind = "floating" if floating else "integral"
            raise RuntimeError(f"cov(): expected {name} to have {kind} dtype, got {weights.dtype}")
        if np.any(_array(weights) < 0):
            raise RuntimeError(f"cov(): {name} cannot be negative")
    if fweights is None or aweights is None:
        return fweights if aweights is None else aweights
    return fweights * aweights


def _array(value: Any) -> Array:
    return value.detach().numpy() if hasattr(value, "__record__") else np.asarray(value)


def _alike(boundaries: Tensor, values: Any) -> tuple[Array, Array]:
    """Both in the dtype in which they are compared."""
    common = result_type(boundaries, values).numpy
    return _array(boundaries).astype(common, copy=False), _array(values).astype(common, copy=False)


def _tensor(like: Any, array: Any) -> Tensor:
    """An array as a Tensor outside any graph."""
    tensor: Tensor = like.rewrap(np.asarray(array), None)
    return tensor


def _with_wanted(like: Tensor, values: Array, *extras: tuple[bool, Any]) -> Any:
    """The values alone, or with those extras that are wanted."""
    found = [_tensor(like, extra) for wanted, extra in extras if wanted]
    return (_tensor(like, values), *found) if found else _tensor(like, values)


def _floats(input: Tensor, name: str) -> Array:
    if not input.is_floating_point():
        raise RuntimeError(f"{name}(): expected a floating tensor, got {input.dtype}")
    return _array(input).reshape(-1)


def _bounds(x: Array, low: float, high: float) -> tuple[float, float]:
    """The range of the bins: as given, or that of the elements; never empty."""
    if low == high and x.size:
        low, high = float(x.min()), float(x.max())
    if not np.isfinite([low, high]).all() or low > high:
        raise RuntimeError(f"histc(): expected a finite range with min <= max, got [{low}, {high}]")
    return (low - 1, high + 1) if low == high else (low, high)
