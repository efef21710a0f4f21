"""Sorting, ranks, counts and look-ups beside PyTorch's: every form, on tensors of every kind, with both derivatives."""

import re

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.kinds import KINDS, program, ways
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

CALLS = [
    *(f"{name}({arguments})" for name in ("sort", "argsort")
      for arguments in ("", "0", "-1, True", "dim=0, descending=True", "dim=-1, stable=True", "stable=True, descending=True, dim=0",
                        "2", "axis=0")),
    "msort()",
    *(f"topk({arguments})" for arguments in ("1", "2", "2, 0", "2, -1, False", "k=1, dim=0, largest=False, sorted=True", "9", "-1",
                                             "1, 5", "0")),
    *(f"kthvalue({arguments})" for arguments in ("1", "2", "2, 0", "1, -1, True", "k=1, dim=0, keepdim=True", "9", "0", "1, 5")),
    *(f"{name}({arguments})" for name in ("median", "nanmedian", "mode")
      for arguments in ("", "0", "-1", "1, True", "dim=0, keepdim=True", "2")),
    *(f"{name}({arguments})" for name in ("quantile", "nanquantile")
      for arguments in ("0.3", "0.5, 0", "1.0, -1, True", "p.tensor([0.1, 0.5, 1.0], dtype=x.dtype)", "0.5, keepdim=True",
                        "p.tensor([0.25, 0.9], dtype=x.dtype), dim=-1, keepdim=True", "p.tensor([0.2], dtype=x.dtype), 0",
                        *(f"0.4, -1, interpolation='{kind}'" for kind in ("lower", "higher", "nearest", "midpoint", "linear")),
                        "0.5, interpolation='other'", "1.5", "-0.1", "0.5, 2", "p.ones(2, 2, dtype=x.dtype)")),
    *(f"unique({arguments})" for arguments in ("", "return_inverse=True", "True, True, True", "dim=0", "return_counts=True, dim=1",
                                               "return_inverse=True, dim=0", "dim=2")),
    *(f"unique_consecutive({arguments})" for arguments in ("", "True, True", "dim=0", "return_counts=True, dim=0", "dim=-1")),
    *(f"bincount({arguments})" for arguments in ("", "minlength=9", "x * 0.5", "x, 12", "minlength=-1")),
    *(f"histc({arguments})" for arguments in ("", "4", "bins=5, min=0, max=2", "3, 1, 1", "0", "4, 2, 1")),
    *(f"histogram({arguments})" for arguments in ("", "4", "5, range=(0.0, 2.0)", "3, density=True", "4, weight=x * 2",
                                                  "p.tensor([0.0, 0.5, 1.0, 3.0], dtype=x.dtype)")),
    *(f"cov({arguments})" for arguments in ("", "correction=0", "correction=2", "fweights=p.tensor([1, 2, 3])", "correction=3",
                                            "aweights=p.tensor([0.5, 1.0, 2.0], dtype=p.float64)",
                                            "fweights=p.tensor([1, 2, 3]), aweights=p.tensor([0.5, 1.0, 2.0], dtype=p.float64)",
                                            "fweights=p.tensor([1, -2, 3])", "fweights=p.tensor([1.0, 2.0, 3.0])",
                                            "aweights=p.tensor([1.0])")),
    "corrcoef()",
    *(f"bucketize({arguments})" for arguments in ("p.tensor([0.5, 1.0, 1.5])", "p.tensor([0, 2, 3]), right=True",
                                                  "p.tensor([1, 2]), out_int32=True", "p.ones(2, 2)")),
    *(f"searchsorted({arguments})" for arguments in ("x * 1", "x, right=True", "x, side='right', out_int32=True", "0.75",
                                                     "x, side='left', right=True", "x, side='up'", "p.ones(7, 2)")),
    *(f"isin({arguments})" for arguments in ("p.tensor([1, 2])", "x, invert=True", "1")),
]  # fmt: skip

# (call, kind): what is not compared, and why.
OTHERWISE = [
    (r"(topk|kthvalue|median|nanmedian|mode)\(.*", "ties|.*zeros"),  # of equal elements PyTorch takes any
    (r"(median|nanmedian|kthvalue|mode).*|topk.*", "bool"),  # two mistakes, or equal elements
    (r"cov.*aweights.*|cov\(correction=[23]\)|corrcoef.*", "nan|infinite|empty|no .*|float16|all zeros|ties"),  # 0 / 0 by steps
    (r"(hist|cov|corr).*", "infinite|nan|no .*|empty|float16"),  # bounds that PyTorch does not look at, or rounds otherwise
    (r"(nan)?quantile.*", r"infinite|bool|u?int\d+|float16|empty|no .*"),  # inf - inf by the order of steps; see the test below
    (r"mode\(.*|unique.*dim.*", "nan"),  # PyTorch sorts NaN anywhere
    (r"topk\(0\)", "0-d"),  # PyTorch gives memory it has not written
    (r"isin\(.*|cov\(aweights=p.tensor\(\[1.0\]\)\)", "bool|transposed|strided|0-d"),  # errors of PyTorch's that are no rule
    (r"unique.*dim.*", "empty|no .*|0-d"),  # slices of nothing
    (r"searchsorted\(.*", "ties|zeros|.*zeros|nan|infinite|bool|int.*|uint8|float.*|vector|3-d|transposed|strided"),  # not sorted
]  # fmt: skip


def skipped(call, kind):
    return any(re.fullmatch(calls, call) and re.fullmatch(kinds, kind) for calls, kinds in OTHERWISE)


CASES = [(call, kind, how) for call in dict.fromkeys(CALLS) for how in ways(torch, call) for kind in KINDS
         if (how == "function" or kind in ("float64", "0-d", "int64")) and not skipped(call, kind)]  # fmt: skip
FIRST_ONLY, WILD = re.compile("x"), ()


@pytest.mark.parametrize("call", dict.fromkeys(CALLS))
def test_as_in_pytorch(call):
    for case, kind, how in CASES:
        if case == call:
            tolerance = {"float16": 2e-2, "float32": 2e-5}.get(kind, 2e-6)
            try:
                compare(program, torch, tinygrad_nn, call, kind, how, tolerance=tolerance, quiet=True)
            except AssertionError as error:
                raise AssertionError(f"{call} of {kind} as a {how}: {error}") from error


@pytest.mark.parametrize("kind", ["float16", "int64", "bool", "empty"])
@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_quantiles_are_of_some_floats(name, kind):
    compare(lambda p: getattr(KINDS[kind](p), name)(0.5), torch, tinygrad_nn)


def test_quantiles_pass_the_gradient_on_to_the_fraction():
    def program(p):
        q = p.tensor([0.3, 0.6], dtype=p.float64, requires_grad=True)
        return p.autograd.grad(KINDS["float64"](p).quantile(q, dim=1).sum(), q)

    compare(program, torch, tinygrad_nn)


ROWS = np.array([[0.0, 1.0, 2.0, 2.0], [1.0, 1.5, 4.0, 9.0]])


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("values", [ROWS + 0.5, ROWS, ROWS[:, :1], ROWS[0], ROWS[:, :0]], ids=lambda v: str(v.shape))
def test_searching_rows(values, right):
    compare(lambda p: p.searchsorted(p.tensor(ROWS), p.tensor(values), right=right), torch, tinygrad_nn)
    compare(lambda p: p.searchsorted(p.tensor(ROWS[1]), p.tensor(values), right=right), torch, tinygrad_nn)


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("name", ["searchsorted", "bucketize"])
def test_searching_in_another_dtype(name, right):
    def program(p):
        find = lambda *given: getattr(p, name)(*(given if name == "bucketize" else given[::-1]), right=right)
        large, small = p.tensor([2**24 + 1]), p.tensor([0.1])
        return [
            find(large, p.tensor([2.0**24])), find(p.tensor([2.0**24]), large), find(2**24 + 1, p.tensor([2.0**24])),
            find(small, small.double()), find(small.double(), small), find(0.1, small), find(p.tensor(True), p.tensor([0, 1])),
        ]  # fmt: skip

    compare(program, torch, tinygrad_nn)


def test_searching_by_a_sorter():
    def program(p, order=(2, 0, 1), dtype="int64"):
        sequence, sorter = p.tensor([2.0, 3.0, 1.0]), p.tensor(order, dtype=getattr(p, dtype))
        return p.searchsorted(sequence, p.tensor([0.5, 1.0, 2.5, 9.0]), sorter=sorter, side="right")

    compare(program, torch, tinygrad_nn)
    compare(program, torch, tinygrad_nn, (2, 0))
    compare(program, torch, tinygrad_nn, (2, 0, 3))
    compare(program, torch, tinygrad_nn, (2, 0, 1), "int32")


def test_results_print_as_in_pytorch():
    for call in ("sort()", "topk(1)", "kthvalue(1)", "median(0)", "nanmedian(1)", "mode()", "histogram(2)"):
        ours, theirs = (value_of(f"p.tensor([[1.0, 5.0], [2.0, 4.0]]).{call}", p=p) for p in (tinygrad_nn, torch))
        assert repr(ours) == repr(theirs)
        assert isinstance(ours, getattr(tinygrad_nn.return_types, call.split("(")[0]))
