"""The argument orders that PyTorch has deprecated and old optimizers use: numbers in front of tensors."""

import warnings

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

OLD = [
    "x.add_(0.5, o)", "p.add(x, 0.5, o)", "x.add(0.5, o)", "p.sub(x, 0.5, o)", "x.sub(0.5, o)", "x.sub_(0.5, o)",
    "x.addcmul_(0.5, o, o)", "x.addcmul(0.5, o, o)", "p.addcmul(x, 0.5, o, o)", "x.addcdiv_(-1, o, o)", "p.addcdiv(x, -1, o, o)",
    "p.addmm(2, x, 3, o, o)", "p.addmm(2, x, o, o)", "x.addmm(2, 3, o, o)", "x.addmm(2, o, o)", "x.addmm_(2, 3, o, o)",
    "p.addmv(2, v, 3, o, v)", "p.addmv(2, v, o, v)", "v.addmv(2, 3, o, v)", "v.clone().addmv_(2, o, v)", "p.addr(2, x, 3, v, v)",
    "x.addr(2, 3, v, v)", "x.addr(2, v, v)", "p.addbmm(2, x, 3, b, b)", "x.addbmm(2, 3, b, b)", "x.clone().addbmm_(2, b, b)",
    "p.baddbmm(2, b, 3, b, b)", "b.baddbmm(2, 3, b, b)", "b.clone().baddbmm_(2, b, b)",
]  # fmt: skip
WRONG = [
    "p.add(x, o, 2)", "x.add_(o, 2)", "x.sub(o, 2)", "x.addcmul(o, o, 2)", "p.addcdiv(x, o, o, 0.5)", "p.addmm(x, o, o, 3, 2)",
    "x.mul(2, o)", "x.addmm(2, 3, 4, o)", "x.add('a', o)",
]  # fmt: skip


def called(p, text):
    x, v, b, o = p.ones(2, 2), p.tensor([1.0, 2.0]), p.ones(1, 2, 2), p.tensor([[3.0, 4.0], [5.0, 6.0]])
    return value_of(text, p=p, x=x, v=v, b=b, o=o)


@pytest.mark.parametrize("text", OLD)
def test_numbers_may_stand_in_front_of_tensors_with_a_warning(text):
    with pytest.warns(UserWarning, match="deprecated"):
        called(tinygrad_nn, text)
    compare(called, torch, tinygrad_nn, text, quiet=True)


@pytest.mark.parametrize("text", WRONG)
def test_other_orders_are_refused(text):
    compare(called, torch, tinygrad_nn, text)


def test_an_optimizer_of_old_takes_its_step():
    def program(p):
        weight = p.tensor([1.0, 2.0], requires_grad=True)
        mean, square = p.zeros(2), p.zeros(2)
        for step in range(1, 4):
            weight.grad = None
            (weight**3).sum().backward()
            mean.mul_(0.9).add_(0.1, weight.grad)
            square.mul_(0.99).addcmul_(0.01, weight.grad, weight.grad)
            weight.data.addcdiv_(-0.1 / step, mean, square.sqrt().add_(1e-8))
        return weight

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compare(program, torch, tinygrad_nn, quiet=True)
