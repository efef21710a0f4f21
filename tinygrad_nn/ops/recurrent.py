"""The gates of recurrent cells, fused: a step of a network has few elements, so what it costs is the number of calls."""

from functools import cache
from typing import Any

import numpy as np

from tinygrad_nn.op import Array, op
from tinygrad_nn.ops.elementwise import sigmoid


def _part(x: Any, i: int, size: int) -> Any:
    """The i-th of several gates of `size` that lie side by side."""
    return x[..., i * size : (i + 1) * size]


@cache
def _tanh_part(size: int, dtype: np.dtype[Any]) -> Array:
    """1 where an LSTM has tanh, at its third gate, 0 where it has sigmoids."""
    return np.repeat(np.array([0, 0, 1, 0], dtype), size // 4)


@op
def lstm_gates(x: Array, /) -> Array:
    """sigmoid of the first, second and fourth quarter of the last axis, tanh of the third."""
    size = x.shape[-1] // 4
    y = sigmoid.forward(x)
    np.tanh(_part(x, 2, size), out=_part(y, 2, size))
    return y


# y (1 - y) is the slope of sigmoid, (1 + y) (1 - y) that of tanh
lstm_gates.vjp(x=lambda g, y: g * ((y + _tanh_part(y.shape[-1], np.dtype(y.dtype))) * (1 - y)))
lstm_gates.sample((2, 8)).sample((4,))


@op
def lstm_memory(gates: Array, c: Array, /) -> Array:
    """forget * c + input * new, of the gates (..., 4 H) in the order input, forget, new, output and memory (..., H)."""
    size = c.shape[-1]
    return _part(gates, 1, size) * c + _part(gates, 0, size) * _part(gates, 2, size)


def _memory_rule(g: Any, gates: Any, c: Any) -> Any:
    size = c.shape[-1]
    return np.concatenate([g * _part(gates, 2, size), g * c, g * _part(gates, 0, size), np.zeros_like(c)], -1)


lstm_memory.vjp(gates=_memory_rule, c=lambda g, gates, c_shape: g * _part(gates, 1, c_shape[-1]))
lstm_memory.sample((2, 12), (2, 3)).sample((4,), (1,))


@op
def lstm_output(gates: Array, c: Array, /) -> Array:
    """output * tanh(c), of the gates (..., 4 H) in the order input, forget, new, output and memory (..., H)."""
    return _part(gates, 3, c.shape[-1]) * np.tanh(c)


def _output_rule(g: Any, c: Any) -> Any:
    none = np.zeros_like(c)
    return np.concatenate([none, none, none, g * np.tanh(c)], -1)


def _cell_rule(g: Any, gates: Any, c: Any) -> Any:
    bent = np.tanh(c)
    return g * _part(gates, 3, c.shape[-1]) * (1 - bent * bent)


lstm_output.vjp(gates=_output_rule, c=_cell_rule)
lstm_output.sample((2, 12), (2, 3)).sample((4,), (1,))


@op
def gru_gates(x: Array, h: Array, /) -> Array:
    """reset, update and new of what comes from the input and from the state, both (..., 3 H).

    reset and update are sigmoid(x + h), each in its third; new is tanh(x + reset * h).
    """
    size = x.shape[-1] // 3
    y = np.empty_like(x)
    y[..., : 2 * size] = sigmoid.forward(x[..., : 2 * size] + h[..., : 2 * size])
    y[..., 2 * size :] = np.tanh(_part(x, 2, size) + _part(y, 0, size) * _part(h, 2, size))
    return y


def _gru_parts(g: Any, h: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    """The gradients before reset, update and new, and reset itself."""
    size = y.shape[-1] // 3
    reset, update, new = (_part(y, i, size) for i in range(3))
    at_new = _part(g, 2, size) * (1 - new * new)
    at_reset = (_part(g, 0, size) + at_new * _part(h, 2, size)) * (reset * (1 - reset))
    at_update = _part(g, 1, size) * (update * (1 - update))
    return at_reset, at_update, at_new, reset


def _from_input(g: Any, h: Any, y: Any) -> Any:
    return np.concatenate(_gru_parts(g, h, y)[:3], -1)


def _from_state(g: Any, h: Any, y: Any) -> Any:
    at_reset, at_update, at_new, reset = _gru_parts(g, h, y)
    return np.concatenate([at_reset, at_update, at_new * reset], -1)


gru_gates.vjp(x=_from_input, h=_from_state)
gru_gates.sample((2, 9), (2, 9)).sample((3,), (3,))


@op
def gru_output(gates: Array, h: Array, /) -> Array:
    """new + update * (h - new), of the gates (..., 3 H) in the order reset, update, new and the state (..., H)."""
    size = h.shape[-1]
    new = _part(gates, 2, size)
    return (h - new) * _part(gates, 1, size) + new


def _blend_rule(g: Any, gates: Any, h: Any) -> Any:
    size = h.shape[-1]
    return np.concatenate([np.zeros_like(h), g * (h - _part(gates, 2, size)), g * (1 - _part(gates, 1, size))], -1)


gru_output.vjp(gates=_blend_rule, h=lambda g, gates, h_shape: g * _part(gates, 1, h_shape[-1]))
gru_output.sample((2, 9), (2, 3)).sample((3,), (1,))
