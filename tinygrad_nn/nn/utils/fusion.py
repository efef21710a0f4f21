"""Batch normalization that is folded into the layer before it: in evaluation it only scales and shifts its channels."""

from __future__ import annotations

import copy
from typing import Any

from tinygrad_nn.nn.module import Module
from tinygrad_nn.nn.parameter import Parameter
from tinygrad_nn.tensor import Tensor

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A copy of a convolution that does what it and the batch norm behind it do; `transpose` for a transposed one.

    AssertionError while training, and without running statistics.
    """
    return _fused(conv, *fuse_conv_bn_weights(conv.weight, conv.bias, *_statistics(conv, bn), transpose=transpose))


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A copy of a linear layer that does what it and the batch norm behind it do.

    AssertionError while training, without running statistics, and for numbers of features that differ.
    """
    if bn.num_features not in (1, linear.out_features):
        raise AssertionError(f"expected a batch norm of 1 or {linear.out_features} features, got {bn.num_features}")
    return _fused(linear, *fuse_linear_bn_weights(linear.weight, linear.bias, *_statistics(linear, bn)))


def fuse_conv_bn_weights(
    conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor | None,
    bn_b: Tensor | None, transpose: bool = False,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """The weight and bias of a convolution and the batch norm behind it."""
    shape = [1] * conv_w.ndim
    shape[1 if transpose else 0] = -1
    return _scaled(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, shape)


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """The weight and bias of a linear layer and the batch norm behind it."""
    return _scaled(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, [-1, 1])


def _statistics(layer: Module, bn: Any) -> tuple[Any, Any, Any, Any, Any]:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    return bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias


def _scaled(
    weight: Tensor, bias: Tensor | None, mean: Tensor, variance: Tensor, eps: float, scale: Tensor | None, shift: Tensor | None,
    shape: list[int],
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """(W x + b - mean) / sqrt(variance + eps) * scale + shift, as one weight and bias."""
    deviation = (variance + eps).rsqrt()
    factor = deviation if scale is None else deviation * scale
    centred = -mean if bias is None else bias - mean
    shifted = centred * factor if shift is None else centred * factor + shift
    trained = True if bias is None else bias.requires_grad
    kind = weight.dtype if bias is None else bias.dtype
    return Parameter((weight * factor.reshape(shape)).to(weight.dtype), weight.requires_grad), Parameter(shifted.to(kind), trained)


def _fused(layer: Any, weight: Parameter, bias: Parameter) -> Any:
    fused = copy.deepcopy(layer)
    fused.weight, fused.bias = weight, bias
    return fused
