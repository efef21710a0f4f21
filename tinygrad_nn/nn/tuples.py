"""A number as several of it, as PyTorch's `torch.nn.modules.utils` has them for layers of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def _ntuple(n: int) -> Callable[[Any], tuple[Any, ...]]:
    """The function that gives a number n times, and what can be iterated over as a tuple."""
    return lambda x: tuple(x) if isinstance(x, Iterable) else (x,) * n


_single, _pair, _triple = (_ntuple(n) for n in (1, 2, 3))
