"""NumPy's functions, arrays beside tensors, and matplotlib's drawings: what they give of tensors, beside PyTorch."""

import matplotlib as mpl
import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, value_of

mpl.use("Agg")
from matplotlib import pyplot as plt

torch = pytest.importorskip("torch")

EXPRESSIONS = """
np.unique(v)
np.unique(i, return_counts=True)
np.linalg.norm(v)
np.linalg.norm(m, axis=1)
np.linalg.inv(m)
np.linalg.solve(m, v[:2])
np.linalg.det(m)
np.median(v)
np.percentile(v, [25, 75])
np.histogram(v, bins=3)
np.histogram2d(v, v, bins=2)
np.vstack([v, v])
np.vstack((v, [1, 2, 3, 4]))
np.hstack([v, v])
np.column_stack([v, i])
np.average(v, weights=v)
np.bincount(i)
np.argsort(v)
np.sort(v)
np.diff(v)
np.round(v, 1)
np.repeat(v, 2)
np.tile(v, 2)
np.interp(1.5, v, v)
np.polyfit(i, v, 1)
np.corrcoef(m)
np.meshgrid(v, i)
np.atleast_2d(v)
np.broadcast_arrays(v, m[0, 0])
np.where(v > 1)
np.nonzero(m > 1)
np.pad(v, 1)
np.einsum('ij,jk', m, m)
np.outer(v, v)
np.trace(m)
np.searchsorted(v, 2.0)
np.searchsorted([1.0, 2.0], v)
np.split(v, 2)
np.array_split(v, 3)
np.take([1.0, 2.0, 3.0], i)
np.linspace(v[0], v[1], 3)
np.random.RandomState(0).permutation(v)
np.zeros_like(v, dtype=int)
np.float64(2) * v
m @ np.ones(2)
m @ np.ones((2, 2), np.float32)
m @ np.array(2.0)
v / np.ones(4)
v / np.float64(2)
""".strip().splitlines()
RECORDED = """
np.concatenate([v, v])
np.concatenate([m, np.ones((2, 1))], axis=1)
np.stack([v, v], axis=1)
np.copy(v)
np.ravel(m)
np.roll(v, 1)
np.broadcast_to(v, (2, 4))
np.expand_dims(v, 0)
np.where(v > 1.5, v, 0.0)
np.where(np.arange(4) > 1, v, v)
np.zeros_like(v)
np.ones_like(i)
np.dot(v, v)
np.dot(np.ones(2), m)
""".strip().splitlines()  # differentiable here, and errors there, where something requires grad


def seen(value):
    """Arrays as what tells them from tensors."""
    if isinstance(value, np.ndarray | np.generic):
        return ["array", str(value.dtype), value.shape, value.tolist()]
    return [seen(item) for item in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize(
    ("text", "requires_grad"),
    [*((text, False) for text in [*EXPRESSIONS, *RECORDED]), *((text, True) for text in EXPRESSIONS)],
)
def test_numpys_functions(text, requires_grad):
    def program(p):
        v = p.tensor([1.25, 2.0, 3.5, 2.0], requires_grad=requires_grad)
        m = p.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=requires_grad)
        return seen(value_of(text, np=np, v=v, m=m, i=p.tensor([0, 1, 1, 2])))

    if requires_grad and text.startswith("v /"):  # PyTorch's way there is NumPy's; here it is recorded
        assert program(tinygrad_nn).requires_grad
    else:
        compare(program, torch, tinygrad_nn, quiet=True)


DRAWINGS = """
plt.bar(i, v)
plt.barh(i, v)
plt.plot(i, v, 'o')
plt.scatter(f, g, c=f, s=g)
plt.hist(f)
plt.hist([f, g], bins=4)
plt.hist2d(f, g)
plt.quiver(X, Y, X, Y)
plt.errorbar(i, v, yerr=v)
plt.fill_between(i, v, v * 2)
plt.imshow(X)
plt.contourf(X, Y, X * Y)
plt.boxplot([f, g])
plt.pie(v)
plt.figure().add_subplot(projection='3d').plot_surface(X, Y, X * Y)
plt.figure().add_subplot(projection='3d').scatter(f, g, f)
""".strip().splitlines()


@pytest.mark.parametrize("text", DRAWINGS)
def test_drawings_of_tensors(text):
    """Each draws what it draws of the arrays."""

    def picture(change):
        p = tinygrad_nn
        p.manual_seed(0)
        tensors = {"i": p.arange(3), "v": p.ones(3), "f": p.rand(20), "g": p.rand(20)}
        tensors |= dict(zip("XY", p.meshgrid(p.arange(4.0), p.arange(3.0), indexing="ij"), strict=True))
        plt.close("all")
        value_of(text, plt=plt, **{name: change(tensor) for name, tensor in tensors.items()})
        plt.gcf().canvas.draw()
        return np.asarray(plt.gcf().canvas.buffer_rgba()).copy()

    found, expected = picture(lambda x: x), picture(lambda x: x.numpy())
    plt.close("all")
    np.testing.assert_array_equal(found, expected)
