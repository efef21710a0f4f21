"""Random programs that look into tensors, turn them and write to them in place, beside PyTorch: values, history, both derivatives.

Where PyTorch refuses (a saved value that was overwritten, memory that overlaps), this package may find a way; where
PyTorch gives a result, it must be the same.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_nn

torch = pytest.importorskip("torch")

LIBRARIES = (torch, tinygrad_nn)
SHAPES = [(2, 3), (2, 3, 2), (4,), (3, 3), (1, 3)]


def looks(draw, shape):
    """A way to make a tensor of another: a view, or a copy with a history of its own."""
    whole = {
        "flat": lambda t: t.view(-1), "reshaped": lambda t: t.reshape(-1), "squeezed": lambda t: t.squeeze(),
        "unsqueezed": lambda t: t.unsqueeze(0), "cloned": lambda t: t.clone(), "doubled": lambda t: t * 2,
        "grown": lambda t: (t * 0.1).exp(), "detached": lambda t: t.detach(),
    }  # fmt: skip
    if shape:
        d = draw(st.integers(0, len(shape) - 1))
        i = draw(st.integers(0, shape[d] - 1))
        length = draw(st.integers(1, shape[d] - i))
        whole["selected"] = lambda t: t.select(d, i)
        whole["narrowed"] = lambda t: t.narrow(d, i, length)
        whole["sliced"] = lambda t: t[::2]
    if len(shape) == 2:
        whole["diagonal"] = lambda t: t.diagonal()
    if len(shape) >= 2:
        order = draw(st.permutations(range(len(shape))))
        whole["permuted"] = lambda t: t.permute(*order)
        whole["transposed"] = lambda t: t.mT
    return draw(st.sampled_from(sorted(whole.items())))


def writes(draw, shape):
    """A way to write to a tensor, given another of its shape."""
    number = draw(st.integers(-8, 8)) / 4
    whole = {
        "mul_": lambda t, _: t.mul_(number), "add_": lambda t, _: t.add_(number), "fill_": lambda t, _: t.fill_(number),
        "zero_": lambda t, _: t.zero_(), "sigmoid_": lambda t, _: t.sigmoid_(), "mul_ by another": lambda t, v: t.mul_(v),
        "add_ another": lambda t, v: t.add_(v), "copy_": lambda t, v: t.copy_(v), "all set": lambda t, v: t.__setitem__(..., v),
        "masked_fill_": lambda t, _: t.masked_fill_(t > 0.5, number), "squeeze_": lambda t, _: t.squeeze_(),
        "unsqueeze_": lambda t, _: t.unsqueeze_(-1),
    }  # fmt: skip
    if shape:
        whole["first set"] = lambda t, _: t.__setitem__(0, number)
        whole["every second set"] = lambda t, _: t.__setitem__(slice(None, None, 2), number)
    if len(shape) >= 2:
        whole["transpose_"] = lambda t, _: t.transpose_(0, -1)
    return draw(st.sampled_from(sorted(whole.items())))


def outcome(function, *arguments):
    """The result and None, or None and the kind of error."""
    try:
        return function(*arguments), None
    except RuntimeError:
        return None, RuntimeError


def derivatives(library, leaves, pool):
    """The gradients of a weighted sum of squares of all tensors, and those of the sum of their squares."""
    rng = np.random.default_rng(0)
    total = sum((t * t * library.tensor(rng.uniform(-1, 1, tuple(t.shape)), dtype=library.float64)).sum() for t in pool)
    if not total.requires_grad:
        return []
    first = library.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
    squares = sum(((g * g).sum() for g in first if g is not None), library.zeros(()))
    second = library.autograd.grad(squares, leaves, allow_unused=True) if squares.requires_grad else [None] * len(leaves)
    return [np.zeros(()) if g is None else g.detach().numpy() for g in (*first, *second)]


@given(data=st.data(), shape=st.sampled_from(SHAPES), seed=st.integers(0, 999))
def test_programs_that_write(data, shape, seed):
    values = np.random.default_rng(seed).uniform(-1, 1, (2, *shape))
    leaves = {lib: [lib.tensor(v, dtype=lib.float64, requires_grad=True) for v in values] for lib in LIBRARIES}
    pools = {lib: [leaf * 1 for leaf in leaves[lib]] for lib in LIBRARIES}
    for _ in range(data.draw(st.integers(1, 9))):
        i = data.draw(st.integers(0, len(pools[torch]) - 1))
        now = tuple(pools[torch][i].shape)
        if data.draw(st.booleans()):
            _, look = looks(data.draw, now)
            for pool in pools.values():
                pool.append(look(pool[i]))
        else:
            _, write = writes(data.draw, now)
            alike = [j for j, tensor in enumerate(pools[torch]) if tuple(tensor.shape) == now]
            j = data.draw(st.sampled_from(alike))
            errors = {lib: outcome(write, pools[lib][i], pools[lib][j])[1] for lib in LIBRARIES}
            if errors[torch] is not None:
                return
            assert errors[tinygrad_nn] is None
        for theirs, ours in zip(*pools.values(), strict=True):
            assert tuple(ours.shape) == tuple(theirs.shape)
            assert (ours.requires_grad, ours.is_leaf) == (theirs.requires_grad, theirs.is_leaf)
            np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy())
    expected, failed = outcome(derivatives, torch, leaves[torch], pools[torch])
    if failed is None:
        for ours, theirs in zip(derivatives(tinygrad_nn, leaves[tinygrad_nn], pools[tinygrad_nn]), expected, strict=True):
            np.testing.assert_allclose(*np.broadcast_arrays(ours, theirs), rtol=1e-9, atol=1e-12)  # no gradient is one of zero
