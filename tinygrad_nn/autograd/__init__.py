"""Differentiation as PyTorch offers it: `grad`, `backward`, grad modes, custom Functions, anomaly detection."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

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
    set_multithreading_enabled,
)
from tinygrad_nn.autograd.variable import Variable

__all__ = [
    "Function", "Variable", "anomaly_mode", "backward", "detect_anomaly", "enable_grad", "forward_ad", "functional", "grad",
    "grad_mode", "graph", "inference_mode", "is_anomaly_enabled", "is_grad_enabled", "is_inference_mode_enabled", "no_grad",
    "once_differentiable", "profiler", "set_detect_anomaly", "set_grad_enabled",
    "set_multithreading_enabled",
]  # fmt: skip

if TYPE_CHECKING:
    from tinygrad_nn.autograd import anomaly_mode, forward_ad, functional, grad_mode, graph, profiler
    from tinygrad_nn.autograd.function import Function, once_differentiable

gradcheck: Callable[..., bool]
gradgradcheck: Callable[..., bool]


def __getattr__(name: str) -> Any:
    if name in ("anomaly_mode", "forward_ad", "functional", "grad_mode", "graph", "profiler"):
        return importlib.import_module(f"{__name__}.{name}")
    if name in ("Function", "once_differentiable"):
        return getattr(importlib.import_module("tinygrad_nn.autograd.function"), name)
    if name in ("gradcheck", "gradgradcheck"):  # PyTorch keeps them here; they lie a layer above, and load when asked for
        return getattr(importlib.import_module("tinygrad_nn.testing.gradcheck"), f"torch_{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


