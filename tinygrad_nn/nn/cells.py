"""One step of a recurrent network: the arithmetic of the three kinds, and a module of each."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from tinygrad_nn.creation import empty, zeros
from tinygrad_nn.dtypes import DTypeLike
from tinygrad_nn.nn import init
from tinygrad_nn.nn.functional.linear import linear
from tinygrad_nn.nn.module import Module
from tinygrad_nn.nn.parameter import Parameter
from tinygrad_nn.ops import recurrent
from tinygrad_nn.tensor import Tensor

State: TypeAlias = tuple[Tensor, ...]  # (h,), or (h, c) of an LSTM
# what comes from the input (N, gates * H), the state (N, H), weight_hh, bias_hh -> the new state
Step: TypeAlias = Callable[[Tensor, State, Tensor, Tensor | None], State]


def tanh_step(x: Tensor, state: State, weight: Tensor, bias: Tensor | None) -> State:
    """h' = tanh(x + W h + b)."""
    return ((x + linear(state[0], weight, bias)).tanh(),)


def relu_step(x: Tensor, state: State, weight: Tensor, bias: Tensor | None) -> State:
    """h' = relu(x + W h + b)."""
    return ((x + linear(state[0], weight, bias)).relu(),)


def lstm_step(x: Tensor, state: State, weight: Tensor, bias: Tensor | None) -> State:
    """Of the gates i, f, g, o of x + W h + b: c' = f c + i g and h' = o tanh(c')."""
    h, c = state
    gates = recurrent.lstm_gates(x + linear(h, weight, bias))
    c = recurrent.lstm_memory(gates, c)
    return recurrent.lstm_output(gates, c), c


def gru_step(x: Tensor, state: State, weight: Tensor, bias: Tensor | None) -> State:
    """r, z = sigmoid(x + W h + b), n = tanh(x + r (W h + b)), h' = (1 - z) n + z h."""
    (h,) = state
    gates = recurrent.gru_gates(x, linear(h, weight, bias))
    return (recurrent.gru_output(gates, h),)


STEPS: dict[str, tuple[Step, int]] = {  # each kind of network: its step, and how many gates it has
    "RNN_TANH": (tanh_step, 1), "RNN_RELU": (relu_step, 1), "LSTM": (lstm_step, 4), "GRU": (gru_step, 3),
}  # fmt: skip


class RNNCellBase(Module):
    """What the cells share: weights for input and state, uniform within 1 / sqrt(hidden_size)."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: DTypeLike | None = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        gates = num_chunks * hidden_size
        self.weight_ih = Parameter(empty(gates, input_size, dtype=dtype, device=device))
        self.weight_hh = Parameter(empty(gates, hidden_size, dtype=dtype, device=device))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(gates, dtype=dtype, device=device)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias is True else f", bias={self.bias}")

    def _step_(self, kind: str, input: Tensor, state: State | None) -> State:
        """The new state, (N, H) or, for an input without a batch, (H,)."""
        name = self._get_name()
        if input.ndim not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.ndim}D instead")
        for i, value in enumerate(() if state is None else state):
            if value.ndim not in (1, 2):
                part = f"hx[{i}]" if kind == "LSTM" else "hidden"
                raise ValueError(f"{name}: Expected {part} to be 1D or 2D, got {value.ndim}D instead")
        alone = input.ndim == 1
        x = input.unsqueeze(0) if alone else input
        if x.shape[1] != self.input_size:
            raise RuntimeError(f"{name}: input has inconsistent input_size: got {x.shape[1]} expected {self.input_size}")
        if state is None:
            state = (zeros(len(x), self.hidden_size, dtype=x.dtype),) * (2 if kind == "LSTM" else 1)
        elif alone:
            state = tuple(value.unsqueeze(0) for value in state)
        elif not isinstance(state, tuple | list):
            raise TypeError(f"{name}: expected hx to be a tuple of Tensors, got {type(state).__name__}")
        for value in state:
            if tuple(value.shape) != (len(x), self.hidden_size):
                raise RuntimeError(f"{name}: expected hidden {[len(x), self.hidden_size]}, got {list(value.shape)}")
        step, _ = STEPS[kind]
        state = step(linear(x, self.weight_ih, self.bias_ih), state, self.weight_hh, self.bias_hh)
        return tuple(value.squeeze(0) for value in state) if alone else state


class RNNCell(RNNCellBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu of it: input (N, input_size) and h (N, hidden_size) -> h'.

    Both may come without N; without h it is zero. Elman, Finding Structure in Time, 1990.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The new state; ValueError for other dimensions, RuntimeError for other sizes and an unknown nonlinearity."""
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}, expected 'tanh' or 'relu'")
        return self._step_(f"RNN_{self.nonlinearity.upper()}", input, None if hx is None else (hx,))[0]

    def extra_repr(self) -> str:
        """The sizes and the nonlinearity."""
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class LSTMCell(RNNCellBase):
    """A step of long short-term memory: input (N, input_size) and (h, c), each (N, hidden_size) -> (h', c').

    i, f, o = sigmoid and g = tanh of W_ih x + b_ih + W_hh h + b_hh; c' = f c + i g, h' = o tanh(c'). All may come
    without N; without (h, c) they are zero. Hochreiter & Schmidhuber, Long Short-Term Memory, 1997.
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: DTypeLike | None = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """The new (h, c); ValueError for other dimensions, RuntimeError for other sizes."""
        h, c = self._step_("LSTM", input, hx)
        return h, c


class GRUCell(RNNCellBase):
    """A step of a gated recurrent unit: input (N, input_size) and h (N, hidden_size) -> h' = (1 - z) n + z h.

    r, z = sigmoid(W_ih x + b_ih + W_hh h + b_hh), n = tanh(W_in x + b_in + r (W_hn h + b_hn)). Both may come without
    N; without h it is zero. Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014.
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: DTypeLike | None = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """The new state; ValueError for other dimensions, RuntimeError for other sizes."""
        return self._step_("GRU", input, None if hx is None else (hx,))[0]
