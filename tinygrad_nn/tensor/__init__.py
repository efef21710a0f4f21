"""Tensor: a Variable with PyTorch's face, one file a family of methods."""

from tinygrad_nn.tensor.tensor import Tensor

__all__ = ["Tensor"]
