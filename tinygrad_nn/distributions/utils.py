"""What several distributions need: parameters of one shape, probabilities as logits and back, triangles as vectors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

from tinygrad_nn.autograd import enable_grad
from tinygrad_nn.creation import tensor, tril_indices
from tinygrad_nn.dtypes import finfo, get_default_dtype
from tinygrad_nn.methods.shaping import broadcast_tensors
from tinygrad_nn.tensor import Tensor

__all__ = [
    "broadcast_all", "clamp_probs", "euler_constant", "lazy_property", "logits_to_probs", "probs_to_logits", "sum_rightmost",
    "tril_matrix_to_vec", "vec_to_tril_matrix",
]  # fmt: skip

T = TypeVar("T")
euler_constant = 0.5772156649015329  # minus the derivative of the gamma function at 1 (DLMF 5.2.3)


class lazy_property(Generic[T]):
    """A property that is computed at its first use and is an attribute from then on, which gradients may go through."""

    def __init__(self, wrapped: Callable[[Any], T]) -> None:
        self.wrapped, self.__doc__ = wrapped, wrapped.__doc__

    @overload
    def __get__(self, instance: None, obj_type: Any = None) -> Self: ...
    @overload
    def __get__(self, instance: object, obj_type: Any = None) -> T: ...
    def __get__(self, instance: object | None, obj_type: Any = None) -> Self | T:
        """The value; of the class, the property itself."""
        if instance is None:
            return self
        with enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Tensors and numbers as tensors of one shape; ValueError for anything else."""
    if not all(isinstance(v, Tensor | int | float) for v in values):
        raise ValueError("Input arguments must all be instances of Number or torch.Tensor")
    dtype = next((v.dtype for v in values if isinstance(v, Tensor)), get_default_dtype())
    return tuple(broadcast_tensors(*(v if isinstance(v, Tensor) else tensor(v, dtype=dtype) for v in values)))


def all_numbers(*values: Any) -> bool:
    """Whether no parameter is a tensor."""
    return not any(isinstance(v, Tensor) for v in values)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept away from 0 and 1 by the rounding of their dtype."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """The logarithms of probabilities; of the odds if they are of one thing or the other."""
    kept = clamp_probs(probs)
    return kept.log() - (-kept).log1p() if is_binary else kept.log()


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """The probabilities to logits: sigmoid of the odds, else softmax."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def sum_rightmost(value: Tensor, dims: int) -> Tensor:
    """The sum along the last `dims` dimensions."""
    return value.reshape((*value.shape[: value.ndim - dims], -1)).sum(-1) if dims else value


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """(..., n, n) -> (..., m): what lies on and below a diagonal, row by row; ValueError for a diagonal outside."""
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = tril_indices(n, n, diag)
    found: Tensor = mat[..., rows, columns]
    return found


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """(..., m) -> (..., n, n): the vector on and below a diagonal, 0 above; ValueError where no n fits.

    >>> vec_to_tril_matrix(tensor([1.0, 2.0, 3.0]))
    tensor([[1., 0.],
            [2., 3.]])
    """
    count = vec.shape[-1]
    n = (-(1 + 2 * diag) + math.sqrt((1 + 2 * diag) ** 2 + 8 * count + 4 * abs(diag) * (diag + 1))) / 2
    if round(n) - n > finfo(vec.dtype).eps:
        raise ValueError(f"vec_to_tril_matrix: expected as many elements as a triangle of diagonal {diag} has, got {count}")
    rows, columns = tril_indices(round(n), round(n), diag)
    matrix = vec.new_zeros((*vec.shape[:-1], round(n), round(n)))
    matrix[..., rows, columns] = vec
    return matrix
