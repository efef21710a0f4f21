"""What several functions ask of their arguments."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_nn.autograd import is_grad_enabled
from tinygrad_nn.methods.faces import expect_floating
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.tensor.in_place import in_place

__all__ = [
    "check_reduction", "expect_constant", "expect_floating", "expect_same_dtype", "quiet", "reduced", "reduction_of", "written",
]  # fmt: skip

quiet = np.errstate(over="ignore", invalid="ignore")  # infinities and NaNs that come in go out, without a warning


def expect_same_dtype(name: str, input: Tensor, **others: Tensor | None) -> None:
    """RuntimeError if one of the others, named by its keyword, has a dtype that is not the input's."""
    for other, tensor in others.items():
        if tensor is not None and tensor._data.dtype != input._data.dtype:
            raise RuntimeError(f"{name}: expected {other} of the input's dtype {input.dtype}, got {tensor.dtype}")


def expect_constant(name: str, **others: Tensor | None) -> None:
    """RuntimeError if one of the others, named by its keyword, asks for a gradient, which there is none of."""
    for other, tensor in others.items():
        if tensor is not None and tensor.requires_grad and is_grad_enabled():
            raise RuntimeError(f"{name} is not differentiable by {other}: expected one that does not require grad")


def check_reduction(reduction: str) -> None:
    """ValueError if `reduction` is none of 'mean', 'sum' and 'none'."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction: expected 'mean', 'sum' or 'none'")


def reduction_of(reduction: str, size_average: bool | None, reduce: bool | None) -> str:
    """The reduction, with a warning if it comes from the two flags that were there before it; ValueError for an unknown one."""
    if size_average is None and reduce is None:
        check_reduction(reduction)
        return reduction
    averaged, reduced = (flag is None or bool(flag) for flag in (size_average, reduce))
    found = "none" if not reduced else "mean" if averaged else "sum"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{found}' instead.", stacklevel=3
    )
    return found


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The loss averaged, summed or as it is."""
    check_reduction(reduction)
    return loss if reduction == "none" else loss.mean() if reduction == "mean" else loss.sum()


def written(function: Callable[..., Tensor], input: Tensor, *arguments: Any) -> Tensor:
    """What `function` makes of the input and the arguments, written into the input."""
    changed: Tensor = in_place(function)(input, *arguments)
    return changed
