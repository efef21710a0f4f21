"""Images sampled at points of a grid, beside PyTorch: values, derivatives, points that are no places, errors."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.derivatives import derivatives, leaves
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

SHAPES = [
    ((2, 3, 4, 5), (2, 3, 4, 2)),
    ((2, 1, 1, 1), (2, 3, 2, 2)),
    ((1, 2, 1, 4), (1, 5, 1, 2)),
    ((1, 2, 3, 4, 5), (1, 2, 3, 2, 3)),
    ((2, 0, 3, 3), (2, 2, 2, 2)),
    ((0, 2, 3, 3), (0, 2, 2, 2)),
]
ALIGNED = pytest.mark.parametrize("aligned", [True, False])


@ALIGNED
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize(("image", "points"), SHAPES)
def test_samples(image, points, mode, padding, aligned):
    rng = np.random.default_rng(0)
    arrays = rng.normal(size=image), rng.uniform(-1.8, 1.8, points)

    def program(package):
        x, grid = leaves(package, arrays)
        y = package.nn.functional.grid_sample(x, grid, mode, padding, aligned)
        return derivatives(package, y, (x, grid), second=False)

    compare(program, torch, tinygrad_nn, tolerance=1e-12)


@ALIGNED
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_points_that_are_no_places(mode, padding, aligned):
    def program(package):
        points = [[-1.0, 1.0], [1.0, -1.0], [float("inf"), 0.0], [0.0, float("-inf")], [float("nan"), 0.5], [3e38, -3e38]]
        grid = package.tensor([[points]])
        return package.nn.functional.grid_sample(package.arange(1.0, 13.0).view(1, 1, 3, 4), grid, mode, padding, aligned)

    compare(program, torch, tinygrad_nn)


@ALIGNED
@pytest.mark.parametrize(("theta", "size"), [((2, 2, 3), (2, 3, 4, 5)), ((1, 3, 4), (1, 1, 2, 3, 4)), ((1, 2, 3), (1, 1, 2, 1))])
@pytest.mark.filterwarnings("ignore:Since version 1.3.0, affine_grid")
def test_affine_grids(theta, size, aligned):
    arrays = [np.random.default_rng(0).normal(size=theta)]

    def program(package):
        (t,) = leaves(package, arrays)
        y = package.nn.functional.affine_grid(t, size, align_corners=aligned)
        return derivatives(package, y, (t,))

    compare(program, torch, tinygrad_nn, tolerance=1e-12)


@pytest.mark.parametrize("call", [
    lambda p: p.nn.functional.grid_sample(p.ones(1, 1, 2, 2), p.ones(1, 2, 2, 3), align_corners=False),
    lambda p: p.nn.functional.grid_sample(p.ones(1, 1, 2, 2), p.ones(2, 2, 2, 2), align_corners=False),
    lambda p: p.nn.functional.grid_sample(p.ones(1, 2, 2), p.ones(1, 2, 2, 2), align_corners=False),
    lambda p: p.nn.functional.grid_sample(p.ones(1, 1, 0, 2), p.ones(1, 2, 2, 2), align_corners=False),
    lambda p: p.nn.functional.grid_sample(p.ones(1, 1, 2, 2), p.ones(1, 2, 2, 2).double(), align_corners=False),
    lambda p: p.nn.functional.grid_sample(p.ones(1, 1, 2, 2, 2), p.ones(1, 2, 2, 2, 3), "bicubic", align_corners=False),
    lambda p: p.nn.functional.grid_sample(p.ones(1, 1, 2, 2), p.ones(1, 2, 2, 2), "cubic"),
    lambda p: p.nn.functional.grid_sample(p.ones(1, 1, 2, 2), p.ones(1, 2, 2, 2), padding_mode="ones"),
    lambda p: p.nn.functional.affine_grid(p.ones(1, 2, 3).long(), (1, 1, 2, 2)),
    lambda p: p.nn.functional.affine_grid(p.ones(2, 2, 3), (1, 1, 2, 2)),
    lambda p: p.nn.functional.affine_grid(p.ones(1, 2, 3), (1, 1, 0, 2)),
    lambda p: p.nn.functional.affine_grid(p.ones(1, 2, 3), (1, 1, 2)),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:Default grid_sample and affine_grid")
def test_refusals(call):
    raised = []
    for package in (torch, tinygrad_nn):
        with pytest.raises((ValueError, RuntimeError)) as caught:
            call(package)
        raised.append(caught.type)
    assert raised[0] is raised[1]


def test_corners_left_open_are_told():
    for package in (torch, tinygrad_nn):
        with pytest.warns(UserWarning, match="align_corners=False"):
            package.nn.functional.grid_sample(package.ones(1, 1, 2, 2), package.zeros(1, 2, 2, 2))
