"""SparseAdam, for programs that construct it: no gradient is sparse here, so that it never takes a step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.rules import check_options
from tinygrad_nn.tensor import Tensor


class SparseAdam(Optimizer):
    """Adam for sparse gradients, of which there are none here: the step of a parameter with a gradient is a RuntimeError.

    >>> from tinygrad_nn.tensor import Tensor
    >>> p = Tensor([1.0]).requires_grad_()
    >>> (p * p).sum().backward()
    >>> SparseAdam([p]).step()
    Traceback (most recent call last):
    RuntimeError: SparseAdam does not support dense gradients, please consider Adam instead
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        check_options(lr, betas, eps=eps)
        for name, value in (("learning rate", lr), ("epsilon value", eps)):
            if value == 0:
                raise ValueError(f"Invalid {name}: {value}")
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """RuntimeError: the gradient is dense."""
        raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
