"""Padding as modules: values around lines (N, C, L) or (C, L) and images (N, C, H, W) or (C, H, W)."""

from __future__ import annotations

from typing import Any

from tinygrad_nn.nn import functional
from tinygrad_nn.nn.functional.planes import Sizes
from tinygrad_nn.nn.module import Module
from tinygrad_nn.tensor import Tensor


class _Pad(Module):
    _dims_: int
    _mode_ = "constant"

    def __init__(self, padding: Sizes) -> None:
        super().__init__()
        self.padding: Any = (padding,) * (2 * self._dims_) if hasattr(padding, "__index__") else tuple(padding)

    def forward(self, input: Tensor) -> Tensor:
        """The input with more around it."""
        return functional.pad(input, self.padding, self._mode_)

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

    _dims_ = 1


class ConstantPad2d(_ConstantPad):
    """One value around images."""

    _dims_ = 2


class ConstantPad3d(_ConstantPad):
    """One value around volumes."""

    _dims_ = 3


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: Sizes) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """The widths."""
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """Zeros around lines."""


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """Zeros around images."""


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """Zeros around volumes."""


class ReflectionPad1d(_Pad):
    """Lines mirrored at their ends."""

    _dims_, _mode_ = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Images mirrored at their edges."""

    _dims_, _mode_ = 2, "reflect"


class ReflectionPad3d(_Pad):
    """Volumes mirrored at their faces."""

    _dims_, _mode_ = 3, "reflect"


class ReplicationPad1d(_Pad):
    """Lines with their ends repeated."""

    _dims_, _mode_ = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Images with their edges repeated."""

    _dims_, _mode_ = 2, "replicate"


class ReplicationPad3d(_Pad):
    """Volumes with their faces repeated."""

    _dims_, _mode_ = 3, "replicate"


class CircularPad1d(_Pad):
    """Lines with what is at the other end."""

    _dims_, _mode_ = 1, "circular"


class CircularPad2d(_Pad):
    """Images with what is at the other edge."""

    _dims_, _mode_ = 2, "circular"


class CircularPad3d(_Pad):
    """Volumes with what is at the other face."""

    _dims_, _mode_ = 3, "circular"
