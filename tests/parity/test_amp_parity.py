"""The gradient scaler on the CPU beside PyTorch's: what it scales, which steps it leaves out, and how it fails."""

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")


def training(p, slopes, before_step=lambda scaler, update, weight: None, **options):
    """The weight, the scale and the state after each step of a training whose slopes are given."""
    weight = p.nn.Parameter(p.tensor([1.0, 2.0]))
    update, scaler = p.optim.SGD([weight], lr=0.1, momentum=0.9), p.amp.GradScaler("cpu", **options)
    seen = []
    for slope in slopes:
        update.zero_grad()
        scaler.scale((weight * slope).sum()).backward()
        before_step(scaler, update, weight)
        scaler.step(update)
        scaler.update()
        seen.append([weight.clone(), scaler.get_scale(), scaler.state_dict()])
    return seen


def clip(p):
    def before_step(scaler, update, weight):
        scaler.unscale_(update)
        p.nn.utils.clip_grad_norm_([weight], 0.5)

    return before_step


def resumed(p):
    old = p.amp.GradScaler("cpu", init_scale=8.0, growth_interval=3)
    old.scale(p.ones(1))
    old.update(2.0)
    new = p.amp.GradScaler("cpu")
    new.load_state_dict(old.state_dict())
    return [new.state_dict(), new.get_growth_factor(), new.get_backoff_factor(), new.get_growth_interval(), new.is_enabled()]


def set_anew(p):
    scaler = p.amp.GradScaler("cpu")
    scaler.set_growth_factor(3.0)
    scaler.set_backoff_factor(0.25)
    scaler.set_growth_interval(7)
    return scaler.state_dict()


PROGRAMS = {
    "steps": lambda p: training(p, [1.0, -2.0, 3.0]),
    "infinite": lambda p: training(p, [1.0, float("inf"), float("nan"), 2.0]),
    "growing": lambda p: training(p, [1.0] * 5, init_scale=4.0, growth_interval=2, growth_factor=3.0),
    "shrinking": lambda p: training(p, [float("inf")] * 2, init_scale=4.0, backoff_factor=0.25),
    "clipped": lambda p: training(p, [1.0, 30.0], clip(p)),
    "switched off": lambda p: training(p, [1.0, 2.0], enabled=False),
    "resumed": resumed,
    "set anew": set_anew,
    "a list": lambda p: p.amp.GradScaler("cpu", init_scale=4.0).scale([p.ones(2), (p.ones(1),)]),
    "no tensor": lambda p: p.amp.GradScaler("cpu").scale(1.0),
    "unscaled twice": lambda p: training(p, [1.0], lambda scaler, update, _: [scaler.unscale_(update), scaler.unscale_(update)]),
    "stepped twice": lambda p: training(p, [1.0], lambda scaler, update, _: scaler.step(update)),
    "no steps": lambda p: p.amp.GradScaler("cpu").update(),
    "no gradients": lambda p: p.amp.GradScaler("cpu").step(p.optim.SGD([p.nn.Parameter(p.ones(1))], lr=0.1)),
    "shrinks to grow": lambda p: p.amp.GradScaler("cpu", growth_factor=1.0),
    "grows to shrink": lambda p: p.amp.GradScaler("cpu", backoff_factor=1.0),
    "an empty state": lambda p: p.amp.GradScaler("cpu").load_state_dict({}),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_scaler(name):
    compare(PROGRAMS[name], torch, tinygrad_nn)


def test_for_another_device_it_says_that_it_is_switched_off():
    with pytest.warns(UserWarning, match="CUDA is not available"):
        scaler = tinygrad_nn.amp.GradScaler()
    assert (scaler.get_scale(), scaler.is_enabled(), scaler.state_dict()) == (1.0, False, {})


@pytest.mark.parametrize("decorate", ["bare", "with options"])
def test_decorators_of_functions(decorate):
    def program(p):
        ahead = p.amp.custom_fwd(device_type="cpu") if decorate == "with options" else p.amp.custom_fwd
        back = p.amp.custom_bwd(device_type="cpu") if decorate == "with options" else p.amp.custom_bwd

        class Double(p.autograd.Function):
            @staticmethod
            @ahead
            def forward(ctx, x):
                return x * 2

            @staticmethod
            @back
            def backward(ctx, g):
                return g * 2

        x = p.ones(2, requires_grad=True)
        Double.apply(x).sum().backward()
        return x.grad

    if decorate == "with options":
        compare(program, torch, tinygrad_nn)
    else:
        assert program(tinygrad_nn).tolist() == [2, 2]
