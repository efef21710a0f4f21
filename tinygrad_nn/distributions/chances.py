"""What distributions given by probabilities or by logits share: each of the two is made from the other when it is asked for."""

from __future__ import annotations

from typing import Any, ClassVar

from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.distribution import Distribution
from tinygrad_nn.distributions.utils import all_numbers, broadcast_all, lazy_property, logits_to_probs, probs_to_logits
from tinygrad_nn.dtypes import Size
from tinygrad_nn.tensor import Tensor

__all__ = ["ByChance", "given"]


def given(probs: Any, logits: Any) -> tuple[str, Any]:
    """The name and the value of the one that is given; ValueError unless exactly one of the two is."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")
    return ("logits", logits) if probs is None else ("probs", probs)


class ByChance(Distribution):
    """A probability for each place, given as it is or as the logarithm of the odds."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {"probs": constraints.unit_interval, "logits": constraints.real}

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        name, value = given(probs, logits)
        (self.__dict__[name],) = broadcast_all(value)
        super().__init__(() if all_numbers(value) else self.__dict__[name].shape, (), validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities."""
        return logits_to_probs(self.logits, is_binary=True)

    @lazy_property
    def logits(self) -> Tensor:
        """The logarithms of the odds."""
        return probs_to_logits(self.probs, is_binary=True)

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return (self.probs if "probs" in self.__dict__ else self.logits).size()
