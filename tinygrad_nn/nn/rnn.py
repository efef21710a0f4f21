"""Recurrent networks of several layers and directions, over padded or packed sequences."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tinygrad_nn.creation import empty, zeros
from tinygrad_nn.dtypes import DTypeLike
from tinygrad_nn.methods.joining import cat, stack
from tinygrad_nn.nn import init
from tinygrad_nn.nn.cells import STEPS, State, Step
from tinygrad_nn.nn.functional.dropout import dropout as drop
from tinygrad_nn.nn.functional.linear import linear
from tinygrad_nn.nn.functional.pieces import pieces
from tinygrad_nn.nn.module import Module
from tinygrad_nn.nn.parameter import Parameter
from tinygrad_nn.nn.utils.rnn import PackedSequence
from tinygrad_nn.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]


class RNNBase(Module):
    """What RNN, LSTM and GRU share: the weights of all layers, uniform within 1 / sqrt(hidden_size), and the walk."""

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        _check_options(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size)
        if mode not in STEPS:
            raise ValueError(f"Unrecognized RNN mode: {mode}, expected one of {', '.join(STEPS)}")
        self.mode = mode
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size = bidirectional, proj_size
        gates, state = STEPS[mode][1] * hidden_size, proj_size or hidden_size
        self._all_weights: list[list[str]] = []  # of the weights of each layer and direction
        for layer in range(num_layers):
            width = input_size if layer == 0 else state * self._directions_
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, width), "weight_hh": (gates, state)}
            if bias:
                shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
            if proj_size:
                shapes |= {"weight_hr": (proj_size, hidden_size)}
            for end in ("", "_reverse")[: self._directions_]:
                self._all_weights.append([f"{name}_l{layer}{end}" for name in shapes])
                for name, shape in zip(self._all_weights[-1], shapes.values(), strict=True):
                    setattr(self, name, Parameter(empty(shape, dtype=dtype, device=device)))
        self.reset_parameters()

    @property
    def _directions_(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The weights of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Parameter]:
        return [getattr(self, name) for name in self._flat_weights_names]

    def flatten_parameters(self) -> None:
        """Nothing: it helps on a GPU only."""

    def reset_parameters(self) -> None:
        """Draw new weights."""
        bound = 1 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        """The sizes, and the options that are not the usual ones."""
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        others = [f"{name}={value}" for name in usual if (value := getattr(self, name)) != usual[name]]
        return ", ".join([str(self.input_size), str(self.hidden_size), *others])

    # the walk

    def _run_(self, input: Any, state: State | None) -> tuple[Any, State]:
        """The output of the last layer and the last state of every layer and direction."""
        if isinstance(input, PackedSequence):
            x, batch_sizes, order, places = input
            sizes = batch_sizes.tolist()
            if state is not None and order is not None:
                state = tuple(value.index_select(1, order) for value in state)
            output, state = self._layers_(x, sizes, self._checked_(x, 2, sizes[0], state))
            if places is not None:
                state = tuple(value.index_select(1, places) for value in state)
            return PackedSequence(output, batch_sizes, order, places), state
        if input.ndim not in (2, 3):
            raise ValueError(f"{self._get_name()}: Expected input to be 2D or 3D, got {input.ndim}D instead")
        for value in _parts(state, self.mode):
            if value.ndim != input.ndim:
                kind = "batched 3-D" if input.ndim == 3 else "unbatched 2-D"
                raise RuntimeError(f"For {kind} input, hx should also be {input.ndim}-D but got {value.ndim}-D tensor")
        alone = input.ndim == 2
        if alone:
            input = input.unsqueeze(1)
            state = None if state is None else tuple(value.unsqueeze(1) for value in state)
        elif self.batch_first:
            input = input.transpose(0, 1)
        length, batch = input.shape[:2]
        state = self._checked_(input, 3, batch, state)
        if not length:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        output, state = self._layers_(input.reshape(length * batch, self.input_size), [batch] * length, state)
        output = output.view(length, batch, output.shape[-1])
        if alone:
            return output.squeeze(1), tuple(value.squeeze(1) for value in state)
        return output.transpose(0, 1) if self.batch_first else output, state

    def _checked_(self, x: Tensor, ndim: int, batch: int, state: State | None) -> State:
        """The first state, zeros unless given, of the shapes that fit."""
        self._check_input_(x, ndim)
        if state is None:
            return tuple(zeros(shape, dtype=x.dtype) for shape in self._state_shapes_(batch))
        self._check_state_(state, batch)
        return state

    def _check_input_(self, x: Tensor, ndim: int) -> None:
        weight = self.all_weights[0][0]
        if x.dtype != weight.dtype:
            raise ValueError(
                f"RNN input dtype ({x.dtype}) does not match weight dtype ({weight.dtype}). Convert input: "
                f"input.to({weight.dtype}), or convert model: model.to({x.dtype})"
            )
        if x.ndim != ndim:
            raise RuntimeError(f"input must have {ndim} dimensions, got {x.ndim}")
        if x.shape[-1] != self.input_size:
            raise RuntimeError(f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {x.shape[-1]}")

    def _state_shapes_(self, batch: int) -> list[tuple[int, int, int]]:
        """The shape of h, and of an LSTM's c."""
        count = self.num_layers * self._directions_
        shapes = [(count, batch, self.proj_size or self.hidden_size), (count, batch, self.hidden_size)]
        return shapes if self.mode == "LSTM" else shapes[:1]

    def _check_state_(self, state: State, batch: int) -> None:
        for i, (value, shape) in enumerate(zip(state, self._state_shapes_(batch), strict=True)):
            if tuple(value.shape) != shape:
                name = f"hidden[{i}]" if self.mode == "LSTM" else "hidden"
                raise RuntimeError(f"Expected {name} size {shape}, got {list(value.shape)}")

    def _batch_(self, input: Tensor, batch_sizes: Tensor | None) -> int:
        return input.shape[0 if self.batch_first else 1] if batch_sizes is None else int(batch_sizes[0])

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """The shape of the state h that goes with an input, a packed one if `batch_sizes` are given."""
        return self._state_shapes_(self._batch_(input, batch_sizes))[0]

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """ValueError for an input of another dtype than the weights, RuntimeError for one of another shape."""
        self._check_input_(input, 3 if batch_sizes is None else 2)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """An error as of `check_input`, and RuntimeError for a state of another shape."""
        self.check_input(input, batch_sizes)
        self._check_state_(hidden if self.mode == "LSTM" else (hidden,), self._batch_(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The state with its sequences in another order."""
        if permutation is None:
            return hx
        return tuple(h.index_select(1, permutation) for h in hx) if self.mode == "LSTM" else hx.index_select(1, permutation)

    def _layers_(self, x: Tensor, sizes: Sequence[int], state: State) -> tuple[Tensor, State]:
        """All layers over steps that lie one after the other: (sum of sizes, input_size) -> (sum of sizes, output size)."""
        starts: Iterator[State] = zip(*(value.unbind(0) for value in state), strict=True)
        lasts: list[State] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = drop(x, self.dropout, self.training)
            outputs = []
            for direction in range(self._directions_):
                weights = self.all_weights[layer * self._directions_ + direction]
                output, last = _over_time(STEPS[self.mode][0], x, sizes, next(starts), weights, self.bias, direction == 1)
                outputs.append(output)
                lasts.append(last)
            x = cat(outputs, -1) if len(outputs) > 1 else outputs[0]
        return x, tuple(stack(values) for values in zip(*lasts, strict=True))


def _parts(state: State | None, mode: str) -> Iterable[Tensor]:
    """The tensors of a state; IndexError where an LSTM's c is missing."""
    return () if state is None else (state[0], state[1]) if mode == "LSTM" else state


def _over_time(
    step: Step, x: Tensor, sizes: Sequence[int], start: State, weights: Sequence[Tensor], bias: bool, backwards: bool
) -> tuple[Tensor, State]:
    """One layer in one direction: the outputs of all steps, one after the other, and the last state of each sequence."""
    weight_ih, weight_hh, *rest = weights
    bias_ih, bias_hh = rest[:2] if bias else (None, None)
    projection = rest[-1] if len(rest) % 2 else None
    inputs = pieces(linear(x, weight_ih, bias_ih), sizes)  # of all steps at once: one large product is faster than many small
    outputs: list[Tensor] = []
    ended: list[State] = []
    state = tuple(value[: sizes[-1]] for value in start) if backwards else start
    for part, size in zip(inputs[::-1] if backwards else inputs, sizes[::-1] if backwards else sizes, strict=True):
        now = len(state[0])
        if size > now:  # backwards, the shorter sequences join later
            state = tuple(cat([value, first[now:size]]) for value, first in zip(state, start, strict=True))
        elif size < now:  # forwards, they end earlier
            ended.append(tuple(value[size:] for value in state))
            state = tuple(value[:size] for value in state)
        state = step(part, state, weight_hh, bias_hh)
        if projection is not None:
            state = (linear(state[0], projection), *state[1:])
        outputs.append(state[0])
    if ended:
        state = tuple(cat([value, *parts]) for value, *parts in zip(state, *ended[::-1], strict=True))
    return cat(outputs[::-1] if backwards else outputs), state


def _check_options(
    input_size: Any, hidden_size: Any, num_layers: int, bias: Any, batch_first: Any, dropout: Any, proj_size: int
) -> None:
    if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout <= 1:
        raise ValueError(f"dropout should be a number in range [0, 1], the probability of an element being zeroed, got {dropout}")
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers greater "
            f"than 1, but got dropout={dropout} and num_layers={num_layers}",
            stacklevel=4,
        )
    for name, flag in (("bias", bias), ("batch_first", batch_first)):
        if not isinstance(flag, bool):
            raise TypeError(f"{name} should be of type bool, got: {type(flag).__name__}")
    for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
        if not isinstance(size, int):
            raise TypeError(f"{name} should be of type int, got: {type(size).__name__}")
        if size <= 0:
            raise ValueError(f"{name} must be greater than zero, got {size}")
    if num_layers <= 0:
        raise ValueError(f"num_layers must be greater than zero, got {num_layers}")
    if proj_size < 0:
        raise ValueError(f"proj_size should be a positive integer or zero to disable projections, got {proj_size}")
    if proj_size >= hidden_size:
        raise ValueError(f"proj_size has to be smaller than hidden_size, got {proj_size} and {hidden_size}")


class RNN(RNNBase):
    """Layers of h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or of relu: Elman, Finding Structure in Time, 1990.

    input (T, N, input_size) and h (layers * directions, N, hidden_size) -> output (T, N, directions * hidden_size) and
    the last h. With `batch_first`, input and output have N first; both may come without N; the input may be packed.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: DTypeLike | None = None,
        **options: Any,
    ) -> None:
        _no_projection(options)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        mode = f"RNN_{nonlinearity.upper()}"
        super().__init__(mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        """The output and the last state; ValueError for other dtypes, RuntimeError for other sizes."""
        output, (h,) = self._run_(input, None if hx is None else (hx,))
        return output, h


class LSTM(RNNBase):
    """Layers of long short-term memory, see `LSTMCell`: Hochreiter & Schmidhuber, Long Short-Term Memory, 1997.

    input (T, N, input_size) and (h, c), each (layers * directions, N, hidden_size) -> output (T, N, directions *
    hidden_size) and the last (h, c). With `proj_size`, h and the output have that size, by a matrix behind each step
    (Sak et al. 2014). With `batch_first`, input and output have N first; all may come without N; the input may be packed.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, device, dtype
        )

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """The shape of the state c that goes with an input, a packed one if `batch_sizes` are given."""
        return self._state_shapes_(self._batch_(input, batch_sizes))[1]

    def forward(self, input: Any, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Any, tuple[Tensor, Tensor]]:
        """The output and the last (h, c); ValueError for other dtypes, RuntimeError for other sizes."""
        output, (h, c) = self._run_(input, hx)
        return output, (h, c)


class GRU(RNNBase):
    """Layers of gated recurrent units, see `GRUCell`: Cho et al. 2014.

    input (T, N, input_size) and h (layers * directions, N, hidden_size) -> output (T, N, directions * hidden_size) and
    the last h. With `batch_first`, input and output have N first; both may come without N; the input may be packed.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: DTypeLike | None = None,
        **options: Any,
    ) -> None:
        _no_projection(options)
        super().__init__("GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype)

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        """The output and the last state; ValueError for other dtypes, RuntimeError for other sizes."""
        output, (h,) = self._run_(input, None if hx is None else (hx,))
        return output, h


def _no_projection(options: dict[str, Any]) -> None:
    if "proj_size" in options:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
    if options:
        raise TypeError(f"got an unexpected keyword argument '{next(iter(options))}'")
