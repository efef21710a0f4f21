"""What lies at the edges of operators and functions, one line each, beside PyTorch's."""

import operator
import warnings

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

nan, inf = float("nan"), float("inf")


class Other:
    """Answers for whatever operator the left operand leaves to it."""

    def __radd__(self, left):
        return "mine"

    __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rmatmul__ = __radd__
    __rand__ = __ror__ = __rxor__ = __rlshift__ = __rrshift__ = __gt__ = __ge__ = __radd__


OPERATORS = [
    *(f"x {sign} other" for sign in ("+", "-", "*", "/", "//", "%", "**", "@", "<", "<=", ">", "==", "!=")),
    *(f"i {sign} other" for sign in ("&", "|", "^", "<<", ">>")),
    *(f"operator.i{name}(x, other)" for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")),
    *(f"operator.i{name}(i, other)" for name in ("and", "or", "xor", "lshift", "rshift")),
    "other + x", "x + 'a'", "x < None", "x @ 1", "1 @ x", "operator.iadd(x, 'a')", "[1] + x", "x.__add__(other) is NotImplemented",
]  # fmt: skip

DTYPES = [
    "p.diff(i[0], prepend=p.tensor([0.5]))", "p.diff(x[0], append=p.tensor([5]))",
    "p.block_diag(p.ones(1, 1).half(), p.tensor(2.0))", "p.repeat_interleave(p.tensor([1, 2], dtype=p.int32))",
    "p.unravel_index(p.tensor([1, 5], dtype=p.int32), (2, 3))", "p.unravel_index(p.tensor([1, 5], dtype=p.uint8), (2, 3))",
]  # fmt: skip

ARGUMENTS = [
    "p.relu_(input=x)", "p.celu_(input=x)", "p.selu_(input=x)", "p.rrelu_(input=x)", "F.elu_(input=x)", "p.exp_(input=x)",
    "p.threshold_(input=x, threshold=1.0, value=2.0)", "x.count_nonzero(0, 1)", "p.count_nonzero(x, (0,))",
    "p.tensor_split(x, sections=2, dim=1)", "p.tensor_split(x, indices=(1,))", "p.tensor_split(x)",
    "p.tensor_split(x, 2, sections=2)", "p.ones(2) in x", "p.ones(3) in x", "1.0 in x", "x[0] in x",
]  # fmt: skip

STRIDED = [
    "x[:, 1:].as_strided((2, 2), (3, 1))", "x.t().as_strided((2, 2), (3, 1))", "x[1].as_strided((2,), (1,), 0)",
    "x[:1].expand(4, 3).as_strided((3,), (1,))", "x[:, 1:].as_strided((9,), (1,))",
    "[x[:, 1:].as_strided((2,), (3,)).fill_(9.0), x]",
]  # fmt: skip

NAMES = [
    "p.fill(x, 2)", "p.fill(i, 2.7)", "[p.fill(x, p.tensor(3)), x]", "p.get_device(x)", "x.get_device()", "x.to_dense() is x",
    "x.to_dense(p.float64)", "x.name", "x.imag", "p.imag(x)", "p.as_strided_(x, (2,), (1,))", "p.addmv_(p.ones(2), x, p.ones(3))",
    "[x.is_xpu, x.is_xla, x.is_vulkan, x.is_ipu, x.is_mtia, x.is_maia, x.is_sparse_csr]",
]  # fmt: skip


@pytest.mark.parametrize("text", [*OPERATORS, *DTYPES, *ARGUMENTS, *STRIDED, *NAMES])
def test_edges(text):
    def program(p):
        p.manual_seed(0)
        x, i = p.arange(6.0).reshape(2, 3), p.arange(6).reshape(2, 3)
        return value_of(text, p=p, F=p.nn.functional, np=np, nan=nan, inf=inf, x=x, i=i, other=Other(), operator=operator)

    compare(program, torch, tinygrad_nn)


WARNINGS = [
    *(f"p.{name}({given})" for name in ("std", "var", "std_mean", "var_mean")
      for given in ("p.ones(1)", "p.ones(2, 1), 1", "p.ones(2, 0), 1", "p.ones(3), correction=3", "p.ones(2, 1), 1, False")),
    "p.cov(p.ones(2, 1))", "x[0].T", "x[None].T", "p.tensor(1.0).T", "x.T", "p.meshgrid(x[0], x[1])",
    "p.cartesian_prod(x[0], x[1])", "p.meshgrid(x[0], x[1], indexing='ij')", "x.add(1, -1.5)", "x.sub(1, 2)", "p.add(x, 1, 2)",
]  # fmt: skip


@pytest.fixture
def always():
    """PyTorch says some things to the first call only, unless it is told otherwise."""
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("text", WARNINGS)
def test_warnings(text):
    def program(p):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = value_of(text, p=p, x=p.arange(6.0).reshape(2, 3))
        return found, [warning.category for warning in caught]

    compare(program, torch, tinygrad_nn)


def test_whole_numbers_take_no_gradient_from_what_is_written_into_them():
    def program(p):
        x = p.zeros(2, dtype=p.int64)
        x[0] = p.tensor(1.5, requires_grad=True)
        x[1:].copy_(p.tensor([2.5], requires_grad=True))
        return x, x.requires_grad

    compare(program, torch, tinygrad_nn)


def test_a_filled_copy_has_the_gradient_of_its_value():
    def program(p):
        value = p.tensor(2.0, requires_grad=True)
        y = p.fill(p.ones(2, 3), value)
        y.sum().backward()
        return y, value.grad

    compare(program, torch, tinygrad_nn)
