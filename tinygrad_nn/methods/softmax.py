"""Softmax and its logarithm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinygrad_nn.methods.dims import axis_of
from tinygrad_nn.ops import softmax as ops

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "log_softmax", "softmax",
]  # fmt: skip


def softmax(input: Tensor, dim: int) -> Tensor:
    """exp(input) / sum(exp(input)) along `dim`."""
    axis = _checked(input, dim, "softmax")
    return ops.softmax(input, axis=axis) if input.ndim else ops.softmax(input.reshape(1), axis=0).reshape(())


def log_softmax(input: Tensor, dim: int) -> Tensor:
    """input - log(sum(exp(input))) along `dim`."""
    axis = _checked(input, dim, "log_softmax")
    return ops.log_softmax(input, axis=axis) if input.ndim else ops.log_softmax(input.reshape(1), axis=0).reshape(())


def _checked(input: Tensor, dim: int, name: str) -> int:
    if not input.is_floating_point():
        raise RuntimeError(f"{name}: expected a floating tensor, got {input.dtype}")
    return axis_of(dim, input.ndim)
