"""How samples become a batch."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from copy import copy
from typing import Any

import numpy as np

from tinygrad_nn.creation import from_numpy, tensor
from tinygrad_nn.methods.joining import stack
from tinygrad_nn.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """A list of samples as one batch: tensors and arrays stacked, numbers in a tensor, tuples and dicts item by item.

    >>> default_collate([(tensor([1.0]), 2), (tensor([3.0]), 4)])
    [tensor([[1.],
            [3.]]), tensor([2, 4])]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch)
    if isinstance(first, np.ndarray):
        return from_numpy(np.stack(batch))
    if isinstance(first, float):
        return tensor(batch, dtype=np.float64)
    if isinstance(first, int | np.generic):
        return tensor(np.asarray(batch))
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        return _like(first, {key: default_collate([sample[key] for sample in batch]) for key in first})
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        parts = [default_collate(part) for part in zip(*batch, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else parts if isinstance(first, tuple) else _like(first, parts)
    raise TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {type(first).__name__}"
    )


def _like(sample: Any, parts: Any) -> Any:
    """The parts of a batch in the class of the sample, where that can hold them: an OrderedDict, a deque."""
    if type(sample) in (dict, list):
        return parts
    try:
        held = copy(sample)
        if isinstance(held, MutableMapping):
            held.update(parts)
        elif isinstance(held, MutableSequence):
            for i, part in enumerate(parts):
                held[i] = part
        else:
            return type(sample)(parts)
    except TypeError:
        return parts
    return held


def default_convert(data: Any) -> Any:
    """One sample, not in a batch: arrays in it become tensors, all else stays."""
    if isinstance(data, np.ndarray) and data.dtype.kind in "biuf":
        return from_numpy(data)
    if isinstance(data, np.generic) and data.dtype.kind in "biuf":
        return tensor(data)
    if isinstance(data, Mapping):
        return _like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(item) for item in data))
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        converted = [default_convert(item) for item in data]
        return converted if isinstance(data, tuple) else _like(data, converted)
    return data
