"""Optimizer beside PyTorch's: wrappers that call no __init__, copies, loaded states, and the order of all keys."""

import copy
import importlib
from collections import defaultdict

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare
from tinygrad_nn.porting import names

torch = pytest.importorskip("torch")

ALL = ["SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Adagrad", "Adadelta", "Rprop", "ASGD"]


def parameter(p, dtype="float32"):
    found = p.nn.Parameter(p.tensor([[1.0, -2.0]], dtype=getattr(p, dtype)))
    found.grad = p.tensor([[0.5, 0.25]], dtype=getattr(p, dtype))
    return found


def groups_of(optimizer):
    """The groups as lists of pairs, so that the order of the keys counts."""
    return [list(group.items()) for group in optimizer.state_dict()["param_groups"]]


def lookahead(p, optimizer, every=2, share=0.5):
    """Steps of an optimiser, and every so often a step back towards where the last one ended (arXiv:1907.08610)."""

    class Lookahead(p.optim.Optimizer):
        def __init__(self, optimizer):
            self.optimizer = optimizer
            self.param_groups = optimizer.param_groups
            self.state = defaultdict(dict)
            self.defaults = optimizer.defaults
            self.slow = [[w.detach().clone() for w in group["params"]] for group in self.param_groups]
            self.count = 0

        def step(self, closure=None):
            loss = self.optimizer.step(closure)
            self.count += 1
            if self.count % every == 0:
                for group, slow in zip(self.param_groups, self.slow, strict=True):
                    for weight, kept in zip(group["params"], slow, strict=True):
                        kept += share * (weight.detach() - kept)
                        weight.data.copy_(kept)
            return loss

    return Lookahead(optimizer)


def test_a_wrapper_that_calls_no_init():
    def program(p):
        weight = parameter(p)
        optimizer = lookahead(p, p.optim.SGD([{"params": [weight], "weight_decay": 0.1}], lr=0.1, momentum=0.9))
        scheduler = p.optim.lr_scheduler.StepLR(optimizer, 2)
        path = []

        def closure():
            optimizer.zero_grad()
            loss = (weight**2).sum()
            loss.backward()
            return loss

        for _ in range(5):
            path.append(optimizer.step(closure))
            scheduler.step()
            path.append(weight.detach().clone())
        optimizer.add_param_group({"params": [parameter(p)]})
        optimizer.zero_grad(set_to_none=False)
        return path, repr(optimizer), scheduler.get_last_lr(), list(optimizer.__getstate__()), weight.grad, optimizer.count

    compare(program, torch, tinygrad_nn)


def test_a_wrapper_that_calls_no_init_has_hooks_and_a_state_of_its_own_here():
    optimizer, seen = lookahead(tinygrad_nn, tinygrad_nn.optim.SGD([parameter(tinygrad_nn)])), []
    other = lookahead(tinygrad_nn, tinygrad_nn.optim.SGD([parameter(tinygrad_nn)]))
    optimizer.register_step_post_hook(lambda *_: seen.append("step"))
    optimizer.load_state_dict(optimizer.state_dict())
    other.step()
    optimizer.step()
    assert seen == ["step"]


def test_sharpness_aware_minimization():
    """Two steps in one, over groups that a base optimiser shares (Foret et al. 2021, arXiv:2010.01412)."""

    def program(p):
        class SAM(p.optim.Optimizer):
            def __init__(self, params, base, rho=0.05, **options):
                super().__init__(params, {"rho": rho, **options})
                self.base = base(self.param_groups, **options)
                self.param_groups = self.base.param_groups
                self.defaults.update(self.base.defaults)

            @p.no_grad()
            def step(self, closure):
                closure = p.enable_grad()(closure)
                loss = closure()
                for group in self.param_groups:
                    for w in group["params"]:
                        self.state[w]["old"] = w.data.clone()
                        w.add_(w.grad * (group["rho"] / w.grad.norm()))
                closure()
                for group in self.param_groups:
                    for w in group["params"]:
                        w.data = self.state[w]["old"]
                self.base.step()
                return loss

            def load_state_dict(self, state):
                super().load_state_dict(state)
                self.base.param_groups = self.param_groups

        weight = parameter(p)
        optimizer = SAM([weight], p.optim.SGD, lr=0.1, momentum=0.9)

        def closure():
            optimizer.zero_grad()
            loss = (weight**4).sum()
            loss.backward()
            return loss

        losses = [optimizer.step(closure) for _ in range(3)]
        optimizer.load_state_dict(optimizer.state_dict())
        return losses, weight, groups_of(optimizer), groups_of(optimizer.base), repr(optimizer), optimizer.state_dict()

    compare(program, torch, tinygrad_nn)


def test_setstate_is_called_by_copies_and_by_loading():
    def program(p):
        seen = []

        class Own(p.optim.SGD):
            def __setstate__(self, state):
                seen.append(list(state))
                super().__setstate__(state)
                for group in self.param_groups:
                    group.setdefault("amsgrad", False)

        weight = parameter(p)
        optimizer = Own([weight], lr=0.1, momentum=0.9)
        optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
        return seen, groups_of(optimizer), list(optimizer.__getstate__()), groups_of(copy.deepcopy(optimizer)), seen

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("name", [*ALL, "SparseAdam"])
def test_deep_copies(name):
    def program(p):
        weight = parameter(p)
        optimizer = getattr(p.optim, name)([weight], lr=0.1)
        optimizer.note = 3
        p.optim.lr_scheduler.StepLR(optimizer, 1)
        optimizer.register_step_post_hook(lambda *_: 1 / 0)
        twin = copy.deepcopy(optimizer)
        (other,) = twin.param_groups[0]["params"]
        other.grad = p.ones(1, 2)
        if name != "SparseAdam":
            twin.step()
        return other, weight, twin.state_dict(), optimizer.state_dict(), repr(twin), hasattr(twin, "note"), type(twin).__name__

    compare(program, torch, tinygrad_nn)


def test_a_deep_copy_goes_on_from_the_state():
    def program(p):
        weight = parameter(p)
        optimizer = p.optim.Adam([weight], lr=0.1)
        optimizer.step()
        twin = copy.deepcopy(optimizer)
        (other,) = twin.param_groups[0]["params"]
        other.grad = p.ones(1, 2)
        twin.step()
        return weight, optimizer.state[weight], other, twin.state[other]

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize(("ours", "theirs"), [("float32", "float64"), ("float64", "float32")])
def test_a_loaded_state_takes_the_dtype_of_its_parameter(ours, theirs):
    def program(p):
        saved = p.optim.Adam([parameter(p, theirs)])
        saved.step()
        weight = parameter(p, ours)
        optimizer = p.optim.Adam([weight])
        optimizer.load_state_dict(saved.state_dict())
        optimizer.step()
        return optimizer.state_dict(), weight

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("name", ["Adam", "NAdam", "ASGD", "Adagrad"])
def test_a_state_of_an_old_file_counts_steps_in_a_number(name):
    def program(p):
        saved = getattr(p.optim, name)([parameter(p)])
        saved.step()
        state = saved.state_dict()
        (held,) = state["state"].values()
        held.update({key: float(value) for key, value in held.items() if value.ndim == 0})
        weight = parameter(p)
        optimizer = getattr(p.optim, name)([weight])
        optimizer.load_state_dict(state)
        optimizer.step()
        return weight, optimizer.state[weight]

    compare(program, torch, tinygrad_nn)


def test_a_state_that_belongs_to_no_parameter():
    def program(p):
        optimizer, other = (p.optim.SGD([parameter(p)], lr=0.1, momentum=0.9) for _ in range(2))
        optimizer.step()
        optimizer.state["count"] = 3
        optimizer.state["more"] = {"values": [1, p.ones(2)]}
        other.load_state_dict(optimizer.state_dict())
        return list(other.state_dict()["state"]), other.state_dict(), other.state["count"]

    compare(program, torch, tinygrad_nn)


def test_the_group_is_the_dict_that_was_given_and_states_are_shown_as_they_are():
    for p in (torch, tinygrad_nn):
        weight = parameter(p)
        group = {"weight_decay": 0.5, "params": [weight]}
        optimizer = p.optim.Adam([group])
        optimizer.step()
        assert optimizer.param_groups[0] is group
        assert optimizer.state_dict()["state"][0] is optimizer.state[weight]


def test_loading_replaces_the_groups():
    def program(p):
        saved = p.optim.SGD([parameter(p)], lr=0.5).state_dict()
        saved["param_groups"][0]["hello"] = [1]
        del saved["param_groups"][0]["nesterov"]
        optimizer = p.optim.SGD([parameter(p)], lr=0.1)
        p.optim.lr_scheduler.StepLR(optimizer, 1)
        optimizer.load_state_dict(saved)
        saved["param_groups"][0]["hello"].append(2)
        return groups_of(optimizer)

    compare(program, torch, tinygrad_nn)


def test_names_are_kept_when_loading():
    def program(p):
        model = p.nn.Linear(2, 1)
        named, bare = p.optim.SGD(model.named_parameters(), lr=0.1), p.optim.SGD(model.parameters(), lr=0.1)
        state = bare.state_dict()
        bare.load_state_dict(named.state_dict())
        named.load_state_dict(state)
        return groups_of(bare), groups_of(named)

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("options", [{"params": 0}, {"params": 0, "lr": 2.0}, {"lr": 2.0, "params": 0}, {"x": 1}])
def test_required_options(options):
    def program(p):
        optimizer = importlib.import_module(f"{p.__name__}.optim.optimizer")
        group = {k: [parameter(p)] if k == "params" else v for k, v in options.items()}
        return repr(optimizer.required), groups_of(optimizer.Optimizer([group], {"lr": optimizer.required, "more": 1}))

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "options", [{}, {"amsgrad": True}, {"momentum": 0.9}, {"centered": True}, {"momentum": 0.9, "centered": True}]
)
def test_the_order_of_all_keys(name, options):
    def program(p):
        first, second = parameter(p), parameter(p)
        optimizer = getattr(p.optim, name)([{"params": [first], "lr": 0.3}, {"more": 1, "params": second}], **options)
        optimizer.step()
        own = [list(optimizer.defaults), list(optimizer.state[first]), *map(list, optimizer.param_groups)]
        return own, groups_of(optimizer), optimizer.state_dict(), repr(optimizer)

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_the_order_of_lbfgs_keys(search):
    def program(p):
        weight = p.nn.Parameter(p.tensor([1.0, 2.0], dtype=p.float64))
        optimizer = p.optim.LBFGS([weight], lr=0.01, max_iter=3, history_size=4, line_search_fn=search)
        states = []

        def closure():
            optimizer.zero_grad()
            loss = ((weight - 3) ** 4).sum()
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.step(closure)
            states.append(list(copy.deepcopy(optimizer.state_dict()["state"][0]).items()))
        return states, repr(optimizer)

    compare(program, torch, tinygrad_nn)


MISTAKES = {
    "two learning rates": lambda p: p.optim.SGD([parameter(p)], lr=p.tensor([0.1, 0.2])),
    "one in a tensor": lambda p: p.optim.SGD([parameter(p)], lr=p.tensor([0.1])).defaults["lr"],
    "SGD fused and foreach": lambda p: p.optim.SGD([parameter(p)], fused=True, foreach=True),
    "Adagrad fused and foreach": lambda p: p.optim.Adagrad([parameter(p)], fused=True, foreach=True),
    "SGD fused and differentiable": lambda p: p.optim.SGD([parameter(p)], fused=True, differentiable=True),
    "sparse": lambda p: groups_of(p.optim.SparseAdam([parameter(p)], maximize=True)),
    "sparse lr": lambda p: p.optim.SparseAdam([parameter(p)], lr=0),
    "sparse eps": lambda p: p.optim.SparseAdam([parameter(p)], eps=0),
    "sparse betas": lambda p: p.optim.SparseAdam([parameter(p)], betas=(0.9, 1)),
    "sparse step": lambda p: p.optim.SparseAdam([parameter(p)]).step(),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    compare(MISTAKES[name], torch, tinygrad_nn)


SPELLINGS = [
    "optimizer.Optimizer", "optimizer.required", "optimizer.ParamsT", "optimizer.register_optimizer_step_pre_hook", "sgd.SGD",
    "adam.Adam", "adamw.AdamW", "rmsprop.RMSprop", "lr_scheduler._LRScheduler", "_multi_tensor.SGD",
]  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_names_by_the_files_they_are_in(name):
    file, last = name.split(".")
    assert hasattr(importlib.import_module(f"torch.optim.{file}"), last)
    found = names.find(f"torch.optim.{name}")
    assert found is getattr(importlib.import_module(f"tinygrad_nn.optim.{file}"), last)
    assert found is getattr(tinygrad_nn.optim, last, found) or file == "_multi_tensor"


@pytest.mark.parametrize("name", ALL)
def test_optimisers_that_loop_over_lists_from_the_start(name):
    def program(p):
        kind = getattr(importlib.import_module(f"{p.__name__}.optim._multi_tensor"), name)
        optimizer = kind([parameter(p)], lr=0.5)
        optimizer.step()
        return repr(optimizer), isinstance(optimizer, getattr(p.optim, name)), optimizer.state_dict()

    compare(program, torch, tinygrad_nn)
