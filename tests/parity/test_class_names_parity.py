"""The classes that programs derive from: what they derive from themselves, and that they keep clear of a program's own names."""

import inspect

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

MODULES = ("nn", "optim", "optim.lr_scheduler", "optim.swa_utils", "utils.data", "distributions")
NAMED = ("nn", "optim", "optim.lr_scheduler", "optim.swa_utils")
SHARED = ("tinygrad_nn.tensor", "tinygrad_nn.variable")  # a Parameter is a tensor, whose names are another matter
SET_BY_PYTORCH_IN_INIT = {
    "_backward_hooks", "_backward_pre_hooks", "_forward_hooks", "_forward_pre_hooks", "_is_full_backward_hook",
    "_load_state_dict_post_hooks", "_load_state_dict_pre_hooks", "_state_dict_hooks", "_state_dict_pre_hooks", "_all_weights",
    "_flat_weights", "_flat_weights_names",
    "_get_closed_form_lr", "update", "inplace", "persistent",
}  # fmt: skip


def classes(module):
    """The classes that both packages have in a module, in pairs."""
    ours, theirs = tinygrad_nn, torch
    for part in module.split("."):
        ours, theirs = getattr(ours, part), getattr(theirs, part)
    found = {name: (getattr(ours, name, None), value) for name, value in vars(theirs).items() if inspect.isclass(value)}
    return {name: pair for name, pair in found.items() if inspect.isclass(pair[0])}


@pytest.mark.parametrize("module", MODULES)
def test_what_is_a_kind_of_what(module):
    pairs = classes(module)
    for name, (ours, theirs) in pairs.items():
        for other, (base, their_base) in pairs.items():
            assert issubclass(ours, base) == issubclass(theirs, their_base), f"{name} < {other}"


@pytest.mark.parametrize("module", NAMED)
def test_names_that_pytorch_does_not_have_end_in_an_underscore(module):
    for name, (ours, theirs) in classes(module).items():
        own = {n for kind in ours.__mro__ if kind.__module__.startswith("tinygrad_nn") for n in vars(kind)
               if not kind.__module__.startswith(SHARED)}  # fmt: skip
        found = {n for n in own - set(dir(theirs)) - SET_BY_PYTORCH_IN_INIT if not n.endswith("_")}
        assert not found, name


def a_module(p):
    class Net(p.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = p.nn.Linear(2, 2)
            self._hooks = [self.layer.register_forward_hook(lambda m, i, o: o * 2)]
            self._after = self._before = self._forget = self._own_state = self._with_prefixes = self._at = 1

        def _hooks_of(self):
            return 5

        def _call_with_hooks(self, x):
            return x * self._hooks_of()

        def forward(self, x):
            return self._call_with_hooks(self.layer(x))

    p.manual_seed(0)
    net = Net()
    return net(p.ones(1, 2)), [*net.state_dict()], net._own_state


def a_recurrent_network(p):
    class Net(p.nn.LSTM):
        def __init__(self):
            super().__init__(2, 3, num_layers=2)
            self._layers = self._names = self._run = self._checked = self._directions = self._check_input = 7
            self._state_shapes = self._batch = "mine"

    p.manual_seed(0)
    return Net()(p.ones(4, 2)), Net()._layers


def a_normalization(p):
    class Norm(p.nn.BatchNorm1d):
        _dims = "mine"
        _scale = 3

    return Norm(2)(p.tensor([[1.0, 2.0], [3.0, 5.0]]))


def an_optimizer(p):
    class Descent(p.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": 0.1})
            self._hooks, self._hooks_of, self._register, self._stepping = [], 1, 2, 3

        def step(self):
            for group in self.param_groups:
                for q in group["params"]:
                    q.data.add_(q.grad, alpha=-group["lr"])

    q = p.nn.Parameter(p.ones(2))
    optimizer = Descent([q])
    seen = []
    optimizer.register_step_post_hook(lambda *given: seen.append(len(given)))
    (q * q).sum().backward()
    optimizer.step()
    return q.detach(), seen, optimizer._hooks


def a_scheduler(p):
    class Halving(p.optim.lr_scheduler.LRScheduler):
        def __init__(self, optimizer):
            self._set, self._stepping, self._unsaved, self._next_lr = 1, 2, 3, 4
            super().__init__(optimizer)

        def get_lr(self):
            return [group["lr"] / 2 for group in self.optimizer.param_groups]

    optimizer = p.optim.SGD([p.nn.Parameter(p.ones(2))], lr=1.0)
    scheduler = Halving(optimizer)
    optimizer.step()
    scheduler.step()
    return scheduler.get_last_lr(), [scheduler.state_dict()[name] for name in ("_set", "_stepping", "_unsaved", "_next_lr")]


@pytest.mark.parametrize("program", [a_module, a_recurrent_network, a_normalization, an_optimizer, a_scheduler])
def test_a_program_may_use_any_name(program):
    compare(program, torch, tinygrad_nn, tolerance=1e-5)
