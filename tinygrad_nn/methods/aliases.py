"""NumPy's names for PyTorch's arguments, which PyTorch takes as well."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other"}


def numpy_names(function: F) -> F:
    """Let a function also be called with `axis` for `dim`, `keepdims` for `keepdim`, `x` for `input`, `x2` for `other`."""

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        if options:
            options = {NAMES.get(name, name): value for name, value in options.items()}
        return function(*args, **options)

    call.also_numpy_names = True  # type: ignore[attr-defined]
    return call  # type: ignore[return-value]
