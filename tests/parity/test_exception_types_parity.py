"""Which exception PyTorch raises, exactly, where its type is one that programs tell apart."""

import numpy as np
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


NO_TENSORS = {
    "array": np.ones((4, 3), np.float32), "list": [1.0, 2.0, 3.0], "None": None, "text": "x", "number": 2.0, "module": None,
}  # fmt: skip
TAKERS = {
    "Linear": lambda p, v: p.nn.Linear(3, 2)(v), "Sequential": lambda p, v: p.nn.Sequential(p.nn.Linear(3, 2), p.nn.ReLU())(v),
    "ReLU": lambda p, v: p.nn.ReLU()(v), "GELU": lambda p, v: p.nn.GELU()(v),
    "LayerNorm": lambda p, v: p.nn.LayerNorm(3)(v), "Embedding": lambda p, v: p.nn.Embedding(3, 2)(v),
    "CrossEntropyLoss": lambda p, v: p.nn.CrossEntropyLoss()(p.ones(4, 3), v), "sum": lambda p, v: p.sum(v),
    "nll_loss": lambda p, v: p.nn.functional.nll_loss(p.ones(4, 3), v), "mean": lambda p, v: p.mean(v),
    "cross_entropy": lambda p, v: p.nn.functional.cross_entropy(p.ones(4, 3), v), "max": lambda p, v: p.max(v),
    "one_hot": lambda p, v: p.nn.functional.one_hot(v), "embedding": lambda p, v: p.nn.functional.embedding(v, p.ones(3, 2)),
}  # fmt: skip


@pytest.mark.parametrize("kind", NO_TENSORS)
@pytest.mark.parametrize("taker", TAKERS)
def test_what_is_no_tensor_is_named(taker, kind):
    def program(p):
        return TAKERS[taker](p, p.nn.ReLU() if kind == "module" else NO_TENSORS[kind])

    with pytest.raises(TypeError):
        program(torch)
    with pytest.raises(TypeError, match=r"expected a Tensor, got|must be Tensor, not") as caught:
        program(tinygrad_nn)
    assert "_data" not in str(caught.value)


def test_a_mistake_of_the_users_own_stays_what_it_is():
    def program(p):
        class Net(p.nn.Module):
            def forward(self, batch):
                return batch.inputs

        return Net()([1.0])

    compare(program, torch, tinygrad_nn)
