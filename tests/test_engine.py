"""The engine: depth, memory, order, in-place writes, hooks, modes, and the errors that explain them."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import graph
from tinygrad_nn.autograd import grad


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


def test_a_chain_of_a_million_ops_goes_forward_back_and_away():
    x = leaf(1.0)
    y = x
    for _ in range(1_000_000):
        y = y + 1.0
    y.backward()
    assert x.grad.tolist() == [1.0]
    del y


def test_dropped_graphs_leave_nothing_without_the_collector():
    x = leaf(1.0, 2.0)

    def steps(n):
        for _ in range(n):
            y = (x * x).sigmoid().sum()
            y.backward()
            x.grad = None

    steps(10)
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        steps(1000)
        assert len(gc.get_objects()) - before < 10
    finally:
        gc.enable()


def test_backward_twice_explains_itself_and_is_exact_with_retain_graph():
    x = leaf(3.0)
    y = x**3
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [54.0]
    with pytest.raises(RuntimeError, match=r"PowBackward0.* a second time"):
        y.backward()


def test_a_graph_that_saved_nothing_can_be_walked_again_and_a_number_counts_as_saved():
    x = torch.tensor([3.0], requires_grad=True)
    y = -(x + 1)
    y.backward()
    y.backward()
    assert x.grad.item() == -2.0
    y = x * 2
    y.backward()
    with pytest.raises(RuntimeError, match="MulBackward0 a second time"):
        y.backward()


def test_a_saved_value_that_was_changed_is_named_with_both_lines():
    x = leaf(1.0, 2.0)
    with torch.autograd.detect_anomaly():
        y = x * 2
        z = y.sin()
        y.add_(1.0)
        with pytest.raises(RuntimeError, match=r"sin saved \(.*test_engine.py:\d+.* changed by add_ \(.*test_engine.py:\d+"):
            z.sum().backward()


def test_gradients_of_a_sum_do_not_share_memory():
    a, b = leaf(1.0), leaf(2.0)
    (a + b).backward()
    a.grad.zero_()
    assert b.grad.tolist() == [1.0]


def test_a_shared_input_adds_up():
    x = leaf(2.0)
    (x * x + x + x * 3.0).backward()
    assert x.grad.tolist() == [8.0]


def test_hooks_see_and_replace_gradients():
    x = leaf(1.0)
    y = x * 2
    seen = []
    handle = y.register_hook(lambda g: seen.append(g.item()))
    x.register_hook(lambda g: g * 10)
    y.retain_grad()
    (y * 3).backward()
    assert seen == [3.0]
    assert y.grad.tolist() == [3.0]
    assert x.grad.tolist() == [60.0]
    handle.remove()
    (x * 2).backward()
    assert seen == [3.0]


def test_writes_to_a_view_reach_the_whole_and_the_other_views():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 2
    first, both = y[0], y[:2]
    first.mul_(5)
    assert y.tolist() == [10.0, 4.0, 6.0]
    (y.sum() + both.sum()).backward()
    assert x.grad.tolist() == [20.0, 4.0, 2.0]


def test_writes_through_reshape_and_transpose():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    y = x * 1
    y.reshape(2, 2).t()[0].mul_(3)
    (y * torch.tensor([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    assert x.grad.tolist() == [3.0, 10.0, 300.0, 1000.0]


def test_assignment_carries_gradients():
    x = leaf(5.0, 6.0)
    r = torch.zeros(3)
    r[0] = x[0]
    r[1:] = x * 2
    (r * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [5.0, 6.0]


def test_overwriting_cuts_the_old_history():
    x = leaf(1.0, 2.0)
    y = x * 2
    y[0] = 7.0
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 2.0]


def test_repeated_indices():
    x = leaf(1.0, 2.0)
    x[[0, 0]].sum().backward()
    assert x.grad.tolist() == [2.0, 0.0]


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: leaf(1.0).add_(1), RuntimeError, "a leaf Variable that requires grad"),
        (lambda: leaf(1.0, 2.0)[0].add_(1), RuntimeError, "a view of a leaf Variable"),
        (lambda: torch.zeros(1, 1).expand(2, 2).add_(1), RuntimeError, "single memory location"),
        (lambda: torch.zeros(2).add_(torch.zeros(3, 2)), RuntimeError, "doesn't match the broadcast shape"),
        (lambda: torch.zeros(2, dtype=torch.int64).add_(1.5), RuntimeError, "can't be cast"),
        ((leaf(1.0, 2.0) * 2).backward, RuntimeError, "only for scalar outputs"),
        (lambda: torch.zeros(1).backward(), RuntimeError, "does not require grad"),
        (lambda: leaf(1.0).numpy(), RuntimeError, "requires grad"),
        (lambda: torch.zeros(2).item(), RuntimeError, "cannot be converted to Scalar"),
        (lambda: bool(torch.zeros(2)), RuntimeError, "ambiguous"),
        (lambda: torch.zeros(2, 3) @ torch.zeros(2, 3), RuntimeError, "cannot be multiplied"),
        (lambda: torch.zeros(2)[5], IndexError, "out of bounds"),
        (lambda: torch.zeros(2)[0, 0], IndexError, "too many indices"),
        (lambda: torch.zeros(2).sum(3), IndexError, "Dimension out of range"),
        (lambda: torch.zeros(2) + "a", TypeError, r"unsupported operand type\(s\) for \+: 'Tensor' and 'str'"),
        (lambda: torch.add(torch.zeros(2), "a"), TypeError, "expected a Tensor or a number"),
        (lambda: grad(leaf(1.0).sum(), leaf(1.0)), RuntimeError, "not have been used"),
        (lambda: torch.zeros(2).to("cuda"), AssertionError, "expected 'cpu'"),
        (lambda: torch.ones(2, dtype=torch.int64).requires_grad_(), RuntimeError, "floating point"),
    ],
)
def test_errors_name_what_is_wrong(act, error, message):
    with pytest.raises(error, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)


def test_the_gradient_of_a_non_leaf_warns():
    y = leaf(1.0) * 2
    with pytest.warns(UserWarning, match="not a leaf"):
        assert y.grad is None


def test_numpy_functions_are_recorded():
    x = leaf(0.5)
    np.exp(np.sin(x)).sum().backward()
    assert x.grad.item() == pytest.approx(np.exp(np.sin(0.5)) * np.cos(0.5), rel=1e-6)
    assert isinstance(np.ones(2) * leaf(1.0, 2.0), torch.Tensor)


@pytest.mark.parametrize("scalar", [2, 2.0, True, np.float64(2.0), np.int64(2), np.float32(2.0)])
def test_scalars_keep_float32(scalar):
    x = torch.ones(3)
    differences = () if scalar is True else (x - scalar, scalar - x)  # of bools there are none
    for result in (*differences, x + scalar, x * scalar, scalar / x, x**scalar, scalar**x, x // scalar, x % scalar):
        assert result.dtype is torch.float32


def test_promotion():
    i, d = torch.ones(2, dtype=torch.int64), torch.ones(2, dtype=torch.float64)
    assert (i + torch.ones(2)).dtype is torch.float32
    assert (i / i).dtype is torch.float32
    assert (i * 1.5).dtype is torch.float32
    assert (torch.ones(2) * d[0]).dtype is torch.float32
    assert (torch.ones(2) * d).dtype is torch.float64
    assert (torch.tensor(True) + i).dtype is torch.int64


def test_gradients_pass_through_promotion():
    x, w = torch.ones(2, requires_grad=True), torch.ones(2, dtype=torch.float64, requires_grad=True)
    (x * w).sum().backward()
    assert (x.grad.dtype, w.grad.dtype) == (torch.float32, torch.float64)


def test_modes_belong_to_their_thread():
    found = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: found.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
        assert not torch.is_grad_enabled()
    assert found == [True]

    @torch.no_grad()
    def inside():
        return torch.is_grad_enabled()

    assert not inside()
    with torch.inference_mode(), torch.enable_grad():
        assert torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    assert not torch.is_grad_enabled()
    torch.set_grad_enabled(True)


def test_leaves_are_copied_and_pickled():
    x = leaf(1.0, 2.0)
    x.note = "mine"
    for again in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert again.tolist() == [1.0, 2.0]
        assert again.requires_grad
        assert again.note == "mine"
        assert again.data_ptr() != x.data_ptr()
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(x * 2)


def test_grad_leaves_dot_grad_alone_and_gives_second_derivatives():
    x, w = leaf(2.0), leaf(3.0)
    y = w * x**3
    (first,) = grad(y, x, create_graph=True)
    (second,) = grad(first, x, create_graph=True)
    (third,) = grad(second, w)
    assert (first.item(), second.item(), third.item()) == (36.0, 36.0, 12.0)
    assert x.grad is None
    assert w.grad is None


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, factor):
        y = x * factor
        ctx.save_for_backward(x, y)
        ctx.factor = factor
        return y, y.detach() > 0

    @staticmethod
    def backward(ctx, g, _):
        x, y = ctx.saved_tensors
        assert y.tolist() == (x * ctx.factor).tolist()
        return g * ctx.factor, None


def test_function():
    x = leaf(2.0)
    y, positive = Scaled.apply(x, 3.0)
    assert positive.tolist() == [True]
    assert not positive.requires_grad
    assert repr(y.grad_fn).startswith("<torch.autograd.function.ScaledBackward object at 0x")
    y.backward()
    assert x.grad.tolist() == [3.0]
    with pytest.raises(RuntimeError, match="a second time"):
        y.backward()


def test_anomalies_name_the_op():
    x = leaf(0.0, 1.0)
    with torch.autograd.detect_anomaly():
        with pytest.raises(RuntimeError, match=r"log made the first inf .*test_engine.py"):
            torch.log(x)
        y = torch.where(x > 0, x.sqrt(), x)
        with pytest.raises(RuntimeError, match=r"SqrtBackward0.* returned nan .*0 \* inf"):
            y.sum().backward()


def test_next_functions():
    x = leaf(1.0)
    (step, number), (constant, _) = ((x * 2) + 1.0).grad_fn.next_functions
    assert (step.name(), number, constant) == ("MulBackward0", 0, None)
    assert step.next_functions[0][0].variable is x


def test_leaves_that_receive_one_array_do_not_share_it():
    w, x, y = leaf(1.0, 1.0), leaf(1.0, 2.0), leaf(3.0, 4.0)
    early = w * 2  # walked last: what the walk still holds then must not hide that x and y hold one array
    ((x + y) * torch.tensor([2.0, 3.0]) + early).sum().backward()
    (x * 1).sum().backward()
    assert x.grad.tolist() == [3.0, 4.0]
    assert y.grad.tolist() == [2.0, 3.0]


def test_a_gradient_handed_to_a_leaf_stays_the_callers():
    x, given = leaf(1.0, 2.0), torch.ones(2)
    x.backward(given)
    x.grad.mul_(3)
    assert given.tolist() == [1.0, 1.0]


def test_gradients_that_can_be_differentiated_are_each_leafs_own():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x + y).sum().backward(create_graph=True)
    with torch.no_grad():
        x.grad.mul_(5)
    assert y.grad.tolist() == [1.0, 1.0]


def test_what_a_hook_keeps_or_gives_is_not_written_to():
    x, kept, given = leaf(1.0, 2.0), [], torch.tensor([5.0, 5.0])
    handle = x.register_hook(kept.append)
    (x * 3).sum().backward()
    (x * 3).sum().backward()
    assert kept[0].tolist() == [3.0, 3.0]
    handle.remove()
    x.grad = None
    x.register_hook(lambda g: given)
    (x * 3).sum().backward()
    (x * 3).sum().backward()
    assert (x.grad.tolist(), given.tolist()) == ([10.0, 10.0], [5.0, 5.0])


def test_hooks_see_a_gradient_once_where_backward_names_its_inputs():
    x = leaf(1.0)
    x.register_hook(lambda g: g * 2)
    (x * 3).sum().backward(inputs=[x])
    torch.autograd.backward((x * 3).sum(), inputs=[x])
    assert x.grad.tolist() == [12.0]


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x * 1], ids=["leaf", "inner"])
def test_a_hook_that_removes_itself_leaves_the_next_its_turn(make):
    y, seen = make(leaf(1.0)), []

    def once(gradient):
        seen.append("once")
        handle.remove()

    handle = y.register_hook(once)
    y.register_hook(lambda gradient: seen.append("always"))
    (y * 2).sum().backward()
    assert seen == ["once", "always"]


def test_a_write_between_the_first_derivative_and_the_second_is_noticed():
    x, w, v = leaf(1.0, 2.0), leaf(3.0, 4.0), leaf(1.0, 1.0)
    (first,) = grad((x * w * v).sum(), x, create_graph=True)
    with torch.no_grad():
        w.mul_(10)
    with pytest.raises(RuntimeError, match=r"mul saved was then changed by mul_"):
        first.sum().backward()


def test_the_second_derivative_finds_the_storage_of_each_saved_array():
    x, index = leaf(1.0, 2.0, 3.0), np.array([0, 2])
    (first,) = grad((x.pow(2) * x)[torch.tensor(index)].sum(), x, create_graph=True)
    (second,) = grad(first.sum(), x)
    assert second.tolist() == [6.0, 0.0, 18.0]


def test_a_hook_added_twice_is_removed_once_for_each_handle():
    x, seen = leaf(1.0), []
    x.register_hook(seen.append)
    handle = x.register_hook(seen.append)
    handle.remove()
    handle.remove()
    (x * 2).sum().backward()
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (lambda g: torch.ones(3), RuntimeError, r"expected shape \[2\] of torch.float32, got \[3\]"),
        (lambda g: g.double(), RuntimeError, "got .* of torch.float64"),
        (lambda g: 3.0, TypeError, "must return a Tensor or None, got float"),
    ],
    ids=["shape", "dtype", "type"],
)
def test_what_a_hook_returns_has_to_be_a_gradient(given, error, message):
    x = leaf(1.0, 2.0)
    x.register_hook(given)
    with pytest.raises(error, match=message):
        (x * 3).sum().backward()
    assert x.grad is None


def test_what_backward_is_given_is_checked_and_cast():
    x = leaf(1.0, 2.0)
    with pytest.raises(TypeError, match="Tensors or None, but got float"):
        (x * 3).backward(1.0)
    with pytest.raises(RuntimeError, match="cannot be empty"):
        (x * 3).sum().backward(inputs=[])
    (x * 3).sum().backward(inputs=[x, x])
    assert x.grad.tolist() == [3.0, 3.0]
    (found,) = grad(x * 3, x, torch.ones(2, dtype=torch.float64))
    assert found.dtype == torch.float32
    with pytest.raises(RuntimeError, match="must be floating point"):
        x.data = torch.ones(2, dtype=torch.int64)


def test_a_leaf_keeps_the_array_that_nobody_else_holds():
    """And copies one that somebody does."""
    made, held = [], []

    class Source(graph.Node):
        def backward(self, gradient, path):
            own, shared = gradient * 2, gradient * 3
            made.append(weakref.ref(own))
            held.append(shared)
            return [own, shared]

    a, b = leaf(1.0, 2.0), leaf(1.0, 2.0)
    graph.walk([(Source((a, b)), np.ones(2, np.float32))])
    assert made[0]() is a.grad._data
    assert b.grad.tolist() == [3.0, 3.0]
    assert not np.shares_memory(b.grad._data, held[0])
