"""Normalization as modules."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_nn.creation import empty, ones, zeros
from tinygrad_nn.dtypes import DTypeLike
from tinygrad_nn.methods.dims import many
from tinygrad_nn.nn import functional, init
from tinygrad_nn.nn.module import Module
from tinygrad_nn.nn.parameter import Parameter
from tinygrad_nn.tensor import Tensor


class _Scaled(Module):
    """A weight that starts at one and a bias that starts at zero, or None for them."""

    weight: Parameter | None
    bias: Parameter | None

    def _scale_(self, shape: Sequence[int], weight: bool, bias: bool, device: Any, dtype: DTypeLike | None) -> None:
        for name, wanted in (("weight", weight), ("bias", bias)):
            self.register_parameter(name, Parameter(empty(*shape, dtype=dtype, device=device)) if wanted else None)

    def reset_parameters(self) -> None:
        """Set the weight to one and the bias to zero."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self._parameters.get("bias") is not None:
            init.zeros_(self._parameters["bias"])


class _NormBase(_Scaled):
    """What batch and instance normalization share: a scale for each channel, and running statistics."""

    _version = 2  # 1 had no num_batches_tracked
    _dims_: tuple[int, ...]  # how many dimensions the input may have
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device: Any = None, dtype: DTypeLike | None = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._scale_((num_features,), affine, affine and bias, device, dtype)
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, dtype=dtype, device=device) if tracked else None)
        self.register_buffer("running_var", ones(num_features, dtype=dtype, device=device) if tracked else None)
        self.register_buffer("num_batches_tracked", zeros((), dtype=np.int64, device=device) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the batches seen."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Set the weight to one and the bias to zero, and forget the batches seen."""
        self.reset_running_stats()
        super().reset_parameters()

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any) -> None:
        """States of version 1, and those that do not say theirs, may lack the number of batches."""
        batches = self._buffers.get("num_batches_tracked")
        if local_metadata.get("version", 1) < 2 and batches is not None:
            state_dict.setdefault(f"{prefix}num_batches_tracked", batches)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in self._dims_:
            expected = " or ".join(f"{n}D" for n in self._dims_)
            raise ValueError(f"expected {expected} input (got {input.ndim}D input)")

    def extra_repr(self) -> str:
        """The number of channels and the options."""
        options = f"eps={self.eps}, momentum={self.momentum}, affine={self.affine}, bias={self.bias is not None}"
        return f"{self.num_features}, {options}, track_running_stats={self.track_running_stats}"


class _BatchNorm(_NormBase):
    def forward(self, input: Tensor) -> Tensor:
        """The input normalized by its own statistics while training, by the running ones, if there are any, afterwards."""
        self._check_input_dim(input)
        momentum = self.momentum or 0.0
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the mean over all batches
                momentum = 1.0 / float(self.num_batches_tracked)
        own = self.training or (self.running_mean is None and self.running_var is None)
        given = not self.training or self.track_running_stats
        mean, variance = (self.running_mean, self.running_var) if given else (None, None)
        return functional.batch_norm(input, mean, variance, self.weight, self.bias, own, momentum, self.eps)


class BatchNorm1d(_BatchNorm):
    """Each channel of (N, C) or (N, C, L) at mean 0 and variance 1 over the batch: Ioffe & Szegedy 2015."""

    _dims_ = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Each channel of (N, C, H, W) at mean 0 and variance 1 over the batch: Ioffe & Szegedy 2015.

    >>> BatchNorm2d(64)
    BatchNorm2d(64, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
    """

    _dims_ = (4,)


class BatchNorm3d(_BatchNorm):
    """Each channel of (N, C, D, H, W) at mean 0 and variance 1 over the batch: Ioffe & Szegedy 2015."""

    _dims_ = (5,)


class SyncBatchNorm(_BatchNorm):
    """Batch normalization over the batches of all processes; there is one, so of (N, C, ...) as it is."""

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, process_group: Any = None, device: Any = None, dtype: DTypeLike | None = None, *,
        bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim < 2:
            raise ValueError(f"expected at least 2D input (got {input.ndim}D input)")
        if not input.shape[1]:
            raise ValueError("SyncBatchNorm number of input channels should be non-zero")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """The module with each batch norm in it replaced by one of these, which has the same parameters and buffers."""
        converted = module
        if isinstance(module, _BatchNorm):
            converted = SyncBatchNorm(
                module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats, process_group,
                bias=module.bias is not None,
            )  # fmt: skip
            converted._parameters.update(module._parameters)
            converted._buffers.update(module._buffers)
            converted.training = module.training
        for name, child in module.named_children():
            converted.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return converted


class _InstanceNorm(_NormBase):
    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Any = None, dtype: DTypeLike | None = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """Each image normalized by its own statistics, or after training by the running ones, if they are tracked."""
        self._check_input_dim(input)
        unbatched = input.ndim == self._dims_[0]
        channels = input.shape[0 if unbatched else 1]
        if channels != self.num_features:
            if self.affine:
                raise ValueError(f"expected input with {self.num_features} channels, but got {list(input.shape)}")
            warnings.warn(
                f"input with {channels} channels does not match num_features {self.num_features}, which is not used because "
                "affine=False",
                stacklevel=2,
            )
        own = self.training or not self.track_running_stats
        given = self.running_mean, self.running_var, self.weight, self.bias
        y = functional.instance_norm(input.unsqueeze(0) if unbatched else input, *given, own, self.momentum or 0.0, self.eps)
        return y.squeeze(0) if unbatched else y


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each line in (N, C, L) or (C, L) at mean 0 and variance 1: Ulyanov, Vedaldi & Lempitsky 2016."""

    _dims_ = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each image in (N, C, H, W) or (C, H, W) at mean 0 and variance 1: Ulyanov, Vedaldi & Lempitsky 2016."""

    _dims_ = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Each channel of each volume in (N, C, D, H, W) or (C, D, H, W) at mean 0 and variance 1: Ulyanov et al. 2016."""

    _dims_ = (4, 5)


class LayerNorm(_Scaled):
    """The last dimensions, of `normalized_shape`, at mean 0 and variance 1: Ba, Kiros & Hinton 2016."""

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True,
        device: Any = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = many(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._scale_(self.normalized_shape, elementwise_affine, elementwise_affine and bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        """The input normalized, scaled and shifted."""
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The shape and the options."""
        options = f"eps={self.eps}, elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        return f"{self.normalized_shape}, {options}"


class RMSNorm(_Scaled):
    """The last dimensions, of `normalized_shape`, divided by their root mean square: Zhang & Sennrich 2019."""

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None, elementwise_affine: bool = True,
        device: Any = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = many(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        weight = Parameter(empty(*self.normalized_shape, dtype=dtype, device=device)) if elementwise_affine else None
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        """The input normalized and scaled."""
        return functional.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The shape and the options."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(_Scaled):
    """Each of `num_groups` groups of the channels of (N, C, ...) at mean 0 and variance 1: Wu & He 2018."""

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, device: Any = None,
        dtype: DTypeLike | None = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels must be divisible by num_groups, got {num_channels} and {num_groups}")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self._scale_((num_channels,), affine, affine and bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        """The input normalized, scaled and shifted."""
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The groups, the channels and the options."""
        options = f"eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"
        return f"{self.num_groups}, {self.num_channels}, {options}"


class LocalResponseNorm(Module):
    """Channels divided by the size of their neighbours: Krizhevsky, Sutskever & Hinton 2012."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        """The input (N, C, ...) divided."""
        return functional.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """The options."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
