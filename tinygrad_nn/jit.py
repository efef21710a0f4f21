"""torch.jit where nothing is compiled: functions and modules stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["Final", "annotate", "export", "ignore", "is_scripting", "is_tracing", "script", "script_if_tracing", "trace", "unused"]


def script(obj: Any, *_: Any, **options: Any) -> Any:
    """A function, class or module as it is."""
    return obj


def trace(func: Callable[..., Any], *_: Any, **options: Any) -> Callable[..., Any]:
    """A function or module as it is."""
    return func


def unused(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A function or method as it is."""
    return fn


export = script_if_tracing = unused


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value as it is."""
    return the_value


def ignore(drop: Any = False, **options: Any) -> Callable[..., Any]:
    """A function as it is; without one, a decorator that does the same."""
    return drop if callable(drop) else unused


def is_scripting() -> bool:
    """False."""
    return False


def is_tracing() -> bool:
    """False."""
    return False
