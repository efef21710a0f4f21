"""Activations that are methods of tensors too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinygrad_nn.methods.faces import expect_floating
from tinygrad_nn.ops import piecewise

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = ["hardshrink", "prelu"]


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """input where it is positive, `weight` times it elsewhere: one number, or one for each channel, dimension 1.

    He et al., Delving Deep into Rectifiers, 2015. RuntimeError for a weight of another size or dtype.
    """
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    if weight.dtype != input.dtype:
        raise RuntimeError(f"prelu: expected weight of the input's dtype {input.dtype}, got {weight.dtype}")
    expect_floating("prelu", input)
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if not input.ndim or weight.numel() != channels:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size: expected a weight of 1 or {channels} numbers for "
                f"input {list(input.shape)}, got {weight.numel()}"
            )
        weight = weight.reshape(-1, *(1,) * (input.ndim - 2))
    elif weight.ndim and not input.ndim:
        weight = weight.reshape(())
    return piecewise.prelu_kernel(input, weight)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """input where it is outside [-lambd, lambd], 0 inside; NotImplementedError for an input that is not floating."""
    expect_floating("hardshrink", input)
    return piecewise.hardshrink(input, bound=lambd)
