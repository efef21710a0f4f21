"""A PyTorch-shaped deep-learning framework on NumPy: `import tinygrad_nn as torch`.

The public names, each listed once; nothing is computed here.
"""

from math import e, inf, nan, pi

from tinygrad_nn import autograd, nn, optim, random, utils
from tinygrad_nn.autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from tinygrad_nn.creation import (
    arange,
    as_tensor,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from tinygrad_nn.dtypes import (
    Size,
    device,
    dtype,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    set_default_dtype,
    uint8,
)
from tinygrad_nn.dtypes import bool_ as bool
from tinygrad_nn.generator import Generator, default_generator
from tinygrad_nn.methods.indexing import *
from tinygrad_nn.methods.matrices import *
from tinygrad_nn.methods.pointwise import *
from tinygrad_nn.methods.reduction import *
from tinygrad_nn.methods.shaping import *
from tinygrad_nn.methods.softmax import *
from tinygrad_nn.printing import set_printoptions
from tinygrad_nn.random import (
    bernoulli,
    get_rng_state,
    initial_seed,
    manual_seed,
    multinomial,
    normal,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    seed,
    set_rng_state,
)
from tinygrad_nn.serialization import load, save
from tinygrad_nn.tensor import Tensor

__version__ = "0.1.0"

float, double, half, long, int, short = float32, float64, float16, int64, int32, int16

