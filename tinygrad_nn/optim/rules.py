"""What the update rules share: options checked and read, the gradient they descend, the steps they count."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_nn.dtypes import float32, float64, get_default_dtype
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap


def check_options(lr: Any, betas: Any = (), **options: Any) -> None:
    """ValueError in PyTorch's words for a negative option, or for betas outside [0, 1)."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not lr >= 0:
        raise ValueError(f"Invalid learning rate: {lr}")
    for name, value in options.items():
        if not value >= 0:
            raise ValueError(f"Invalid {'epsilon' if name == 'eps' else name} value: {value}")
    for i, beta in enumerate(betas):
        if not 0 <= beta < 1:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")


def refuse(name: str, **options: bool) -> None:
    """NotImplementedError for the options that are asked for and not there."""
    for option, asked in options.items():
        if asked:
            raise NotImplementedError(f"{name}: {option}=True is not supported, expected False")


def scalar(value: float) -> Any:
    """A number that belongs to a parameter's state, as the 0-d tensor that PyTorch keeps."""
    return wrap(np.array(value, (float64 if get_default_dtype() is float64 else float32).numpy))


def count_step(state: dict[str, Any], p: Any, *zeros: str, **numbers: float) -> float:
    """The number of this step, counted in `state`; what else is named is made at need: numbers, and zeros shaped as `p`."""
    if not isinstance(state.get("step"), Tensor):  # not begun, or loaded from an old file, where numbers are no tensors
        for name, value in {"step": 0.0, **numbers}.items():
            state[name] = scalar(float(state.get(name, value)))
    for name in zeros:
        if name not in state:
            state[name] = wrap(np.zeros_like(p))
    step = state["step"]._data
    step += 1
    return float(step)


def descended(p: Any, g: Any, group: dict[str, Any]) -> Any:
    """The gradient to go down: turned round by `maximize`, with the L2 penalty's share; decoupled, `p` decays itself."""
    if group["maximize"]:
        g = -g
    decay = group["weight_decay"]
    if not decay:
        return g
    if group.get("decoupled_weight_decay"):
        p *= 1 - float(group["lr"]) * decay
        return g
    return g + p * decay


def average(mean: Any, value: Any, weight: float, spare: Any) -> None:
    """mean += weight (value - mean), in place; `spare` is an array of the same shape to work in."""
    np.subtract(value, mean, out=spare)
    if weight < 0.5:
        spare *= weight
        mean += spare
    else:  # from the nearer end, so that a weight of 1 gives the value itself
        spare *= 1 - weight
        np.subtract(value, spare, out=mean)


def average_square(mean: Any, value: Any, weight: float, spare: Any) -> None:
    """mean = (1 - weight) mean + weight value², in place; `spare` is an array of the same shape to work in."""
    np.multiply(value, weight, out=spare)
    spare *= value
    mean *= 1 - weight
    mean += spare
