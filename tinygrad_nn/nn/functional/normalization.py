"""Normalization: values brought to mean 0 and variance 1, over the batch, the channels or the features."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.nn.functional.checks import expect_floating
from tinygrad_nn.nn.functional.pooling import avg_pool2d
from tinygrad_nn.op_node import named
from tinygrad_nn.ops import normalization as ops
from tinygrad_nn.ops import shape as shape_ops
from tinygrad_nn.tensor import Tensor


def batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
    bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Each channel of (N, C, ...) brought to mean 0 and variance 1 over the batch, then times `weight` (C,) plus `bias` (C,).

    In training the running statistics move towards the batch's by `momentum`; otherwise they take its place.
    Ioffe & Szegedy, Batch Normalization, 2015. ValueError for a batch of one value, RuntimeError for shapes and dtypes that
    do not fit: all have one dtype, or all but a float16 input float32.
    """
    if training and input.ndim > 1 and math.prod(input.shape[:1]) * math.prod(input.shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {list(input.shape)}")
    y = _normalized("batch_norm", input, running_mean, running_var, weight, bias, training, momentum, eps, False)
    return named(y, "NativeBatchNormBackward0", input, weight, bias)


def instance_norm(
    input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None, weight: Tensor | None = None,
    bias: Tensor | None = None, use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """Each channel of each image in (N, C, ...) brought to mean 0 and variance 1, then times `weight` (C,) plus `bias` (C,).

    Ulyanov, Vedaldi & Lempitsky, Instance Normalization, 2016. ValueError for planes of one value, RuntimeError for
    shapes and dtypes that do not fit.
    """
    if use_input_stats and math.prod(input.shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {list(input.shape)}")
    return _normalized("instance_norm", input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps, True)


def _normalized(
    name: str, input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None,
    bias: Tensor | None, from_input: bool, momentum: float, eps: float, each: bool,
) -> Tensor:  # fmt: skip
    """Channels normalized by statistics of the input, of the whole batch or of `each` image, or by those given."""
    expect_floating(name, input)
    if tuple(input.shape) == (0,):  # no images of no channels
        return input.clone()
    if input.ndim < 2:
        raise RuntimeError(f"{name}: expected input (N, C, ...), got {list(input.shape)}")
    channels = input.shape[1]
    given = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for what, tensor in given.items():
        if tensor is not None and tuple(tensor.shape) != (channels,):
            raise RuntimeError(f"{name}: {what} should contain {channels} elements, got shape {list(tensor.shape)}")
    _expect_dtype(name, input, running_mean, running_var, weight, bias)
    along = (1, channels) + (1,) * (input.ndim - 2)
    if from_input:
        axes = tuple(range(2, input.ndim)) if each else (0, *range(2, input.ndim))
        y = ops.standardize(input, axes=axes, eps=eps)
        if input.numel() and (running_mean is not None or running_var is not None):
            _follow(running_mean, running_var, input, axes, momentum)
    elif not each and not input.numel():
        y = input.clone()
    elif running_mean is None or running_var is None:
        raise RuntimeError(f"{name}: expected running_mean and running_var to be defined when statistics are not the input's")
    else:
        scale = (running_var + eps).rsqrt()
        y = ((input.contiguous() - running_mean.reshape(along)) * scale.reshape(along)).to(input.dtype)
    return _scaled(y, weight, bias, along)


def _expect_dtype(name: str, input: Tensor, *others: Tensor | None) -> None:
    """RuntimeError unless all others have the input's dtype, or all of them float32 where it is float16."""
    found = {other._data.dtype for other in others if other is not None}
    own = input._data.dtype
    if found - {own} and (own != np.float16 or found != {np.dtype(np.float32)}):
        kinds = ", ".join(sorted(map(str, found)))
        raise RuntimeError(f"{name}: expected weights and statistics of the input's dtype {own}, got {kinds}")


@no_grad()
def _follow(mean: Tensor | None, variance: Tensor | None, input: Tensor, axes: tuple[int, ...], momentum: float) -> None:
    """Move running statistics towards those of the input; the variance's is the unbiased one."""
    values = input.detach().to(np.promote_types(input.dtype.numpy, np.float32))
    for running, moment in ((mean, values.mean(axes)), (variance, values.var(axes))):
        if running is not None:
            found = moment.mean(0) if moment.ndim == 2 else moment  # of instances: the mean over the batch
            running.copy_(running * (1 - momentum) + found * momentum)


def _scaled(y: Tensor, weight: Tensor | None, bias: Tensor | None, along: tuple[int, ...]) -> Tensor:
    """y times weight plus bias, each laid along some dimensions, in the dtype of y."""
    result = y if weight is None else y * weight.reshape(along)
    result = result if bias is None else result + bias.reshape(along)
    return result.to(y.dtype)


def layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """The last dimensions, of `normalized_shape`, brought to mean 0 and variance 1, then times `weight` plus `bias` of that shape.

    Ba, Kiros & Hinton, Layer Normalization, 2016. RuntimeError where shapes or dtypes do not fit.
    """
    axes = _last("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    expect_floating("layer_norm", input)
    _expect_dtype("layer_norm", input, weight, bias)
    y = _scaled(ops.standardize(input, axes=axes, eps=eps), weight, bias, tuple(normalized_shape))
    return named(y, "NativeLayerNormBackward0", input, weight, bias)


def rms_norm(input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """The last dimensions, of `normalized_shape`, divided by their root mean square, then times `weight` of that shape.

    `eps`, by default the dtype's precision, is added to the mean. Zhang & Sennrich, Root Mean Square Layer
    Normalization, 2019. RuntimeError where shapes do not fit.
    """
    axes = _last("rms_norm", input, normalized_shape, weight=weight)
    expect_floating("rms_norm", input)
    wide = input.to(np.float32) if input.dtype.name == "float16" else input
    tiny = float(np.finfo(wide.dtype.numpy).eps) if eps is None else eps
    y = wide.contiguous() * ((wide * wide).mean(axes, keepdim=True) + tiny).rsqrt()
    return _scaled(y, weight, None, tuple(normalized_shape)).to(input.dtype)


def _last(name: str, input: Tensor, shape: Sequence[int], **others: Tensor | None) -> tuple[int, ...]:
    """The axes that `shape` names, the last ones."""
    wanted = tuple(shape)
    if not wanted:
        raise RuntimeError(f"{name}: expected normalized_shape to be at least 1-dimensional, got {list(wanted)}")
    for what, tensor in others.items():
        if tensor is not None and tuple(tensor.shape) != wanted:
            raise RuntimeError(f"{name}: expected {what} to be of normalized_shape {list(wanted)}, got {list(tensor.shape)}")
    if tuple(input.shape[-len(wanted) :]) != wanted:
        raise RuntimeError(f"{name}: given normalized_shape={list(wanted)}, expected input (*, {wanted}), got {list(input.shape)}")
    return tuple(range(input.ndim - len(wanted), input.ndim))


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Each group of channels of (N, C, ...) brought to mean 0 and variance 1, then times `weight` (C,) plus `bias` (C,).

    Wu & He, Group Normalization, 2018. RuntimeError where shapes or dtypes do not fit, ValueError for groups of one value.
    """
    if input.ndim < 2:
        raise RuntimeError(f"group_norm: expected at least 2 dimensions for input tensor but received {input.ndim}")
    n, channels = input.shape[:2]
    if num_groups < 1 or channels % num_groups:
        raise RuntimeError(f"group_norm: expected channels divisible by num_groups, got {channels} and {num_groups}")
    if n * (channels // num_groups) * math.prod(input.shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {list(input.shape)}")
    expect_floating("group_norm", input)
    for what, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and tuple(tensor.shape) != (channels,):
            raise RuntimeError(f"group_norm: expected {what} of shape [{channels}], got {list(tensor.shape)}")
    _expect_dtype("group_norm", input, weight, bias)
    y = ops.standardize(input.reshape(n, num_groups, input[:1].numel() // num_groups), axes=(2,), eps=eps)
    y = _scaled(y.reshape(input.shape), weight, bias, (1, channels) + (1,) * (input.ndim - 2))
    return named(y, "NativeGroupNormBackward0", input, weight, bias)


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """(N, C, ...) divided by (k + alpha * mean of the squares of `size` neighbouring channels)**beta.

    Krizhevsky, Sutskever & Hinton, ImageNet Classification, 2012. ValueError for fewer than 3 dimensions.
    """
    if input.ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)")
    if not input.numel():
        return input
    n, channels = input.shape[:2]
    squares = (input * input).reshape(n, 1, channels, -1)
    around = shape_ops.pad(squares, widths=((0, 0), (0, 0), (size // 2, (size - 1) // 2), (0, 0)), value=0)
    mean = avg_pool2d(around, (size, 1), stride=1).reshape(input.shape)
    return input / (mean * alpha + k).pow(beta)
