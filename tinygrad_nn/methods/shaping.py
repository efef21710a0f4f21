"""Functions that move, join, cut or repeat elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn.dtypes import result_type
from tinygrad_nn.methods.dims import axes_of, axis_of, inferred, sizes_of
from tinygrad_nn.ops import elementwise, shape

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "broadcast_to", "cat", "chunk", "clone", "concat", "concatenate", "flatten", "flip", "movedim", "narrow", "permute",
    "reshape", "roll", "split", "squeeze", "stack", "t", "transpose", "unbind", "unflatten", "unsqueeze",
]  # fmt: skip


def reshape(input: Tensor, *sizes: Any) -> Tensor:
    """The same elements in another shape, at most one size of it -1; a view where the memory allows."""
    return shape.reshape(input, shape=inferred(sizes_of(sizes), input.numel()))


def view(input: Tensor, *sizes: Any) -> Tensor:
    """The same memory seen in another shape, or reinterpreted shape by a dtype; RuntimeError if that needs a copy."""
    if len(sizes) == 1 and not isinstance(sizes[0], int | Sequence):
        raise NotImplementedError(f"view({sizes[0]}): reinterpreting memory as another dtype is not supported; use to()")
    result: Tensor = shape.reshape(input, shape=inferred(sizes_of(sizes), input.numel()))
    if input.numel() and not np.may_share_memory(result.detach().numpy(), input.detach().numpy()):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across "
            "two contiguous subspaces). Use .reshape(...) instead."
        )
    return result


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """The same memory seen in the shape of `other`."""
    return view(input, tuple(other.shape))


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The dimensions from `start_dim` to `end_dim` made one."""
    start, end = axis_of(start_dim, input.ndim), axis_of(end_dim, input.ndim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    sizes = tuple(input.shape) or (1,)
    middle = 1
    for n in sizes[start : end + 1]:
        middle *= n
    return shape.reshape(input, shape=(*sizes[:start], middle, *sizes[end + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One dimension split into several of `sizes`, at most one of them -1."""
    axis = axis_of(dim, input.ndim)
    whole = tuple(input.shape)
    return shape.reshape(input, shape=(*whole[:axis], *inferred(tuple(sizes), whole[axis]), *whole[axis + 1 :]))


def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Dimensions of size 1 dropped: all of them, or those among `dim`."""
    axes = range(input.ndim) if dim is None else axes_of(dim, input.ndim) or ()
    return shape.reshape(input, shape=tuple(n for i, n in enumerate(input.shape) if n != 1 or i not in axes))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A dimension of size 1 put in at `dim`."""
    axis = axis_of(dim, input.ndim + 1)
    sizes = tuple(input.shape)
    return shape.reshape(input, shape=(*sizes[:axis], 1, *sizes[axis:]))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged; a view."""
    axis0, axis1 = axis_of(dim0, input.ndim), axis_of(dim1, input.ndim)
    return shape.transpose(input, axis0=axis0, axis1=axis1) if input.ndim else shape.reshape(input, shape=())


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; 0-d and 1-d tensors as they are."""
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return transpose(input, 0, 1) if input.ndim == 2 else shape.reshape(input, shape=tuple(input.shape))


def permute(input: Tensor, *dims: Any) -> Tensor:
    """Dimension i of the result is dimension `dims[i]` of the input; a view."""
    axes = tuple(axis_of(d, input.ndim) for d in sizes_of(dims))
    if len(axes) != input.ndim or len(set(axes)) != input.ndim:
        if len(axes) == input.ndim:
            raise RuntimeError("permute(): duplicate dims are not allowed.")
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {input.ndim} is not equal to len(dims) = {len(axes)}"
        )
    return shape.permute(input, axes=axes)


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """The dimensions `source` moved to `destination`, the others in order around them."""
    sources, targets = ((v,) if isinstance(v, int) else tuple(v) for v in (source, destination))
    sources, targets = (tuple(axis_of(d, input.ndim) for d in v) for v in (sources, targets))
    order = [axis for axis in range(input.ndim) if axis not in sources]
    for target, moved in sorted(zip(targets, sources, strict=True)):
        order.insert(target, moved)
    return shape.permute(input, axes=tuple(order))


def expand(input: Tensor, *sizes: Any) -> Tensor:
    """Dimensions of size 1 repeated to `sizes` without copying; -1 keeps a size, new dimensions come first."""
    wanted = sizes_of(sizes)
    lead = len(wanted) - input.ndim
    if lead < 0:
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(wanted)}) must be greater or equal to the number of "
            f"dimensions in the tensor ({input.ndim})"
        )
    full = tuple(input.shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted))
    for i, (have, want) in enumerate(zip(input.shape, full[lead:], strict=True)):
        if have not in (1, want):
            raise RuntimeError(
                f"The expanded size of the tensor ({want}) must match the existing size ({have}) at non-singleton "
                f"dimension {i + lead}.  Target sizes: {list(wanted)}.  Tensor sizes: {list(input.shape)}"
            )
    return shape.broadcast_to(input, shape=full)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """The input expanded to the shape of `other`."""
    return expand(input, tuple(other.shape))


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """The input repeated to `size` without copying."""
    return expand(input, tuple(size))


def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """The input summed over the dimensions along which `size` would broadcast."""
    wanted = sizes_of(size)
    try:
        fits = np.broadcast_shapes(wanted, tuple(input.shape)) == tuple(input.shape)
    except ValueError:
        fits = False
    if not fits:
        raise RuntimeError(f"size {list(wanted)} is not expandable to size {list(input.shape)}.")
    return shape.sum_to(input, shape=wanted)


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors joined along a dimension they have; their dtypes are promoted."""
    tensors = tuple(tensors)
    if not tensors:
        raise ValueError("cat(): expected a non-empty list of Tensors")
    kept = tuple(t for t in tensors if tuple(t.shape) != (0,)) or tensors[:1]
    ndim = kept[0].ndim
    if any(t.ndim == 0 for t in tensors):
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    axis = axis_of(dim, ndim)
    for i, tensor in enumerate(kept[1:], 1):
        if tensor.ndim != ndim:
            raise RuntimeError(f"Tensors must have same number of dimensions: got {ndim} and {tensor.ndim}")
        for other in range(ndim):
            if other != axis and tensor.shape[other] != kept[0].shape[other]:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {kept[0].shape[other]} "
                    f"but got size {tensor.shape[other]} for tensor number {i} in the list."
                )
    return shape.concatenate(*_alike(kept, tensors), axis=axis)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape joined along a new dimension."""
    tensors = tuple(tensors)
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    for i, tensor in enumerate(tensors):
        if tensor.shape != tensors[0].shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(tensors[0].shape)} at entry 0 "
                f"and {list(tensor.shape)} at entry {i}"
            )
    return shape.stack(*_alike(tensors, tensors), axis=axis_of(dim, tensors[0].ndim + 1))


def _alike(tensors: Sequence[Tensor], deciding: Sequence[Tensor]) -> list[Tensor]:
    """The tensors in the common dtype of the `deciding` ones."""
    common = result_type([t.detach().numpy() for t in deciding])
    return [t.to(common) for t in tensors]


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`, without that dimension."""
    if not input.ndim:
        raise RuntimeError("Dimension specified as 0 but tensor has no dimensions")
    before = (slice(None),) * axis_of(dim, input.ndim)
    return tuple(input[(*before, i)] for i in range(input.shape[axis_of(dim, input.ndim)]))


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` elements along `dim` from `start`; a view."""
    axis = axis_of(dim, input.ndim)
    size = input.shape[axis]
    if not -size <= start <= size:
        raise IndexError(f"start out of range (expected to be in range of [{-size}, {size}], but got {start})")
    start = start + size if start < 0 else start
    if start + length > size or length < 0:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return input[(*(slice(None),) * axis, slice(start, start + length))]


def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces along `dim`: of one size (the last may be smaller), or of the sizes in a list; views."""
    size = tensor.shape[axis_of(dim, tensor.ndim)]
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step < 0 or (step == 0 and size):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={step}")
        sections = [min(step, size - start) for start in range(0, size, step or 1)] or [0]
    else:
        sections = list(split_size_or_sections)
        if sum(sections) != size:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at dimension "
                f"{dim}), but got split_sizes={sections}"
            )
    starts = [sum(sections[:i]) for i in range(len(sections))]
    return tuple(narrow(tensor, dim, start, n) for start, n in zip(starts, sections, strict=True))


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` pieces of equal size along `dim`, the last may be smaller; views."""
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    size = input.shape[axis_of(dim, input.ndim)]
    return split(input, -(-size // chunks) if size else 0, dim)


def flip(input: Tensor, *dims: Any) -> Tensor:
    """The order along `dims` reversed; a copy."""
    return shape.flip(input, axes=axes_of(sizes_of(dims), input.ndim) or ())


def roll(input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """The elements moved along `dims` by `shifts`, round the end; without dims, as if flattened."""
    moves = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    if dims is None or dims == ():
        if len(moves) != 1:
            raise RuntimeError(f"roll: expected one shift without dims, got {len(moves)}")
        return shape.roll(input, shifts=moves, axes=None)
    axes = tuple(axis_of(d, input.ndim) for d in ((dims,) if isinstance(dims, int) else dims))
    if len(axes) != len(moves):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(moves)}, dims:{len(axes)}")
    return shape.roll(input, shifts=moves, axes=axes)


def pad(input: Tensor, pad: Sequence[int], value: float = 0.0) -> Tensor:
    """`value` around the input: `pad` has (before, after) for the last dimension, then the one before it, and so on.

    Negative widths cut.
    """
    if len(pad) % 2 or len(pad) // 2 > input.ndim:
        raise RuntimeError(f"pad: expected at most {input.ndim} pairs of widths, got {list(pad)}")
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)][::-1]
    widths = [(0, 0)] * (input.ndim - len(pairs)) + pairs
    if any(b < 0 or a < 0 for b, a in widths):
        cuts = tuple(slice(max(-b, 0), n - max(-a, 0)) for (b, a), n in zip(widths, input.shape, strict=True))
        input, widths = input[cuts], [(max(b, 0), max(a, 0)) for b, a in widths]
    return shape.pad(input, widths=tuple(widths), value=value)


def contiguous(input: Tensor) -> Tensor:
    """The input, copied into row-major order if it is not in it."""
    return input if input.is_contiguous() else elementwise.copy(input)


def clone(input: Tensor) -> Tensor:
    """A copy through which gradients pass."""
    return elementwise.copy(input)


concat, concatenate = cat, cat
