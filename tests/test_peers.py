"""What small frameworks get silently wrong, one test a row: each was seen in a released peer."""

import gc
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn.op import OPS


def leaf(*values):
    return torch.tensor(list(values), requires_grad=True)


def test_a_chain_of_2000_ops():
    x = leaf(1.0)
    y = x
    for _ in range(2000):
        y = y * 1.0
    y.sum().backward()
    assert x.grad.item() == 1.0


def test_backward_twice_on_one_graph():
    x = leaf(3.0)
    y = x * x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 54.0
    with pytest.raises(RuntimeError, match="a second time"):
        y.backward()


def test_an_array_changed_between_forward_and_backward():
    x, w = leaf(1.0, 2.0), torch.tensor([3.0, 4.0])
    with torch.autograd.detect_anomaly():
        y = (x * w).sum()
        w.add_(1.0)
        with pytest.raises(RuntimeError, match=r"what mul saved \(.*\) was then changed by add_ \(.*\)"):
            y.backward()


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.rules and op.inputs == ("a", "b")])
def test_float32_and_a_python_float_stay_float32(name):
    if name == "matmul":
        return
    x = leaf(0.5, 1.5)
    y = OPS[name](x, 2.0)
    y.sum().backward()
    assert y.dtype is x.grad.dtype is torch.float32


def test_the_norm_at_zero_has_gradient_zero():
    for power in (1, 2):
        x = leaf(0.0, 0.0)
        (x.norm() ** power).backward()
        np.testing.assert_array_equal(x.grad.numpy(), [0.0, 0.0])


def test_repeated_indices_add_up():
    x = leaf(1.0, 2.0, 3.0)
    x[[0, 0]].sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 0.0, 0.0])


def test_assignment_passes_the_gradient_on():
    x, r = leaf(2.0, 3.0), torch.zeros(2)
    r[0] = x[0] * 5
    (r * r).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [100.0, 0.0])


def test_numpys_functions_differentiate():
    x = leaf(0.5)
    np.exp(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.exp(0.5), rtol=1e-6)


def test_second_derivatives():
    x = leaf(0.5)
    (first,) = torch.autograd.grad(x.tanh().sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    y = np.tanh(0.5)
    assert second.item() == pytest.approx(-2 * y * (1 - y * y), rel=1e-6)


def test_a_loss_that_broadcasts_warns():
    prediction, target = torch.arange(4.0).reshape(4, 1), torch.arange(4.0)
    with pytest.warns(UserWarning, match="different to the input size"):
        torch.nn.functional.mse_loss(prediction, target)


def test_a_thousand_small_graphs_leave_nothing_alive():
    x = leaf(1.0, 2.0)

    def graph():
        ((x * 2 + 1).sigmoid() * x).sum().backward()
        x.grad = None

    graph()
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(1000):
            graph()
        assert len(gc.get_objects()) - before < 20
    finally:
        gc.enable()


def test_the_order_of_parameters_does_not_follow_the_hash_seed():
    program = (
        "import tinygrad_nn.nn as nn; "
        "m = nn.Sequential(nn.Linear(2, 3), nn.ModuleDict({'b': nn.Linear(3, 1), 'a': nn.Linear(3, 1)})); "
        "print([n for n, _ in m.named_parameters()])"
    )
    printed = {
        subprocess.run([sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
                       capture_output=True, text=True, check=True).stdout
        for seed in ("0", "1", "2")
    }  # fmt: skip
    assert printed == {"['0.weight', '0.bias', '1.b.weight', '1.b.bias', '1.a.weight', '1.a.bias']\n"}


def test_clipping_one_gradient_of_a_sum_leaves_the_other():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    ((a + b) * 10).sum().backward()
    a.grad.clamp_(max=1.0)
    np.testing.assert_array_equal(b.grad.numpy(), [10.0, 10.0])


def test_nan_through_the_branch_that_where_did_not_take_is_explained():
    x = leaf(0.0, 4.0)
    with torch.autograd.detect_anomaly():
        y = torch.where(x > 0, x.sqrt(), x)
        with pytest.raises(RuntimeError, match=r"SqrtBackward0.*0 \* inf.*where\(\)"):
            y.sum().backward()


def test_ten_thousand_training_steps_do_not_grow():
    """Neither live objects nor traced memory, with the collector off."""
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    loss_of = torch.nn.CrossEntropyLoss()
    x, y = torch.randn(8, 4), torch.randint(0, 2, (8,))

    def steps(count):
        for _ in range(count):
            optimizer.zero_grad()
            loss_of(model(x), y).backward()
            optimizer.step()

    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        steps(2500)  # by then Python's own free lists are full
        objects, (memory, _) = len(gc.get_objects()), tracemalloc.get_traced_memory()
        steps(10_000)
        assert len(gc.get_objects()) - objects < 20
        assert tracemalloc.get_traced_memory()[0] - memory < 5_000
    finally:
        tracemalloc.stop()
        gc.enable()
