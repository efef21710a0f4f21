"""Modules, containers, mistakes and SGD beside PyTorch's: what is printed, kept, updated, and raised."""

import itertools

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

BOTH = (torch, tinygrad_nn)


def net_of(p):
    """A module with everything a module can hold: shared and missing parts, buffers of two kinds, containers."""
    nn = p.nn

    class Block(nn.Module):
        def __init__(self, size):
            super().__init__()
            self.register_buffer("seen", p.zeros(1))
            self.register_buffer("scratch", p.ones(2), persistent=False)
            self.register_buffer("nothing", None)
            self.register_parameter("absent", None)
            self.scale = nn.Parameter(p.ones(size))
            self.line = nn.Linear(size, size)

        def forward(self, x):
            return self.line(x) * self.scale

        def extra_repr(self):
            return f"size={len(self.scale)}"

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList([nn.ReLU(), nn.ReLU(), Block(2), nn.Tanh()])
            self.named = nn.ModuleDict({"a": Block(2), "b": nn.Identity()})
            self.body = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Sigmoid(), nn.Dropout(0.1)))
            self.again = self.body[0]
            self.weight = self.again.weight
            self.frozen = nn.Parameter(p.zeros(1), requires_grad=False)
            self.empty = nn.ModuleList()
            self.missing = nn.Linear(1, 1)
            self.missing = None
            self.counter = 3

        def forward(self, x):
            return self.body(self.blocks[2](x)) + self.frozen

    return Net()


VIEWS = {
    "repr": repr,
    "repr of parts": lambda net: [repr(net.blocks[:2]), repr(net.named), repr(net.empty), repr(net.body[1:])],
    "state": lambda net: [(k, tuple(v.shape), repr(v.dtype), v.requires_grad) for k, v in net.state_dict().items()],
    "state with vars": lambda net: [(k, v.requires_grad) for k, v in net.state_dict(prefix="x.", keep_vars=True).items()],
    "parameters": lambda net: [n for n, _ in net.named_parameters()],
    "parameters twice": lambda net: [n for n, _ in net.named_parameters(remove_duplicate=False)],
    "own parameters": lambda net: [n for n, _ in net.named_parameters("p", recurse=False)],
    "buffers": lambda net: [n for n, _ in net.named_buffers()],
    "modules": lambda net: [n for n, _ in net.named_modules()],
    "modules twice": lambda net: [n for n, _ in net.named_modules(prefix="m", remove_duplicate=False)],
    "children": lambda net: [n for n, _ in net.named_children()],
    "counts": lambda net: [len(list(walk())) for walk in (net.parameters, net.buffers, net.modules, net.children)],
    "training": lambda net: [m.training for m in net.eval().modules()] + [m.training for m in net.train().modules()],
    "path": lambda net: [type(net.get_submodule(path)).__name__ for path in ("", "blocks.2.line", "body.1.0")],
    "dir": lambda net: {"frozen", "body", "weight", "again", "counter"} <= set(dir(net)),
    "double": lambda net: [repr(v.dtype) for v in net.double().state_dict().values()],
    "loaded": lambda net: [list(part) for part in net.load_state_dict({"frozen": net.frozen, "other": 1}, strict=False)],
    "all keys match": lambda net: repr(net.load_state_dict(net.state_dict())),
    "shared weight": lambda net: net.double().weight is net.again.weight,
}


@pytest.mark.parametrize("name", VIEWS)
def test_what_a_module_holds(name):
    theirs, ours = (VIEWS[name](net_of(p)) for p in BOTH)
    assert ours == theirs


def test_parameters_print_alike():
    def texts(p):
        values = [p.nn.Parameter(p.arange(3.0)), p.nn.Parameter(p.ones(1), requires_grad=False), p.nn.Parameter()]
        return [repr(v) for v in values] + [v.requires_grad for v in values] + [v.is_leaf for v in values]

    assert texts(tinygrad_nn) == texts(torch)


def hooked(p, replace):
    """What the three kinds of hook of a module see, and what becomes of the values if they replace them."""
    layer, seen = p.nn.Linear(2, 2), []
    p.nn.init.constant_(layer.weight, 0.5)
    p.nn.init.zeros_(layer.bias)

    def before(module, inputs):
        seen.append(("before", module is layer, [v.tolist() for v in inputs]))
        return {"one": inputs[0] * 2, "tuple": (inputs[0] * 3,)}.get(replace)

    def after(module, inputs, output):
        seen.append(("after", module is layer, [v.tolist() for v in inputs], output.tolist()))
        return output * 2 if replace else None

    def back(module, into, out):
        seen.append(("back", [None if g is None else g.tolist() for g in into], [g.tolist() for g in out]))
        return (into[0] * 10,) if replace == "tuple" else None

    layer.register_forward_pre_hook(before)
    layer.register_forward_hook(after)
    handle = layer.register_full_backward_hook(back)
    x = p.tensor([[1.0, -2.0]], requires_grad=True)
    layer(x).sum().backward()
    handle.remove()
    layer(x).sum().backward()
    return seen, x.grad.tolist(), layer.weight.grad.tolist()


@pytest.mark.parametrize("replace", ["", "one", "tuple"])
def test_hooks(replace):
    assert hooked(tinygrad_nn, replace) == hooked(torch, replace)


MISTAKES = {
    "linear shapes": lambda p: p.nn.Linear(3, 2)(p.ones(2, 4)),
    "linear 0d": lambda p: p.nn.Linear(3, 2)(p.tensor(1.0)),
    "linear dtypes": lambda p: p.nn.Linear(3, 2)(p.ones(2, 3, dtype=p.float64)),
    "linear bias": lambda p: p.nn.functional.linear(p.ones(2, 3), p.ones(4, 3), p.ones(3)),
    "linear bias dtype": lambda p: p.nn.functional.linear(p.ones(2, 3), p.ones(4, 3), p.ones(4, dtype=p.float64)),
    "linear bias too large": lambda p: p.nn.functional.linear(p.ones(2, 3), p.ones(4, 3), p.ones(1, 2, 4)),
    "linear vector and bias": lambda p: p.nn.functional.linear(p.ones(2, 3), p.ones(3), p.ones(2)),
    "linear cube": lambda p: p.nn.functional.linear(p.ones(2, 3), p.ones(1, 4, 3)),
    "linear number": lambda p: p.nn.functional.linear(p.ones(2, 3), p.tensor(1.0)),
    "linear size": lambda p: p.nn.Linear(-1, 2),
    "linear sizes": lambda p: p.nn.Linear(2, -1),
    "linear dtype": lambda p: p.nn.Linear(2, 1, dtype=p.int64),
    "dropout ints": lambda p: p.nn.functional.dropout(p.tensor([1, 2])),
    "dropout leaf": lambda p: p.nn.functional.dropout(p.ones(2, requires_grad=True), inplace=True),
    "relu leaf": lambda p: p.nn.functional.relu(p.ones(2, requires_grad=True), inplace=True),
    "gelu ints": lambda p: p.nn.functional.gelu(p.tensor([1])),
    "leaky ints": lambda p: p.nn.functional.leaky_relu(p.tensor([1])),
    "softmax ints": lambda p: p.nn.functional.softmax(p.tensor([1]), 0),
    "log_softmax ints": lambda p: p.nn.functional.log_softmax(p.tensor([1]), 0),
    "softplus ints": lambda p: p.nn.functional.softplus(p.tensor([1])),
    "logsigmoid ints": lambda p: p.nn.functional.logsigmoid(p.tensor([1])),
    "normalize ints": lambda p: p.nn.functional.normalize(p.tensor([[1]])),
    "mse ints": lambda p: p.nn.functional.mse_loss(p.tensor([1]), p.tensor([1])),
    "mse weight": lambda p: p.nn.functional.mse_loss(p.ones(2, 2), p.ones(2, 2), weight=p.ones(2)),
    "l1 ints": lambda p: p.nn.functional.l1_loss(p.tensor([1]), p.tensor([1])),
    "cross-entropy ints": lambda p: p.nn.functional.cross_entropy(p.tensor([[1, 2]]), p.tensor([0])),
    "nll ints": lambda p: p.nn.functional.nll_loss(p.tensor([[1, 2]]), p.tensor([0])),
    "bce int target": lambda p: p.nn.functional.binary_cross_entropy(p.ones(1), p.tensor([1])),
    "bce bool target": lambda p: p.nn.functional.binary_cross_entropy(p.ones(1), p.tensor([True])),
    "bce ints": lambda p: p.nn.functional.binary_cross_entropy(p.tensor([1]), p.tensor([1])),
    "bce target dtype": lambda p: p.nn.functional.binary_cross_entropy(p.ones(1), p.ones(1, dtype=p.float64)),
    "bce target range": lambda p: p.nn.functional.binary_cross_entropy(p.ones(1), p.ones(1) * 2),
    "bce weight": lambda p: p.nn.functional.binary_cross_entropy(p.ones(2, 3), p.ones(2, 3), p.ones(2)),
    "logits int target": lambda p: p.nn.functional.binary_cross_entropy_with_logits(p.ones(1), p.tensor([1])),
    "logits bool target": lambda p: p.nn.functional.binary_cross_entropy_with_logits(p.ones(1), p.tensor([True])),
    "logits ints": lambda p: p.nn.functional.binary_cross_entropy_with_logits(p.tensor([1]), p.ones(1)),
    "ignored probabilities": lambda p: p.nn.functional.cross_entropy(p.ones(1, 2), p.ones(1, 2), ignore_index=1),
    "class weight dtype": lambda p: p.nn.functional.cross_entropy(p.ones(1, 2), p.tensor([0]), p.ones(2, dtype=p.float64)),
    "nll weight dtype": lambda p: p.nn.functional.nll_loss(p.ones(1, 2), p.tensor([0]), p.ones(2, dtype=p.float64)),
    "class int32": lambda p: p.nn.functional.cross_entropy(p.ones(1, 2), p.tensor([0], dtype=p.int32)),
    "class bool": lambda p: p.nn.functional.cross_entropy(p.ones(1, 2), p.tensor([True])),
    "class ints in the input's shape": lambda p: p.nn.functional.cross_entropy(p.ones(3), p.tensor([0, 1, 2])),
    "many targets": lambda p: p.nn.functional.cross_entropy(p.ones(2, 3), p.tensor([[0], [1]])),
    "targets of a picture": lambda p: p.nn.functional.cross_entropy(p.ones(2, 3, 4), p.zeros(2, 5, dtype=p.int64)),
    "targets of a line": lambda p: p.nn.functional.nll_loss(p.ones(3), p.tensor([0, 1, 2])),
    "nll number": lambda p: p.nn.functional.nll_loss(p.tensor(1.0), p.tensor(0)),
    "reduction at the call": lambda p: p.nn.MSELoss(reduction="x")(p.ones(1), p.ones(1)),
    "nll reduction": lambda p: p.nn.NLLLoss(reduction="x")(p.ones(1, 2), p.tensor([0])),
    "one_hot nothing": lambda p: p.nn.functional.one_hot(p.zeros(0, dtype=p.int64)),
    "one_hot no classes": lambda p: p.nn.functional.one_hot(p.zeros(0, dtype=p.int64), 0),
    "dropout": lambda p: p.nn.Dropout(-0.1),
    "functional dropout": lambda p: p.nn.functional.dropout(p.ones(1), 1.1),
    "gelu": lambda p: p.nn.GELU("fast")(p.ones(1)),
    "softmax dim": lambda p: p.nn.Softmax(2)(p.ones(2, 3)),
    "flatten order": lambda p: p.nn.Flatten(2, 1)(p.ones(2, 3, 4)),
    "mse reduction": lambda p: p.nn.functional.mse_loss(p.ones(1), p.ones(1), reduction="average"),
    "cross-entropy reduction": lambda p: p.nn.functional.cross_entropy(p.ones(1, 2), p.tensor([0]), reduction="most"),
    "mse shapes": lambda p: p.nn.functional.mse_loss(p.ones(2), p.ones(2)[:0].reshape(0, 1).expand(0, 3)),
    "bce shapes": lambda p: p.nn.BCELoss()(p.ones(2, 1), p.ones(2)),
    "bce range": lambda p: p.nn.BCELoss()(p.full((2,), -0.5), p.ones(2)),
    "bce nan": lambda p: p.nn.BCELoss()(p.full((2,), float("nan")), p.ones(2)),
    "logits shapes": lambda p: p.nn.BCEWithLogitsLoss()(p.ones(2, 1), p.ones(2)),
    "class too large": lambda p: p.nn.NLLLoss()(p.ones(2, 3), p.tensor([0, 3])),
    "class negative": lambda p: p.nn.CrossEntropyLoss()(p.ones(2, 3), p.tensor([0, -1])),
    "batch sizes": lambda p: p.nn.CrossEntropyLoss()(p.ones(2, 3), p.tensor([0, 1, 1])),
    "weight size": lambda p: p.nn.CrossEntropyLoss(p.ones(2))(p.ones(2, 3), p.tensor([0, 1])),
    "float nll target": lambda p: p.nn.NLLLoss()(p.ones(2, 3), p.ones(2)),
    "smoothing": lambda p: p.nn.CrossEntropyLoss(label_smoothing=1.5)(p.ones(2, 3), p.tensor([0, 1])),
    "soft labels": lambda p: p.nn.CrossEntropyLoss()(p.ones(2, 3), p.ones(2, 2)),
    "one_hot float": lambda p: p.nn.functional.one_hot(p.ones(2)),
    "one_hot negative": lambda p: p.nn.functional.one_hot(p.tensor([-1])),
    "one_hot classes": lambda p: p.nn.functional.one_hot(p.tensor([3]), 3),
    "gain": lambda p: p.nn.init.calculate_gain("swish"),
    "gain slope": lambda p: p.nn.init.calculate_gain("leaky_relu", True),
    "gain text": lambda p: p.nn.init.calculate_gain("leaky_relu", "a"),
    "sparse 3d": lambda p: p.nn.init.sparse_(p.ones(2, 2, 2), 0.1),
    "dirac 2d": lambda p: p.nn.init.dirac_(p.ones(2, 2)),
    "dirac groups": lambda p: p.nn.init.dirac_(p.ones(3, 2, 1), 2),
    "xavier 1d": lambda p: p.nn.init.xavier_normal_(p.ones(3)),
    "kaiming mode": lambda p: p.nn.init.kaiming_normal_(p.ones(3, 3), mode="fan"),
    "eye 3d": lambda p: p.nn.init.eye_(p.ones(1, 1, 1)),
    "orthogonal 1d": lambda p: p.nn.init.orthogonal_(p.ones(3)),
    "forward": lambda p: p.nn.Module()(1),
    "attribute": lambda p: p.nn.Module().weight,
    "delete": lambda p: delattr(p.nn.Module(), "weight"),
    "parameter to number": lambda p: setattr(p.nn.Linear(1, 1), "weight", 1.0),
    "parameter to tensor": lambda p: setattr(p.nn.Linear(1, 1), "weight", p.ones(1, 1)),
    "module to number": lambda p: setattr(net_of(p), "body", 1),
    "buffer to number": lambda p: setattr(net_of(p).blocks[2], "seen", 1),
    "parameter to module": lambda p: setattr(p.nn.Linear(1, 1), "weight", p.nn.ReLU()),
    "cast to ints": lambda p: p.nn.Linear(1, 1).to(p.int64),
    "train": lambda p: p.nn.ReLU().train("x"),
    "state of a list": lambda p: p.nn.ReLU().load_state_dict([1]),
    "parameter name": lambda p: p.nn.Module().register_parameter(3, None),
    "buffer name": lambda p: p.nn.Module().register_buffer(3, None),
    "module name": lambda p: p.nn.Module().add_module(3, None),
    "get_parameter": lambda p: p.nn.Linear(1, 1).get_parameter("w"),
    "get_buffer": lambda p: p.nn.Linear(1, 1).get_buffer("weight"),
    "extra state": lambda p: p.nn.Module().get_extra_state(),
    "name with dot": lambda p: p.nn.Module().add_module("a.b", p.nn.Module()),
    "empty name": lambda p: p.nn.Module().register_buffer("", p.ones(1)),
    "name taken": lambda p: p.nn.Module().register_parameter("forward", p.nn.Parameter(p.ones(1))),
    "not a module": lambda p: p.nn.Sequential(p.nn.Tanh(), 3),
    "not a parameter": lambda p: p.nn.Module().register_parameter("a", p.ones(1)),
    "not a buffer": lambda p: p.nn.Module().register_buffer("a", 1),
    "submodule": lambda p: net_of(p).get_submodule("body.7"),
    "missing keys": lambda p: net_of(p).load_state_dict({}),
    "shape in state": lambda p: p.nn.Linear(1, 1).load_state_dict({"weight": p.ones(2), "bias": p.ones(1)}),
    "sequential index": lambda p: p.nn.Sequential(p.nn.Tanh())[1],
    "sequential negative index": lambda p: p.nn.Sequential(p.nn.Tanh())[-2],
    "sequential assignment": lambda p: p.nn.Sequential().__setitem__(0, p.nn.Tanh()),
    "list index": lambda p: p.nn.ModuleList([p.nn.Tanh()])[1],
    "list of numbers": lambda p: p.nn.ModuleList([1]),
    "dict key": lambda p: p.nn.ModuleDict()["a"],
    "dict of numbers": lambda p: p.nn.ModuleDict({"a": 1}),
    "dict pop": lambda p: p.nn.ModuleDict().pop("a"),
    "lr": lambda p: p.optim.SGD([p.ones(1)], lr=-1.0),
    "momentum": lambda p: p.optim.SGD([p.ones(1)], momentum=-1.0),
    "weight decay": lambda p: p.optim.SGD([p.ones(1)], weight_decay=-1.0),
    "nesterov": lambda p: p.optim.SGD([p.ones(1)], nesterov=True),
    "nesterov dampened": lambda p: p.optim.SGD([p.ones(1)], momentum=0.5, dampening=0.1, nesterov=True),
    "no parameters": lambda p: p.optim.SGD([]),
    "a tensor": lambda p: p.optim.SGD(p.ones(1)),
    "numbers": lambda p: p.optim.SGD([1.0]),
    "non-leaf": lambda p: p.optim.SGD([p.ones(1, requires_grad=True) * 2]),
    "two groups": lambda p: p.optim.SGD([{"params": [(one := p.ones(1))]}, {"params": one}]),
    "group sizes": lambda p: p.optim.SGD([p.ones(1)]).load_state_dict(p.optim.SGD([p.ones(1), p.ones(2)]).state_dict()),
    "group count": lambda p: p.optim.SGD([p.ones(1)]).load_state_dict(
        p.optim.SGD([{"params": p.ones(1)}, {"params": p.ones(2)}]).state_dict()
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_errors_are_of_the_same_type(mistake):
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        MISTAKES[mistake](torch)
    with pytest.raises(theirs.type):
        MISTAKES[mistake](tinygrad_nn)


def steps_of(p, optimizer, parameters, count):
    """Values and state after steps on a function whose gradient is not the same from step to step."""
    target = p.arange(3.0)
    for i in range(count):
        optimizer.zero_grad()
        loss = sum(((v - target) ** 2).sum() * (i + 1) + (v * v * v).sum() for v in parameters)
        loss.backward()
        optimizer.step()
    return [v.detach().numpy().copy() for v in parameters]


OPTIONS = [
    {"momentum": momentum, "dampening": dampening, "weight_decay": decay, "nesterov": nesterov, "maximize": maximize}
    for momentum, dampening, decay, nesterov, maximize in itertools.product((0, 0.9), (0, 0.3), (0, 0.1), *[(False, True)] * 2)
    if not nesterov or (momentum and not dampening)
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(f"{k}={v}" for k, v in o.items() if v) or "plain")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sgd(options, dtype):
    found = []
    for p in BOTH:
        parameters = [p.linspace(-1, 1, 3, dtype=getattr(p, dtype)).requires_grad_() for _ in range(2)]
        optimizer = p.optim.SGD([{"params": parameters[0]}, {"params": [parameters[1]], "lr": 0.005}], lr=0.01, **options)
        values = steps_of(p, optimizer, parameters, 5)
        state = optimizer.state_dict()
        resumed = p.optim.SGD([{"params": parameters[0]}, {"params": [parameters[1]]}], lr=1.0)
        resumed.load_state_dict(state)
        values += steps_of(p, resumed, parameters, 3)
        buffers = [s["momentum_buffer"].numpy() for s in resumed.state_dict()["state"].values() if s]
        found.append((values + buffers, state["param_groups"], repr(p.optim.SGD(parameters, **options))))
    (theirs, groups, text), (ours, own_groups, own_text) = found
    assert (own_groups, own_text) == (groups, text)
    for a, b in zip(theirs, ours, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)


def test_sgd_passes_over_parameters_without_gradient_and_gives_the_closures_loss():
    def program(p):
        used, unused = p.ones(2, requires_grad=True), p.ones(2, requires_grad=True)
        optimizer = p.optim.SGD([used, unused], lr=0.1, momentum=0.9)

        def closure():
            optimizer.zero_grad()
            loss = (used * used).sum()
            loss.backward()
            return loss

        with p.no_grad():
            losses = [optimizer.step(closure).item() for _ in range(3)]
        optimizer.zero_grad(set_to_none=False)
        zeroed = used.grad.tolist()
        optimizer.zero_grad()
        return losses, used.tolist(), unused.tolist(), zeroed, used.grad, unused.grad, list(optimizer.state_dict()["state"])

    theirs, ours = (program(p) for p in BOTH)
    assert ours[3:] == theirs[3:]
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    np.testing.assert_allclose(ours[1:3], theirs[1:3], rtol=1e-6)


def test_data_parallel_without_a_gpu_calls_its_module():
    def program(p):
        p.manual_seed(3)
        model = p.nn.parallel.DataParallel(p.nn.Linear(3, 2), device_ids=[0, 1], output_device=0, dim=0)
        model(input=p.ones(4, 3)).sum().backward()
        nested = p.nn.DataParallel(model)
        return list(nested.state_dict()), model.device_ids, model.module.weight.grad, nested(p.ones(2, 3)), nested.training

    compare(program, torch, tinygrad_nn)
