"""NumPy's functions on Tensors: NumPy's own values, recorded where they have a derivative, refused where they would lose one."""

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn.numpy_protocol import FUNCTIONS
from tinygrad_nn.op import UFUNCS

A = np.random.default_rng(0).uniform(0.2, 0.9, (2, 3))
B = np.random.default_rng(1).uniform(0.2, 0.9, (2, 3))

# Each is tried with an array and with a Tensor in its place.
SMOOTH = {
    "sum": np.sum, "sum axis": lambda x: np.sum(x, axis=0), "sum keepdims": lambda x: np.sum(x, axis=(0, 1), keepdims=True),
    "sum nothing": lambda x: np.sum(x, axis=()), "sum dtype": lambda x: np.sum(x, dtype=np.float64),
    "mean": np.mean, "mean axis": lambda x: np.mean(x, 1), "mean keepdims": lambda x: np.mean(x, 1, keepdims=True),
    "prod": np.prod, "prod axis": lambda x: np.prod(x, 1, keepdims=True),
    "max": np.max, "amax": lambda x: np.amax(x, 0), "max keepdims": lambda x: np.max(x, 1, keepdims=True),
    "min": np.min, "amin": lambda x: np.amin(x, 0),
    "var": np.var, "var ddof": lambda x: np.var(x, 1, ddof=1), "std": lambda x: np.std(x, 0, keepdims=True),
    "cumsum": np.cumsum, "cumsum axis": lambda x: np.cumsum(x, 1),
    "cumprod": np.cumprod, "cumprod axis": lambda x: np.cumprod(x, 1),
    "reshape": lambda x: np.reshape(x, (3, 2)), "reshape -1": lambda x: np.reshape(x, -1), "ravel": np.ravel,
    "transpose": np.transpose, "transpose axes": lambda x: np.transpose(x, (1, 0)),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1), "moveaxis": lambda x: np.moveaxis(x, 0, -1),
    "broadcast_to": lambda x: np.broadcast_to(x, (4, 2, 3)), "expand_dims": lambda x: np.expand_dims(x, 1),
    "expand_dims axes": lambda x: np.expand_dims(x, (-1, 0)),
    "split": lambda x: np.split(x, 3, axis=1)[1], "split places": lambda x: np.split(x, [1])[0],
    "array_split": lambda x: np.array_split(x, 2, 1)[0],
    "squeeze": lambda x: np.squeeze(x[:1]), "squeeze axis": lambda x: np.squeeze(x[:1], 0),
    "concatenate": lambda x: np.concatenate([x, B, x]), "concatenate axis": lambda x: np.concatenate((B, x), axis=1),
    "stack": lambda x: np.stack([x, B]), "stack axis": lambda x: np.stack([B, x], axis=-1),
    "flip": np.flip, "flip axis": lambda x: np.flip(x, 0), "flip axes": lambda x: np.flip(x, (0, 1)),
    "roll": lambda x: np.roll(x, 1), "roll axis": lambda x: np.roll(x, -1, 1),
    "where x": lambda x: np.where(A > 0.5, x, B), "where y": lambda x: np.where(A > 0.5, B, x),
    "where xy": lambda x: np.where(B > 0.5, x, x),
    "clip": lambda x: np.clip(x, 0.4, 0.6), "clip max": lambda x: np.clip(x, None, 0.6),
    "dot": lambda x: np.dot(x, B.T), "dot from the right": lambda x: np.dot(B.T, x), "dot vectors": lambda x: np.dot(x[0], B[0]),
    "copy": np.copy, "add.reduce": lambda x: np.add.reduce(x, axis=1),
    "exp": np.exp, "log": np.log, "log1p": np.log1p, "expm1": np.expm1,
    "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "tanh": np.tanh,
    "negative": np.negative, "absolute": np.absolute, "add": lambda x: np.add(x, B),
    "subtract": lambda x: np.subtract(B, x), "multiply": lambda x: np.multiply(x, B), "divide": lambda x: np.divide(B, x),
    "power": lambda x: np.power(x, 3.0), "maximum": lambda x: np.maximum(x, B), "minimum": lambda x: np.minimum(B, x),
    "matmul": lambda x: np.matmul(x, B.T), "array @ x": lambda x: B.T @ x, "array + x": lambda x: B + x,
    "array - x": lambda x: B - x,
    "array * x": lambda x: B * x, "array / x": lambda x: B / x, "x ** array": lambda x: x ** B,
    "scalar * x": lambda x: np.float64(2) * x,
}  # fmt: skip
PLAIN = {
    "argmax": np.argmax, "argmax axis": lambda x: np.argmax(x, 1, keepdims=True), "argmin": lambda x: np.argmin(x, 0),
    "all": np.all, "all axis": lambda x: np.all(x > 0.5, axis=0), "any": lambda x: np.any(x > 0.85),
    "any keepdims": lambda x: np.any(x > 0.5, axis=1, keepdims=True),
    "zeros_like": np.zeros_like, "ones_like": np.ones_like,
    "greater": lambda x: np.greater(x, B), "equal": lambda x: np.equal(x, x), "array < x": lambda x: B < x,  # noqa: SIM300
    "isnan": np.isnan, "where constant": lambda x: np.where(x > 0.5, 1.0, B),
    "cbrt": np.cbrt, "float_power": lambda x: np.float_power(x, B), "maximum.reduce": np.maximum.reduce,
    "add.accumulate": np.add.accumulate, "multiply.outer": lambda x: np.multiply.outer(x, B),
}  # fmt: skip


ARRAYS = ("broadcast_to", "concatenate", "copy", "dot", "expand_dims", "ones_like", "ravel", "roll", "stack", "where", "zeros_like")


@pytest.mark.parametrize("name", [*SMOOTH, *PLAIN])
def test_values_are_numpys(name):
    """As tensors, but for those functions that give arrays in PyTorch."""
    function = {**SMOOTH, **PLAIN}[name]
    found, expected = function(torch.tensor(A)), np.asarray(function(A))
    assert isinstance(found, np.ndarray | np.generic if name.startswith(ARRAYS) else torch.Tensor)
    found = np.asarray(found)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_rule_sees_tensors_only():
    """Rules are written with NumPy, and what they give of a gradient without history must stay a tensor all the same."""
    seen = []
    x = torch.tensor(A, requires_grad=True)
    y = x * 1
    y.register_hook(lambda g: seen.append(type(np.copy(g))))
    torch.autograd.grad(y.sum(), x, create_graph=True)
    y = x * 1
    y.register_hook(lambda g: seen.append(type(np.copy(g))))
    torch.autograd.grad(y.sum(), x)
    assert seen == [torch.Tensor, np.ndarray]


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_are_recorded(name):
    """Against central differences of NumPy's own function."""
    function, step = SMOOTH[name], 1e-6
    x = torch.tensor(A, requires_grad=True)
    y = function(x)
    weight = np.random.default_rng(2).uniform(0.5, 1, tuple(y.shape))
    (y * torch.from_numpy(weight)).sum().backward()
    expected = np.zeros_like(A)
    for place in np.ndindex(A.shape):
        nudge = np.zeros_like(A)
        nudge[place] = step
        expected[place] = np.sum(weight * (function(A + nudge) - function(A - nudge))) / (2 * step)
    np.testing.assert_allclose(x.grad, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    "function", [np.cbrt, lambda x: np.float_power(x, B), np.maximum.reduce, np.add.accumulate, lambda x: np.multiply.outer(B, x)]
)
def test_what_would_lose_a_gradient_is_refused(function):
    with pytest.raises(RuntimeError, match="is not differentiable here; detach"):
        function(torch.tensor(A, requires_grad=True))


@pytest.mark.parametrize("function", [np.sum, np.mean, np.exp, np.sqrt])
def test_float32_stays_float32(function):
    assert function(torch.tensor(A, dtype=torch.float32)).dtype is torch.float32


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda x: np.add(x, x, out=np.zeros((2, 3))), r"np\.add: out= is not supported"),
        (lambda x: np.add(np.ones((2, 3)), 1, out=x), r"np\.add: out= is not supported"),
    ],
)
def test_what_is_not_there_is_named(act, message):
    with pytest.raises(TypeError, match=message):
        act(torch.tensor(A))


UNKNOWN = {
    "unique": np.unique, "median": np.median, "vstack of a list": lambda x: np.vstack([x, B]),
    "hstack": lambda x: np.hstack((x, x)),
    "nested": lambda x: np.block([[x, B], [B, x]]), "keyword": lambda x: np.average(a=B, weights=x), "pad": lambda x: np.pad(x, 1),
    "einsum": lambda x: np.einsum("ij,ij->i", x, x), "histogram": lambda x: np.histogram(x, 3)[0],
    "svd": lambda x: np.linalg.svd(x)[1],
    "an option that the table has not": lambda x: np.sum(x, initial=3.0), "one-argument where": lambda x: np.where(x > 0.5)[0],
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_the_table_has_not_is_numpys_own(name):
    found, expected = UNKNOWN[name](torch.tensor(A)), UNKNOWN[name](A)
    assert type(found) is type(expected)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", sorted(UNKNOWN.keys() - {"one-argument where"}))
def test_what_the_table_has_not_would_lose_a_gradient(name):
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
        UNKNOWN[name](torch.tensor(A, requires_grad=True))


def test_files_of_arrays(tmp_path):
    np.save(tmp_path / "x.npy", torch.tensor(A))
    np.savez(tmp_path / "x.npz", x=torch.tensor(A))
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), A)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npz")["x"], A)


def test_a_split_that_is_not_even():
    with pytest.raises(ValueError, match="equal division"):
        np.split(torch.tensor(A), 2, axis=1)


def test_facts():
    x = torch.tensor(A, requires_grad=True)
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 3), 2, 6)
    assert np.allclose(x, A)
    assert np.allclose(A, x + 1e-10)
    assert not np.allclose(x, A + 1)
    assert np.allclose(torch.tensor([np.nan]), [np.nan], equal_nan=True)
    assert not np.allclose(torch.tensor([np.nan]), [np.nan])
    assert np.array_equal(x, torch.tensor(A))
    assert not np.array_equal(x, A[:1])
    assert np.array_equal([np.nan], torch.tensor([np.nan]), equal_nan=True)


def test_a_tensor_is_an_array_to_numpy():
    x = torch.tensor(A)
    assert np.shares_memory(np.asarray(x), x.numpy())
    assert not np.shares_memory(np.array(x), x.numpy())
    assert np.asarray(x, dtype=np.float32).dtype == np.float32
    with pytest.raises(RuntimeError, match=r"Use tensor\.detach\(\)\.numpy\(\) instead"):
        np.asarray(torch.tensor(A, requires_grad=True))
    np.testing.assert_array_equal(torch.tensor(A, requires_grad=True).numpy(force=True), A)


def test_options_that_change_a_ufunc_are_numpys():
    x = torch.tensor(A)
    found = np.add(x, x, dtype=np.float32)
    assert found.dtype is torch.float32
    np.testing.assert_allclose(found, (A + A).astype(np.float32), rtol=1e-6)


def test_every_entry_is_tried():
    """A function that enters the table enters the tests."""
    tried = {name.split()[0] for name in (*SMOOTH, *PLAIN)} | {"where"}
    elsewhere = {"allclose", "array_equal", "shape", "ndim", "size", "nonzero"}
    assert {function.__name__ for function in FUNCTIONS} - tried - elsewhere == set()
    assert {np.exp, np.add, np.matmul} <= set(UFUNCS)
