"""ASGD: stochastic gradient descent that also averages the places it has been."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.rules import check_options, count_step, descended, refuse, scalar
from tinygrad_nn.tensor import Tensor


class ASGD(Optimizer):
    """p = (1 - lambd η) p - η g with η = lr / (1 + lambd lr t)^alpha (Polyak and Juditsky 1992).

    The state's `ax` is p itself up to step `t0`, and the mean of p from there on.

    >>> from tinygrad_nn.tensor import Tensor
    >>> p = Tensor([1.0]).requires_grad_()
    >>> (p * p).sum().backward()
    >>> ASGD([p], lr=0.1).step()
    >>> p
    tensor([0.8000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_options(lr, weight_decay=weight_decay)
        refuse("ASGD", capturable=capturable, differentiable=differentiable)
        super().__init__(params, {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        lr, lambd = float(group["lr"]), group["lambd"]
        t = count_step(state, p, "ax", eta=lr, mu=1.0)
        g = descended(p, g, group)
        eta, mu, mean = state["eta"]._data, state["mu"]._data, state["ax"]._data
        p *= 1 - lambd * eta.item()
        p -= g * eta.item()
        if mu == 1:
            mean[...] = p
        else:
            mean += (p - mean) * mu.item()
        # both rounded as the state keeps them, although a loaded state has the dtype of the parameter
        eta[...] = scalar(lr / (1 + lambd * lr * t) ** group["alpha"])._data
        mu[...] = scalar(1 / max(1, t - group["t0"]))._data
