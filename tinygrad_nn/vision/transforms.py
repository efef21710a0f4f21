"""Image transforms in torchvision's spelling; those that can take a whole batch of images say so by `batched`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_nn.creation import as_tensor
from tinygrad_nn.methods.arranging import flip, pad
from tinygrad_nn.random import rand, randint
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
    """uint8 images, 0 to 255, as float32, 0 to 1, with the channels first: (H, W) as (1, H, W), (H, W, C) as (C, H, W).

    Batches are (N, H, W, C), or (N, H, W); but three dimensions of which the last has 3 or 4 elements are one colour image.
    """

    batched = True

    def __call__(self, image: Any) -> Tensor:
        """The image as a tensor."""
        array = image.detach().numpy() if isinstance(image, Tensor) else np.asarray(image)
        if not 2 <= array.ndim <= 4:
            raise ValueError(f"ToTensor: expected an image of 2 or more dimensions, got shape {list(array.shape)}")
        channels_last = array.ndim == 4 or (array.ndim == 3 and array.shape[-1] in (3, 4))
        planes = np.moveaxis(array, -1, -3) if channels_last else array[..., None, :, :]
        return as_tensor(planes.astype(np.float32, "C") / np.float32(255) if array.dtype == np.uint8 else planes.copy("C"))

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


def _two(size: int | Sequence[int]) -> tuple[int, int]:
    """A height and a width, given as both or as one number for both."""
    numbers = (size, size) if isinstance(size, int) else tuple(size) * (3 - len(tuple(size)))
    if len(numbers) != 2:
        raise ValueError(f"Please provide only two dimensions (h, w) for size, got {size}")
    return int(numbers[0]), int(numbers[1])


def _image(image: Any, name: str) -> Tensor:
    if not isinstance(image, Tensor) or image.ndim < 2:
        raise TypeError(f"{name}: expected a Tensor (..., H, W), got {type(image).__name__}; put ToTensor before it")
    return image


class Resize:
    """The image (..., H, W) in another size by a triangle filter; one number is the size of its shorter side."""

    def __init__(
        self, size: int | Sequence[int], interpolation: Any = "bilinear", max_size: Any = None, antialias: Any = True
    ) -> None:
        if str(getattr(interpolation, "value", interpolation)) != "bilinear" or max_size is not None:
            raise NotImplementedError(f"Resize: expected bilinear interpolation and no max_size, got {interpolation}, {max_size}")
        self.size, self.antialias = size, antialias

    def __call__(self, image: Any) -> Tensor:
        """The image resized."""
        pixels = _image(image, "Resize").detach().numpy()
        height, width = pixels.shape[-2:]
        if isinstance(self.size, int) or len(self.size) == 1:
            (short,) = (self.size,) if isinstance(self.size, int) else self.size
            least = min(height, width)
            new = (short * height // least, short * width // least)
        else:
            new = _two(self.size)
        rows, columns = _filter(height, new[0], self.antialias), _filter(width, new[1], self.antialias)
        resized = rows @ pixels.astype(np.float64) @ columns.T
        return as_tensor((resized.round() if pixels.dtype.kind in "iu" else resized).astype(pixels.dtype))

    def __repr__(self) -> str:
        return f"Resize(size={self.size}, interpolation=bilinear, max_size=None, antialias={self.antialias})"


def _filter(old: int, new: int, antialias: bool) -> Any:
    """(new, old): how much of each old pixel is in each new one, by a triangle that is wider where the image shrinks."""
    scale = old / new
    width = max(scale, 1.0) if antialias else 1.0
    centre = ((np.arange(new) + 0.5) * scale)[:, None]
    if not antialias:
        centre = centre.clip(0.5, old - 0.5)
    weight = np.maximum(1 - np.abs(np.arange(old) + 0.5 - centre) / width, 0)
    return weight / weight.sum(1, keepdims=True)


def _padded(image: Tensor, padding: Any, fill: float) -> Tensor:
    """The image with `fill` around: one width, or (left and right, top and bottom), or (left, top, right, bottom)."""
    widths = (padding,) if isinstance(padding, int) else tuple(padding)
    left, top, right, bottom = widths * (4 // len(widths)) if len(widths) in (1, 2, 4) else ()
    return pad(image, (left, right, top, bottom), fill)


class Pad:
    """The image (..., H, W) with a border."""

    def __init__(self, padding: int | Sequence[int], fill: float = 0, padding_mode: str = "constant") -> None:
        if padding_mode != "constant":
            raise NotImplementedError(f"Pad: expected padding_mode 'constant', the only one here, got {padding_mode!r}")
        self.padding, self.fill = padding, fill

    def __call__(self, image: Any) -> Tensor:
        """The image with its border."""
        return _padded(_image(image, "Pad"), self.padding, self.fill)

    def __repr__(self) -> str:
        return f"Pad(padding={self.padding}, fill={self.fill}, padding_mode=constant)"


class CenterCrop:
    """The middle of the image (..., H, W), with a border of zeros where it is too small."""

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = _two(size)

    def __call__(self, image: Any) -> Tensor:
        """The image cropped."""
        image = _image(image, "CenterCrop")
        (height, width), (h, w) = self.size, image.shape[-2:]
        more_h, more_w = max(height - h, 0), max(width - w, 0)
        image = pad(image, (more_w // 2, (more_w + 1) // 2, more_h // 2, (more_h + 1) // 2))
        top, left = (round((n - m) / 2.0) for n, m in zip(image.shape[-2:], self.size, strict=True))
        return image[..., top : top + height, left : left + width]

    def __repr__(self) -> str:
        return f"CenterCrop(size={self.size})"


class RandomCrop:
    """A part of the image (..., H, W) at random, after padding; PyTorch's part for the same seed."""

    def __init__(
        self,
        size: int | Sequence[int],
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: float = 0,
        padding_mode: str = "constant",
    ) -> None:
        if padding_mode != "constant":
            raise NotImplementedError(f"RandomCrop: expected padding_mode 'constant', the only one here, got {padding_mode!r}")
        self.size, self.padding, self.pad_if_needed, self.fill = _two(size), padding, pad_if_needed, fill

    def __call__(self, image: Any) -> Tensor:
        """A part of the image."""
        image, (height, width) = _image(image, "RandomCrop"), self.size
        if self.padding is not None:
            image = _padded(image, self.padding, self.fill)
        if self.pad_if_needed and image.shape[-1] < width:
            image = _padded(image, (width - image.shape[-1], 0), self.fill)
        if self.pad_if_needed and image.shape[-2] < height:
            image = _padded(image, (0, height - image.shape[-2]), self.fill)
        h, w = image.shape[-2:]
        if h < height or w < width:
            raise ValueError(f"Required crop size {self.size} is larger than input image size {(h, w)}")
        if (h, w) == self.size:
            return image
        top, left = (int(randint(0, n - m + 1, (1,)).item()) for n, m in ((h, height), (w, width)))
        return image[..., top : top + height, left : left + width]

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size}, padding={self.padding})"


class RandomHorizontalFlip:
    """The image (..., H, W) with left and right exchanged, with probability `p`."""

    dim = -1

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def __call__(self, image: Any) -> Tensor:
        """The image, flipped or not."""
        image = _image(image, type(self).__name__)
        return flip(image, self.dim) if rand(1).item() < self.p else image

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomVerticalFlip(RandomHorizontalFlip):
    """The image (..., H, W) with top and bottom exchanged, with probability `p`."""

    dim = -2


class RandomRotation:
    """Not supported."""

    def __init__(self, degrees: Any, *_: Any, **__: Any) -> None:
        raise NotImplementedError("RandomRotation: rotation by other than right angles is not supported; see rot90")


class Grayscale:
    """The brightness of a colour image (..., 3, H, W): (..., num_output_channels, H, W)."""

    def __init__(self, num_output_channels: int = 1) -> None:
        if num_output_channels not in (1, 3):
            raise ValueError(f"num_output_channels should be either 1 or 3, got {num_output_channels}")
        self.num_output_channels = num_output_channels

    def __call__(self, image: Any) -> Tensor:
        """The image in grey."""
        pixels = _image(image, "Grayscale").detach().numpy()
        if pixels.ndim < 3 or pixels.shape[-3] not in (1, 3):
            raise TypeError(f"Input image tensor permitted channel values are 1 or 3, but found shape {list(pixels.shape)}")
        grey = pixels
        if pixels.shape[-3] == 3:
            red, green, blue = (pixels[..., i : i + 1, :, :].astype(np.float32) for i in range(3))
            grey = (0.2989 * red + 0.587 * green + 0.114 * blue).astype(pixels.dtype)
        return as_tensor(grey.repeat(self.num_output_channels, -3))

    def __repr__(self) -> str:
        return f"Grayscale(num_output_channels={self.num_output_channels})"
