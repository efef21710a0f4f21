"""What reads and writes by index beside PyTorch: value, dtype, gradients of both orders, in place, errors."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

VALUES = np.random.default_rng(0).uniform(0.25, 2.0, (2, 3, 4))

# Indices tried for reading and for writing.
INDICES = {
    "int": lambda p: 1, "negative": lambda p: -1, "far": lambda p: 9, "slice": lambda p: slice(1, None),
    "step": lambda p: slice(None, None, 2),
    "backwards": lambda p: slice(None, None, -1), "no step": lambda p: slice(None, None, 0), "none": lambda p: None,
    "ellipsis": lambda p: (..., 0), "two ellipses": lambda p: (..., 1, ...), "list": lambda p: [1, 0, 1],
    "tuple in a list": lambda p: [[0, 1], [2, 0]],
    "tensor": lambda p: p.tensor([[0, 1], [1, 1]]), "0-d tensor": lambda p: p.tensor(1), "array": lambda p: np.array([1, 0]),
    "number": lambda p: np.int64(1), "int32": lambda p: p.tensor([1, 0], dtype=p.int32),
    "int16": lambda p: p.tensor([1], dtype=p.int16),
    "bytes": lambda p: p.tensor([1, 0], dtype=p.uint8), "mask": lambda p: p.tensor([True, False]), "true": lambda p: True,
    "false": lambda p: False,
    "whole mask": lambda p: p.tensor(VALUES > 1), "matrix mask": lambda p: (p.tensor(VALUES[:, :, 0] > 1), slice(1, 3)),
    "misfit mask": lambda p: p.tensor([True] * 5), "empty mask": lambda p: p.zeros(0, 3, dtype=p.bool),
    "no mask": lambda p: p.zeros(2, dtype=p.bool),
    "int and list": lambda p: (0, slice(None), [1, 2]), "int between": lambda p: ([0, 1], 1, [2, 3]),
    "list and int": lambda p: ([0, 1], slice(1, None), 2),
    "lists apart": lambda p: ([0, 1], slice(None), [1, 2]), "none between": lambda p: ([0, 1], None, [1, 2]),
    "ends": lambda p: (..., [0, 3], None),
    "mask and int": lambda p: (p.tensor([True, False]), 1), "int and mask": lambda p: (1, p.tensor([True, False, True])),
    "broadcast": lambda p: (p.tensor([[0], [1]]), p.tensor([0, 2])), "misfit lists": lambda p: ([0, 1], [0, 1, 2]),
    "far list": lambda p: [0, 5],
    "too many": lambda p: (0, 0, 0, 0), "float": lambda p: 1.5, "floats": lambda p: p.tensor([1.0]), "string": lambda p: "a",
    "object": lambda p: object(),
    "empty list": lambda p: [], "empty tuple": lambda p: (), "range of tensors": lambda p: slice(p.tensor(0), p.tensor(1)),
}  # fmt: skip


def _twice(p, y, inputs):
    """The gradients of y * y, and theirs."""
    inputs = [x for x in inputs if x.requires_grad]
    if not (y.requires_grad and inputs):
        return []
    first = p.autograd.grad([y * y], inputs, [p.full_like(y.detach(), 0.5)], create_graph=True, allow_unused=True)
    return [*first, *p.autograd.grad([sum(g.sum() for g in first if g is not None)], inputs, allow_unused=True)]


@pytest.mark.parametrize("name", INDICES)
def test_reading(name):
    def program(p):
        x = p.tensor(VALUES, requires_grad=True)
        y = x[INDICES[name](p)]
        return [y, np.may_share_memory(y.detach().numpy(), x.detach().numpy()) and y.numel() > 0, *_twice(p, y, [x])]

    compare(program, torch, tinygrad_nn)


# Where an element is named twice only the last value written counts here, in PyTorch all get its gradient; bytes as a mask
# and False, which writes nothing, it takes for reading only.
READ_ONLY = {"bytes", "false", "list", "tensor", "empty tuple"}


@pytest.mark.parametrize("name", sorted(INDICES.keys() - READ_ONLY))
@pytest.mark.parametrize("value", ["number", "0-d", "fitting", "misfit"])
def test_writing(name, value):
    def program(p):
        x = p.tensor(VALUES, requires_grad=True)
        index = INDICES[name](p)
        shape = {"number": None, "0-d": (), "fitting": tuple(x[index].shape), "misfit": (7, 1, 1, 1, 5)}[value]
        v = 2.5 if shape is None else p.full(shape, 2.5, dtype=p.float64, requires_grad=True)
        y = x * 1
        y[index] = v
        return [y, *_twice(p, y, [x, *([] if shape is None else [v])])]

    compare(program, torch, tinygrad_nn)


ROWS = [[0, 2, 1, 1], [2, 0, 0, 1]]  # names some rows twice
ONCE = [[0, 2, 1, 0], [2, 0, 0, 1]]  # names each row of a column once

# Functions of x (3, 4) and s (2, 4); each is tried as a function, a method, and with `name_` in place.
FUNCTIONS = {
    "gather": lambda p, x, s: x.gather(0, p.tensor(ROWS)),
    "gather function": lambda p, x, s: p.gather(x, axis=1, index=p.tensor([[3, 0], [1, 1]])),
    "gather nothing": lambda p, x, s: x.gather(0, p.zeros(0, dtype=p.int64)),
    "gather 0-d": lambda p, x, s: [p.tensor(5.0).gather(0, p.tensor([0, 0])), p.tensor(5.0).gather(0, p.tensor(0))],
    "gather int32": lambda p, x, s: x.gather(0, p.tensor(ROWS, dtype=p.int32)),
    "gather far": lambda p, x, s: x.gather(0, p.tensor([[3]])),
    "take": lambda p, x, s: p.take(x, p.tensor([[0, -1], [5, 5]])),
    "take far": lambda p, x, s: x.take(p.tensor([12])),
    "take floats": lambda p, x, s: x.take(p.tensor([1.0])),
    "take_along_dim": lambda p, x, s: p.take_along_dim(x, p.tensor([[1], [0], [-1]]), dim=1),
    "take_along_dim flat": lambda p, x, s: x.take_along_dim(p.tensor([1, 7])),
    "take_along_dim misfit": lambda p, x, s: x.take_along_dim(p.tensor([1, 7]), 0),
    "index_select": lambda p, x, s: p.index_select(x, dim=1, index=p.tensor([2, 0, 0])),
    "index_select floats": lambda p, x, s: x.index_select(0, p.tensor([0.0])),
    "index_select 0-d": lambda p, x, s: [p.tensor(5.0).index_select(0, p.tensor([0])), x.index_select(0, p.tensor(1))],
    "index_select 0-d twice": lambda p, x, s: p.tensor(5.0).index_select(0, p.tensor([0, 0])),
    "index_select far": lambda p, x, s: x.index_select(0, p.tensor([3])),
    "masked_select": lambda p, x, s: p.masked_select(x, x.detach() > 1),
    "masked_select misfit": lambda p, x, s: x.masked_select(p.tensor([True] * 5)),
    "masked_select ints": lambda p, x, s: x.masked_select(p.tensor([1, 0, 1, 1])),
    "masked_select nothing": lambda p, x, s: p.zeros(0, 3).masked_select(p.zeros(0, 3, dtype=p.bool)),
    "nonzero": lambda p, x, s: [p.nonzero(x > 1), (x > 1).nonzero(as_tuple=True), p.argwhere(x > 1), p.tensor(2).nonzero()],
    "nonzero 0-d": lambda p, x, s: p.tensor(2).nonzero(as_tuple=True),
    "scatter_reduce far": lambda p, x, s: x.scatter_reduce(0, p.tensor([[5]]), s, "sum"),
    "scatter_reduce name": lambda p, x, s: x.scatter_reduce(0, p.tensor(ROWS), s, "median"),
    "scatter_add dtype": lambda p, x, s: x.scatter_add(0, p.tensor(ROWS), s.float()),
    "scatter reduce name": lambda p, x, s: x.scatter(0, p.tensor(ROWS), s.detach(), reduce="mean"),
    "index_add misfit": lambda p, x, s: x.index_add(0, p.tensor([0]), s),
    "index_add far": lambda p, x, s: x.index_add(0, p.tensor([0, 7]), s),
    "index_copy far": lambda p, x, s: x.index_copy(0, p.tensor([0, 7]), s),
    "put misfit": lambda p, x, s: x.put(p.tensor([1]), s),
    "put far": lambda p, x, s: x.put(p.tensor([99]), s[0, :1]),
    "masked_scatter short": lambda p, x, s: x.masked_scatter(p.ones(3, 4, dtype=p.bool), s),
    "masked_scatter ints": lambda p, x, s: x.masked_scatter(p.ones(3, 4, dtype=p.int64), s),
}  # fmt: skip

WRITERS = {
    "scatter": lambda p, s: (0, p.tensor(ONCE)[:, 1:3], s[:, :2]),
    "scatter value": lambda p, s: (0, p.tensor(ROWS), 2.5),
    "scatter_add": lambda p, s: (0, p.tensor(ROWS), s),
    "scatter_add smaller": lambda p, s: (1, p.tensor([[3, 3]]), s[:1, 1:3]),
    **{f"scatter_reduce {name}": lambda p, s, name=name: (0, p.tensor(ROWS), s, name)
       for name in ("sum", "prod", "mean", "amax", "amin")},
    "index_add": lambda p, s: (0, p.tensor([2, 2]), s),
    **{f"index_reduce {name}": lambda p, s, name=name: (0, p.tensor([2, 0]), s, name) for name in ("prod", "mean", "amax", "amin")},
    "index_reduce name": lambda p, s: (0, p.tensor([2, 0]), s, "sum"),
    "index_copy": lambda p, s: (0, p.tensor([2, 0]), s),
    "index_fill": lambda p, s: (1, p.tensor([2, 0]), 7),
    "index_fill tensor": lambda p, s: (1, p.tensor([3]), s[0, 0]),
    "index_put": lambda p, s: ((p.tensor([2, 0]),), s),
    "index_put accumulate": lambda p, s: ((p.tensor([2, 2]), p.tensor([1, 1])), s[0, :2], True),
    "index_put mask": lambda p, s: ((p.tensor([True, False, True]),), s),
    "index_put misfit": lambda p, s: ((p.tensor([2, 0, 1]),), s),
    "put": lambda p, s: (p.tensor([0, 5, -1]), s[0, :3]),
    "put accumulate": lambda p, s: (p.tensor([5, 5]), s[0, :2], True),
    "masked_scatter": lambda p, s: (p.tensor(VALUES[0] > 1), s),
}  # fmt: skip


def _tensors(p, kind):
    if kind == "float64":
        return [p.tensor(v, requires_grad=True) for v in (VALUES[0], VALUES[1, :2])]
    return [p.tensor(np.round(v * 5), dtype=getattr(p, kind)) for v in (VALUES[0], VALUES[1, :2])]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    def program(p):
        x, s = _tensors(p, "float64")
        y = FUNCTIONS[name](p, x, s)
        return [y, *(_twice(p, y, [x]) if hasattr(y, "dtype") else [])]

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "uint8"])
@pytest.mark.parametrize("name", WRITERS)
def test_writers(name, kind):
    method = name.split()[0]

    def program(p):
        x, s = _tensors(p, kind)
        results = []
        for place in (False, True):
            y = (x * 1 if place else x).__getattribute__(f"{method}_" if place else method)(*WRITERS[name](p, s))
            results += [y, *_twice(p, y, [x, s])]
        return results

    if method == "scatter" and kind == "uint8" and "value" in name:
        return
    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("kind", ["float64", "int64"])
@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
def test_what_was_there_is_left_out(reduce, kind):
    def program(p):
        x, s = _tensors(p, kind)
        y = x.scatter_reduce(0, p.tensor(ROWS), s, reduce, include_self=False)
        return [y, *_twice(p, y, [x, s])]

    compare(program, torch, tinygrad_nn)


def test_the_largest_share_the_gradient():
    def program(p):
        x, s = p.ones(2, requires_grad=True), p.tensor([1.0, 1.0, 0.5], requires_grad=True)
        y = x.scatter_reduce(0, p.tensor([0, 0, 1]), s, "amax")
        return [y, *p.autograd.grad([y.sum()], [x, s])]

    compare(program, torch, tinygrad_nn)
