"""Images resized as PyTorch interpolates them."""

import numpy as np
import pytest

import tinygrad_nn
from tinygrad_nn.vision.transforms import Resize

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("size", [(2, 3), (9, 7), (3, 12)])
def test_resized_as_pytorch_interpolates(size):
    image = np.random.default_rng(0).random((1, 2, 5, 6))
    options = {"size": size, "mode": "bilinear", "align_corners": False}
    for antialias in (True, False):
        expected = torch.nn.functional.interpolate(torch.tensor(image), antialias=antialias, **options)
        np.testing.assert_allclose(Resize(size, antialias=antialias)(tinygrad_nn.tensor(image)), expected, atol=1e-6)
