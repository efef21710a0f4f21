"""Variable: the name that tensors with a history had in old programs."""

from __future__ import annotations

from typing import Any

from tinygrad_nn.tensor import Tensor

__all__ = ["Variable"]


class _AnyTensor(type):
    def __instancecheck__(cls, other: object) -> bool:
        return isinstance(other, Tensor)


class Variable(metaclass=_AnyTensor):
    """The tensor itself, under the name of old programs: every tensor is one."""

    def __new__(cls, data: Tensor, requires_grad: bool = False) -> Any:
        """The values as a leaf."""
        return data.detach().requires_grad_(requires_grad)
