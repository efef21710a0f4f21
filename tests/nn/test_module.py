"""Module: attributes, walks, state, casts and hooks."""

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn


class Block(nn.Module):
    """A parameter, three buffers and a layer."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))
        self.register_buffer("seen", torch.zeros(1))
        self.register_buffer("scratch", torch.zeros(1), persistent=False)
        self.register_buffer("nothing", None)
        self.line = nn.Linear(2, 2)

    def forward(self, x, shift=0.0):
        return self.line(x) * self.scale + shift


class Tied(nn.Module):
    """Two names for one layer, and a weight of a third layer that is the first one's."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 2)
        self.again = self.first
        self.other = nn.Linear(2, 2)
        self.other.weight = self.first.weight


def test_attributes_are_stored_by_their_kind():
    block = Block()
    assert set(dict(block.named_parameters(recurse=False))) == {"scale"}
    assert [name for name, _ in block.named_buffers()] == ["seen", "scratch"]
    assert [name for name, _ in block.named_children()] == ["line"]
    block.note = "plain"
    assert block.__dict__["note"] == "plain"
    assert {"scale", "seen", "line", "note", "forward"} <= set(dir(block))
    assert block.nothing is None


def test_an_attribute_that_changes_its_kind_is_forgotten_as_the_old_one():
    block = Block()
    block.seen = nn.Parameter(torch.ones(1))
    assert [name for name, _ in block.named_buffers()] == ["scratch"]
    assert "seen" in dict(block.named_parameters())
    block.note = 1
    block.note = nn.ReLU()
    assert "note" not in block.__dict__
    block.line = None
    assert [name for name, _ in block.named_modules()] == ["", "note"]
    assert "line.weight" not in block.state_dict()
    block.scale = None
    assert block.scale is None
    assert "scale" not in block.state_dict()
    block.scratch = torch.ones(3)
    assert block.scratch.tolist() == [1.0] * 3
    block.scratch = None
    assert [name for name, _ in block.named_buffers()] == []


def test_deletion():
    block = Block()
    block.note = 1
    for name in ("scale", "seen", "line", "note"):
        delattr(block, name)
        assert not hasattr(block, name)
    assert list(block.state_dict()) == []


def test_a_buffer_can_become_persistent():
    block = Block()
    block.register_buffer("scratch", torch.ones(1))
    assert "scratch" in block.state_dict()


class Early(nn.Module):
    def __init__(self, value):
        self.value = value
        super().__init__()


def test_plain_attributes_may_come_before_init():
    assert Early(3).value == 3
    for value in (nn.ReLU(), nn.Parameter(torch.ones(1))):
        with pytest.raises(AttributeError, match=r"cannot assign 'value' before Module.__init__\(\) call"):
            Early(value)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda m: m.nope, AttributeError, "'Block' object has no attribute 'nope'"),
        (lambda m: delattr(m, "nope"), AttributeError, "nope"),
        (lambda m: setattr(m, "scale", torch.ones(2)), TypeError, r"'Tensor' object to parameter 'scale' \(Parameter or None"),
        (lambda m: setattr(m, "line", 3), TypeError, r"'int' as child module 'line' \(Module or None required\)"),
        (lambda m: setattr(m, "seen", 3), TypeError, r"'int' object to buffer 'seen' \(Tensor or None required\)"),
        (lambda m: m.register_parameter("p", 3), TypeError, "register_parameter: 'p' expected a Parameter or None, got int"),
        (lambda m: m.register_buffer("b", 3), TypeError, "register_buffer: 'b' expected a Tensor or None, got int"),
        (lambda m: m.add_module("m", 3), TypeError, "add_module: 'm' expected a Module or None, got int"),
        (lambda m: m.register_module("a.b", nn.ReLU()), KeyError, "no dot, got 'a.b'"),
        (lambda m: m.register_parameter("", None), KeyError, "not empty"),
        (lambda m: m.register_buffer("forward", None), KeyError, "attribute 'forward' already exists"),
        (lambda m: m.get_submodule("line.weight"), AttributeError, r"Linear has no submodule 'weight' \(of path 'line.weight'\)"),
        (lambda m: nn.Module()(3), NotImplementedError, r"Module \[Module\] is missing the required \"forward\" function"),
    ],
)
def test_mistakes_are_explained(act, error, message):
    with pytest.raises(error, match=message):
        act(Block())


def test_shared_parts_are_walked_once():
    tied = Tied()
    assert [name for name, _ in tied.named_modules()] == ["", "first", "other"]
    assert [name for name, _ in tied.named_modules(prefix="x", remove_duplicate=False)] == ["x", "x.first", "x.again", "x.other"]
    assert [name for name, _ in tied.named_children()] == ["first", "other"]
    assert [name for name, _ in tied.named_parameters()] == ["first.weight", "first.bias", "other.bias"]
    assert len(list(tied.named_parameters(remove_duplicate=False))) == 6
    assert len(tied.state_dict()) == 6
    tied.double()
    assert tied.other.weight is tied.first.weight
    assert tied.again.weight.dtype is torch.float64


def test_a_shared_weight_gets_both_gradients():
    tied, x = Tied(), torch.ones(1, 2)
    (tied.first(x).sum() + tied.other(x).sum() * 3).backward()
    assert tied.first.weight.grad.tolist() == [[4.0, 4.0]] * 2


def test_get_submodule():
    outer = nn.Sequential(nn.Sequential(Block()))
    assert outer.get_submodule("0.0.line") is outer[0][0].line
    assert outer.get_submodule("") is outer


# state


def test_the_state_shares_memory_and_has_no_history():
    block = Block()
    state = block.state_dict()
    assert list(state) == ["scale", "seen", "line.weight", "line.bias"]
    state["scale"].fill_(5.0)
    assert block.scale.tolist() == [5.0, 5.0]
    assert not any(value.requires_grad for value in state.values())
    kept = block.state_dict(prefix="net.", keep_vars=True)
    assert kept["net.scale"] is block.scale
    assert kept["net.line.bias"] is block.line.bias


def test_load_copies_into_the_same_parameters():
    block, other = Block(), Block()
    before = block.line.weight
    result = block.load_state_dict(other.state_dict())
    assert repr(result) == "<All keys matched successfully>"
    assert block.line.weight is before
    assert (block.line.weight == other.line.weight).all()
    assert block.line.weight.data_ptr() != other.line.weight.data_ptr()
    assert before.requires_grad
    assert before.is_leaf


def test_load_accepts_arrays_and_casts():
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": np.array([[1, 2]]), "bias": torch.tensor([3.0], dtype=torch.float64)})
    assert (layer.weight.tolist(), layer.bias.tolist()) == ([[1.0, 2.0]], [3.0])
    assert layer.bias.dtype is torch.float32


def test_load_not_strict_names_what_does_not_fit():
    block = Block()
    missing, unexpected = result = block.load_state_dict({"scale": torch.zeros(2), "more": 3}, strict=False)
    assert missing == ["seen", "line.weight", "line.bias"]
    assert unexpected == ["more"]
    assert repr(result) == f"_IncompatibleKeys(missing_keys={missing}, unexpected_keys={unexpected})"
    assert block.scale.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("changes", "strict", "message"),
    [
        ({"scale": torch.ones(3)}, False, r"for Block:\n\tsize mismatch for scale: .*\(\[3\]\) from checkpoint, .* is .*\[2\]"),
        ({"scale": [1.0, 2.0]}, False, 'parameter named "scale", expected torch.Tensor .* received .*list'),
        ({"more": torch.ones(1), "some": torch.ones(1)}, True, r'Unexpected key\(s\) in state_dict: "more", "some"\.'),
        ({"scale": None, "seen": None}, True, r'Missing key\(s\) in state_dict: "scale", "seen"\.'),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(changes, strict, message):
    block = Block()
    before = {name: value.tolist() for name, value in block.state_dict().items()}
    state = {name: torch.full(tuple(value.shape), 9.0) for name, value in block.state_dict().items()}
    state = {name: value for name, value in {**state, **changes}.items() if value is not None}
    with pytest.raises(RuntimeError, match=message):
        block.load_state_dict(state, strict=strict)
    assert {name: value.tolist() for name, value in block.state_dict().items()} == before


# all of them at once


def test_train_and_eval_reach_all():
    net = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.Dropout(0.5)))
    assert net.eval() is net
    assert [m.training for m in net.modules()] == [False] * 4
    x = torch.ones(50)
    assert net(x) is x
    assert net.train() is net
    assert [m.training for m in net.modules()] == [True] * 4
    assert net(x).eq(0).any()


def test_requires_grad_of_all():
    block = Block()
    assert block.requires_grad_(False) is block
    assert not block(torch.ones(2)).requires_grad
    block.requires_grad_()
    assert block(torch.ones(2)).requires_grad


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(set_to_none):
    block = Block()
    block.frozen = nn.Parameter(torch.ones(1))
    block(torch.ones(2)).sum().backward()
    block.zero_grad(set_to_none)
    assert block.frozen.grad is None
    if set_to_none:
        assert all(p.grad is None for p in block.parameters())
    else:
        assert block.scale.grad.tolist() == [0.0, 0.0]
        assert block.line.weight.grad.tolist() == [[0.0, 0.0]] * 2


def test_apply_goes_from_the_leaves_up():
    net, seen = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Tanh(), nn.ReLU())), []
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "Tanh", "ReLU", "Sequential", "Sequential"]

    @torch.no_grad()
    def fill(module):
        if isinstance(module, nn.Linear):
            module.weight.fill_(2.0)

    net.apply(fill)
    assert net[0].weight.tolist() == [[2.0]]


CASTS = {
    "double": lambda m: m.double(), "dtype": lambda m: m.to(torch.float64), "keyword": lambda m: m.to(dtype=torch.float64),
    "tensor": lambda m: m.to(torch.ones(1, dtype=torch.float64)),
}  # fmt: skip


@pytest.mark.parametrize("cast", CASTS)
def test_to_casts_what_is_floating(cast):
    block = Block()
    block.register_buffer("count", torch.tensor([3]))
    scale, seen = block.scale, block.seen
    assert CASTS[cast](block) is block
    assert block.scale is scale
    assert block.seen is not seen  # as in PyTorch, which replaces buffers and keeps parameters
    assert {v.dtype for v in (*block.parameters(), block.seen, block.scratch)} == {torch.float64}
    assert block.count.dtype is torch.int64
    assert block(torch.ones(2, dtype=torch.float64)).dtype is torch.float64
    assert block.float().scale.dtype is torch.float32


def test_the_cpu_is_the_only_device():
    block = Block()
    weight = block.line.weight
    assert block.cpu() is block.to("cpu") is block
    assert block.line.weight is weight
    with pytest.raises(AssertionError, match="'cpu'"):
        block.to("cuda")


# printing


def test_repr_of_nested_modules():
    class Named(Block):
        def extra_repr(self):
            return "kind=named"

    net = nn.Sequential(Named())
    net.add_module("gone", None)
    line = "(line): Linear(in_features=2, out_features=2, bias=True)"
    assert repr(net) == f"Sequential(\n  (0): Named(\n    kind=named\n    {line}\n  )\n  (gone): None\n)"


def test_repr_of_several_lines_without_children():
    class Lines(nn.Module):
        def extra_repr(self):
            return "a=1\nb=2"

    assert repr(Lines()) == "Lines(\n  a=1\n  b=2\n)"
    assert repr(nn.Module()) == "Module()"


@pytest.mark.parametrize("requires_grad", [True, False])
def test_parameters(requires_grad):
    data = torch.ones(2)
    parameter = nn.Parameter(data, requires_grad)
    assert parameter.requires_grad is requires_grad
    assert parameter.data_ptr() == data.data_ptr()
    assert repr(parameter) == f"Parameter containing:\n{torch.ones(2).requires_grad_(requires_grad)!r}"
    assert nn.Parameter().shape == (0,)


def test_casting_takes_the_gradients_along():
    layer = nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum().backward()
    gradient = layer.weight.grad
    layer.double()
    assert layer.weight.grad is gradient
    assert gradient.dtype is torch.float64
    assert layer.half().weight.dtype is layer.weight.grad.dtype is torch.float16
    layer.register_buffer("count", torch.tensor([3]))
    assert layer.type(torch.float64).count.dtype is torch.float64
    for cast in (torch.int64, torch.bool):
        with pytest.raises(TypeError, match="only accepts floating point dtypes, but got desired dtype=torch"):
            layer.to(cast)


def test_assign_puts_the_tensors_of_the_state_in_place():
    layer = nn.Linear(2, 1)
    layer.register_buffer("count", torch.zeros(1))
    layer.bias.requires_grad_(False)
    weight, count = torch.ones(1, 2, dtype=torch.float64), torch.ones(1)
    bias = nn.Parameter(torch.ones(1))
    layer.load_state_dict({"weight": weight, "bias": bias, "count": count}, assign=True)
    assert isinstance(layer.weight, nn.Parameter)
    assert layer.weight.data_ptr() == weight.data_ptr()
    assert layer.weight.requires_grad
    assert (layer.bias, layer.count) == (bias, count)
    assert not bias.requires_grad
    with pytest.raises(RuntimeError, match="size mismatch"):
        layer.load_state_dict({"weight": torch.ones(3), "bias": bias, "count": count}, assign=True)


def test_a_buffer_that_is_not_persistent_stays_so_until_it_is_something_else():
    module = nn.Module()
    module.register_buffer("seen", torch.ones(1), persistent=False)
    module.seen = None
    module.seen = torch.ones(2)
    assert list(module.state_dict()) == []
    module.seen = nn.Parameter(torch.ones(1))
    assert list(module.state_dict()) == ["seen"]


def test_train_goes_through_what_submodules_override():
    class Frozen(nn.Module):
        def train(self, mode=True):
            return super().train(False)

    net = nn.Sequential(Frozen(), nn.ReLU())
    net.train()
    assert [m.training for m in net.modules()] == [True, False, True]
    for mode in ("x", 1):
        with pytest.raises(ValueError, match="expected to be boolean"):
            net.train(mode)


def test_paths_to_parameters_buffers_and_modules():
    net = nn.Sequential(Block())
    assert net.get_parameter("0.line.bias") is net[0].line.bias
    assert net.get_buffer("0.seen") is net[0].seen
    net.set_submodule("0.line", nn.Identity())
    assert isinstance(net[0].line, nn.Identity)
    net.set_submodule("0.more", nn.ReLU())
    assert isinstance(net[0].more, nn.ReLU)
    for act, error in (
        (lambda: net.get_parameter("0.seen"), AttributeError),
        (lambda: net.get_buffer("0.scale"), AttributeError),
        (lambda: net.get_parameter("1.weight"), AttributeError),
        (lambda: net.set_submodule("", nn.ReLU()), ValueError),
        (lambda: net.set_submodule("0", 3), ValueError),
        (lambda: net.set_submodule("0.none", nn.ReLU(), strict=True), AttributeError),
        (lambda: net.set_submodule("0.training", nn.ReLU()), AttributeError),
    ):
        with pytest.raises(error):
            act()


class Counting(nn.Module):
    """Keeps a number beside its tensors."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def get_extra_state(self):
        return {"count": self.count}

    def set_extra_state(self, state):
        self.count = state["count"]


def test_extra_state():
    first, second = nn.Sequential(Counting()), nn.Sequential(Counting())
    first[0].count = 5
    state = first.state_dict()
    assert state == {"0._extra_state": {"count": 5}}
    second.load_state_dict(state)
    assert second[0].count == 5
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "0._extra_state"'):
        second.load_state_dict({})


def test_hooks_of_the_state():
    net, seen = nn.Sequential(nn.Linear(1, 1)), []
    line = net[0]
    line.register_state_dict_pre_hook(lambda module, prefix, keep: seen.append((module is line, prefix, keep)))
    line.register_state_dict_post_hook(lambda module, state, prefix, _: state.update({prefix + "old": state.pop(prefix + "bias")}))
    state = net.state_dict()
    assert list(state) == ["0.weight", "0.old"]
    assert seen == [(True, "0.", False)]
    with pytest.raises(RuntimeError, match=r'Missing .* "0\.bias"'):
        net.load_state_dict(state)
    line.register_load_state_dict_pre_hook(
        lambda module, state, prefix, *_: state.update({prefix + "bias": state.pop(prefix + "old")})
    )
    assert not any(net.load_state_dict(state))
    assert "0.old" in state
    handle = net.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
    del state["0.weight"]
    assert not any(net.load_state_dict(state))
    handle.remove()
    net.register_load_state_dict_post_hook(lambda module, keys: 1)
    with pytest.raises(AssertionError, match="in place"):
        net.load_state_dict(net.state_dict())


def test_a_state_is_added_to_a_destination():
    found = {"first": 1}
    assert nn.Linear(1, 1).state_dict(destination=found, prefix="a.") is found
    assert list(found) == ["first", "a.weight", "a.bias"]
    with pytest.warns(FutureWarning, match="use keywords"):
        assert list(nn.Linear(1, 1).state_dict({}, "b.")) == ["b.weight", "b.bias"]
