"""RMSprop: the gradient divided by its recent size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.rules import average, average_square, check_options, count_step, descended, refuse
from tinygrad_nn.tensor import Tensor


class RMSprop(Optimizer):
    """p -= lr * g / (√v + eps) with v = α v + (1 - α) g² (Tieleman and Hinton 2012, lecture 6.5 of Neural Networks).

    `centered` takes the variance v - mean(g)² in place of v (Graves 2013, arXiv:1308.0850). With momentum the quotient is added
    to b = momentum * b + g / (√v + eps), and p -= lr * b.

    >>> from tinygrad_nn.tensor import Tensor
    >>> p = Tensor([1.0]).requires_grad_()
    >>> (p * p).sum().backward()
    >>> RMSprop([p], lr=0.01).step()
    >>> p
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        refuse("RMSprop", capturable=capturable, differentiable=differentiable)
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered, "weight_decay": weight_decay,
            "capturable": capturable, "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
        })  # fmt: skip

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        momentum, centered = group["momentum"], group["centered"]
        optional = (("momentum_buffer",) if momentum else ()) + (("grad_avg",) if centered else ())
        count_step(state, p, "square_avg", *optional)
        g = descended(p, g, group)
        rest, v = 1 - group["alpha"], state["square_avg"]._data
        spare = np.empty_like(p)
        average_square(v, g, rest, spare)
        if centered:
            mean = state["grad_avg"]._data
            average(mean, g, rest, spare)
            np.multiply(mean, mean, out=spare)
            v = np.subtract(v, spare, out=spare)
        np.sqrt(v, out=spare)
        spare += group["eps"]
        np.divide(g, spare, out=spare)
        if momentum:
            kept = state["momentum_buffer"]._data
            kept *= momentum
            kept += spare
            np.multiply(kept, float(group["lr"]), out=spare)
        else:
            spare *= float(group["lr"])
        p -= spare
