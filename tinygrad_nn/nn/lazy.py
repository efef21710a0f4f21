"""Layers that take their number of inputs from the first one they see, and are the usual layers from then on."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.dtypes import DTypeLike
from tinygrad_nn.nn.convolution import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from tinygrad_nn.nn.functional.convolution import Padding
from tinygrad_nn.nn.functional.planes import Sizes
from tinygrad_nn.nn.layers import Linear
from tinygrad_nn.nn.module import Module
from tinygrad_nn.nn.normalization import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    _BatchNorm,
    _InstanceNorm,
)
from tinygrad_nn.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from tinygrad_nn.random import fork_rng
from tinygrad_nn.tensor import Tensor


class LazyModuleMixin:
    """What gives a module with uninitialized parameters their shapes at its first call; put it before Module.

    A subclass writes `initialize_parameters`, which sees what forward will see, and may name the class that the module
    is of from then on.

    >>> class Scale(LazyModuleMixin, Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.weight = UninitializedParameter()
    ...     def initialize_parameters(self, input):
    ...         if self.has_uninitialized_params():
    ...             self.weight.materialize(input.shape[-1:])
    ...             self.weight.detach().fill_(2)
    ...     def forward(self, input):
    ...         return input * self.weight
    >>> Scale()(Tensor([1.0, 2.0]))
    tensor([2., 4.], grad_fn=<MulBackward0>)
    """

    cls_to_become: Any = None

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Materialize the parameters; every subclass writes its own."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer has no shape yet."""
        return any(is_lazy(value) for value in (*self._parameters.values(), *self._buffers.values()))  # type: ignore[attr-defined]

    def __call__(self: Any, *inputs: Any, **options: Any) -> Any:
        """What the module gives, once it has its shapes; RuntimeError if it lacks some still."""
        self.initialize_parameters(*inputs, **options)
        if self.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized by initialize_parameters")
        if self.cls_to_become is not None:
            self.__class__ = self.cls_to_become
        return Module.__call__(self, *inputs, **options)

    def _load_from_state_dict(self: Any, state_dict: Any, prefix: str, *rest: Any) -> None:
        for name, own in (*self._parameters.items(), *self._buffers.items()):
            given = state_dict.get(prefix + name)
            if is_lazy(own) and given is not None and not is_lazy(given):
                own.materialize(np.shape(given))
        super()._load_from_state_dict(state_dict, prefix, *rest)  # type: ignore[misc]


class _Lazy(LazyModuleMixin, Module):
    """What waits for the first input: its options, and the class it will be made from."""

    _counted_: ClassVar[str]  # the attribute that holds the number of inputs
    _axis_ = 1

    def _wait_(self, **options: Any) -> None:
        Module.__init__(self)
        with fork_rng():  # the attributes of such a layer, without a draw from the stream
            made = self.cls_to_become(**{self._counted_: options.get("groups", 1)}, **options)
        kept = ("_parameters", "_buffers", "_modules", "_hooks_", "_non_persistent_buffers_set", "training")
        self.__dict__.update({name: value for name, value in vars(made).items() if name not in kept})
        self.__dict__.update({self._counted_: 0, "_options_": options})
        for name, value in made._parameters.items():
            self.register_parameter(name, None if value is None else UninitializedParameter(dtype=value.dtype))
        for name, buffer in made._buffers.items():
            counts = buffer is None or not buffer.ndim
            self.register_buffer(name, buffer if counts else UninitializedBuffer(dtype=buffer.dtype))

    def initialize_parameters(self, input: Tensor, *rest: Any, **options: Any) -> None:
        """Take the number of inputs from the first, and the values that the usual layer starts with, unless some were loaded."""
        self.__dict__[self._counted_] = size = self._size_of_(input)
        made_with = self.__dict__.pop("_options_")
        dtypes = [value.dtype for value in (*self._parameters.values(), *self._buffers.values()) if is_lazy(value)]
        if not dtypes:
            return
        made = self.cls_to_become(**{**made_with, self._counted_: size, "dtype": dtypes[0]})
        with no_grad():
            for own, others in ((self._parameters, made._parameters), (self._buffers, made._buffers)):
                for name, value in others.items():
                    waiting: Any = own[name]
                    if is_lazy(waiting):
                        waiting.materialize(value.shape)
                        waiting.copy_(value)

    def _size_of_(self, input: Tensor) -> int:
        """How many inputs there are."""
        return input.shape[self._axis_]


class LazyLinear(_Lazy, Linear):
    """Linear with `in_features` from the last dimension of the first input."""

    cls_to_become, _counted_, _axis_ = Linear, "in_features", -1

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: DTypeLike | None = None) -> None:
        self._wait_(out_features=out_features, bias=bias, device=device, dtype=dtype)


class _LazyConvolution(_Lazy):
    _counted_ = "in_channels"
    _dims_: int

    def _size_of_(self, input: Tensor) -> int:
        if input.ndim not in (self._dims_ + 1, self._dims_ + 2):
            raise RuntimeError(f"Expected {self._dims_ + 1}D (unbatched) or {self._dims_ + 2}D input, got {list(input.shape)}")
        return input.shape[-self._dims_ - 1]


class _LazyForward(_LazyConvolution):
    def __init__(
        self, out_channels: int, kernel_size: Sizes, stride: Sizes = 1, padding: Padding = 0, dilation: Sizes = 1,
        groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        self._wait_(
            out_channels=out_channels, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation, groups=groups,
            bias=bias, padding_mode=padding_mode, device=device, dtype=dtype,
        )  # fmt: skip


class _LazyBackward(_LazyConvolution):
    def __init__(
        self, out_channels: int, kernel_size: Sizes, stride: Sizes = 1, padding: Sizes = 0, output_padding: Sizes = 0,
        groups: int = 1, bias: bool = True, dilation: Sizes = 1, padding_mode: str = "zeros", device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        self._wait_(
            out_channels=out_channels, kernel_size=kernel_size, stride=stride, padding=padding, output_padding=output_padding,
            groups=groups, bias=bias, dilation=dilation, padding_mode=padding_mode, device=device, dtype=dtype,
        )  # fmt: skip


class LazyConv1d(_LazyForward, Conv1d):
    """Conv1d with `in_channels` from the first input."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyForward, Conv2d):
    """Conv2d with `in_channels` from the first input."""

    cls_to_become = Conv2d


class LazyConvTranspose1d(_LazyBackward, ConvTranspose1d):
    """ConvTranspose1d with `in_channels` from the first input."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyBackward, ConvTranspose2d):
    """ConvTranspose2d with `in_channels` from the first input."""

    cls_to_become = ConvTranspose2d


class _LazyNorm(_Lazy):
    _counted_ = "num_features"

    def __init__(
        self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True, track_running_stats: bool = True,
        device: Any = None, dtype: DTypeLike | None = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        self._wait_(
            eps=eps, momentum=momentum, affine=affine, track_running_stats=track_running_stats, device=device, dtype=dtype,
            bias=bias,
        )  # fmt: skip


class LazyBatchNorm1d(_LazyNorm, _BatchNorm):
    """BatchNorm1d with `num_features` from the first input."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, _BatchNorm):
    """BatchNorm2d with `num_features` from the first input."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, _BatchNorm):
    """BatchNorm3d with `num_features` from the first input."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, _InstanceNorm):
    """InstanceNorm1d with `num_features` from the first input, which has a batch."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, _InstanceNorm):
    """InstanceNorm2d with `num_features` from the first input, which has a batch."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, _InstanceNorm):
    """InstanceNorm3d with `num_features` from the first input, which has a batch."""

    cls_to_become = InstanceNorm3d
