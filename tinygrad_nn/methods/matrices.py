"""Matrix products of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinygrad_nn.methods.shaping import squeeze, unsqueeze
from tinygrad_nn.ops import linalg

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "bmm", "dot", "matmul", "mm", "mv",
]  # fmt: skip


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """(..., m, k) @ (..., k, n) -> (..., m, n); leading dimensions broadcast, vectors are rows and columns."""
    if not hasattr(other, "__record__") or not hasattr(input, "__record__"):
        raise TypeError(f"matmul: expected two tensors, got {type(input).__name__} and {type(other).__name__}")
    if not input.ndim or not other.ndim:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {input.ndim}D and {other.ndim}D"
        )
    _same_dtype(input, other)
    if input.ndim > 1 and other.ndim > 1:
        _fitting(input, other, input.shape[-1], other.shape[-2])
        return linalg.matmul(input, other)
    a = unsqueeze(input, 0) if input.ndim == 1 else input
    b = unsqueeze(other, 1) if other.ndim == 1 else other
    _fitting(input, other, a.shape[-1], b.shape[-2])
    y: Tensor = linalg.matmul(a, b)
    y = squeeze(y, -1) if other.ndim == 1 else y
    return squeeze(y, -1 if other.ndim == 1 else -2) if input.ndim == 1 else y


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices."""
    return _of_dims(input, mat2, 2, 2, "mm")


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two batches of matrices: (b, m, k) @ (b, k, n) -> (b, m, n)."""
    if input.ndim == mat2.ndim == 3 and input.shape[0] != mat2.shape[0]:
        raise RuntimeError(f"bmm: expected equal batch sizes, got {list(input.shape)} and {list(mat2.shape)}")
    return _of_dims(input, mat2, 3, 3, "bmm")


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix and a vector."""
    return _of_dims(input, vec, 2, 1, "mv")


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The inner product of two vectors."""
    return _of_dims(input, tensor, 1, 1, "dot")


def _of_dims(a: Tensor, b: Tensor, dims_a: int, dims_b: int, name: str) -> Tensor:
    if (a.ndim, b.ndim) != (dims_a, dims_b):
        raise RuntimeError(f"{name}: expected tensors of {dims_a}D and {dims_b}D, got {a.ndim}D and {b.ndim}D")
    return matmul(a, b)


def _same_dtype(a: Tensor, b: Tensor) -> None:
    if a.dtype is not b.dtype:
        raise RuntimeError(f"matmul: expected both tensors to have the same dtype, but got {a.dtype} and {b.dtype}")


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
