"""QR by reflections: geqrf, orgqr and ormqr, beside PyTorch."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

rng = np.random.default_rng(4)
TALL, WIDE, BATCH = rng.normal(size=(4, 3)), rng.normal(size=(3, 4)), rng.normal(size=(2, 4, 3))

TEXTS = [
    "p.geqrf(tall)", "p.geqrf(wide)", "p.geqrf(batch)", "tall.geqrf().tau", "p.geqrf(tall.float())",
    "p.linalg.householder_product(*p.geqrf(tall))", "p.orgqr(*p.geqrf(batch))", "p.linalg.householder_product(tall, tall[0, :2])",
    "p.linalg.householder_product(wide, wide[0, :2])",
    "p.orgqr(tall, tall[0, :2].float())", "p.orgqr(tall, tall)", "tall.orgqr(tall[0, :2])",
    "p.ormqr(*p.geqrf(tall), p.eye(4).double())", "p.ormqr(*p.geqrf(tall), tall, transpose=True)",
    "p.ormqr(*p.geqrf(tall), wide, left=False)", "p.ormqr(*p.geqrf(tall), wide, left=False, transpose=True)",
    "p.ormqr(*p.geqrf(batch), batch)", "tall.ormqr(tall[0], tall)", "p.ormqr(*p.geqrf(tall), wide)",
    "p.linalg.householder_product(*p.geqrf(tall), out=p.zeros(0).double())",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_as_in_pytorch(text):
    def program(p):
        return value_of(text, p=p, tall=p.tensor(TALL), wide=p.tensor(WIDE), batch=p.tensor(BATCH))

    compare(program, torch, tinygrad_nn)


def test_gradients_pass_through_the_product():
    def program(p):
        a, tau = (part.clone().requires_grad_() for part in p.geqrf(p.tensor(TALL)))
        (p.linalg.householder_product(a, tau) * p.tensor(TALL)).sum().backward()
        return [a.grad, tau.grad]

    compare(program, torch, tinygrad_nn)
