"""What PyTorch keeps in the files of `torch.nn.modules`, here in one: the layers, and the inner names that programs import."""

import sys as _sys
from typing import Any as _Any

from tinygrad_nn import nn as _nn
from tinygrad_nn.nn import tuples as _tuples
from tinygrad_nn.nn.attention import NonDynamicallyQuantizableLinear
from tinygrad_nn.nn.convolution import _ConvNd
from tinygrad_nn.nn.dropout import _DropoutNd
from tinygrad_nn.nn.hooks import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
)
from tinygrad_nn.nn.lazy import LazyModuleMixin
from tinygrad_nn.nn.losses import _Loss, _WeightedLoss
from tinygrad_nn.nn.normalization import _BatchNorm, _InstanceNorm, _NormBase
from tinygrad_nn.nn.state import _IncompatibleKeys
from tinygrad_nn.nn.transformer import _get_activation_fn, _get_clones
from tinygrad_nn.nn.tuples import _pair, _quadruple, _single, _triple

__all__ = [
    "LazyModuleMixin", "NonDynamicallyQuantizableLinear", "_BatchNorm", "_ConvNd", "_DropoutNd", "_IncompatibleKeys",
    "_InstanceNorm", "_Loss", "_NormBase", "_WeightedLoss", "_get_activation_fn", "_get_clones", "_pair", "_quadruple", "_single",
    "_triple", "register_module_forward_hook", "register_module_forward_pre_hook", "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
]  # fmt: skip
__all__ += [name for name in _nn.__all__ if name[0].isupper()]  # the layers

utils = _tuples
FILES = (
    "activation", "adaptive", "batchnorm", "channelshuffle", "container", "conv", "distance", "dropout", "flatten", "fold",
    "instancenorm", "lazy", "linear", "loss", "module", "normalization", "padding", "pixelshuffle", "pooling", "rnn", "sparse",
    "transformer", "upsampling",
)  # fmt: skip


def __getattr__(name: str) -> _Any:
    return _sys.modules[__name__] if name in FILES else getattr(_nn, name)
