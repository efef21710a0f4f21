"""torch.compiler where nothing is compiled."""

from __future__ import annotations

from typing import Any

from tinygrad_nn.runtime import compile

__all__ = ["allow_in_graph", "compile", "disable", "is_compiling", "is_dynamo_compiling", "is_exporting", "reset"]


def disable(fn: Any = None, recursive: bool = True, **options: Any) -> Any:
    """A function as it is; without one, a decorator that does the same."""
    return (lambda function: function) if fn is None else fn


def allow_in_graph(fn: Any) -> Any:
    """A function as it is."""
    return fn


def is_compiling() -> bool:
    """False."""
    return False


def is_dynamo_compiling() -> bool:
    """False."""
    return False


def is_exporting() -> bool:
    """False."""
    return False


def reset() -> None:
    """Nothing: nothing was compiled."""
