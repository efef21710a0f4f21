"""Layers, losses and initial values beside PyTorch's: value, gradients, dtype, repr, state, random numbers, errors."""

import warnings
from itertools import zip_longest

import numpy as np
import pytest

import tinygrad_nn

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, (4, 5))
CUBE = RNG.uniform(-2, 2, (2, 3, 4, 5))
LINE = X[0]
P = RNG.uniform(0.05, 0.95, (4, 5))
Y = RNG.uniform(0.05, 0.95, (4, 5))
ONE_HOT = np.eye(5)[[1, 0, 4, 4]]
CLASSES = np.array([1, 0, 4, 4])
IGNORED = np.array([1, -100, 4, 0])
WEIGHT = RNG.uniform(0.5, 2, 5)
KINK = np.array([-1.0, 0.0, 2.0, 25.0, -25.0])
ALL_IGNORED = np.full(4, -100)
FAR = np.array([-200.0, -1.0, 1.0, 200.0])
ZERO = np.array([-1.0, 0.0, 2.0])
REDUCTIONS = ("mean", "sum", "none")


def tensor(package, array, dtype, **options):
    return package.tensor(array.astype(dtype) if array.dtype.kind == "f" else array, **options)


def derivatives(package, y, leaves, smooth=True):
    """A value with its first and, where there are any, second derivatives by the leaves."""
    found = [y]
    if y.requires_grad:
        weight = package.tensor(np.random.default_rng(5).uniform(0.5, 1, tuple(y.shape)).astype(str(y.dtype).split(".")[1]))
        first = package.autograd.grad((y * weight).sum(), leaves, create_graph=True, allow_unused=True)
        found += first
        again = [g for g in first if g is not None and g.requires_grad]
        if again and smooth:
            found += package.autograd.grad(sum((g * g).sum() for g in again), leaves, allow_unused=True)
    return found


def assert_same(program, tolerance):
    """One program gives the same tensors, in values, shapes and dtypes, under both packages from one seed."""
    results = []
    for package in (torch, tinygrad_nn):
        package.manual_seed(11)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append(program(package))
    for a, b in zip_longest(*results):
        if a is None or b is None:
            assert all(v is None or not v.any() for v in (a, b))
            continue
        assert repr(b.dtype) == repr(a.dtype)
        assert tuple(b.shape) == tuple(a.shape)
        np.testing.assert_allclose(b.detach().numpy(), a.numpy(force=True), rtol=tolerance, atol=tolerance)


DTYPES = pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 2e-5)])

LAYERS = {
    "Identity": (lambda nn: nn.Identity(3, any=1), X),
    "Linear": (lambda nn: nn.Linear(5, 3), X),
    "Linear-no-bias": (lambda nn: nn.Linear(5, 3, bias=False), X),
    "Linear-line": (lambda nn: nn.Linear(5, 3), LINE),
    "Linear-cube": (lambda nn: nn.Linear(5, 1), CUBE),
    "Linear-no-rows": (lambda nn: nn.Linear(5, 2), X[:0]),
    "Flatten": (lambda nn: nn.Flatten(), CUBE),
    "Flatten-all": (lambda nn: nn.Flatten(0), CUBE),
    "Flatten-middle": (lambda nn: nn.Flatten(1, 2), CUBE),
    "Flatten-negative": (lambda nn: nn.Flatten(start_dim=-3, end_dim=-2), CUBE),
    "Dropout": (lambda nn: nn.Dropout(), X),
    "Dropout-0.2": (lambda nn: nn.Dropout(p=0.2), CUBE),
    "Dropout-0": (lambda nn: nn.Dropout(0), X),
    "Dropout-1": (lambda nn: nn.Dropout(1.0), X),
    "Dropout-eval": (lambda nn: nn.Dropout(0.9).eval(), X),
    "Sigmoid": (lambda nn: nn.Sigmoid(), X),
    "Sigmoid-far": (lambda nn: nn.Sigmoid(), FAR),
    "Tanh": (lambda nn: nn.Tanh(), X),
    "ReLU": (lambda nn: nn.ReLU(), X),
    "ReLU-zero": (lambda nn: nn.ReLU(), ZERO),
    "ReLU-inplace": (lambda nn: nn.ReLU(inplace=True), X),
    "LeakyReLU": (lambda nn: nn.LeakyReLU(), X),
    "LeakyReLU-zero": (lambda nn: nn.LeakyReLU(0.3), ZERO),
    "LeakyReLU-slope": (lambda nn: nn.LeakyReLU(0.2), X),
    "Dropout-inplace": (lambda nn: nn.Dropout(0.5, inplace=True), X),
    "LeakyReLU-inplace": (lambda nn: nn.LeakyReLU(0.2, inplace=True), X),
    "GELU": (lambda nn: nn.GELU(), X),
    "GELU-tanh": (lambda nn: nn.GELU("tanh"), X),
    "GELU-far": (lambda nn: nn.GELU(), FAR),
    "Softmax": (lambda nn: nn.Softmax(1), X),
    "Softmax-implicit-1": (lambda nn: nn.Softmax(), LINE),
    "Softmax-implicit-2": (lambda nn: nn.Softmax(), X),
    "Softmax-implicit-3": (lambda nn: nn.Softmax(), CUBE[0]),
    "Softmax-far": (lambda nn: nn.Softmax(dim=-1), FAR),
    "LogSoftmax": (lambda nn: nn.LogSoftmax(dim=-1), CUBE),
    "LogSoftmax-implicit": (lambda nn: nn.LogSoftmax(), CUBE),
    "LogSoftmax-far": (lambda nn: nn.LogSoftmax(dim=0), FAR),
    "Sequential": (lambda nn: nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Dropout(0.3), nn.Linear(4, 2)), X),
}


@DTYPES
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, dtype, tolerance):
    make, array = LAYERS[name]

    def program(p):
        layer = make(p.nn).to(p.float64 if dtype is np.float64 else p.float32)
        x = tensor(p, array, dtype, requires_grad=True)
        leaves = [x, *layer.parameters()]
        return [*layer.parameters(), *derivatives(p, layer(x * 1 if "inplace" in name else x), leaves)]

    assert_same(program, tolerance)


@pytest.mark.parametrize("name", LAYERS)
def test_how_layers_print_and_what_their_state_is_called(name):
    theirs, ours = (LAYERS[name][0](p.nn) for p in (torch, tinygrad_nn))
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
    assert ours.training == theirs.training


def test_dtype_and_seed_of_new_layers():
    def program(p):
        p.set_default_dtype(p.float64)
        try:
            layers = [p.nn.Linear(7, 2), p.nn.Linear(3, 2, dtype=p.float32), p.nn.Linear(16, 16, False, None, p.float64)]
        finally:
            p.set_default_dtype(p.float32)
        layers.append(p.nn.Linear(40, 30, device="cpu"))
        layers[-1].reset_parameters()
        return [v for layer in layers for v in layer.parameters()]

    assert_same(program, 1e-7)


def reduced(make, *arrays):
    return {reduction: (lambda p, *v, r=reduction: make(p, *v, r), arrays) for reduction in REDUCTIONS}


LOSSES = {
    "MSELoss": reduced(lambda p, x, y, r: p.nn.MSELoss(reduction=r)(x, y), X, Y),
    "MSELoss-broadcast": reduced(lambda p, x, y, r: p.nn.MSELoss(reduction=r)(x, y), X, Y[:1]),
    "L1Loss": reduced(lambda p, x, y, r: p.nn.L1Loss(reduction=r)(x, y), X, Y),
    "L1Loss-broadcast": reduced(lambda p, x, y, r: p.nn.L1Loss(reduction=r)(x, y), X, Y[:1]),
    "L1Loss-equal": reduced(lambda p, x, y, r: p.nn.L1Loss(reduction=r)(x, y), X, X),
    "BCELoss": reduced(lambda p, x, y, r: p.nn.BCELoss(reduction=r)(x, y), P, Y),
    "MSELoss-no-rows": reduced(lambda p, x, y, r: p.nn.MSELoss(reduction=r)(x, y), X[:0], Y[:0]),
    "BCEWithLogitsLoss-zero": reduced(lambda p, x, y, r: p.nn.BCEWithLogitsLoss(reduction=r)(x, y), KINK, Y[0]),
    "NLLLoss-all-ignored": reduced(lambda p, x, y, r: p.nn.NLLLoss(reduction=r)(x, y), X, ALL_IGNORED),
    "NLLLoss-no-rows": reduced(lambda p, x, y, r: p.nn.NLLLoss(reduction=r)(x, y), X[:0], CLASSES[:0]),
    "NLLLoss-line-of-one": reduced(lambda p, x, y, r: p.nn.NLLLoss(reduction=r)(x.detach(), y), LINE, np.array([2])),
    "CrossEntropyLoss-all-ignored": reduced(lambda p, x, y, r: p.nn.CrossEntropyLoss(reduction=r)(x, y), X, ALL_IGNORED),
    "CrossEntropyLoss-all-ignored-smooth": reduced(
        lambda p, x, y, r: p.nn.CrossEntropyLoss(reduction=r, label_smoothing=0.1)(x, y), X, ALL_IGNORED
    ),
    "CrossEntropyLoss-no-weight": reduced(
        lambda p, x, y, w, r: p.nn.CrossEntropyLoss(w.detach(), reduction=r, label_smoothing=0.1)(x, y),
        X,
        CLASSES,
        WEIGHT * (WEIGHT > 1),
    ),
    "CrossEntropyLoss-no-rows": reduced(lambda p, x, y, r: p.nn.CrossEntropyLoss(reduction=r)(x, y), X[:0], CLASSES[:0]),
    "CrossEntropyLoss-probabilities-no-rows": reduced(lambda p, x, y, r: p.nn.CrossEntropyLoss(reduction=r)(x, y), X[:0], Y[:0]),
    "BCELoss-weight": reduced(lambda p, x, y, w, r: p.nn.BCELoss(w.detach(), reduction=r)(x, y), P, Y, WEIGHT),
    "BCEWithLogitsLoss": reduced(lambda p, x, y, r: p.nn.BCEWithLogitsLoss(reduction=r)(x, y), X, Y),
    "BCEWithLogitsLoss-far": reduced(lambda p, x, y, r: p.nn.BCEWithLogitsLoss(reduction=r)(x, y), FAR, ONE_HOT[0, :4]),
    "BCEWithLogitsLoss-weights": reduced(
        lambda p, x, y, w, v, r: p.nn.BCEWithLogitsLoss(w.detach(), reduction=r, pos_weight=v.detach())(x, y),
        X,
        Y,
        WEIGHT,
        WEIGHT[::-1],
    ),
    "NLLLoss": reduced(lambda p, x, y, r: p.nn.NLLLoss(reduction=r)(x.log_softmax(1), y), X, CLASSES),
    "NLLLoss-line": reduced(lambda p, x, y, r: p.nn.NLLLoss(reduction=r)(x, y), LINE, np.array(2)),
    "NLLLoss-weight": reduced(lambda p, x, y, w, r: p.nn.NLLLoss(w.detach(), reduction=r)(x, y), X, CLASSES, WEIGHT),
    "NLLLoss-ignore": reduced(
        lambda p, x, y, w, r: p.nn.NLLLoss(w.detach(), ignore_index=4, reduction=r)(x, y), X, CLASSES, WEIGHT
    ),
    "CrossEntropyLoss": reduced(lambda p, x, y, r: p.nn.CrossEntropyLoss(reduction=r)(x, y), X, CLASSES),
    "CrossEntropyLoss-line": reduced(lambda p, x, y, r: p.nn.CrossEntropyLoss(reduction=r)(x, y), LINE, np.array(2)),
    "CrossEntropyLoss-cube": reduced(
        lambda p, x, y, r: p.nn.CrossEntropyLoss(reduction=r)(x, y), CUBE, np.random.default_rng(3).integers(0, 3, (2, 4, 5))
    ),
    "CrossEntropyLoss-uint8": reduced(lambda p, x, y, r: p.nn.CrossEntropyLoss(reduction=r)(x, y), X, CLASSES.astype(np.uint8)),
    "CrossEntropyLoss-ignored": reduced(lambda p, x, y, r: p.nn.CrossEntropyLoss(reduction=r)(x, y), X, IGNORED),
    "CrossEntropyLoss-weight": reduced(
        lambda p, x, y, w, r: p.nn.CrossEntropyLoss(w.detach(), ignore_index=0, reduction=r)(x, y), X, CLASSES, WEIGHT
    ),
    "CrossEntropyLoss-smooth": reduced(
        lambda p, x, y, r: p.nn.CrossEntropyLoss(reduction=r, label_smoothing=0.2)(x, y), X, IGNORED
    ),
    "CrossEntropyLoss-smooth-plain": reduced(
        lambda p, x, y, r: p.nn.CrossEntropyLoss(reduction=r, label_smoothing=1.0)(x, y), X, CLASSES
    ),
    "CrossEntropyLoss-smooth-weight": reduced(
        lambda p, x, y, w, r: p.nn.CrossEntropyLoss(w.detach(), reduction=r, label_smoothing=0.2)(x, y), X, IGNORED, WEIGHT
    ),
    "CrossEntropyLoss-probabilities": reduced(lambda p, x, y, r: p.nn.CrossEntropyLoss(reduction=r)(x, y), X, Y),
    "CrossEntropyLoss-probabilities-line": reduced(lambda p, x, y, r: p.nn.CrossEntropyLoss(reduction=r)(x, y), LINE, Y[0]),
    "CrossEntropyLoss-probabilities-cube": reduced(
        lambda p, x, y, w, r: p.nn.CrossEntropyLoss(w.detach()[:3], reduction=r, label_smoothing=0.1)(x, y), CUBE, CUBE**2, WEIGHT
    ),
}
LOSS_CASES = [(name, reduction) for name in LOSSES for reduction in REDUCTIONS]


@DTYPES
@pytest.mark.parametrize(("name", "reduction"), LOSS_CASES)
def test_losses(name, reduction, dtype, tolerance):
    loss_of, arrays = LOSSES[name][reduction]

    def program(p):
        values = [tensor(p, a, dtype, requires_grad=a.dtype.kind == "f") for a in arrays]
        return derivatives(p, loss_of(p, *values), [v for v in values if v.requires_grad])

    assert_same(program, tolerance)


FUNCTIONS = {
    "relu": (lambda p, x: p.nn.functional.relu(x), [X]),
    "sigmoid": (lambda p, x: p.nn.functional.sigmoid(x), [X]),
    "tanh": (lambda p, x: p.nn.functional.tanh(x), [X]),
    "logsigmoid": (lambda p, x: p.nn.functional.logsigmoid(x), [X]),
    "logsigmoid-far": (lambda p, x: p.nn.functional.logsigmoid(x), [FAR]),
    "logsigmoid-zero": (lambda p, x: p.nn.functional.logsigmoid(x), [KINK]),
    "softplus": (lambda p, x: p.nn.functional.softplus(x), [KINK]),
    "softplus-beta": (lambda p, x: p.nn.functional.softplus(x, beta=2.0, threshold=3.0), [KINK]),
    "dropout-ones": (lambda p, x: p.nn.functional.dropout(x, 1.0), [CLASSES]),
    "dropout-none": (lambda p, x: p.nn.functional.dropout(x, 0.0), [CLASSES]),
    "linear-vector": (lambda p, x, w: p.nn.functional.linear(x, w), [X, Y[0]]),
    "linear-vector-bias": (lambda p, x, w, b: p.nn.functional.linear(x, w, b), [LINE, Y[0], np.array(2.0)]),
    "linear-bias-of-one": (lambda p, x, w, b: p.nn.functional.linear(x, w, b), [X, Y, Y[0, :1]]),
    "linear-bias-of-rows": (lambda p, x, w, b: p.nn.functional.linear(x, w, b), [X, Y, Y[:, :4]]),
    "mse-weight": (lambda p, x, y, w: p.nn.functional.mse_loss(x, y, weight=w), [X, Y, P]),
    "l1-weight": (lambda p, x, y, w: p.nn.functional.l1_loss(x, y, weight=w), [X, Y, P]),
    "mse-one-int": (lambda p, x, y: p.nn.functional.mse_loss(x, y), [WEIGHT[:4], CLASSES]),
    "softmax-int": (lambda p, x: p.nn.functional.softmax(x, 0, dtype=p.float32), [CLASSES]),
    "one_hot-empty": (lambda p, x: p.nn.functional.one_hot(x, 3), [CLASSES[:0]]),
    "softmax-dtype": (lambda p, x: p.nn.functional.softmax(x, 0, dtype=p.float64), [X]),
    "log_softmax-dtype": (lambda p, x: p.nn.functional.log_softmax(x, -1, dtype=p.float64), [X]),
    "dropout-eval": (lambda p, x: p.nn.functional.dropout(x, 0.5, training=False), [X]),
    "dropout": (lambda p, x: p.nn.functional.dropout(x, 0.25), [CUBE]),
    "flatten": (lambda p, x: p.flatten(x, 1), [CUBE]),
    "normalize": (lambda p, x: p.nn.functional.normalize(x), [X]),
    "normalize-1": (lambda p, x: p.nn.functional.normalize(x, p=1.0, dim=0), [X]),
    "normalize-3": (lambda p, x: p.nn.functional.normalize(x, 3.0, dim=-1), [CUBE]),
    "normalize-eps": (lambda p, x: p.nn.functional.normalize(x, eps=100.0), [X]),
    "one_hot": (lambda p, x: p.nn.functional.one_hot(x), [CLASSES]),
    "one_hot-classes": (lambda p, x: p.nn.functional.one_hot(x, num_classes=7), [CLASSES.reshape(2, 2)]),
    "linear": (lambda p, x, w: p.nn.functional.linear(x, w), [X, Y]),
    "pad": (lambda p, x: p.nn.functional.pad(x, (1, 2)), [X]),
    "bce-ends": (lambda p, x, y: p.nn.functional.binary_cross_entropy(x, y).detach(), [np.eye(5), np.ones((5, 5))]),
    **{
        name: (lambda p, x, y, name=name: getattr(p.nn.functional, name)(x, y), [P, Y])
        for name in ("mse_loss", "l1_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy")
    },
    "nll_loss": (lambda p, x, y: p.nn.functional.nll_loss(x, y), [P, CLASSES]),
}


@DTYPES
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name, dtype, tolerance):
    function, arrays = FUNCTIONS[name]

    def program(p):
        values = [tensor(p, a, dtype, requires_grad=a.dtype.kind == "f") for a in arrays]
        return derivatives(p, function(p, *values), [v for v in values if v.requires_grad])

    assert_same(program, tolerance)


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.0, np.inf, 0.0])
def test_normalize_of_rows_with_zeros(p):
    def program(package):
        x = package.tensor([[0.0, 0.0], [0.0, 2.0], [3.0, -4.0]], dtype=package.float64, requires_grad=True)
        y = package.nn.functional.normalize(x, p=p)
        (y * package.tensor([1.0, 2.0], dtype=package.float64)).sum().backward()
        return [y, x.grad]

    assert_same(program, 1e-9)


INITS = {
    "uniform": lambda i, t: i.uniform_(t),
    "uniform-bounds": lambda i, t: i.uniform_(t, a=-3.0, b=2.0),
    "normal": lambda i, t: i.normal_(t),
    "normal-2-3": lambda i, t: i.normal_(t, mean=2.0, std=3.0),
    "constant": lambda i, t: i.constant_(t, 0.3),
    "ones": lambda i, t: i.ones_(t),
    "zeros": lambda i, t: i.zeros_(t),
    "eye": lambda i, t: i.eye_(t),
    "xavier_uniform": lambda i, t: i.xavier_uniform_(t),
    "xavier_uniform-gain": lambda i, t: i.xavier_uniform_(t, gain=2.0),
    "xavier_normal": lambda i, t: i.xavier_normal_(t, 0.5),
    "kaiming_uniform": lambda i, t: i.kaiming_uniform_(t),
    "kaiming_uniform-out": lambda i, t: i.kaiming_uniform_(t, a=0.1, mode="fan_out"),
    "kaiming_uniform-tanh": lambda i, t: i.kaiming_uniform_(t, nonlinearity="tanh"),
    "kaiming_normal": lambda i, t: i.kaiming_normal_(t, nonlinearity="relu"),
    "kaiming_normal-selu": lambda i, t: i.kaiming_normal_(t, mode="fan_out", nonlinearity="selu"),
    "kaiming_normal-linear": lambda i, t: i.kaiming_normal_(t, nonlinearity="linear"),
    "trunc_normal": lambda i, t: i.trunc_normal_(t),
    "trunc_normal-0.02": lambda i, t: i.trunc_normal_(t, std=0.02, a=-0.03, b=0.01),
    "trunc_normal-tail": lambda i, t: i.trunc_normal_(t, mean=0.0, std=1.0, a=1.0, b=3.0),
    "sparse": lambda i, t: i.sparse_(t, 0.3),
    "dirac": lambda i, t: i.dirac_(t),
    "kaiming_normal-upper": lambda i, t: i.kaiming_normal_(t, mode="FAN_OUT"),
    "orthogonal": lambda i, t: i.orthogonal_(t),
    "orthogonal-gain": lambda i, t: i.orthogonal_(t, gain=3.0),
}


@pytest.mark.parametrize("shape", [(4, 6), (7, 3), (3, 2, 3, 2)])
@pytest.mark.parametrize("name", INITS)
def test_initial_values(name, shape):
    if name in ("eye", "sparse"):
        shape = shape[:2]
    elif name == "dirac":
        shape = {2: (*shape, 3), 4: shape}[len(shape)]

    def program(p):
        given = [p.zeros(shape, requires_grad=True), p.zeros(shape, dtype=p.float64)]
        filled = [INITS[name](p.nn.init, t) for t in given]
        assert all(a is b and a.is_leaf for a, b in zip(given, filled, strict=True))
        return filled

    assert_same(program, 1e-5)


def test_initial_values_of_a_generator():
    def program(p):
        i, source = p.nn.init, p.Generator().manual_seed(5)
        functions = (
            i.uniform_, i.normal_, i.xavier_uniform_, i.xavier_normal_, i.kaiming_uniform_, i.kaiming_normal_, i.orthogonal_
        )  # fmt: skip
        return [*(f(p.empty(5, 4), generator=source) for f in functions), p.rand(3)]

    assert_same(program, 1e-5)


@pytest.mark.parametrize(
    ("name", "param"),
    [(n, None) for n in ("linear", "conv1d", "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu")]
    + [("leaky_relu", 0.3), ("leaky_relu", 2)],
)
def test_gain(name, param):
    ours, theirs = (p.nn.init.calculate_gain(name, param) for p in (tinygrad_nn, torch))
    assert ours == pytest.approx(theirs, rel=1e-15)
