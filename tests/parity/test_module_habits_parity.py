"""What programs do with modules, optimizers and datasets beside training: copies, states that do not fit, parts put in later."""

import copy
import operator
import typing
from collections import Counter, OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare
from tinygrad_nn.version import TorchVersion

torch = pytest.importorskip("torch")


def a_module_with_its_own_setstate(p):
    class Net(p.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = p.nn.Linear(2, 1)

        def __setstate__(self, state):
            super().__setstate__(state)
            self.copied = True

    p.manual_seed(0)
    net = copy.deepcopy(Net())
    return net.copied, net(p.ones(1, 2)), [*net.state_dict()]


def the_lines_of_a_state_that_does_not_fit(p):
    net = p.nn.Sequential(p.nn.Linear(2, 3), p.nn.Linear(3, 1))
    try:
        net.load_state_dict({"0.weight": p.ones(1, 1), "0.bias": 3, "x": p.ones(1)})
    except RuntimeError as error:
        return str(error).split("\n")
    return None


def one_element_for_a_number(p):
    layer = p.nn.Linear(1, 1)
    layer.scale = p.nn.Parameter(p.tensor(1.0))
    layer.load_state_dict({**layer.state_dict(), "scale": p.tensor([5.0])})
    kept = layer.scale.detach().clone()
    layer.load_state_dict({**layer.state_dict(), "scale": p.tensor([6.0])}, assign=True)
    return kept, layer.scale


def parametrizations_one_after_the_other(p):
    class Double(p.nn.Module):
        def forward(self, x):
            return x * 2

        def right_inverse(self, x):
            return x / 2

    layer = p.nn.Linear(1, 1, bias=False)
    p.nn.init.ones_(layer.weight)
    for _ in range(2):
        p.nn.utils.parametrize.register_parametrization(layer, "weight", Double())
    before = layer.weight.detach(), layer.parametrizations.weight.original.detach().clone()
    layer.weight = p.full((1, 1), 8.0)
    return before, layer.weight, layer.parametrizations.weight.original


def means_of_whole_numbers(p):
    found = []
    swa = p.optim.swa_utils
    for options in ({}, {"multi_avg_fn": swa.get_ema_multi_avg_fn(0.8)}, {"avg_fn": swa.get_ema_avg_fn(0.8)}):
        norm = p.nn.BatchNorm1d(2)
        mean = swa.AveragedModel(norm, use_buffers=True, **options)
        for i in range(6):
            norm(p.arange(6.0).reshape(3, 2) * (i + 1))
            mean.update_parameters(norm)
            found.append([value.clone() for value in mean.buffers()])
    return found


def statistics_of_a_lazy_norm(p):
    p.manual_seed(0)
    net = p.nn.Sequential(p.nn.LazyBatchNorm1d(), p.nn.Linear(2, 1))
    net(p.randn(4, 2))
    p.optim.swa_utils.update_bn([p.randn(4, 2), p.randn(4, 2)], net)
    return dict(net.state_dict())


def a_gradient_with_a_history(p):
    found = []
    for zero in (lambda q: p.optim.SGD([q], 0.1).zero_grad(set_to_none=False), None):
        layer = p.nn.Linear(1, 1, bias=False)
        p.nn.init.ones_(layer.weight)
        q = layer.weight
        (q.grad,) = p.autograd.grad((q**3).sum(), q, create_graph=True)
        held = q.grad
        zero(q) if zero else layer.zero_grad(False)
        found += [held is q.grad, q.grad, q.grad.requires_grad]
    return found


def inserted_modules(p):
    net = p.nn.Sequential()
    net.add_module("a", p.nn.Linear(2, 3))
    net.append(p.nn.ReLU())
    net.insert(1, p.nn.Identity())
    net.insert(-1, p.nn.Tanh())
    held = p.nn.ModuleList([p.nn.ReLU(), p.nn.Tanh()])
    held.insert(1, p.nn.ELU())
    return repr(net), repr(held)


def types_by_name(p):
    layer = p.nn.Linear(1, 1)
    kinds = [layer.type(kind).weight.dtype for kind in ("torch.DoubleTensor", p.HalfTensor, p.float32)]
    modules = [*p.nn.Sequential(layer, layer).modules(remove_duplicate=False)]
    return [*map(repr, kinds), len(modules), layer.share_memory() is layer, p.ones(2).share_memory_()]


def unions_of_parameter_dicts(p):
    held = p.nn.ParameterDict({"b": p.ones(1), "a": p.ones(1)})
    more = {"c": p.zeros(1), "a": p.zeros(1)}
    return repr(held.copy()), repr(held | more), list(more | held), type(more | held).__name__


def weights_by_name(p):
    found = []
    for layer in (p.nn.LSTM(2, 3, 2, bias=False, bidirectional=True), p.nn.GRU(2, 3, num_layers=2), p.nn.RNN(1, 1)):
        kept = [held is layer._parameters[name] for held, name in zip(layer._flat_weights, layer._flat_weights_names, strict=True)]
        found += [layer._all_weights, layer._flat_weights_names, kept]
    return found


def old_bounds(p):
    held = p.nn.Hardtanh(min_value=-2.0, max_value=3.0)
    return repr(held), held(p.arange(-4.0, 5.0)), repr(p.nn.Hardtanh(0, 3, min_value=-1))


def a_layer_that_waits(p):
    found = []
    p.manual_seed(3)
    first, second = p.nn.LazyLinear(3), p.nn.LazyLinear(3)
    found += [repr(second.load_state_dict(first.state_dict())), second.has_uninitialized_params(), repr(second.state_dict())]
    found += [first.cls_to_become is p.nn.Linear, repr(first), type(first).__name__, first.in_features]
    copied = copy.deepcopy(first)
    found += [copied(p.ones(2, 4)), repr(copied), copied.weight.requires_grad, first.has_uninitialized_params()]
    first.load_state_dict(copied.state_dict())
    found += [type(first).__name__, first.has_uninitialized_params(), type(first.weight).__name__, first(p.ones(2, 4))]
    found += [type(first).__name__, repr(first), first(p.ones(4))]
    back = p.nn.LazyConvTranspose2d(4, 3, stride=2)
    plain = p.nn.LazyConv2d(2, 3).double()
    return *found, back(p.ones(1, 2, 5, 5), output_size=(12, 12)).shape, plain(p.ones(1, 2, 4, 4, dtype=p.float64))


def a_layer_of_ones_own_that_waits(p):
    class Scale(p.nn.modules.lazy.LazyModuleMixin, p.nn.Module):
        cls_to_become = None

        def __init__(self):
            super().__init__()
            self.weight = p.nn.UninitializedParameter()
            self.register_buffer("seen", p.nn.UninitializedBuffer())

        def initialize_parameters(self, x, times=1):
            if self.has_uninitialized_params():
                with p.no_grad():
                    self.weight.materialize(x.shape[-1:])
                    self.weight.fill_(2)
                    self.seen.materialize((2, 2))
                    self.seen.zero_()

        def forward(self, x, times=1):
            return x * self.weight * times

    layer = Scale()
    waiting = repr(layer.weight), layer.weight.requires_grad, p.nn.parameter.is_lazy(layer.seen)
    return waiting, layer(p.ones(2, 3), times=2), dict(layer.state_dict()), type(layer.weight).__name__, type(layer.seen).__name__


PROGRAMS = [
    a_module_with_its_own_setstate, the_lines_of_a_state_that_does_not_fit, one_element_for_a_number,
    parametrizations_one_after_the_other, means_of_whole_numbers, statistics_of_a_lazy_norm, a_gradient_with_a_history,
    inserted_modules, types_by_name, unions_of_parameter_dicts, weights_by_name,
    a_layer_that_waits, a_layer_of_ones_own_that_waits,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_do_as_in_pytorch(program):
    compare(program, torch, tinygrad_nn)


def unfinished(p):
    class Empty(p.nn.modules.lazy.LazyModuleMixin, p.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = p.nn.UninitializedParameter()

        def initialize_parameters(self, x):
            pass

    return Empty()(p.ones(1))


@pytest.mark.parametrize("program", [
    unfinished, lambda p: p.nn.UninitializedParameter().numel(),
    lambda p: type("Empty", (p.nn.modules.lazy.LazyModuleMixin, p.nn.Module), {})()(p.ones(1)),
    lambda p: p.nn.Linear(3, 2).load_state_dict(p.nn.LazyLinear(2).state_dict()),
    lambda p: sum(q.numel() for q in p.nn.LazyLinear(2).parameters()),
])  # fmt: skip
def test_what_has_no_shape_is_refused(program):
    compare(program, torch, tinygrad_nn)


def test_bounds_by_their_old_names():
    compare(old_bounds, torch, tinygrad_nn, quiet=True)
    with pytest.warns(FutureWarning, match="min_value. is deprecated"):
        tinygrad_nn.nn.Hardtanh(min_value=-2.0)


@pytest.mark.parametrize("name", ["Linear", "Conv2d", "LSTM", "Embedding", "LayerNorm", "BatchNorm2d", "MultiheadAttention",
                                  "TransformerEncoderLayer", "RNN", "ConvTranspose2d", "GroupNorm", "Bilinear"])  # fmt: skip
def test_the_types_of_options_can_be_read(name):
    hints = typing.get_type_hints(getattr(tinygrad_nn.nn, name).__init__)
    assert hints["return"] is type(None)


def test_a_named_module_is_not_moved_up():
    def program(p):
        return p.nn.Sequential(OrderedDict(a=p.nn.ReLU(), b=p.nn.Tanh())).insert(0, p.nn.Identity())

    compare(program, torch, tinygrad_nn)


class Inverse:
    """By name, what an inverse gives for a parameter (2, 2)."""

    number = staticmethod(lambda p, x: 3)
    row = staticmethod(lambda p, x: x[:1])
    double = staticmethod(lambda p, x: x.double())


@pytest.mark.parametrize("inverse", [Inverse.number, Inverse.row, Inverse.double])
@pytest.mark.parametrize("unsafe", [False, True])
def test_a_second_parametrization_must_fit(inverse, unsafe):
    def program(p):
        class Twice(p.nn.Module):
            def forward(self, x):
                return x * 2

        class Odd(Twice):
            def right_inverse(self, x):
                return inverse(p, x)

        layer = p.nn.Linear(2, 2)
        p.nn.init.ones_(layer.weight)
        p.nn.utils.parametrize.register_parametrization(layer, "weight", Twice())
        p.nn.utils.parametrize.register_parametrization(layer, "weight", Odd(), unsafe=unsafe)
        return layer.weight

    compare(program, torch, tinygrad_nn)


class Words(list):
    """A list by another name."""


Pair = namedtuple("Pair", "a b")
SAMPLES = {
    "OrderedDict": OrderedDict(a=1, b=[2.0]), "defaultdict": defaultdict(list, a=1), "Counter": Counter("a"),
    "UserDict": UserDict(a=1), "UserList": UserList([1, 2]), "deque": deque([1, 2]), "a list by another name": Words([1, 2]),
    "range": range(2), "a named tuple": Pair(1, [2]), "a tuple": (1, 2), "a list": [1, [2.0]], "a dict": {"a": (1, 2)},
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_a_batch_is_held_as_a_sample_is(name):
    def program(p):
        found = [p.utils.data.default_collate([SAMPLES[name]] * 2), p.utils.data.default_convert(SAMPLES[name])]
        return [(type(batch).__name__, [*batch] if hasattr(batch, "append") else batch) for batch in found]

    compare(program, torch, tinygrad_nn)


def test_several_samples_of_datasets_side_by_side():
    def program(p):
        class Tens(p.utils.data.Dataset):
            asked = ()

            def __len__(self):
                return 3

            def __getitem__(self, i):
                return 10 * i

            def __getitems__(self, indices):
                self.asked = indices
                return [10 * i for i in indices]

        tens = Tens()
        several = p.utils.data.StackDataset(tens, range(3)).__getitems__([2, 0]), tens.asked
        named = p.utils.data.StackDataset(a=p.arange(3), b=tens)
        return several, named.__getitems__([0, 2]), list(p.utils.data.DataLoader(named, batch_size=2))

    compare(program, torch, tinygrad_nn)


def test_a_dataset_that_gives_too_few_samples():
    def program(p):
        class Short(p.utils.data.Dataset):
            def __len__(self):
                return 3

            def __getitems__(self, indices):
                return [1]

        return p.utils.data.StackDataset(Short(), range(3)).__getitems__([0, 1])

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("other", ["2.9", "2.13", "2.13.0", "2.13.0rc1", "2.13.0+cpu", "2.14", (2, 13), (2, 13, 1), [1, 8]])
def test_versions_are_in_pytorchs_order(other):
    ours, theirs = TorchVersion("2.13.0+cpu"), torch.torch_version.TorchVersion("2.13.0+cpu")
    for order in (operator.lt, operator.le, operator.gt, operator.ge):
        assert order(ours, other) == order(theirs, other)


@pytest.mark.parametrize("hook", ["sees", "renames"])
def test_a_hook_before_loading_sees_its_own_modules_keys(hook):
    def program(p):
        seen = []

        def before(module, state, prefix, *_):
            seen.append((prefix, list(state)))
            if hook == "renames":
                state[f"{prefix}weight"] = state.pop(f"{prefix}old")

        net = p.nn.Sequential(p.nn.Linear(1, 1, bias=False), p.nn.Linear(1, 1, bias=False))
        for layer in net:
            layer.register_load_state_dict_pre_hook(before)
        name = "old" if hook == "renames" else "weight"
        found = net.load_state_dict({f"0.{name}": p.ones(1, 1), f"1.{name}": p.zeros(1, 1)})
        return seen, [layer.weight.detach() for layer in net], found.missing_keys, found.unexpected_keys

    compare(program, torch, tinygrad_nn)
