"""The methods that fill a tensor with random numbers."""

from __future__ import annotations

from tinygrad_nn.methods import filling


class Filling:
    """The methods that fill a tensor with random numbers."""

    __slots__ = ()

    uniform_ = filling.uniform_
    normal_ = filling.normal_
    bernoulli_ = filling.bernoulli_
    exponential_ = filling.exponential_
    random_ = filling.random_
    cauchy_ = filling.cauchy_
    log_normal_ = filling.log_normal_
    geometric_ = filling.geometric_
