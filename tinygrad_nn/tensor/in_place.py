"""How a function becomes the method that writes its result into the tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    """The method `name_` that writes what `function`, called `name`, gives back into its tensor."""
    name = function.__name__ + "_"

    def method(input: Any, *args: Any, **options: Any) -> Any:
        before = input._before_write((*args, *options.values()), name)
        return input._become(function(before, *args, **options), name)

    method.__name__, method.__doc__ = name, f"{function.__doc__} In place."
    return method


def view_in_place(function: Callable[..., Any]) -> Callable[..., Any]:
    """The method `name_` by which a tensor becomes the view of itself that `function` gives."""
    name = function.__name__ + "_"

    def method(input: Any, *args: Any, **options: Any) -> Any:
        return input._become_view(function, args, options, name)

    method.__name__, method.__doc__ = name, f"{function.__doc__} In place."
    return method
