"""Tensor itself: making one, its attributes, conversions, operators in place, copies, pickles, and what it refuses."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import dtypes
from tinygrad_nn.methods import dims, pointwise

A = np.random.default_rng(0).uniform(0.25, 0.75, (2, 3))
DTYPES = (torch.float16, torch.float32, torch.float64, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool)


@pytest.mark.parametrize(
    ("args", "shape"), [((), (0,)), ((2,), (2,)), ((2, 3), (2, 3)), (([1, 2],), (2,)), ((A,), (2, 3))]
)
def test_the_class_makes_float_tensors(args, shape):
    made = torch.Tensor(*args)
    assert (tuple(made.shape), made.dtype, made.requires_grad, made.is_leaf) == (shape, torch.float32, False, True)
    if args and np.ndim(args[0]):
        np.testing.assert_allclose(made, np.asarray(args[0], np.float32))
        assert not np.may_share_memory(made.numpy(), np.asarray(args[0]))


def test_attributes_of_a_view():
    x = torch.arange(24.0, dtype=torch.float64).reshape(2, 3, 4)
    y = x.transpose(0, 2)[1:]
    assert (y.size(), y.size(0), y.size(-1), y.dim(), y.ndim, y.numel(), y.nelement()) == ((3, 3, 2), 3, 2, 3, 3, 18, 18)
    assert (y.stride(), y.stride(0), y.is_contiguous(), x.is_contiguous()) == ((1, 4, 12), 1, False, True)
    assert (y.element_size(), y.nbytes) == (8, 144)
    assert y.data_ptr() - x.data_ptr() == 8
    assert (str(y.device), y.dtype, y.is_floating_point()) == ("cpu", torch.float64, True)
    with pytest.warns(UserWarning, match=r"x\.T"):
        assert x.T.shape == (4, 3, 2)
    assert x.mT.shape == (2, 4, 3)


@pytest.mark.parametrize("source", DTYPES, ids=repr)
@pytest.mark.parametrize("target", DTYPES, ids=repr)
def test_casts_are_numpys(source, target):
    values = np.array([[0, 1, 2], [3, 0, 5]]).astype(source.numpy)
    x = torch.tensor(values)
    like = torch.zeros(1, dtype=target)
    for cast in (x.to(target), x.to(dtype=target), x.type(target), x.to(like), x.type_as(like)):
        assert cast.dtype is target
        np.testing.assert_array_equal(cast, values.astype(target.numpy))
        assert (cast is x) == (source is target)


def test_to_takes_devices_and_copies():
    x = torch.ones(2)
    assert x.to("cpu") is x
    assert x.to(torch.device("cpu"), torch.float32, non_blocking=True) is x
    assert x.to("cpu", torch.float64).dtype is torch.float64
    copied = x.to(device="cpu", copy=True)
    assert copied is not x
    assert copied.data_ptr() != x.data_ptr()
    assert x.to(torch.float64, copy=True).tolist() == [1, 1]
    assert x.cpu() is x
    with pytest.raises(AssertionError, match="'cuda': expected 'cpu'"):
        x.to("cuda")
    with pytest.raises(RuntimeError, match="'meta': expected 'cpu'"), torch.device("meta"):
        torch.ones(1)


def test_casts_carry_gradients():
    x = torch.tensor(A, requires_grad=True)
    (x.float() * 2).double().sum().backward()
    assert x.grad.dtype is torch.float64
    assert x.grad.tolist() == [[2, 2, 2], [2, 2, 2]]
    assert not x.long().requires_grad


NAMES = {"float32": "Float", "float64": "Double", "float16": "Half", "int64": "Long", "int32": "Int", "int16": "Short",
         "int8": "Char", "uint8": "Byte", "bool": "Bool"}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_of_types(name):
    assert torch.ones(1, dtype=name).type() == f"torch.{NAMES[name]}Tensor"


PLAIN = [
    "neg", "abs", "exp", "log", "log1p", "sqrt", "rsqrt", "square", "reciprocal", "sin", "cos", "tanh", "sigmoid", "relu", "floor",
    "ceil", "round",
]  # fmt: skip
IN_PLACE = {
    **dict.fromkeys(PLAIN, ()),
    "add": (2.0,), "sub": (2.0,), "mul": (3.0,), "div": (3.0,), "pow": (3,), "clamp": (0.4, 0.6), "clip": (0.4,),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_is_out_of_place_written_back(name):
    def outcome(in_place):
        x = torch.tensor(A, requires_grad=True)
        y = x * 1
        z = getattr(y, name + "_" * in_place)(*IN_PLACE[name])
        assert (z is y) == in_place
        (z * z).sum().backward()
        return z.detach().numpy(), x.grad.numpy()

    for ours, expected in zip(outcome(True), outcome(False), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-12)
    method = getattr(torch.Tensor, name + "_")
    assert "In place" in method.__doc__


def test_masked_fill_in_place():
    x = torch.tensor(A, requires_grad=True)
    y = x * 1
    y.masked_fill_(y > 0.5, 9.0)
    y.sum().backward()
    np.testing.assert_array_equal(y.detach(), np.where(A > 0.5, 9, A))
    np.testing.assert_array_equal(x.grad, (A <= 0.5) * 1.0)


@pytest.mark.parametrize("write", ["x += 1", "x -= 1", "x *= 2", "x /= 2", "x **= 2"])
def test_augmented_assignments_keep_the_tensor(write):
    x = torch.tensor(A)
    values, scope = A.copy(), {"x": x}
    exec(write, scope)
    exec(write.replace("x", "v", 1), {"v": values})
    assert scope["x"] is x
    np.testing.assert_allclose(x, values)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: torch.ones(2, requires_grad=True).add_(1), "a leaf Variable that requires grad"),
        (lambda: torch.ones(2, requires_grad=True)[:1].mul_(2), "a view of a leaf Variable"),
        (lambda: torch.ones(1).add_(torch.ones(3)), r"add_: output with shape \[1\] doesn't match the broadcast shape \[3\]"),
        (lambda: torch.ones(2, dtype=torch.int64).mul_(1.5), "mul_: result type torch.float32 can't be cast"),
        (lambda: torch.ones(1).expand(3).add_(1), "more than one element"),
        (lambda: torch.ones(2, 2).item(), r"a Tensor with 4 elements cannot be converted to Scalar: shape \[2, 2\]"),
        (lambda: bool(torch.ones(0)), "with no values is ambiguous"),
        (lambda: bool(torch.ones(2)), "with more than one values is ambiguous"),
        (lambda: torch.ones(2, requires_grad=True).numpy(), r"Use tensor\.detach"),
        (lambda: torch.ones(2).mT, "only supported on matrices"),
        (lambda: torch.ones(2).view(3), "invalid for input of size 2"),
        (lambda: torch.ones(2, 2) @ torch.ones(3), r"2 == 3"),
        (lambda: torch.ones(2, 3, 4) @ torch.ones(3, 4, 1), "leading dimensions"),
        (lambda: torch.ones(2).mm(torch.ones(2)), "mm: expected tensors of 2D and 2D, got 1D and 1D"),
        (lambda: torch.bmm(torch.ones(2, 1, 1), torch.ones(3, 1, 1)), "bmm: expected equal batch sizes"),
        (lambda: torch.ones(2).reshape(-1, -1), "only one dimension can be inferred"),
        (lambda: torch.ones(0).reshape(-1, 0), "is ambiguous"),
    ],
)
def test_runtime_errors_name_what_is_wrong(act, message):
    with pytest.raises(RuntimeError, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: len(torch.tensor(1.0)), TypeError, "len"),
        (lambda: iter(torch.tensor(1.0)), TypeError, "iteration over a 0-d"),
        (lambda: [1, 2][torch.tensor(1.0)], TypeError, "only integer tensors"),
        (lambda: [1, 2][torch.tensor([1, 1])], TypeError, "only integer tensors"),
        (lambda: torch.ones(2) @ np.float64(3), TypeError, "for @: 'Tensor' and 'numpy.float64'"),
        (lambda: torch.ones(3).view(torch.float64), RuntimeError, "its size must be a divisor"),
        (lambda: torch.ones(2).size(1), IndexError, r"range of \[-1, 0\], but got 1"),
        (lambda: torch.ones(2).sum(-2), IndexError, r"range of \[-1, 0\], but got -2"),
        (lambda: torch.tensor(1.0).sum(1), IndexError, "out of range"),
        (lambda: torch.ones(2)["a"], TypeError, "expected an index"),
        (lambda: torch.ones(2, dtype="complex64"), TypeError, "expected a dtype among"),
        (lambda: torch.set_default_dtype(int), TypeError, "expected a floating dtype, got torch.int64"),
        (lambda: dtypes.result_type([]), TypeError, "at least one"),
    ],
)
def test_other_errors_name_what_is_wrong(act, error, message):
    with pytest.raises(error, match=message):
        act()


def test_pythons_numbers():
    assert (float(torch.tensor(1.5)), int(torch.tensor([2.7]))) == (1.5, 2)
    assert (bool(torch.tensor([[3]])), bool(torch.tensor(0.0))) == (True, False)
    assert "abc"[torch.tensor(2)] == "c"
    assert f"{torch.tensor(1.25):.1f} {torch.tensor(3)}" == "1.2 3"
    assert f"{torch.tensor([1, 2])}" == "tensor([1, 2])"


def test_comparison_with_what_is_no_number():
    x = torch.ones(2)
    assert [x == None, x != None, x == "a"] == [False, True, False]  # noqa: E711
    assert x in [x]
    assert {x: 1}[x] == 1


@pytest.mark.parametrize("values", [[True, False], [6, 3], [[1, 2], [3, 4]]])
def test_bits(values):
    x, plain = torch.tensor(values), np.array(values)
    other = plain[::-1].copy()
    for ours, theirs in (
        (~x, ~plain), (x & torch.tensor(other), plain & other), (x | torch.tensor(other), plain | other),
        (x ^ torch.tensor(other), plain ^ other), (1 & x.long(), 1 & plain.astype(int)),
        (True | x, True | plain), (True ^ x, True ^ plain),
    ):  # fmt: skip
        np.testing.assert_array_equal(ours, theirs)


def test_membership_and_iteration():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert 3.0 in x
    assert 5.0 not in x
    assert torch.tensor(2.0) in x
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert len(x) == 2


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x)), copy.copy])
def test_copies_of_leaves(copied):
    x = torch.tensor(A, requires_grad=True)
    x.note = "kept"
    y = copied(x)
    assert (type(y), y.requires_grad, y.dtype, y.note, y.is_leaf) == (torch.Tensor, True, torch.float64, "kept", True)
    np.testing.assert_array_equal(y.detach(), A)
    assert np.shares_memory(y.detach().numpy(), x.detach().numpy()) == (copied is copy.copy)


def test_deep_copies_keep_gradients_and_identity():
    x = torch.ones(2, requires_grad=True)
    x.sum().backward()
    a, b = copy.deepcopy([x, x])
    assert a is b
    assert a.grad.tolist() == [1, 1]
    a.grad.add_(1)
    assert x.grad.tolist() == [1, 1]


@pytest.mark.parametrize("act", [copy.deepcopy, pickle.dumps, copy.copy])
def test_results_are_not_copied(act):
    with pytest.raises(RuntimeError, match=r"leaf Tensors|graph leaves"):
        act(torch.ones(2, requires_grad=True) * 2)


@pytest.mark.parametrize("d", DTYPES, ids=repr)
def test_dtypes_are_themselves_after_a_pickle(d):
    assert pickle.loads(pickle.dumps(d)) is d
    assert copy.deepcopy(d) is d
    assert np.dtype(d) == d.numpy
    assert d.is_signed == (d not in (torch.bool, torch.uint8))


def test_devices_compare_by_type_and_index():
    cpu, first = torch.device("cpu"), torch.device("cpu:0")
    assert first == torch.device("cpu", 0)
    assert cpu != first
    assert cpu != "cpu"
    assert len({cpu, torch.device(cpu), first}) == 2
    assert (str(first), repr(first), repr(cpu)) == ("cpu:0", "device(type='cpu', index=0)", "device(type='cpu')")


def test_random_numbers_of_a_shape_and_a_new_seed():
    like = torch.ones(2, 3, dtype=torch.float64)
    assert (torch.rand_like(like).dtype, torch.randn_like(like).shape) == (torch.float64, (2, 3))
    assert torch.seed() == torch.initial_seed()
    state = torch.get_rng_state()
    first = torch.rand(3)
    torch.set_rng_state(state)
    assert torch.rand(3).tolist() == first.tolist()


def test_small_functions_that_have_no_operator():
    x = torch.tensor(A)
    assert pointwise.positive(x) is x
    assert torch.pow(2.0, x).tolist() == (2.0**x).tolist()
    assert torch.any(torch.tensor([0.0, 2.0])).item() is True
    assert dims.axes_of((0, -1), 3) == (0, 2)
    assert "torch.return_types.max(" in repr(x.max(0))
    assert "torch.return_types.min(" in repr(x.min(0))
    assert abs(torch.tensor([-1.5])).tolist() == [1.5]
    assert torch.tensor(x, dtype=torch.float32).dtype is torch.float32
    assert torch.tensor(x).data_ptr() != x.data_ptr()
    assert repr(torch.ones(1, requires_grad=True) * 2).startswith("tensor([2.], grad_fn=<")


def test_indices_of_bytes_are_masks_and_a_scalar_can_be_gathered():
    x = torch.tensor(A)
    mask = (A > 0.5).astype(np.uint8)
    np.testing.assert_array_equal(x[torch.tensor(mask)], A[A > 0.5])
    assert torch.tensor(1.5).gather(0, torch.tensor(0)).item() == 1.5
    with pytest.raises(TypeError, match="for @: 'int' and 'Tensor'"):
        2 @ x


def test_long_sums_and_half_precision_keep_their_digits():
    assert torch.ones(1 << 25, 2).sum(0).tolist() == [float(1 << 25)] * 2
    assert torch.full((1 << 20, 2), 0.1).mean(0).tolist() == pytest.approx([0.1, 0.1], rel=1e-6)
    assert torch.full((100_000,), 2.0, dtype=torch.float16).mean().item() == 2.0
    assert torch.ones(5000, 2).half().sum(0).tolist() == [5000.0, 5000.0]


@pytest.mark.parametrize(("call", "said"), [
    (lambda: torch.ones(2, 3) + torch.ones(2, 4), r"add: shapes \[2, 3\], \[2, 4\] do not .*a \(3\).*b \(4\).*dimension 1$"),
    (lambda: torch.ones(5, 2, 3) * torch.ones(4, 3), r"mul: shapes .*: .*a \(2\).*b \(4\).*dimension 1$"),
    (lambda: torch.where(torch.ones(1, 3) > 0, torch.ones(2, 3), torch.ones(4, 1)), r"where: .*b \(2\).*c \(4\).*dimension 0$"),
    (lambda: np.matmul(torch.ones(2, 3), torch.ones(2, 3)), r"mat1 and mat2 shapes cannot be multiplied"),
    (lambda: torch.ones(3).__setitem__(slice(0, 2), torch.ones(3)), r"__setitem__: .*shape \[3\].*shape \[2\]$"),
])  # fmt: skip
def test_what_does_not_broadcast_is_named(call, said):
    with pytest.raises(RuntimeError, match=said):
        call()
