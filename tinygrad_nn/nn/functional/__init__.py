"""The layers' arithmetic as functions, in PyTorch's spelling; one file a family."""

from tinygrad_nn.methods.arranging import pad
from tinygrad_nn.nn.functional.activation import (
    gelu,
    leaky_relu,
    leaky_relu_,
    log_softmax,
    logsigmoid,
    relu,
    relu_,
    sigmoid,
    softmax,
    softplus,
    tanh,
)
from tinygrad_nn.nn.functional.classification import cross_entropy, nll_loss
from tinygrad_nn.nn.functional.dropout import dropout
from tinygrad_nn.nn.functional.linear import linear
from tinygrad_nn.nn.functional.loss import binary_cross_entropy, binary_cross_entropy_with_logits, l1_loss, mse_loss
from tinygrad_nn.nn.functional.vector import flatten, normalize, one_hot

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "dropout", "flatten", "gelu", "l1_loss",
    "leaky_relu", "leaky_relu_", "linear", "log_softmax", "logsigmoid", "mse_loss", "nll_loss", "normalize", "one_hot",
    "pad", "relu", "relu_", "sigmoid", "softmax", "softplus", "tanh",
]  # fmt: skip
