"""Gradients kept within bounds: Pascanu et al., On the difficulty of training recurrent neural networks, 2013."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from types import GeneratorType
from typing import Any

import numpy as np

from tinygrad_nn import linalg
from tinygrad_nn.autograd import no_grad
from tinygrad_nn.creation import tensor
from tinygrad_nn.methods.joining import stack
from tinygrad_nn.tensor import Tensor


def _listed(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [parameters] if isinstance(parameters, Tensor) else list(parameters)


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Any]:
    return [parameter.grad for parameter in _listed(parameters) if parameter.grad is not None]


@no_grad()
def get_total_norm(
    tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The `norm_type`-norm of all tensors seen as one vector; RuntimeError if it is not finite and `error_if_nonfinite`."""
    norms = [linalg.vector_norm(part, float(norm_type)) for part in _listed(tensors)]
    total = linalg.vector_norm(stack(norms), float(norm_type)) if norms else tensor(0.0)
    if error_if_nonfinite and not total.isfinite().item():
        raise RuntimeError(
            f"The total norm of order {float(norm_type)} for gradients from `parameters` is non-finite, so it cannot be clipped. "
            "To disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale the gradients, in place, by max_norm / total_norm where that is below 1."""
    factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
    with np.errstate(invalid="ignore"):  # a gradient that is infinite becomes NaN
        for gradient in _gradients(parameters):
            gradient.mul_(factor)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients, in place, to a norm of all of them together of at most `max_norm`; returns the norm before.

    RuntimeError if that is not finite and `error_if_nonfinite`.
    """
    listed = _listed(parameters)
    if not listed and isinstance(parameters, GeneratorType):
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2)
    total = get_total_norm(_gradients(listed), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(listed, max_norm, total, foreach)
    return total


def clip_grad_norm(*arguments: Any, **options: Any) -> Tensor:
    """The old name of `clip_grad_norm_`."""
    warnings.warn("`clip_grad_norm` is deprecated, use `clip_grad_norm_`", FutureWarning, stacklevel=2)
    return clip_grad_norm_(*arguments, **options)


@no_grad()
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Hold each element of the gradients, in place, between -clip_value and clip_value."""
    for gradient in _gradients(parameters):
        gradient.clamp_(-float(clip_value), float(clip_value))
