"""Adafactor: Adam's squares kept as one number for each row and each column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.rules import average, count_step
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap


class Adafactor(Optimizer):
    """p = (1 - lr * weight_decay) p - s * u / max(1, rms(u) / d), with u = g / √v (Shazeer and Stern 2018, arXiv:1804.04235).

    v is r c / mean(r), where r and c are running averages of the mean of g² over the columns and over the rows, and of one
    dimension the running average of g² itself; the newest counts for t^beta2_decay. s is min(lr, 1 / √t) max(eps[1], rms(p)).
    `eps[0]`, None for the dtype's own, keeps √v and mean(r) from 0.

    >>> from tinygrad_nn.tensor import Tensor
    >>> p = Tensor([1.0]).requires_grad_()
    >>> (p * p).sum().backward()
    >>> Adafactor([p], lr=0.1).step()
    >>> p
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not lr >= 0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not beta2_decay <= 0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        for i, value in enumerate(eps):
            if value is not None and not value >= 0:
                raise ValueError(f"epsilon{i + 1} should be >= 0 but is: {value}")
        if not d >= 1:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not weight_decay >= 0:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        super().__init__(params, {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize,
        })  # fmt: skip

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        t, lr = count_step(state, p), float(group["lr"])
        if group["maximize"]:
            g = -g
        least, smallest_size = group["eps"]
        if least is None:
            least = float(np.finfo(p.dtype).eps)
        size = min(lr, 1 / t**0.5) * max(smallest_size, rms(p))
        if group["weight_decay"]:
            p *= 1 - lr * group["weight_decay"]
        v = _squares(g, state, t ** group["beta2_decay"], least)
        u = g / np.sqrt(np.maximum(v, least * least))
        p -= u * (size / max(1.0, rms(u) / group["d"]))


def rms(array: Any) -> float:
    """The root of the mean of the squares."""
    return float(np.linalg.norm(array)) / array.size**0.5


def _squares(g: Any, state: dict[str, Any], weight: float, least: float) -> Any:
    """The running average of g²: of a matrix, or the last two of several dimensions, the product of its rows' and columns'."""
    if g.ndim < 2:
        return _averaged(state, "variance", g * g, weight)
    rows = _averaged(state, "row_var", np.mean(g * g, axis=-1, keepdims=True), weight)
    columns = _averaged(state, "col_var", np.mean(g * g, axis=-2, keepdims=True), weight)
    return rows @ columns / np.maximum(rows.mean(axis=-2, keepdims=True), least)


def _averaged(state: dict[str, Any], name: str, value: Any, weight: float) -> Any:
    """The running average of this name with the value taken in; it starts at zero."""
    if name not in state:
        state[name] = wrap(np.zeros_like(value))
    mean = state[name]._data
    average(mean, value, weight, np.empty_like(mean))
    return mean
