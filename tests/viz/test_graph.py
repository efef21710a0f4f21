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
from tinygrad_nn.viz import draw, record, trace
from tinygrad_nn.viz.backward import walk_back
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
