"""The methods that draw random numbers, those that fill a tensor in place in the order in which it lies in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn.generator import Generator, default_generator
from tinygrad_nn.memory_order import in_memory_order, memory_order
from tinygrad_nn.methods.faces import expect_floating
from tinygrad_nn.op import Array
from tinygrad_nn.ops import drawn
from tinygrad_nn.variable import wrap

if TYPE_CHECKING:
    from tinygrad_nn.tensor.tensor import Tensor


class Filling:
    """The methods that draw random numbers."""

    __slots__ = ()

    def uniform_(self: Any, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None) -> Tensor:
        """Fill with uniform numbers in [a, b)."""
        expect_floating("uniform_", self)
        draw = (generator or default_generator).uniform
        return _filled(self, "uniform_", lambda shape: draw(shape, from_, to, self._data.dtype))

    def normal_(self: Any, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
        """Fill with normal numbers of a mean and a standard deviation."""
        expect_floating("normal_", self)
        source = generator or default_generator
        draw = source.normal if self._data.flags.c_contiguous else source.normal_in_turn
        return _filled(self, "normal_", lambda shape: draw(shape, mean, std, self._data.dtype))

    def bernoulli_(self: Any, p: Tensor | float = 0.5, *, generator: Generator | None = None) -> Tensor:
        """Fill with ones, each with probability `p` (one for all, or one for each element), and zeros."""
        source = generator or default_generator
        if isinstance(p, int | float):
            return _filled(self, "bernoulli_", lambda shape: source.bernoulli(p, shape))
        chances, order = np.broadcast_to(p.detach().numpy(), self._data.shape), memory_order(self._data)
        return _filled(self, "bernoulli_", lambda shape: source.bernoulli_of(chances.transpose(order).reshape(shape)))

    def exponential_(self: Any, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
        """Fill with exponentially distributed numbers of rate `lambd`."""
        draw = (generator or default_generator).exponential
        return _filled(self, "exponential_", lambda shape: draw(shape, lambd, self._data.dtype))

    def random_(
        self: Any, from_: int | None = None, to: int | None = None, *, generator: Generator | None = None
    ) -> Tensor:
        """Fill with whole numbers from `from_` (0 if only one bound is given) to `to` - 1, or of the dtype's whole range."""
        source = generator or default_generator
        if from_ is None and to is None:
            return _filled(self, "random_", lambda shape: source.random_ints(shape, self._data.dtype))
        low, high = (0, from_ or 0) if to is None else (from_ or 0, to)
        return _filled(self, "random_", lambda shape: source.integers(low, high, shape, self._data.dtype))

    def cauchy_(self: Any, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Tensor:
        """Fill with Cauchy distributed numbers."""
        draw = (generator or default_generator).cauchy
        return _filled(self, "cauchy_", lambda shape: draw(shape, median, sigma, self._data.dtype))

    def log_normal_(self: Any, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
        """Fill with numbers whose logarithms are normal with a mean and a standard deviation."""
        expect_floating("log_normal_", self)
        draw = (generator or default_generator).log_normal
        return _filled(self, "log_normal_", lambda shape: draw(shape, mean, std, self._data.dtype))

    def geometric_(self: Any, p: float, *, generator: Generator | None = None) -> Tensor:
        """Fill with the numbers of trials until the first success of probability `p`."""
        draw = (generator or default_generator).geometric
        return _filled(self, "geometric_", lambda shape: draw(p, shape, self._data.dtype))

    def bernoulli(self: Any, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
        """1 with the probability that each element, or `p`, gives, else 0; RuntimeError for one outside [0, 1]."""
        if p is None:
            expect_floating("bernoulli", self)
        source = generator or default_generator
        if p is not None:
            made: Tensor = wrap(source.bernoulli(p, self._data.shape).astype(self._data.dtype))
            return made
        return drawn.bernoulli(self, drawn=source.bernoulli_of(self._data))

    def multinomial(
        self: Any, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
    ) -> Tensor:
        """Categories drawn in proportion to the weights in each row: (K,) -> (num_samples,), (N, K) -> (N, num_samples)."""
        made: Tensor = wrap((generator or default_generator).multinomial(self._data, num_samples, replacement))
        return made


def _filled(tensor: Any, writer: str, draw: Callable[[tuple[int, ...]], Array]) -> Tensor:
    """The tensor, written over with what `draw` gives for its shape as it lies in memory."""
    return tensor._overwrite(in_memory_order(tensor._data, draw), writer)
