"""Layers of volumes that have a name and no more: programs ask whether a layer is one of them."""

from __future__ import annotations

from typing import Any

from tinygrad_nn.nn.module import Module


class _OfVolumes(Module):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__}: expected 1 or 2 dimensions of space; 3 are not implemented")


class Conv3d(_OfVolumes):
    """NotImplementedError: convolutions are of lines and planes."""


class ConvTranspose3d(_OfVolumes):
    """NotImplementedError: convolutions are of lines and planes."""


class MaxPool3d(_OfVolumes):
    """NotImplementedError: pooling is of lines and planes."""


class AvgPool3d(_OfVolumes):
    """NotImplementedError: pooling is of lines and planes."""


class AdaptiveMaxPool3d(_OfVolumes):
    """NotImplementedError: pooling is of lines and planes."""


class AdaptiveAvgPool3d(_OfVolumes):
    """NotImplementedError: pooling is of lines and planes."""
