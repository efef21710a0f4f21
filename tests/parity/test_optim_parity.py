"""The optimisers beside PyTorch's: trajectories, states, messages, with every option."""

import inspect
import itertools

import numpy as np
import pytest

import tinygrad_nn

torch = pytest.importorskip("torch")

BOTH = (torch, tinygrad_nn)
COMMON = {"maximize": (False, True), "weight_decay": (0, 0.1)}
DECOUPLED = {"decoupled_weight_decay": (False, True)}
ADAM = {**COMMON, "betas": ((0.9, 0.999), (0.3, 0.6)), "amsgrad": (False, True), "eps": (1e-8, 1e-3)}
OPTIONS = {
    "Adam": {**ADAM, "decoupled_weight_decay": (False, True)},
    "AdamW": ADAM,
    "Adamax": {**COMMON, "betas": ((0.9, 0.999), (0.3, 0.6)), "eps": (1e-8, 1e-3)},
    "NAdam": {**COMMON, **DECOUPLED, "betas": ((0.9, 0.999), (0.3, 0.6)), "momentum_decay": (4e-3, 0.1)},
    "RAdam": {**COMMON, **DECOUPLED, "betas": ((0.9, 0.999), (0.3, 0.7), (0.9, 0.99)), "eps": (1e-8, 1e-3)},
    "RMSprop": {**COMMON, "alpha": (0.99, 0.9), "momentum": (0, 0.9), "centered": (False, True), "eps": (1e-8, 1e-3)},
    "Adagrad": {**COMMON, "lr_decay": (0, 0.1), "initial_accumulator_value": (0, 0.3), "eps": (1e-10, 1e-3)},
    "Adadelta": {**COMMON, "rho": (0.9, 0.3), "eps": (1e-6, 1e-3)},
    "Rprop": {"maximize": (False, True), "etas": ((0.5, 1.2), (0.3, 1.5)), "step_sizes": ((1e-6, 50), (1e-3, 0.1))},
    "ASGD": {**COMMON, "lambd": (1e-4, 0.1), "alpha": (0.75, 0.5), "t0": (1e6, 5)},
}
CASES = [
    (name, dict(zip(options, values, strict=True)))
    for name, options in OPTIONS.items()
    for values in itertools.product(*options.values())
]
SINGLY = [(name, {option: value}) for name, options in OPTIONS.items() for option, values in options.items() for value in values]
SHAPES = [(3, 5), (), (0, 4), (7,), (2, 1, 3)]


def start(package, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return [package.from_numpy(np.array(rng.standard_normal(shape), dtype)).requires_grad_() for shape in SHAPES]


def train(package, parameters, optimizer, steps, seed=1, sign=1.0):
    """Noisy gradients of a bowl for all parameters but the last, which has none."""
    rng = np.random.default_rng(seed)
    path = []
    for _ in range(steps):
        for p in parameters[:-1]:
            values = p.detach().numpy()
            slope = np.array(sign * (0.5 * values + rng.standard_normal(values.shape) + 1), values.dtype)
            p.grad = package.from_numpy(slope)
        optimizer.step()
        path.append([np.array(p.detach().numpy()) for p in parameters])
    return path


def plain(value):
    """A state dict with arrays in place of either package's tensors."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return np.array(value.detach().numpy()) if hasattr(value, "detach") else value


def foreign(package, value):
    """A state dict of arrays as one of the package's tensors."""
    if isinstance(value, dict):
        return {k: foreign(package, v) for k, v in value.items()}
    if isinstance(value, list):
        return [foreign(package, v) for v in value]
    return package.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def assert_same(theirs, ours, rtol, atol):
    assert type(theirs) is type(ours) or np.isscalar(ours), (theirs, ours)
    if isinstance(theirs, dict):
        assert list(theirs) == list(ours)
        for key in ours:
            assert_same(theirs[key], ours[key], rtol, atol)
    elif isinstance(theirs, list):
        assert len(theirs) == len(ours)
        for a, b in zip(theirs, ours, strict=True):
            assert_same(a, b, rtol, atol)
    elif isinstance(theirs, np.ndarray):
        assert theirs.dtype == ours.dtype
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=max(rtol, 1e-12), nan_ok=True)
    else:
        assert theirs == ours


def assert_alike(name, options, dtype, steps):
    rtol = 1e-6 if dtype == np.float32 else 1e-12
    found = []
    for package in BOTH:
        parameters = start(package, dtype)
        optimizer = getattr(package.optim, name)(parameters, **foreign(package, options))
        sign = -1.0 if options.get("maximize") else 1.0
        found.append((train(package, parameters, optimizer, steps, sign=sign), plain(optimizer.state_dict())))
    (their_path, their_state), (our_path, our_state) = found
    for a, b in zip(their_path, our_path, strict=True):
        assert_same(a, b, rtol, rtol)
    assert_same(their_state, our_state, 100 * rtol, rtol)


def label(value):
    return value if isinstance(value, str) else "-".join(f"{k}={v}" for k, v in value.items())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "options"), SINGLY, ids=label)
def test_200_steps_with_each_option(name, options, dtype):
    assert_alike(name, options, dtype, 200)


@pytest.mark.parametrize(("name", "options"), CASES, ids=label)
def test_options_together(name, options):
    assert_alike(name, options, np.float64, 10)


@pytest.mark.parametrize("name", OPTIONS)
def test_lr_as_a_tensor(name):
    assert_alike(name, {"lr": np.array(0.05, np.float32)}, np.float32, 50)


@pytest.mark.parametrize("name", OPTIONS)
def test_groups_with_options_of_their_own(name):
    found = []
    for package in BOTH:
        parameters = start(package, np.float64)
        options = {option: values[-1] for option, values in OPTIONS[name].items() if option != "maximize"}
        groups = [{"params": parameters[:2]}, {"params": parameters[2:], "lr": 0.02, **options}]
        optimizer = getattr(package.optim, name)(groups, lr=0.01)
        found.append([train(package, parameters, optimizer, 50), plain(optimizer.state_dict())])
    assert_same(*found, 1e-12, 1e-12)


@pytest.mark.parametrize("name", OPTIONS)
def test_state_moves_from_pytorch_and_back(name):
    """Half way under one package, the other half under the other: the path is that of staying."""
    options = {option: values[-1] for option, values in OPTIONS[name].items() if option != "maximize"}
    for first, second in (BOTH, BOTH[::-1]):
        parameters = start(first, np.float64)
        before = getattr(first.optim, name)(parameters, **options)
        train(first, parameters, before, 20)
        moved = [second.from_numpy(np.array(p.detach().numpy())).requires_grad_() for p in parameters]
        after = getattr(second.optim, name)(moved)
        after.load_state_dict(foreign(second, plain(before.state_dict())))
        there = train(second, moved, after, 20, seed=2)
        stayed = train(first, parameters, before, 20, seed=2)
        assert_same(stayed, there, 1e-12, 1e-12)


@pytest.mark.parametrize("name", OPTIONS)
def test_resuming_is_exact(name):
    options = {option: values[-1] for option, values in OPTIONS[name].items() if option != "maximize"}
    parameters = start(tinygrad_nn, np.float32)
    optimizer = getattr(tinygrad_nn.optim, name)(parameters, **options)
    train(tinygrad_nn, parameters, optimizer, 10)
    again = [p.detach().clone().requires_grad_() for p in parameters]
    resumed = getattr(tinygrad_nn.optim, name)(again)
    resumed.load_state_dict(optimizer.state_dict())
    stayed = train(tinygrad_nn, parameters, optimizer, 10, seed=2)
    assert_same(stayed, train(tinygrad_nn, again, resumed, 10, seed=2), 0, 0)


INVALID = [
    (name, options)
    for name in OPTIONS
    for options in (
        {"lr": -1.0}, {"lr": float("nan")}, {"eps": -1.0}, {"weight_decay": -0.5}, {"betas": (1.0, 0.9)}, {"betas": (0.9, -0.1)},
        {"betas": (0, 0.9)}, {"momentum": -1.0}, {"alpha": -1.0}, {"lr_decay": -1.0}, {"initial_accumulator_value": -1.0},
        {"rho": 1.5}, {"rho": -0.1}, {"etas": (1.5, 1.2)}, {"momentum_decay": -0.1}, {"fused": True, "foreach": True},
        {"lr": np.ones(2, np.float32)}, {"nesterov": True}, {"lr": np.ones(1, np.float32), "foreach": True},
    )
]  # fmt: skip


def outcome(package, name, options):
    try:
        getattr(package.optim, name)([package.ones(2).requires_grad_()], **foreign(package, options))
    except (TypeError, ValueError, RuntimeError) as error:
        return type(error), str(error) if type(error) is not TypeError else ""
    return None


@pytest.mark.parametrize(("name", "options"), INVALID, ids=label)
def test_constructors_refuse_in_the_same_words(name, options):
    assert outcome(tinygrad_nn, name, options) == outcome(torch, name, options)


@pytest.mark.parametrize("name", OPTIONS)
def test_signatures_and_representations(name):
    theirs, ours = (inspect.signature(getattr(package.optim, name)) for package in BOTH)
    assert [(p.name, p.default, p.kind) for p in ours.parameters.values()] == [
        (p.name, p.default, p.kind) for p in theirs.parameters.values()
    ]
    assert repr(getattr(tinygrad_nn.optim, name)([tinygrad_nn.ones(1)])) == repr(getattr(torch.optim, name)([torch.ones(1)]))


def rosenbrock(package, dtype, steps, **options):
    """LBFGS in the curved valley; the last parameter is not used."""
    x = package.from_numpy(np.array([-1.2, 1.0, 0.5], dtype)).requires_grad_()
    y = package.from_numpy(np.array(0.3, dtype)).requires_grad_()
    unused = package.from_numpy(np.ones((2, 2), dtype)).requires_grad_()
    optimizer = package.optim.LBFGS([x, y, unused], **options)

    def closure():
        optimizer.zero_grad()
        loss = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum() + (y - x[0]) ** 2
        loss.backward()
        return loss

    losses = [float(optimizer.step(closure).item()) for _ in range(steps)]
    return [np.array(losses), plain(x), plain(y), plain(unused), plain(optimizer.state_dict())]


@pytest.mark.parametrize("options", [
    {"lr": 1e-3}, {"lr": 0.01, "history_size": 3, "max_iter": 7}, {"lr": 1e-3, "max_iter": 1},
    {"lr": 1e-3, "tolerance_change": 1e-2}, {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 2},
    {"line_search_fn": "strong_wolfe", "max_eval": 5}, {"line_search_fn": "strong_wolfe", "tolerance_grad": 10.0},
    {"line_search_fn": "strong_wolfe", "tolerance_change": 0.3},
], ids=label)  # fmt: skip
def test_lbfgs(options):
    theirs, ours = (rosenbrock(package, np.float64, 5, **options) for package in BOTH)
    assert_same(theirs, ours, 1e-6, 1e-7)
    theirs, ours = (rosenbrock(package, np.float32, 1, **options) for package in BOTH)
    assert_same(theirs[:4], ours[:4], 1e-4, 1e-4)
    for count in ("func_evals", "n_iter"):
        assert ours[4]["state"][0][count] == theirs[4]["state"][0][count]


VALLEYS = {
    "two valleys": lambda p, x: (x**4).sum() / 4 - (x**2).sum() + 0.3 * x.sum(),
    "waves": lambda p, x: (3 * x).sin().sum() + 0.1 * (x * x).sum(),
    "ripples": lambda p, x: (x * x).sum() + (20 * x).cos().sum(),
    "a wall": lambda p, x: (2 * x).exp().sum() - 5 * x.sum(),
    "a pit": lambda p, x: ((x * x).sum() * 100 + 1).log(),
    "an edge": lambda p, x: (x - 0.3).abs().sum() + 0.01 * (x * x).sum(),
}


@pytest.mark.parametrize("name", VALLEYS)
@pytest.mark.parametrize("lr", [0.01, 1.0, 50.0, 1e4])
@pytest.mark.parametrize("start", [(1.7, -0.4), (3.0, 5.0)])
@pytest.mark.parametrize("options", [{}, {"max_eval": 4}], ids=label)
def test_line_searches_that_begin_far_too_short_or_long(name, lr, start, options):
    def searched(package):
        x = package.from_numpy(np.array(start)).requires_grad_()
        optimizer = package.optim.LBFGS([x], lr=lr, max_iter=3, line_search_fn="strong_wolfe", **options)
        losses = []

        def closure():
            optimizer.zero_grad()
            loss = VALLEYS[name](package, x)
            loss.backward()
            losses.append(loss.item())
            return loss

        for _ in range(3):
            optimizer.step(closure)
        return [np.array(losses), plain(x)]

    theirs, ours = map(searched, BOTH)
    assert len(ours[0]) == len(theirs[0])
    assert_same(theirs, ours, 1e-5, 1e-6)


def test_lbfgs_moves_from_pytorch_and_back():
    for first, second in (BOTH, BOTH[::-1]):
        paths = []
        for change in (False, True):
            x = first.from_numpy(np.array([-1.2, 1.0])).requires_grad_()
            optimizer = first.optim.LBFGS([x], line_search_fn="strong_wolfe", max_iter=3)
            for i in range(6):
                if change and i == 3:
                    state = foreign(second, plain(optimizer.state_dict()))
                    x = second.from_numpy(plain(x)).requires_grad_()
                    optimizer = second.optim.LBFGS([x])
                    optimizer.load_state_dict(state)

                def closure(x=x, optimizer=optimizer):
                    optimizer.zero_grad()
                    loss = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
                    loss.backward()
                    return loss

                optimizer.step(closure)
            paths.append(plain(x))
        np.testing.assert_allclose(*paths, rtol=1e-8)
