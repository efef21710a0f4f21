"""Softmax and its logarithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_nn.dtypes import DTypeLike
from tinygrad_nn.methods.aliases import numpy_names
from tinygrad_nn.methods.dims import axis_of
from tinygrad_nn.methods.faces import expect_floating
from tinygrad_nn.ops import softmax as ops

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = [
    "log_softmax", "softmax",
]  # fmt: skip


@numpy_names
def softmax(input: Tensor, dim: int, dtype: DTypeLike | None = None) -> Tensor:
    """exp(input) / sum(exp(input)) along `dim`."""
    return _along(ops.softmax, input, dim, dtype)


@numpy_names
def log_softmax(input: Tensor, dim: int, dtype: DTypeLike | None = None) -> Tensor:
    """input - log(sum(exp(input))) along `dim`."""
    return _along(ops.log_softmax, input, dim, dtype)


def _along(op: Any, input: Tensor, dim: int, dtype: DTypeLike | None) -> Tensor:
    """The op along `dim`; a 0-d tensor counts as a vector of one element."""
    input = input if dtype is None else input.to(dtype)
    axis = axis_of(dim, input.ndim)
    expect_floating(op.name, input)
    result: Tensor = op(input, axis=axis) if input.ndim else op(input.reshape(1), axis=0).reshape(())
    return result
