"""What `trace` and `draw` know of rarer programs: buffers, several results, arrays, ops that fail, freed values."""

import ast
import json

import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.autograd import Function, detect_anomaly
from tinygrad_nn.viz import draw, record, trace
from tinygrad_nn.viz.mathml import mathml
from tinygrad_nn.viz.rules import source_of


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


def named(picture):
    return {n.name for n in picture.graph.nodes if n.name}


def test_buffers_have_their_names():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).eval()
    assert {"1.running_mean", "1.running_var", "0.weight"} <= named(trace(lambda x: model(x).sum(), torch.ones(4, 2)))


def test_results_may_lie_in_dicts_and_lists():
    picture = trace(lambda x: {"twice": [x * 2], "more": (x.exp(), [x.sin(), 7])}, leaf(1.0, 2.0))
    assert [n.label for n in picture.graph.nodes if n.is_op] == ["mul", "exp", "sin"]


def test_labels_are_one_box_however_often_they_are_used():
    y, loss = torch.tensor([0, 1]), nn.functional.cross_entropy
    picture = trace(lambda x: loss(x, y) + loss(x * 2, y), torch.ones(2, 3, requires_grad=True))
    (data,) = [n for n in picture.graph.nodes if n.kind == "data"]
    assert (data.name, data.value.tolist()) == ("y", [0, 1])


def test_an_op_that_fails_is_the_last_box():
    picture = trace(lambda x: torch.linalg.cholesky(x * -1).sum(), torch.eye(2).requires_grad_())
    failed = picture.graph.nodes[-1]
    assert (failed.kind, failed.label) == ("failed", "cholesky")
    assert [parent.label for parent in failed.parents] == ["mul"]


class Inner(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 2

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 2 + x * 0


class Outer(Function):
    """Gives a number beside its tensor."""

    @staticmethod
    def forward(ctx, x):
        return Inner.apply(x) + 1, 5

    @staticmethod
    def backward(ctx, g, _):
        return g * 2


def test_a_function_within_a_function_is_part_of_its_step():
    picture = trace(lambda x: Outer.apply(x)[0].sum(), leaf(1.0, 2.0))
    assert {"Outer", "Inner"} & {n.label for n in picture.graph.nodes} == {"Outer"}
    assert [n.value.tolist() for n in picture.graph.nodes if n.label == "output 0"] == [[3.0, 5.0]]


def test_what_a_backward_freed_is_told():
    x = leaf(1.0, 2.0)
    y = x.exp().sum()
    y.backward()
    x.data.mul_(2)  # so that nothing can be computed again
    told = json.loads(draw(y).to_json())
    assert any("freed by a backward" in step.get("freed", "") for step in told["backward"])
    z = Inner.apply(x).sum()
    z.backward()
    told = json.loads(draw(z).to_json())
    assert any("second time" in step.get("freed", "") for step in told["backward"])


def test_inputs_of_cat_that_need_no_gradient_get_none():
    x = leaf(1.0, 2.0)
    told = json.loads(trace(lambda x: (torch.cat([x, torch.ones(2), x]) * 2).sum(), x).to_json())
    assert [line["input"] for step in told["backward"] for line in step["sent"] if len(step["sent"]) == 2] == [0, 2]


def test_places_of_a_drawn_graph_are_known_in_anomaly_mode():
    x = leaf(1.0, 2.0)
    with detect_anomaly():
        y = (x * 3).sum()
    places = [n.place for n in draw(y).graph.nodes if n.is_op]
    assert [(place.file, place.code) for place in places] == [("test_tracing.py", "y = (x * 3).sum()")] * 2
    assert {place.function for place in places} == {"test_places_of_a_drawn_graph_are_known_in_anomaly_mode"}


def test_a_leaf_that_was_changed_since_has_no_part_in_old_values():
    a, b = leaf(1.0, 2.0, 3.0), leaf(1.0, 1.0, 1.0)
    y = (a + b).sum()
    a.data = torch.ones(2, 2)
    picture = draw(y)
    assert picture.graph.output.value == 9
    assert [n.value for n in picture.graph.nodes if n.label == "add"] == [None]


def test_draw_takes_a_module_for_its_names():
    layers = [nn.Linear(2, 3)]
    assert {"weight", "bias"} <= named(draw(layers[0](torch.ones(1, 2)).sum(), params=layers[0]))


def test_an_error_of_a_recorded_step_is_raised():
    def step():
        raise KeyError("mine")

    x = leaf(1.0)
    with pytest.raises(KeyError, match="mine"):
        record(lambda: (x * 2, step()), steps=2)


def test_nothing_is_drawn_as_empty():
    assert "empty" in trace(lambda x: x[:0].sum() + x.sum(), leaf(1.0, 2.0)).to_svg()


FORMULAS = {
    "g.shape": "<mrow><mi>shape</mi><mrow><mo>(</mo><mi>g</mi><mo>)</mo></mrow></mrow>",
    "x_shape": "<mrow><mi>shape</mi><mrow><mo>(</mo><mi>x</mi><mo>)</mo></mrow></mrow>",
    "g % x": "", "g[0]": "", "g and x": "",
}  # fmt: skip


@pytest.mark.parametrize("code", FORMULAS)
def test_formulas(code):
    assert mathml(ast.parse(code, mode="eval").body) == FORMULAS[code]


def test_code_that_is_in_no_file_has_no_source():
    scope = {}
    exec(compile("f = lambda g: g * 2", "<nowhere>", "exec"), scope)
    assert source_of(scope["f"]) == {"code": "", "file": "<nowhere>", "line": 1, "math": ""}


def test_code_that_its_file_has_not_any_more_has_no_source():
    scope = {}
    exec(compile("\n" * 9_000 + "def f(g):\n    return g", __file__, "exec"), scope)
    assert source_of(scope["f"])["code"] == ""
