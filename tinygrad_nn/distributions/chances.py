"""What distributions given by probabilities or by logits share: each of the two is made from the other when it is asked for."""

from __future__ import annotations

from typing import Any, ClassVar

from tinygrad_nn.distributions.distribution import Distribution
from tinygrad_nn.distributions.utils import logits_to_probs, probs_to_logits
from tinygrad_nn.dtypes import Size
from tinygrad_nn.tensor import Tensor

__all__ = ["ByChance"]


class ByChance(Distribution):
    """A distribution with `probs` and `logits`, of which one was given."""

    probs: Tensor
    logits: Tensor
    _binary: ClassVar[bool]  # whether each is of one thing or the other, or all along the last dimension of one thing each

    @staticmethod
    def _given(probs: Any, logits: Any) -> tuple[str, Any]:
        """The name and the value of the one that is given; ValueError unless exactly one of the two is."""
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        return ("logits", logits) if probs is None else ("probs", probs)

    def __getattr__(self, name: str) -> Any:
        """The probabilities from the logits or the other way round, at their first use."""
        if name == "probs" and "logits" in self.__dict__:
            self.__dict__[name] = logits_to_probs(self.logits, self._binary)
        elif name == "logits" and "probs" in self.__dict__:
            self.__dict__[name] = probs_to_logits(self.probs, self._binary)
        else:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        return self.__dict__[name]

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return (self.probs if "probs" in self.__dict__ else self.logits).size()
