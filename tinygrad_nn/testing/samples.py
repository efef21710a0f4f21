"""Inputs to check at, given by shape or by value, and the smallest ones that still show a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def named_samples(samples: Any) -> dict[str, list[Any]]:
    """Samples by name: a mapping keeps its names, a list is named by shapes; one sample is a tuple of inputs.

    A tuple of ints among the inputs is a shape, filled with numbers from 0.2 to 2 of both signs, none of them alike.
    """
    listed = list(samples.items()) if isinstance(samples, Mapping) else [(None, sample) for sample in samples]
    named: dict[str, list[Any]] = {}
    for name, sample in listed:
        inputs = drawn(sample if isinstance(sample, list | tuple) and not _is_shape(sample) else (sample,))
        label = name if name is not None else ",".join(_shape_name(value) for value in inputs)
        named[label if label not in named else f"{label}#{len(named)}"] = inputs
    return named


def drawn(sample: Sequence[Any]) -> list[Any]:
    """The inputs of a sample, with its shapes filled."""
    rng = np.random.default_rng([0, 1])  # not the stream of gradcheck's seed 0: its incoming gradients would go with the inputs
    return [_fill(value, rng) if _is_shape(value) else value for value in sample]


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(n, int) for n in value)


def _fill(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    return np.asarray(rng.uniform(0.2, 2.0, shape) * rng.choice([-1.0, 1.0], shape))


def _shape_name(value: Any) -> str:
    shape = np.shape(value.detach() if hasattr(value, "detach") else value)
    return "x".join(map(str, shape)) or "0-d"


def shrunk(inputs: Sequence[Any], still_fails: Callable[[list[Any]], bool], tries: int = 200) -> list[Any]:
    """The smallest and simplest arrays found, within `tries`, on which the failure stays.

    Axes of equal length are cut together, so that shapes keep fitting; then values are rounded.
    """
    best = [np.array(v) if isinstance(v, np.ndarray) else v for v in inputs]
    for _ in range(tries):
        for candidate in _simpler(best):
            tries -= 1
            if tries >= 0 and still_fails(candidate):
                best = candidate
                break
        else:
            break
    return best


def _simpler(inputs: list[Any]) -> Iterator[list[Any]]:
    floats = [i for i, v in enumerate(inputs) if isinstance(v, np.ndarray) and v.dtype.kind == "f"]
    lengths = sorted({n for i in floats for n in inputs[i].shape if n > 1}, reverse=True)
    for length in lengths:
        for shorter in dict.fromkeys((1, length // 2, length - 1)):
            yield [_cut(v, length, shorter) if i in floats else v for i, v in enumerate(inputs)]
    for digits in (0, 1):
        for i in floats:
            rounded = np.round(inputs[i], digits)
            if not np.array_equal(rounded, inputs[i]):
                yield [rounded if k == i else v for k, v in enumerate(inputs)]


def _cut(value: Any, length: int, shorter: int) -> Any:
    return value[tuple(slice(shorter if n == length else n) for n in value.shape)].copy()
