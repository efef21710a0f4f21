"""The graph's nodes and edges, and the hooks on saved values that PyTorch has and this package has not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

from tinygrad_nn.graph import AccumulateGrad, Edge, Node
from tinygrad_nn.tensor import Tensor

__all__ = ["GradientEdge", "Node", "disable_saved_tensors_hooks", "get_gradient_edge", "save_on_cpu", "saved_tensors_hooks"]


class GradientEdge(NamedTuple):
    """Where the gradient of a tensor arrives; `grad` takes it as an input in the tensor's place."""

    node: Any
    output_nr: int
    ownership_token: None = None

    @property
    def requires_grad(self) -> bool:
        """True, as of the tensor that it stands for."""
        return True

    @property
    def edge(self) -> Edge:
        """The edge as the walk knows it."""
        if isinstance(self.node, AccumulateGrad):
            return self.node.variable
        return self.node if self.node.outputs == 1 else (self.node, self.output_nr)


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Where the gradient of a tensor arrives; RuntimeError for one that requires none."""
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(AccumulateGrad(tensor) if tensor.is_leaf else tensor.grad_fn, tensor.output_nr)


class saved_tensors_hooks:
    """Not supported: rules save arrays, not tensors; `utils.checkpoint` saves memory."""

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        raise NotImplementedError("saved_tensors_hooks: not supported; utils.checkpoint computes again instead of saving")


class save_on_cpu(nullcontext[None]):
    """Changes nothing: saved values are on the CPU."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__()


class disable_saved_tensors_hooks(nullcontext[None]):
    """Changes nothing: there are no hooks on saved values."""

    def __init__(self, error_message: str) -> None:
        super().__init__()
