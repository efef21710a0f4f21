"""Views and what is written through them: their histories, their depth, and the writes that are refused."""

import pytest

import tinygrad_nn as torch
from tinygrad_nn.autograd import grad


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


@pytest.mark.parametrize("written", ["base", "view"])
def test_views_of_views_may_be_many(written):
    x = leaf(1.0, 2.0)
    y = view = x * 1
    for _ in range(3000):
        view = view.view(2)
    (y if written == "base" else view).mul_(2)
    (view if written == "base" else y).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_view_made_without_grad_mode_is_not_written_to_with_it():
    x = leaf(1.0, 2.0)
    y = x * 2
    with torch.no_grad():
        view = y[:1]
    with pytest.raises(RuntimeError, match="created in no_grad mode"):
        view.mul_(3)
    assert y.tolist() == [2.0, 4.0]


def test_a_view_knows_that_its_base_is_no_leaf_any_more():
    base, weight = torch.zeros(3), leaf(2.0)
    view = base[:2]
    base.mul_(weight)
    assert not view.is_leaf
    with pytest.raises(RuntimeError, match="only change requires_grad flags of leaf"):
        view.requires_grad_(False)


def test_a_view_that_is_a_leaf_of_its_own_stays_one():
    base = torch.zeros(3)
    view = base[:2].requires_grad_()
    base.add_(1)
    (view * view).sum().backward()
    assert view.is_leaf
    assert view.grad.tolist() == [2.0, 2.0]


def test_writes_through_a_transpose_of_a_slice_reach_the_base():
    x = torch.arange(12.0).reshape(3, 4).requires_grad_()
    y = x * 1
    view = y.t()[1:].t()
    view[0].mul_(3)
    y[:, 2] = 7.0
    view[1].add_(2)
    (found,) = grad((y * y).sum(), x)
    assert found.tolist() == [[0.0, 18.0, 0.0, 54.0], [8.0, 14.0, 0.0, 18.0], [16.0, 18.0, 0.0, 22.0]]
    assert view[1].tolist() == [7.0, 9.0, 9.0]
