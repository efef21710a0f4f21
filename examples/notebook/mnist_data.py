"""MNIST as plain arrays for the notebook's three networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinygrad_nn.vision import datasets
from tinygrad_nn.vision.cache import cache_dir

MEAN, STD = 0.1307, 0.3081  # of MNIST's pixels, from 0 to 1


def load(folder: Path | None) -> tuple[Any, Any, Any, Any]:
    """Pixels 0 to 255 (N, 784) and labels (N,) to train on, then to test; without a network, scikit-learn's 8x8 digits."""
    try:
        parts: list[Any] = [datasets.MNIST(folder or cache_dir(), train=train, download=folder is None) for train in (True, False)]
    except RuntimeError as error:
        if folder is not None:
            raise
        print(f"MNIST could not be had ({str(error).splitlines()[0][:100]}): scikit-learn's digits instead.")
        parts = [datasets.Digits(train) for train in (True, False)]
    train, test = ((part.data.numpy().reshape(len(part), -1), part.targets.numpy()) for part in parts)
    return (*train, *test)


def scaled(pixels: Any) -> Any:
    """The pixels with mean 0 and standard deviation 1, float32."""
    return ((pixels / 255 - MEAN) / STD).astype("float32")
