"""Functions and methods beside PyTorch's: value, dtype, gradient, second gradient, and the type of the errors."""

import numpy as np
import pytest

import tinygrad_nn

torch = pytest.importorskip("torch")

A = np.random.default_rng(0).uniform(0.2, 1.8, (2, 3, 4))
B = np.random.default_rng(1).uniform(0.2, 1.8, (3, 4))
M, N = A[0], A[1].T
INDEX = np.array([[0, 2, 1, 1], [2, 0, 0, 1]])

CASES = {
    **{name: (lambda p, x, name=name: getattr(p, name)(x), [A]) for name in (
        "neg", "exp", "log", "log1p", "expm1", "sqrt", "rsqrt", "square", "reciprocal", "sin", "cos", "tanh", "sigmoid",
        "relu", "erf", "sign", "floor", "ceil", "round", "sum", "mean", "prod", "std", "var", "amax", "amin", "max", "min", "clone",
        "isnan", "isinf", "isfinite", "logical_not", "all", "any", "argmax", "argmin", "squeeze", "flatten",
    )},
    **{f"{name}-{other}": (lambda p, x, y, name=name: getattr(p, name)(x, y), [A, y]) for name in (
        "add", "sub", "mul", "div", "pow", "maximum", "minimum", "remainder", "eq", "lt", "ge",
    ) for other, y in (("same", A[::-1].copy()), ("broadcast", B))},
    "floor_divide": (lambda p, x, y: p.floor_divide(x.detach() * 7, y.detach()), [A, B]),
    "abs": (lambda p, x: (x - 1).abs() * x, [A]),
    "scalar": (lambda p, x: (2 - x) * 3 / (1 + x) ** 2, [A]),
    "add-alpha": (lambda p, x, y: p.add(x, y, alpha=3), [A, B]),
    "where": (lambda p, x, y: p.where(x > 1, x, y), [A, B]),
    "clamp": (lambda p, x: x.clamp(0.5, 1.0), [A]),
    "masked_fill": (lambda p, x: x.masked_fill(x > 1, -1.0), [A]),
    "sum-dims": (lambda p, x: x.sum((0, 2)), [A]),
    "sum-keep": (lambda p, x: x.sum(1, keepdim=True), [A]),
    "mean-dim": (lambda p, x: x.mean(-1), [A]),
    "prod-dim": (lambda p, x: x.prod(1), [A]),
    "var-dim": (lambda p, x: x.var(1, correction=0), [A]),
    "max-dim": (lambda p, x: x.max(1).values, [A]),
    "min-indices": (lambda p, x: x.min(2).indices, [A]),
    "argmax-dim": (lambda p, x: x.argmax(1, keepdim=True), [A]),
    "cumsum": (lambda p, x: x.cumsum(1), [A]),
    "logsumexp": (lambda p, x: x.logsumexp(1), [A]),
    "softmax": (lambda p, x: x.softmax(1), [A]),
    "log_softmax": (lambda p, x: p.log_softmax(x, -1), [A]),
    "matmul": (lambda p, x, y: x @ y, [M, N]),
    "matmul-batch": (lambda p, x, y: x @ y, [A, N]),
    "matmul-vector": (lambda p, x, y: x @ y, [A, B[0]]),
    "vector-matmul": (lambda p, x, y: x @ y, [B[:, 0], A]),
    "dot": (lambda p, x, y: p.dot(x, y), [B[0], B[1]]),
    "bmm": (lambda p, x, y: p.bmm(x, y), [A, A.transpose(0, 2, 1).copy()]),
    "reshape": (lambda p, x: x.reshape(4, -1), [A]),
    "view": (lambda p, x: x.view(6, 4), [A]),
    "transpose": (lambda p, x: x.transpose(0, 2), [A]),
    "permute": (lambda p, x: x.permute(2, 0, 1), [A]),
    "movedim": (lambda p, x: p.movedim(x, 0, -1), [A]),
    "T": (lambda p, x: x.T, [M]),
    "unsqueeze": (lambda p, x: x.unsqueeze(-1), [A]),
    "expand": (lambda p, x: x[:, :1].expand(-1, 5, 4), [A]),
    "cat": (lambda p, x, y: p.cat([x, y, x]), [M, B]),
    "stack": (lambda p, x, y: p.stack([x, y], -1), [M, B]),
    "split": (lambda p, x: x.split(2, 2)[1], [A]),
    "chunk": (lambda p, x: p.chunk(x, 3, 1)[2], [A]),
    "unbind": (lambda p, x: x.unbind(1)[1], [A]),
    "flip": (lambda p, x: x.flip(0, 2), [A]),
    "roll": (lambda p, x: p.roll(x, (1, -1), (0, 2)), [A]),
    "narrow": (lambda p, x: x.narrow(2, 1, 2), [A]),
    "pad": (lambda p, x: p.nn.functional.pad(x, (1, 0, 2, 1), value=0.5), [A]),
    "gather": (lambda p, x: x.gather(0, p.tensor(INDEX)), [B]),
    "index_select": (lambda p, x: x.index_select(1, p.tensor([2, 0, 0])), [A]),
    "masked_select": (lambda p, x: x.masked_select(x > 1), [A]),
    "getitem": (lambda p, x: x[..., None, 1:, [0, 3]], [A]),
    "getitem-mask": (lambda p, x: x[x > 1], [A]),
    "getitem-tensor": (lambda p, x: x[:, p.tensor([0, 0, 2])], [A]),
    "setitem": (lambda p, x, y: _assigned(x, y), [A, B]),
    "leaky_relu": (lambda p, x: p.nn.functional.leaky_relu(x - 1), [A]),
    "gelu": (lambda p, x: p.nn.functional.gelu(x - 1), [A]),
    "gelu-tanh": (lambda p, x: p.nn.functional.gelu(x - 1, approximate="tanh"), [A]),
    "linear": (lambda p, x, w, b: p.nn.functional.linear(x, w, b), [A, B, B[:, 0]]),
}  # fmt: skip


def _assigned(x, y):
    z = x * 1
    z[1] = y
    z[0, 1:] *= 2
    return z


def run(package, program, arrays, dtype):
    """Value, gradients and second gradients, or what of them exists."""
    leaves = [package.tensor(a.astype(dtype), requires_grad=True) for a in arrays]
    y = program(package, *leaves)
    found = [y]
    if y.requires_grad:
        weight = package.tensor(np.random.default_rng(5).uniform(0.5, 1, tuple(y.shape)).astype(dtype))
        first = package.autograd.grad((y * weight).sum(), leaves, create_graph=True, allow_unused=True)
        found += first
        smooth = [g for g in first if g is not None and g.requires_grad]
        if smooth:
            total = sum((g * g).sum() for g in smooth)
            found += package.autograd.grad(total, leaves, allow_unused=True)
    return [None if v is None else v.detach() for v in found]


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name):
    program, arrays = CASES[name]
    for dtype, tolerance in ((np.float64, 1e-9), (np.float32, 2e-4)):
        theirs, ours = (run(package, program, arrays, dtype) for package in (torch, tinygrad_nn))
        for a, b in zip(theirs, ours, strict=False):
            if a is None or b is None:
                assert all(v is None or not np.asarray(v).any() for v in (a, b))
                continue
            assert repr(a.dtype) == repr(b.dtype)
            assert tuple(a.shape) == tuple(b.shape)
            np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=tolerance, atol=tolerance)


TYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("first", TYPES)
@pytest.mark.parametrize("second", TYPES)
def test_promotion_of_dtypes(first, second):
    def dtypes(p):
        a, b = (p.ones(2, dtype=getattr(p, name)) for name in (first, second))
        results = [a + b, a * b, a / b, a + b[0], a[0] * b, a * 2, a * 1.5, a == b, a.sum(), p.cat([a, b]), p.where(a == b, a, b)]
        return [repr(result.dtype) for result in results]

    assert dtypes(tinygrad_nn) == dtypes(torch)


MISTAKES = {
    "dim": lambda p: p.ones(2).sum(2),
    "matmul": lambda p: p.ones(2, 3) @ p.ones(2, 3),
    "matmul-0d": lambda p: p.ones(2, 3) @ p.tensor(1.0),
    "matmul-dtypes": lambda p: p.ones(2, 2) @ p.ones(2, 2, dtype=p.float64),
    "broadcast": lambda p: p.ones(2) + p.ones(3),
    "reshape": lambda p: p.ones(6).reshape(4, -1),
    "view": lambda p: p.ones(2, 3).T.view(6),
    "expand": lambda p: p.ones(2).expand(3),
    "cat": lambda p: p.cat([p.ones(2, 3), p.ones(3, 2)]),
    "cat-empty": lambda p: p.cat([]),
    "stack": lambda p: p.stack([p.ones(2), p.ones(3)]),
    "index": lambda p: p.ones(2)[2],
    "too many indices": lambda p: p.ones(2)[0, 0],
    "index-list": lambda p: p.ones(2)[[0, 5]],
    "mean-int": lambda p: p.ones(2, dtype=p.int64).mean(),
    "integer-power": lambda p: p.ones(2, dtype=p.int64) ** -1,
    "where": lambda p: p.where(p.ones(2), p.ones(2), p.ones(2)),
    "bool-sub": lambda p: p.tensor([True]) - p.tensor([True]),
    "max-empty": lambda p: p.ones(0).max(),
    "squeeze-dim": lambda p: p.ones(2).squeeze(3),
    "permute": lambda p: p.ones(2, 3).permute(0, 0),
    "item": lambda p: p.ones(2).item(),
    "ragged": lambda p: p.tensor([[1], [1, 2]]),
    "negative-size": lambda p: p.zeros(-1),
    "from_numpy": lambda p: p.from_numpy([1]),
    "len-0d": lambda p: len(p.tensor(1)),
    "numpy-grad": lambda p: p.ones(1, requires_grad=True).numpy(),
    "int-grad": lambda p: p.ones(1, dtype=p.int64, requires_grad=True),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_errors_are_of_the_same_type(mistake):
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        MISTAKES[mistake](torch)
    with pytest.raises(theirs.type):
        MISTAKES[mistake](tinygrad_nn)
