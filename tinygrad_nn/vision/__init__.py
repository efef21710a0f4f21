"""Image data sets and transforms in torchvision's spelling."""

from tinygrad_nn.vision import datasets, transforms, utils

__all__ = ["datasets", "transforms", "utils"]
