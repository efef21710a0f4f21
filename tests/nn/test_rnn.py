"""Recurrent networks against their formulas in NumPy, over padded, packed and single sequences."""

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.nn.functional.pieces import pieces
from tinygrad_nn.nn.utils import rnn as utils
from tinygrad_nn.testing import gradcheck


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step_of(kind, x, h, c, w):
    """One step by the formulas: the new h and c."""
    from_input, from_state = x @ w["weight_ih"].T + w["bias_ih"], h @ w["weight_hh"].T + w["bias_hh"]
    if kind == "RNN":
        return np.tanh(from_input + from_state), c
    if kind == "LSTM":
        i, f, g, o = np.split(from_input + from_state, 4, -1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    (r, z, n), (hr, hz, hn) = np.split(from_input, 3, -1), np.split(from_state, 3, -1)
    z = sigmoid(z + hz)
    return (1 - z) * np.tanh(n + sigmoid(r + hr) * hn) + z * h, c


def weights_of(net, end=""):
    return {k.removesuffix(end): v.detach().numpy() for k, v in net.named_parameters() if k.endswith(end)}


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_network_is_its_formula_at_every_step(kind):
    net = getattr(nn, kind)(3, 4, bidirectional=True)
    x = torch.randn(5, 2, 3)
    output, _ = net(x)
    assert output.dtype == torch.float32
    for end, times, half in (("_l0", range(5), slice(0, 4)), ("_l0_reverse", range(4, -1, -1), slice(4, 8))):
        h = c = np.zeros((2, 4))
        for t in times:
            h, c = step_of(kind, x.numpy()[t], h, c, weights_of(net, end))
            np.testing.assert_allclose(output.detach().numpy()[t, :, half], h, atol=1e-6)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_a_cell_is_a_step_of_the_network(kind):
    net, cell = getattr(nn, kind)(3, 4), getattr(nn, f"{kind}Cell")(3, 4)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in net.state_dict().items()})
    x, state = torch.randn(5, 2, 3), None
    for part in x:
        state = cell(part, state)
    _, last = net(x)
    found, expected = (state[1], last[1][0]) if kind == "LSTM" else (state, last[0])
    np.testing.assert_allclose(found.detach(), expected.detach(), atol=1e-6)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_packed_sequences_are_those_run_one_by_one(kind):
    net = getattr(nn, kind)(3, 4, num_layers=2, bidirectional=True)
    rows = [torch.randn(n, 3) for n in (2, 5, 3)]
    found = utils.unpack_sequence(net(utils.pack_sequence(rows, enforce_sorted=False))[0])
    for row, output in zip(rows, found, strict=True):
        np.testing.assert_allclose(output.detach(), net(row)[0].detach(), atol=1e-6)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_gradients(kind):
    net = getattr(nn, kind)(2, 3, dtype=torch.float64)
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x, *_: net(x)[0], (x, *net.parameters()))


def test_dropout_between_layers_stops_in_evaluation():
    net = nn.LSTM(3, 4, 2, dropout=0.5)
    x = torch.randn(5, 2, 3)
    assert not torch.equal(net(x)[0], net(x)[0])
    net.eval()
    assert torch.equal(net(x)[0], net(x)[0])


def test_representations():
    assert repr(nn.LSTM(3, 4, 2, batch_first=True, dropout=0.1)) == "LSTM(3, 4, num_layers=2, batch_first=True, dropout=0.1)"
    assert repr(nn.GRU(3, 4, bias=False, bidirectional=True)) == "GRU(3, 4, bias=False, bidirectional=True)"
    assert repr(nn.RNNCell(3, 4, nonlinearity="relu")) == "RNNCell(3, 4, nonlinearity=relu)"


def test_packing_and_padding():
    packed = utils.pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4, 5]), torch.tensor([6])])
    assert packed.data.tolist() == [1, 4, 6, 2, 5, 3]
    assert packed.batch_sizes.tolist() == [3, 2, 1]
    assert packed.sorted_indices is None
    padded, lengths = utils.pad_packed_sequence(packed, batch_first=True, padding_value=-1)
    assert padded.tolist() == [[1, 2, 3], [4, 5, -1], [6, -1, -1]]
    assert lengths.tolist() == [3, 2, 1]
    assert utils.pad_sequence([torch.ones(1), torch.ones(2)], padding_side="left").tolist() == [[0, 1], [1, 1]]


def test_gradients_pass_through_packing():
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: utils.pack_padded_sequence(x, [3, 1]).data * 2, (x,))
    assert gradcheck(lambda x: utils.pad_packed_sequence(utils.pack_padded_sequence(x, [3, 2]))[0] * 2, (x,))


def test_pieces_join_their_gradients():
    x = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: pieces(x, [1, 3, 2])[1] ** 2, (x,))
    assert gradcheck(lambda x: pieces(x)[4] ** 3, (x,))
    assert [tuple(part.shape) for part in pieces(x, [0, 6])] == [(0, 2), (6, 2)]


@pytest.mark.parametrize(
    ("program", "error", "message"),
    [
        (lambda: utils.pack_padded_sequence(torch.ones(3, 2), [1, 3]), RuntimeError, "sorted in decreasing order"),
        (lambda: utils.pack_padded_sequence(torch.ones(3, 2), [3]), RuntimeError, "equal to batch_size"),
        (lambda: utils.pack_padded_sequence(torch.ones(3, 2), [4, 3]), RuntimeError, "at most 3 steps, got 4"),
        (lambda: utils.pack_padded_sequence(torch.ones(3, 2), [3, 0]), RuntimeError, "greater than 0"),
        (lambda: utils.pack_padded_sequence(torch.ones(0, 2), [0, 0]), RuntimeError, "empty"),
        (lambda: utils.pack_padded_sequence(torch.ones(3, 1), [[3]]), RuntimeError, "1D"),
        (lambda: utils.PackedSequence(torch.ones(3)), AssertionError, "expected data and batch_sizes"),
        (lambda: nn.LSTM(3, 4)(torch.ones(5, 2, 3), (torch.ones(1, 2, 4), torch.ones(1, 3, 4))), RuntimeError, r"hidden\[1\]"),
        (lambda: nn.rnn.RNNBase("ESN", 3, 4), ValueError, "Unrecognized RNN mode: ESN"),
    ],
)
def test_mistakes(program, error, message):
    with pytest.raises(error, match=message):
        program()
