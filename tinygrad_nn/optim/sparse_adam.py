"""SparseAdam, which is not here: there are no sparse tensors."""

from __future__ import annotations

from typing import Any

from tinygrad_nn.optim.optimizer import Optimizer


class SparseAdam(Optimizer):
    """Adam for sparse gradients in PyTorch; raises NotImplementedError, for gradients are dense here.

    >>> SparseAdam([])
    Traceback (most recent call last):
    NotImplementedError: SparseAdam: expected sparse gradients, but all gradients are dense here; use Adam
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        raise NotImplementedError("SparseAdam: expected sparse gradients, but all gradients are dense here; use Adam")
