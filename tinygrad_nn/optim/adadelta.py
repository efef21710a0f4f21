"""Adadelta: steps as large as the steps before were, so that no learning rate need be found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.rules import average_square, check_options, count_step, descended, refuse
from tinygrad_nn.tensor import Tensor


class Adadelta(Optimizer):
    """p -= lr * d with d = g √(u + eps) / √(v + eps), u and v averages of d² and g² (Zeiler 2012, arXiv:1212.5701).

    >>> from tinygrad_nn.tensor import Tensor
    >>> p = Tensor([1.0]).requires_grad_()
    >>> (p * p).sum().backward()
    >>> Adadelta([p], lr=10).step()
    >>> p
    tensor([0.9684], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        if rho > 1:
            raise ValueError(f"Invalid rho value: {rho}")
        check_options(lr, rho=rho, eps=eps, weight_decay=weight_decay)
        refuse("Adadelta", capturable=capturable, differentiable=differentiable)
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize, "capturable": capturable,
            "foreach": foreach, "differentiable": differentiable,
        })  # fmt: skip

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        count_step(state, p, "square_avg", "acc_delta")
        g = descended(p, g, group)
        rest, eps = 1 - group["rho"], group["eps"]
        v, u = state["square_avg"]._data, state["acc_delta"]._data
        spare, delta = np.empty_like(p), np.empty_like(p)
        average_square(v, g, rest, spare)
        np.sqrt(np.add(v, eps, out=spare), out=spare)
        np.sqrt(np.add(u, eps, out=delta), out=delta)
        delta /= spare
        delta *= g
        average_square(u, delta, rest, spare)
        delta *= float(group["lr"])
        p -= delta
