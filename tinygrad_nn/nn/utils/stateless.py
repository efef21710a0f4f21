"""A module called with other tensors in the place of its own, by the name that `torch.func.functional_call` had before."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from tinygrad_nn import func
from tinygrad_nn.nn.module import Module
from tinygrad_nn.tensor import Tensor

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameters_and_buffers: Mapping[str, Tensor],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """The module called with these tensors; RuntimeError for a name that it has not. Warns of its new name."""
    warnings.warn(
        "`torch.nn.utils.stateless.functional_call` is deprecated, use `torch.func.functional_call`", FutureWarning, stacklevel=2
    )
    return func.functional_call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)
