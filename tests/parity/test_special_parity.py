"""The special functions beside PyTorch's, in both precisions and at every special point."""

import numpy as np
import pytest

from tinygrad_nn import special

torch = pytest.importorskip("torch")

RANGES = {
    "erf": [(-6, 6)],
    "erfc": [(-6, 6), (6, 26)],
    "erfinv": [(-1, 1), (1 - 1e-6, 1)],
    "lgamma": [(0.01, 12), (12, 1e6), (-8.9, -0.1)],
    "digamma": [(0.01, 12), (12, 1e6), (-8.9, -0.1)],
}


def beside(name: str, x: np.ndarray, rtol: float, atol: float) -> None:
    ours, theirs = getattr(special, name)(x), getattr(torch, name)(torch.from_numpy(x)).numpy()
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


@pytest.mark.parametrize(("name", "low", "high"), [(name, *r) for name in RANGES for r in RANGES[name]])
def test_float64(name, low, high):
    # PyTorch's own digamma and erfinv lose some digits near their zeros and close to 1
    beside(name, np.linspace(low, high, 5001), rtol=1e-12, atol=1e-11 if low < 0 else 1e-14 * (name != "erfc"))


@pytest.mark.parametrize(("name", "low", "high"), [(name, *r) for name in RANGES for r in RANGES[name]])
def test_float32(name, low, high):
    x = np.linspace(low, high, 5001).astype(np.float32)
    beside(name, x, rtol=2e-5 if name == "digamma" else 3e-6, atol=3e-4 if low < -6 and name == "digamma" else 2e-6)


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_specials(name, dtype):
    x = np.array([0.0, -0.0, 1, -1, 2, -2, -3, 40, np.inf, -np.inf, np.nan], dtype)
    x = x[~np.isnan(x) | np.isnan(x)]
    beside(name, x, rtol=1e-6, atol=0)
    ours, theirs = getattr(special, name)(x), getattr(torch, name)(torch.from_numpy(x)).numpy()
    zero = ours == 0
    np.testing.assert_array_equal(np.signbit(ours[zero]), np.signbit(theirs[zero]))


@pytest.mark.parametrize("name", RANGES)
def test_layouts(name):
    x = np.linspace(0.1, 0.9, 60).reshape(5, 12)[::2, ::3]
    beside(name, x, rtol=1e-13, atol=1e-15)
    beside(name, x.reshape(-1)[:1].reshape(()), rtol=1e-13, atol=1e-15)
    beside(name, x[:0], rtol=0, atol=0)
