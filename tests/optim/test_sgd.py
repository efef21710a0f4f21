"""Optimizer and SGD: the update by its definition, groups, closures, and a state that goes on where it stopped."""

import copy
import itertools

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn.optim import SGD, Optimizer


def leaf(*values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def by_hand(p, gradients, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False):
    """The rule in the textbook's order, one gradient after the other."""
    v = None
    for g in gradients:
        g = (-g if maximize else g) + weight_decay * p
        if momentum:
            v = g if v is None else momentum * v + (1 - dampening) * g
            g = g + momentum * v if nesterov else v
        p = p - lr * g
    return p


OPTIONS = [
    {"momentum": momentum, "dampening": dampening, "weight_decay": decay, "nesterov": nesterov, "maximize": maximize}
    for momentum, dampening, decay, nesterov, maximize in itertools.product((0, 0.9), (0, 0.3), (0, 0.1), *[(False, True)] * 2)
    if not nesterov or (momentum and not dampening)
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(k for k, v in o.items() if v) or "plain")
def test_the_rule(options):
    start = np.array([1.0, -2.0, 3.0])
    gradients = list(np.random.default_rng(0).standard_normal((4, 3)))
    p = leaf(*start)
    optimizer = SGD([p], lr=0.1, **options)
    for g in gradients:
        p.grad = torch.tensor(g)
        optimizer.step()
        assert p.grad.tolist() == g.tolist()
    np.testing.assert_allclose(p.detach().numpy(), by_hand(start, gradients, 0.1, **options), rtol=1e-12)


def test_groups_have_options_of_their_own():
    a, b, c = leaf(1.0), leaf(1.0), leaf(1.0)
    optimizer = SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1, weight_decay=0.0)
    optimizer.add_param_group({"params": [c], "maximize": True})
    for p in (a, b, c):
        p.grad = torch.ones(1, dtype=torch.float64)
    optimizer.step()
    assert [round(p.item(), 12) for p in (a, b, c)] == [0.9, 0.5, 1.1]
    optimizer.param_groups[0]["lr"] = 1.0
    optimizer.step()
    assert round(a.item(), 12) == -0.1


def test_parameters_may_come_from_a_generator_or_by_name():
    layer = torch.nn.Linear(2, 1)
    for given in (layer.parameters(), layer.named_parameters(), iter([{"params": layer.parameters()}])):
        assert [id(p) for p in SGD(given).param_groups[0]["params"]] == [id(p) for p in layer.parameters()]


def test_parameters_without_gradient_stay():
    used, unused = leaf(1.0), leaf(1.0)
    optimizer = SGD([used, unused], lr=0.5, momentum=0.9, weight_decay=0.1)
    (used * 2).backward()
    optimizer.step()
    assert used.item() != 1.0
    assert unused.item() == 1.0
    assert list(optimizer.state_dict()["state"]) == [0]


def test_the_closure_is_recorded_and_its_loss_given_back():
    p = leaf(3.0)
    optimizer = SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert p.item() == pytest.approx(2.4)
    assert optimizer.step() is None


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(set_to_none):
    p, unused = leaf(3.0), leaf(1.0)
    optimizer = SGD([p, unused])
    (p * p).backward()
    optimizer.zero_grad(set_to_none)
    assert unused.grad is None
    assert p.grad is None if set_to_none else p.grad.tolist() == [0.0]


def test_a_step_between_forward_and_backward_is_noticed():
    p = leaf(2.0)
    optimizer = SGD([p], lr=0.1)
    loss = p * p
    p.grad = torch.ones(1, dtype=torch.float64)
    optimizer.step()
    with pytest.raises(RuntimeError, match="mul saved was then changed by SGD"):
        loss.backward()


def test_a_step_keeps_the_leaf():
    p = leaf(2.0)
    place = p.data_ptr()
    p.grad = torch.ones(1, dtype=torch.float64)
    SGD([p], lr=0.1).step()
    assert p.is_leaf
    assert p.requires_grad
    assert p.data_ptr() == place


def trained(optimizer, p, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        (p**4).sum().backward()
        optimizer.step()
    return p.tolist()


def test_a_loaded_state_goes_on_where_it_stopped():
    p, q = leaf(1.0, -0.5), leaf(1.0, -0.5)
    whole, first = SGD([p], lr=0.02, momentum=0.9, nesterov=True), SGD([q], lr=0.02, momentum=0.9, nesterov=True)
    expected = trained(whole, p, 8)
    trained(first, q, 5)
    state = copy.deepcopy(first.state_dict())
    second = SGD([q], lr=7.0)
    second.load_state_dict(state)
    assert trained(second, q, 3) == expected
    kept = state["state"][0]["momentum_buffer"].tolist()
    trained(second, q, 1)
    assert state["state"][0]["momentum_buffer"].tolist() == kept


def test_the_layout_of_the_state():
    a, b, c = leaf(1.0), leaf(1.0), leaf(1.0)
    optimizer = SGD([{"params": [a, b], "lr": 0.5}, {"params": [c]}], lr=0.1, momentum=0.9)
    c.grad = torch.ones(1, dtype=torch.float64)
    optimizer.step()
    state = optimizer.state_dict()
    assert [group["params"] for group in state["param_groups"]] == [[0, 1], [2]]
    assert [group["lr"] for group in state["param_groups"]] == [0.5, 0.1]
    assert state["state"][2]["momentum_buffer"].tolist() == [1.0]


def test_a_state_read_from_json_has_strings_for_numbers():
    p = leaf(1.0)
    optimizer = SGD([p], momentum=0.9)
    state = optimizer.state_dict() | {"state": {"0": {"momentum_buffer": torch.tensor([4.0], dtype=torch.float64)}}}
    optimizer.load_state_dict(state)
    assert optimizer.state[p]["momentum_buffer"].tolist() == [4.0]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([{"params": [leaf(1.0)]}, {"params": [leaf(1.0)]}], "has 2 parameter groups, the optimizer has 1"),
        ([leaf(1.0), leaf(1.0)], "doesn't match the size of optimizer's group: 2 and 1"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(parameters, message):
    p = leaf(1.0)
    optimizer = SGD([p], lr=0.25)
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(SGD(parameters, lr=3.0).state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.25


SHARED = leaf(1.0)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: SGD(leaf(1.0)), TypeError, "iterable of Tensors or dicts, got a Tensor"),
        (lambda: SGD([]), ValueError, "empty parameter list"),
        (lambda: SGD([3.0]), TypeError, "only optimize Tensors, but one of the params is float"),
        (lambda: SGD([leaf(1.0) * 2]), ValueError, "non-leaf"),
        (lambda: SGD([{"params": SHARED}, {"params": SHARED}]), ValueError, "more than one parameter group"),
        (lambda: SGD([SHARED], lr=-1), ValueError, "Invalid learning rate: -1"),
        (lambda: SGD([SHARED], momentum=-1), ValueError, "Invalid momentum value: -1"),
        (lambda: SGD([SHARED], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
        (lambda: SGD([SHARED], nesterov=True), ValueError, "requires a momentum and zero dampening"),
        (lambda: SGD([SHARED], momentum=0.9, dampening=0.1, nesterov=True), ValueError, "requires a momentum and zero dampening"),
        (lambda: SGD([SHARED], differentiable=True), NotImplementedError, "differentiable=True"),
    ],
)
def test_mistakes_are_explained(act, error, message):
    with pytest.raises(error, match=message):
        act()


def test_an_optimiser_of_ones_own():
    class Sign(Optimizer):
        def update(self, p, g, state, group):
            state["steps"] = state.get("steps", 0) + 1
            p -= group["lr"] * np.sign(g)

    p = leaf(3.0, -3.0)
    optimizer = Sign([p], {"lr": 0.5})
    for _ in range(2):
        optimizer.zero_grad()
        (p * p).sum().backward()
        optimizer.step()
    assert p.tolist() == [2.0, -2.0]
    assert optimizer.state_dict()["state"] == {0: {"steps": 2}}
    with pytest.raises(NotImplementedError):
        Optimizer([p], {}).step()


def test_repr_lists_the_options():
    lines = repr(SGD([leaf(1.0)], lr=0.5, momentum=0.9)).splitlines()
    assert lines[:2] == ["SGD (", "Parameter Group 0"]
    assert {"    lr: 0.5", "    momentum: 0.9", "    nesterov: False"} <= set(lines)
    assert lines[2:-1] == sorted(lines[2:-1])


def test_nothing_is_kept_without_momentum_and_groups_print_apart():
    p = leaf(1.0)
    optimizer = SGD([{"params": [p]}, {"params": [leaf(1.0)]}])
    p.sum().backward()
    optimizer.step()
    assert dict(optimizer.state) == {}
    assert optimizer.state_dict()["state"] == {}
    assert "weight_decay: 0\n\nParameter Group 1\n" in repr(optimizer)


def test_names_are_kept_in_the_group_and_its_state():
    layer = torch.nn.Linear(1, 1)
    optimizer = SGD(layer.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    for act in (lambda: optimizer.add_param_group({"params": [leaf(1.0)]}), lambda: SGD([("a", leaf(1.0)), leaf(2.0)])):
        with pytest.raises(ValueError, match="with/without names"):
            act()


def test_sets_are_refused_and_duplicates_noticed():
    p = leaf(1.0)
    with pytest.raises(TypeError, match="ordered collections"):
        SGD([{"params": {p}}])
    with pytest.raises(TypeError, match="must be a dict"):
        SGD([p]).add_param_group([p])
    with pytest.warns(UserWarning, match="duplicate parameters"):
        SGD([p, p])


def test_hooks_of_steps_and_of_the_state():
    optimizer, seen = SGD([leaf(1.0)]), []
    optimizer.register_step_pre_hook(lambda o, args, options: seen.append("before"))
    optimizer.register_step_post_hook(lambda o, args, options: seen.append("after"))
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("state"))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "more": 1})
    optimizer.register_load_state_dict_pre_hook(lambda o, state: seen.append(sorted(state)))
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("second"))
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("first"), prepend=True)
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    assert seen == ["before", "after", "state", ["more", "param_groups", "state"], "first", "second"]
