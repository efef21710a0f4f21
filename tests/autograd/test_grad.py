"""`grad` and `backward`: several outputs, weights, inputs that were not used, and what is an error."""

import pytest

import tinygrad_nn as torch
from tinygrad_nn.autograd import backward, grad


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


@pytest.mark.parametrize("sequence", [list, tuple])
def test_several_outputs_add_up(sequence):
    x, w = leaf(2.0), leaf(3.0)
    outputs = sequence([x * w, x * x])
    found = grad(outputs, sequence([x, w]), retain_graph=True)
    assert [g.tolist() for g in found] == [[7.0], [2.0]]
    found = grad(outputs, (x, w), sequence([torch.tensor([10.0]), None]), retain_graph=True)
    assert [g.tolist() for g in found] == [[34.0], [20.0]]
    assert x.grad is None
    backward(outputs, sequence([None, torch.tensor([5.0])]))
    assert (x.grad.tolist(), w.grad.tolist()) == ([23.0], [2.0])


def test_single_tensors_need_no_list():
    x = leaf(1.0, 2.0)
    weight = torch.tensor([3.0, 4.0])
    assert grad(x * x, x, weight)[0].tolist() == [6.0, 16.0]
    backward(x * x, weight)
    assert x.grad.tolist() == [6.0, 16.0]


def test_the_gradient_of_a_step_between():
    x = leaf(2.0)
    y = x * 3
    z = y * y
    assert [g.tolist() for g in grad(z, (y, x, z))] == [[12.0], [36.0], [1.0]]


@pytest.mark.parametrize(("options", "expected"), [({"allow_unused": True}, None), ({"materialize_grads": True}, [0.0, 0.0])])
def test_inputs_that_were_not_used(options, expected):
    x, unused = leaf(2.0), leaf(1.0, 1.0)
    found = grad(x * x, [x, unused], **options)
    assert found[0].tolist() == [4.0]
    assert (found[1] if expected is None else found[1].tolist()) == expected


def test_the_same_output_twice_and_the_same_input_twice():
    x = leaf(2.0)
    y = x * x
    assert [g.tolist() for g in grad([y, y], [x, x])] == [[8.0], [8.0]]


def test_gradients_are_nobody_elses_memory():
    a, b = leaf(1.0), leaf(2.0)
    weight = torch.ones(1)
    first, second = grad(a + b, (a, b), weight)
    first.fill_(7.0)
    assert (second.tolist(), weight.tolist()) == ([1.0], [1.0])


def test_create_graph_goes_on_and_keeps_the_graph():
    x = leaf(2.0)
    y = x**4
    for expected in (32.0, 48.0, 48.0, 24.0):
        (y,) = grad(y, x, create_graph=True)
        assert y.item() == expected
    x = leaf(2.0)
    backward(x**3, create_graph=True)
    assert grad(x.grad, x)[0].tolist() == [12.0]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda x: grad(x * x, torch.ones(3)), r"input 0, of shape \[3\], does not require grad"),
        (lambda x: grad(x * x, [x, leaf(1.0, 2.0)]), r"not have been used in the graph: input 1, of shape \[2\]"),
        (lambda x: grad(torch.ones(1), x), "does not require grad and does not have a grad_fn"),
        (lambda x: grad(x * torch.ones(2), x), r"only for scalar outputs, got one of shape \[2\]"),
        (lambda x: grad(x * x, x, torch.ones(2)), r"the gradient has shape \[2\], its output \[1\]"),
        (lambda x: backward([x * x, torch.ones(1)]), "does not require grad"),
    ],
)
def test_mistakes_are_explained(act, message):
    with pytest.raises(RuntimeError, match=message):
        act(leaf(2.0))


def test_a_graph_serves_once_unless_it_is_kept():
    x = leaf(2.0)
    y = x * x
    assert grad(y, x, retain_graph=True)[0].item() == 4.0
    assert grad(y, x)[0].item() == 4.0
    with pytest.raises(RuntimeError, match="a second time"):
        grad(y, x)


def test_backward_into_some_inputs_alone():
    a, b = torch.tensor([1.0], requires_grad=True), torch.tensor([2.0], requires_grad=True)
    torch.autograd.backward([a * b, a * 3], inputs=a)
    assert (a.grad.tolist(), b.grad) == ([5.0], None)
    middle = a * 2
    torch.autograd.backward(middle * 3, inputs=[middle])
    assert middle.grad.tolist() == [3.0]


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda x: torch.autograd.grad(x.sum(), []), RuntimeError),
        (lambda x: torch.autograd.grad(x.sum(), 3), TypeError),
        (lambda x: torch.autograd.grad(x.sum(), [3]), RuntimeError),
        (lambda x: torch.autograd.grad([x, x], x, [x.detach()]), RuntimeError),
        (lambda x: torch.autograd.grad(x.sum(), x, allow_unused=False, materialize_grads=True), ValueError),
        (lambda x: torch.autograd.backward(3), TypeError),
        (lambda x: torch.autograd.backward(x.sum(), [3]), TypeError),
        (lambda x: torch.autograd.backward(x.sum(), inputs=[]), RuntimeError),
        (lambda x: torch.autograd.backward(x.sum(), inputs=[x.detach()]), RuntimeError),
    ],
)
def test_types_of_mistakes(act, error):
    with pytest.raises(error):
        act(torch.ones(2, requires_grad=True))
