"""Adam: steps of even size in every coordinate, from running averages of the gradient and its square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.rules import average, average_square, check_options, count_step, descended, refuse
from tinygrad_nn.tensor import Tensor


class Adam(Optimizer):
    """p -= lr * m̂ / (√v̂ + eps), where m and v are running averages of g and g² (Kingma and Ba 2015, arXiv:1412.6980).

    m = β₁ m + (1 - β₁) g and v = β₂ v + (1 - β₂) g² start at zero; m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) make up for that.
    `amsgrad` takes the largest v so far in place of v (Reddi, Kale and Kumar 2018).

    >>> from tinygrad_nn.tensor import Tensor
    >>> p = Tensor([1.0]).requires_grad_()
    >>> (p * p).sum().backward()
    >>> Adam([p], lr=0.1).step()
    >>> p
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        name = type(self).__name__
        if foreach and isinstance(lr, Tensor):
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        check_options(lr, betas, eps=eps, weight_decay=weight_decay)
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        refuse(name, capturable=capturable, differentiable=differentiable)
        if not (all(isinstance(b, float) for b in betas) or all(isinstance(b, Tensor) for b in betas)):
            raise ValueError("betas must be either both floats or both Tensors")
        super().__init__(params, {
            "lr": lr, "betas": tuple(float(b) for b in betas), "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        })  # fmt: skip

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        amsgrad = group["amsgrad"]
        t = count_step(state, p, "exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if amsgrad else ()))
        g = descended(p, g, group)
        beta1, beta2 = group["betas"]
        m, v = state["exp_avg"]._data, state["exp_avg_sq"]._data
        spare = np.empty_like(p)
        average(m, g, 1 - beta1, spare)
        average_square(v, g, 1 - beta2, spare)
        if amsgrad:
            largest = state["max_exp_avg_sq"]._data
            v = np.maximum(largest, v, out=largest)
        # m̂ / (√v̂ + eps) = m / (√v + eps √(1 - β₂ᵗ)) * √(1 - β₂ᵗ) / (1 - β₁ᵗ): the corrections are numbers, not arrays
        correction = (1 - beta2**t) ** 0.5
        np.sqrt(v, out=spare)
        spare += group["eps"] * correction
        np.divide(m, spare, out=spare)
        spare *= float(group["lr"]) * correction / (1 - beta1**t)
        p -= spare
