"""Dropout."""

from __future__ import annotations

from tinygrad_nn.generator import default_generator
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each element with probability `p` and divide the rest by 1 - p; the input itself when not training.

    Srivastava et al., Dropout, JMLR 15 (2014), in its inverted form; written into the input if `inplace`.
    ValueError for `p` outside [0, 1], RuntimeError for integers that would have to be divided.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0:
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    if not input.is_floating_point():
        raise RuntimeError(f"dropout: expected a floating tensor, result type Float can't be cast to {input.dtype}")
    dtype = input._data.dtype
    keep = default_generator.bernoulli(1 - p, input._data.shape)
    noise = wrap(keep.astype(dtype) / dtype.type(1 - p))
    return input.mul_(noise) if inplace else input * noise
