"""Functions that see the same elements in another shape or order of dimensions; most give views."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn.dtypes import Size, dtype_of, order_of
from tinygrad_nn.methods.aliases import numpy_names
from tinygrad_nn.methods.dims import axes_of, axis_of, inferred, many, sizes_of
from tinygrad_nn.op_node import named
from tinygrad_nn.ops import elementwise, shape
from tinygrad_nn.ops import index as ops

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "adjoint", "as_strided", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_shapes", "broadcast_tensors", "broadcast_to",
    "clone", "diagonal", "flatten", "meshgrid", "moveaxis", "movedim", "narrow", "narrow_copy", "permute", "ravel", "reshape",
    "select", "squeeze", "swapaxes", "swapdims", "t", "transpose", "unflatten", "unsqueeze",
]  # fmt: skip


def reshape(input: Tensor, *shape_: Any, shape: Any = None) -> Tensor:
    """The same elements in another shape, at most one size of it -1; a view where the memory allows."""
    return _reshaped(input, inferred(sizes_of(shape_, shape), input.numel()))


def _reshaped(input: Tensor, sizes: tuple[int, ...]) -> Tensor:
    return shape.reshape(input, shape=sizes)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """The same elements in the shape of `other`."""
    return reshape(input, tuple(other.shape))


def view(input: Tensor, *size_: Any, size: Any = None, dtype: Any = None) -> Tensor:
    """The same memory seen in another shape, or as another dtype; RuntimeError if that needs a copy."""
    if dtype is None and len(size_) == 1 and (isinstance(size_[0], type | np.dtype) or hasattr(size_[0], "is_floating_point")):
        dtype = size_[0] if not hasattr(size_[0], "__record__") else None
    if dtype is not None:
        return shape.reinterpret(input, dtype=dtype_of(dtype).numpy)
    result = _reshaped(input, inferred(sizes_of(size_, size), input.numel()))
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
    if start == end and input.ndim:
        return input
    sizes = tuple(input.shape)
    return _reshaped(input, (*sizes[:start], Size(sizes[start : end + 1]).numel(), *sizes[end + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension; a view where the memory allows."""
    return _reshaped(input, (input.numel(),))


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One dimension split into several of `sizes`, at most one of them -1."""
    axis, whole, parts = axis_of(dim, input.ndim), tuple(input.shape), many(sizes)
    if not parts:
        raise RuntimeError("unflatten: sizes must be non-empty")
    if not whole:
        raise RuntimeError("unflatten: expected a tensor of one or more dimensions, got a 0-d one")
    return _reshaped(input, (*whole[:axis], *inferred(parts, whole[axis]), *whole[axis + 1 :]))


@numpy_names
def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Dimensions of size 1 dropped: all of them, or those among `dim`."""
    axes = range(input.ndim) if dim is None else axes_of(dim, input.ndim) or ()
    sizes = tuple(n for i, n in enumerate(input.shape) if n != 1 or i not in axes)
    kind = 0 if dim is None else 1 if isinstance(dim, int) else 2
    return named(_reshaped(input, sizes), f"SqueezeBackward{kind}")


@numpy_names
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A dimension of size 1 put in at `dim`."""
    axis, sizes = axis_of(dim, input.ndim + 1), tuple(input.shape)
    return named(_reshaped(input, (*sizes[:axis], 1, *sizes[axis:])), "UnsqueezeBackward0")


def atleast_1d(*tensors: Any) -> Any:
    """Each tensor with one dimension or more."""
    return _each(lambda x: x if x.ndim else _reshaped(x, (1,)), tensors)


def atleast_2d(*tensors: Any) -> Any:
    """Each tensor with two dimensions or more, new ones in front."""
    return _each(lambda x: x if x.ndim >= 2 else _reshaped(x, (1, x.numel())), tensors)


def atleast_3d(*tensors: Any) -> Any:
    """Each tensor with three dimensions or more: a vector becomes (1, n, 1), a matrix (m, n, 1)."""
    return _each(lambda x: x if x.ndim >= 3 else _reshaped(x, (*x.shape, 1) if x.ndim == 2 else (1, x.numel(), 1)), tensors)


def _each(function: Any, tensors: tuple[Any, ...]) -> Any:
    """`function` of one tensor, or of several, given one by one or in a list, as a tuple."""
    if len(tensors) == 1 and not isinstance(tensors[0], Sequence):
        return function(*all_tensors(tensors))
    return tuple(map(function, all_tensors(tensors[0] if len(tensors) == 1 else tensors)))


def all_tensors(values: Sequence[Any]) -> Sequence[Tensor]:
    """The values; TypeError if one of them is no tensor."""
    for i, value in enumerate(values):
        if not hasattr(value, "__record__"):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(value).__name__}")
    return values


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged; a view."""
    axis0, axis1 = axis_of(dim0, input.ndim), axis_of(dim1, input.ndim)
    return shape.transpose(input, axis0=axis0, axis1=axis1) if input.ndim else _reshaped(input, ())


swapdims = transpose


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Two dimensions exchanged; a view."""
    return transpose(input, axis0, axis1)


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; 0-d and 1-d tensors as they are."""
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return named(transpose(input, 0, 1) if input.ndim == 2 else _reshaped(input, tuple(input.shape)), "TBackward0")


def adjoint(input: Tensor) -> Tensor:
    """The last two dimensions exchanged: numbers here are real."""
    if input.ndim == 1:
        raise RuntimeError("tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor.")
    return transpose(input, -2, -1) if input.ndim else input


def permute(input: Tensor, *dims_: Any, dims: Any = None) -> Tensor:
    """Dimension i of the result is dimension `dims[i]` of the input; a view."""
    order = sizes_of(dims_, dims)
    if len(order) != input.ndim:
        raise RuntimeError(
            f"permute: number of dimensions in the tensor input does not match the length of the desired ordering of "
            f"dimensions i.e. input.dim() = {input.ndim} is not equal to len(dims) = {len(order)}"
        )
    axes = tuple(axis_of(d, input.ndim) for d in order)
    if len(set(axes)) != input.ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return shape.permute(input, axes=axes)


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """The dimensions `source` moved to `destination`, the others in order around them."""
    sources, targets = many(source), many(destination)
    if len(sources) != len(targets):
        raise RuntimeError(f"movedim: expected as many destinations as sources, got {list(sources)} and {list(targets)}")
    sources, targets = (tuple(axis_of(d, input.ndim) for d in axes) for axes in (sources, targets))
    for name, axes in (("source", sources), ("destination", targets)):
        if len(set(axes)) != len(axes):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(axes)})")
    order = [axis for axis in range(input.ndim) if axis not in sources]
    for target, moved in sorted(zip(targets, sources, strict=True)):
        order.insert(target, moved)
    return shape.permute(input, axes=tuple(order)) if input.ndim else _reshaped(input, ())


moveaxis = movedim


def expand(input: Tensor, *size_: Any, size: Any = None) -> Tensor:
    """Dimensions of size 1 repeated to `size` without copying; -1 keeps a size, new dimensions come first."""
    wanted = sizes_of(size_, size)
    lead = len(wanted) - input.ndim
    if lead < 0:
        raise RuntimeError(
            f"expand: the number of sizes provided ({len(wanted)}) must be greater or equal to the number of "
            f"dimensions in the tensor ({input.ndim})"
        )
    full = tuple(input.shape[i - lead] if n == -1 and i >= lead else n for i, n in enumerate(wanted))
    if any(n < 0 for n in full):
        raise RuntimeError(f"expand: expected sizes of 0 or more, or -1 for a dimension that exists, got {list(wanted)}")
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


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that tensors of these shapes broadcast to together."""
    sizes = [many(sizes) for sizes in shapes]
    if any(n < 0 for each in sizes for n in each):
        raise ValueError(f"broadcast_shapes: expected sizes of at least 0, got {sizes}")
    try:
        return Size(np.broadcast_shapes(*sizes))
    except ValueError:
        raise RuntimeError(f"Shape mismatch: objects of shapes {sizes} cannot be broadcast to a single shape") from None


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors, each expanded to the shape they broadcast to together."""
    all_tensors(tensors)
    common = broadcast_shapes(*(x.shape for x in tensors))
    return tuple(x if x.shape == common else expand(x, common) for x in tensors)


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Each vector expanded along its own dimension of one grid; "xy" exchanges the first two dimensions.

    A UserWarning unless `indexing` is given, as it will have to be; until then it is "ij".
    """
    if indexing is None:
        told = "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument"
        warnings.warn(told, UserWarning, stacklevel=2)
        indexing = "ij"
    vectors = list(tensors[0] if len(tensors) == 1 and isinstance(tensors[0], Sequence) else tensors)
    if not vectors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if any(v.ndim > 1 for v in all_tensors(vectors)):
        raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got {[v.ndim for v in vectors]}")
    if any(v.dtype != vectors[0].dtype for v in vectors):
        raise RuntimeError("torch.meshgrid expects all tensors to have the same dtype")
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    swapped = indexing == "xy" and len(vectors) > 1
    if swapped:
        vectors[:2] = vectors[1::-1]
    sizes = tuple(v.numel() for v in vectors)
    grids = [expand(_reshaped(v, (-1, *[1] * (len(sizes) - i - 1))), sizes) for i, v in enumerate(vectors)]
    if swapped:
        grids[:2] = grids[1::-1]
    return tuple(grids)


def sum_to_size(input: Tensor, *size_: Any, size: Any = None) -> Tensor:
    """The input summed over the dimensions along which `size` would broadcast."""
    wanted = sizes_of(size_, size)
    if not wanted:
        return input.sum()
    if wanted == tuple(input.shape):
        return input
    try:
        fits = np.broadcast_shapes(wanted, tuple(input.shape)) == tuple(input.shape)
    except ValueError:
        fits = False
    if not fits:
        raise RuntimeError(f"size {list(wanted)} is not expandable to size {list(input.shape)}.")
    return shape.sum_to(input if input.is_floating_point() else input.long(), shape=wanted)


@numpy_names
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice of `dim` at `index`, without that dimension; a view."""
    if not input.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    axis = axis_of(dim, input.ndim)
    if not -input.shape[axis] <= index < input.shape[axis]:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {axis}")
    return input[(*(slice(None),) * axis, int(index))]


@numpy_names
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """`length` elements along `dim` from `start`; a view."""
    if not input.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if hasattr(start, "__record__") and (start.ndim or start.dtype.name == "bool" or start.is_floating_point()):
        raise RuntimeError(f"narrow(): start must be an 0-dim integral Tensor, got {start.dtype} of {start.ndim} dimensions")
    axis, start = axis_of(dim, input.ndim), index(start)
    size = input.shape[axis]
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -size <= start <= size:
        raise IndexError(f"start out of range (expected to be in range of [{-size}, {size}], but got {start})")
    start = start + size if start < 0 else start
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return input[(*(slice(None),) * axis, slice(start, start + length))]


def narrow_copy(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """A copy of `length` elements along `dim` from `start`."""
    return elementwise.copy(narrow(input, dim, start, length))


def two_axes(input: Tensor, dim1: int, dim2: int) -> tuple[int, int]:
    """Two dimensions as axes; RuntimeError if they are one."""
    axis1, axis2 = axis_of(dim1, input.ndim), axis_of(dim2, input.ndim)
    if axis1 == axis2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return axis1, axis2


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of two dimensions, `offset` above the main one, along a new last dimension; a view."""
    axis1, axis2 = two_axes(input, dim1, dim2)
    return ops.diagonal(input, offset=offset, axis0=axis1, axis1=axis2)


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of `size` along `dimension`, `step` apart, each along a new last dimension; a view."""
    axis = axis_of(dimension, input.ndim)
    if not input.ndim:
        return unfold(_reshaped(input, (1,)), 0, size, step)[0]
    if not 0 <= size <= input.shape[axis]:
        raise RuntimeError(f"maximum size for tensor at dimension {axis} is {input.shape[axis]} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return ops.windows(input, axis=axis, size=size, step=step)


def as_strided(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """The memory under a tensor seen with other sizes and strides.

    NotImplementedError where gradients would have to follow it outside a row-major tensor.
    """
    sizes, strides = many(size), many(stride)
    if len(sizes) != len(strides):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(n < 0 for n in strides):
        raise RuntimeError(f"as_strided: Negative strides are not supported at the moment, got strides: {list(strides)}")
    begin = input.storage_offset()
    start = 0 if storage_offset is None else storage_offset - begin
    end = start + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True)) if 0 not in sizes else start - 1
    held = input.untyped_storage().nbytes() // input.itemsize
    if begin + start < 0 or begin + end >= held:
        raise RuntimeError(
            f"as_strided: sizes {list(sizes)}, strides {list(strides)} and storage offset {begin + start} are out of bounds for a "
            f"storage of {held} elements"
        )
    if not input.is_contiguous() or not start >= 0 or end >= input.numel():
        if not input.requires_grad:
            return input.detach().set_(input, begin + start, sizes, strides)
        raise NotImplementedError(
            f"as_strided: expected, with gradients, a view within a contiguous tensor of {input.numel()} elements, got sizes "
            f"{list(sizes)}, strides {list(strides)} from element {start} of a tensor with strides {list(input.stride())}"
        )
    return ops.as_strided(input, size=sizes, stride=strides, offset=start)


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """The input, copied into row-major order or that of `memory_format` if it does not lie so."""
    return input if input.is_contiguous(memory_format) else clone(input, memory_format=memory_format)


@numpy_names
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy, row-major or in `memory_format`, through which gradients pass."""
    order = order_of(memory_format, input.ndim)
    if order is None:
        return elementwise.copy(input)
    return permute(elementwise.copy(permute(input, order)), tuple(order.index(i) for i in range(input.ndim)))
