"""A function called for each slice of its arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tinygrad_nn.autograd.function import mapping
from tinygrad_nn.func.trees import tensors_of
from tinygrad_nn.generator import default_generator
from tinygrad_nn.methods.joining import stack
from tinygrad_nn.tensor import Tensor


def vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *, chunk_size: int | None = None
) -> Callable[..., Any]:
    """The function that calls `func` for each slice along `in_dims` and stacks what it gives along `out_dims`.

    What is given by keyword goes to each call as it is. The calls come one after the other: the gain is in what is written,
    not in time. ValueError for arguments without a dimension to go along, or of several sizes; RuntimeError for a `func`
    that writes to an argument that is the same in each call, or that draws random numbers, unless `randomness` is "same", for
    the same draws in each call, or "different".

    >>> vmap(lambda x: x.sum())(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([3., 7.])
    """
    if randomness not in ("error", "same", "different"):
        raise RuntimeError(f"vmap: expected randomness to be 'error', 'same' or 'different', got {randomness!r}")

    def mapped(*args: Any, **kwargs: Any) -> Any:
        dims = in_dims if isinstance(in_dims, tuple) else (in_dims,) * len(args)
        if len(dims) != len(args):
            raise ValueError(f"vmap: in_dims is not compatible with the inputs: {len(dims)} dims for {len(args)} arguments")
        sizes: set[int] = set()
        shared: list[Any] = []
        for value, dim in zip(args, dims, strict=True):
            _along(value, dim, lambda x, d: sizes.add(x.shape[d]), lambda tree: shared.extend(tensors_of(tree)))
        if len(sizes) != 1:
            raise ValueError(f"vmap: expected inputs of one size in the dimension mapped over, got {sorted(sizes) or 'none'}")
        before, results = default_generator.get_state(), []
        for i in range(*sizes):
            pick = functools.partial(_slice, i)
            own = [_along(value, dim, pick) for value, dim in zip(args, dims, strict=True)]
            if randomness == "same":
                default_generator.set_state(before)
            with _read_only(shared), mapping(randomness):
                results.append(func(*own, **kwargs))
        if randomness == "error" and (before != default_generator.get_state()).any():
            default_generator.set_state(before)
            raise RuntimeError("vmap: called random operation while in randomness error mode")
        return _stacked(results, out_dims)

    return mapped


def _slice(i: int, x: Tensor, dim: int) -> Tensor:
    return x.select(dim, i)


@contextmanager
def _read_only(tensors: Sequence[Any]) -> Iterator[None]:
    """Until the block ends, writes to these tensors are a RuntimeError."""
    locked = [x._data for x in tensors if x._data.flags.writeable]
    for array in locked:
        array.flags.writeable = False
    try:
        yield
    finally:
        for array in locked:
            array.flags.writeable = True


def _along(
    value: Any, dims: Any, change: Callable[[Tensor, int], Any], keep: Callable[[Any], Any] = lambda value: value
) -> Any:
    """A tree with each tensor that has a dimension to go along changed, and by `keep` all else; `dims` is one, or a tree."""
    if isinstance(value, Mapping):
        return {k: _along(v, dims[k] if isinstance(dims, Mapping) else dims, change, keep) for k, v in value.items()}
    if isinstance(value, list | tuple):
        each = dims if isinstance(dims, list | tuple) else (dims,) * len(value)
        parts = [_along(v, d, change, keep) for v, d in zip(value, each, strict=True)]
        return parts if isinstance(value, list) else tuple(parts)
    if dims is None:
        return keep(value)
    if not isinstance(value, Tensor):
        raise ValueError(f"vmap: got in_dim={dims} for an input which is not a Tensor, but {type(value).__name__}")
    if not value.ndim or not -value.ndim <= dims < value.ndim:
        raise ValueError(f"vmap: got in_dim={dims} for an input of dimensionality {value.ndim}")
    return change(value, dims)


def _stacked(results: list[Any], dims: Any) -> Any:
    first = results[0]
    if isinstance(first, Mapping):
        return {k: _stacked([r[k] for r in results], dims[k] if isinstance(dims, Mapping) else dims) for k in first}
    if isinstance(first, list | tuple):
        each = dims if isinstance(dims, list | tuple) else (dims,) * len(first)
        parts = [_stacked([r[i] for r in results], d) for i, d in enumerate(each)]
        return parts if isinstance(first, list) else tuple(parts)
    if not isinstance(first, Tensor):
        raise ValueError(f"vmap: expected the function to return Tensors, got type {type(first).__name__}")
    return first if dims is None else stack(results, dims)
