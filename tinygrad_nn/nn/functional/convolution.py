"""Convolutions, and the windows they look through."""

from __future__ import annotations

from typing import Any, Literal, NoReturn, TypeAlias

from tinygrad_nn.nn.functional.checks import expect_same_dtype
from tinygrad_nn.nn.functional.padding import pad
from tinygrad_nn.nn.functional.planes import Sizes, as_planes, expect_planes, like_given, pair, sizes_of
from tinygrad_nn.ops import window as ops
from tinygrad_nn.ops.window import Window
from tinygrad_nn.tensor import Tensor

Padding: TypeAlias = Sizes | Literal["same", "valid"]


def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: Padding = 0, dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """(N, C, L) or (C, L) with `weight` (O, C / groups, K) and `bias` (O,) -> (N, O, L') or (O, L').

    `padding` is a number of zeros at both ends, 'valid' for none, or 'same' for L' = L.
    RuntimeError where shapes, dtypes or options do not fit.
    """
    return _convolution("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: Padding = 0, dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """(N, C, H, W) or (C, H, W) with `weight` (O, C / groups, R, S) and `bias` (O,) -> (N, O, H', W') or (O, H', W').

    `padding` is a number of zeros on every side, 'valid' for none, or 'same' for H', W' = H, W.
    RuntimeError where shapes, dtypes or options do not fit.
    """
    return _convolution("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(*arguments: Any, **options: Any) -> NoReturn:
    """NotImplementedError: convolutions are of lines and planes."""
    raise NotImplementedError("conv3d: expected 1 or 2 dimensions of space; 3 are not implemented")


def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: Sizes = 0,
    output_padding: Sizes = 0, groups: int = 1, dilation: Sizes = 1,
) -> Tensor:  # fmt: skip
    """The adjoint of conv1d by its input: (N, C, L) or (C, L), `weight` (C, O / groups, K), `bias` (O,) -> (N, O, L') or (O, L').

    `output_padding` is added to L' at the end. RuntimeError where shapes, dtypes or options do not fit.
    """
    return _transposed("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Sizes = 1, padding: Sizes = 0,
    output_padding: Sizes = 0, groups: int = 1, dilation: Sizes = 1,
) -> Tensor:  # fmt: skip
    """The adjoint of conv2d by its input: (N, C, H, W), `weight` (C, O / groups, R, S), `bias` (O,) -> (N, O, H', W').

    The batch may be missing; `output_padding` is added to H' and W' at the end. Zeiler et al., Deconvolutional
    Networks, 2010. RuntimeError where shapes, dtypes or options do not fit.
    """
    return _transposed("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(*arguments: Any, **options: Any) -> NoReturn:
    """NotImplementedError: convolutions are of lines and planes."""
    raise NotImplementedError("conv_transpose3d: expected 1 or 2 dimensions of space; 3 are not implemented")


def _convolution(
    name: str, dims: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, dilation: Any, groups: int
) -> Tensor:
    outputs = weight.shape[0] if weight.ndim else 0
    _check(name, dims, input, weight, bias, groups, weight.shape[1] * groups if weight.ndim > 1 else 0, outputs)
    if input.dtype.name == "float16":  # summed in single precision, as in PyTorch
        wide = input.float(), weight.float(), None if bias is None else bias.float()
        return _convolution(name, dims, *wide, stride, padding, dilation, groups).half()
    strides, dilations = sizes_of(stride, dims, "stride"), sizes_of(dilation, dims, "dilation")
    kernel = tuple(weight.shape[2:])
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise RuntimeError(f"{name}: invalid padding string, expected 'same' or 'valid', got {padding!r}")
        if padding == "same" and any(s != 1 for s in strides):
            raise RuntimeError(f"padding='same' is not supported for strided convolutions, got stride {list(strides)}")
        total = tuple(d * (k - 1) if padding == "same" else 0 for d, k in zip(dilations, kernel, strict=True))
        padding = tuple(n // 2 for n in total)
        if any(n % 2 for n in total):  # the odd one goes to the far side
            input = pad(input, [v for n in reversed(total) for v in (0, n % 2)])
    paddings = sizes_of(padding, dims, "padding")
    window = _window(name, kernel, strides, paddings, dilations)
    planes = as_planes(input, dims)
    if min(window.counts(tuple(planes.shape[2:]))) < 1:
        raise RuntimeError(
            f"{name}: kernel size {list(kernel)} with dilation {list(dilations)} can't be greater than actual input size "
            f"{list(input.shape[-dims:])} with padding {list(paddings)}"
        )
    return like_given(ops.convolution(planes, as_kernel(weight), bias, window=window, groups=groups), input, dims)


def _transposed(
    name: str, dims: int, input: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, output_padding: Any,
    groups: int, dilation: Any,
) -> Tensor:  # fmt: skip
    outputs = weight.shape[1] * groups if weight.ndim > 1 else 0
    _check(name, dims, input, weight, bias, groups, weight.shape[0] if weight.ndim else 0, outputs)
    if input.dtype.name == "float16":
        wide = input.float(), weight.float(), None if bias is None else bias.float()
        return _transposed(name, dims, *wide, stride, padding, output_padding, groups, dilation).half()
    strides, dilations = sizes_of(stride, dims, "stride"), sizes_of(dilation, dims, "dilation")
    paddings, extras = sizes_of(padding, dims, "padding"), sizes_of(output_padding, dims, "output_padding")
    kernel = tuple(weight.shape[2:])
    window = _window(name, kernel, strides, paddings, dilations)
    if any(extra < 0 or extra >= max(s, d) for extra, s, d in zip(extras, strides, dilations, strict=True)):
        raise RuntimeError(f"output padding must be smaller than either stride or dilation, but got {list(extras)}")
    plane = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + extra + 1
        for n, s, p, d, k, extra in zip(input.shape[-dims:], strides, paddings, dilations, kernel, extras, strict=True)
    )
    if min(plane) < 1:
        raise RuntimeError(f"{name}: the output of an input of size {list(input.shape)} would have size {list(plane)}")
    y = ops.convolution_input(as_planes(input, dims), as_kernel(weight), window=window, groups=groups, plane=pair(plane, 1))
    return like_given(y if bias is None else y + bias[:, None, None], input, dims)


def as_kernel(weight: Tensor) -> Tensor:
    """A weight of a line as that of a plane of one row."""
    return weight.unsqueeze(2) if weight.ndim == 3 else weight


def _window(name: str, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Window:
    for what, values, least in (("stride", stride, 1), ("padding", padding, 0), ("dilation", dilation, 1), ("kernel", kernel, 1)):
        if min(values) < least:
            raise RuntimeError(f"{name}: expected a {what} of at least {least}, got {list(values)}")
    return Window(pair(kernel, 1), pair(stride, 1), pair(padding, 0), pair(dilation, 1))


def _check(
    name: str, dims: int, input: Tensor, weight: Tensor, bias: Tensor | None, groups: int, channels: int, outputs: int
) -> None:
    expect_planes(name, input, dims)
    expect_same_dtype(name, input, weight=weight, bias=bias)
    if weight.ndim != dims + 2:
        raise RuntimeError(f"{name}: expected {dims + 2}-dimensional weight, got weight of size {list(weight.shape)}")
    if groups < 1 or weight.shape[0] % groups:
        raise RuntimeError(
            f"{name}: expected a weight with dimension 0 divisible by groups={groups}, got weight of size {list(weight.shape)}"
        )
    if input.shape[-dims - 1] != channels:
        raise RuntimeError(
            f"{name}: given groups={groups}, weight of size {list(weight.shape)}, expected input {list(input.shape)} to have "
            f"{channels} channels, but got {input.shape[-dims - 1]}"
        )
    if bias is not None and tuple(bias.shape) != (outputs,):
        raise RuntimeError(f"{name}: expected bias of size [{outputs}], got {list(bias.shape)}")


def unfold(input: Tensor, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1) -> Tensor:
    """What a window covers at each position, as columns: (N, C, H, W) or (C, H, W) -> (N, C * R * S, L) or (C * R * S, L).

    RuntimeError where shapes or options do not fit.
    """
    window = _pairs("unfold", kernel_size, dilation, padding, stride)
    if input.ndim not in (3, 4) or 0 in input.shape[-3:]:
        raise RuntimeError(f"unfold: expected 3D or 4D input with nothing but a batch of size 0, got {list(input.shape)}")
    planes = as_planes(input, 2)
    counts = window.counts(tuple(planes.shape[2:]))
    if min(counts) < 1:
        raise RuntimeError(
            f"unfold: given input {list(input.shape)} and kernel_size={window.size}, dilation={window.dilation}, "
            f"padding={window.padding}, stride={window.stride}, expected a window that fits, got {counts} positions"
        )
    columns = ops.unfold(planes, window=window)
    n, c, rows, across = columns.shape[:4]
    return columns.reshape((n, c * rows * across, counts[0] * counts[1])[input.ndim == 3 :])


def fold(
    input: Tensor, output_size: Sizes, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> Tensor:
    """The adjoint of unfold: columns (N, C * R * S, L) or (C * R * S, L) added up -> (N, C, H, W) or (C, H, W).

    RuntimeError where shapes or options do not fit.
    """
    window, plane = _pairs("fold", kernel_size, dilation, padding, stride), pair(sizes_of(output_size, 2, "output_size"), 1)
    area, counts = window.size[0] * window.size[1], window.counts(plane)
    if input.ndim not in (2, 3) or 0 in input.shape[-2:]:
        raise RuntimeError(f"fold: expected 2D or 3D input with nothing but a batch of size 0, got {list(input.shape)}")
    if min(plane) < 1 or min(counts) < 1 or input.shape[-2] % area or input.shape[-1] != counts[0] * counts[1]:
        raise RuntimeError(
            f"fold: given output_size={plane}, kernel_size={window.size}, dilation={window.dilation}, padding={window.padding}, "
            f"stride={window.stride}, expected input (..., multiple of {area}, {counts[0]} * {counts[1]}), got {list(input.shape)}"
        )
    n = input.shape[0] if input.ndim == 3 else 1
    columns = input.reshape(n, input.shape[-2] // area, *window.size, *counts)
    planes = ops.fold(columns, window=window, plane=plane)
    return planes if input.ndim == 3 else planes.squeeze(0)


def _pairs(name: str, kernel_size: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes) -> Window:
    kernel, stride = sizes_of(kernel_size, 2, "kernel_size"), sizes_of(stride, 2, "stride")
    return _window(name, kernel, stride, sizes_of(padding, 2, "padding"), sizes_of(dilation, 2, "dilation"))
