"""A PyTorch-shaped deep-learning framework on NumPy: `import tinygrad_nn as torch`.

The public names, each listed once. What is large is loaded when it is first asked for, so
that the import takes little longer than NumPy's.
"""

import importlib as _importlib
from math import e, inf, nan, pi
from typing import TYPE_CHECKING as _CHECKING
from typing import Any as _Any

# First, where the stack is shallow: Python maps new memory for each call that crosses the end of a block of frames, and
# from deep within this package NumPy's import makes thousands of such calls.
import numpy as _numpy

from tinygrad_nn import autograd, random, return_types, version
from tinygrad_nn.autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from tinygrad_nn.autograd.modes import is_anomaly_check_nan_enabled, is_anomaly_enabled
from tinygrad_nn.creation import *
from tinygrad_nn.dtypes import *
from tinygrad_nn.dtypes import bool_ as bool
from tinygrad_nn.dtypes import float16 as half
from tinygrad_nn.dtypes import float32 as float
from tinygrad_nn.dtypes import float64 as double
from tinygrad_nn.dtypes import int16 as short
from tinygrad_nn.dtypes import int32 as int
from tinygrad_nn.dtypes import int64 as long
from tinygrad_nn.generator import Generator, default_generator
from tinygrad_nn.in_place import *
from tinygrad_nn.memory import keep_freed_memory as _keep_freed_memory
from tinygrad_nn.methods.activation import *
from tinygrad_nn.methods.arranging import *
from tinygrad_nn.methods.compare import *
from tinygrad_nn.methods.counting import *
from tinygrad_nn.methods.einsum import *
from tinygrad_nn.methods.factorization import *
from tinygrad_nn.methods.indexing import *
from tinygrad_nn.methods.joining import *
from tinygrad_nn.methods.matrices import *
from tinygrad_nn.methods.out import accept_out as _accept_out
from tinygrad_nn.methods.pointwise import *
from tinygrad_nn.methods.queries import *
from tinygrad_nn.methods.reduction import *
from tinygrad_nn.methods.reflections import *
from tinygrad_nn.methods.scan import *
from tinygrad_nn.methods.scattering import *
from tinygrad_nn.methods.shaping import *
from tinygrad_nn.methods.softmax import *
from tinygrad_nn.methods.sorting import *
from tinygrad_nn.methods.special import *
from tinygrad_nn.printing import set_printoptions
from tinygrad_nn.random import *
from tinygrad_nn.ranges import *
from tinygrad_nn.runtime import *
from tinygrad_nn.tensor import Tensor

__version__ = version.__version__
newaxis = None
_accept_out(globals())
_keep_freed_memory()

if _CHECKING:
    from tinygrad_nn import (
        accelerator,
        amp,
        backends,
        compiler,
        cpu,
        cuda,
        distributed,
        distributions,
        doctor,
        func,
        jit,
        linalg,
        mps,
        nn,
        optim,
        serialization,
        signal,
        special,
        testing,
        train,
        types,
        utils,
        vision,
        viz,
        xpu,
    )
    from tinygrad_nn.amp import GradScaler, autocast, is_autocast_enabled
    from tinygrad_nn.func import vmap
    from tinygrad_nn.lowrank import pca_lowrank, svd_lowrank
    from tinygrad_nn.nn.functional.activation import relu_, rrelu_, threshold_
    from tinygrad_nn.nn.functional.convolution import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
    from tinygrad_nn.nn.functional.distance import cdist, cosine_similarity, pairwise_distance, pdist
    from tinygrad_nn.nn.functional.linear import bilinear
    from tinygrad_nn.nn.functional.normalization import rms_norm
    from tinygrad_nn.nn.functional.pooling import adaptive_avg_pool1d, avg_pool1d
    from tinygrad_nn.nn.functional.sampling import channel_shuffle, pixel_shuffle, pixel_unshuffle
    from tinygrad_nn.nn.functional.smooth import celu_, selu_
    from tinygrad_nn.nn.functional.toplevel import (
        adaptive_max_pool1d,
        alpha_dropout,
        batch_norm,
        celu,
        dropout,
        feature_alpha_dropout,
        feature_dropout,
        group_norm,
        gru_cell,
        instance_norm,
        layer_norm,
        lstm_cell,
        max_pool1d,
        max_pool2d,
        rnn_relu_cell,
        rnn_tanh_cell,
        rrelu,
        selu,
        threshold,
    )
    from tinygrad_nn.nn.functional.toplevel_losses import (
        binary_cross_entropy_with_logits,
        constant_pad_nd,
        cosine_embedding_loss,
        ctc_loss,
        dropout_,
        embedding,
        grid_sampler,
        hinge_embedding_loss,
        kl_div,
        margin_ranking_loss,
        native_batch_norm,
        native_layer_norm,
        poisson_nll_loss,
        triplet_margin_loss,
    )
    from tinygrad_nn.serialization import load, save
    from tinygrad_nn.windows import bartlett_window, blackman_window, hamming_window, hann_window, kaiser_window, range

_PACKAGES = {
    "_utils", "accelerator", "amp", "backends", "compiler", "cpu", "cuda", "distributed", "distributions", "doctor", "func", "jit",
    "linalg", "mps", "nn", "optim", "serialization", "signal", "special", "testing", "train", "types", "utils", "vision", "viz",
    "xpu",
}  # fmt: skip
_NAMES = {
    "amp": {"GradScaler", "autocast", "is_autocast_enabled"},
    "func": {"vmap"},
    "lowrank": {"pca_lowrank", "svd_lowrank"},
    "nn.functional.activation": {"relu_", "rrelu_", "threshold_"},
    "nn.functional.convolution": {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"},
    "nn.functional.distance": {"cdist", "cosine_similarity", "pairwise_distance", "pdist"},
    "nn.functional.linear": {"bilinear"},
    "nn.functional.normalization": {"rms_norm"},
    "nn.functional.pooling": {"adaptive_avg_pool1d", "avg_pool1d"},
    "nn.functional.sampling": {"channel_shuffle", "pixel_shuffle", "pixel_unshuffle"},
    "nn.functional.smooth": {"celu_", "selu_"},
    "nn.functional.toplevel": {
        "adaptive_max_pool1d", "alpha_dropout", "batch_norm", "celu", "dropout", "feature_alpha_dropout", "feature_dropout",
        "group_norm", "gru_cell", "instance_norm", "layer_norm", "lstm_cell", "max_pool1d", "max_pool2d", "rnn_relu_cell",
        "rnn_tanh_cell", "rrelu", "selu", "threshold",
    },
    "nn.functional.toplevel_losses": {
        "binary_cross_entropy_with_logits", "constant_pad_nd", "cosine_embedding_loss", "ctc_loss", "dropout_", "embedding",
        "grid_sampler", "hinge_embedding_loss", "kl_div", "margin_ranking_loss", "native_batch_norm", "native_layer_norm",
        "poisson_nll_loss", "triplet_margin_loss",
    },
    "serialization": {"load", "save"},
    "windows": {"bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window", "range"},
}  # fmt: skip


def __getattr__(name: str) -> _Any:
    if name in _PACKAGES:
        return _importlib.import_module(f"{__name__}.{name}")
    if name.startswith("_foreach_"):
        return getattr(_importlib.import_module(f"{__name__}.foreach"), name)
    for module, names in _NAMES.items():
        if name in names:
            return getattr(_importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PACKAGES}.union(*_NAMES.values()))
