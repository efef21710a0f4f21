"""RAdam: Adam that waits until it can trust its average of squares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.rules import average, average_square, check_options, count_step, descended, refuse
from tinygrad_nn.tensor import Tensor


class RAdam(Optimizer):
    """p -= lr * r * m̂ / √v̂, once v holds enough squares; p -= lr * m̂ before (Liu et al. 2020, arXiv:1908.03265).

    v's memory is ρₜ = ρ - 2 t β₂ᵗ / (1 - β₂ᵗ) steps long, and at last ρ = 2 / (1 - β₂) - 1. From ρₜ > 5 on, its variance is
    known, and r = √((ρₜ - 4)(ρₜ - 2) ρ / ((ρ - 4)(ρ - 2) ρₜ)) makes up for it.

    >>> from tinygrad_nn.tensor import Tensor
    >>> p = Tensor([1.0]).requires_grad_()
    >>> (p * p).sum().backward()
    >>> RAdam([p], lr=0.1).step()
    >>> p
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(lr, betas, eps=eps, weight_decay=weight_decay)
        refuse("RAdam", capturable=capturable, differentiable=differentiable)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay, "differentiable": differentiable,
        })  # fmt: skip

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        t = count_step(state, p, "exp_avg", "exp_avg_sq")
        g = descended(p, g, group)
        beta1, beta2 = group["betas"]
        m, v = state["exp_avg"]._data, state["exp_avg_sq"]._data
        spare = np.empty_like(p)
        average(m, g, 1 - beta1, spare)
        average_square(v, g, 1 - beta2, spare)
        size = float(group["lr"]) / (1 - beta1**t)
        longest = 2 / (1 - beta2) - 1
        correction = 1 - beta2**t
        length = longest - 2 * t * beta2**t / correction
        if length > 5:
            r = ((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)) ** 0.5
            np.sqrt(v, out=spare)
            spare += group["eps"]
            np.divide(m, spare, out=spare)
            spare *= size * r * correction**0.5
        else:
            np.multiply(m, size, out=spare)
        p -= spare
