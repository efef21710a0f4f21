"""Activations and dropout beside PyTorch's: value, derivatives, dtype, edges, what they print, what they draw, mistakes."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.derivatives import derivatives, leaves
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(0)
INPUTS = {
    "matrix": RNG.uniform(-4, 4, (4, 6)),
    "cube": RNG.uniform(-4, 4, (2, 4, 6)),
    "number": np.array(-1.5),
    "empty": np.zeros((0, 4)),
    "far": np.array([-1e4, -200.0, -30.0, 30.0, 200.0, 1e4]),
    "corners": np.array([-6.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0, 20.0]),
}
ELEMENTWISE = {
    "relu": "F.relu(x)", "relu6": "F.relu6(x)", "leaky_relu": "F.leaky_relu(x, 0.2)", "elu": "F.elu(x)", "elu-2": "F.elu(x, 2.0)",
    "selu": "F.selu(x)", "celu": "F.celu(x)", "celu-2": "F.celu(x, alpha=2.0)", "gelu": "F.gelu(x)",
    "gelu-tanh": "F.gelu(x, approximate='tanh')", "silu": "F.silu(x)", "mish": "F.mish(x)", "hardtanh": "F.hardtanh(x)",
    "hardtanh-2": "F.hardtanh(x, -0.5, 3.0)", "hardswish": "F.hardswish(x)", "hardsigmoid": "F.hardsigmoid(x)",
    "hardshrink": "F.hardshrink(x)", "hardshrink-1": "F.hardshrink(x, 1.0)", "softshrink": "F.softshrink(x)",
    "softshrink-1": "F.softshrink(x, lambd=1.0)", "tanhshrink": "F.tanhshrink(x)", "threshold": "F.threshold(x, 0.5, -7.0)",
    "softplus": "F.softplus(x)", "softplus-2": "F.softplus(x, 2.0, 5.0)", "softsign": "F.softsign(x)",
    "logsigmoid": "F.logsigmoid(x)", "sigmoid": "F.sigmoid(x)", "tanh": "F.tanh(x)", "rrelu": "F.rrelu(x)",
    "prelu": "F.prelu(x, p.tensor(0.3, dtype=x.dtype))",
}  # fmt: skip
ALONG = {
    "softmax": "F.softmax(x, 0)", "softmin": "F.softmin(x, -1)", "log_softmax": "F.log_softmax(x, -1)", "glu": "F.glu(x)",
    "glu-0": "F.glu(x, 0)", "softmax-implicit": "F.softmax(x)", "softmin-implicit": "F.softmin(x)", "glu-odd": "F.glu(x[..., :3])",
    "softmax2d": "p.nn.Softmax2d()(x)", "prelu-channels": "F.prelu(x, x.detach().reshape(-1)[:4])",
    "prelu-first": "F.prelu(x, x.detach().reshape(-1)[:6])", "prelu-matrix": "F.prelu(x, x)",
    "gumbel": "F.gumbel_softmax(x, 0.7)", "gumbel-hard": "F.gumbel_softmax(x, hard=True, dim=0)",
    "rrelu-training": "F.rrelu(x, 0.1, 0.9, training=True)", "rrelu-bounds": "F.rrelu(x, 0.9, 0.1, True)",
    "dropout": "F.dropout(x, 0.3)", "dropout1d": "F.dropout1d(x, 0.3)", "dropout2d": "F.dropout2d(x, 0.6)",
    "dropout3d": "F.dropout3d(x, 0.6)", "alpha_dropout": "F.alpha_dropout(x, 0.3, True)",
    "alpha_dropout-eval": "F.alpha_dropout(x, 0.3)", "feature_alpha_dropout": "F.feature_alpha_dropout(x, 0.4, training=True)",
    "dropout-1": "F.dropout2d(x, 1.0)", "alpha_dropout-1": "F.alpha_dropout(x, 1.0, True)", "dropout-2": "F.dropout1d(x, 2.0)",
}  # fmt: skip
CALLS = ELEMENTWISE | ALONG


def run(p, call, array, dtype=np.float64, second=True):
    p.manual_seed(3)
    (x,) = leaves(p, [array], dtype)
    y = value_of(call, p=p, F=p.nn.functional, x=x)
    return [derivatives(p, y, [x], second), p.rand(2)]


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("name", CALLS)
def test_functions(name, kind):
    def program(p):  # the second derivative is PyTorch's where PyTorch has one: not of hardsigmoid, at corners any will do
        return run(p, CALLS[name], INPUTS[kind], second=kind not in ("corners", "far") and name != "hardsigmoid")

    compare(program, torch, tinygrad_nn, tolerance=1e-7, quiet="dropout" in name or "implicit" in name)


@pytest.mark.parametrize("name", CALLS)
def test_float32_stays_float32(name):
    def program(p):
        return run(p, CALLS[name], INPUTS["cube"], np.float32, second=False)

    compare(program, torch, tinygrad_nn, tolerance=1e-5, quiet=True)


@pytest.mark.parametrize("values", [[3, -2, 0, 7], [True, False]])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_what_is_not_floating(name, values):
    def program(p):
        return value_of(CALLS[name], p=p, F=p.nn.functional, x=p.tensor(values))

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("values", [[np.inf, 1.0], [-np.inf, 1.0], [np.nan, 1.0]])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_infinities_and_nans_pass_in_silence(name, values):
    def program(p):
        if name == "gelu" and values[0] == np.inf:
            return None  # PyTorch's is NaN
        return value_of(CALLS[name], p=p, F=p.nn.functional, x=p.tensor(values))

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize(
    "call",
    [f"F.{name}(y, inplace=True)" for name in (
        "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "silu", "mish", "hardtanh", "hardswish", "hardsigmoid", "rrelu",
        "dropout", "dropout2d", "alpha_dropout",
    )] + [f"F.{name}_(y)" for name in ("relu", "leaky_relu", "elu", "selu", "celu", "hardtanh", "rrelu")]
    + ["F.threshold_(y, 0.5, 2.0)", "F.threshold(y, 0.5, 2.0, True)"],
)  # fmt: skip
def test_written_into_the_input(call):
    def program(p):
        p.manual_seed(2)
        (x,) = leaves(p, [INPUTS["matrix"]])
        y = x * 1
        result = value_of(call, F=p.nn.functional, y=y)
        assert result is y
        return derivatives(p, y, [x], False)

    compare(program, torch, tinygrad_nn, tolerance=1e-7, quiet=True)


MODULES = {
    "matrix": (
        "Threshold(0.1, 20)", "Threshold(0.1, 20.0, inplace=True)", "ReLU()", "ReLU(inplace=True)", "RReLU()",
        "RReLU(0.2, 0.4).eval()", "RReLU(inplace=True)", "Hardtanh()", "Hardtanh(-2, 3, inplace=True)", "Hardtanh(2, 1)",
        "ReLU6()", "ReLU6(True)", "Sigmoid()", "Hardsigmoid()", "Hardsigmoid(inplace=True)", "Tanh()", "SiLU()",
        "SiLU(inplace=True)", "Mish()", "Hardswish()", "ELU()", "ELU(0.5, inplace=True)", "CELU()", "CELU(2.0)", "SELU()",
        "SELU(inplace=True)", "GLU()", "GLU(0)", "GELU()", "GELU('tanh')", "Hardshrink()", "Hardshrink(1)", "LeakyReLU(0.3)",
        "LogSigmoid()", "Softplus()", "Softplus(2, 3)", "Softshrink()", "PReLU()", "Softsign()", "Tanhshrink()", "Softmin(1)",
        "Softmin()", "Softmax(dim=0)", "LogSoftmax(-1)", "Dropout(0.2)", "Dropout(0.2, inplace=True)", "AlphaDropout()",
        "AlphaDropout(0.1).eval()",
    ),
    "cube": (
        "PReLU(4, init=0.1)", "PReLU(3)", "Softmax2d()", "Dropout1d(0.4)", "Dropout2d(0.4)", "Dropout3d(0.4)",
        "FeatureAlphaDropout(0.4)", "Dropout2d(1.5)",
    ),
    "number": (
        "Dropout1d()",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "call"), [(kind, call) for kind in MODULES for call in MODULES[kind]])
def test_modules(kind, call):
    def program(p):
        p.manual_seed(1)
        module = value_of(f"nn.{call}", nn=p.nn)
        (x,) = leaves(p, [INPUTS[kind]])
        module = module.to(p.float64)
        y = module(x * 1)
        state = {name: value.detach() for name, value in module.state_dict().items()}
        return [repr(module), state, *derivatives(p, y, [x, *module.parameters()], "Hardsigmoid" not in call)]

    compare(program, torch, tinygrad_nn, tolerance=1e-7, quiet=True)


HELD_BACK = {
    "relu": lambda p, x: x.relu(), "relu_": lambda p, x: (x * 1).relu_(), "clamp": lambda p, x: x.clamp(0, 1),
    "clamp_min": lambda p, x: x.clamp(min=0), "hardtanh": lambda p, x: p.nn.functional.hardtanh(x), "max": lambda p, x: x.max(),
    "where": lambda p, x: p.where(x > 0, x, 0.0),
    "embedding": lambda p, x: p.nn.functional.embedding(p.tensor([0, 1, 1]), x.view(3, 1), padding_idx=1),
}  # fmt: skip


@pytest.mark.parametrize("name", HELD_BACK)
def test_a_gradient_held_back_is_zero_without_a_sign(name):
    def program(p):
        x = p.tensor([-1.0, 0.0, 2.0], requires_grad=True)
        (-HELD_BACK[name](p, x).sum()).backward()
        return [str(value) for value in x.grad.tolist()]

    compare(program, torch, tinygrad_nn)
