"""Tensors as one vector, and back: helpers of PyTorch's that programs import."""

from __future__ import annotations

from collections.abc import Sequence

from tinygrad_nn.methods.joining import cat
from tinygrad_nn.tensor import Tensor


def _flatten_dense_tensors(tensors: Sequence[Tensor]) -> Tensor:
    """The elements of all tensors, one after the other.

    >>> _flatten_dense_tensors([Tensor([[1.0, 2.0]]), Tensor([3.0])])
    tensor([1., 2., 3.])
    """
    flat: Tensor = cat([tensor.reshape(-1) for tensor in tensors])
    return flat


def _unflatten_dense_tensors(flat: Tensor, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Pieces of a vector in the shapes of these tensors."""
    pieces = flat.split([tensor.numel() for tensor in tensors])
    return tuple(piece.view_as(tensor) for piece, tensor in zip(pieces, tensors, strict=True))
