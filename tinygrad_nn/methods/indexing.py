"""Functions that select and write by index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn.methods.dims import axis_of
from tinygrad_nn.ops import index as ops

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "gather", "index_select", "masked_select",
]  # fmt: skip


def numpy_index(index: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Any index of Tensors, lists, slices and numbers as a NumPy index that always holds an ellipsis.

    The ellipsis makes NumPy give an array, and a view, even where all dimensions are indexed.
    """
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple(_part(part) for part in parts)
    used = sum(part.ndim if isinstance(part, np.ndarray) and part.dtype.kind == "b" else 1
               for part in plain if part is not None and part is not ... and part is not True and part is not False)  # fmt: skip
    if used > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    return plain if any(part is ... for part in plain) else (*plain, ...)


def _part(part: Any) -> Any:
    if part is None or part is ... or isinstance(part, bool | int):
        return part
    if isinstance(part, slice):
        return slice(*(None if v is None else v.__index__() for v in (part.start, part.stop, part.step)))
    if hasattr(part, "__record__"):
        part = part.detach().numpy()
        if part.ndim == 0 and part.dtype.kind in "iu":
            return int(part)
    array = np.asarray(part, None if np.size(part) else np.int64)
    if array.dtype.kind not in "iub":
        raise IndexError(
            f"tensors used as indices must be long, int, byte or bool tensors, or lists of such; got {array.dtype}"
        )
    if array.dtype == np.uint8:
        return array.astype(bool)
    return int(array) if array.ndim == 0 and array.dtype.kind != "b" else array


def getitem(input: Tensor, index: Any) -> Tensor:
    """input[index], by every kind of NumPy index."""
    plain = numpy_index(index, tuple(input.shape))
    try:
        return ops.getitem(input, index=plain)
    except (IndexError, ValueError) as error:
        raise IndexError(f"{error}; the tensor's shape is {list(input.shape)}") from None


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """input[..., index[..., j, ...], ...] along `dim`: one element for each element of the int64 `index`."""
    axis, plain = _along(input, dim, index, "gather")
    if not input.ndim:
        return ops.getitem(input, index=(np.zeros(plain.shape, np.int64) if plain.ndim else ..., ...)[:1])
    cut = tuple(slice(None) if i == axis else slice(n) for i, n in enumerate(plain.shape))
    return ops.take_along_axis(getitem(input, cut), plain, axis=axis)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of `dim` that the 1-d integer `index` names, in its order."""
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    axis = axis_of(dim, input.ndim)
    return getitem(input, (*(slice(None),) * axis, index.reshape(-1)))


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the bool `mask` holds, as a vector; both are broadcast together."""
    if mask.dtype.numpy.kind != "b":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    shape = np.broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    return getitem(input.expand(*shape), mask.expand(*shape))


def _along(input: Tensor, dim: int, index: Tensor, name: str) -> tuple[int, Any]:
    """The axis and the index as an array, checked against the input's shape."""
    axis = axis_of(dim, input.ndim)
    if index.dtype.numpy != np.int64:
        raise RuntimeError(f"{name}(): Expected dtype int64 for index, got {index.dtype}")
    plain = index.detach().numpy()
    if max(plain.ndim, 1) != max(input.ndim, 1) and plain.size:
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as input tensor: {name} got {plain.ndim} and {input.ndim}"
        )
    size = input.shape[axis] if input.ndim else 1
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
