"""The datasets: tiny files of their own in every layout, scikit-learn's digits, and the real MNIST where it is at hand."""

import gzip
import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_nn
from tinygrad_nn.utils.data import DataLoader, Subset
from tinygrad_nn.vision import datasets, transforms
from tinygrad_nn.vision.datasets import MNIST, Digits, FashionMNIST

IMAGES = np.arange(5 * 4 * 6, dtype=np.uint8).reshape(5, 4, 6)
LABELS = np.array([3, 1, 4, 1, 5], np.uint8)
TEST = slice(0, 2)


def idx(array, code=8):
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write(folder, images=IMAGES, labels=LABELS, part="train", zipped=False):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ((f"{part}-images-idx3-ubyte", idx(images)), (f"{part}-labels-idx1-ubyte", idx(labels))):
        path = folder / (name + ".gz" if zipped else name)
        path.write_bytes(gzip.compress(content) if zipped else content)
    return folder


@pytest.fixture
def root(tmp_path):
    write(tmp_path, IMAGES[TEST], LABELS[TEST], "t10k")
    return write(tmp_path)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("kind", [MNIST, FashionMNIST])
@pytest.mark.parametrize("nested", [False, True])
def test_files_are_found_in_either_place(tmp_path, zipped, kind, nested):
    write(tmp_path / kind.__name__ / "raw" if nested else tmp_path, zipped=zipped)
    for root in (tmp_path, str(tmp_path)):
        data = kind(root)
        assert (len(data), data.root, data.train) == (5, tmp_path, True)
        assert data.raw_folder == tmp_path / kind.__name__ / "raw"
        np.testing.assert_array_equal(data.data.numpy(), IMAGES)
        assert data.targets.tolist() == LABELS.tolist()
        assert (data.data.dtype, data.targets.dtype) == (tinygrad_nn.uint8, tinygrad_nn.int64)


def test_torchvisions_folder_goes_before_the_root(tmp_path):
    write(tmp_path)
    write(tmp_path / "MNIST" / "raw", IMAGES[TEST], LABELS[TEST])
    assert len(MNIST(tmp_path)) == 2


def test_training_and_test_parts_are_apart(root):
    assert (len(MNIST(root)), len(MNIST(root, train=False))) == (5, 2)


def test_an_item_is_an_image_and_a_number(root):
    image, label = MNIST(root)[1]
    np.testing.assert_array_equal(image, IMAGES[1])
    assert isinstance(image, np.ndarray)
    assert (type(label), label) == (int, 1)
    image, label = MNIST(root, transform=transforms.ToTensor(), target_transform=lambda label: f"number {label}")[-1]
    assert (tuple(image.shape), label) == ((1, 4, 6), "number 5")
    with pytest.raises(IndexError):
        MNIST(root)[5]


def test_missing_files_are_named(tmp_path):
    with pytest.raises(RuntimeError, match=r"no train-images-idx3-ubyte or .*\.gz in .*download=True"):
        MNIST(tmp_path)
    assert list(tmp_path.iterdir()) == []
    write(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(RuntimeError, match="no train-labels-idx1-ubyte"):
        MNIST(tmp_path)


@pytest.mark.parametrize(
    ("images", "labels", "code", "message"),
    [
        (IMAGES, LABELS[:4], 8, "expected one uint8 label for each uint8 image, found uint8 4 for uint8 5"),
        (IMAGES, LABELS.view(np.int8), 9, "found int8 5 for uint8 5"),
        (IMAGES[0], LABELS, 8, "expected 3 dimensions, found 2"),
        (IMAGES, IMAGES[0], 8, "expected 1 dimensions, found 2"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, images, labels, code, message):
    write(tmp_path, images)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(labels, code))
    with pytest.raises(ValueError, match=message):
        MNIST(tmp_path)


@pytest.mark.parametrize("kind", [MNIST, FashionMNIST])
def test_what_is_missing_is_downloaded(tmp_path, monkeypatch, kind):
    asked = []

    def fetch(urls, target, md5):
        asked.append((target.name, md5, urls))
        content = idx(IMAGES) if "images" in target.name else idx(LABELS)
        target.write_bytes(gzip.compress(content))
        return target

    monkeypatch.setattr(datasets, "fetch", fetch)
    assert len(kind(tmp_path, download=True)) == 5
    names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"]
    assert [name for name, _, _ in asked] == [f"{name}.gz" for name in names]
    assert [md5 for _, md5, _ in asked] == [kind.md5[name] for name in names]
    assert all(urls == [f"{mirror}{name}" for mirror in kind.mirrors] for name, _, urls in asked)
    assert len(kind(tmp_path, download=True)) == 5  # they are there now
    assert len(asked) == 2


def test_classes():
    assert MNIST.classes[7] == "7 - seven"
    assert [len(kind.classes) for kind in (MNIST, FashionMNIST, Digits)] == [10, 10, 10]
    assert not set(MNIST.md5.values()) & set(FashionMNIST.md5.values())


WHOLE = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.25,))])
SINGLE = transforms.Compose([transforms.ToTensor(), transforms.Lambda(lambda image: image * 2)])


@pytest.mark.parametrize("transform", [WHOLE, SINGLE, transforms.ToTensor(), None])
@pytest.mark.parametrize("target_transform", [None, lambda label: label + 10])
def test_a_whole_batch_is_the_batch_of_its_items(root, transform, target_transform):
    data = MNIST(root, transform=transform, target_transform=target_transform)
    items = [data[i] for i in (4, 0, 4)]
    for _ in range(2):
        images, labels = data.collated([4, 0, 4])
        np.testing.assert_array_equal(images, np.stack([np.asarray(image) for image, _ in items]))
        assert labels.tolist() == [label for _, label in items]
        assert labels.dtype == tinygrad_nn.int64
    loaded = next(iter(DataLoader(Subset(data, [4, 0, 4]), batch_size=3)))
    np.testing.assert_array_equal(loaded[0], images)


def test_a_batch_is_transformed_as_a_whole(root):
    calls = []

    class Counting(transforms.ToTensor):
        def __call__(self, image):
            calls.append(np.shape(image))
            return super().__call__(image)

    for _ in DataLoader(MNIST(root, transform=Counting()), batch_size=2, shuffle=True):
        pass
    assert [shape[0] for shape in calls] == [2] * (len(IMAGES) // 2) + [1] * (len(IMAGES) % 2)
    assert {shape[1:] for shape in calls} == {(*IMAGES.shape[1:], 1)}


def test_digits_are_real_and_offline():
    sklearn = pytest.importorskip("sklearn.datasets")
    found = sklearn.load_digits()
    train, test = Digits(), Digits(train=False)
    assert (len(train), len(test)) == (1437, 360)
    assert set(test.targets.tolist()) == set(range(10))
    np.testing.assert_array_equal(test.targets, found.target[::5])
    np.testing.assert_allclose(test.data, found.images[::5] / 16 * 255, atol=0.5)
    assert (tuple(train.data.shape), train.data.dtype, train.targets.dtype) == ((1437, 8, 8), tinygrad_nn.uint8, tinygrad_nn.int64)
    image, label = Digits(transform=transforms.ToTensor(), target_transform=str)[0]
    assert (tuple(image.shape), image.max().item() <= 1, label) == ((1, 8, 8), True, str(found.target[1]))


def test_digits_without_scikit_learn_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"tinygrad-nn\[examples\]"):
        Digits()


def test_the_real_mnist_where_it_is():
    """Facts of the published set; nothing to see where `$TINYGRAD_NN_DATA` holds no MNIST."""
    root = Path(os.environ.get("TINYGRAD_NN_DATA") or "nowhere")
    if not any(root.glob("**/train-images-idx3-ubyte*")):
        return
    train, test = MNIST(root), MNIST(root, train=False)
    assert (tuple(train.data.shape), tuple(test.data.shape)) == ((60000, 28, 28), (10000, 28, 28))
    assert train.targets[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert test.targets[:5].tolist() == [7, 2, 1, 0, 4]
    assert round(float(np.mean(train.data.numpy() / np.float64(255))), 4) == 0.1307
    images, labels = MNIST(root, train=False, transform=WHOLE).collated(range(3))
    assert (tuple(images.shape), labels.tolist()) == ((3, 1, 28, 28), [7, 2, 1])
