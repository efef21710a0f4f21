"""Dropout as modules."""

from __future__ import annotations

from tinygrad_nn.nn import functional
from tinygrad_nn.nn.module import Module
from tinygrad_nn.tensor import Tensor


class _DropoutNd(Module):
    """What all kinds of dropout share: the probability."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p, self.inplace = p, inplace

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """Zeroes each element with probability `p` while training, and scales the rest by 1 / (1 - p)."""

    def forward(self, input: Tensor) -> Tensor:
        """The input with elements dropped."""
        return functional.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """Zeroes whole channels of (N, C, L) or (C, L) with probability `p` while training."""

    def forward(self, input: Tensor) -> Tensor:
        """The input with channels dropped."""
        return functional.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """Zeroes whole channels of (N, C, H, W) with probability `p` while training."""

    def forward(self, input: Tensor) -> Tensor:
        """The input with channels dropped."""
        return functional.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """Zeroes whole channels of (N, C, D, H, W) or (C, D, H, W) with probability `p` while training."""

    def forward(self, input: Tensor) -> Tensor:
        """The input with channels dropped."""
        return functional.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Sets elements to SELU's lowest value with probability `p` while training, keeping mean 0 and variance 1."""

    def forward(self, input: Tensor) -> Tensor:
        """The input with elements dropped, scaled and shifted."""
        return functional.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """Alpha dropout of whole channels of (N, C, ...)."""

    def forward(self, input: Tensor) -> Tensor:
        """The input with channels dropped, scaled and shifted."""
        return functional.feature_alpha_dropout(input, self.p, self.training)
