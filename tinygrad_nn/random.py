"""Random tensors from PyTorch's stream; the arithmetic of the draws is the generator's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_nn.creation import new_leaf
from tinygrad_nn.dtypes import DTypeLike, dtype_of, get_default_dtype
from tinygrad_nn.generator import Generator, default_generator
from tinygrad_nn.methods.dims import sizes_of
from tinygrad_nn.tensor import Tensor


def manual_seed(seed: int) -> Generator:
    """Start the default generator anew from `seed`, and return it.

    >>> _ = manual_seed(0)
    >>> rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(seed)


def initial_seed() -> int:
    """The seed from which the default generator started."""
    return default_generator.initial_seed()


def seed() -> int:
    """Start the default generator from a seed of the operating system's, and return it."""
    return default_generator.seed()


def get_rng_state() -> Tensor:
    """The state of the default generator, in PyTorch's bytes: uint8 (5056,)."""
    return new_leaf(default_generator.get_state(), False)


def set_rng_state(new_state: Tensor) -> None:
    """Put the default generator into a state that `get_rng_state` gave."""
    default_generator.set_state(new_state.detach().numpy())


def _float(dtype: DTypeLike | None) -> Any:
    return (get_default_dtype() if dtype is None else dtype_of(dtype)).numpy


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform numbers in [0, 1)."""
    values = (generator or default_generator).uniform(sizes_of(size), dtype=_float(dtype))
    return new_leaf(values, requires_grad, device)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers of mean 0 and standard deviation 1."""
    values = (generator or default_generator).normal(sizes_of(size), dtype=_float(dtype))
    return new_leaf(values, requires_grad, device)


def randint(
    low: int,
    high: int | Sequence[int] | None = None,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = np.int64,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Whole numbers from `low` (0 if left out) to `high` - 1: `randint(high, size)` or `randint(low, high, size)`."""
    if size is None:
        if high is None or isinstance(high, int):
            raise TypeError("randint: expected randint(high, size) or randint(low, high, size)")
        bounds, sizes = (0, low), high
    elif isinstance(high, int):
        bounds, sizes = (low, high), size
    else:
        raise TypeError(f"randint: argument 'high' expected an int, got {type(high).__name__}")
    values = (generator or default_generator).integers(*bounds, tuple(sizes), dtype_of(dtype).numpy)
    return new_leaf(values, requires_grad, device)


def randperm(n: int, *, generator: Generator | None = None, dtype: DTypeLike = np.int64, device: Any = None) -> Tensor:
    """The numbers 0 to n - 1 in random order."""
    return new_leaf((generator or default_generator).permutation(n).astype(dtype_of(dtype).numpy), False, device)


def normal(
    mean: Tensor | float,
    std: Tensor | float = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Normal numbers with a mean and a standard deviation for all, or one for each element."""
    draw = (generator or default_generator).normal
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        if size is None:
            raise TypeError("normal: argument 'size' expected with a mean and std that are numbers")
        return new_leaf(draw(tuple(size), mean, std, _float(dtype)), False)
    shape = np.broadcast_shapes(*(tuple(v.shape) for v in (mean, std) if isinstance(v, Tensor)))
    like = mean if isinstance(mean, Tensor) else std
    assert isinstance(like, Tensor)
    return new_leaf(draw(shape, dtype=like.dtype.numpy), False) * _plain(std) + _plain(mean)


def _plain(value: Tensor | float) -> Any:
    return value.detach() if isinstance(value, Tensor) else value


def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each element of `input` gives, else 0; RuntimeError for one outside [0, 1]."""
    drawn = (generator or default_generator).bernoulli_of(input.detach().numpy())
    return new_leaf(drawn.astype(input.dtype.numpy), False)


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Categories drawn in proportion to the weights in each row: (K,) -> (num_samples,), (N, K) -> (N, num_samples)."""
    drawn = (generator or default_generator).multinomial(input.detach().numpy(), num_samples, replacement)
    return new_leaf(drawn, False)


def rand_like(input: Tensor, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform numbers in [0, 1) in the shape and dtype of `input`."""
    return rand(tuple(input.shape), dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def randn_like(input: Tensor, *, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Normal numbers in the shape and dtype of `input`."""
    return randn(tuple(input.shape), dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def randint_like(input: Tensor, low: int, high: int | None = None, *, dtype: DTypeLike | None = None) -> Tensor:
    """Whole numbers from `low` (0 if only one bound is given) to `high` - 1 in the shape and dtype of `input`."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, tuple(input.shape), dtype=dtype or input.dtype)
