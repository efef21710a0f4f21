"""Hooks around an optimiser's step: what they see, what they may change, and that every optimiser calls them once."""

import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn, optim


def closure_of(optimizer, x):
    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    return closure


@pytest.mark.parametrize("make", [lambda v: optim.SGD(v, 0.1), optim.Adam, optim.LBFGS])
def test_every_optimiser_calls_them_once_around_its_step(make):
    x = nn.Parameter(torch.tensor([3.0]))
    optimizer, seen = make([x]), []
    closure = closure_of(optimizer, x)
    optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(("before", o is optimizer, args[1] is closure, x.item())))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("after", x.item() < 3)))
    assert optimizer.step(closure).item() == 9
    assert seen == [("before", True, True, 3.0), ("after", True)]


def test_a_step_that_calls_the_one_it_overrides_has_them_called_once():
    class Counting(optim.SGD):
        def step(self, closure=None):
            return super().step(closure)

    optimizer, seen = Counting([nn.Parameter(torch.ones(1))], 0.1), []
    optimizer.register_step_pre_hook(lambda *_: seen.append(1))
    optimizer.step()
    assert seen == [1]


def test_what_a_hook_before_returns_replaces_the_arguments():
    x = nn.Parameter(torch.tensor([3.0]))
    optimizer = optim.SGD([x], 0.25)
    handle = optimizer.register_step_pre_hook(lambda o, args, kwargs: ((o, closure_of(o, x)), {}))
    assert optimizer.step().item() == 9
    assert x.item() == 1.5
    handle.remove()
    optimizer.register_step_pre_hook(lambda *_: 7)
    with pytest.raises(RuntimeError, match=r"must return None or a tuple of \(new_args, new_kwargs\), got 7"):
        optimizer.step()


def test_hooks_of_all_optimisers_stand_outside_until_they_are_removed():
    optimizer, seen = optim.SGD([nn.Parameter(torch.ones(1))], 0.1), []
    optimizer.register_step_pre_hook(lambda *_: seen.append("own before"))
    optimizer.register_step_post_hook(lambda *_: seen.append("own after"))
    handles = [
        optim.optimizer.register_optimizer_step_pre_hook(lambda *_: seen.append("before")),
        optim.optimizer.register_optimizer_step_post_hook(lambda *_: seen.append("after")),
    ]
    optimizer.step()
    assert seen == ["before", "own before", "own after", "after"]
    for handle in handles:
        handle.remove()
    optimizer.step()
    assert seen[4:] == ["own before", "own after"]
