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
from tinygrad_nn.methods.indexing import gather, index_select, masked_select
from tinygrad_nn.methods.matrices import bmm, dot, matmul, mm, mv
from tinygrad_nn.methods.pointwise import (
    abs,
    add,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    ceil,
    clamp,
    cos,
    div,
    eq,
    erf,
    exp,
    expm1,
    floor,
    floor_divide,
    ge,
    gt,
    isfinite,
    isinf,
    isnan,
    le,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    lt,
    masked_fill,
    maximum,
    minimum,
    mul,
    ne,
    neg,
    pow,
    reciprocal,
    relu,
    remainder,
    round,
    rsqrt,
    sigmoid,
    sign,
    sin,
    sqrt,
    square,
    sub,
    tanh,
    where,
)
from tinygrad_nn.methods.reduction import (
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    cumsum,
    logsumexp,
    max,
    mean,
    min,
    prod,
    std,
    sum,
    var,
)
from tinygrad_nn.methods.shaping import (
    broadcast_to,
    cat,
    chunk,
    clone,
    flatten,
    flip,
    movedim,
    narrow,
    permute,
    reshape,
    roll,
    split,
    squeeze,
    stack,
    t,
    transpose,
    unbind,
    unflatten,
    unsqueeze,
)
from tinygrad_nn.methods.softmax import log_softmax, softmax
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
clip, concat, concatenate, multiply, subtract, divide, absolute, negative = clamp, cat, cat, mul, sub, div, abs, neg

