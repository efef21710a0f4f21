"""Convolutions as modules, with PyTorch's initial weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tinygrad_nn.creation import empty
from tinygrad_nn.dtypes import DTypeLike
from tinygrad_nn.nn import functional, init
from tinygrad_nn.nn.functional.convolution import Padding
from tinygrad_nn.nn.functional.planes import Sizes
from tinygrad_nn.nn.module import Module
from tinygrad_nn.nn.parameter import Parameter
from tinygrad_nn.tensor import Tensor

_MODES = ("zeros", "reflect", "replicate", "circular")


def _each(value: Any, dims: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, Sequence) else (value,) * dims


class _ConvNd(Module):
    """The options, weights and description that all convolutions share."""

    _dims_: int
    _transposed_ = False

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Sizes, stride: Sizes, padding: Padding, dilation: Sizes,
        output_padding: Sizes, groups: int, bias: bool, padding_mode: str, device: Any, dtype: DTypeLike | None,
    ) -> None:  # fmt: skip
        super().__init__()
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, got {groups}")
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(f"{name} must be divisible by groups, got {channels} and {groups}")
        if padding_mode not in (_MODES[:1] if self._transposed_ else _MODES):
            raise ValueError(f"padding_mode must be one of {_MODES}, 'zeros' where transposed, but got {padding_mode!r}")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = _each(kernel_size, self._dims_), _each(stride, self._dims_)
        self.padding = padding if isinstance(padding, str) else _each(padding, self._dims_)
        self.dilation, self.output_padding = _each(dilation, self._dims_), _each(output_padding, self._dims_)
        self.groups, self.padding_mode, self.transposed = groups, padding_mode, self._transposed_
        if isinstance(padding, str) and padding not in ("same", "valid"):
            raise ValueError(f"Invalid padding string {padding!r}, should be one of 'same', 'valid'")
        if padding == "same" and any(s != 1 for s in self.stride):
            raise ValueError(f"padding='same' is not supported for strided convolutions, got stride {self.stride}")
        self._reversed_padding_repeated_twice = self._widths_()
        first, second = (in_channels, out_channels) if self._transposed_ else (out_channels, in_channels)
        self.weight = Parameter(empty(first, second // groups, *self.kernel_size, dtype=dtype, device=device))
        if bias:
            self.bias: Parameter | None = Parameter(empty(out_channels, dtype=dtype, device=device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _widths_(self) -> Sequence[int]:
        """The padding in the order of functional.pad: from the last dimension to the first."""
        if not isinstance(self.padding, str):
            return tuple(n for n in reversed(self.padding) for _ in range(2))
        total = [d * (k - 1) if self.padding == "same" else 0 for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        return [width for n in reversed(total) for width in (n // 2, n - n // 2)]

    def reset_parameters(self) -> None:
        """Draw new weights, uniform within 1 / sqrt(inputs of an output)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            inputs = self.weight.shape[1] * math.prod(self.kernel_size)
            bound = 1 / math.sqrt(inputs) if inputs else 0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """The channels, and the options that are not PyTorch's defaults."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        zeros = (0,) * self._dims_
        for name, usual in (("padding", zeros), ("dilation", (1,) * self._dims_), ("output_padding", zeros), ("groups", 1)):
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        text += ", bias=False" if self.bias is None else ""
        return text + (f", padding_mode={self.padding_mode}" if self.padding_mode != "zeros" else "")


class _Forward(_ConvNd):
    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Sizes, stride: Sizes = 1, padding: Padding = 0,
        dilation: Sizes = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias, padding_mode, device, dtype
        )

    def forward(self, input: Tensor) -> Tensor:
        """The convolution."""
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The convolution with other weights: what layers that compute theirs from the trained ones call."""
        convolve = functional.conv1d if self._dims_ == 1 else functional.conv2d
        if self.padding_mode == "zeros":
            return convolve(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)
        around = functional.pad(input, self._reversed_padding_repeated_twice, self.padding_mode)
        return convolve(around, weight, bias, self.stride, 0, self.dilation, self.groups)


class Conv1d(_Forward):
    """Cross-correlation of lines with learned kernels: (N, C, L) or (C, L) -> (N, O, L') or (O, L').

    >>> Conv1d(16, 33, 3, stride=2)
    Conv1d(16, 33, kernel_size=(3,), stride=(2,))
    """

    _dims_ = 1


class Conv2d(_Forward):
    """Cross-correlation of images with learned kernels: (N, C, H, W) or (C, H, W) -> (N, O, H', W') or (O, H', W').

    LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998.

    >>> Conv2d(1, 32, 3, padding=1)
    Conv2d(1, 32, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    """

    _dims_ = 2


class _Backward(_ConvNd):
    _transposed_ = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Sizes, stride: Sizes = 1, padding: Sizes = 0,
        output_padding: Sizes = 0, groups: int = 1, bias: bool = True, dilation: Sizes = 1, padding_mode: str = "zeros",
        device: Any = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias, padding_mode,
            device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """The transposed convolution, of `output_size` if given; ValueError for a size that it cannot have."""
        convolve = functional.conv_transpose1d if self._dims_ == 1 else functional.conv_transpose2d
        extra = self.output_padding if output_size is None else self._extra_(input, tuple(output_size))
        padding: Any = self.padding
        return convolve(input, self.weight, self.bias, self.stride, padding, extra, self.groups, self.dilation)

    def _extra_(self, input: Tensor, wanted: tuple[int, ...]) -> tuple[int, ...]:
        """The output padding that gives the size wanted."""
        if len(wanted) == input.ndim:
            wanted = wanted[-self._dims_ :]
        if len(wanted) != self._dims_:
            raise ValueError(f"output_size must have {self._dims_} or {input.ndim} elements, got {list(wanted)}")
        options: Any = zip(input.shape[-self._dims_ :], self.stride, self.padding, self.dilation, self.kernel_size, strict=True)
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in options]
        extra = tuple(size - n for size, n in zip(wanted, least, strict=True))
        if any(not 0 <= n < s for n, s in zip(extra, self.stride, strict=True)):
            most = [n + s - 1 for n, s in zip(least, self.stride, strict=True)]
            raise ValueError(f"requested an output size of {list(wanted)}, but valid sizes range from {least} to {most}")
        return extra


class ConvTranspose1d(_Backward):
    """The adjoint of Conv1d, which makes lines longer: (N, C, L) or (C, L) -> (N, O, L') or (O, L')."""

    _dims_ = 1


class ConvTranspose2d(_Backward):
    """The adjoint of Conv2d, which makes images larger: (N, C, H, W) or (C, H, W) -> (N, O, H', W') or (O, H', W')."""

    _dims_ = 2


class Unfold(Module):
    """What a window covers at each position, as columns: (N, C, H, W) or (C, H, W) -> (N, C * R * S, L) or (C * R * S, L)."""

    def __init__(self, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        """The columns."""
        return functional.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """The window."""
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """The adjoint of Unfold: columns (N, C * R * S, L) or (C * R * S, L) added up -> (N, C, H, W) or (C, H, W)."""

    def __init__(
        self, output_size: Sizes, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size = output_size, kernel_size
        self.dilation, self.padding, self.stride = dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        """The planes."""
        return functional.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """The output's size and the window."""
        window = f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        return f"output_size={self.output_size}, {window}"
