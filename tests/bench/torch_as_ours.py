"""PyTorch under our package's name, so that one program runs under both.

`vision` does what torchvision does and is quicker: an image at a time, without making a picture object of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch


class MNIST(torch.utils.data.Dataset):
    """The images as bytes and the labels; each image is transformed when it is asked for."""

    def __init__(self, root: Path, train: bool, transform: Callable[[Any], Any], download: bool) -> None:
        part = "train" if train else "t10k"
        read = lambda kind, start: np.fromfile(root / f"{part}-{kind}-ubyte", np.uint8)[start:]
        self.data = torch.from_numpy(read("images-idx3", 16).reshape(-1, 28, 28))
        self.targets = torch.from_numpy(read("labels-idx1", 8).astype(np.int64))
        self.transform = transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, i: int) -> tuple[Any, int]:
        return self.transform(self.data[i]), int(self.targets[i])


def compose(parts: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """One after the other."""

    def transform(image: Any) -> Any:
        for part in parts:
            image = part(image)
        return image

    return transform


TRANSFORMS = SimpleNamespace(
    Compose=compose,
    ToTensor=lambda: lambda image: image.unsqueeze(0).float().div_(255),
    Normalize=lambda mean, std: lambda image: image.sub_(mean[0]).div_(std[0]),
)


def install() -> None:
    """Have `import tinygrad_nn` and the submodules that the program imports give PyTorch's."""
    vision, cache, viz = (ModuleType(f"tinygrad_nn.{name}") for name in ("vision", "vision.cache", "viz"))
    vision.__dict__.update(datasets=SimpleNamespace(MNIST=MNIST), transforms=TRANSFORMS)
    cache.__dict__.update(cache_dir=Path)
    viz.__dict__.update(trace=lambda program: SimpleNamespace(save=lambda path: None))  # it cannot draw
    torch.viz = viz
    modules = (torch, torch.nn, torch.utils, torch.utils.data, vision, cache, viz)
    names = ("", ".nn", ".utils", ".utils.data", ".vision", ".vision.cache", ".viz")
    sys.modules.update({f"tinygrad_nn{name}": module for name, module in zip(names, modules, strict=True)})
