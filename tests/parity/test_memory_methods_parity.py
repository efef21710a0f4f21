"""The methods that show and change a tensor's memory, and Python's own protocols on tensors, beside PyTorch."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")


def memory_seen(p):
    x = p.arange(6.0)
    y, typed, raw = x[2:4], x.storage(), x.untyped_storage()
    typed[5] = 9.0
    lengths = [len(typed), typed.size(), typed.nbytes(), typed.element_size(), typed[1], typed.tolist(), list(typed)[:2]]
    return [
        lengths, repr(typed.dtype), len(raw), raw.nbytes(), raw.size(), raw[0], raw[3], raw.tolist()[4:8], repr(raw.device), x,
        raw.data_ptr() == x.data_ptr(), y.untyped_storage().data_ptr() == x.data_ptr(), len(y.storage()), len(typed.untyped()),
        p.is_storage(typed), p.is_storage(x), p.zeros(0).untyped_storage().nbytes(), x.reshape(2, 3).T.storage().tolist(),
        repr(typed), repr(p.ones(1, dtype=p.uint8).untyped_storage()), x.is_shared(), p.arange(3).storage()[0],
    ]  # fmt: skip


def resized(p):
    x = p.arange(6.0)
    y = x[2:4]
    y.resize_(3)
    y[0] = 7.0
    grown = p.arange(4.0).reshape(2, 2).resize_(3, 3)
    return [
        x, y, grown.shape, grown.reshape(-1)[:4], p.arange(4.0).resize_(0), p.arange(4.0).resize_(0).resize_(4),
        p.arange(6.0).resize_as_(p.zeros(2, 2)), p.arange(6).reshape(2, 3).T.resize_(2, 2), p.ones(2).resize_((1, 1)),
    ]  # fmt: skip


def pointed(p):
    x, z = p.arange(6.0), p.zeros(2)
    z.set_(x)
    z[0] = 9.0
    same = [z.is_set_to(x), z.is_set_to(x.clone()), x[1:].is_set_to(x[:5])]
    part = p.zeros(2).set_(x.storage(), 1, (2, 2), (2, 1))
    other = p.zeros(2).set_(x, 2, (2, 2))
    return [x, z, same, part, other, p.zeros(2).set_(), p.zeros(0).set_(x.storage())]


def filled_by_functions(p):
    x = p.arange(6.0).reshape(2, 3).T
    return [x.apply_(lambda v: v * 2 + 1), x.map_(p.ones(2), lambda a, b: a - b), p.arange(3).apply_(lambda v: v + 1)]


def new(p):
    x = p.arange(3, dtype=p.float64)
    made = [x.new(), x.new([1, 2]), x.new(p.tensor([1.0, 2.0], dtype=p.float64)), x.new(x.storage()), x.int().new([1.5, 2])]
    strided = [x.new_empty_strided((2, 3), (1, 2)).stride(), x.new_empty_strided((2,), (3,), dtype=p.int64).dtype == p.int64]
    free = p.empty_strided((2, 3), (4, 1), dtype=p.float64)
    return [*made, x.new(2, 3).shape, x.new(p.Size([2])).shape, x.new(np.ones(2)), strided, free.stride(), repr(free.dtype)]


def orders(p):
    shapes = [p.zeros(2, 3), p.zeros(2, 3).T, p.zeros(2, 3, 4).permute(1, 2, 0), p.zeros(()), p.zeros(2, 3).mT]
    return [x.dim_order() for x in shapes]


def real_numbers(p):
    x = p.ones(2)
    same = [x.conj() is x, x.resolve_conj() is x, x.resolve_neg() is x, x.conj_physical() is x, x.real is x]
    return [*same, x.is_conj(), x.is_neg(), x.is_inference()]


def gradients_deleted(p):
    x = p.ones(2, requires_grad=True)
    x.sum().backward()
    del x.grad
    return x.grad is None


def formats(p):
    one = p.nn.Parameter(p.tensor(2.0))
    return [f"{one}", str(one), f"{p.nn.Parameter(p.ones(2))}", f"{p.tensor(2.5):.2f}"]


@pytest.mark.parametrize("program", [
    memory_seen, resized, pointed, filled_by_functions, new, orders, real_numbers, gradients_deleted, formats,
], ids=lambda program: program.__name__)  # fmt: skip
def test_as_in_pytorch(program):
    compare(program, torch, tinygrad_nn)


def narrowed(p):
    x = p.arange(6.0, requires_grad=True)
    copied = x.narrow_copy(0, 1, 2)
    (copied * p.tensor([2.0, 3.0])).sum().backward()
    return [copied, p.narrow_copy(x, 0, 4, 2), x.grad]


def test_a_narrowed_copy_has_its_own_memory():
    compare(narrowed, torch, tinygrad_nn)
    x = tinygrad_nn.arange(3.0)
    x.narrow_copy(0, 0, 2).zero_()
    assert x.tolist() == [0, 1, 2]


@pytest.mark.parametrize("text", [
    "[0] * p.tensor(2)", "'x' * p.tensor(3)", "p.tensor(3) * 'x'", "p.tensor(2) * [0]", "(1,) * p.tensor(2)", "[0] * p.tensor(2.0)",
    "[0] * p.ones(2)", "p.ones(2) * None", "p.ones(2) == [1, 1]", "p.ones(2) != [1, 1]", "p.ones(2) == (1, 1)",
    "p.ones(2) == object()", "p.ones(2) == None", "'a' in p.ones(2)", "[1] in p.ones(2)", "None in p.ones(2)", "1 in p.ones(2)",
    "p.tensor(1.0) in p.ones(2)", "list(reversed(p.arange(3)))", "reversed(p.arange(4).reshape(2, 2))", "reversed(p.tensor(1))",
    "p.ones(2).broadcast_to(3, 2)", "p.ones(2).broadcast_to((3, 2))", "p.ones(2).broadcast_to(size=(3, 2))",
    "p.ones(2).broadcast_to(3)", "p.Tensor(p.tensor([1, 2]))", "p.Tensor(p.ones(2, dtype=p.float64))",
    "p.tensor([p.tensor(1.5), 2])", "p.tensor([p.tensor(1.5, dtype=p.float64), 2])", "p.tensor([p.tensor(1), 2.5])",
    "p.tensor([p.tensor(1), p.tensor(2)])", "p.tensor([p.tensor(True), 2])", "p.tensor([1.5, p.tensor(2)])",
    "p.tensor([p.tensor(2, dtype=p.int32), 3])", "p.tensor([[p.tensor(1.0), 2], [3, 4]])", "p.tensor([p.ones(1).half()[0], 2])",
    "p.tensor([p.tensor([1]), p.tensor([2])])", "p.tensor([p.ones(2), p.ones(2)])",
    "p.tensor([p.ones(2).long(), p.ones(2).long()])",
    "p.tensor([p.tensor(3), 2], dtype=p.float64)", "p.as_tensor([p.tensor(1.5), 2])", "p.ones(2).new(3.0)",
    "p.ones(2).new(p.tensor([1, 2]))", "p.ones(2, requires_grad=True).resize_(3)", "p.ones(2, requires_grad=True).set_(p.ones(3))",
    "p.ones(2).resize_(2, -1)", "p.zeros(2).set_(p.zeros(2, dtype=p.int32))", "p.ones(2, requires_grad=True).apply_(abs)",
    "p.zeros(2).map_(p.ones(3), max)", "p.zeros(2, requires_grad=True).map_(p.ones(2), max)",
])  # fmt: skip
def test_expressions(text):
    compare(lambda p: value_of(text, p=p), torch, tinygrad_nn)


def test_subclasses_are_refused_by_name():
    with pytest.raises(NotImplementedError, match="as_subclass: results are plain Tensors here, none stays Parameter"):
        tinygrad_nn.ones(2).as_subclass(tinygrad_nn.nn.Parameter)
