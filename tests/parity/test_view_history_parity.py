"""Tensors turned or written in place while views and retained gradients look on, beside PyTorch."""

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")


def written_through(library):
    w = library.ones(2, 3, requires_grad=True)
    x = w * 1
    v = x[0]
    x.t_()
    v.mul_(2)
    x.sum().backward()
    return w.grad, x, v


def written_below(library):
    w = library.ones(2, 3, requires_grad=True)
    x = w * 1
    v = x[0]
    x.t_()
    x.mul_(library.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    return v, *library.autograd.grad((v * v).sum(), w)


def turned_twice(library):
    w = library.ones(1, 2, 3, requires_grad=True)
    x = w * 1
    first = x[0, 0]
    x.squeeze_(0)
    second = x[1]
    x.t_()
    third = x[0]
    x.mul_(3)
    first.mul_(5)
    return first, second, third, *library.autograd.grad((first * 2).sum() + (second * third[1]).sum() + x.sum(), w)


def turned_before_the_gradient_came(library):
    x, w = library.ones(2, 3), library.full((3,), 2.0, requires_grad=True)
    v = x[0]
    x.t_()
    v.mul_(w)
    return x, v, *library.autograd.grad((x * x).sum(), w)


def retained_then_scaled(library):
    w = library.ones(3, requires_grad=True)
    y = w * 2
    y.retain_grad()
    y.mul_(5)
    y.sum().backward()
    return y.grad, w.grad


def retained_then_set(library):
    w = library.ones(3, requires_grad=True)
    y = w * 2
    y.retain_grad()
    y[0] = 7.0
    (y * library.tensor([1.0, 2.0, 3.0])).sum().backward()
    return y.grad, w.grad


def retained_below_a_view(library):
    w = library.ones(3, requires_grad=True)
    y = w * 2
    y.retain_grad()
    y[1:].mul_(4)
    (y * y).sum().backward()
    return y.grad, w.grad


def seen_turned(write):
    """A write through a view, whose gradient arrives in another order of memory."""

    def program(library):
        x, w = library.ones(2, 3, requires_grad=True), library.arange(6.0).reshape(3, 2)
        y = x * 1
        write(y)
        (y.t() * w).sum().backward()
        return (x.grad,)

    return program


WRITES = {
    "flat": lambda y: y.view(-1).mul_(3),
    "a part of flat": lambda y: y.view(-1)[1:4].mul_(3),
    "flat to zero": lambda y: y.view(-1).zero_(),
    "strided": lambda y: y.as_strided((2,), (2,)).mul_(3),
    "a row of another shape": lambda y: y.view(3, 2)[1].fill_(3),
    "diagonal": lambda y: y.diagonal().mul_(4),
    "transposed": lambda y: y.t()[1].mul_(4),
    "permuted and flat": lambda y: y.t().t().view(6)[2:].mul_(5),
}


@pytest.mark.parametrize("name", WRITES)
def test_writes_seen_turned(name):
    program = seen_turned(WRITES[name])
    ours, theirs = ([value.tolist() for value in program(library)] for library in (tinygrad_nn, torch))
    assert ours == theirs


PROGRAMS = [
    written_through, written_below, turned_twice, turned_before_the_gradient_came, retained_then_scaled, retained_then_set,
    retained_below_a_view,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_history(program):
    ours, theirs = ([value.tolist() for value in program(library)] for library in (tinygrad_nn, torch))
    assert ours == theirs


VIEWS = [
    "w[0]", "w[:2, 0]", "w.view(12)", "w.reshape(12)", "w.t()", "w.T", "w.permute(1, 0)", "w.expand(2, 4, 3)", "w.unsqueeze(0)",
    "w.split(2)[0]", "w.chunk(2)[1]", "w.unbind(0)[0]", "w.diagonal()", "w.view(-1)[2:4]", "(w * 1)[0]", "next(iter(w))",
    "w.contiguous()", "w.detach()[0]", "w.data[0]", "w[[0, 1]]", "w + 1", "w.clone()", "w.T.reshape(12)",
]  # fmt: skip


@pytest.mark.parametrize("text", VIEWS)
@pytest.mark.parametrize("mode", ["no_grad", "inference_mode", "enable_grad"])
def test_a_view_requires_grad_in_any_mode(text, mode):
    def program(p):
        w = p.ones(4, 3, requires_grad=True)
        with getattr(p, mode)():
            v = value_of(text, w=w, iter=iter, next=next)
            array = v.numpy().tolist() if mode != "enable_grad" else None
        return v.requires_grad, array

    compare(program, torch, tinygrad_nn)


def test_a_view_made_in_no_grad_is_not_written_to_outside_of_it():
    def program(p):
        w = p.ones(4, 3, requires_grad=True)
        with p.no_grad():
            v = w[0]
            v.add_(1)
        v.add_(1)

    compare(program, torch, tinygrad_nn)
