"""Tensors exchanged with other frameworks in the same memory, through DLPack."""

from tinygrad_nn.creation import from_dlpack
from tinygrad_nn.tensor import Tensor

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(tensor: Tensor) -> object:
    """A capsule on the memory of the tensor, which those who take it may write to."""
    return tensor.__dlpack__(max_version=(1, 0))  # of older ones NumPy cannot know that
