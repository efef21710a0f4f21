"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.rules import average, average_square, check_options, count_step, descended, refuse
from tinygrad_nn.tensor import Tensor


class NAdam(Optimizer):
    """p -= lr * (μₜ₊₁ m / (1 - μ₁⋯μₜ₊₁) + (1 - μₜ) g / (1 - μ₁⋯μₜ)) / (√v̂ + eps) (Dozat 2016).

    m and v are Adam's; the momentum warms up as μₜ = β₁ (1 - 0.96^(t * momentum_decay) / 2).

    >>> from tinygrad_nn.tensor import Tensor
    >>> p = Tensor([1.0]).requires_grad_()
    >>> (p * p).sum().backward()
    >>> NAdam([p], lr=0.1).step()
    >>> p
    tensor([0.8944], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(lr, betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)
        refuse("NAdam", capturable=capturable, differentiable=differentiable)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        })  # fmt: skip

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        t = count_step(state, p, "exp_avg", "exp_avg_sq", mu_product=1.0)
        g = descended(p, g, group)
        (beta1, beta2), lr, decay = group["betas"], float(group["lr"]), group["momentum_decay"]
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (k * decay)) for k in (t, t + 1))
        product = state["mu_product"]._data
        product *= mu
        so_far = product.item()
        m, v = state["exp_avg"]._data, state["exp_avg_sq"]._data
        spare = np.empty_like(p)
        average(m, g, 1 - beta1, spare)
        average_square(v, g, 1 - beta2, spare)
        np.divide(v, 1 - beta2**t, out=spare)
        np.sqrt(spare, out=spare)
        spare += group["eps"]
        p -= g / spare * (lr * (1 - mu) / (1 - so_far))
        p -= m / spare * (lr * mu_next / (1 - so_far * mu_next))
