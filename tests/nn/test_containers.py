"""Sequential, ModuleList and ModuleDict: what is called, listed, replaced and printed."""

from collections import OrderedDict

import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn


class Add(nn.Module):
    def __init__(self, number):
        super().__init__()
        self.number = number

    def forward(self, x):
        return x * 10 + self.number

    def extra_repr(self):
        return str(self.number)


def numbers(modules):
    return [module.number for module in modules]


def test_sequential_calls_one_after_the_other():
    net = nn.Sequential(Add(1), Add(2), Add(3))
    assert net(0) == 123
    assert nn.Sequential()(5) == 5
    assert nn.Sequential(net, Add(4))(0) == 1234


def test_sequential_by_names():
    net = nn.Sequential(OrderedDict(first=Add(1), second=Add(2)))
    assert net.second is net[1]
    assert net(0) == 12
    assert [name for name, _ in net.named_children()] == ["first", "second"]
    net[1] = Add(7)
    assert net.second.number == 7


@pytest.mark.parametrize("kind", [nn.Sequential, lambda *modules: nn.ModuleList(modules)])
class TestLists:
    def test_index(self, kind):
        held = kind(Add(1), Add(2), Add(3))
        assert len(held) == 3
        assert numbers(held) == [1, 2, 3]
        assert [held[i].number for i in (0, -1, -3)] == [1, 3, 1]

    def test_slices_are_of_the_same_kind_and_share_modules(self, kind):
        held = kind(Add(1), Add(2), Add(3))
        part = held[1:]
        assert type(part) is type(held)
        assert part[0] is held[1]
        assert numbers(held[::-2]) == [3, 1]
        assert len(held[5:]) == 0

    @pytest.mark.parametrize("index", [3, -4])
    def test_out_of_range(self, kind, index):
        held = kind(Add(1), Add(2), Add(3))
        for act in (lambda: held[index], lambda: held.__setitem__(index, Add(0))):
            with pytest.raises(IndexError, match=f"index {index} is out of range for 3 modules"):
                act()

    def test_assignment(self, kind):
        held = kind(Add(1), Add(2))
        held[-1] = Add(9)
        held[0] = Add(8)
        assert numbers(held) == [8, 9]
        assert [name for name, _ in held.named_children()] == ["0", "1"]

    def test_append_and_extend_give_the_list(self, kind):
        held = kind()
        assert held.append(Add(1)) is held
        assert held.extend([Add(2), Add(3)]) is held
        assert [name for name, _ in held.named_children()] == ["0", "1", "2"]
        assert numbers(held) == [1, 2, 3]

    def test_only_modules(self, kind):
        with pytest.raises(TypeError, match="'0' expected a Module or None, got int"):
            kind(3)

    def test_parameters_are_found(self, kind):
        held = kind(nn.Linear(1, 1), nn.Linear(1, 1, bias=False))
        assert list(held.state_dict()) == ["0.weight", "0.bias", "1.weight"]


@pytest.mark.parametrize(("index", "expected"), [(0, [9, 1, 2]), (1, [1, 9, 2]), (2, [1, 2, 9])])
def test_insert(index, expected):
    held = nn.ModuleList([Add(1), Add(2)])
    held.insert(index, Add(9))
    assert numbers(held) == expected
    assert [name for name, _ in held.named_children()] == ["0", "1", "2"]


def test_lists_add_up_to_a_new_one():
    held, more, most = nn.ModuleList([Add(1)]), [Add(2)], nn.ModuleList([Add(3)])
    both = held + more
    both = both + most
    assert isinstance(both, nn.ModuleList)
    assert numbers(both) == [1, 2, 3]
    assert len(held) == 1
    assert both[0] is held[0]


def test_repr_of_a_list_counts_what_repeats():
    assert repr(nn.ModuleList()) == "ModuleList()"
    held = nn.ModuleList([Add(1), Add(1), Add(2), Add(1), nn.Sequential(Add(3)), nn.Sequential(Add(3))])
    lines = ["(0-1): 2 x Add(1)", "(2): Add(2)", "(3): Add(1)", "(4-5): 2 x Sequential(", "  (0): Add(3)", ")"]
    assert repr(held).splitlines() == ["ModuleList(", *("  " + line for line in lines), ")"]


@pytest.mark.parametrize("given", [{"b": Add(1), "a": Add(2)}, [("b", Add(1)), ("a", Add(2))]])
def test_dict_keeps_its_order(given):
    held = nn.ModuleDict(given)
    assert list(held) == list(held.keys()) == ["b", "a"]
    assert numbers(held.values()) == [1, 2]
    assert [(name, module.number) for name, module in held.items()] == [("b", 1), ("a", 2)]
    assert len(held) == 2
    assert held["a"] is held.a
    assert "a" in held
    assert "c" not in held
    assert repr(held) == "ModuleDict(\n  (b): Add(1)\n  (a): Add(2)\n)"


def test_dict_changes():
    held = nn.ModuleDict()
    assert len(held) == 0
    held["x"] = Add(1)
    held.update({"y": Add(2), "x": Add(3)})
    assert numbers(held.values()) == [3, 2]
    del held["x"]
    assert list(held) == ["y"]
    assert held.pop("y").number == 2
    for act in (lambda: held.pop("y"), lambda: held["y"], lambda: held.__delitem__("y")):
        with pytest.raises(KeyError, match="y"):
            act()
    held.update([("z", nn.Linear(1, 1))])
    assert list(held.state_dict()) == ["z.weight", "z.bias"]
    held.clear()
    assert list(held.parameters()) == []


@pytest.mark.parametrize(
    ("key", "module", "error", "message"),
    [
        ("keys", Add(1), KeyError, "attribute 'keys' already exists"),
        ("a.b", Add(1), KeyError, "no dot"),
        ("a", 1, TypeError, "expected a Module or None, got int"),
    ],
)
def test_what_a_dict_does_not_take(key, module, error, message):
    held = nn.ModuleDict()
    with pytest.raises(error, match=message):
        held[key] = module
    assert len(held) == 0


def test_gradients_reach_what_containers_hold():
    held = nn.ModuleDict({"a": nn.ModuleList([nn.Linear(1, 1, bias=False) for _ in range(2)])})
    x = torch.ones(1, 1)
    for layer in held["a"]:
        x = layer(x)
    x.backward()
    first, second = held["a"]
    assert first.weight.grad.tolist() == second.weight.tolist()
    assert second.weight.grad.tolist() == first.weight.tolist()


@pytest.mark.parametrize("kind", [nn.Sequential, lambda *m: nn.ModuleList(m)])
def test_taking_out_and_putting_in(kind):
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    net = kind(a, b, c)
    assert net.pop(1) is b
    net.insert(1, b)
    net.insert(3, b)
    assert (list(net), list(net._modules)) == ([a, b, c, b], ["0", "1", "2", "3"])
    del net[-1]
    del net[::2]
    assert (list(net), list(net._modules)) == ([b], ["0"])
    same = net
    net += kind(a)
    assert net is same
    assert list(net) == [b, a]
    for act in (lambda: net.pop(2), lambda: net.__delitem__(-3)):
        with pytest.raises(IndexError, match="out of range"):
            act()
    with pytest.raises(TypeError, match="iterable"):
        net.extend(3)


def test_arithmetic_of_sequences():
    a, b = nn.ReLU(), nn.Tanh()
    net = nn.Sequential(a)
    assert list(net + nn.Sequential(b)) == [a, b]
    assert list(net * 2) == list(2 * net) == [a, a]
    net *= 3
    assert list(net) == [a, a, a]
    for act, error in (
        (lambda: net.__add__([b]), ValueError), (lambda: net * 0, ValueError), (lambda: net * 1.5, TypeError),
        (lambda: net.insert(4, b), IndexError),
    ):  # fmt: skip
        with pytest.raises(error):
            act()


def test_a_dict_of_a_dict():
    first = nn.ModuleDict({"a": nn.ReLU()})
    assert dict(nn.ModuleDict(first).items()) == dict(first.items())
    for given, error in ((3, TypeError), ([3], TypeError), ([("a",)], ValueError)):
        with pytest.raises(error):
            first.update(given)
