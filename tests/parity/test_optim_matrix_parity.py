"""The optimisers that look at a parameter's rows and columns beside PyTorch's: Adafactor and Muon."""

import inspect

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare
from tinygrad_nn.optim.muon import rounded

torch = pytest.importorskip("torch")

OPTIONS = {
    "Adafactor": [
        {}, {"lr": 0.5}, {"beta2_decay": -0.3}, {"beta2_decay": 0.0}, {"eps": (1e-3, 0.1)}, {"eps": (None, 0.5)},
        {"eps": (0.7, 0.0)}, {"d": 2.5}, {"weight_decay": 0.2}, {"maximize": True}, {"foreach": True},
        {"lr": 0.3, "eps": (1e-2, 1e-2), "d": 1.5, "weight_decay": 0.1, "maximize": True},
    ],
    "Muon": [
        {}, {"nesterov": False}, {"momentum": 0.0}, {"momentum": 0.3}, {"weight_decay": 0.0}, {"adjust_lr_fn": "match_rms_adamw"},
        {"adjust_lr_fn": "original"}, {"ns_steps": 0}, {"ns_steps": 2}, {"ns_coefficients": (2, -1.5, 0.5)}, {"eps": 1.0},
    ],
}  # fmt: skip
CASES = [(name, options) for name, listed in OPTIONS.items() for options in listed]
SHAPES = {"Adafactor": [(3, 5), (), (7,), (2, 4, 3), (1, 1)], "Muon": [(3, 5), (5, 3), (1, 4), (2, 2)]}


def label(value):
    return value if isinstance(value, str) else "-".join(f"{k}={v}" for k, v in value.items())


def descend(p, name, options, dtype, steps=20):
    """The path of parameters with noisy gradients of a bowl; the last one never has a gradient."""
    rng = np.random.default_rng(0)
    weights = [p.from_numpy(np.array(rng.standard_normal(shape), dtype)).requires_grad_() for shape in SHAPES[name]]
    optimizer = getattr(p.optim, name)([*weights, p.ones(2, 2, requires_grad=True)], **{"lr": 0.1, **options})
    path = []
    for _ in range(steps):
        for w in weights:
            w.grad = p.from_numpy(np.array(0.5 * w.detach().numpy() + rng.standard_normal(w.shape), dtype))
        optimizer.step()
        path.append([w.detach().numpy().copy() for w in weights])
    return path, optimizer.state_dict(), repr(optimizer)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "options"), CASES, ids=label)
def test_20_steps(name, options, dtype):
    tolerance = 3e-6 if dtype == np.float32 else 1e-9
    if name == "Muon":
        tolerance = 1e-3  # the last digit of bfloat16, which the order of a sum decides
    compare(descend, torch, tinygrad_nn, name, options, dtype, tolerance=tolerance)


@pytest.mark.parametrize("name", OPTIONS)
def test_lr_as_a_tensor_and_a_scheduler(name):
    def program(p):
        weight = p.ones(2, 3, requires_grad=True)
        optimizer = getattr(p.optim, name)([weight], lr=p.tensor(0.1))
        scheduler = p.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        for i in range(3):
            weight.grad = p.arange(6.0).reshape(2, 3) + i
            optimizer.step()
            scheduler.step()
        return weight, scheduler.get_last_lr(), optimizer.state_dict()

    compare(program, torch, tinygrad_nn, tolerance=1e-5)


@pytest.mark.parametrize("name", OPTIONS)
def test_states_go_on_where_they_stopped(name):
    def program(p):
        weight = p.arange(6.0).reshape(2, 3).requires_grad_()
        found, optimizer = [], getattr(p.optim, name)([weight], lr=0.1)
        for i in range(4):
            state, optimizer = optimizer.state_dict(), getattr(p.optim, name)([weight], lr=0.5)
            optimizer.load_state_dict(state)
            weight.grad = p.cos(p.arange(6.0).reshape(2, 3) + i)
            optimizer.step()
            found.append(weight.detach().clone())
        return found

    compare(program, torch, tinygrad_nn, tolerance=1e-5)


def test_rounding_to_bfloat16():
    values = np.random.default_rng(0).standard_normal(10000).astype(np.float32)
    values[:6] = [0.0, -0.0, 1 + 2**-8, 1 + 3 * 2**-8, 1e-39, -3e38]
    np.testing.assert_array_equal(rounded(values), torch.from_numpy(values).bfloat16().float().numpy())


def test_muon_on_larger_matrices_differs_by_the_last_digit_of_bfloat16():
    def path(p):
        rng = np.random.default_rng(0)
        weight = p.from_numpy(rng.standard_normal((60, 40))).requires_grad_()
        optimizer = p.optim.Muon([weight], lr=0.1)
        for _ in range(5):
            weight.grad = p.from_numpy(rng.standard_normal((60, 40)))
            optimizer.step()
        return weight.detach().numpy()

    np.testing.assert_allclose(path(tinygrad_nn), path(torch), atol=5 * 0.1 * 2**-8)


INVALID = [
    ("Adafactor", {"lr": -1.0}), ("Adafactor", {"beta2_decay": 0.1}), ("Adafactor", {"eps": (-1.0, 1.0)}),
    ("Adafactor", {"eps": (None, -1.0)}), ("Adafactor", {"d": 0.5}), ("Adafactor", {"weight_decay": -0.1}),
    ("Muon", {"lr": -1.0}), ("Muon", {"momentum": -0.1}), ("Muon", {"weight_decay": -0.1}), ("Muon", {"adjust_lr_fn": "adam"}),
    ("Muon", {"ns_steps": 100}), ("Muon", {"ns_coefficients": (1.0, 2.0)}), ("Muon", {"shape": (2,)}), ("Muon", {"shape": ()}),
    ("Adafactor", {"lr": (0.1, 0.2)}), ("Muon", {"lr": (0.1, 0.2)}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), INVALID, ids=label)
def test_refusals_in_the_same_words(name, options):
    def refused(p):
        given = {k: p.tensor(v) if isinstance(v, tuple) and k == "lr" else v for k, v in options.items()}
        weight = p.ones(*given.pop("shape", (2, 2)), requires_grad=True)
        weight.sum().backward()
        try:
            getattr(p.optim, name)([weight], **given).step()
        except ValueError as error:
            return str(error)
        return "no error"

    compare(refused, torch, tinygrad_nn)


@pytest.mark.parametrize("name", [*OPTIONS, "SparseAdam"])
def test_signatures(name):
    theirs, ours = (inspect.signature(getattr(p.optim, name)) for p in (torch, tinygrad_nn))
    assert [(p.name, p.default, p.kind) for p in ours.parameters.values()] == [
        (p.name, p.default, p.kind) for p in theirs.parameters.values()
    ]
