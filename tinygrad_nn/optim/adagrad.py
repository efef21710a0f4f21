"""Adagrad: the gradient divided by the root of all its squares so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.rules import check_options, count_step, descended, refuse, scalar
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap


class Adagrad(Optimizer):
    """p -= lr / (1 + (t - 1) lr_decay) * g / (√Σg² + eps) (Duchi, Hazan and Singer 2011).

    >>> from tinygrad_nn.tensor import Tensor
    >>> p = Tensor([1.0]).requires_grad_()
    >>> (p * p).sum().backward()
    >>> Adagrad([p], lr=0.1).step()
    >>> p
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_options(
            lr, lr_decay=lr_decay, weight_decay=weight_decay, initial_accumulator_value=initial_accumulator_value, eps=eps
        )
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        refuse("Adagrad", differentiable=differentiable)
        super().__init__(params, {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        })  # fmt: skip
        for group in self.param_groups:
            for parameter in group["params"]:
                self._start_(parameter._data, self.state[parameter])

    def _start_(self, p: Any, state: dict[str, Any]) -> None:
        state["step"] = scalar(0.0)
        state["sum"] = wrap(np.full_like(p, self.defaults["initial_accumulator_value"]))

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        if not state:
            self._start_(p, state)
        t = count_step(state, p)
        g = descended(p, g, group)
        total = state["sum"]._data
        spare = np.empty_like(p)
        np.multiply(g, g, out=spare)
        total += spare
        np.sqrt(total, out=spare)
        spare += group["eps"]
        np.divide(g, spare, out=spare)
        spare *= float(group["lr"]) / (1 + (t - 1) * group["lr_decay"])
        p -= spare
