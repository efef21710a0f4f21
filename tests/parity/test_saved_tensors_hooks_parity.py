"""Hooks on the values that the graph saves, beside PyTorch: what they are handed, and what the rules make of it."""

import gc
import weakref

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")


def leaf(p, *values):
    return p.tensor(values).requires_grad_()


def to_numpy(tensor):
    return tensor.detach().numpy().copy()


OPERATIONS = {
    "mul": lambda p, a, b: a * b, "exp": lambda p, a, b: (a * b).exp(), "scaled": lambda p, a, b: a * 2,
    "linear": lambda p, a, b: p.nn.functional.linear(a[None], b[None]),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_packed_and_unpacked(name):
    def program(p):
        seen = []

        def pack(tensor):
            seen.append(("packed", tuple(tensor.shape)))
            return to_numpy(tensor)

        def unpack(array):
            seen.append(("unpacked", array.shape))
            return p.from_numpy(array)

        a, b = leaf(p, 1.0, 2.0, 3.0), leaf(p, 0.5, -1.0, 2.0)
        with p.autograd.graph.saved_tensors_hooks(pack, unpack):
            y = OPERATIONS[name](p, a, b).sum()
        y.backward()
        return len(seen) > 0, a.grad, b.grad if name != "scaled" else None, name == "linear" or seen

    compare(program, torch, tinygrad_nn)


def test_a_write_to_what_was_packed_goes_unnoticed():
    def program(p, pack):
        a = leaf(p, 1.0, 2.0)
        with p.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept):
            y = (a * a).sum()
        with p.no_grad():
            a.mul_(5)
        y.backward()
        return a.grad

    for pack in (lambda tensor: tensor, lambda tensor: tensor.clone()):
        compare(program, torch, tinygrad_nn, pack)


def test_second_derivatives_run_through_unpacked_values():
    def program(p):
        a = leaf(p, 1.0, 2.0)
        with p.autograd.graph.saved_tensors_hooks(lambda tensor: tensor * 10, lambda tensor: tensor / 10):
            (first,) = p.autograd.grad((a**3).sum(), a, create_graph=True)
        return first, p.autograd.grad(first.sum(), a)

    compare(program, torch, tinygrad_nn)


def test_functions_of_ones_own():
    def program(p):
        seen = []

        class Double(p.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                y = x * 2
                ctx.save_for_backward(x, y, None)
                return y

            @staticmethod
            def backward(ctx, g):
                x, y, nothing = ctx.saved_tensors
                seen.append((x, y, x.requires_grad, y.requires_grad, nothing, x.grad_fn is None))
                return g * y / x

        a = leaf(p, 1.0, 2.0)
        with p.autograd.graph.saved_tensors_hooks(to_numpy, p.from_numpy):
            y = Double.apply(a)
        y.sum().backward()
        return a.grad, seen

    compare(program, torch, tinygrad_nn)


def test_the_innermost_hooks_are_the_ones_asked():
    def program(p):
        seen = []

        def named(name):
            return p.autograd.graph.saved_tensors_hooks(lambda tensor: (seen.append(name), tensor)[1], lambda tensor: tensor)

        a = leaf(p, 1.0)
        with named("outer"):
            with named("inner"):
                a.exp().backward()
            a.exp().backward()
        a.exp().backward()
        return seen, a.grad

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("unpack", [lambda _: 3, lambda _: None])
def test_what_is_unpacked_is_a_tensor(unpack):
    def program(p):
        a = leaf(p, 1.0, 2.0)
        with p.autograd.graph.saved_tensors_hooks(lambda tensor: tensor, unpack):
            y = a * a
        y.sum().backward()

    compare(program, torch, tinygrad_nn)


def test_a_pack_hook_writes_to_nothing():
    def program(p):
        a = leaf(p, 1.0, 2.0).clone()
        with p.autograd.graph.saved_tensors_hooks(lambda tensor: tensor.mul_(2), lambda tensor: tensor):
            a * a

    compare(program, torch, tinygrad_nn)


def test_refused_where_they_are_disabled():
    def program(p):
        a = leaf(p, 1.0)
        outcomes = []
        for enter in (lambda: p.autograd.graph.saved_tensors_hooks(to_numpy, p.from_numpy), p.autograd.graph.save_on_cpu):
            with pytest.raises(RuntimeError, match=r"^no$"), p.autograd.graph.disable_saved_tensors_hooks("no"), enter():
                outcomes.append(a * a)
        with p.autograd.graph.save_on_cpu():
            (a * a).backward()
        return outcomes, a.grad

    compare(program, torch, tinygrad_nn)


def test_what_is_saved_may_be_written_to():
    def program(p):
        with p.autograd.graph.allow_mutation_on_saved_tensors():
            a = leaf(p, 1.0, 2.0)
            b = a.clone()
            out = (b**2).sum()
            b.sin_()
            out.backward()
        return a.grad, b

    compare(program, torch, tinygrad_nn)


def test_a_graph_of_packed_values_is_freed_at_once():
    a = tinygrad_nn.ones(3, requires_grad=True)
    gc.disable()
    try:
        with tinygrad_nn.autograd.graph.saved_tensors_hooks(lambda tensor: tensor, lambda tensor: tensor):
            y = (a * a).exp()
        array = weakref.ref(y._data)
        del y
        assert array() is None
    finally:
        gc.enable()


def test_a_graph_of_packed_values_is_walked_once():
    def program(p):
        a = leaf(p, 1.0, 2.0)
        with p.autograd.graph.saved_tensors_hooks(to_numpy, p.from_numpy):
            y = (a * a).sum()
        y.backward(retain_graph=True)
        y.backward()
        np.testing.assert_allclose(a.grad.numpy(), [4.0, 8.0])
        y.backward()

    compare(program, torch, tinygrad_nn)
