"""Padding as modules: values around lines (N, C, L) or (C, L) and images (N, C, H, W) or (C, H, W)."""

from __future__ import annotations

from typing import Any

from tinygrad_nn.nn import functional
from tinygrad_nn.nn.functional.planes import Sizes
from tinygrad_nn.nn.module import Module
from tinygrad_nn.tensor import Tensor


class _Pad(Module):
    _dims: int
    _mode = "constant"

    def __init__(self, padding: Sizes) -> None:
        super().__init__()
        self.padding: Any = (padding,) * (2 * self._dims) if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Tensor) -> Tensor:
        """The input with more around it."""
        return functional.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        """The widths."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: Sizes, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """The input with the value around it."""
        return functional.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """The widths and the value."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """One value around lines."""

    _dims = 1


class ConstantPad2d(_ConstantPad):
    """One value around images."""

    _dims = 2


class ZeroPad1d(_Pad):
    """Zeros around lines."""

    _dims = 1


class ZeroPad2d(_Pad):
    """Zeros around images."""

    _dims = 2


class ReflectionPad1d(_Pad):
    """Lines mirrored at their ends."""

    _dims, _mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Images mirrored at their edges."""

    _dims, _mode = 2, "reflect"


class ReplicationPad1d(_Pad):
    """Lines with their ends repeated."""

    _dims, _mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Images with their edges repeated."""

    _dims, _mode = 2, "replicate"


class CircularPad1d(_Pad):
    """Lines with what is at the other end."""

    _dims, _mode = 1, "circular"


class CircularPad2d(_Pad):
    """Images with what is at the other edge."""

    _dims, _mode = 2, "circular"
