"""What the page computes in JavaScript beside what the package computes: to 1e-12, on programs drawn at random."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import tinygrad_nn as torch
from tests.viz import models
from tinygrad_nn import nn
from tinygrad_nn.testing.strategies import expressions
from tinygrad_nn.viz import trace

LIVE = [
    "add", "sub", "mul", "div", "pow", "neg", "exp", "log", "log1p", "expm1", "sqrt", "tanh", "sigmoid", "relu", "abs", "sin",
    "cos", "maximum", "minimum", "matmul", "sum", "mean", "softmax", "log_softmax", "logsumexp", "reshape", "transpose", "permute",
    "broadcast_to", "linear", "nll", "cross_entropy",
]  # fmt: skip


def edit(page, node, at, value):
    """Change one element of a leaf as a reader does: click the node, type into its field."""
    page.locator(f"[data-node={node}]").dispatch_event("click")
    page.locator(f"#node input[data-at='{at}']").fill(repr(value))


def close(ours, expected):
    return np.allclose(np.array(ours, float), np.ravel(expected), rtol=1e-12, atol=1e-12, equal_nan=True)


def compare(page, picture, leaves, f):
    """Every value and gradient in the page against a fresh trace of `f` on `leaves`."""
    again = trace(f, *leaves)
    now = page.evaluate("tinygradNN.numbers()")
    for node, fresh in zip(picture.graph.nodes, again.graph.nodes, strict=True):
        assert (node.label, node.shape) == (fresh.label, fresh.shape)
        assert close(now["values"][node.id], fresh.value), (node.id, node.label)
    for leaf in leaves:
        leaf.grad = None
    f(*leaves).backward()
    named = {node.name: node.id for node in again.graph.nodes}
    for k, leaf in enumerate(leaves):
        if leaf.grad is not None:
            assert close(now["gradients"][named[f"leaves[{k}]"]], leaf.grad.numpy())


@settings(max_examples=45, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_programs_live(open_page, data):
    program = data.draw(expressions(12, ops=LIVE))
    leaves = [torch.from_numpy(value.copy()).requires_grad_() for value in program.inputs]

    def f(*values):
        return program(*values).sum()

    assume(f(*leaves).requires_grad)
    picture = trace(f, *leaves)
    assume(all(node.op.name in LIVE for node in picture.graph.nodes if node.is_op))
    named = {node.name: node.id for node in picture.graph.nodes}
    used = [k for k in range(len(leaves)) if f"leaves[{k}]" in named]
    page = open_page(picture)
    assert page.evaluate("tinygradNN.numbers()")["live"], page.inner_text("#live")
    which = data.draw(st.sampled_from(used))
    at = data.draw(st.integers(0, leaves[which].numel() - 1))
    value = float(leaves[which].detach().numpy().ravel()[at] * 0.875 + 0.0625)
    edit(page, named[f"leaves[{which}]"], at, value)
    leaves[which].detach().numpy().reshape(-1)[at] = value
    compare(page, picture, leaves, f)
    page.close()


@pytest.mark.parametrize("activation", [nn.Tanh, nn.ReLU, nn.Sigmoid])
def test_an_mlp_descends_as_sgd_does(open_page, activation):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), activation(), nn.Linear(4, 2)).double()
    x, y = torch.randn(5, 3).double(), torch.tensor([0, 1, 0, 1, 1])
    picture = trace(lambda: nn.functional.cross_entropy(model(x), y))
    page, optimizer, losses = open_page(picture), torch.optim.SGD(model.parameters(), lr=0.25), []
    page.locator("#rate").fill("0.25")
    for _ in range(10):
        page.click("#descend")
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    now = page.evaluate("tinygradNN.numbers()")
    assert close([now["loss"]], nn.functional.cross_entropy(model(x), y).item())
    for name, parameter in model.named_parameters():
        node = next(n.id for n in picture.graph.nodes if n.name == name)
        assert close(now["values"][node], parameter.detach().numpy())
    assert losses[-1] < losses[0]
    assert page.locator("#live .losses .curve").count() == 1
    page.click("#restore")
    assert close([page.evaluate("tinygradNN.numbers()")["loss"]], losses[0])


def test_the_neuron_is_live(open_page):
    page = open_page(models.neuron())
    edit(page, "n1", 0, -2.5)
    now = page.evaluate("tinygradNN.numbers()")
    n = 2.0 * -2.5 + 0.0 * 1.0 + 6.8813735870195432
    slope = 1 - np.tanh(n) ** 2
    assert close([now["loss"]], np.tanh(n))
    assert close([now["gradients"][k][0] for k in ("n0", "n1")], [-2.5 * slope, 2.0 * slope])


def test_a_class_that_does_not_exist_is_refused(open_page):
    picture = models.mlp()
    page, y = open_page(picture), next(node.id for node in picture.graph.nodes if node.name == "y")
    before = page.evaluate("tinygradNN.numbers()")["loss"]
    for wrong in (2, -1, 0.5):
        edit(page, y, 0, wrong)
        assert page.evaluate("tinygradNN.numbers()")["loss"] == before
    edit(page, y, 0, 1)
    assert page.evaluate("tinygradNN.numbers()")["loss"] != before


def test_what_is_not_live_says_why(open_page):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    page = open_page(trace(lambda: x.cumsum(0).sum()))
    assert "This graph is not live: cumsum has no twin in JavaScript." in page.inner_text("#live")
    assert not page.evaluate("tinygradNN.numbers()")["live"]


def test_what_is_detached_is_live(open_page):
    x = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    picture = trace(lambda x: x.detach() * x, x)
    page = open_page(picture)
    edit(page, "n0", 0, 5.0)
    now = page.evaluate("tinygradNN.numbers()")
    assert (now["loss"], now["gradients"]["n0"]) == (25.0, [5.0])


def test_the_local_derivative_is_live(open_page):
    x = torch.tensor([0.0, 2.0], dtype=torch.float64, requires_grad=True)
    page = open_page(trace(lambda x: (x * x * 0.0).sum(), x))
    edit(page, "n0", 0, 4.0)
    page.keyboard.press("Escape")
    page.keyboard.press("End")
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    slopes = [table for table in page.locator("#step .card table").all_inner_texts() if "local derivative" in table]
    assert [row.split("\t")[1] for row in slopes[0].splitlines()[1:]] == ["0", "0"]
    page.keyboard.press("ArrowRight")
    slopes = [table for table in page.locator("#step .card table").all_inner_texts() if "local derivative" in table]
    assert [row.split("\t") for row in slopes[0].splitlines()[1:]] == [["0", "4", "0"], ["0", "2", "0"]]
