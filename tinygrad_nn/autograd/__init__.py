"""Differentiation as PyTorch offers it: `grad`, `backward`, grad modes, custom Functions, anomaly detection."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tinygrad_nn.autograd.function import Function, once_differentiable
from tinygrad_nn.autograd.gradients import backward, grad
from tinygrad_nn.autograd.modes import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    is_anomaly_enabled,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)
from tinygrad_nn.tensor import Tensor

__all__ = [
    "Function", "Variable", "backward", "detect_anomaly", "enable_grad", "forward_ad", "functional", "grad", "graph",
    "inference_mode", "is_anomaly_enabled", "is_grad_enabled", "is_inference_mode_enabled", "no_grad",
    "once_differentiable", "set_detect_anomaly", "set_grad_enabled",
]  # fmt: skip

if TYPE_CHECKING:
    from tinygrad_nn.autograd import forward_ad, functional, graph

gradcheck: Callable[..., bool]
gradgradcheck: Callable[..., bool]


def __getattr__(name: str) -> Any:
    if name in ("forward_ad", "functional", "graph"):
        return importlib.import_module(f"{__name__}.{name}")
    if name in ("gradcheck", "gradgradcheck"):  # PyTorch keeps them here; they lie a layer above, and load when asked for
        return getattr(importlib.import_module("tinygrad_nn.testing.gradcheck"), f"torch_{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


class _AnyTensor(type):
    def __instancecheck__(cls, other: object) -> bool:
        return isinstance(other, Tensor)


class Variable(metaclass=_AnyTensor):
    """The tensor itself, under the name of old programs: every tensor is one."""

    def __new__(cls, data: Tensor, requires_grad: bool = False) -> Any:
        """The values as a leaf."""
        return data.detach().requires_grad_(requires_grad)
