"""Image transforms in torchvision's spelling; those that can take a whole batch of images say so by `batched`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_nn.creation import as_tensor
from tinygrad_nn.tensor import Tensor


class Compose:
    """Transforms one after the other."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    @property
    def batched(self) -> bool:
        """Whether all of them can take a batch."""
        return all(getattr(transform, "batched", False) for transform in self.transforms)

    def __call__(self, image: Any) -> Any:
        """The image, or batch of images, through all of them."""
        for transform in self.transforms:
            image = transform(image)
        return image

    def __repr__(self) -> str:
        return "Compose(\n    " + "\n    ".join(map(repr, self.transforms)) + "\n)"


class ToTensor:
    """uint8 images (..., H, W) or (H, W, C), 0 to 255, as float32 (..., 1, H, W) or (C, H, W), 0 to 1."""

    batched = True

    def __call__(self, image: Any) -> Tensor:
        """The image as a tensor."""
        array = image.detach().numpy() if isinstance(image, Tensor) else np.asarray(image)
        if array.ndim < 2:
            raise ValueError(f"ToTensor: expected an image of 2 or more dimensions, got shape {list(array.shape)}")
        channels_last = array.ndim == 3 and array.shape[-1] in (3, 4)
        planes = np.ascontiguousarray(array.transpose(2, 0, 1)) if channels_last else array[..., None, :, :]
        return as_tensor(planes.astype(np.float32) / np.float32(255) if array.dtype == np.uint8 else planes.copy())

    def __repr__(self) -> str:
        return "ToTensor()"


class Normalize:
    """(image - mean) / std for each channel: floating (..., C, H, W)."""

    batched = True

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        if any(s == 0 for s in std):
            raise ValueError(f"Normalize: expected standard deviations other than 0, got {list(std)}")
        self.mean, self.std = mean, std

    def __call__(self, tensor: Tensor) -> Tensor:
        """The image normalised."""
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
            raise TypeError("Normalize: expected a floating Tensor; put ToTensor before it")
        mean, std = (np.asarray(v, tensor.dtype.numpy).reshape(-1, 1, 1) for v in (self.mean, self.std))
        return as_tensor((tensor.detach().numpy() - mean) / std)

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"


class Lambda:
    """Any function of one image."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__}")
        self.lambd = lambd

    def __call__(self, image: Any) -> Any:
        """What the function makes of the image."""
        return self.lambd(image)

    def __repr__(self) -> str:
        return "Lambda()"
