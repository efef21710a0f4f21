"""`out=`: where a result may be written, in which dtypes, and what happens to an `out` of another size, beside PyTorch."""

import warnings

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

A = np.random.default_rng(1).uniform(0.1, 1.0, (3, 3)).astype(np.float32)
DTYPES = ["float32", "float64", "int64", "bool"]

# Functions with one result: a is a matrix, v a vector, b a batch of matrices, s positive definite, i an index.
SINGLE = [
    "sum(a, 0, out=o)", "mean(a, 1, out=o)", "prod(a, 1, out=o)", "std(a, 1, out=o)", "var(a, out=o)", "nanmean(a, 1, out=o)",
    "amax(a, 1, out=o)", "logsumexp(a, 1, out=o)", "norm(a, 2, 1, out=o)", "norm(a, out=o)", "argmax(a, 1, out=o)",
    "argmin(a, out=o)", "cumsum(a, 1, out=o)", "cumprod(a, 0, out=o)", "logcumsumexp(a, 1, out=o)", "all(a, 1, out=o)",
    "any(a, out=o)", "softmax(a, 1, out=o)", "log_softmax(a, 1, out=o)", "clamp(a, 0.1, 0.5, out=o)", "clip(a, 0.1, 0.5, out=o)",
    "clamp_min(a, 0.5, out=o)", "pow(a, 2, out=o)", "pow(2.0, a, out=o)", "round(a, out=o)", "where(a > 0.5, a, a, out=o)",
    "index_select(a, 0, i, out=o)", "gather(a, 0, i[None], out=o)", "take(a, i, out=o)", "masked_select(a, a > 0.5, out=o)",
    "nonzero(a, out=o)", "tril(a, out=o)", "triu(a, 1, out=o)", "outer(v, v, out=o)", "dot(v, v, out=o)", "inner(v, v, out=o)",
    "mv(a, v, out=o)", "mm(a, a, out=o)", "bmm(b, b, out=o)", "addmm(a, a, a, out=o)", "baddbmm(b, b, b, out=o)",
    "addmv(v, a, v, out=o)", "addr(a, v, v, out=o)", "addbmm(a, b, b, out=o)", "diag(a, out=o)", "cross(a, a * 2 + 1, out=o)",
    "addcmul(a, a, a, out=o)", "addcdiv(a, a, a, out=o)", "lerp(a, a, 0.5, out=o)", "eq(a, a, out=o)", "lt(a, 0.5, out=o)",
    "isposinf(a, out=o)", "remainder(a, 0.3, out=o)", "reciprocal(a, out=o)", "rsqrt(a, out=o)", "square(a, out=o)",
    "frac(a, out=o)", "heaviside(a, a, out=o)", "float_power(a, 2, out=o)", "ldexp(a, a, out=o)", "sinc(a, out=o)",
    "nan_to_num(a, out=o)", "deg2rad(a, out=o)", "angle(a, out=o)", "xlogy(a, a, out=o)", "polygamma(1, a, out=o)", "i0(a, out=o)",
    "mvlgamma(a + 3, 1, out=o)", "logit(a, out=o)", "msort(a, out=o)", "quantile(a, 0.5, 1, out=o)", "histc(a, 3, out=o)",
    "diff(a, out=o)", "renorm(a, 2, 0, 1.0, out=o)", "take_along_dim(a, i[None], 0, out=o)", "scatter(a, 0, i[None], 1.0, out=o)",
    "scatter_add(a, 0, i[None], a, out=o)", "index_add(a, 0, i, a, out=o)", "kron(a, a, out=o)", "inverse(a, out=o)",
    "matrix_power(a, 2, out=o)", "bitwise_and(a.long(), 3, out=o)", "isin(a, a, out=o)", "bucketize(a, v.sort()[0], out=o)",
    "tensordot(a, a, 1, out=o)", "linalg.inv(a, out=o)", "linalg.solve(a, v, out=o)", "linalg.norm(a, out=o)",
    "linalg.vector_norm(a, out=o)", "linalg.matrix_norm(a, out=o)", "linalg.det(a, out=o)", "linalg.pinv(a, out=o)",
    "linalg.cond(a, out=o)", "linalg.eigvalsh(s, out=o)", "linalg.svdvals(a, out=o)", "linalg.multi_dot((a, a), out=o)",
    "linalg.matrix_rank(a, out=o)", "linalg.vecdot(a, a, out=o)", "linalg.solve_triangular(a, a, upper=True, out=o)",
    "special.ndtr(a, out=o)", "special.i1e(a, out=o)", "special.xlog1py(a, a, out=o)", "zeros(2, 3, out=o)", "ones((2, 3), out=o)",
    "full((2, 3), 2.5, out=o)", "eye(2, 3, out=o)", "empty(2, 0, out=o)",
]  # fmt: skip

# PyTorch has a kernel less than there are dtypes, or asks for a reduction in `uint8` or `bool` alone.
RANDOM = ["rand(2, 3, out=o)", "randn(2, 3, out=o)", "randint(0, 9, (2, 3), out=o)", "randperm(5, out=o)"]

# Joined tensors go into any wider dtype; a narrower one is a TypeError there.
JOINED = ["hstack((a, a), out=o)", "vstack((a, a), out=o)", "dstack((a, a), out=o)", "column_stack((a, a), out=o)"]

SEVERAL = {
    "max(a, 1, out=o)": "fi", "min(a, 1, keepdim=True, out=o)": "fi", "sort(a, out=o)": "fi", "topk(a, 2, out=o)": "fi",
    "kthvalue(a, 2, out=o)": "fi", "median(a, 1, out=o)": "fi", "nanmedian(a, 1, out=o)": "fi", "mode(a, 1, out=o)": "fi",
    "cummax(a, 1, out=o)": "fi", "cummin(a, 1, out=o)": "fi", "aminmax(a, dim=1, out=o)": "ff", "histogram(a, 3, out=o)": "ff",
    "linalg.svd(a, out=o)": "fff", "linalg.eigh(s, out=o)": "ff", "linalg.qr(a, out=o)": "ff", "linalg.slogdet(a, out=o)": "ff",
    "slogdet(a, out=o)": "ff", "linalg.lu(a, out=o)": "fff", "linalg.inv_ex(a, out=o)": "fn", "linalg.lu_factor(a, out=o)": "fn",
}  # fmt: skip


def written(p, text, out, grad=False):
    a = p.tensor(A, requires_grad=grad)
    s = a @ a.T + p.eye(3)
    p.manual_seed(0)
    made = value_of(f"p.{text}", p=p, a=a, v=a[0], b=a[None], s=s, i=p.tensor([2, 0, 1]), o=out)
    pairs = zip(made, out, strict=True) if isinstance(out, tuple) else [(made, out)]
    return [out, [one is other for one, other in pairs]]


def values(p, text, shape, dtype):
    return written(p, text, p.zeros(shape, dtype=getattr(p, dtype)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("text", SINGLE)
def test_an_empty_out_is_filled_or_refused_by_dtype(text, dtype):
    less = {"i", "b"} if text.startswith(("cum", "nan")) else set()
    if dtype[0] in less and not (dtype == "int64" and text.startswith("cum")):
        dtype = "float64"
    compare(values, torch, tinygrad_nn, text, 0, dtype, tolerance=1e-5)


@pytest.mark.parametrize("text", RANDOM)
def test_random_numbers_are_drawn_in_the_dtype_of_out(text):
    for dtype in ("float32", "float64") if text.startswith(("rand(", "randn")) else ("float32", "float64", "int64"):
        compare(values, torch, tinygrad_nn, text, 0, dtype)


@pytest.mark.parametrize("text", JOINED)
def test_joined_tensors_go_into_wider_dtypes(text):
    for dtype in ("float32", "float64"):
        compare(values, torch, tinygrad_nn, text, 0, dtype)


@pytest.mark.parametrize("text", SEVERAL)
def test_several_results_go_into_a_tuple(text):
    kinds = {"f": "float32", "i": "int64", "n": "int32"}

    def program(p, change):
        names = [kinds[letter] for letter in SEVERAL[text]]
        names[-1] = change or names[-1]
        return written(p, text, tuple(p.zeros(0, dtype=getattr(p, name)) for name in names))

    compare(program, torch, tinygrad_nn, None, tolerance=1e-5)
    compare(program, torch, tinygrad_nn, "int16", tolerance=1e-5)
    compare(lambda p: written(p, text, (p.zeros(0),)), torch, tinygrad_nn)


@pytest.mark.parametrize("text", ["sum(a, 0, out=o)", "softmax(a, 0, out=o)", "zeros(3, out=o)", "max(a, 0, out=(o, i))"])
def test_another_size_is_taken_with_pytorchs_warning(text):
    def told(p):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if "(o" in text:
                out = p.max(p.tensor(A), 0, out=(p.ones(7), p.ones(7).long()))
            else:
                out = values(p, text, (2, 5), "float32")
        return [out, sorted({one.category.__name__ for one in caught})]

    compare(told, torch, tinygrad_nn)


@pytest.mark.parametrize("text", ["sum(a, 0, out=o)", "where(a > 0.5, a, a, out=o)", "linalg.inv(a, out=o)", "argmax(a, 1, out=o)"])
@pytest.mark.parametrize("needs", ["input", "out", "no grad"])
def test_gradients_are_refused_where_there_would_be_any(text, needs):
    def program(p):
        out = p.zeros(0, dtype=p.int64 if "arg" in text else p.float32)
        if needs == "out" and "arg" not in text:
            out.requires_grad_()
        with p.set_grad_enabled(needs != "no grad"):
            return written(p, text, out, grad=needs != "out")

    compare(program, torch, tinygrad_nn)


def test_a_view_is_written_through():
    def program(p):
        whole, a = p.zeros(4, 6), p.tensor(A)
        p.cumsum(a, 0, out=whole[1:, ::2])
        p.sort(a, out=(whole[:3, 1::2], p.zeros(3, 3, dtype=p.int64)))
        return [whole, p.cumsum(a, 0, out=a)]

    compare(program, torch, tinygrad_nn)


def test_what_is_no_tensor_is_refused():
    compare(lambda p: p.sum(p.ones(2), 0, out=[1.0, 2.0]), torch, tinygrad_nn)
    compare(lambda p: p.max(p.ones(2), 0, out=p.ones(2)), torch, tinygrad_nn)
    compare(lambda p: p.sum(p.ones(2), 0, out=None), torch, tinygrad_nn)
    compare(lambda p: p.sum(p.ones(2), 0, dtype=p.float64, out=p.ones(())), torch, tinygrad_nn)
