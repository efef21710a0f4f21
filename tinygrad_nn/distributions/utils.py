"""What several distributions need: parameters of one shape, and probabilities as logits and back."""

from __future__ import annotations

from typing import Any

from tinygrad_nn.creation import tensor
from tinygrad_nn.dtypes import finfo, get_default_dtype
from tinygrad_nn.methods.shaping import broadcast_tensors
from tinygrad_nn.tensor import Tensor

__all__ = ["broadcast_all", "clamp_probs", "logits_to_probs", "probs_to_logits", "sum_rightmost"]


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Tensors and numbers as tensors of one shape; ValueError for anything else."""
    if not all(isinstance(v, Tensor | int | float) for v in values):
        raise ValueError("Input arguments must all be instances of Number or torch.Tensor")
    dtype = next((v.dtype for v in values if isinstance(v, Tensor)), get_default_dtype())
    return tuple(broadcast_tensors(*(v if isinstance(v, Tensor) else tensor(v, dtype=dtype) for v in values)))


def all_numbers(*values: Any) -> bool:
    """Whether no parameter is a tensor."""
    return not any(isinstance(v, Tensor) for v in values)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept away from 0 and 1 by the rounding of their dtype."""
    eps = finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """The logarithms of probabilities; of the odds if they are of one thing or the other."""
    kept = clamp_probs(probs)
    return kept.log() - (-kept).log1p() if is_binary else kept.log()


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """The probabilities to logits: sigmoid of the odds, else softmax."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def sum_rightmost(value: Tensor, dims: int) -> Tensor:
    """The sum along the last `dims` dimensions."""
    return value.reshape((*value.shape[: value.ndim - dims], -1)).sum(-1) if dims else value
