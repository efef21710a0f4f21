"""PyTorch's profiler as contexts and decorators that change nothing and measure nothing: `cProfile` does."""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any, Self

__all__ = ["profile", "record_function"]


class _Nothing(ContextDecorator):
    def __init__(self, *_: Any, **__: Any) -> None:
        """Takes what PyTorch's takes, and does not look at it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class profile(_Nothing):
    """A block that would be measured."""


class record_function(_Nothing):
    """A block that would have a name in the measurement."""
