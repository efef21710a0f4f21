"""The special functions beside PyTorch's, in both precisions and at every special point."""

import numpy as np
import pytest

import tinygrad_nn
from tinygrad_nn import special_arrays as special

torch = pytest.importorskip("torch")

NAMES = ["erf", "erfc", "erfinv", "lgamma", "digamma"]
RANGES = [
    ("erf", -6, 6),
    ("erfc", -6, 6),
    ("erfc", 6, 27),
    ("erfinv", -1, 1),
    ("erfinv", 1 - 1e-6, 1),
    ("lgamma", 0.01, 12),
    ("lgamma", 12, 1e6),
    ("lgamma", -8.9, -0.1),
    ("digamma", 0.01, 12),
    ("digamma", 12, 1e6),
    ("digamma", -8.9, -0.1),
]


def beside(name: str, x: np.ndarray, units: float = 10) -> None:
    """Within some units of the last place, for lgamma and digamma (which have zeros) never below that of 1."""
    ours, theirs = getattr(special, name)(x), getattr(torch, name)(torch.from_numpy(x)).numpy()
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    finite = np.isfinite(theirs)
    np.testing.assert_array_equal(ours[~finite], theirs[~finite])
    ours, theirs = ours[finite], theirs[finite]
    scale = np.maximum(np.abs(theirs), 1 if name in ("lgamma", "digamma") else np.finfo(x.dtype).tiny)
    assert (np.abs(ours - theirs) <= units * np.finfo(x.dtype).eps * scale).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "low", "high"), RANGES)
def test_range(name, low, high, dtype):
    # PyTorch's float64 digamma is reflected with a tangent that loses some digits
    units = 2000 if (name, dtype) == ("digamma", np.float64) and low < 0 else 10
    beside(name, np.linspace(low, high, 5001).astype(dtype), units)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", NAMES)
def test_specials(name, dtype):
    x = np.array([0.0, -0.0, 1, -1, 2, -2, -3, 40, 1e30, -1e30, np.inf, -np.inf, np.nan], dtype)
    beside(name, x)
    ours, theirs = getattr(special, name)(x), getattr(torch, name)(torch.from_numpy(x)).numpy()
    np.testing.assert_array_equal(np.signbit(ours[ours == 0]), np.signbit(theirs[theirs == 0]))


@pytest.mark.parametrize("name", NAMES)
def test_layouts(name):
    x = np.linspace(0.1, 0.9, 60).reshape(5, 12)
    for view in (x[::2, ::3], x.T, x[1, 2:3].reshape(()), x[:0]):
        beside(name, view)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gammainc(dtype):
    a, x = np.meshgrid(np.geomspace(1e-3, 1e3, 40), np.geomspace(1e-6, 3e3, 60))
    ours, theirs = (p.special.gammainc(p.tensor(a.astype(dtype)), p.tensor(x.astype(dtype))).numpy() for p in (tinygrad_nn, torch))
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=2e-4 if dtype == np.float32 else 1e-8, atol=1e-37)


def test_the_sign_of_no_entropy():
    ours, theirs = (p.special.entr(p.tensor([0.0, -0.0, 1.0])) for p in (tinygrad_nn, torch))
    assert ours.signbit().tolist() == theirs.signbit().tolist()
