"""Modules whose first weights do not matter, since others are put in their place."""

from __future__ import annotations

import inspect
from typing import Any

from tinygrad_nn.nn.module import Module
from tinygrad_nn.random import fork_rng

__all__ = ["skip_init"]


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Module:
    """A module of a class, made without a draw from the random stream; RuntimeError for one that takes no `device`."""
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    with fork_rng():
        return module_cls(*args, **kwargs)
