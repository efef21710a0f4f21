"""Tensors exchanged with other frameworks in the same memory, through DLPack."""

from tinygrad_nn.creation import from_dlpack
from tinygrad_nn.tensor import Tensor

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(tensor: Tensor) -> object:
    """A capsule on the memory of the tensor."""
    return tensor.__dlpack__()
