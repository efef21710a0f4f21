"""Functions that select by index."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn.methods.aliases import numpy_names
from tinygrad_nn.methods.dims import axis_of, many
from tinygrad_nn.methods.shaping import broadcast_shapes, expand, reshape
from tinygrad_nn.op_node import named
from tinygrad_nn.ops import index as ops

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "argwhere", "gather", "index_select", "masked_select", "nonzero", "nonzero_static", "take", "take_along_dim",
    "unravel_index",
]  # fmt: skip


def unravel_index(indices: Tensor, shape: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Places in a flattened tensor as an index of each dimension; what is beyond the end begins anew.

    TypeError for indices that are not whole numbers, ValueError for negative sizes.
    """
    if indices.is_floating_point() or indices.dtype.name == "bool":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    indices, sizes = indices.long(), many(shape)
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    steps = [math.prod(sizes[i + 1 :]) for i in range(len(sizes))]
    return tuple(indices // step % size for step, size in zip(steps, sizes, strict=True))


def numpy_index(index: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Any index of Tensors, lists, slices and numbers as a NumPy index that always holds an ellipsis.

    The ellipsis makes NumPy give an array, and a view, even where all dimensions are indexed.
    """
    if type(index) is int and shape:
        return index, ...
    parts = index if isinstance(index, tuple) or _is_tuple_in_disguise(index) else (index,)
    plain = [_part(part) for part in parts]
    used = sum([_dims_of(part) for part in plain])
    if used > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    ellipses = [i for i, part in enumerate(plain) if part is ...]
    for i in reversed(ellipses[1:]):
        del plain[i]
    if not ellipses:
        plain.append(...)
    if _has_arrays(plain):
        _check_masks(plain, shape, used)
    return tuple(plain)


def _has_arrays(plain: Sequence[Any]) -> bool:
    return np.ndarray in [type(part) for part in plain]


def _is_tuple_in_disguise(index: Any) -> bool:
    """Whether a list is read as a tuple: a short one that holds more than numbers, as in PyTorch."""
    return isinstance(index, list) and len(index) < 32 and any(
        part is None or part is ... or isinstance(part, slice | list | tuple) or getattr(part, "ndim", 0) for part in index
    )  # fmt: skip


def _check_masks(plain: Sequence[Any], shape: tuple[int, ...], used: int) -> None:
    """IndexError for a mask that has not the shape of the dimensions it is for."""
    at = 0
    for i, part in enumerate(plain):
        if isinstance(part, np.ndarray) and part.dtype.kind == "b" and part.shape != shape[at : at + part.ndim]:
            raise IndexError(
                f"The shape of the mask {list(part.shape)} at index {i} does not match the shape of the indexed tensor "
                f"{list(shape)} at index {at}"
            )
        at += len(shape) - used if part is ... else _dims_of(part)


def _dims_of(part: Any) -> int:
    """How many of the tensor's dimensions one part of an index takes up."""
    if part is None or part is ... or isinstance(part, bool):
        return 0
    return part.ndim if isinstance(part, np.ndarray) and part.dtype.kind == "b" else 1


def _part(part: Any) -> Any:
    if part is None or part is ... or isinstance(part, bool | int):
        return part
    if isinstance(part, slice):
        if part.start is part.stop is part.step is None:
            return part
        start, stop, step = (None if v is None else index(v) for v in (part.start, part.stop, part.step))
        if step is not None and step <= 0:
            raise ValueError(f"step must be greater than zero, got {step}")
        return slice(start, stop, step)
    if isinstance(part, str | bytes):
        raise TypeError(f"new(): invalid data type '{type(part).__name__}': expected an index")
    if hasattr(part, "__record__"):
        part = part.detach().numpy()
    elif isinstance(part, float) or not isinstance(part, list | tuple | range | np.ndarray | np.generic):
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
            f"(got {type(part).__name__})"
        )
    array = np.asarray(part, None if np.size(part) else np.asarray(part).dtype if hasattr(part, "dtype") else np.int64)
    if array.ndim == 0 and array.dtype.kind in "iu":
        return int(array)
    if array.dtype.kind not in "b" and array.dtype.name not in ("int64", "int32", "uint8"):
        raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors, or lists of such; got {array.dtype}")
    return array.astype(bool) if array.dtype == np.uint8 else array


def split_index(plain: tuple[Any, ...]) -> tuple[tuple[Any, ...] | None, tuple[Any, ...]]:
    """A NumPy index as the integers and slices that PyTorch applies first, if any must be, and the arrays it applies then.

    Beside an array NumPy takes an integer for an array too, and so may move dimensions that PyTorch leaves.
    """
    if not _has_arrays(plain) or not any(type(part) is int for part in plain):
        return None, plain
    basic = tuple(whole for part in plain for whole in ([slice(None)] * _dims_of(part) if isinstance(part, np.ndarray) else [part]))
    rest = tuple(part if isinstance(part, np.ndarray) or part is ... else slice(None) for part in plain if type(part) is not int)
    return basic, rest


def getitem(input: Tensor, index: Any) -> Tensor:
    """input[index]: integers and slices, None, ..., lists, masks and tensors, together as PyTorch takes them."""
    basic, plain = split_index(numpy_index(index, input.shape))
    try:
        return ops.getitem(input if basic is None else ops.getitem(input, index=basic), index=plain)
    except (IndexError, ValueError, RuntimeError) as error:
        raise IndexError(f"{error}; the tensor's shape is {list(input.shape)}") from None


@numpy_names
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """input[..., index[..., j, ...], ...] along `dim`: one element for each element of the int64 `index`."""
    if sparse_grad:
        raise NotImplementedError("gather: sparse_grad=True is not supported, gradients here are dense")
    axis, plain = along(input, dim, index, "gather")
    if not input.ndim or not plain.ndim:
        return reshape(gather(reshape(input, -1), 0, index.reshape(-1)), tuple(index.shape))
    if not plain.size:
        return reshape(reshape(input, -1)[:0], plain.shape)
    cut = tuple(slice(None) if i == axis else slice(n) for i, n in enumerate(plain.shape))
    return ops.take_along_axis(ops.getitem(input, index=cut), plain, axis=axis)


@numpy_names
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of `dim` that the 1-d integer `index` names, in its order."""
    axis, rows = slices_at(input, dim, index, "index_select")
    chosen = ops.getitem(input if input.ndim else reshape(input, 1), index=(*(slice(None),) * axis, rows)).reshape(
        (*input.shape[:axis], *rows.shape, *input.shape[axis + 1 :]) if input.ndim else ()
    )
    return named(chosen, "IndexSelectBackward0")


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the bool `mask` holds, as a vector; both are broadcast together."""
    if mask.dtype.name != "bool":
        raise RuntimeError(f"masked_select: expected BoolTensor for mask, got {mask.dtype}")
    shape = broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    return ops.getitem(expand(input, shape), index=(expand(mask, shape).numpy(),))


def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements at the positions `index` in the flattened input, in the shape of `index`."""
    return ops.getitem(reshape(input, -1), index=(positions(input, index, "take"),))


@numpy_names
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """`gather` along `dim` with the other dimensions broadcast; without `dim`, `take`."""
    if dim is None:
        return gather(reshape(input, -1), 0, indices.reshape(-1))
    if indices.dtype.name not in ("int64", "int32"):
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype}")
    if indices.ndim != input.ndim:
        raise RuntimeError(
            f"torch.take_along_dim(): input and indices should have the same number of dimensions, but got {input.ndim} "
            f"dimensions for input, and {indices.ndim} dimensions for indices"
        )
    axis = axis_of(dim, input.ndim)
    indices = indices.where(indices >= 0, indices + input.shape[axis])
    others = broadcast_shapes(*((*x.shape[:axis], 1, *x.shape[axis + 1 :]) for x in (input, indices)))
    source, places = (expand(x, (*others[:axis], x.shape[axis], *others[axis + 1 :])) for x in (input, indices))
    return gather(source, axis, places.long())


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The positions of the elements other than zero: one in a row, or as one vector for each dimension."""
    rows = ops.nonzero(input)
    if not as_tuple:
        return rows
    return tuple(rows[:, i].contiguous() for i in range(input.ndim)) if input.ndim else nonzero(reshape(input, 1), as_tuple=True)


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """The positions of the first `size` elements other than zero, one in a row; where there are fewer, rows of `fill_value`.

    RuntimeError for a negative size.
    """
    if size < 0:
        raise RuntimeError(f"nonzero_static: expected a size of at least 0, got {size}")
    rows = ops.nonzero(input)[:size]
    filled = rows.new_full((size, input.ndim), fill_value)
    filled[: len(rows)] = rows
    return filled


def argwhere(input: Tensor) -> Tensor:
    """The positions of the elements other than zero, one in a row."""
    return ops.nonzero(input)


def slices_at(input: Tensor, dim: int, index: Tensor, name: str, error: type[Exception] = IndexError) -> tuple[int, Any]:
    """The axis and a 1-d index of its slices as an array, checked against the input's shape."""
    axis = axis_of(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, got {index.ndim} dimensions")
    if index.dtype.name not in ("int64", "int32"):
        raise RuntimeError(f"{name}(): Expected dtype int32 or int64 for index, got {index.dtype}")
    rows = index.detach().numpy().reshape(-1)
    if not input.ndim and rows.size != 1:
        raise RuntimeError(f"{name}(): Index to scalar can have only 1 value, got {rows.size} value(s)")
    size = input.shape[axis] if input.ndim else 1
    if rows.size and (rows.min() < 0 or rows.max() >= size):
        raise error(f"{name}(): index out of range in self: expected 0 to {size - 1} in dimension {axis}, got {rows.tolist()}")
    return axis, rows


def positions(input: Tensor, index: Tensor, name: str) -> Any:
    """An index into the flattened input as an array, checked; negative ones count from the end."""
    if index.dtype.name != "int64":
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {index.dtype}")
    plain, count = index.detach().numpy(), input.numel()
    if plain.size and (plain.min() < -count or plain.max() >= count):
        raise IndexError(f"{name}(): index out of range: expected {-count} to {count - 1}, got {plain.min()} to {plain.max()}")
    return plain


def along(input: Tensor, dim: int, index: Tensor, name: str) -> tuple[int, Any]:
    """The axis and the index as an array, checked against the input's shape."""
    axis = axis_of(dim, input.ndim)
    plain = index.detach().numpy()
    if index.dtype.name not in ("int64", "int32") and plain.size:
        raise RuntimeError(f"{name}(): Expected dtype int64 for index, got {index.dtype}")
    if max(plain.ndim, 1) != max(input.ndim, 1) and plain.size:
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as input tensor: {name} got {plain.ndim} and {input.ndim}"
        )
    size = input.shape[axis] if input.ndim else 1
    if name == "gather" and plain.size:
        for i in range(min(plain.ndim, input.ndim)):
            if i != axis and plain.shape[i] > input.shape[i]:
                raise RuntimeError(
                    f"Size does not match at dimension {i} expected index {list(plain.shape)} to be no larger than self "
                    f"{list(input.shape)} apart from dimension {axis}"
                )
    if plain.size and (plain.min() < 0 or plain.max() >= size):
        bad = plain[(plain < 0) | (plain >= size)][0]
        raise RuntimeError(f"index {bad} is out of bounds for dimension {axis} with size {size}")
    return axis, plain
