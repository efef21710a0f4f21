"""A PyTorch-shaped deep-learning framework on NumPy: `import tinygrad_nn as torch`.

The public names, each listed once; nothing is computed here.
"""

from math import e, inf, nan, pi

from tinygrad_nn import (
    accelerator,
    amp,
    autograd,
    backends,
    cuda,
    func,
    linalg,
    mps,
    nn,
    optim,
    random,
    return_types,
    special,
    utils,
    version,
)
from tinygrad_nn.amp import autocast, is_autocast_available, is_autocast_enabled
from tinygrad_nn.autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from tinygrad_nn.creation import *
from tinygrad_nn.dtypes import *
from tinygrad_nn.dtypes import bool_ as bool
from tinygrad_nn.generator import Generator, default_generator
from tinygrad_nn.in_place import *
from tinygrad_nn.methods.arranging import *
from tinygrad_nn.methods.compare import *
from tinygrad_nn.methods.counting import *
from tinygrad_nn.methods.einsum import *
from tinygrad_nn.methods.factorization import *
from tinygrad_nn.methods.indexing import *
from tinygrad_nn.methods.joining import *
from tinygrad_nn.methods.matrices import *
from tinygrad_nn.methods.pointwise import *
from tinygrad_nn.methods.queries import *
from tinygrad_nn.methods.reduction import *
from tinygrad_nn.methods.scan import *
from tinygrad_nn.methods.scattering import *
from tinygrad_nn.methods.shaping import *
from tinygrad_nn.methods.softmax import *
from tinygrad_nn.methods.sorting import *
from tinygrad_nn.methods.special import *
from tinygrad_nn.nn.functional.activation import hardshrink, prelu, relu_, rrelu, rrelu_, threshold, threshold_
from tinygrad_nn.nn.functional.distance import cdist, cosine_similarity, pairwise_distance, pdist
from tinygrad_nn.nn.functional.dropout import alpha_dropout, dropout, feature_alpha_dropout, feature_dropout
from tinygrad_nn.nn.functional.linear import bilinear
from tinygrad_nn.nn.functional.smooth import celu, celu_, selu, selu_
from tinygrad_nn.printing import set_printoptions
from tinygrad_nn.random import *
from tinygrad_nn.runtime import *
from tinygrad_nn.serialization import load, save
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.testing.gradcheck import torch_gradcheck as _gradcheck
from tinygrad_nn.testing.gradcheck import torch_gradgradcheck as _gradgradcheck

__version__ = version.__version__

autograd.gradcheck, autograd.gradgradcheck = _gradcheck, _gradgradcheck  # PyTorch keeps them there

float, double, half, long, int, short = float32, float64, float16, int64, int32, int16

