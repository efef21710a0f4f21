"""Weights through safetensors files, from PyTorch to here and from here to PyTorch: the same outputs."""

import numpy as np
import pytest

import tinygrad_nn

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

RNG = np.random.default_rng(0)
FLAT = RNG.normal(size=(5, 6)).astype(np.float32)
IMAGES = RNG.normal(size=(3, 1, 8, 8)).astype(np.float32)
SERIES = RNG.normal(size=(2, 7, 4)).astype(np.float32)
WORDS = RNG.integers(0, 11, (2, 6))


def mlp(p):
    nn = p.nn
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 3), nn.LogSoftmax(-1))


def cnn(p):
    nn = p.nn
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, stride=2, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(6, 2),
    )  # fmt: skip


def lstm(p):
    class Reader(p.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = p.nn.LSTM(4, 5, num_layers=2, batch_first=True, bidirectional=True)
            self.last = p.nn.Linear(10, 3)

        def forward(self, x):
            states, _ = self.layers(x)
            return self.last(states[:, -1])

    return Reader()


def gpt(p):
    nn = p.nn

    class Block(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.before = nn.LayerNorm(width)
            self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
            self.between = nn.LayerNorm(width)
            self.mix = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x):
            mask = p.triu(p.ones(x.shape[1], x.shape[1]), diagonal=1) > 0
            z = self.before(x)
            x = x + self.attention(z, z, z, attn_mask=mask, need_weights=False)[0]
            return x + self.mix(self.between(x))

    class GPT(nn.Module):
        def __init__(self, words=11, length=6, width=8, heads=2, depth=2):
            super().__init__()
            self.words, self.places = nn.Embedding(words, width), nn.Embedding(length, width)
            self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, words, bias=False)

        def forward(self, x):
            x = self.words(x) + self.places(p.arange(x.shape[1]))
            for block in self.blocks:
                x = block(x)
            return self.head(self.norm(x))

    return GPT()


MODELS = {"mlp": (mlp, FLAT), "cnn with batch norm": (cnn, IMAGES), "lstm": (lstm, SERIES), "gpt": (gpt, WORDS)}


def made(p, name):
    """The model after a few passes that move its running averages, ready to evaluate."""
    model, x = MODELS[name]
    model = model(p)
    p.manual_seed(len(name))
    for parameter in model.parameters():
        p.nn.init.normal_(parameter, 0.0, 0.3)
    model(p.tensor(x))
    return model.eval()


def output(p, model, name):
    with p.no_grad():
        return np.asarray(model(p.tensor(MODELS[name][1])))


@pytest.mark.parametrize("name", MODELS)
def test_from_pytorch_to_here(tmp_path, name):
    theirs, path = made(torch, name), tmp_path / "model.safetensors"
    safetensors.save_file(theirs.state_dict(), path)
    ours = MODELS[name][0](tinygrad_nn).eval()
    ours.load_state_dict(tinygrad_nn.load(path))
    np.testing.assert_allclose(output(tinygrad_nn, ours, name), output(torch, theirs, name), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_from_here_to_pytorch(tmp_path, name):
    ours, path = made(tinygrad_nn, name), tmp_path / "model.safetensors"
    tinygrad_nn.save(ours.state_dict(), path)
    theirs = MODELS[name][0](torch).eval()
    theirs.load_state_dict(safetensors.load_file(path))
    np.testing.assert_allclose(output(torch, theirs, name), output(tinygrad_nn, ours, name), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_the_names_and_shapes_are_the_same(name):
    theirs, ours = MODELS[name][0](torch).state_dict(), MODELS[name][0](tinygrad_nn).state_dict()
    assert [(key, tuple(value.shape), repr(value.dtype)) for key, value in ours.items()] == [
        (key, tuple(value.shape), repr(value.dtype)) for key, value in theirs.items()
    ]


def test_bfloat16_and_float8_of_pytorch(tmp_path):
    path, x = tmp_path / "a.safetensors", torch.randn(3, 5).bfloat16()
    safetensors.save_file({"x": x}, path)
    np.testing.assert_array_equal(tinygrad_nn.load(path)["x"].numpy(), x.float().numpy())
    safetensors.save_file({"x": x.to(torch.float8_e4m3fn)}, path)
    with pytest.raises(ValueError, match="'x' is of dtype F8_E4M3: expected one of"):
        tinygrad_nn.load(path)


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"])
def test_values_of_other_dtypes(tmp_path, dtype):
    path, values = tmp_path / "a.safetensors", np.array([[0, 1, 1], [1, 0, 0]]).astype(dtype)
    safetensors.save_file({"x": torch.tensor(values)}, path)
    found = tinygrad_nn.load(path)["x"]
    np.testing.assert_array_equal(found.numpy(), values)
    tinygrad_nn.save({"x": found}, path)
    assert torch.equal(safetensors.load_file(path)["x"], torch.tensor(values))


def test_pickles_of_pytorch_say_how_to_convert_them(tmp_path):
    path = tmp_path / "old.pt"
    torch.save(made(torch, "mlp").state_dict(), path)
    with pytest.raises(ValueError, match=r"old\.pt: pickled files are not read, .* convert it where PyTorch is"):
        tinygrad_nn.load(path)
    torch.save({"a": 1}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(ValueError, match="pickled files are not read"):
        tinygrad_nn.load(path)
