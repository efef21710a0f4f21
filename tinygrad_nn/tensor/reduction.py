"""The methods that reduce or accumulate along dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_nn.dtypes import DTypeLike
from tinygrad_nn.methods import reduction, softmax

if TYPE_CHECKING:
    from tinygrad_nn.tensor.tensor import Tensor


class Reduction:
    """The methods that reduce or accumulate along dimensions."""

    __slots__ = ()

    sum = reduction.sum
    mean = reduction.mean
    prod = reduction.prod
    var = reduction.var
    std = reduction.std
    amax = reduction.amax
    amin = reduction.amin
    max = reduction.max
    min = reduction.min
    argmax = reduction.argmax
    argmin = reduction.argmin
    cumsum = reduction.cumsum
    logsumexp = reduction.logsumexp
    all = reduction.all
    any = reduction.any

    def softmax(self: Any, dim: Any, dtype: DTypeLike | None = None) -> Tensor:
        """exp(self) / sum(exp(self)) along `dim`."""
        return softmax.softmax(self if dtype is None else self.to(dtype), dim)

    def log_softmax(self: Any, dim: Any, dtype: DTypeLike | None = None) -> Tensor:
        """The logarithm of softmax along `dim`."""
        return softmax.log_softmax(self if dtype is None else self.to(dtype), dim)
