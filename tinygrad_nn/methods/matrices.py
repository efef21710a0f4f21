"""Matrix products of every kind; all but the elementwise ones end in one primitive, `matmul`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tinygrad_nn import dtypes
from tinygrad_nn.methods.dims import axis_of, listed
from tinygrad_nn.methods.einsum import contract
from tinygrad_nn.methods.faces import old_order, put_into
from tinygrad_nn.methods.reduction import sum as sum_
from tinygrad_nn.methods.shaping import all_tensors, broadcast_to, reshape, squeeze, unsqueeze
from tinygrad_nn.op_node import named
from tinygrad_nn.ops import elementwise, index, linalg, shape

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "chain_matmul", "cross", "dot", "ger", "inner", "kron", "matmul",
    "mm", "mv", "outer", "tensordot", "trace", "vdot",
]  # fmt: skip

Number: TypeAlias = bool | int | float

_NAMES = {(1, 1): "DotBackward0", (2, 1): "MvBackward0", (3, 1): "UnsafeViewBackward0"}  # of products with vectors, by dimensions


def matmul(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """(..., m, k) @ (..., k, n) -> (..., m, n); leading dimensions broadcast, vectors are rows and columns."""
    if out is not None:
        return put_into(out, matmul(input, other), "matmul", exact=True)
    if not hasattr(other, "__record__") or not hasattr(input, "__record__"):
        raise TypeError(f"matmul: expected two tensors, got {type(input).__name__} and {type(other).__name__}")
    if not input.ndim or not other.ndim:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {input.ndim}D and {other.ndim}D"
        )
    same_dtype(input, other, "matmul")
    if input.ndim > 1 and other.ndim > 1:
        _fitting(input, other, input.shape[-1], other.shape[-2])
        return linalg.matmul(input, other)
    a = unsqueeze(input, 0) if input.ndim == 1 else input
    b = unsqueeze(other, 1) if other.ndim == 1 else other
    _fitting(input, other, a.shape[-1], b.shape[-2])
    y: Tensor = linalg.matmul(a, b)
    y = squeeze(y, -1) if other.ndim == 1 else y
    y = squeeze(y, -1 if other.ndim == 1 else -2) if input.ndim == 1 else y
    return named(y, _NAMES.get((input.ndim, other.ndim), "SqueezeBackward4"), input, other)


def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product of two matrices."""
    y = _of_dims(input, mat2, 2, 2, "mm")
    return y if out is None else put_into(out, y, "mm", exact=True)


def bmm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The products of two batches of matrices: (b, m, k) @ (b, k, n) -> (b, m, n)."""
    if input.ndim == mat2.ndim == 3 and input.shape[0] != mat2.shape[0]:
        raise RuntimeError(f"bmm: expected equal batch sizes, got {list(input.shape)} and {list(mat2.shape)}")
    y = named(_of_dims(input, mat2, 3, 3, "bmm"), "BmmBackward0", input, mat2)
    return y if out is None else put_into(out, y, "bmm", exact=True)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix and a vector."""
    return _of_dims(input, vec, 2, 1, "mv")


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The inner product of two vectors."""
    return _of_dims(input, tensor, 1, 1, "dot")


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """The inner product of two vectors; real as all numbers are here, it is `dot`."""
    return _of_dims(input, other, 1, 1, "vdot")


def inner(input: Tensor, other: Tensor) -> Tensor:
    """(..., n) and (***, n) -> (..., ***): products summed over the last dimensions; a 0-d tensor multiplies."""
    if not input.ndim or not other.ndim:
        return elementwise.mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(f"inner: the last dimensions must match, got shapes {list(input.shape)} and {list(other.shape)}")
    return tensordot(input, other, ([-1], [-1]))


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """(m,) and (n,) -> (m, n): every product of an element of one vector with one of the other."""
    if input.ndim != 1 or vec2.ndim != 1:
        raise RuntimeError(f"outer: expected two vectors, got {input.ndim}D and {vec2.ndim}D tensors")
    return elementwise.mul(unsqueeze(input, 1), vec2)


ger = outer


def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, _old: Any = None, _last: Any = None, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2); `input` broadcasts, and beta = 0 ignores what is in it."""
    if _old is not None:
        (input, mat1, mat2), (beta, alpha) = _old_order("addmm", input, mat1, mat2, _old, _last)
    return _added(input, mm(mat1, mat2), beta, alpha, "addmm")


def addmv(
    input: Tensor, mat: Tensor, vec: Tensor, _old: Any = None, _last: Any = None, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """beta * input + alpha * (mat @ vec); `input` broadcasts, and beta = 0 ignores what is in it."""
    if _old is not None:
        (input, mat, vec), (beta, alpha) = _old_order("addmv", input, mat, vec, _old, _last)
    return _added(input, mv(mat, vec), beta, alpha, "addmv")


def addr(
    input: Tensor, vec1: Tensor, vec2: Tensor, _old: Any = None, _last: Any = None, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """beta * input + alpha * outer(vec1, vec2); `input` broadcasts, and beta = 0 ignores what is in it."""
    if _old is not None:
        (input, vec1, vec2), (beta, alpha) = _old_order("addr", input, vec1, vec2, _old, _last)
    return _added(input, outer(vec1, vec2), beta, alpha, "addr")


def addbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, _old: Any = None, _last: Any = None, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """beta * input + alpha * the sum of the products of two batches of matrices."""
    if _old is not None:
        (input, batch1, batch2), (beta, alpha) = _old_order("addbmm", input, batch1, batch2, _old, _last)
    return _added(input, sum_(bmm(batch1, batch2), 0, dtype=batch1.dtype), beta, alpha, "addbmm")


def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, _old: Any = None, _last: Any = None, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """beta * input + alpha * the products of two batches of matrices."""
    if _old is not None:
        (input, batch1, batch2), (beta, alpha) = _old_order("baddbmm", input, batch1, batch2, _old, _last)
    return _added(input, bmm(batch1, batch2), beta, alpha, "baddbmm")


def _old_order(name: str, *given: Any) -> tuple[list[Tensor], tuple[Number, Number]]:
    """The three tensors, beta and alpha of a call with beta, or beta and alpha, in front of tensors."""
    tensors, (beta, *rest) = old_order(name, 3, *given)
    return tensors, (beta, rest[0] if rest else 1)


def _added(input: Tensor, product: Tensor, beta: Number, alpha: Number, name: str) -> Tensor:
    if name != "addr":
        same_dtype(input, product, name)
    if not product.is_floating_point() and (isinstance(alpha, float) or isinstance(beta, float)):
        if name == "addr":
            raise RuntimeError(f"addr: for integral tensors, alpha and beta must be integers, got {alpha} and {beta}")
        alpha, beta = int(alpha), int(beta)  # as PyTorch does
    if beta == 0:  # not even nan * 0 is left of the input; its gradient is 0
        input = elementwise.where(np.array(True), 0, input)
    elif beta != 1:
        input = elementwise.mul(input, beta)
    total = elementwise.add(broadcast_to(input, product.shape), product if alpha == 1 else elementwise.mul(product, alpha))
    return named(total, f"{name.capitalize()}Backward0")


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of several matrices, in the order that takes the fewest multiplications."""
    for matrix in all_tensors(matrices):
        if matrix.ndim != 2:
            raise RuntimeError(f"chain_matmul: expected 2D tensors, got a {matrix.ndim}D one")
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    return product_of(matrices)


def product_of(matrices: Sequence[Tensor]) -> Tensor:
    """The product of matrices, parenthesised for the fewest multiplications (Cormen et al., "Matrix-chain multiplication")."""
    sizes = [matrix.shape[0] for matrix in matrices] + [matrices[-1].shape[1]]

    @cache
    def cheapest(first: int, last: int) -> tuple[int, int]:
        """The multiplications that matrices first..last take, and where to split them."""
        return min(
            (cheapest(first, i)[0] + cheapest(i + 1, last)[0] + sizes[first] * sizes[i + 1] * sizes[last + 1], i)
            for i in range(first, last)
        ) if first < last else (0, first)  # fmt: skip

    def product(first: int, last: int) -> Tensor:
        if first == last:
            return matrices[first]
        split = cheapest(first, last)[1]
        return matmul(product(first, split), product(split + 1, last))

    return product(0, len(matrices) - 1)


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Products summed over the last `dims` dimensions of `a` and the first of `b`, or over two lists of dimensions."""
    if hasattr(dims, "__record__"):
        dims = dims.tolist()
    if isinstance(dims, int | np.integer):
        if dims < 0 or dims > min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects 0 <= dims <= {min(a.ndim, b.ndim)}, got dims={dims}")
        dims = (range(a.ndim - dims, a.ndim), range(dims))
    of_a, of_b = ([axis_of(d, t.ndim) for d in listed(v)] for v, t in zip(dims, (a, b), strict=True))
    if len(of_a) != len(of_b):
        raise RuntimeError(f"both dimension lists should have same length, got {of_a} and {of_b}")
    if len(set(of_a)) != len(of_a) or len(set(of_b)) != len(of_b):
        raise RuntimeError(f"tensordot: a dimension appears multiple times in {of_a} or {of_b}")
    labels_a, labels_b = list(range(a.ndim)), list(range(a.ndim, a.ndim + b.ndim))
    for i, j in zip(of_a, of_b, strict=True):
        labels_b[j] = i
        if a.shape[i] != b.shape[j] and 1 not in (a.shape[i], b.shape[j]):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} and second has size "
                f"{b.shape[j]} in dim {j}"
            )
    same_dtype(a, b, "tensordot")
    kept = [v for k, v in enumerate(labels_a) if k not in of_a] + [v for k, v in enumerate(labels_b) if k not in of_b]
    return contract([a, b], [labels_a, labels_b], kept)


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: every element of `input` times all of `other`, as blocks."""
    ndim = max(input.ndim, other.ndim)
    m, n = ((1,) * (ndim - t.ndim) + tuple(t.shape) for t in (input, other))
    blocks = elementwise.mul(
        reshape(input, tuple(size for i in m for size in (i, 1))), reshape(other, tuple(size for j in n for size in (1, j)))
    )
    return reshape(blocks, tuple(i * j for i, j in zip(m, n, strict=True)))


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The vector products along `dim`, of size 3 (None: the first such dimension); the others broadcast."""
    if input.ndim != other.ndim:
        raise RuntimeError(f"cross: inputs must have the same number of dimensions, got {input.ndim} and {other.ndim}")
    if dim is None:
        if 3 not in input.shape:
            raise RuntimeError(f"cross: no dimension of size 3 in input, got shape {list(input.shape)}")
        dim = tuple(input.shape).index(3)
    axis = axis_of(dim, input.ndim)
    if input.shape[axis] != 3 or other.shape[axis] != 3:
        raise RuntimeError(
            f"cross: inputs dimension {dim} must have length 3. Got {input.shape[axis]} and {other.shape[axis]}"
        )
    same_dtype(input, other, "cross")
    (a1, a2), (b1, b2) = ([shape.roll(v, shifts=(-k,), axes=(axis,)) for k in (1, 2)] for v in (input, other))
    return elementwise.sub(elementwise.mul(a1, b2), elementwise.mul(a2, b1))


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return sum_(index.diagonal(input, offset=0, axis0=0, axis1=1))


def _of_dims(a: Tensor, b: Tensor, dims_a: int, dims_b: int, name: str) -> Tensor:
    if (a.ndim, b.ndim) != (dims_a, dims_b):
        raise RuntimeError(f"{name}: expected tensors of {dims_a}D and {dims_b}D, got {a.ndim}D and {b.ndim}D")
    return matmul(a, b)


def same_dtype(a: Tensor, b: Tensor, name: str) -> None:
    """Refuse tensors of two dtypes, as products do, and bools."""
    if a.dtype is not b.dtype:
        raise RuntimeError(f"{name}: expected both tensors to have the same dtype, but got {a.dtype} and {b.dtype}")
    if a.dtype is dtypes.bool_:
        raise RuntimeError(f"{name}: expected numbers, got torch.bool")


def _fitting(a: Tensor, b: Tensor, inner_a: int, inner_b: int) -> None:
    if inner_a != inner_b:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({'x'.join(map(str, a.shape))} and {'x'.join(map(str, b.shape))}): "
            f"matmul needs {inner_a} == {inner_b}"
        )
    try:
        _broadcast(tuple(a.shape[:-2]), tuple(b.shape[:-2]))
    except ValueError:
        raise RuntimeError(
            f"matmul: the leading dimensions of {list(a.shape)} and {list(b.shape)} cannot be broadcast together"
        ) from None


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    for m, n in zip(reversed(a), reversed(b), strict=False):
        if m != n and 1 not in (m, n):
            raise ValueError
