"""Random numbers of tensors that do not lie row by row: the same order, the same path and the same stream left behind."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

IN_PLACE = {
    "uniform_": lambda p, t: t.uniform_(-1, 2),
    "normal_": lambda p, t: t.normal_(1, 2),
    "bernoulli_": lambda p, t: t.bernoulli_(0.4),
    "bernoulli_ of chances": lambda p, t: t.bernoulli_(p.linspace(0, 1, t.shape[-1])),
    "exponential_": lambda p, t: t.exponential_(2),
    "random_": lambda p, t: t.random_(),
    "random_ below": lambda p, t: t.random_(3, 90),
    "cauchy_": lambda p, t: t.cauchy_(),
    "log_normal_": lambda p, t: t.log_normal_(),
    "geometric_": lambda p, t: t.geometric_(0.2),
    "trunc_normal_": lambda p, t: p.nn.init.trunc_normal_(t, a=-0.9, b=0.9),
    "trunc_normal_ of a tail": lambda p, t: p.nn.init.trunc_normal_(t, mean=0.5, a=2.0, b=2.5),
}
LIKE = {
    "rand_like": lambda p, t: p.rand_like(t),
    "randn_like": lambda p, t: p.randn_like(t),
    "randint_like": lambda p, t: p.randint_like(t, 3, 50),
    "ones_like": lambda p, t: p.ones_like(t),
    "full_like": lambda p, t: p.full_like(t, 7),
    "zeros_like": lambda p, t: p.zeros_like(t),
    "empty_like": lambda p, t: p.empty_like(t).zero_(),
    "row by row": lambda p, t: p.rand_like(t, memory_format=p.contiguous_format),
    "as it lies": lambda p, t: p.randn_like(t, memory_format=p.preserve_format),
    "dropout": lambda p, t: p.nn.functional.dropout(t, 0.2),
    "alpha_dropout": lambda p, t: p.nn.functional.alpha_dropout(t, 0.4, training=True),
    "bernoulli": lambda p, t: p.bernoulli(t),
    "bernoulli of one chance": lambda p, t: p.bernoulli(t, 0.3),
    "poisson": lambda p, t: p.poisson(t * 20),
    "normal": lambda p, t: p.normal(t, 2.0),
}


@st.composite
def layouts(draw, repeated=False):
    """Recipes for views: sizes, a slice of each dimension, perhaps one that is repeated, and their order."""
    least = 2 if repeated else 1  # beside a repeated dimension PyTorch's order depends on the strides that one of size 1 has kept
    sizes = draw(st.lists(st.integers(least, 5), min_size=1, max_size=4))
    cuts = [draw(st.sampled_from([slice(None), slice(1, None), slice(None, None, 2)])) for _ in sizes]
    again = draw(st.integers(0, len(sizes) - 1)) if repeated and draw(st.booleans()) else None
    return sizes, cuts, again, draw(st.permutations(range(len(sizes))))


def view(p, layout):
    sizes, cuts, again, order = layout
    whole = p.linspace(0.05, 0.95, int(np.prod([n + 1 for n in sizes]))).reshape([n + 1 for n in sizes])
    part = whole[tuple(cuts)]
    if again is not None:
        part = part.narrow(again, 0, 1).expand(part.shape)
    return whole, part.permute(*order)


def steps(t):
    """The strides of the dimensions that are there."""
    return [step for n, step in zip(t.shape, t.stride(), strict=True) if n > 1]


@pytest.mark.parametrize("name", IN_PLACE)
@hypothesis.settings(max_examples=25)
@hypothesis.given(layout=layouts())
def test_filled_in_the_order_of_memory(name, layout):
    def program(p):
        p.manual_seed(1)
        whole, part = view(p, layout)
        IN_PLACE[name](p, part)
        return whole, p.rand(1)

    compare(program, torch, tinygrad_nn, tolerance=1e-5)


@pytest.mark.parametrize("name", LIKE)
@hypothesis.settings(max_examples=25)
@hypothesis.given(layout=layouts(repeated=True))
def test_drawn_in_the_order_of_another_tensor(name, layout):
    def program(p):
        p.manual_seed(1)
        result = LIKE[name](p, view(p, layout)[1])
        return result, p.rand(1), steps(result) if name.endswith("_like") else None

    compare(program, torch, tinygrad_nn, tolerance=1e-5)


PROGRAMS = {
    "weights by columns": lambda p: p.nn.init.xavier_normal_(p.zeros(6, 10)[:, :5]),
    "sparse": lambda p: p.nn.init.sparse_(p.zeros(10, 6).t(), 0.3),
    "half of an embedding": lambda p: p.nn.Embedding(10, 4).weight.data[:, :2].normal_(),
    "a normal in float16": lambda p: p.zeros(6, 10, dtype=p.float16).t().normal_(),
    "channels last": lambda p: p.randn_like(p.zeros(2, 3, 4, 4), memory_format=p.channels_last),
    "channels last as it lies": lambda p: p.rand_like(p.zeros(2, 3, 4, 4).to(memory_format=p.channels_last)),
    "another dtype": lambda p: p.zeros_like(p.ones(3, 4).t(), dtype=p.int64).stride(),
    "no elements": lambda p: p.rand_like(p.ones(0, 3).t()),
    "a leaf": lambda p: p.randn_like(p.ones(2, 3).t(), requires_grad=True).requires_grad,
    "integers are refused": lambda p: p.rand_like(p.ones(3, dtype=p.int64)),
    "dropout2d of a matrix": lambda p: p.nn.functional.feature_dropout(p.ones(4, 6).t(), 0.5),
    "dropout2d of images": lambda p: p.nn.functional.dropout2d(p.ones(4, 6, 2, 2).transpose(0, 1)),
    "dropout1d": lambda p: p.nn.functional.dropout1d(p.ones(5, 4).t()),
    "feature_alpha_dropout": lambda p: p.nn.functional.feature_alpha_dropout(p.ones(4, 6).t(), training=True),
    "multinomial": lambda p: p.multinomial(p.tensor([[1.0, 2], [3, 4], [5, 6], [2, 2]]).t(), 1),
    "multinomial of several": lambda p: p.multinomial(p.tensor([[1.0, 2], [3, 4], [5, 6], [2, 2]]).t(), 3),
    "multinomial again": lambda p: p.multinomial(p.tensor([[1.0, 2], [3, 4], [5, 6], [2, 2]]).t(), 3, replacement=True),
    "multinomial of one row": lambda p: p.multinomial(p.tensor([1.0, 2, 3]).expand(4, 3), 2),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name):
    def program(p):
        p.manual_seed(0)
        return PROGRAMS[name](p), p.rand(1)

    compare(program, torch, tinygrad_nn, tolerance=1e-3 if "float16" in name else 1e-6)
