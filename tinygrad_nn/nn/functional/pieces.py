"""A tensor cut into pieces whose gradients are joined at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_nn.autograd.function import Function
from tinygrad_nn.methods import joining
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap


class Pieces(Function):
    """Pieces of `sizes` along the first dimension: (sum of sizes, ...) -> one (size, ...) each; its slices for None.

    As a view, each would send back a gradient of the whole tensor: time and memory that grow with the square of
    their number.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, sizes: Sequence[int] | None) -> Any:
        """The pieces; they share the memory of `x`."""
        ctx.join = joining.stack if sizes is None else joining.cat
        if sizes is None:
            return tuple(map(wrap, x._data))
        found, start = [], 0
        for size in sizes:
            found.append(wrap(x._data[start : start + size]))
            start += size
        return tuple(found)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        """Their gradients, joined."""
        return ctx.join(grads), None


def pieces(x: Tensor, sizes: Sequence[int] | None = None) -> tuple[Tensor, ...]:
    """`x` (sum of sizes, ...) cut along its first dimension into one (size, ...) each, or into its slices."""
    found: tuple[Tensor, ...] = Pieces.apply(x, sizes)
    return found
