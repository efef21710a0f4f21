"""Adamax: Adam with the largest recent gradient in place of the root mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.rules import average, check_options, count_step, descended, refuse
from tinygrad_nn.tensor import Tensor


class Adamax(Optimizer):
    """p -= lr / (1 - β₁ᵗ) * m / u with u = max(β₂ u, |g| + eps) (Kingma and Ba 2015, section 7.1, arXiv:1412.6980).

    >>> from tinygrad_nn.tensor import Tensor
    >>> p = Tensor([1.0]).requires_grad_()
    >>> (p * p).sum().backward()
    >>> Adamax([p], lr=0.1).step()
    >>> p
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_options(lr, betas, eps=eps, weight_decay=weight_decay)
        refuse("Adamax", capturable=capturable, differentiable=differentiable)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        t = count_step(state, p, "exp_avg", "exp_inf")
        g = descended(p, g, group)
        beta1, beta2 = group["betas"]
        m, u = state["exp_avg"]._data, state["exp_inf"]._data
        spare = np.empty_like(p)
        average(m, g, 1 - beta1, spare)
        u *= beta2
        np.abs(g, out=spare)
        spare += group["eps"]
        np.maximum(u, spare, out=u)
        np.divide(m, u, out=spare)
        spare *= float(group["lr"]) / (1 - beta1**t)
        p -= spare
