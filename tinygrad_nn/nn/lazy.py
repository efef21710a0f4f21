"""Layers that take their number of inputs from the first one they see, and are the usual layers from then on."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from tinygrad_nn.dtypes import DTypeLike
from tinygrad_nn.nn.convolution import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from tinygrad_nn.nn.functional.convolution import Padding
from tinygrad_nn.nn.functional.planes import Sizes
from tinygrad_nn.nn.layers import Linear
from tinygrad_nn.nn.module import Module
from tinygrad_nn.nn.normalization import BatchNorm1d, BatchNorm2d, InstanceNorm1d, InstanceNorm2d
from tinygrad_nn.nn.parameter import UninitializedBuffer, UninitializedParameter
from tinygrad_nn.random import fork_rng
from tinygrad_nn.tensor import Tensor


class _Lazy(Module):
    """What waits for the first input: its options, and the class it will be made from."""

    _plain: ClassVar[Any]
    _counted: ClassVar[str]  # the attribute that holds the number of inputs
    _axis = 1

    def _wait(self, **options: Any) -> None:
        Module.__init__(self)
        object.__setattr__(self, "_options", options)
        with fork_rng():  # the attributes of such a layer, without a draw from the stream
            made = self._plain(**{self._counted: options.get("groups", 1)}, **options)
        self._take(made)
        object.__setattr__(self, self._counted, 0)
        for name, value in made._parameters.items():
            self.register_parameter(name, None if value is None else UninitializedParameter(dtype=value.dtype))
        for name, buffer in made._buffers.items():
            counts = buffer is None or not buffer.ndim
            self.register_buffer(name, buffer if counts else UninitializedBuffer(dtype=buffer.dtype))

    def _take(self, made: Module) -> None:
        kept = ("_parameters", "_buffers", "_modules", "_hooks", "_non_persistent_buffers_set", "training")
        self.__dict__.update({name: value for name, value in vars(made).items() if name not in kept})

    def _become(self, size: int) -> None:
        made = self._plain(**{self._counted: size}, **self.__dict__.pop("_options"))
        for name, value in made._parameters.items():
            waiting = self._parameters[name]
            if isinstance(waiting, UninitializedParameter):
                waiting.become(value)
        for name, buffer in made._buffers.items():
            shapeless = self._buffers[name]
            if buffer is not None and shapeless is not None and buffer.ndim:
                self.register_buffer(name, buffer.to(shapeless.dtype))
        self._take(made)
        self.__class__ = self._plain

    def _size_of(self, input: Tensor) -> int:
        """How many inputs there are."""
        return input.shape[self._axis]

    def forward(self, input: Tensor, *rest: Any) -> Tensor:
        """Take the size from the input, and be the usual layer."""
        self._become(self._size_of(input))
        output: Tensor = self.forward(input, *rest)
        return output

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        weight = state_dict.get(f"{prefix}weight", state_dict.get(f"{prefix}running_mean"))
        if weight is None:
            super()._load_from_state_dict(state_dict, prefix, *rest)
        else:
            self._become(self._size_in(weight))
            self._load_from_state_dict(state_dict, prefix, *rest)

    def _size_in(self, weight: Any) -> int:
        """How many inputs a weight is for."""
        size: int = np.shape(weight)[0]
        return size


class LazyLinear(_Lazy, Linear):
    """Linear with `in_features` from the last dimension of the first input."""

    _plain, _counted, _axis = Linear, "in_features", -1

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: DTypeLike | None = None) -> None:
        self._wait(out_features=out_features, bias=bias, device=device, dtype=dtype)

    def _size_in(self, weight: Any) -> int:
        size: int = np.shape(weight)[1]
        return size


class _LazyConvolution(_Lazy):
    _counted = "in_channels"
    _dims: int

    def _size_of(self, input: Tensor) -> int:
        if input.ndim not in (self._dims + 1, self._dims + 2):
            raise RuntimeError(f"Expected {self._dims + 1}D (unbatched) or {self._dims + 2}D input, got {list(input.shape)}")
        return input.shape[-self._dims - 1]


class _LazyForward(_LazyConvolution):
    def __init__(
        self, out_channels: int, kernel_size: Sizes, stride: Sizes = 1, padding: Padding = 0, dilation: Sizes = 1,
        groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        self._wait(
            out_channels=out_channels, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, groups=groups,
            bias=bias, padding_mode=padding_mode, device=device, dtype=dtype,
        )  # fmt: skip

    def _size_in(self, weight: Any) -> int:
        size: int = np.shape(weight)[1] * self.__dict__["groups"]
        return size


class _LazyBackward(_LazyConvolution):
    def __init__(
        self, out_channels: int, kernel_size: Sizes, stride: Sizes = 1, padding: Sizes = 0, output_padding: Sizes = 0,
        groups: int = 1, bias: bool = True, dilation: Sizes = 1, padding_mode: str = "zeros", device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        self._wait(
            out_channels=out_channels, kernel_size=kernel_size, stride=stride, padding=padding, output_padding=output_padding,
            groups=groups, bias=bias, dilation=dilation, padding_mode=padding_mode, device=device, dtype=dtype,
        )  # fmt: skip


class LazyConv1d(_LazyForward, Conv1d):
    """Conv1d with `in_channels` from the first input."""

    _plain = Conv1d


class LazyConv2d(_LazyForward, Conv2d):
    """Conv2d with `in_channels` from the first input."""

    _plain = Conv2d


class LazyConvTranspose1d(_LazyBackward, ConvTranspose1d):
    """ConvTranspose1d with `in_channels` from the first input."""

    _plain = ConvTranspose1d


class LazyConvTranspose2d(_LazyBackward, ConvTranspose2d):
    """ConvTranspose2d with `in_channels` from the first input."""

    _plain = ConvTranspose2d


class _LazyNorm(_Lazy):
    _counted = "num_features"

    def __init__(
        self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True, track_running_stats: bool = True,
        device: Any = None, dtype: DTypeLike | None = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        self._wait(
            eps=eps, momentum=momentum, affine=affine, track_running_stats=track_running_stats, device=device, dtype=dtype,
            bias=bias,
        )  # fmt: skip


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """BatchNorm1d with `num_features` from the first input."""

    _plain = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """BatchNorm2d with `num_features` from the first input."""

    _plain = BatchNorm2d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """InstanceNorm1d with `num_features` from the first input, which has a batch."""

    _plain = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """InstanceNorm2d with `num_features` from the first input, which has a batch."""

    _plain = InstanceNorm2d
