"""The methods that draw random numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_nn.generator import Generator, default_generator
from tinygrad_nn.methods import filling
from tinygrad_nn.methods.faces import expect_floating
from tinygrad_nn.variable import wrap

if TYPE_CHECKING:
    from tinygrad_nn.tensor.tensor import Tensor


class Filling:
    """The methods that draw random numbers."""

    __slots__ = ()

    uniform_ = filling.uniform_
    normal_ = filling.normal_
    bernoulli_ = filling.bernoulli_
    exponential_ = filling.exponential_
    random_ = filling.random_
    cauchy_ = filling.cauchy_
    log_normal_ = filling.log_normal_
    geometric_ = filling.geometric_

    def bernoulli(self: Any, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
        """1 with the probability that each element, or `p`, gives, else 0; RuntimeError for one outside [0, 1]."""
        if p is None:
            expect_floating("bernoulli", self)
        source = generator or default_generator
        drawn = source.bernoulli_of(self._data) if p is None else source.bernoulli(p, self._data.shape)
        made: Tensor = wrap(drawn.astype(self._data.dtype))
        return made

    def multinomial(
        self: Any, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
    ) -> Tensor:
        """Categories drawn in proportion to the weights in each row: (K,) -> (num_samples,), (N, K) -> (N, num_samples)."""
        made: Tensor = wrap((generator or default_generator).multinomial(self._data, num_samples, replacement))
        return made
