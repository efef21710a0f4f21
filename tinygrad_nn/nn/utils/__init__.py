"""Helpers for modules: gradients clipped, parameters as one vector or computed from others, sequences of several lengths."""

from tinygrad_nn.nn.utils import parametrizations, parametrize, prune, rnn
from tinygrad_nn.nn.utils.clip_grad import (
    clip_grad_norm,
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)
from tinygrad_nn.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters
from tinygrad_nn.nn.utils.normalized import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm

__all__ = [
    "clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm",
    "parameters_to_vector", "parametrizations", "parametrize", "prune", "remove_spectral_norm", "remove_weight_norm", "rnn",
    "spectral_norm", "vector_to_parameters", "weight_norm",
]  # fmt: skip
