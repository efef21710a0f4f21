"""Methods that fill a tensor in place with random numbers from PyTorch's stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tinygrad_nn.generator import Generator, default_generator
from tinygrad_nn.methods.faces import expect_floating

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor


def uniform_(input: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with uniform numbers in [a, b)."""
    expect_floating("uniform_", input)
    values = (generator or default_generator).uniform(tuple(input.shape), from_, to, input.dtype.numpy)
    return input._overwrite(values, "uniform_")


def normal_(input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers of a mean and a standard deviation."""
    expect_floating("normal_", input)
    values = (generator or default_generator).normal(tuple(input.shape), mean, std, input.dtype.numpy)
    return input._overwrite(values, "normal_")


def bernoulli_(input: Tensor, p: Tensor | float = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fill with ones, each with probability `p` (one for all, or one for each element), and zeros."""
    source = generator or default_generator
    if isinstance(p, int | float):
        return input._overwrite(source.bernoulli(p, tuple(input.shape)), "bernoulli_")
    return input._overwrite(source.bernoulli_of(np.broadcast_to(p.detach().numpy(), tuple(input.shape))), "bernoulli_")


def exponential_(input: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with exponentially distributed numbers of rate `lambd`."""
    values = (generator or default_generator).exponential(tuple(input.shape), lambd, input.dtype.numpy)
    return input._overwrite(values, "exponential_")


def random_(
    input: Tensor, from_: int | None = None, to: int | None = None, *, generator: Generator | None = None
) -> Tensor:
    """Fill with whole numbers from `from_` (0 if only one bound is given) to `to` - 1, or of the dtype's whole range."""
    source = generator or default_generator
    if from_ is None and to is None:
        return input._overwrite(source.random_ints(tuple(input.shape), input.dtype.numpy), "random_")
    low, high = (0, from_ or 0) if to is None else (from_ or 0, to)
    return input._overwrite(source.integers(low, high, tuple(input.shape), input.dtype.numpy), "random_")


def cauchy_(input: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with Cauchy distributed numbers."""
    values = (generator or default_generator).cauchy(tuple(input.shape), median, sigma, input.dtype.numpy)
    return input._overwrite(values, "cauchy_")


def log_normal_(input: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers whose logarithms are normal with a mean and a standard deviation."""
    expect_floating("log_normal_", input)
    values = (generator or default_generator).log_normal(tuple(input.shape), mean, std, input.dtype.numpy)
    return input._overwrite(values, "log_normal_")


def geometric_(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fill with the numbers of trials until the first success of probability `p`."""
    values = (generator or default_generator).geometric(p, tuple(input.shape), input.dtype.numpy)
    return input._overwrite(values, "geometric_")
