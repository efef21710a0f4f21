"""What PyTorch has beside `nn.functional` at its top, where it takes other arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_nn.nn.functional import activation, normalization, pooling, smooth
from tinygrad_nn.nn.functional.dropout import alpha_dropout as _alpha_dropout
from tinygrad_nn.nn.functional.dropout import dropout as _dropout
from tinygrad_nn.nn.functional.dropout import feature_alpha_dropout as _feature_alpha_dropout
from tinygrad_nn.nn.functional.dropout import feature_dropout as _feature_dropout
from tinygrad_nn.nn.functional.linear import linear
from tinygrad_nn.ops import recurrent
from tinygrad_nn.tensor import Tensor


def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.dropout` with every argument named."""
    return _dropout(input, p, train)


def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """`nn.functional.alpha_dropout` with every argument named."""
    return _alpha_dropout(input, p, train)


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout of whole channels of (N, C, ...)."""
    return _feature_dropout(input, p, train)


def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Alpha dropout of whole channels of (N, C, ...)."""
    return _feature_alpha_dropout(input, p, train)


def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`nn.functional.celu`, never in place."""
    return smooth.celu(input, alpha)


def selu(input: Tensor) -> Tensor:
    """`nn.functional.selu`, never in place."""
    return smooth.selu(input)


def rrelu(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """`nn.functional.rrelu`, never in place."""
    return activation.rrelu(input, lower, upper, training)


def threshold(input: Tensor, threshold: float, value: float) -> Tensor:
    """`nn.functional.threshold`, never in place."""
    return activation.threshold(input, threshold, value)


def batch_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None,
    training: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """`nn.functional.batch_norm` with its arguments in another order."""
    return normalization.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None,
    use_input_stats: bool, momentum: float, eps: float, cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """`nn.functional.instance_norm` with its arguments in another order."""
    return normalization.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


def layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Tensor:  # fmt: skip
    """`nn.functional.layer_norm`."""
    return normalization.layer_norm(input, normalized_shape, weight, bias, eps)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Tensor:  # fmt: skip
    """`nn.functional.group_norm`."""
    return normalization.group_norm(input, num_groups, weight, bias, eps)


def max_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Tensor:
    """`nn.functional.max_pool1d` without the indices."""
    result: Tensor = pooling.max_pool1d(input, kernel_size, stride or None, padding, dilation, ceil_mode)
    return result


def max_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Tensor:
    """`nn.functional.max_pool2d` without the indices."""
    result: Tensor = pooling.max_pool2d(input, kernel_size, stride or None, padding, dilation, ceil_mode)
    return result


def adaptive_max_pool1d(input: Tensor, output_size: Any) -> tuple[Tensor, Tensor]:
    """`nn.functional.adaptive_max_pool1d` with the indices."""
    return pooling.adaptive_max_pool1d_with_indices(input, output_size)


def lstm_cell(
    input: Tensor, hx: Sequence[Tensor], w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The next (h, c) of an LSTM with gates in the order input, forget, new, output."""
    h, c = hx
    gates = recurrent.lstm_gates(_stepped(input, h, w_ih, w_hh, b_ih, b_hh))
    c = recurrent.lstm_memory(gates, c)
    return recurrent.lstm_output(gates, c), c


def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """The next state of a GRU with gates in the order reset, update, new."""
    gates = recurrent.gru_gates(linear(input, w_ih, b_ih), linear(hx, w_hh, b_hh))
    result: Tensor = recurrent.gru_output(gates, hx)
    return result


def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """tanh(w_ih @ input + b_ih + w_hh @ hx + b_hh)."""
    return _stepped(input, hx, w_ih, w_hh, b_ih, b_hh).tanh()


def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """relu(w_ih @ input + b_ih + w_hh @ hx + b_hh)."""
    return _stepped(input, hx, w_ih, w_hh, b_ih, b_hh).relu()


def _stepped(x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None) -> Tensor:
    return linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh)
