"""The learning-rate schedules beside PyTorch's: every epoch's rates and momenta, states, warnings and refusals."""

import math
import types
import warnings

import numpy as np
import pytest

import tinygrad_nn

torch = pytest.importorskip("torch")

BOTH = (torch, tinygrad_nn)


def half(epoch):
    return 0.95**epoch


def wave(epoch):
    return 1.0 + 0.1 * math.sin(epoch)


SCHEDULES = [
    ("LambdaLR", {"lr_lambda": half}), ("LambdaLR", {"lr_lambda": [half, wave]}), ("MultiplicativeLR", {"lr_lambda": wave}),
    ("MultiplicativeLR", {"lr_lambda": (wave, half)}), ("StepLR", {"step_size": 7}), ("StepLR", {"step_size": 1, "gamma": 0.97}),
    ("MultiStepLR", {"milestones": [3, 30, 30, 80], "gamma": 0.3}), ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.2, "total_iters": 11}), ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.9, "end_factor": 0.1, "total_iters": 90}), ("ExponentialLR", {"gamma": 0.97}),
    ("PolynomialLR", {}), ("PolynomialLR", {"total_iters": 100, "power": 2.3}), ("CosineAnnealingLR", {"T_max": 100}),
    ("CosineAnnealingLR", {"T_max": 13, "eta_min": 0.01}), ("CosineAnnealingWarmRestarts", {"T_0": 10}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7, "T_mult": 2, "eta_min": 1e-3}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 10}),
    ("CyclicLR", {"base_lr": [0.01, 0.02], "max_lr": [0.1, 0.3], "step_size_up": 5, "step_size_down": 9, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 8, "mode": "exp_range", "gamma": 0.99, "base_momentum": 0.5}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 8, "scale_fn": half, "scale_mode": "iterations"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 8, "cycle_momentum": False, "scale_fn": wave}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 120}),
    ("OneCycleLR", {"max_lr": [0.5, 0.1], "epochs": 12, "steps_per_epoch": 10}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 120, "three_phase": True, "anneal_strategy": "linear", "pct_start": 0.2}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 120, "cycle_momentum": False, "div_factor": 3.0, "final_div_factor": 10.0}),
]  # fmt: skip


def optimizer_of(package, name="SGD", lrs=(0.1, 0.03), **options):
    groups = [{"params": [package.ones(2).requires_grad_()], "lr": lr} for lr in lrs]
    return getattr(package.optim, name)(groups, **({"momentum": 0.9} if name == "SGD" else {}), **options)


def options_of(optimizer):
    """All numbers of the groups."""
    names = ("lr", "initial_lr", "momentum", "betas", "max_momentum", "base_momentum", "max_lr", "min_lr")
    found = [np.ravel(np.asarray(group[name], np.float64)) for group in optimizer.param_groups for name in names if name in group]
    return np.concatenate(found)


def run(optimizer, scheduler, epochs):
    rows = [options_of(optimizer)]
    for _ in range(epochs):
        optimizer.step()
        scheduler.step()
        rows.append(options_of(optimizer))
        np.testing.assert_array_equal(scheduler.get_last_lr(), [group["lr"] for group in optimizer.param_groups])
    return np.array(rows)


def make(package, name, options, optimizer, **more):
    return getattr(package.optim.lr_scheduler, name)(optimizer, **options, **more)


def label(value):
    return value if isinstance(value, str) else "-".join(f"{k}={v}" for k, v in value.items() if "function" not in repr(v))


def assert_states(theirs, ours):
    assert list(theirs) == list(ours)
    for key, value in theirs.items():
        if key == "_schedulers":
            for a, b in zip(value, ours[key], strict=True):
                assert_states(a, b)
        else:
            assert ours[key] == value or ours[key] == pytest.approx(value, rel=1e-12), key


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize(("name", "options"), SCHEDULES, ids=label)
def test_120_epochs(name, options, kind):
    rows, states = [], []
    for package in BOTH:
        optimizer = optimizer_of(package, kind)
        scheduler = make(package, name, options, optimizer)
        rows.append(run(optimizer, scheduler, 120))
        states.append(scheduler.state_dict())
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-12, atol=1e-15)
    assert_states(*states)


@pytest.mark.parametrize(("name", "options"), SCHEDULES, ids=label)
def test_step_to_an_epoch(name, options):
    rows = []
    for package in BOTH:
        optimizer = optimizer_of(package)
        scheduler = make(package, name, options, optimizer)
        found = []
        for epoch in (0, 3, 4, 30, 29, 100, 7, 119):
            optimizer.step()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                scheduler.step(epoch)
            found.append(options_of(optimizer))
            optimizer.step()
            scheduler.step()
            found.append(options_of(optimizer))
        rows.append(found)
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("name", "options"), SCHEDULES, ids=label)
def test_resuming(name, options):
    """By the state, from PyTorch's too, and by `last_epoch` with the groups as they were."""
    saved = {}
    for package in BOTH:
        optimizer = optimizer_of(package)
        scheduler = make(package, name, options, optimizer)
        run(optimizer, scheduler, 17)
        saved[package] = optimizer.state_dict()["param_groups"], scheduler.state_dict(), run(optimizer, scheduler, 20)
    groups, _, expected = saved[torch]
    for source in BOTH:
        optimizer = optimizer_of(tinygrad_nn)
        scheduler = make(tinygrad_nn, name, options, optimizer)
        optimizer.load_state_dict({"state": {}, "param_groups": groups})
        scheduler.load_state_dict(saved[source][1])
        np.testing.assert_allclose(run(optimizer, scheduler, 20)[1:], expected[1:], rtol=1e-12, atol=1e-15)
    rows = []
    for package in BOTH:
        optimizer = optimizer_of(package)
        optimizer.load_state_dict({"state": {}, "param_groups": groups})
        rows.append(run(optimizer, make(package, name, options, optimizer, last_epoch=17), 20))
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("name", "options"), SCHEDULES, ids=label)
def test_lr_as_a_tensor(name, options):
    rows = []
    for package in BOTH:
        optimizer = optimizer_of(package, "Adam", [package.tensor(0.1), package.tensor(0.03)])
        held = optimizer.param_groups[0]["lr"]
        rows.append(run(optimizer, make(package, name, options, optimizer), 40))
        assert optimizer.param_groups[0]["lr"] is held
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-5, atol=1e-7)


def chained(package, optimizer):
    s = package.optim.lr_scheduler
    return s.ChainedScheduler([s.LinearLR(optimizer, 0.5, total_iters=20), s.ExponentialLR(optimizer, 0.99)])


def sequential(package, optimizer):
    s = package.optim.lr_scheduler
    parts = [s.LinearLR(optimizer, 0.1, total_iters=20), s.CosineAnnealingLR(optimizer, 30), s.StepLR(optimizer, 5)]
    return s.SequentialLR(optimizer, parts, [20, 60])


def nested(package, optimizer):
    s = package.optim.lr_scheduler
    chain = s.ChainedScheduler([s.ConstantLR(optimizer, 0.5, total_iters=4), s.ExponentialLR(optimizer, 0.9)])
    return s.SequentialLR(optimizer, [chain, s.CosineAnnealingWarmRestarts(optimizer, 7), s.PolynomialLR(optimizer, 40)], [10, 50])


@pytest.mark.filterwarnings("ignore:Detected call")  # the chain in the sequence makes its first step twice, in both
@pytest.mark.parametrize("build", [chained, sequential, nested])
def test_combined(build):
    rows, states = [], []
    for package in BOTH:
        optimizer = optimizer_of(package)
        scheduler = build(package, optimizer)
        rows.append(run(optimizer, scheduler, 120))
        states.append(scheduler.state_dict())
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-12, atol=1e-15)
    assert_states(*states)
    optimizer = optimizer_of(tinygrad_nn)
    scheduler = build(tinygrad_nn, optimizer)
    run(optimizer, scheduler, 30)
    resumed = optimizer_of(tinygrad_nn)
    again = build(tinygrad_nn, resumed)
    resumed.load_state_dict(optimizer.state_dict())
    again.load_state_dict(scheduler.state_dict())
    np.testing.assert_array_equal(run(resumed, again, 60), run(optimizer, scheduler, 60))


@pytest.mark.parametrize("options", [
    {}, {"mode": "max", "patience": 3}, {"patience": 2, "threshold_mode": "abs", "threshold": 0.1, "cooldown": 4},
    {"mode": "max", "patience": 0, "threshold_mode": "abs", "factor": 0.7, "min_lr": [0.01, 0.02]},
    {"patience": 1, "min_lr": 0.001, "eps": 1e-3, "factor": 0.5},
], ids=label)  # fmt: skip
def test_plateau(options):
    metrics = np.random.default_rng(0).standard_normal(150) + np.linspace(1, 0, 150) ** 2
    found = []
    for package in BOTH:
        optimizer = optimizer_of(package)
        scheduler = package.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        rows = []
        for metric in metrics:
            scheduler.step(package.tensor(metric))
            rows.append((*scheduler.get_last_lr(), scheduler.num_bad_epochs, scheduler.cooldown_counter))
        found.append((rows, scheduler.state_dict()))
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-12)
    assert_states(found[0][1], found[1][1])


def outcome(action):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            action()
    except (TypeError, ValueError, KeyError, RuntimeError) as error:
        return type(error), str(error).split(":")[0].split("when resuming")[0]
    return None


@pytest.mark.parametrize(("name", "options"), [
    ("StepLR", {"step_size": 3, "last_epoch": 4}), ("LambdaLR", {"lr_lambda": [half]}), ("MultiplicativeLR", {"lr_lambda": 3}),
    ("ConstantLR", {"factor": 2.0}), ("LinearLR", {"start_factor": 0.0}), ("LinearLR", {"end_factor": 1.5}),
    ("CosineAnnealingWarmRestarts", {"T_0": 0}), ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 1.5}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "eta_min": "low"}), ("CyclicLR", {"base_lr": [0.1], "max_lr": 1.0}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "mode": "round"}), ("OneCycleLR", {"max_lr": 1.0}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": -3}), ("OneCycleLR", {"max_lr": 1.0, "epochs": 3, "steps_per_epoch": 0.5}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "pct_start": 2}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "anneal_strategy": "exp"}), ("ReduceLROnPlateau", {"factor": 1.0}),
    ("ReduceLROnPlateau", {"mode": "mean"}), ("ReduceLROnPlateau", {"threshold_mode": "square"}),
    ("ReduceLROnPlateau", {"min_lr": [0.1]}), ("SequentialLR", {"schedulers": [], "milestones": []}),
    ("SequentialLR", {"schedulers": [1], "milestones": []}),
], ids=label)  # fmt: skip
def test_refusals(name, options):
    theirs, ours = (outcome(lambda p=package: make(p, name, options, optimizer_of(p))) for package in BOTH)
    assert theirs is not None
    assert ours == theirs


def test_refusals_of_what_does_not_fit():
    for package in BOTH:
        s = package.optim.lr_scheduler
        one, other = optimizer_of(package), optimizer_of(package)
        for action, kind in (
            (lambda s=s: s.StepLR(3, 1), TypeError),
            (lambda s=s, o=one: s.ChainedScheduler([s.ReduceLROnPlateau(o)]), ValueError),
            (lambda s=s, a=one, b=other: s.ChainedScheduler([s.StepLR(a, 1), s.StepLR(b, 1)]), ValueError),
            (lambda s=s, a=one: s.SequentialLR(a, [s.StepLR(a, 1)], [3]), ValueError),
            (lambda s=s, p=package: s.CyclicLR(optimizer_of(p, "Adagrad"), 0.1, 1.0), ValueError),
        ):
            assert outcome(action)[0] is kind


def test_one_cycle_ends():
    for package in BOTH:
        optimizer = optimizer_of(package)
        scheduler = package.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=5)
        run(optimizer, scheduler, 5)
        with pytest.raises(ValueError, match=r"Tried to step 6 times. The specified number of total steps is 5"):
            run(optimizer, scheduler, 1)


@pytest.mark.parametrize("package", BOTH, ids=["torch", "here"])
def test_warnings(package):
    optimizer = optimizer_of(package)
    scheduler = package.optim.lr_scheduler.StepLR(optimizer, 3)
    with pytest.warns(UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()
    with pytest.warns(UserWarning, match="please use `get_last_lr"):
        scheduler.get_lr()
    with pytest.warns(UserWarning, match="The epoch parameter in"):
        scheduler.step(3)
    optimizer = optimizer_of(package)
    scheduler = package.optim.lr_scheduler.StepLR(optimizer, 3)
    optimizer.step()
    scheduler.step()  # in this order nothing is warned of
    optimizer = optimizer_of(package)
    scheduler = package.optim.lr_scheduler.StepLR(optimizer, 3)
    optimizer.step = lambda: None
    with pytest.warns(UserWarning, match=r"Seems like `optimizer.step\(\)` has been overridden after learning rate scheduler"):
        scheduler.step()


@pytest.mark.parametrize("package", BOTH, ids=["torch", "here"])
def test_a_step_that_one_optimizer_has_of_its_own(package):
    optimizer, seen = optimizer_of(package), []

    def step(own):
        seen.append(own)

    optimizer.step = types.MethodType(step, optimizer)
    scheduler = package.optim.lr_scheduler.StepLR(optimizer, 3)
    optimizer.step()
    scheduler.step()
    assert seen == [optimizer]


@pytest.mark.parametrize("options", [
    {"swa_lr": 0.01}, {"swa_lr": 0.01, "anneal_epochs": 0},
    {"swa_lr": [0.01, 0.3], "anneal_epochs": 25, "anneal_strategy": "linear"},
], ids=label)  # fmt: skip
def test_swalr(options):
    rows, states = [], []
    for package in BOTH:
        optimizer = optimizer_of(package)
        scheduler = package.optim.swa_utils.SWALR(optimizer, **options)
        rows.append(run(optimizer, scheduler, 100))
        states.append({k: v for k, v in scheduler.state_dict().items() if k != "anneal_func"})
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-12)
    assert_states(*states)


def test_averages_of_weights():
    found = []
    for package in BOTH:
        a, b = package.arange(3.0), package.ones(3)
        s = package.optim.swa_utils
        found.append([s.get_ema_avg_fn(0.9)(a, b, 4).numpy(), s.get_swa_avg_fn()(a, b, 4).numpy()])
        with pytest.raises(ValueError, match="Invalid decay value 2 provided"):
            s.get_ema_avg_fn(2)
    np.testing.assert_allclose(*found, rtol=1e-6)


def test_a_schedule_derived_from_the_older_name():
    found = []
    for package in BOTH:
        s = package.optim.lr_scheduler

        class Warmup(s._LRScheduler):
            def get_lr(self):
                return [lr * min(1, (self.last_epoch + 1) / 5) for lr in self.base_lrs]

        optimizer = optimizer_of(package)
        scheduler = Warmup(optimizer)
        found.append((run(optimizer, scheduler, 10).tolist(), scheduler.state_dict()))
        assert s._LRScheduler.__name__ == "_LRScheduler"
        assert not issubclass(s.StepLR, s._LRScheduler)
    assert found[0] == found[1]


PARTS = {
    "step": lambda s, o: s.StepLR(o, 4, 0.5),
    "milestones": lambda s, o: s.MultiStepLR(o, [3, 7, 7]),
    "linear": lambda s, o: s.LinearLR(o, 0.1, 1.0, 5),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 6, 0.001),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 4, 2),
    "polynomial": lambda s, o: s.PolynomialLR(o, 9, 2.0),
    "cyclic": lambda s, o: s.CyclicLR(o, 0.01, 0.2, 3),
    "lambda": lambda s, o: s.LambdaLR(o, half),
    "multiplied": lambda s, o: s.MultiplicativeLR(o, wave),
}
COMBINATIONS = {
    "in sequence": lambda s, o, a, b: s.SequentialLR(o, [a(s, o), b(s, o)], [7]),
    "chained": lambda s, o, a, b: s.ChainedScheduler([a(s, o), b(s, o)]),
    "a chain, then one": lambda s, o, a, b: s.SequentialLR(o, [s.ChainedScheduler([a(s, o), b(s, o)]), a(s, o)], [5]),
    "a sequence in a chain": lambda s, o, a, b: s.ChainedScheduler([s.SequentialLR(o, [a(s, o), b(s, o)], [5]), b(s, o)]),
    "a sequence first": lambda s, o, a, b: s.SequentialLR(o, [s.SequentialLR(o, [b(s, o), a(s, o)], [5]), a(s, o)], [9]),
}


@pytest.mark.filterwarnings("ignore:Detected call")
@pytest.mark.parametrize("how", COMBINATIONS)
@pytest.mark.parametrize("first", PARTS)
def test_two_schedules_combined(first, how):
    for second, build in PARTS.items():
        rows = []
        for package in BOTH:
            optimizer = optimizer_of(package)
            scheduler = COMBINATIONS[how](package.optim.lr_scheduler, optimizer, PARTS[first], build)
            rows.append(run(optimizer, scheduler, 30))
        np.testing.assert_allclose(rows[1], rows[0], rtol=1e-12, atol=1e-15, err_msg=second)


@pytest.mark.parametrize(("name", "options"), SCHEDULES, ids=label)
@pytest.mark.parametrize("last_epoch", [0, 3, 50])
def test_resuming_by_last_epoch_alone(name, options, last_epoch):
    rows, states = [], []
    for package in BOTH:
        trained = optimizer_of(package)
        run(trained, make(package, name, options, trained), 3)
        optimizer = optimizer_of(package)
        optimizer.load_state_dict(trained.state_dict())
        scheduler = make(package, name, options, optimizer, last_epoch=last_epoch)
        rows.append(run(optimizer, scheduler, 30))
        states.append(scheduler.state_dict())
    np.testing.assert_allclose(rows[1], rows[0], rtol=1e-12, atol=1e-15)
    assert_states(*states)
