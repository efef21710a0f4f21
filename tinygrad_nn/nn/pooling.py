"""Pooling as modules."""

from __future__ import annotations

from typing import Any

from tinygrad_nn.nn import functional
from tinygrad_nn.nn.functional.planes import Sizes
from tinygrad_nn.nn.module import Module
from tinygrad_nn.nn.tuples import _pair
from tinygrad_nn.tensor import Tensor


def _each(value: Any, dims: int) -> Any:
    return (value,) * dims if hasattr(value, "__index__") else tuple(value)


class _MaxPool(Module):
    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.return_indices, self.ceil_mode = padding, dilation, return_indices, ceil_mode

    def _options_(self) -> tuple[Any, ...]:
        return self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices

    def extra_repr(self) -> str:
        """The window."""
        window = f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}"
        return f"{window}, ceil_mode={self.ceil_mode}"


class MaxPool1d(_MaxPool):
    """The largest element under each window: (N, C, L) or (C, L) -> (N, C, L') or (C, L')."""

    def forward(self, input: Tensor) -> Any:
        """The largest elements, and their indices if asked for."""
        return functional.max_pool1d(input, *self._options_())


class MaxPool2d(_MaxPool):
    """The largest element under each window: (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W').

    >>> MaxPool2d(2)
    MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
    """

    def forward(self, input: Tensor) -> Any:
        """The largest elements, and their indices if asked for."""
        return functional.max_pool2d(input, *self._options_())


class _MaxUnpool(Module):
    _dims_: int

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        self.kernel_size, self.padding = _each(kernel_size, self._dims_), _each(padding, self._dims_)
        self.stride = self.kernel_size if stride is None else _each(stride, self._dims_)

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        """Zeros with the values at their indices."""
        unpool = functional.max_unpool1d if self._dims_ == 1 else functional.max_unpool2d
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, output_size)

    def extra_repr(self) -> str:
        """The window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """MaxPool1d undone, with zeros for what it dropped: (N, C, L) or (C, L) -> (N, C, L') or (C, L')."""

    _dims_ = 1


class MaxUnpool2d(_MaxUnpool):
    """MaxPool2d undone, with zeros for what it dropped: (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W')."""

    _dims_ = 2


class AvgPool1d(Module):
    """The mean under each window: (N, C, L) or (C, L) -> (N, C, L') or (C, L')."""

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size, self.padding = _each(kernel_size, 1), _each(padding, 1)
        self.stride = self.kernel_size if stride is None else _each(stride, 1)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        options = self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        return functional.avg_pool1d(input, *options)

    def extra_repr(self) -> str:
        """The window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """The mean under each window: (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W')."""

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, kernel_size if stride is None else stride, padding
        self.ceil_mode, self.count_include_pad, self.divisor_override = ceil_mode, count_include_pad, divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        options = self.ceil_mode, self.count_include_pad, self.divisor_override
        return functional.avg_pool2d(input, self.kernel_size, self.stride, self.padding, *options)

    def extra_repr(self) -> str:
        """The window."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _LPPool(Module):
    def __init__(self, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode

    def extra_repr(self) -> str:
        """The order and the window."""
        window = f"kernel_size={self.kernel_size}, stride={self.stride}, ceil_mode={self.ceil_mode}"
        return f"norm_type={self.norm_type}, {window}"


class LPPool1d(_LPPool):
    """(sum of x**norm_type under each window)**(1 / norm_type): (N, C, L) or (C, L) -> (N, C, L') or (C, L')."""

    def forward(self, input: Tensor) -> Tensor:
        """The norms."""
        return functional.lp_pool1d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(_LPPool):
    """(sum of x**norm_type under each window)**(1 / norm_type): (N, C, H, W) or (C, H, W) -> (N, C, H', W')."""

    def forward(self, input: Tensor) -> Tensor:
        """The norms."""
        return functional.lp_pool2d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class _Adaptive(Module):
    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        """The output's size."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_Adaptive):
    """The means of `output_size` parts of each line: (N, C, L) or (C, L) -> (N, C, L') or (C, L')."""

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        return functional.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_Adaptive):
    """The means of H' by W' parts of each plane: (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W')."""

    def forward(self, input: Tensor) -> Tensor:
        """The means."""
        return functional.adaptive_avg_pool2d(input, self.output_size)


class _AdaptiveMax(_Adaptive):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(_AdaptiveMax):
    """The largest elements of `output_size` parts of each line: (N, C, L) or (C, L) -> (N, C, L') or (C, L')."""

    def forward(self, input: Tensor) -> Any:
        """The largest elements, and their indices if asked for."""
        return functional.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMax):
    """The largest elements of H' by W' parts of each plane: (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W')."""

    def forward(self, input: Tensor) -> Any:
        """The largest elements, and their indices if asked for."""
        return functional.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class FractionalMaxPool2d(Module):
    """The largest elements under windows at drawn places: (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W').

    Graham, Fractional Max-Pooling, 2014. ValueError unless one of size and ratio is given, and for ratios outside (0, 1).
    """

    _random_samples: Tensor | None

    def __init__(
        self, kernel_size: Sizes, output_size: Sizes | None = None, output_ratio: Any = None, return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if (output_size is None) == (output_ratio is None):
            raise ValueError("FractionalMaxPool2d: expected one of output_size and output_ratio")
        self.kernel_size, self.return_indices = _pair(kernel_size), return_indices
        self.output_size = None if output_size is None else _pair(output_size)
        self.output_ratio = None if output_ratio is None else _pair(output_ratio)
        self.register_buffer("_random_samples", _random_samples)
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Tensor) -> Any:
        """The largest elements, and their indices if asked for."""
        sizes = self.output_size, self.output_ratio
        return functional.fractional_max_pool2d(
            input, self.kernel_size, *sizes, self.return_indices, _random_samples=self._random_samples
        )
