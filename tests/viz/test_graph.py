"""The graph model: what it knows, that it is always the same, and that drawing changes nothing."""

import gc
import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_nn as torch
from tests.viz import models
from tinygrad_nn import nn
from tinygrad_nn.autograd import Function
from tinygrad_nn.op import OPS
from tinygrad_nn.testing.strategies import expressions
from tinygrad_nn.viz import draw, record, rules, trace
from tinygrad_nn.viz.backward import walk_back
from tinygrad_nn.viz.export import as_data
from tinygrad_nn.viz.rules import describe


def node(picture, name):
    return next(n for n in picture.graph.nodes if name in {n.name, n.label})


def test_names_values_places_and_modules_are_known():
    picture = models.mlp()
    linear, weight = node(picture, "linear"), node(picture, "0.weight")
    assert (weight.kind, weight.block.path, weight.block.type) == ("parameter", "0", "Linear")
    assert (linear.shape, linear.dtype, linear.place.file) == ((5, 4), "float64", "models.py")
    assert "model(x)" in linear.place.code
    assert picture.graph.output.label == "cross_entropy"
    assert [n.kind for n in picture.graph.nodes if n.name in {"x", "y"}] == ["data", "data"]


def test_variables_give_their_names():
    picture = models.neuron()
    assert [n.name for n in picture.graph.nodes if n.name] == ["x1", "w1", "x2", "w2", "b", "n", "o"]
    w, b = torch.tensor([2.0], requires_grad=True), torch.tensor([1.0], requires_grad=True)
    h = w * 3
    assert [n.name for n in draw(h + b).graph.nodes] == ["w", "h", "b", ""]


def test_draw_finds_modules_by_their_parameters():
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    picture = draw(model(torch.ones(4, 2)).sum())
    assert [block.path for block in picture.graph.blocks] == ["0", "2"]
    assert node(picture, "2.weight").block.path == "2"
    assert [n.block for n in picture.graph.nodes if n.label in {"tanh", "sum"}] == [None, None]
    given = draw(model(torch.ones(4, 2)).sum(), params={"first": model[0].weight})
    assert "first" in [n.name for n in given.graph.nodes]


def test_what_was_not_saved_follows_from_the_leaves():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = ((x + x) * x).sum()
    y.backward()
    assert [n.value.tolist() for n in draw(y).graph.nodes] == [[1, 2], [2, 4], [2, 8], 10]
    with torch.no_grad():
        x.mul_(2)
    changed = draw(y).graph
    assert [n.value is None for n in changed.nodes] == [False, True, True, False]
    assert changed.output.value == 10


def test_the_same_program_gives_the_same_bytes():
    for picture in (models.mlp, models.lstm, models.shared):
        assert picture().to_json() == picture().to_json()
        assert picture().to_svg() == picture().to_svg()


def test_json_is_json():
    data = json.loads(models.mlp().to_json())
    assert data["format"] == "tinygrad_nn.graph/1"
    assert data["ops"]["tanh"]["rules"]["x"]["code"] == "lambda g, y: g * (1 - y * y)"
    assert {step["node"] for step in data["backward"]} <= {n["id"] for n in data["nodes"]}
    infinite = torch.tensor([0.0, 1.0], requires_grad=True)
    assert "-inf" in trace(lambda: infinite.log().sum()).to_json()


@given(program=expressions(25))
def test_the_steps_back_are_the_engines(program):
    leaves = [torch.from_numpy(value.copy()).requires_grad_() for value in program.inputs]
    out = program(*leaves).sum()
    if not out.requires_grad:
        return
    drawn = draw(out)
    watched = trace(lambda: program(*leaves).sum())
    out.backward()
    for picture in (drawn, watched):
        last = {id(step.node): step for step in walk_back(picture.graph)}
        for leaf in leaves:
            if leaf.grad is None:
                continue
            found = [
                last[id(n)].gradient for n in picture.graph.nodes
                if id(n) in last and not n.is_op and n.value.shape == leaf.shape and np.array_equal(n.value, leaf.detach().numpy())
            ]  # fmt: skip
            assert any(np.allclose(g, leaf.grad.numpy(), rtol=1e-9, atol=1e-12, equal_nan=True) for g in found)


def test_depth_first_order_shows_the_wrong_number():
    graph = models.shared().graph
    right = {step.node.name: float(step.gradient) for step in walk_back(graph)}
    wrong = {step.node.name: float(step.gradient) for step in walk_back(graph, naive=True)}
    assert (right["a"], wrong["a"]) == (360.0, 144.0)


def test_a_failing_forward_gives_the_graph_so_far():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 2))
    picture = trace(model, torch.ones(2, 3))
    failed = picture.graph.nodes[-1]
    assert isinstance(picture.error, RuntimeError)
    assert (failed.kind, failed.label, failed.block.path) == ("failed", "linear", "1")
    assert "shapes cannot be multiplied" in failed.error
    assert "✗ linear" in picture.to_svg()
    assert json.loads(picture.to_json())["error"].startswith("RuntimeError")
    model[1].register_forward_hook(lambda *_: None)
    again = trace(model, torch.ones(2, 3)).graph.nodes[-1]
    assert (again.label, len(again.inputs), again.block.path) == ("linear", 3, "1")
    picture = trace(lambda x: x @ x, torch.ones(2, 3, requires_grad=True))
    assert picture.graph.nodes[-1].label == "matmul"
    assert [p.name or p.kind for p in picture.graph.nodes[-1].parents] == ["x", "x"]


def test_an_error_of_the_users_own_is_kept():
    def f(x):
        y = x * 2
        raise KeyError("mine")
        return y

    picture = trace(f, torch.ones(2, requires_grad=True))
    assert isinstance(picture.error, KeyError)
    assert picture.graph.nodes[-1].kind == "failed"


def test_functions_of_the_users_are_one_step():
    class Twice(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    class Both(Function):
        @staticmethod
        def forward(ctx, x):
            return x + 1, x * 3

        @staticmethod
        def backward(ctx, g, h):
            return g + 3 * h

    x = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)

    def f(x):
        a, b = Both.apply(Twice.apply(x))
        return a * b

    traced, drawn = trace(f, x), draw(f(x))
    for picture in (traced, drawn):
        gradients = {step.node.kind: step.gradient for step in walk_back(picture.graph)}
        assert gradients["leaf"] == pytest.approx(2 * (9 + 3 * 4))
        assert "Both" in picture.to_svg()
    assert "return g * 2" in json.loads(traced.to_json())["ops"]["Twice"]["rules"][""]["code"]


def test_values_in_place_are_those_of_their_time():
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def f(x):
        y = x * 2
        y += 1
        return (y * y).sum()

    values = [n.value.tolist() for n in trace(f, x).graph.nodes]
    assert values == [[1, 2], [2, 4], [3, 5], [9, 25], 34]


@given(data=st.data())
def test_drawing_changes_nothing(data):
    program = data.draw(expressions(15))
    leaves = [torch.from_numpy(value.copy()).requires_grad_() for value in program.inputs]
    out = program(*leaves).sum()
    if not out.requires_grad:
        return
    seen = [(leaf.detach().numpy().copy(), leaf._version, leaf.grad) for leaf in leaves]
    picture = draw(out)
    picture.to_json()
    picture.to_svg()
    for leaf, (value, version, grad) in zip(leaves, seen, strict=True):
        assert np.array_equal(leaf.detach().numpy(), value)
        assert (leaf._version, leaf.grad) == (version, grad)
    out.backward()
    plain = [torch.from_numpy(value.copy()).requires_grad_() for value in program.inputs]
    program(*plain).sum().backward()
    for leaf, other in zip(leaves, plain, strict=True):
        assert (leaf.grad is None) == (other.grad is None)
        assert leaf.grad is None or np.array_equal(leaf.grad.numpy(), other.grad.numpy(), equal_nan=True)


def test_a_picture_that_is_dropped_leaves_nothing():
    x = torch.ones(100, requires_grad=True)
    out = (x * x).sum()
    draw(out).to_svg()
    gc.collect()
    before, holders = len(gc.get_objects()), sys.getrefcount(out.grad_fn)
    for _ in range(5):
        draw(out).to_svg()
    gc.collect()
    after, now = len(gc.get_objects()), sys.getrefcount(out.grad_fn)
    assert after - before < 50
    assert now == holders


def test_watching_ends_with_the_trace():
    before = sys.getprofile()
    trace(lambda: torch.ones(1, requires_grad=True) * 2)
    assert sys.getprofile() is before


def test_a_long_chain_refuses_in_one_line():
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y * 1.0
    with pytest.raises(ValueError, match=r"at most 3,000 boxes once its modules are collapsed, got 100,001") as told:
        draw(y).to_svg()
    assert "\n" not in str(told.value)
    short = torch.ones(1, requires_grad=True)
    for _ in range(3_000):
        short = short * 1.0
    for save in (draw(short).to_svg, draw(short).to_html):
        with pytest.raises(ValueError, match=r"at most 3,000 boxes once its modules are collapsed, got 3,001"):
            save()
    assert draw(short, most=4_000).to_html()


def test_a_large_network_is_drawn_collapsed():
    class Chain(nn.Module):
        def forward(self, x):
            for _ in range(2_500):
                x = x * 1.0
            return x

    model = nn.Sequential(*(Chain() for _ in range(40)))
    picture = trace(lambda x: model(x).sum(), torch.ones(1, requires_grad=True))
    assert len(picture.graph.nodes) == 100_002
    assert picture.to_svg().count('class="box module"') == 40
    with pytest.raises(ValueError, match="at most 20,000 nodes, got 100,002"):
        picture.to_html()


def test_bad_input_is_told():
    with pytest.raises(TypeError, match="draw: expected a Tensor, got int"):
        draw(3)
    with pytest.raises(ValueError, match="has no graph"):
        draw(torch.ones(2))
    with pytest.raises(ValueError, match=r"expected a tensor that was computed, got a leaf of shape \[2\]"):
        draw(torch.ones(2, requires_grad=True))
    with pytest.raises(TypeError, match="trace: expected a function, got int"):
        trace(3)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        trace(lambda x: x)
    with pytest.raises(ValueError, match="got none of their operations"):
        trace(lambda: 3)
    with pytest.raises(ValueError, match="collapse expected paths of modules"):
        trace(lambda: torch.ones(1, requires_grad=True) * 2, collapse=["nowhere"]).to_svg()
    with pytest.raises(ValueError, match="engine expected 'own' or 'dot'"):
        draw(torch.ones(1, requires_grad=True) * 2, engine="neato")


def test_recording_keeps_every_step():
    w = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.25)

    def step():
        optimizer.zero_grad()
        loss = w * w
        loss.backward()
        optimizer.step()
        return loss

    data = json.loads(record(step, steps=3).to_json())
    assert [frame["values"][0]["data"] for frame in data["frames"]] == [[3.0], [1.5], [0.75]]
    assert [frame["backward"][1]["gradient"]["data"] for frame in data["frames"]] == [[6.0], [3.0], [1.5]]
    with pytest.raises(ValueError, match="expected at least 1 step"):
        record(step, steps=0)

    turns = iter(range(9))
    with pytest.raises(ValueError, match="got another in step 1"):
        record(lambda: w * w if next(turns) else w + 1, steps=2)


def test_every_rule_is_found_in_its_file():
    for op in OPS.values():
        told = describe(op)
        assert told["forward"]["code"], op.name
        for name, rule in told["rules"].items():
            assert rule["code"], (op.name, name)
            assert rule["file"].startswith("tinygrad_nn/"), (op.name, name)


def test_a_shared_weight_has_both_names_and_each_module_its_own():
    emb, out = nn.Embedding(5, 3), nn.Linear(3, 5, bias=False)
    out.weight = emb.weight
    index = torch.tensor([1, 2])
    traced, drawn = trace(lambda: out(emb(index)).sum()), draw(out(emb(index)).sum())
    assert [(block.path, block.type) for block in traced.graph.blocks] == [("emb", "Embedding"), ("out", "Linear")]
    assert [n.block.path for n in traced.graph.nodes if n.label in {"rows", "linear"}] == ["emb", "out"]
    assert drawn.graph.blocks == []  # a tensor's graph does not say which of them was called
    for picture in (traced, drawn):
        assert [n.name for n in picture.graph.nodes if n.kind == "parameter"] == ["emb.weight = out.weight"]


def test_a_part_of_a_known_module_has_its_path():
    class Held:
        model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 1)))

    def paths(params=None):
        picture = trace(lambda: Held.model[1](torch.ones(1, 2)).sum(), params=params)
        return [block.path for block in picture.graph.blocks]

    assert paths() == ["", "0"]
    assert paths(params=Held.model) == ["1", "1.0"]
    model = Held.model
    assert isinstance(model, nn.Sequential)
    assert paths() == ["", "0"]  # not a variable where `trace` is called
    picture = trace(lambda: model[1](torch.ones(1, 2)).sum())
    assert [block.path for block in picture.graph.blocks] == ["1", "1.0"]


def test_what_leaves_the_graph_is_a_step():
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def f(x):
        y = x.detach()
        z = x.data
        return (y * x + z).sum()

    picture = trace(f, x)
    told = [(n.label, n.name, [p.name for p in n.parents]) for n in picture.graph.nodes if n.label in {"detach", "data"}]
    assert told == [("detach", "y", ["x"]), ("data", "z", ["x"])]
    assert [step.gradient.tolist() for step in walk_back(picture.graph) if step.node.name == "x"] == [[1.0, 2.0]]
    anew = trace(lambda x: ((x * 2).detach().requires_grad_() * 3).sum(), x)
    assert [(n.label or n.kind) for n in anew.graph.nodes] == ["leaf", "mul", "sum"]
    assert [step.gradient.tolist() for step in walk_back(anew.graph)][-1] == [3.0, 3.0]


def test_the_throwaway_name_is_no_name():
    x = torch.tensor([2.0, 1.0], requires_grad=True)

    def f():
        v, _ = x.sort()
        return v.sum()

    assert {n.name for n in trace(f).graph.nodes} == {"x", "v", ""}
    v, _ = x * 2, x * 3
    assert {n.name for n in draw((v + _).sum()).graph.nodes} == {"x", "v", ""}


def test_a_call_is_written_as_python():
    x = torch.arange(6.0).reshape(2, 3).requires_grad_()

    def f():
        z = torch.zeros(2, 3)
        z[:, 1:] = x[0, ..., 1:]
        z.view(6).mul_(2.0)
        return z.mean()

    nodes = [n for n in as_data(trace(f).graph)["nodes"] if n.get("keywords")]
    written = {n["op"]: n["keywords"] for n in nodes}
    assert written["getitem"] == "index=(0, ..., slice(1, None))"
    assert written["mean"] == "axis=None, keepdims=False"
    assert written["set_view"].startswith("view=reshape, attributes={'shape': (6,)}")


def test_the_local_derivative_is_the_rules_own():
    x = torch.tensor([0.0, -1.0, 1e38, 2.0], requires_grad=True)
    steps = as_data(trace(lambda: ((x.log() * 1e10).exp()).sum()).graph)["backward"]
    (log,) = [step["sent"][0] for step in steps if step["gradient"]["data"] == [0.0, "nan", "inf", "inf"] and step["sent"]][-1:]
    assert log["slope"]["data"] == ["inf", -1.0, float(np.float32(1) / np.float32(1e38)), 0.5]
    square = torch.eye(2, requires_grad=True)
    steps = as_data(trace(lambda: (square @ square).cumsum(0).sum()).graph)["backward"]
    assert [line.get("slope") for step in steps for line in step["sent"]] == [None] * 4  # their elements mix


def formula(key):
    """What a formula says, on NumPy."""
    names = {name: getattr(np, name) for name in ("exp", "log", "sqrt", "where", "amax", "amin")}
    return eval("lambda g, x=0, y=0, a=0, b=0, axis=None: " + rules._FORMULAS[key], names | {"sum": np.sum})


@pytest.mark.parametrize("op", ["maximum", "minimum"])
@pytest.mark.parametrize("side", ["a", "b"])
def test_the_formula_of_an_extreme_of_two_holds_at_a_tie(op, side):
    a, b, g = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0]), np.array([5.0, 6.0, 7.0])
    assert np.array_equal(formula(f"{op}.{side}")(g, a=a, b=b), OPS[op].rules[side](g, a, b))


@pytest.mark.parametrize("op", ["amax", "amin"])
def test_the_formula_of_an_extreme_holds_at_a_tie(op):
    x, g = np.array([2.0, 1.0, 2.0, 1.0]), np.float64(3.0)
    y = OPS[op].forward(x, axis=None, keepdims=False)
    assert np.array_equal(formula(f"{op}.x")(g, x=x, y=y), OPS[op].rules["x"](g, x, y, axis=None, keepdims=False))


def test_rules_that_undo_say_so():
    for op in ("permute", "roll"):
        assert f"<mi>{op}⁻¹</mi>" in describe(OPS[op])["rules"]["x"]["math"]
    assert "<mi>permute</mi>" in describe(OPS["permute"])["forward"]["math"]
