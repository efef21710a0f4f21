"""Recurrent networks beside PyTorch's: first weights, outputs, states, gradients, dropped elements, packing, mistakes."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

T, N, SIZE, HIDDEN = 5, 3, 4, 6


def agree(program, *args, tolerance=2e-6):
    def seeded(p, *args):
        p.manual_seed(3)
        return program(p, *args)

    compare(seeded, torch, tinygrad_nn, *args, tolerance=tolerance)


def with_gradients(p, net, inputs, outputs):
    """The outputs, and what a loss that weighs each of their elements differently sends back."""
    loss = sum((o * p.linspace(-1, 2, o.numel()).view(o.shape)).sum() for o in outputs)
    loss.backward()
    return [*outputs, *(v.grad for v in (*inputs, *net.parameters()))]


def flat(value):
    return [part for item in value for part in flat(item)] if isinstance(value, tuple) else [value]


OPTIONS = [
    {},
    {"num_layers": 2},
    {"bidirectional": True},
    {"num_layers": 3, "bidirectional": True, "batch_first": True},
    {"num_layers": 2, "dropout": 0.4},
    {"num_layers": 2, "dropout": 0.4, "batch_first": True, "bidirectional": True},
    {"bias": False, "num_layers": 2},
]
KINDS = [
    *[(kind, options) for kind in ("RNN", "LSTM", "GRU") for options in OPTIONS],
    ("RNN", {"nonlinearity": "relu", "num_layers": 2}),
    ("LSTM", {"proj_size": 2}),
    ("LSTM", {"proj_size": 2, "num_layers": 2, "bidirectional": True, "dropout": 0.3}),
    ("LSTM", {"proj_size": 2, "num_layers": 2, "bias": False, "batch_first": True}),
]


@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize("given", ["zeros", "state", "unbatched"])
def test_networks(kind, options, given):
    def program(p):
        net = getattr(p.nn, kind)(SIZE, HIDDEN, **options)
        batch = () if given == "unbatched" else (N,)
        x = p.randn(*((N, T) if batch and options.get("batch_first") else (T, *batch)), SIZE, requires_grad=True)
        states = []
        if given != "zeros":
            count = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
            sizes = [options.get("proj_size") or HIDDEN, HIDDEN][: 1 + (kind == "LSTM")]
            states = [p.randn(count, *batch, size, requires_grad=True) for size in sizes]
        hx = None if not states else tuple(states) if kind == "LSTM" else states[0]
        outputs = flat(net(x, hx))
        names = [(k, tuple(v.shape)) for k, v in net.state_dict().items()]
        return [names, repr(net), *with_gradients(p, net, [x, *states], outputs), p.rand(2)]

    agree(program)


@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize("lengths", [[5, 3, 1], [2, 5, 2], [4, 4, 4]])
def test_packed_sequences(kind, options, lengths):
    def program(p):
        net = getattr(p.nn, kind)(SIZE, HIDDEN, **options)
        first = options.get("batch_first", False)
        x = p.randn(*((N, T) if first else (T, N)), SIZE, requires_grad=True)
        packed = p.nn.utils.rnn.pack_padded_sequence(x, lengths, first, enforce_sorted=False)
        output, state = net(packed)
        padded, found = p.nn.utils.rnn.pad_packed_sequence(output, first, padding_value=-1.0, total_length=6)
        again = flat(net(packed, state))[1:]
        places = [output.batch_sizes, output.sorted_indices, output.unsorted_indices, found]
        return [*places, *with_gradients(p, net, [x], [padded, *flat(state), *again])]

    agree(program, tolerance=5e-6)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("RNNCell", {}), ("RNNCell", {"nonlinearity": "relu"}), ("RNNCell", {"bias": False}), ("LSTMCell", {}),
        ("LSTMCell", {"bias": False}), ("GRUCell", {}), ("GRUCell", {"bias": False}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("batch", [(3,), ()])
@pytest.mark.parametrize("started", [True, False])
def test_cells(kind, options, batch, started):
    def program(p):
        cell = getattr(p.nn, kind)(SIZE, HIDDEN, **options)
        x = p.randn(*batch, SIZE, requires_grad=True)
        state = [p.randn(*batch, HIDDEN, requires_grad=True) for _ in range(1 + (kind == "LSTMCell"))] if started else []
        hx = None if not state else tuple(state) if kind == "LSTMCell" else state[0]
        for _ in range(3):
            hx = cell(x, hx)
        return [list(cell.state_dict()), repr(cell), *with_gradients(p, cell, [x, *state], flat(hx))]

    agree(program)


def test_double_precision_and_second_derivatives():
    def program(p, kind):
        net = getattr(p.nn, kind)(2, 3, 2, bidirectional=True, dtype=p.float64)
        x = p.randn(4, 2, 2, dtype=p.float64, requires_grad=True)
        output = flat(net(x))[0]
        (first,) = p.autograd.grad((output * output).sum(), x, create_graph=True)
        (first * first).sum().backward()
        return [output, first, x.grad, *(v.grad for v in net.parameters())]

    for kind in ("RNN", "LSTM", "GRU"):
        agree(program, kind, tolerance=1e-9)


RNN_UTILS = {
    "pad": lambda u, rows: u.pad_sequence(rows),
    "pad first": lambda u, rows: u.pad_sequence(rows, batch_first=True, padding_value=7.0),
    "pad left": lambda u, rows: u.pad_sequence(rows, True, -1.0, "left"),
    "unpad": lambda u, rows: u.unpad_sequence(*u.pad_packed_sequence(u.pack_sequence(rows, enforce_sorted=False))),
    "pack": lambda u, rows: list(u.pack_sequence(rows, enforce_sorted=False)),
    "unpack": lambda u, rows: u.unpack_sequence(u.pack_sequence(rows, enforce_sorted=False)),
    "double": lambda u, rows: list(u.pack_sequence(rows, False).double()),
    "itself": lambda u, rows: (packed := u.pack_sequence(rows, False)).to(packed.data.dtype) is packed,
    "inverse": lambda u, rows: u.invert_permutation(u.pack_sequence(rows, False).sorted_indices),
    "unsorted": lambda u, rows: u.pack_sequence(rows),
    "side": lambda u, rows: u.pad_sequence(rows, padding_side="up"),
    "number": lambda u, rows: u.pad_sequence(3),
    "empty": lambda u, rows: u.pad_sequence([]),
    "too short": lambda u, rows: u.pad_packed_sequence(u.pack_sequence(rows, False), total_length=2),
    "count": lambda u, rows: u.pack_padded_sequence(rows[0][:, None], [1, 1]),
    "zero": lambda u, rows: u.pack_padded_sequence(rows[0][:, None], [0]),
    "trailing": lambda u, rows: u.pad_sequence([rows[0], rows[1][:, None]]),
}


@pytest.mark.parametrize("shape", [(), (2,), (2, 3)])
@pytest.mark.parametrize("name", RNN_UTILS)
def test_padding_and_packing(name, shape):
    agree(lambda p: RNN_UTILS[name](p.nn.utils.rnn, [p.randn(n, *shape) for n in (2, 4, 3, 2)]))


def test_packed_sequences_of_words_print_alike():
    def program(p):
        u = p.nn.utils.rnn
        packed = u.pack_padded_sequence(p.tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]]), [2, 1, 3], True, False)
        return [repr(packed), *u.pad_packed_sequence(packed, batch_first=True), repr(u.pack_sequence([p.arange(2), p.arange(1)]))]

    agree(program)


MISTAKES = {
    "1-D input": lambda p: p.nn.LSTM(2, 3)(p.ones(2)),
    "4-D input": lambda p: p.nn.GRU(2, 3)(p.ones(1, 1, 1, 2)),
    "features": lambda p: p.nn.RNN(2, 3)(p.ones(4, 1, 3)),
    "dtype": lambda p: p.nn.LSTM(2, 3)(p.ones(4, 1, 2, dtype=p.float64)),
    "state": lambda p: p.nn.GRU(2, 3)(p.ones(4, 1, 2), p.ones(1, 2, 3)),
    "state of an LSTM": lambda p: p.nn.LSTM(2, 3)(p.ones(4, 1, 2), (p.ones(1, 1, 3), p.ones(1, 1, 4))),
    "state with a batch": lambda p: p.nn.GRU(2, 3)(p.ones(4, 2), p.ones(1, 1, 3)),
    "state without a batch": lambda p: p.nn.LSTM(2, 3)(p.ones(4, 1, 2), (p.ones(1, 3), p.ones(1, 3))),
    "no steps": lambda p: p.nn.RNN(2, 3)(p.ones(0, 1, 2)),
    "nonlinearity": lambda p: p.nn.RNN(2, 3, nonlinearity="sine"),
    "nonlinearity of a cell": lambda p: p.nn.RNNCell(2, 3, nonlinearity="sine")(p.ones(1, 2)),
    "projection": lambda p: p.nn.GRU(2, 3, proj_size=1),
    "projection too large": lambda p: p.nn.LSTM(2, 3, proj_size=3),
    "dropout": lambda p: p.nn.LSTM(2, 3, dropout=1.5),
    "hidden_size": lambda p: p.nn.LSTM(2, 0),
    "input_size": lambda p: p.nn.LSTM(2.0, 3),
    "bias": lambda p: p.nn.LSTM(2, 3, bias=1),
    "layers": lambda p: p.nn.LSTM(2, 3, 0),
    "keyword": lambda p: p.nn.GRU(2, 3, hidden=1),
    "cell's input": lambda p: p.nn.GRUCell(2, 3)(p.ones(1, 1, 2)),
    "cell's state": lambda p: p.nn.RNNCell(2, 3)(p.ones(1, 2), p.ones(1, 1, 3)),
    "cell's features": lambda p: p.nn.LSTMCell(2, 3)(p.ones(1, 3)),
    "cell's batch": lambda p: p.nn.GRUCell(2, 3)(p.ones(2, 2), p.ones(1, 3)),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    agree(MISTAKES[name])


def test_dropout_of_a_single_layer_warns():
    for package in (torch, tinygrad_nn):
        with pytest.warns(UserWarning, match="num_layers greater than 1"):
            package.nn.LSTM(2, 3, dropout=0.5)


def test_state_is_exchanged():
    theirs, ours = torch.nn.LSTM(3, 4, 2, bidirectional=True), tinygrad_nn.nn.LSTM(3, 4, 2, bidirectional=True)
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    x = np.random.default_rng(0).random((5, 2, 3), np.float32)
    found = ours(tinygrad_nn.from_numpy(x))[0].detach().numpy()
    np.testing.assert_allclose(found, theirs(torch.from_numpy(x))[0].detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("method", ["int", "half", "char", "byte", "short", "is_pinned", "pin_memory", "cuda"])
def test_casts_of_packed_sequences(method):
    def program(p):
        packed = p.nn.utils.rnn.pack_sequence([p.tensor([3.0]), p.tensor([1.0, 2.0])], enforce_sorted=False)
        found = getattr(packed, method)()
        return found, found is packed

    compare(program, torch, tinygrad_nn)
