"""One program under both packages, from one seed: weights, shuffles, masks and losses are the same numbers."""

import numpy as np
import pytest

import tinygrad_nn

torch = pytest.importorskip("torch")
pytest.importorskip("torch.utils.data")

BOTH = (torch, tinygrad_nn)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def both(program):
    """What a program gives under PyTorch and here, as arrays."""
    found = []
    for package in BOTH:
        package.manual_seed(7)
        found.append([np.asarray(v.detach()) if hasattr(v, "detach") else v for v in program(package)])
    return zip(*found, strict=True)


def assert_equal(program, rtol=1e-6):
    for theirs, ours in both(program):
        assert np.asarray(ours).dtype == np.asarray(theirs).dtype
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-6)


def train(package, steps, **options):
    nn, data = package.nn, package.utils.data
    x = package.from_numpy(np.random.default_rng(0).random((800, 784), np.float32))
    y = package.from_numpy(np.random.default_rng(1).integers(0, 10, 800))
    model = nn.Sequential(nn.Linear(784, 128), nn.Sigmoid(), nn.Linear(128, 64), nn.Sigmoid(), nn.Linear(64, 10))
    optimizer = package.optim.SGD(model.parameters(), **options)
    loss_of = nn.CrossEntropyLoss()
    losses = []
    loader = data.DataLoader(data.TensorDataset(x, y), batch_size=16, shuffle=True)
    while True:
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = loss_of(model(inputs), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if len(losses) == steps:
                return [np.array(losses)]


def test_500_steps_have_the_same_losses():
    ((theirs, ours),) = both(lambda package: train(package, 500, lr=0.1))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"momentum": 0.9}, {"momentum": 0.9, "dampening": 0.3}, {"momentum": 0.9, "nesterov": True},
        {"weight_decay": 0.01}, {"momentum": 0.5, "weight_decay": 0.01, "maximize": True},
    ],
)  # fmt: skip
def test_options_of_sgd(options):
    ((theirs, ours),) = both(lambda package: train(package, 60, lr=0.05, **options))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_draws():
    assert_equal(lambda p: [
        p.rand(5), p.randn(3), p.randn(4, 5), p.randint(10, (7,)), p.randint(-3, 4, (2, 2)), p.randperm(9),
        p.normal(2.0, 3.0, (4,)), p.normal(p.arange(3.0), 0.5), p.bernoulli(p.full((6,), 0.3)),
        p.multinomial(p.arange(1.0, 5.0), 3), p.multinomial(p.ones(2, 4), 6, replacement=True),
        p.rand_like(p.ones(2, 2)), p.randn_like(p.ones(17)), p.zeros(20).uniform_(-1, 1), p.zeros(3).normal_(),
    ], rtol=1e-5)  # fmt: skip


def test_layers_start_and_drop_alike():
    assert_equal(lambda p: [*p.nn.Linear(20, 30).parameters(), p.nn.Dropout(0.3)(p.ones(50)), p.nn.Linear(3, 4).weight])


@pytest.mark.parametrize("name", ["xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "orthogonal_"])
def test_init(name):
    assert_equal(lambda p: [getattr(p.nn.init, name)(p.empty(6, 5)), getattr(p.nn.init, name)(p.empty(3, 8))], rtol=1e-4)


def test_shuffles_and_splits():
    def program(p):
        data = p.utils.data
        loader = data.DataLoader(data.TensorDataset(p.arange(20)), batch_size=6, shuffle=True)
        batches = [batch[0] for _ in range(2) for batch in loader]
        parts = data.random_split(range(10), [3, 7])
        generator = p.Generator().manual_seed(3)
        own = [batch[0] for batch in data.DataLoader(data.TensorDataset(p.arange(9)), 4, True, generator=generator)]
        return [*batches, np.array(parts[1].indices), *own, p.rand(2)]

    assert_equal(program)


LOSSES = {
    "mse_loss": ((4, 3), (4, 3)),
    "l1_loss": ((4, 3), (4, 3)),
    "binary_cross_entropy": ((4, 3), (4, 3)),
    "binary_cross_entropy_with_logits": ((4, 3), (4, 3)),
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, reduction):
    def program(p):
        x, t = p.rand(4, 3, requires_grad=True), p.rand(4, 3)
        loss = getattr(p.nn.functional, name)(x, t, reduction=reduction)
        (loss * loss).sum().backward()
        return [loss, x.grad]

    assert_equal(program, rtol=1e-5)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    "options",
    [
        {}, {"weight": 1}, {"ignore_index": 2}, {"label_smoothing": 0.1},
        {"weight": 1, "label_smoothing": 0.2, "ignore_index": 0},
    ],
)  # fmt: skip
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (3,)])
def test_cross_entropy(reduction, options, shape):
    def program(p):
        x = p.randn(*shape, requires_grad=True)
        t = p.randint(0, 3, (*shape[:1], *shape[2:]) if len(shape) > 1 else ())
        given = {**options, "weight": p.tensor([0.5, 1.0, 2.0])} if "weight" in options else options
        loss = p.nn.functional.cross_entropy(x, t, reduction=reduction, **given)
        (loss * loss).sum().backward()
        return [loss, x.grad]

    assert_equal(program, rtol=1e-5)


def test_cross_entropy_of_probabilities():
    def program(p):
        x, t = p.randn(4, 3, requires_grad=True), p.rand(4, 3).softmax(1)
        loss = p.nn.functional.cross_entropy(x, t, label_smoothing=0.1, weight=p.tensor([0.5, 1.0, 2.0]))
        loss.backward()
        return [loss, x.grad]

    assert_equal(program, rtol=1e-5)


def test_representations():
    def net(p):
        nn = p.nn
        return nn.Sequential(
            nn.Flatten(), nn.Linear(4, 3, bias=False), nn.ReLU(), nn.LeakyReLU(0.2), nn.GELU(), nn.Dropout(0.1), nn.Identity(),
            nn.ModuleList([nn.Tanh(), nn.Sigmoid()]), nn.Softmax(dim=1), nn.LogSoftmax(1), nn.CrossEntropyLoss(),
        )  # fmt: skip

    assert repr(net(tinygrad_nn)) == repr(net(torch))
    assert list(net(tinygrad_nn).state_dict()) == list(net(torch).state_dict())
