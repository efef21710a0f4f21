"""Checkpoints: the same gradients of less memory, the same random numbers, and what goes wrong."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.utils.checkpoint import checkpoint, checkpoint_sequential


def network(width=8):
    torch.manual_seed(0)
    return nn.Sequential(*(layer for _ in range(4) for layer in (nn.Linear(width, width), nn.Tanh(), nn.Dropout(0.3))))


def gradients(run, **options):
    """The outcome, the gradients of weights and input, and the random number after them."""
    model = network()
    x = torch.ones(5, 8, requires_grad=True)
    torch.manual_seed(1)
    y = run(model, x)
    (y * y).sum().backward(**options)
    return [y.detach(), x.grad, *(p.grad for p in model.parameters()), torch.rand(1)]


@pytest.mark.parametrize("reentrant", [True, False, None])
@pytest.mark.parametrize(
    "run",
    [
        lambda model, x, r: checkpoint(model, x, use_reentrant=r),
        lambda model, x, r: checkpoint_sequential(model, 3, x, use_reentrant=r),
        lambda model, x, r: checkpoint(lambda z: checkpoint(model, z, use_reentrant=r) * z, x, use_reentrant=r) / x,
        lambda model, x, r: checkpoint(lambda z: (model(z), z), x, use_reentrant=r)[0],
        lambda model, x, r: checkpoint(lambda d: {"y": model(d["x"])}, {"x": x}, use_reentrant=r)["y"],
    ],
    ids=["whole", "sequential", "nested", "tuple", "dict"],
)
def test_gradients_are_the_same(run, reentrant):
    for a, b in zip(gradients(lambda model, x: model(x)), gradients(lambda model, x: run(model, x, reentrant)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_what_the_function_holds_gets_gradients_too():
    w = torch.ones(3, requires_grad=True)
    held = w * 2
    checkpoint(lambda x: (x * held).exp().sum(), torch.zeros(3), use_reentrant=False).backward()
    assert w.grad.tolist() == [0, 0, 0]
    held = w * 2
    y = checkpoint(lambda x, *, y: (x * w * y).sum(), torch.ones(3), use_reentrant=False, y=held)
    (g,) = torch.autograd.grad(y, w)
    assert g.tolist() == [4, 4, 4]


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        return 2 * ctx.saved_tensors[0] * g


@pytest.mark.parametrize("last", [lambda x: x * x, Square.apply], ids=["op", "function"])
def test_what_the_function_writes_in_place_before_it_is_saved_is_no_change(last):
    def run(x):
        y = nn.functional.relu(x * 3, inplace=True)
        y += 1
        return last(y).sum()

    x = torch.tensor([-1.0, 2.0], requires_grad=True)
    checkpoint(run, x, use_reentrant=False).backward()
    assert x.grad.tolist() == [0, 42]


def test_what_is_written_after_it_was_saved_is_an_error_as_without_a_checkpoint():
    def run(x):
        y = x * 3
        z = y * y
        y += 1
        return z.sum()

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        checkpoint(run, torch.ones(2, requires_grad=True), use_reentrant=False).backward()


def test_an_input_that_depends_on_another_counts_once():
    x = torch.tensor([2.0], requires_grad=True)
    y = x * 3
    checkpoint(lambda a, b: (a * b * b).sum(), x, y, use_reentrant=False).backward()
    assert x.grad.tolist() == [9 * 3 * 4]


def test_second_derivatives():
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    (first,) = torch.autograd.grad(checkpoint(lambda x: x.exp() * x, x, use_reentrant=False).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    np.testing.assert_allclose(second, np.exp(x.detach()) * (x.detach() + 2), rtol=1e-6)


def test_functions_of_ones_own():
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x * x * g

    x = torch.tensor([2.0], requires_grad=True)
    checkpoint(lambda x: Cube.apply(x.exp()), x, use_reentrant=False).sum().backward()
    np.testing.assert_allclose(x.grad, 3 * np.exp([6.0]), rtol=1e-5)


def deep(x):
    for _ in range(30):
        x = (x * 1.01).tanh()
    return x


def peak(run):
    x = torch.ones(100_000, requires_grad=True)
    tracemalloc.start()
    y = run(x)
    held = tracemalloc.get_traced_memory()[0]
    y.sum().backward()
    tracemalloc.stop()
    return held


def test_nothing_is_held_between_forward_and_backward():
    assert peak(lambda x: checkpoint(deep, x, use_reentrant=False)) < 0.1 * peak(deep)


def test_a_dropped_graph_is_freed_at_once():
    gc.disable()
    try:
        x = torch.ones(3, requires_grad=True)
        y = checkpoint(deep, x, use_reentrant=False)
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None
    finally:
        gc.enable()


def test_hooks_see_each_gradient_once():
    seen = []
    x = torch.ones(2, requires_grad=True)
    y = checkpoint(lambda x: x.exp().exp(), x, use_reentrant=False)
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.sum().backward()
    assert seen == [[1, 1]]


def test_without_gradients_it_is_a_call():
    with torch.no_grad():
        assert checkpoint(lambda x: x * 2, torch.ones(1), use_reentrant=True).tolist() == [2]
    assert checkpoint(lambda x: x * 2, torch.ones(1)).tolist() == [2]
    assert checkpoint(lambda x: 3, torch.ones(1, requires_grad=True)) == 3


def test_the_random_state_may_go_on():
    x = torch.ones(1000, requires_grad=True)
    y = checkpoint(lambda x: nn.functional.dropout(x * x), x, use_reentrant=False, preserve_rng_state=False)
    y.sum().backward()
    assert x.grad.shape == x.shape


def test_errors():
    x = torch.ones(2, requires_grad=True)
    again = checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False).sum()
    again.backward()
    with pytest.raises(RuntimeError, match="a second time"):
        again.backward()
    calls = []

    def changing(x):
        calls.append(1)
        return x.exp().sin() if len(calls) == 1 else x.exp()

    with pytest.raises(RuntimeError, match="checkpoint: expected the second run to record the 2 operations of the first"):
        checkpoint(changing, x, use_reentrant=False).sum().backward()
    with pytest.raises(ValueError, match="keyword arguments only with use_reentrant=False, got y"):
        checkpoint(lambda x, y: x, x, use_reentrant=True, y=1)
    with pytest.raises(ValueError, match="context_fn and debug only with use_reentrant=False"):
        checkpoint(deep, x, use_reentrant=True, context_fn=list)
