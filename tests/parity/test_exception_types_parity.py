"""Which exception PyTorch raises, exactly, where its type is one that programs tell apart."""

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, outcome, value_of

torch = pytest.importorskip("torch")

REFUSED = [
    "p.softmax(i, 0)", "p.log_softmax(i, 0)", "p.nn.functional.softmax(i, 0)", "p.bernoulli(i)", "i.bernoulli()",
    "i.clone().uniform_()", "i.clone().normal_()", "(i > 1).normal_()", "i.clone().log_normal_()", "i[1.0:3]", "i[:3.0]",
    "i[::1.0]",
    "i.__delitem__(0)", "x.index_put_((i[:1],), 1.0)", "x.index_put((i[:1],), 1.0)", "x.put_(i[:1], 1.0)",
    "x.masked_scatter_(x > 0, 1.0)", "p.quantile(x, [0.2])", "p.nanquantile(x, [0.2])", "x.as_strided((2, 2), (3, 1))",
    "x.as_strided((2,), (-1,))", "x[1:].as_strided((3,), (1,))", "p.linalg.eigh(p.eye(2).long())",
    "p.linalg.eigvalsh(p.eye(2).long())",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_the_type_is_pytorchs(text):
    def program(p):
        return value_of(text, p=p, i=p.tensor([0, 1, 2]), x=p.tensor([1.0, 2.0, 3.0]))

    theirs, ours = outcome(program, torch), outcome(program, tinygrad_nn)
    assert type(theirs) is type(ours)


def test_numbers_are_quantiles_and_parts_of_memory_may_overlap():
    compare(lambda p: [p.quantile(p.arange(5.0), 0.3), p.arange(6.0).as_strided((2, 3), (2, 1), 1)], torch, tinygrad_nn)


def test_logarithms_of_powers_are_whole():
    tens, twos = [10.0**n for n in range(-30, 31, 3)], [2.0**n for n in range(-60, 60)]
    compare(lambda p: [p.tensor(tens).log10(), p.tensor(twos).log2()], torch, tinygrad_nn, tolerance=0)
