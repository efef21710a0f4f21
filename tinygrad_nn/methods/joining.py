"""Functions that join tensors, and that cut them into pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tinygrad_nn.dtypes import result_type
from tinygrad_nn.methods.aliases import numpy_names
from tinygrad_nn.methods.dims import axis_of, many
from tinygrad_nn.methods.faces import put_into
from tinygrad_nn.methods.shaping import all_tensors, atleast_1d, atleast_2d, atleast_3d, narrow, reshape
from tinygrad_nn.op_node import named
from tinygrad_nn.ops import shape

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "block_diag", "cat", "chunk", "column_stack", "concat", "concatenate", "dsplit", "dstack", "hsplit", "hstack", "row_stack",
    "split", "split_with_sizes", "stack", "tensor_split", "unbind", "unsafe_chunk", "unsafe_split", "vsplit", "vstack",
]  # fmt: skip


def _listed(tensors: Any, name: str) -> tuple[Tensor, ...]:
    """A sequence of tensors as a tuple; TypeError for anything else."""
    if hasattr(tensors, "__record__") or not isinstance(tensors, Sequence):
        raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}")
    for i, tensor in enumerate(tensors):
        if not hasattr(tensor, "__record__"):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(tensor).__name__}")
    return tuple(tensors)


@numpy_names
def cat(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """The tensors joined along a dimension they have; their dtypes are promoted."""
    if out is not None:
        return put_into(out, cat(tensors, dim), "cat")
    tensors = _listed(tensors, "cat")
    if not tensors:
        raise ValueError("cat(): expected a non-empty list of Tensors")
    for i, tensor in enumerate(tensors):
        if tensor.ndim == 0:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    first = next((tensor for tensor in tensors if tuple(tensor.shape) != (0,)), tensors[0])
    axis = axis_of(dim, first.ndim)
    none = (*first.shape[:axis], 0, *first.shape[axis + 1 :])
    fitted = [reshape(tensor, none) if tuple(tensor.shape) == (0,) else tensor for tensor in tensors]
    for i, tensor in enumerate(fitted):
        if tensor.ndim != first.ndim:
            raise RuntimeError(f"Tensors must have same number of dimensions: got {first.ndim} and {tensor.ndim}")
        for other in range(first.ndim):
            if other != axis and tensor.shape[other] != first.shape[other]:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {first.shape[other]} "
                    f"but got size {tensor.shape[other]} for tensor number {i} in the list."
                )
    return shape.concatenate(*_alike(fitted), axis=axis)


concat, concatenate = cat, cat


@numpy_names
def stack(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Tensors of one shape joined along a new dimension."""
    if out is not None:
        return put_into(out, stack(tensors, dim), "stack")
    tensors = _listed(tensors, "stack")
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = tensors[0].shape
    axis = axis_of(dim, len(first) + 1)
    for i, tensor in enumerate(tensors):
        if tensor.shape != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0, {list(tensor.shape)} at entry {i}"
            )
    return shape.stack(*_alike(tensors), axis=axis)


def _alike(tensors: Sequence[Tensor]) -> list[Tensor]:
    """The tensors in their common dtype."""
    if len({t.dtype for t in tensors}) == 1:
        return list(tensors)
    common = result_type([t.detach().numpy() for t in tensors])
    return [t.to(common) for t in tensors]


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors side by side: vectors joined along dimension 0, all others along dimension 1."""
    pieces = atleast_1d(_nonempty(tensors, "hstack"))
    return cat(pieces, 0 if pieces[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors on top of each other, vectors as rows."""
    return cat(atleast_2d(_nonempty(tensors, "vstack")), 0)


row_stack = vstack


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors behind each other: joined along dimension 2, which they get if they lack it."""
    return cat(atleast_3d(_nonempty(tensors, "dstack")), 2)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors side by side, vectors and numbers as columns."""
    pieces = _nonempty(tensors, "column_stack")
    return cat([t if t.ndim > 1 else reshape(t, t.numel(), 1) for t in pieces], 1)


def _nonempty(tensors: Any, name: str) -> tuple[Tensor, ...]:
    tensors = _listed(tensors, name)
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return tensors


def block_diag(*tensors: Tensor) -> Tensor:
    """A matrix with the given matrices (vectors as rows) along its diagonal and zeros elsewhere."""
    for i, tensor in enumerate(all_tensors(tensors)):
        if tensor.ndim > 2:
            raise RuntimeError(f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {i} has {tensor.ndim}")
    blocks = atleast_2d(_alike(tensors))
    widths, total = [b.shape[1] for b in blocks], sum(b.shape[1] for b in blocks)
    befores = [sum(widths[:i]) for i in range(len(blocks))]
    rows = [shape.pad(block, widths=((0, 0), (before, total - before - width)), value=0)
            for block, before, width in zip(blocks, befores, widths, strict=True)]  # fmt: skip
    return shape.concatenate(*rows, axis=0)


@numpy_names
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`, without that dimension; views."""
    if not input.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    axis = axis_of(dim, input.ndim)
    return tuple(named(input[(*(slice(None),) * axis, i)], "UnbindBackward0") for i in range(input.shape[axis]))


def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces of the given sizes along `dim`; views."""
    if not input.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    sizes, size = many(split_sizes), input.shape[axis_of(dim, input.ndim)]
    if any(n < 0 for n in sizes):
        raise RuntimeError(f"split_with_sizes expects split_sizes have only non-negative entries, got split_sizes={list(sizes)}")
    if sum(sizes) != size:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at dimension {dim}), but got "
            f"split_sizes={list(sizes)}"
        )
    return tuple(named(narrow(input, dim, sum(sizes[:i]), n), "SplitWithSizesBackward0") for i, n in enumerate(sizes))


def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces along `dim`: of one size (the last may be smaller), or of the sizes in a list; views."""
    if not hasattr(split_size_or_sections, "__index__"):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    if not tensor.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    size, step = tensor.shape[axis_of(dim, tensor.ndim)], many(split_size_or_sections)[0]
    if step < 0 or (step == 0 and size):
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={step}")
    parts = split_with_sizes(tensor, [min(step, size - start) for start in range(0, size, step or 1)] or [0], dim)
    return tuple(named(part, "SplitBackward0") for part in parts)


@numpy_names
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` pieces of equal size along `dim`, the last may be smaller; views."""
    if not input.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    size = input.shape[axis_of(dim, input.ndim)]
    return split(input, -(-size // chunks), dim) if size else split_with_sizes(input, [0] * chunks, dim)


def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
    """What `split` gives for one size."""
    return split(input, split_size, dim)


unsafe_chunk = chunk


def tensor_split(
    input: Tensor, indices_or_sections: Any = None, dim: int = 0, *, sections: Any = None, indices: Any = None
) -> tuple[Tensor, ...]:
    """That many pieces whose sizes differ by at most one, or the pieces between the given indices, along `dim`; views."""
    given = [value for value in (indices_or_sections, sections, indices) if value is not None]
    if len(given) != 1:
        raise TypeError(f"tensor_split(): expected one of sections and indices, got {len(given)} of them")
    if not input.ndim:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    axis = axis_of(dim, input.ndim)
    size, where = input.shape[axis], given[0]
    if hasattr(where, "__record__"):
        if where.dtype.name != "int64" or where.ndim > 1:
            raise RuntimeError(f"tensor_split expected indices as a 0-d or 1-d int64 tensor, got {where.dtype}, {where.ndim} dims")
        where = where.tolist()
    if hasattr(where, "__index__"):
        if where <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {where}")
        least, larger = divmod(size, where)
        return split_with_sizes(input, [least + (i < larger) for i in range(where)], dim)
    before, cuts = (slice(None),) * axis, many(where)
    return tuple(input[(*before, slice(start, end))] for start, end in zip((0, *cuts), (*cuts, size), strict=True))


def _split_along(input: Tensor, where: Any, dim: int, name: str) -> tuple[Tensor, ...]:
    """`tensor_split` for a number of sections that must divide the dimension."""
    if hasattr(where, "__index__") and (where <= 0 or input.shape[dim] % where):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {input.shape[dim]} is not "
            f"divisible by the split_size {where}!"
        )
    return tensor_split(input, where, dim)


def hsplit(input: Tensor, sections: Any) -> tuple[Tensor, ...]:
    """Pieces side by side: along dimension 1, of a vector along dimension 0; views."""
    if input.ndim < 1:
        raise RuntimeError("torch.hsplit requires a tensor with at least 1 dimension, but got a tensor with 0 dimensions!")
    return _split_along(input, sections, 0 if input.ndim == 1 else 1, "hsplit")


def vsplit(input: Tensor, sections: Any) -> tuple[Tensor, ...]:
    """Pieces on top of each other: along dimension 0 of two or more; views."""
    if input.ndim < 2:
        raise RuntimeError(f"torch.vsplit requires a tensor with at least 2 dimension, but got a tensor with {input.ndim}!")
    return _split_along(input, sections, 0, "vsplit")


def dsplit(input: Tensor, sections: Any) -> tuple[Tensor, ...]:
    """Pieces behind each other: along dimension 2 of three or more; views."""
    if input.ndim < 3:
        raise RuntimeError(f"torch.dsplit requires a tensor with at least 3 dimension, but got a tensor with {input.ndim}!")
    return _split_along(input, sections, 2, "dsplit")
