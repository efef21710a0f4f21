"""The graph's nodes, and the hooks on saved values that PyTorch has and this package has not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_nn.graph import Node

__all__ = ["Node", "saved_tensors_hooks"]


class saved_tensors_hooks:
    """Not supported: rules save arrays, not tensors; `utils.checkpoint` saves memory."""

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        raise NotImplementedError("saved_tensors_hooks: not supported; utils.checkpoint computes again instead of saving")
