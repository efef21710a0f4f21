"""Rprop: only the gradient's sign counts; each coordinate has a step of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.rules import check_options, count_step, refuse
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap


class Rprop(Optimizer):
    """p -= sign(g) * s: s grows by etas[1] while the sign of g stays, shrinks by etas[0] when it turns (Riedmiller and Braun 1993).

    Where the sign turned, p stays for one step. s starts at `lr` and keeps within `step_sizes`. Meant for full batches.

    >>> from tinygrad_nn.tensor import Tensor
    >>> p = Tensor([1.0]).requires_grad_()
    >>> (p * p).sum().backward()
    >>> Rprop([p], lr=0.1).step()
    >>> p
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_options(lr)
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        refuse("Rprop", capturable=capturable, differentiable=differentiable)
        super().__init__(params, {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        count_step(state, p, "prev")
        if "step_size" not in state:
            state["step_size"] = wrap(np.full_like(p, float(group["lr"])))
        if group["maximize"]:
            g = -g
        previous, size = state["prev"]._data, state["step_size"]._data
        (shrink, grow), (smallest, largest) = group["etas"], group["step_sizes"]
        agreement = g * previous
        turned = agreement < 0
        np.multiply(size, grow, out=size, where=agreement > 0)
        np.multiply(size, shrink, out=size, where=turned)
        np.clip(size, smallest, largest, out=size)
        previous[...] = np.where(turned, 0, g)
        p -= np.sign(previous) * size
