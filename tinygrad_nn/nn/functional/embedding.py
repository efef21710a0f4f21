"""Look-up tables: a row for each index, or bags of rows reduced to one."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_nn.methods.faces import expect_tensor
from tinygrad_nn.ops.embedding import add_rows, rows
from tinygrad_nn.tensor import Tensor


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of `weight` (n, d) at integers (...): (..., d).

    The row `padding_idx` gets no gradient; rows looked up are first shrunk, in place, to a `norm_type`-norm of `max_norm`;
    `scale_grad_by_freq` divides the gradient of a row by how often it is looked up. IndexError for an index outside the
    table, RuntimeError for other dtypes and shapes, NotImplementedError for sparse gradients.
    """
    if sparse:
        raise NotImplementedError("embedding: sparse gradients are not supported, expected sparse=False")
    expect_tensor("embedding", "input", input)
    if weight.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, got {weight.ndim}-D")
    index = _checked(input, len(weight), IndexError)
    padding = _place(padding_idx, len(weight))
    if max_norm is not None:
        _shrink(weight, index, max_norm, norm_type)
    found: Tensor = rows(weight, input, share=_share(index, weight, padding, scale_grad_by_freq))
    return found


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or max of the rows of `weight` (n, d) in each bag of integers: (bags, d); zeros for an empty bag.

    Bags are the rows of (bags, k), or start at `offsets` in (m,), to whose end `include_last_offset` adds the end of the
    last. `per_sample_weights`, for sums only, are factors in the input's shape; indices equal to `padding_idx` are in no bag.
    ValueError and RuntimeError for what does not fit and for an index outside the table, NotImplementedError for sparse
    gradients.
    """
    _check_bags(input, weight, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights)
    index = _checked(input, len(weight), RuntimeError)
    sizes = np.full(len(index), index.shape[1]) if offsets is None else _sizes(offsets, include_last_offset, index.size)
    bags = np.repeat(np.arange(len(sizes)), sizes)
    index = index.reshape(-1)[: len(bags)]
    if max_norm is not None:
        _shrink(weight, index, max_norm, norm_type)
    factors = None if per_sample_weights is None else per_sample_weights.reshape(-1)[: len(bags)]
    share = _share(index, weight, None, scale_grad_by_freq)
    if padding_idx is not None:
        kept = np.flatnonzero(index != _place(padding_idx, len(weight)))
        index, bags, share = index[kept], bags[kept], None if share is None else share[kept]
        factors = None if factors is None else factors[kept]
    found: Tensor = rows(weight, index, share=share)
    if mode == "max":
        bags, places = _largest(found._data, bags)
        found = found[places, np.arange(weight.shape[1])]
    elif mode == "mean":
        found = found / found.new_tensor(np.maximum(np.bincount(bags, minlength=len(sizes)), 1)[bags, None])
    elif factors is not None:
        found = found * factors.unsqueeze(1)
    reduced: Tensor = add_rows(found, bags, count=len(sizes))
    return reduced


def _checked(input: Tensor, count: int, error: type[Exception]) -> Any:
    """The indices as an array; `error` for one outside the table."""
    index = input._data
    if index.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            f"embedding: Expected tensor for the indices to have one of the following scalar types: Long, Int; got {input.dtype}"
        )
    if index.size and not (index.min() >= 0 and index.max() < count):
        raise error(f"index out of range: expected indices from 0 to {count - 1}, got {index.min()} to {index.max()}")
    return index


def _place(padding_idx: int | None, count: int) -> int | None:
    if padding_idx is None:
        return None
    if not -count <= padding_idx < count:
        raise AssertionError(f"Padding_idx must be within num_embeddings: got {padding_idx} for {count}")
    return padding_idx % count


def _share(index: Any, weight: Tensor, padding: int | None, by_frequency: bool) -> Any:
    """What counts of each row's gradient: nothing of the padding, a part of rows that come often; None for all of it."""
    if padding is None and not by_frequency:
        return None
    share = np.ones(index.shape, weight._data.dtype)
    if by_frequency and index.size:
        share /= np.bincount(index.reshape(-1))[index]
    if padding is not None:
        share[index == padding] = 0
    return share[..., None]


def _shrink(weight: Tensor, index: Any, max_norm: float, p: float) -> None:
    """Scale those of the rows looked up that are longer than `max_norm`, in place."""
    used, table = np.unique(index), weight._data.copy()
    length = np.linalg.norm(table[used], p, axis=1, keepdims=True)
    table[used] *= np.where(length > max_norm, max_norm / (length + 1e-7), 1).astype(table.dtype)
    weight._write(table, "embedding_renorm_")


def _check_bags(
    input: Tensor, weight: Tensor, offsets: Tensor | None, by_frequency: bool, mode: str, sparse: bool, factors: Tensor | None
) -> None:
    if factors is not None and factors.shape != input.shape:
        raise ValueError(f"embedding_bag: expected per_sample_weights of the input's shape {input.shape}, got {factors.shape}")
    if weight.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}")
    if input.ndim not in (1, 2):
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")
    if (input.ndim == 1) != (offsets is not None and offsets.ndim == 1):
        raise ValueError("embedding_bag: expected 1D offsets with a 1D input and none with a 2D one, got others")
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"mode has to be one of sum, mean or max, got {mode!r}")
    if mode == "max" and (by_frequency or sparse):
        raise ValueError("max mode does not support scaling the gradient by the frequency, nor sparse weights")
    if sparse:
        raise NotImplementedError("embedding_bag: sparse gradients are not supported, expected sparse=False")
    if factors is not None and mode != "sum":
        raise NotImplementedError(f"embedding_bag: per_sample_weights is only supported for mode='sum' (got mode='{mode}')")
    if factors is not None and factors.dtype != weight.dtype:
        raise RuntimeError(f"embedding_bag: expected per_sample_weights of dtype {weight.dtype}, got {factors.dtype}")


def _sizes(offsets: Tensor, include_last: bool, count: int) -> Any:
    """How many indices are in each bag."""
    starts = offsets._data
    if include_last and not starts.size:
        raise RuntimeError("include_last_offset: number of offsets should be at least 1, got 0")
    if starts.size and (starts[0] != 0 or starts[-1] > count or (np.diff(starts) < 0).any()):
        raise RuntimeError(f"embedding_bag: expected offsets that rise from 0 to at most {count}, got {starts.tolist()}")
    return np.diff(starts) if include_last else np.diff(starts, append=count)


def _largest(values: Any, bags: Any) -> tuple[Any, Any]:
    """The bags that hold something, and for each and each column the place of the (first) largest value."""
    full, starts = np.unique(bags, return_index=True)
    parts = np.split(values, starts[1:]) if len(full) else []
    places = [start + part.argmax(0) for start, part in zip(starts, parts, strict=True)]
    return full, np.array(places, np.int64).reshape(len(full), values.shape[1])
