"""MNIST, FashionMNIST and scikit-learn's digits as datasets of images and labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tinygrad_nn.creation import from_numpy
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.utils.data import Dataset, default_collate
from tinygrad_nn.vision.download import download as fetch
from tinygrad_nn.vision.idx import read_idx


class _Images(Dataset):
    """uint8 images (N, H, W) in `data` and int64 labels (N,) in `targets`, with transforms."""

    data: Tensor
    targets: Tensor

    def __init__(self, transform: Callable[[Any], Any] | None, target_transform: Callable[[Any], Any] | None) -> None:
        self.transform, self.target_transform = transform, target_transform

    def __len__(self) -> int:
        return int(self.data.shape[0])

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image: Any = self.data[index].numpy()
        label: Any = int(self.targets[index].item())
        return (
            image if self.transform is None else self.transform(image),
            label if self.target_transform is None else self.target_transform(label),
        )

    def collated(self, indices: Sequence[int]) -> Any:
        """The images and labels at `indices`, transformed as a whole where the transform can."""
        if self.target_transform is not None or not getattr(self.transform, "batched", False):
            return default_collate([self[i] for i in indices])
        assert self.transform is not None
        rows = np.asarray(indices)
        return [self.transform(self.data.numpy()[rows][..., None]), self.targets[rows]]


class MNIST(_Images):
    """70,000 handwritten digits, 28 x 28 (LeCun, Cortes & Burges): 60,000 to train on, 10,000 to test.

    `root` holds the four IDX files, plain or .gz, in itself, or in `MNIST/raw` as torchvision lays them out; with
    `download` they are fetched there if they are missing. RuntimeError if they are not there, ValueError if one is
    damaged.
    """

    mirrors: ClassVar[tuple[str, ...]] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    )
    md5: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
    }
    classes: ClassVar[tuple[str, ...]] = tuple(
        f"{i} - {name}"
        for i, name in enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
    )

    def __init__(
        self,
        root: str | Path,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(transform, target_transform)
        self.root, self.train = Path(root), train
        part = "train" if train else "t10k"
        images = read_idx(self._find(f"{part}-images-idx3-ubyte", download), 3)
        path = self._find(f"{part}-labels-idx1-ubyte", download)
        labels = read_idx(path, 1)
        if images.dtype != np.uint8 or labels.dtype != np.uint8 or len(images) != len(labels):
            raise ValueError(
                f"{path}: expected one uint8 label for each uint8 image, found {labels.dtype} {len(labels)} for "
                f"{images.dtype} {len(images)}"
            )
        self.data, self.targets = from_numpy(images), from_numpy(labels.astype(np.int64))

    @property
    def raw_folder(self) -> Path:
        """Where torchvision keeps the files."""
        return self.root / type(self).__name__ / "raw"

    def _find(self, name: str, download: bool) -> Path:
        for folder in (self.raw_folder, self.root):
            for path in (folder / name, folder / f"{name}.gz"):
                if path.is_file():
                    return path
        if not download:
            raise RuntimeError(
                f"Dataset not found: no {name} or {name}.gz in {self.root} or {self.raw_folder}; "
                "you can use download=True to download it"
            )
        self.raw_folder.mkdir(parents=True, exist_ok=True)
        urls = [f"{mirror}{name}.gz" for mirror in self.mirrors]
        return fetch(urls, self.raw_folder / f"{name}.gz", md5=self.md5[name])


class FashionMNIST(MNIST):
    """70,000 pictures of clothes, 28 x 28, in MNIST's layout (Xiao, Rasul & Vollgraf 2017)."""

    mirrors = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
    md5: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
    }
    classes = (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    )  # fmt: skip


class Digits(_Images):
    """scikit-learn's 1,797 real handwritten digits, 8 x 8, at hand without a download: every fifth is for testing.

    Alpaydin & Kaynak 1998; pixel values 0 to 16 are scaled to 0 to 255. ImportError without scikit-learn.
    """

    classes = MNIST.classes

    def __init__(
        self,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(transform, target_transform)
        try:
            from sklearn.datasets import load_digits
        except ImportError:
            raise ImportError('Digits needs scikit-learn: pip install "tinygrad-nn[examples]"') from None
        found = load_digits()
        chosen = (np.arange(len(found.images)) % 5 != 0) == train
        self.data = from_numpy(np.rint(found.images[chosen] * (255 / 16)).astype(np.uint8))
        self.targets = from_numpy(found.target[chosen].astype(np.int64))
