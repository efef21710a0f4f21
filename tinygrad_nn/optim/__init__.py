"""Optimisers in PyTorch's spelling."""

from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.sgd import SGD

__all__ = ["SGD", "Optimizer"]
