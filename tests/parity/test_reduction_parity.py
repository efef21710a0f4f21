"""Reductions and scans beside PyTorch's: every form, on tensors of every kind, with first and second derivatives."""

import re

import pytest

import tinygrad_nn
from tests.parity.kinds import KINDS, program, ways
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

CALLS = [
    *(f"{name}({arguments})" for name in ("sum", "mean", "nansum", "nanmean", "amax", "amin", "all", "any", "var", "std")
      for arguments in ("", "0", "-1, True", "(0, 1)", "dim=[0], keepdim=True", "axis=-1, keepdims=True", "2", "(0, 0)", "1.5")),
    *(f"{name}({arguments})" for name in ("sum", "mean", "nansum", "amax", "amin", "all", "any", "count_nonzero")
      for arguments in ("()", "dim=[]")),
    *(f"{name}(0, dtype=p.{dtype})" for name in ("sum", "mean", "prod", "nansum", "cumsum", "cumprod", "softmax")
      for dtype in ("float64", "float32", "int32", "uint8") if name in ("sum", "prod") or dtype != "uint8"),
    *(f"{name}({arguments})" for name in ("prod", "max", "min", "argmax", "argmin")
      for arguments in ("", "0", "-1, True", "dim=1", "2", "axis=0, keepdims=True", "(0, 1)")),
    *(f"{name}({arguments})" for name in ("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp", "softmax", "log_softmax")
      for arguments in ("0", "-1", "dim=0", "axis=1", "2", "'a'")),
    *(f"{name}({arguments})" for name in ("var", "std", "var_mean", "std_mean")
      for arguments in ("False", "True", "unbiased=False", "0, False", "1, True, True", "correction=0", "-1, correction=2",
                        "0, correction=0.5", "correction=None", "unbiased=True, correction=1", "-1, correction=5")),
    *(f"{name}({arguments})" for name in ("var_mean", "std_mean") for arguments in ("", "0", "-1, keepdim=True", "(0, 1)")),
    *(f"aminmax({arguments})" for arguments in ("", "dim=0", "dim=-1, keepdim=True", "keepdim=True", "dim=2")),
    *(f"{name}({arguments})" for name in ("logsumexp",) for arguments in ("0", "-1, True", "(0, 1)", "(0, 0)", "2", "()")),
    *(f"count_nonzero({arguments})" for arguments in ("", "0", "(0, 1)", "dim=-1", "2")),
    *(f"norm({arguments})" for arguments in (
        "", "2", "1", "3", "0.5", "1.5", "-1", "inf", "-inf", "0", "'fro'", "'nuc'", "'other'", "2, 0", "p=1, dim=-1, keepdim=True",
        "3, (0, 1)", "inf, 1", "'fro', (0, 1)", "2, (0, 0)", "2, 5", "dtype=p.float64")),
    *(f"dist({arguments})" for arguments in ("x * 2", "x", "x + 1, 1", "x * 3, inf", "x - 0.5, p=3")),
    *(f"renorm({arguments})" for arguments in ("2, 0, 0.5", "1, -1, 1.0", "p=2, dim=1, maxnorm=100.0", "2, 5, 1.0")),
    *(f"diff({arguments})" for arguments in ("", "2", "dim=0", "0", "9", "-1", "prepend=x", "append=x, dim=0", "1, 3")),
    "max(other=x * 2)", "min(x / 2)", "max(x)", "trapezoid()", "trapz(dx=0.5)", "trapezoid(dim=0)", "trapezoid(x * 2)",
    "trapezoid(p.tensor([0.0, 1.0, 3.0], dtype=p.float64))", "trapezoid(dim=5)", "trapezoid(p.ones(7))",
    "cumulative_trapezoid()", "cumulative_trapezoid(dx=2.0, dim=0)", "cumulative_trapezoid(x * 2)",
]  # fmt: skip

# (call, kind): what is not compared, and why.
OTHERWISE = [
    (r"\w+\(1\.5\)", r"u?int\d+|bool"),  # two mistakes: which is found first
    (r"std.*correction=5.*|var.*correction=5.*", r"(?!0-d).*"),  # PyTorch's gradient with a negative divisor
    (r"logcumsumexp.*", "nan|infinite|.*zeros"),  # PyTorch's derivative depends on the order of its steps, its second on log(g)
    (r"(var|std)_mean.*", "infinite"),  # PyTorch's mean comes by Welford's steps, in which infinities cancel
    (r"nansum.*int32.*", ".*"),  # PyTorch looks for NaN after the conversion, which has none
    (r"softmax.*int32.*|cum(max|min)\((axis=1|2)\)", "empty|no .*"),  # nothing to compute, and not looked at by PyTorch
    (r"dist\(x\)", ".*"),  # as above
    (r"renorm.*", "nan"),  # PyTorch lets no gradient pass through a norm that is not used
    (r".*trapz?e?.*", "infinite"),  # where infinities cancel depends on the order of the sum
    (r"trapz?e?.*|diff\(.*pend.*", "empty|no .*"),  # an empty sum: with a derivative here, without one in PyTorch
    (r".*trapezoid\((p.*|dim=5\))", "empty|no columns|bool"),  # two mistakes, or one that PyTorch overlooks
    (r"norm\(0\)", ".*"),  # a count: without a derivative here, with one of zeros in PyTorch
    (r"arg(max|min)\(\(0, 1\)\)", "bool"),  # two mistakes: which is found first
    (r"norm\(.*", "nan"),  # which NaNs take the slope differs by the order p
    (r"(norm|renorm)\((-1|0.5|1.5|1|inf|-inf|p=1).*|dist.*", ".*zeros"),  # PyTorch's second derivatives are NaN
]  # fmt: skip
# Where a value is infinite, NaN or 0, the second derivative of these is NaN here or there, by the order of the steps.
FIRST_ONLY = re.compile(r"(std|norm|renorm|dist|cumprod|var|prod|logsumexp|log_softmax|softmax|nanmean|mean|max|min|std_mean).*")
WILD = ("nan", "infinite", "all zeros", "more zeros", "zeros")


def skipped(call, kind):
    return any(re.fullmatch(calls, call) and re.fullmatch(kinds, kind) for calls, kinds in OTHERWISE)


CASES = [(call, kind, how) for call in dict.fromkeys(CALLS) for how in ways(torch, call) for kind in KINDS
         if (how == "function" or kind in ("float64", "0-d", "bool")) and not skipped(call, kind)]  # fmt: skip


@pytest.mark.parametrize("call", dict.fromkeys(CALLS))
def test_as_in_pytorch(call):
    for case, kind, how in CASES:
        if case == call:
            second = not (kind in WILD and FIRST_ONLY.fullmatch(call))
            tolerance = {"float16": 2e-2, "float32": 2e-5}.get(kind, 2e-6)
            try:
                compare(program, torch, tinygrad_nn, call, kind, how, second, tolerance=tolerance, quiet=True)
            except AssertionError as error:
                raise AssertionError(f"{call} of {kind} as a {how}: {error}") from error


@pytest.mark.parametrize("name", ["var", "std"])
def test_the_gradient_along_no_dims_is_that_along_all(name):
    """PyTorch divides it by one less the correction instead of by the number of elements less the correction."""
    x = tinygrad_nn.tensor([[1.0, 2.0], [4.0, 9.0]], requires_grad=True)
    (none,) = tinygrad_nn.autograd.grad(getattr(x, name)(()), x)
    (both,) = tinygrad_nn.autograd.grad(getattr(x, name)(), x)
    assert none.tolist() == both.tolist()


def test_the_product_beside_zeros_to_the_second_order():
    def second(p):
        x = p.tensor([2.0, 0.0, 3.0, 0.0], dtype=p.float64, requires_grad=True)
        (first,) = p.autograd.grad(x.prod(), x, create_graph=True)
        return p.autograd.grad((first * p.tensor([1.0, 2.0, 3.0, 4.0], dtype=p.float64)).sum(), x)

    compare(second, torch, tinygrad_nn)


def test_results_print_as_in_pytorch():
    for call in ("max(1)", "min(0)", "aminmax()", "cummax(0)", "cummin(1)"):
        ours, theirs = (value_of(f"p.tensor([[1.0, 5.0], [2.0, 4.0]]).{call}", p=p) for p in (tinygrad_nn, torch))
        assert repr(ours) == repr(theirs)
        assert isinstance(ours, getattr(tinygrad_nn.return_types, call.split("(")[0]))
