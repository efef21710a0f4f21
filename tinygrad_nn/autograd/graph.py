"""The graph's nodes and edges, and hooks on the values that its nodes save."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any, NamedTuple

from tinygrad_nn.graph import AccumulateGrad, Edge, Node, mode
from tinygrad_nn.tensor import Tensor

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
    "increment_version", "save_on_cpu", "saved_tensors_hooks",
]  # fmt: skip


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
    return GradientEdge(AccumulateGrad.of(tensor) if tensor.is_leaf else tensor.grad_fn, tensor.output_nr)


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Note that tensors have been written to, so that what was saved of them is an error; RuntimeError for what is no tensor."""
    tensors = [tensor] if isinstance(tensor, Tensor) else list(tensor) if isinstance(tensor, Iterable) else [tensor]
    for one in tensors:
        if not isinstance(one, Tensor):
            raise RuntimeError(f"increment_version: expected a Tensor or an iterable of Tensors, got {type(one).__name__}")
        one._touch("increment_version")


_REFUSAL: ContextVar[str] = ContextVar("tinygrad_nn_saved_tensors_refusal", default="")


class saved_tensors_hooks:
    """Have each value that a recorded operation saves packed, and unpacked when its rule runs, within a `with` block.

    `pack_hook(tensor)` may give anything, `unpack_hook` makes the tensor of it again. From then on writes to the tensor
    go unnoticed; a result is handed over without its history. RuntimeError where such hooks are disabled.

    >>> x = Tensor([3.0]).requires_grad_()
    >>> with saved_tensors_hooks(lambda t: t.tolist(), lambda numbers: Tensor(numbers)):
    ...     y = x * x
    >>> y.backward()
    >>> x.grad
    tensor([6.])
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        if _REFUSAL.get():
            raise RuntimeError(_REFUSAL.get())
        self._mode = mode(packing=(self.pack_hook, self.unpack_hook))
        self._mode.__enter__()

    def __exit__(self, *_: object) -> None:
        self._mode.__exit__()


class save_on_cpu(saved_tensors_hooks):
    """Saved values stay where they are, which is the CPU; writes to them go unnoticed."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda tensor: tensor, lambda tensor: tensor)


class allow_mutation_on_saved_tensors(saved_tensors_hooks):
    """Let what is saved be written to within the `with` block: rules see copies made when it was saved."""

    def __init__(self) -> None:
        super().__init__(lambda tensor: tensor.clone(), lambda tensor: tensor)


class disable_saved_tensors_hooks:
    """Have hooks on saved values refused with a message, within a `with` block."""

    def __init__(self, error_message: str) -> None:
        self.error_message = error_message

    def __enter__(self) -> None:
        self._token = _REFUSAL.set(self.error_message)

    def __exit__(self, *_: object) -> None:
        _REFUSAL.reset(self._token)
