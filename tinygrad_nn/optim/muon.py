"""Muon: momentum whose matrix is made orthogonal before it is stepped along."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.optim.rules import average
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap


class Muon(Optimizer):
    """p = (1 - lr * weight_decay) p - lr * r * O(m), for matrices (Jordan 2024, kellerjordan.github.io/posts/muon).

    m is the running average of the gradient, with `nesterov` a step further on, and O(m) its orthogonal factor: with m = U S Vᵀ
    about U Vᵀ, from `ns_steps` Newton-Schulz steps x = a x + (b q + c q²) x, q = x xᵀ, of the coefficients (a, b, c). As in
    PyTorch they are taken in bfloat16's 8 binary digits, of which the last may differ, as it depends on the order of sums.
    r is √max(1, rows / columns), or with `adjust_lr_fn="match_rms_adamw"` 0.2 √max(rows, columns), so that AdamW's learning
    rates fit (Liu et al. 2025, arXiv:2502.16982).

    ValueError for a parameter that is no matrix.

    >>> from tinygrad_nn.tensor import Tensor
    >>> p = Tensor([[1.0, 2.0]]).requires_grad_()
    >>> p.sum().backward()
    >>> Muon([p], lr=0.1, weight_decay=0).step()
    >>> p
    tensor([[0.9516, 1.9516]], requires_grad=True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for name, value in (("Learning rate", lr), ("momentum", momentum), ("weight decay", weight_decay)):
            if not value >= 0:
                raise ValueError(f"{name} should be >= 0 but is: {value}")
        if adjust_lr_fn not in {None, "original", "match_rms_adamw"}:
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(params, {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
        })  # fmt: skip
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.ndim != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {parameter.size()}"
                    )

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one parameter."""
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = wrap(np.zeros_like(g))
        b, momentum, lr = state["momentum_buffer"]._data, group["momentum"], float(group["lr"])
        spare = np.empty_like(g)
        average(b, g, 1 - momentum, spare)
        direction = b
        if group["nesterov"]:
            direction = g.copy()
            average(direction, b, momentum, spare)
        direction = orthogonal(direction, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = p.shape
        matched = group["adjust_lr_fn"] == "match_rms_adamw"
        ratio = 0.2 * math.sqrt(max(rows, columns)) if matched else math.sqrt(max(1, rows / columns))
        p *= 1 - lr * group["weight_decay"]
        p -= direction.astype(p.dtype) * (lr * ratio)


def orthogonal(matrix: Any, coefficients: tuple[float, float, float], steps: int, eps: float) -> Any:
    """The matrix with all its singular values brought near 1, as float32; ValueError for 100 steps and more."""
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = (np.float32(value) for value in coefficients)
    tall = matrix.shape[0] > matrix.shape[1]
    x = rounded(matrix.T if tall else matrix)
    x = rounded(x / max(rounded(np.linalg.norm(x)), np.float32(eps)))  # no singular value is above 1
    for _ in range(steps):
        q = rounded(x @ x.T)
        x = rounded(a * x + rounded(b * q + c * (q @ q)) @ x)
    return x.T if tall else x


def rounded(array: Any) -> Any:
    """As float32, rounded to the 8 binary digits of bfloat16, to even where two are as near."""
    bits = np.array(array, np.float32).view(np.uint32)
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return bits.view(np.float32)
