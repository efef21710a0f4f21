"""Random tensors from PyTorch's stream; the arithmetic of the draws is the generator's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tinygrad_nn.creation import empty_like, new_leaf
from tinygrad_nn.dtypes import DTypeLike, dtype_of, get_default_dtype
from tinygrad_nn.generator import Generator, default_generator
from tinygrad_nn.methods.dims import sizes_of
from tinygrad_nn.ops import drawn
from tinygrad_nn.tensor import Tensor

__all__ = [
    "bernoulli", "binomial", "get_rng_state", "initial_seed", "manual_seed", "multinomial", "normal", "poisson", "rand",
    "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "seed", "set_rng_state",
]  # fmt: skip


def manual_seed(seed: int) -> Generator:
    """Start the default generator anew from `seed`, and return it.

    >>> _ = manual_seed(0)
    >>> rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(int(seed))


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, **_: Any) -> Iterator[None]:
    """A context after which the default generator stands where it stood before."""
    state = default_generator.get_state()
    try:
        yield
    finally:
        if enabled:
            default_generator.set_state(state)


def initial_seed() -> int:
    """The seed from which the default generator started."""
    return default_generator.initial_seed()


def seed() -> int:
    """Start the default generator from a seed of the operating system's, and return it."""
    return default_generator.seed()


def get_rng_state() -> Tensor:
    """The state of the default generator, in PyTorch's bytes: uint8 (5056,)."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Put the default generator into a state that `get_rng_state` gave."""
    default_generator.set_state(new_state)


def _float(dtype: DTypeLike | None) -> Any:
    return (get_default_dtype() if dtype is None else dtype_of(dtype)).numpy


def rand(
    *size_: Any, size: Any = None, generator: Generator | None = None, dtype: DTypeLike | None = None, **options: Any
) -> Tensor:
    """Uniform numbers in [0, 1)."""
    values = (generator or default_generator).uniform(sizes_of(size_, size), dtype=_float(dtype))
    return new_leaf(values, **options)


def randn(
    *size_: Any, size: Any = None, generator: Generator | None = None, dtype: DTypeLike | None = None, **options: Any
) -> Tensor:
    """Normal numbers of mean 0 and standard deviation 1."""
    values = (generator or default_generator).normal(sizes_of(size_, size), dtype=_float(dtype))
    return new_leaf(values, **options)


def randint(
    *bounds: Any,
    low: int = 0,
    high: int | None = None,
    size: Sequence[int] | None = None,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    **options: Any,
) -> Tensor:
    """Whole numbers from `low` (0 if left out) to `high` - 1: `randint(high, size)` or `randint(low, high, size)`."""
    given = list(bounds)
    if given and size is None and not hasattr(given[-1], "__index__"):
        size = given.pop()
    if len(given) == 2 and high is None:
        low, high = given
    elif len(given) == 1 and high is None:
        high = given[0]
    elif len(given) == 1:
        low = given[0]
    elif given:
        raise TypeError(f"randint: expected randint(high, size) or randint(low, high, size), got {len(bounds)} arguments")
    if size is None or high is None:
        raise TypeError("randint: expected randint(high, size) or randint(low, high, size)")
    low, high = sizes_of((low, high))
    values = (generator or default_generator).integers(low, high, sizes_of((size,)), dtype_of(dtype or np.int64).numpy)
    return new_leaf(values, **options)


def randperm(n: int, *, generator: Generator | None = None, dtype: DTypeLike | None = None, **options: Any) -> Tensor:
    """The numbers 0 to n - 1 in random order."""
    kind = dtype_of(dtype or np.int64).numpy
    return new_leaf((generator or default_generator).permutation(n).astype(kind), **options)


def normal(
    mean: Tensor | float,
    std: Tensor | float = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    **options: Any,
) -> Tensor:
    """Normal numbers with a mean and a standard deviation for all, or one for each element; no gradient passes but zeros."""
    draw = (generator or default_generator).normal
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        if size is None:
            raise TypeError("normal: argument 'size' expected with a mean and std that are numbers")
        return new_leaf(draw(sizes_of((size,)), mean, std, _float(dtype)), **options)
    shape = np.broadcast_shapes(*(tuple(v.shape) for v in (mean, std) if isinstance(v, Tensor)))
    like = mean if isinstance(mean, Tensor) else std
    assert isinstance(like, Tensor)
    values = new_leaf(draw(shape, dtype=like.dtype.numpy), False) * _plain(std) + _plain(mean)
    return drawn.normal(mean, std, drawn=values._data)


def _plain(value: Tensor | float) -> Any:
    return value.detach() if isinstance(value, Tensor) else value


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each element of `input`, or `p`, gives, else 0; RuntimeError for one outside [0, 1].

    The gradient of `input` is zero.
    """
    return input.bernoulli(p, generator=generator)


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts at the rate that each element of `input` gives, whose gradient is zero.

    RuntimeError for a negative one, NotImplementedError for integers.
    """
    if not input.is_floating_point():
        raise NotImplementedError(f"poisson: expected rates of a floating dtype, got {input.dtype}")
    return drawn.poisson(input, drawn=(generator or default_generator).poisson(input.detach().numpy()))


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """Successes of `count` trials, each with the probability `prob`; RuntimeError for tensors of several dtypes."""
    if count.dtype != prob.dtype or not prob.is_floating_point():
        raise RuntimeError(f"binomial: expected count and prob of one floating dtype, got {count.dtype} and {prob.dtype}")
    counts, chances = np.broadcast_arrays(count.detach().numpy(), prob.detach().numpy())
    return new_leaf((generator or default_generator).binomial(counts, chances), False)


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Categories drawn in proportion to the weights in each row: (K,) -> (num_samples,), (N, K) -> (N, num_samples)."""
    return input.multinomial(num_samples, replacement, generator=generator)


def rand_like(
    input: Tensor, *, generator: Generator | None = None, dtype: DTypeLike | None = None, **options: Any
) -> Tensor:
    """Uniform numbers in [0, 1) in the shape and dtype of `input`, drawn in the order in which that lies in memory."""
    return _drawn_like(input, dtype, lambda made: made.uniform_(generator=generator), **options)


def randn_like(
    input: Tensor, *, generator: Generator | None = None, dtype: DTypeLike | None = None, **options: Any
) -> Tensor:
    """Normal numbers in the shape and dtype of `input`, drawn in the order in which that lies in memory."""
    return _drawn_like(input, dtype, lambda made: made.normal_(generator=generator), **options)


def randint_like(
    input: Tensor,
    low: int,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    **options: Any,
) -> Tensor:
    """Whole numbers from `low` (0 if only one bound is given) to `high` - 1 in the shape, dtype and memory order of `input`."""
    low, high = (0, low) if high is None else (low, high)
    return _drawn_like(input, dtype, lambda made: made.random_(int(low), int(high), generator=generator), **options)


def _drawn_like(
    input: Tensor, dtype: DTypeLike | None, fill: Callable[[Tensor], Tensor], requires_grad: bool = False, **options: Any
) -> Tensor:
    return fill(empty_like(input, dtype=dtype, **options)).requires_grad_(requires_grad)
