"""The transforms: scale, layout, dtype, whole batches, representations, and what they refuse."""

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn.vision.transforms import (
    CenterCrop,
    Compose,
    Grayscale,
    Lambda,
    Normalize,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomRotation,
    RandomVerticalFlip,
    Resize,
    ToTensor,
)
from tinygrad_nn.vision.utils import make_grid, save_image

GREY = np.arange(15, dtype=np.uint8).reshape(3, 5) * 17


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
def test_a_grey_image_gets_a_channel(make):
    image = ToTensor()(make(GREY))
    assert (tuple(image.shape), image.dtype) == ((1, 3, 5), torch.float32)
    np.testing.assert_allclose(image[0], GREY / 255.0, rtol=1e-6)
    assert image.is_contiguous()


@pytest.mark.parametrize("channels", [3, 4])
def test_the_channels_of_a_colour_image_come_first(channels):
    picture = np.arange(2 * 5 * channels, dtype=np.uint8).reshape(2, 5, channels)
    image = ToTensor()(picture)
    assert tuple(image.shape) == (channels, 2, 5)
    for channel in range(channels):
        np.testing.assert_allclose(image[channel], picture[:, :, channel] / 255.0, rtol=1e-6)
    assert image.is_contiguous()


def test_a_batch_of_images_is_each_image():
    batch = np.stack([GREY, GREY[::-1], GREY * 0])
    together = ToTensor()(batch)
    assert tuple(together.shape) == (3, 1, 3, 5)
    for whole, single in zip(together, batch, strict=True):
        np.testing.assert_array_equal(whole, ToTensor()(single))


def test_black_is_0_and_white_is_1():
    assert ToTensor()(np.array([[0, 255]], np.uint8)).tolist() == [[[0.0, 1.0]]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int16, np.bool_])
def test_other_types_keep_their_values(dtype):
    picture = (GREY % 3).astype(dtype)
    image = ToTensor()(picture)
    assert image.dtype.numpy == dtype
    np.testing.assert_array_equal(image[0], picture)
    image[0, 0, 1] = 0
    assert picture[0, 1] == dtype(17 % 3)  # a copy: the picture stays as it was


@pytest.mark.parametrize("shape", [(), (3,)])
def test_what_is_no_image_is_refused(shape):
    with pytest.raises(ValueError, match=r"expected an image of 2 or more dimensions, got shape \["):
        ToTensor()(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("lead", [(), (5,), (2, 3)])
def test_each_channel_is_normalised_by_its_own(dtype, lead):
    mean, std = [0.5, 1.0, -2.0], [2.0, 0.5, 4.0]
    image = torch.tensor(np.random.default_rng(0).normal(size=(*lead, 3, 4, 2)), dtype=dtype)
    normal = Normalize(mean, std)(image)
    assert (normal.shape, normal.dtype) == (image.shape, dtype)
    for channel in range(3):
        expected = (image.numpy()[..., channel, :, :].astype(float) - mean[channel]) / std[channel]
        np.testing.assert_allclose(normal.numpy()[..., channel, :, :], expected, rtol=1e-5, atol=1e-6)


def test_normalising_leaves_its_input_alone():
    image = torch.ones(1, 2, 2)
    Normalize((0.5,), (0.5,))(image)
    assert image.sum().item() == 4.0


@pytest.mark.parametrize("image", [torch.ones(1, 2, 2, dtype=torch.uint8), GREY, [[1.0]]])
def test_only_floating_tensors_are_normalised(image):
    with pytest.raises(TypeError, match="put ToTensor before it"):
        Normalize((0.5,), (0.5,))(image)


def test_a_deviation_of_0_is_refused():
    with pytest.raises(ValueError, match="other than 0"):
        Normalize((0.5, 0.5), (0.5, 0.0))


def test_lambda_takes_a_function():
    assert Lambda(lambda image: image + 1)(2) == 3
    with pytest.raises(TypeError, match="should be callable, got int"):
        Lambda(3)


def test_transforms_follow_one_another():
    steps = Compose([ToTensor(), Normalize((0.5,), (0.5,)), Lambda(lambda image: image.flatten())])
    np.testing.assert_allclose(steps(GREY), (GREY.ravel() / 255.0 - 0.5) / 0.5, rtol=1e-5, atol=1e-6)
    assert Compose([])(GREY) is GREY


def test_a_chain_takes_batches_if_all_its_links_do():
    assert Compose([ToTensor(), Normalize((0.5,), (0.5,))]).batched
    assert Compose([Compose([ToTensor()]), ToTensor()]).batched
    assert not Compose([ToTensor(), Lambda(np.ravel)]).batched
    assert not Compose([ToTensor(), np.ravel]).batched


def test_representations():
    steps = Compose([ToTensor(), Normalize((0.5,), (0.25,)), Lambda(len)])
    assert repr(steps).split("\n") == ["Compose(", "    ToTensor()", "    Normalize(mean=(0.5,), std=(0.25,))", "    Lambda()", ")"]


def test_narrow_batches_are_no_colour_images():
    assert tuple(ToTensor()(np.zeros((5, 4, 3, 1), np.uint8)).shape) == (5, 1, 4, 3)


def test_the_order_of_memory_does_not_matter():
    picture = np.arange(30, dtype=np.uint8).reshape(2, 5, 3)
    image = ToTensor()(np.asfortranarray(picture))
    assert image.is_contiguous()
    np.testing.assert_array_equal(image, ToTensor()(picture))


IMAGE = torch.arange(24.0).reshape(1, 4, 6)


def test_cropped_flipped_and_resized():
    np.testing.assert_array_equal(CenterCrop(2)(IMAGE)[0], [[8, 9], [14, 15]])
    np.testing.assert_array_equal(RandomHorizontalFlip(1.0)(IMAGE), IMAGE.flip(-1))
    np.testing.assert_array_equal(RandomVerticalFlip(0.0)(IMAGE), IMAGE)
    assert tuple(RandomCrop(3, padding=1)(IMAGE).shape) == (1, 3, 3)
    assert tuple(Pad((1, 2))(IMAGE).shape) == (1, 8, 8)
    assert tuple(Resize(2)(IMAGE).shape) == (1, 2, 3)
    np.testing.assert_allclose(Resize((4, 6))(IMAGE), IMAGE)
    assert tuple(Grayscale(3)(torch.ones(3, 2, 2)).shape) == (3, 2, 2)
    with pytest.raises(ValueError, match="larger than input"):
        RandomCrop(9)(IMAGE)
    with pytest.raises(NotImplementedError, match="not supported"):
        RandomRotation(10)


REFUSED = {
    "sizes": (lambda: CenterCrop((1, 2, 3)), ValueError, r"only two dimensions \(h, w\) for size, got \(1, 2, 3\)"),
    "pictures": (lambda: Pad(1)(GREY), TypeError, "Pad: expected a Tensor .* got ndarray; put ToTensor before it"),
    "vectors": (lambda: RandomCrop(1)(torch.ones(3)), TypeError, "RandomCrop: expected a Tensor"),
    "interpolation": (lambda: Resize(2, interpolation="nearest"), NotImplementedError, "expected bilinear"),
    "a largest size": (lambda: Resize(2, max_size=3), NotImplementedError, "no max_size"),
    "mirrors": (lambda: Pad(1, padding_mode="reflect"), NotImplementedError, "'constant'.* got 'reflect'"),
    "mirrored crops": (lambda: RandomCrop(1, padding_mode="edge"), NotImplementedError, "'constant'.* got 'edge'"),
    "two channels of grey": (lambda: Grayscale(2), ValueError, "either 1 or 3, got 2"),
    "images of four channels": (lambda: Grayscale()(torch.ones(4, 2, 2)), TypeError, r"1 or 3, but found shape \[4, 2, 2\]"),
    "grids of volumes": (lambda: make_grid(torch.ones(1, 1, 1, 2, 2)), TypeError, r"\(N, C, H, W\), got shape \[1, 1, 1, 2, 2\]"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    call, error, told = REFUSED[name]
    with pytest.raises(error, match=told):
        call()


def test_representations_of_crops_and_flips():
    shown = {
        Resize(2): "Resize(size=2, interpolation=bilinear, max_size=None, antialias=True)",
        Pad((1, 2), 3): "Pad(padding=(1, 2), fill=3, padding_mode=constant)",
        CenterCrop(2): "CenterCrop(size=(2, 2))",
        RandomCrop((2, 3), padding=1): "RandomCrop(size=(2, 3), padding=1)",
        RandomVerticalFlip(0.25): "RandomVerticalFlip(p=0.25)",
        Grayscale(3): "Grayscale(num_output_channels=3)",
    }
    assert [repr(transform) for transform in shown] == list(shown.values())


def test_a_crop_pads_what_is_too_small():
    small = torch.ones(1, 2, 3)
    assert RandomCrop((2, 3), pad_if_needed=True)(small) is small
    with pytest.raises(ValueError, match="larger than input"):
        RandomCrop((4, 5))(small)
    torch.manual_seed(0)
    crops = [RandomCrop((4, 5), pad_if_needed=True, fill=7)(small) for _ in range(20)]
    assert {tuple(crop.shape) for crop in crops} == {(1, 4, 5)}
    assert all((crop == 1).sum().item() == 6 and (crop == 7).sum().item() == 14 for crop in crops)
    assert len({tuple((crop == 1).flatten().tolist()) for crop in crops}) > 3
    assert CenterCrop((4, 5))(small)[0].tolist() == [[0] * 5, [0, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0] * 5]


def test_grey_of_grey_is_itself():
    image = torch.arange(4.0).reshape(1, 2, 2)
    np.testing.assert_array_equal(Grayscale(3)(image), image.expand(3, 2, 2))
    colour = torch.tensor([200, 100, 50], dtype=torch.uint8).reshape(3, 1, 1)
    assert Grayscale()(colour).tolist() == [[[int(0.2989 * 200 + 0.587 * 100 + 0.114 * 50)]]]


def test_a_grid_is_saved(tmp_path):
    grid = make_grid(torch.rand(5, 1, 4, 4), nrow=3, padding=1, normalize=True)
    assert tuple(grid.shape) == (3, 11, 16)
    save_image(grid, tmp_path / "grid.png")
    pyplot = pytest.importorskip("matplotlib.image")
    np.testing.assert_allclose(pyplot.imread(tmp_path / "grid.png").transpose(2, 0, 1)[:3], grid, atol=0.5 / 255 + 1e-6)
    with pytest.raises(NotImplementedError, match="PNG"):
        save_image(grid, tmp_path / "grid.jpg")
    with (tmp_path / "open.png").open("wb") as file:
        save_image(grid, file)
    assert (tmp_path / "open.png").read_bytes() == (tmp_path / "grid.png").read_bytes()
