"""Functions that give the elements anew in another arrangement: repeated, turned round, in part, on a diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn.dtypes import dtype_of, number_in
from tinygrad_nn.methods.dims import axes_of, axis_of, many, sizes_of
from tinygrad_nn.methods.faces import Number, is_tensor
from tinygrad_nn.methods.joining import stack
from tinygrad_nn.methods.shaping import (
    all_tensors,
    as_strided,
    contiguous,
    diagonal,
    expand,
    meshgrid,
    reshape,
    transpose,
    two_axes,
    unsqueeze,
)
from tinygrad_nn.op_node import named
from tinygrad_nn.ops import elementwise, shape
from tinygrad_nn.ops import index as ops

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "as_strided_scatter", "cartesian_prod", "combinations", "diag", "diag_embed", "diagflat", "diagonal_scatter", "flip", "fliplr",
    "flipud", "repeat_interleave", "roll", "rot90", "select_scatter", "slice_scatter", "tile", "tril", "triu", "vander",
]  # fmt: skip


def flip(input: Tensor, *dims_: Any, dims: Any = None) -> Tensor:
    """The order along `dims` reversed; a copy."""
    return shape.flip(input, axes=axes_of(sizes_of(dims_, dims), input.ndim) or ())


def fliplr(input: Tensor) -> Tensor:
    """The order along dimension 1 reversed."""
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """The order along dimension 0 reversed."""
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


def roll(input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """The elements moved along `dims` by `shifts`, round the end; without dims, as if flattened."""
    moves, along = many(shifts), () if dims is None else many(dims)
    if not along:
        if len(moves) != 1:
            raise RuntimeError(f"roll: expected one shift without dims, got {len(moves)}")
        return shape.roll(input, shifts=moves, axes=None)
    if len(along) != len(moves):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(moves)}, dims:{len(along)}")
    if not input.ndim:
        raise IndexError(f"Dimension specified as {along[0]} but tensor has no dimensions")
    if not input.numel():
        return elementwise.copy(input)
    return shape.roll(input, shifts=moves, axes=tuple(axis_of(d, input.ndim) for d in along))


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """The plane of two dimensions turned `k` times by 90 degrees, from the first towards the second."""
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}")
    if dims[0] == dims[1] or abs(dims[0] - dims[1]) == input.ndim:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    first, second = (axis_of(d, input.ndim) for d in dims)
    if k % 4 == 0:
        return elementwise.copy(input)
    if k % 4 == 2:
        return flip(input, first, second)
    return contiguous(transpose(flip(input, second if k % 4 == 1 else first), first, second))


def repeat(input: Tensor, *repeats_: Any, repeats: Any = None) -> Tensor:
    """The whole tensor repeated along each dimension; more repeats than dimensions make new ones in front."""
    times = sizes_of(repeats_, repeats)
    if len(times) < input.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    if any(n < 0 for n in times):
        raise RuntimeError(f"repeat: expected repeats of 0 or more, got {list(times)}")
    sizes = (1,) * (len(times) - input.ndim) + tuple(input.shape)
    alternating = reshape(input, [m for n in sizes for m in (1, n)])
    spread = expand(alternating, [m for n, k in zip(sizes, times, strict=True) for m in (k, n)])
    return named(reshape(elementwise.copy(spread), [n * k for n, k in zip(sizes, times, strict=True)]), "RepeatBackward0")


def tile(input: Tensor, *dims_: Any, dims: Any = None) -> Tensor:
    """The whole tensor repeated along its last dimensions, as often as `dims` says."""
    times = sizes_of(dims_, dims)
    return repeat(input, (1,) * (input.ndim - len(times)) + times)


def repeat_interleave(input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None) -> Tensor:
    """Each element along `dim` repeated in place, by one number or one for each; given only numbers, the indices for it."""
    if repeats is None:
        if input.ndim != 1:
            raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
        if input.dtype.name not in ("int64", "int32"):
            raise RuntimeError(f"repeats has to be Long or Int tensor, got {input.dtype}")
        return ops.repeated(input).to(input.dtype)
    if dim is None:
        input, dim = reshape(input, -1), 0
    if not input.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    axis = axis_of(dim, input.ndim)
    times = np.asarray(repeats.detach().numpy() if hasattr(repeats, "__record__") else repeats)
    if times.dtype.kind not in "iu" or (times.size and times.min() < 0):
        raise RuntimeError("repeats can not be negative" if times.dtype.kind in "iu" else "repeats has to be Long or Int tensor")
    size = input.shape[axis]
    if times.ndim > 1 or (times.size not in (1, size)):
        raise RuntimeError(f"repeats must have the same size as input along dim, but got {times.size} and {size}")
    rows = np.repeat(np.arange(size), times if times.ndim and times.size == size else times.item())
    if output_size not in (None, rows.size):
        raise RuntimeError(f"repeat_interleave: allocated size does not match required size {rows.size}, got {output_size}")
    return ops.getitem(input, index=(*(slice(None),) * axis, rows))


def _triangle(input: Tensor, lower: bool, diagonal: int, name: str) -> Tensor:
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
    below = np.tri(input.shape[-2], input.shape[-1], diagonal if lower else diagonal - 1, np.bool_)
    return elementwise.where(below if lower else ~below, contiguous(input), np.zeros((), input.dtype.numpy))


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """Matrices with zeros above a diagonal."""
    return named(_triangle(input, True, diagonal, "tril"), "TrilBackward0")


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """Matrices with zeros below a diagonal."""
    return named(_triangle(input, False, diagonal, "triu"), "TriuBackward0")


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A square matrix with the vector on its diagonal, or a copy of the diagonal of a matrix."""
    if input.ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    return diag_embed(input, diagonal) if input.ndim == 1 else elementwise.copy(_diagonal(input, diagonal))


_diagonal = diagonal


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Square matrices, along `dim1` and `dim2`, with the last dimension of the input on a diagonal and zeros elsewhere."""
    ndim = input.ndim + 1
    axis1, axis2 = axis_of(dim1, ndim), axis_of(dim2, ndim)
    if axis1 == axis2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    sizes, side = list(input.shape[:-1]), input.shape[-1] + abs(offset)
    for axis in sorted((axis1, axis2)):
        sizes.insert(axis, side)
    return _on_diagonal(np.zeros(sizes, input.dtype.numpy), input, offset, axis1, axis2)


def _on_diagonal(whole: Any, values: Tensor, offset: int, axis1: int, axis2: int) -> Tensor:
    return ops.set_view(whole, values, view=ops.diagonal, attributes={"offset": offset, "axis0": axis1, "axis1": axis2})


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A square matrix with all elements of the input on a diagonal."""
    return diag_embed(reshape(input, -1), offset)


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy of the input with `src` on a diagonal."""
    axis1, axis2 = two_axes(input, dim1, dim2)
    return _on_diagonal(input, _fitting(src, diagonal(input, offset, dim1, dim2), input), offset, axis1, axis2)


def _fitting(src: Tensor, place: Any, input: Tensor) -> Tensor:
    if tuple(src.shape) != tuple(place.shape):
        raise RuntimeError(f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = "
                           f"{list(place.shape)}")  # fmt: skip
    return src.to(input.dtype)


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of the input with `src` as its slice of `dim` at `index`."""
    axis = axis_of(dim, input.ndim)
    if not input.ndim or not -input.shape[axis] <= index < input.shape[axis]:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {dim}")
    return _at(input, src, (*(slice(None),) * axis, index))


def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """A copy of the input with `src` as its slice `start:end:step` of `dim`."""
    return _at(input, src, (*(slice(None),) * axis_of(dim, input.ndim), slice(start, end, step)))


def _at(input: Tensor, src: Tensor, where: tuple[Any, ...]) -> Tensor:
    index = (*where, ...)
    return ops.set_view(input, _fitting(src, input[index], input), view=ops.getitem, attributes={"index": index})


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """A copy of the input with `src` where `as_strided` looks."""
    place = as_strided(input, size, stride, storage_offset)
    offset = 0 if storage_offset is None else storage_offset - input.storage_offset()
    attributes = {"size": many(size), "stride": many(stride), "offset": offset}
    return ops.set_view(input, _fitting(src, place, input), view=ops.as_strided, attributes=attributes)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All tuples of one element from each vector, one in a row; of one vector, itself."""
    if any(x.ndim != 1 for x in all_tensors(tensors)):
        raise RuntimeError(f"Expect a 1D vector, but got shapes {[list(x.shape) for x in tensors]}")
    return tensors[0] if len(tensors) == 1 else stack([reshape(g, -1) for g in meshgrid(*tensors, indexing="ij")], 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All selections of `r` elements of a vector in their order, one in a row."""
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input[:0]
    rows = np.indices((input.numel(),) * r).reshape(r, -1).T
    ordered = rows[:, 1:] >= rows[:, :-1] if with_replacement else rows[:, 1:] > rows[:, :-1]
    return ops.getitem(input, index=(rows[ordered.all(1)],))


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers 0 to N - 1 of each element of a vector in its row, the highest first unless `increasing`."""
    if x.ndim != 1:
        raise RuntimeError(f"x must be a one-dimensional tensor, got {x.ndim} dimensions")
    count = x.numel() if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    base = x if x.is_floating_point() else x.to(dtype_of(int))
    powers = np.arange(count) if increasing else np.arange(count)[::-1].copy()
    return elementwise.pow(unsqueeze(base, -1), powers.astype(base.dtype.numpy))


def pad(input: Tensor, pad: Sequence[int], value: float = 0.0) -> Tensor:
    """`value` around the input: `pad` has (before, after) for the last dimension, then the one before it, and so on.

    Negative widths cut.
    """
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)][::-1]
    widths = [(0, 0)] * (input.ndim - len(pairs)) + pairs
    if any(b < 0 or a < 0 for b, a in widths):
        if any(n + min(b, 0) + min(a, 0) < 0 for (b, a), n in zip(widths, input.shape, strict=True)):
            raise RuntimeError(f"pad: the widths {list(pad)} cut more than there is: the shape is {list(input.shape)}")
        cuts = tuple(slice(max(-b, 0), n - max(-a, 0)) for (b, a), n in zip(widths, input.shape, strict=True))
        input, widths = input[cuts], [(max(b, 0), max(a, 0)) for b, a in widths]
    return shape.pad(input, widths=tuple(widths), value=value)


def fill_diagonal(input: Tensor, fill_value: Number, wrap: bool = False) -> Tensor:
    """A number, in the input's dtype, on the main diagonal, which goes on below itself in a tall matrix if `wrap`.

    RuntimeError for fewer than two dimensions, and for more of different sizes.
    """
    if input.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    if input.ndim > 2 and len(set(input.shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    mask = np.zeros(tuple(input.shape), bool)
    np.fill_diagonal(mask, True, wrap=wrap)
    value = fill_value.item() if is_tensor(fill_value) else fill_value  # type: ignore[union-attr]
    return elementwise.where(mask, number_in(value, input.dtype.numpy), input)
