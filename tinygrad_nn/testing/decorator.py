"""The decorator that tells the pytest plugin what to check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")
MARK = "__gradcheck_op__"


class Spec(NamedTuple):
    """What `@gradcheck_op` was called with."""

    samples: Any
    vjp: Callable[..., Any] | None
    dtypes: tuple[str, ...]
    orders: tuple[int, ...]
    options: dict[str, Any]


def gradcheck_op(
    *,
    samples: Any,
    vjp: Callable[..., Any] | None = None,
    dtypes: Sequence[str] = ("float64", "float32"),
    orders: Sequence[int] | None = None,
    **options: Any,
) -> Callable[[T], T]:
    """Turn a function, method, Function, Module or factory of a test file into one test for each sample, dtype and order.

    A function without parameters and the class of a Module are called for the Module that is checked.
    `samples` is a list, or a dict by name, of tuples of inputs; a tuple of ints is a shape to fill. With `vjp`, the
    function is of NumPy arrays and the two are checked as a pair. Other options go to `gradcheck`.
    """
    wanted = tuple(orders) if orders is not None else (1,) if vjp is not None else (1, 2)

    def mark(target: T) -> T:
        setattr(target, MARK, Spec(samples, vjp, tuple(dtypes), wanted, options))
        return target

    return mark
