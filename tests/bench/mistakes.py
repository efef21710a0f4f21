"""Sixty-seven trainings with a planted mistake each, and twenty-three healthy ones: what the doctor says of them.

python -m tests.bench.mistakes
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

import tinygrad_nn as torch
from tinygrad_nn import doctor, nn
from tinygrad_nn.nn import functional as F
from tinygrad_nn.utils.data import DataLoader, TensorDataset

MISTAKES: dict[str, tuple[str, Callable[[], Any]]] = {}  # by name: the code to find, and the training
HEALTHY: dict[str, Callable[[], Any]] = {}


def mistake(code: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    def enter(function: Callable[[], Any]) -> Callable[[], Any]:
        MISTAKES[function.__name__] = code, function
        return function

    return enter


def healthy(function: Callable[[], Any]) -> Callable[[], Any]:
    HEALTHY[function.__name__] = function
    return function


# the parts that trainings are made of


def digits() -> tuple[Any, Any]:
    """scikit-learn's digits, 64 values in [0, 1], in a random order."""
    from sklearn.datasets import load_digits

    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    return torch.tensor((found.data[order] / 16).astype(np.float32)), torch.tensor(found.target[order])


def mlp(last: Any = None, activation: Any = nn.ReLU, sizes: tuple[int, ...] = (64, 64, 32, 10), bias: bool = True) -> Any:
    layers: list[Any] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b, bias=bias), activation()]
    return nn.Sequential(*layers[:-1], *([last] if last is not None else []))


def sgd(model: Any, lr: float = 0.1, **options: Any) -> Any:
    return torch.optim.SGD(model.parameters(), lr=lr, **options)


def run(
    model: Any, loss_of: Any = None, optimizer: Any = None, data: Any = None, *, epochs: int = 3, batch: int = 32,
    shuffle: bool = True, prepare: Any = lambda x, y: (x, y), val: Any = None, evaluate_as_is: bool = False,
) -> Any:  # fmt: skip
    """The usual loop under the doctor's eyes; an exception that it explains ends the training."""
    loss_of, optimizer = loss_of or nn.CrossEntropyLoss(), optimizer or sgd(model)
    loader = DataLoader(TensorDataset(*(data or digits())), batch_size=batch, shuffle=shuffle)
    with watched(model, optimizer) as report:
        for _ in range(epochs):
            for x, y in loader:
                x, y = prepare(x, y)
                loss = loss_of(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            if val is not None:
                with torch.no_grad():
                    model.train(evaluate_as_is)
                    loss_of(model(val[0]), val[1])
                    model.train()
    return report


class watched(doctor.watch):
    """The doctor's watch; errors that a mistake brings end the training, not the bench."""

    def __exit__(self, *error: Any) -> Any:
        super().__exit__(*error)
        return isinstance(error[1], Exception)


# the mistakes


@mistake("input-scale")
def pixels_not_scaled():
    x, y = digits()
    return run(mlp(activation=nn.Sigmoid), data=(x * 255, y))


@mistake("input-scale")
def one_feature_in_thousands():
    x = torch.randn(600, 6)
    y = (x[:, 0] > 0).long()
    return run(mlp(sizes=(6, 16, 2)), data=(x * torch.tensor([1.0, 1, 1, 1, 1, 3000]), y))


@mistake("input-constant")
def every_sample_the_same():
    x, y = digits()
    return run(mlp(), data=(x * 0 + x[:1], y))


@mistake("input-not-finite")
def a_nan_in_the_data():
    x, y = digits()
    x[100, 5] = float("nan")
    return run(mlp(), data=(x, y), epochs=1)


@mistake("label-one-hot")
def one_hot_integers():
    return run(mlp(), prepare=lambda x, y: (x, F.one_hot(y, 10)))


@mistake("label-out-of-range")
def labels_from_one():
    return run(mlp(), prepare=lambda x, y: (x, y + 1))


@mistake("label-dtype")
def labels_as_floats():
    return run(mlp(), prepare=lambda x, y: (x, y.float()))


@mistake("label-shape")
def labels_in_a_column_for_bce():
    return run(mlp(sizes=(64, 16, 1)), nn.BCEWithLogitsLoss(), prepare=lambda x, y: (x, (y > 4).float()))


@mistake("loss-broadcast")
def column_against_row():
    return run(mlp(sizes=(64, 16, 1)), nn.MSELoss(), prepare=lambda x, y: (x, y.float() / 10))


@mistake("loss-broadcast")
def column_against_row_by_hand():
    return run(mlp(sizes=(64, 16, 1)), lambda out, y: ((out - y) ** 2).mean(), prepare=lambda x, y: (x, y.float() / 10))


@mistake("softmax-before-cross-entropy")
def softmax_before_cross_entropy():
    return run(mlp(nn.Softmax(dim=1)))


@mistake("softmax-before-cross-entropy")
def softmax_written_out():
    return run(mlp(), lambda out, y: F.cross_entropy(out.exp() / out.exp().sum(1, keepdim=True), y))


@mistake("sigmoid-before-cross-entropy")
def relu_on_the_scores():
    return run(mlp(nn.ReLU()))


@mistake("softmax-before-bce-with-logits")
def softmax_before_bce_with_logits():
    return run(mlp(nn.Softmax(dim=1)), nn.BCEWithLogitsLoss(), prepare=lambda x, y: (x, F.one_hot(y, 10).float()))


@mistake("softmax-over-batch")
def softmax_over_the_batch():
    return run(mlp(nn.LogSoftmax(dim=0)), nn.NLLLoss())


@mistake("sigmoid-twice")
def sigmoid_before_bce_with_logits():
    return run(mlp(nn.Sigmoid(), sizes=(64, 16, 1)), nn.BCEWithLogitsLoss(), prepare=lambda x, y: (x, (y > 4).float().unsqueeze(1)))


@mistake("sigmoid-twice")
def sigmoid_in_the_model_and_in_the_loss():
    of = lambda out, y: F.binary_cross_entropy(out.sigmoid(), y)
    return run(mlp(nn.Sigmoid(), sizes=(64, 16, 1)), of, prepare=lambda x, y: (x, (y > 4).float().unsqueeze(1)))


@mistake("bce-on-raw-scores")
def raw_scores_into_bce():
    of = lambda out, y: F.binary_cross_entropy(out.clamp(1e-7, 1 - 1e-7), y)
    return run(mlp(), of, prepare=lambda x, y: (x, F.one_hot(y, 10).float()))


@mistake("wrong-sign")
def minus_before_the_loss():
    return run(mlp(), lambda out, y: -F.cross_entropy(out, y))


@mistake("wrong-sign")
def uphill():
    model = mlp()
    return run(model, optimizer=sgd(model, maximize=True))


@mistake("nll-on-raw-scores")
def raw_scores_into_nll():
    return run(mlp(), nn.NLLLoss(), epochs=1)


@mistake("mse-on-softmax")
def squared_error_on_softmax():
    of = lambda out, y: ((out - y) ** 2).sum(1).mean()
    return run(mlp(nn.Softmax(dim=1)), of, prepare=lambda x, y: (x, F.one_hot(y, 10).float()))


@mistake("detached")
def loss_through_item():
    return run(mlp(), lambda out, y: torch.tensor(F.cross_entropy(out, y).item(), requires_grad=True))


@mistake("detached")
def loss_by_hand_through_item():
    return run(mlp(), lambda out, y: torch.tensor(((out - 1) ** 2).mean().item(), requires_grad=True))


@mistake("detached")
def output_made_a_leaf():
    return run(mlp(), lambda out, y: F.cross_entropy(out.detach().requires_grad_(), y))


@mistake("detached")
def forward_without_grad():
    model = mlp()
    model.forward = torch.no_grad()(model.forward)
    return run(model)


@mistake("no-gradient")
def detached_in_the_middle():
    class Cut(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(64, 32), nn.Linear(32, 10)

        def forward(self, x):
            return self.b(self.a(x).relu().detach())

    return run(Cut())


def own_loop(step: Any, model: Any = None, optimizer: Any = None, epochs: int = 2) -> Any:
    """A loop whose one step is `step(model, optimizer, loss)`."""
    model = model or mlp()
    optimizer = optimizer or sgd(model)
    with watched(model, optimizer) as report:
        for _ in range(epochs):
            for x, y in DataLoader(TensorDataset(*digits()), batch_size=32, shuffle=True):
                step(model, optimizer, F.cross_entropy(model(x), y))
    return report


@mistake("forgot-backward")
def no_backward():
    return own_loop(lambda model, optimizer, loss: (optimizer.zero_grad(), optimizer.step()))


@mistake("forgot-step")
def no_step():
    return own_loop(lambda model, optimizer, loss: (optimizer.zero_grad(), loss.backward()))


@mistake("forgot-zero-grad")
def no_zero_grad():
    return own_loop(lambda model, optimizer, loss: (loss.backward(), optimizer.step()))


@mistake("gradients-erased")
def zero_grad_after_backward():
    return own_loop(lambda model, optimizer, loss: (loss.backward(), optimizer.zero_grad(), optimizer.step()))


@mistake("graph-kept")
def losses_kept():
    kept: list[Any] = []
    return own_loop(lambda model, optimizer, loss: (kept.append(loss), optimizer.zero_grad(), loss.backward(), optimizer.step()))


@mistake("backward-twice")
def state_carried_with_its_graph():
    cell, state = nn.Linear(8, 8), [torch.zeros(4, 8)]
    optimizer = sgd(cell)
    with watched(cell, optimizer) as report:
        for _ in range(5):
            state[0] = cell(torch.randn(4, 8) + state[0]).tanh()
            optimizer.zero_grad()
            F.mse_loss(state[0], torch.zeros(4, 8)).backward()
            optimizer.step()
    return report


@mistake("training-in-eval-mode")
def trained_in_eval():
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 10)).eval()
    return run(model)


@mistake("evaluating-in-training-mode")
def evaluated_in_train():
    x, y = digits()
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 10))
    return run(model, data=(x[:1200], y[:1200]), val=(x[1200:], y[1200:]), evaluate_as_is=True)


@mistake("optimizer-of-another-model")
def optimizer_made_before_the_model():
    return run(mlp(), optimizer=sgd(mlp()))


@mistake("not-in-optimizer")
def only_the_last_layer_in_the_optimizer():
    model = mlp()
    return run(model, optimizer=sgd(model[-1]))


@mistake("twice-in-optimizer")
def parameters_twice():
    model = mlp()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optimizer = torch.optim.SGD([*model.parameters(), *model[0].parameters()], lr=0.1)
    return run(model, optimizer=optimizer)


@mistake("init-constant")
def weights_all_zero():
    model = mlp()
    for p in model.parameters():
        nn.init.zeros_(p)
    return run(model)


@mistake("init-scale")
def weights_of_standard_deviation_one():
    model = mlp(activation=nn.Tanh)
    for p in model.parameters():
        nn.init.normal_(p)
    return run(model, optimizer=sgd(model, 0.01))


@mistake("saturated")
def sigmoids_pushed_out():
    model = mlp(activation=nn.Sigmoid)
    nn.init.constant_(model[0].bias, 12.0)
    return run(model)


@mistake("dead-relu")
def relus_that_died():
    model = mlp()
    nn.init.constant_(model[0].bias, -8.0)
    return run(model)


@mistake("vanishing-gradients")
def ten_layers_of_sigmoids():
    return run(mlp(activation=nn.Sigmoid, sizes=(64, *(32,) * 10, 10)))


@mistake("lr-too-high")
def learning_rate_of_fifty():
    return _with_rate(50.0)


@mistake("lr-too-low")
def learning_rate_of_a_millionth():
    return _with_rate(1e-6)


@mistake("schedule-too-fast")
def rate_halved_at_each_step():
    model = mlp()
    optimizer = sgd(model)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    step = lambda model, optimizer, loss: (optimizer.zero_grad(), loss.backward(), optimizer.step(), schedule.step())
    return own_loop(step, model, optimizer)


@mistake("weight-decay-too-high")
def weight_decay_of_five():
    model = mlp()
    return run(model, optimizer=sgd(model, weight_decay=5))


@mistake("clipped-away")
def clipped_to_a_millionth():
    clip = lambda model: nn.utils.clip_grad_norm_(model.parameters(), 1e-6)
    return own_loop(lambda model, optimizer, loss: (optimizer.zero_grad(), loss.backward(), clip(model), optimizer.step()))


@mistake("dropout-too-high")
def dropout_of_99_percent():
    return run(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.99), nn.Linear(32, 10)))


@mistake("no-activation")
def xor_without_activation():
    x, y = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), torch.tensor([0, 1, 1, 0])
    return run(nn.Sequential(nn.Linear(2, 8), nn.Linear(8, 2)), data=(x, y), epochs=200)


def _with_rate(lr: float) -> Any:
    model = mlp()
    return run(model, optimizer=sgd(model, lr))


@mistake("not-finite")
def logarithm_of_zero():
    return run(mlp(nn.ReLU()), lambda out, y: -(out.log() * F.one_hot(y, 10)).sum(1).mean(), epochs=1)


@mistake("sorted-data")
def sorted_by_class():
    x, y = digits()
    order = y.argsort()
    return run(mlp(), data=(x[order], y[order]), shuffle=False)


@mistake("label-constant")
def labels_all_zero():
    return run(mlp(), prepare=lambda x, y: (x, y * 0))


@mistake("imbalanced")
def one_positive_in_fifty():
    x = torch.randn(3200, 8)
    y = (x[:, 0] > 2.05).long()
    return run(mlp(sizes=(8, 16, 2)), data=(x, y))


@mistake("leakage")
def validated_on_training_rows():
    x, y = digits()
    return run(mlp(), data=(x, y), val=(x[300:700], y[300:700]))


@mistake("batch-twice")
def loop_within_the_loop():
    model = mlp()
    optimizer = sgd(model)
    with watched(model, optimizer) as report:
        for x, y in DataLoader(TensorDataset(*digits()), batch_size=32, shuffle=True):
            for _ in range(3):
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
    return report


@mistake("batch-twice")
def first_batch_of_a_new_pass():
    model = mlp()
    optimizer, loader = sgd(model), DataLoader(TensorDataset(*digits()), batch_size=32)
    with watched(model, optimizer) as report:
        for _ in range(100):
            x, y = next(iter(loader))
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    return report


@mistake("float64")
def numpy_inputs():
    x, y = digits()
    return run(mlp(sizes=(64, 16, 1)), nn.MSELoss(), data=(x, y.double().unsqueeze(1) / 10))


@mistake("overfit")
def forty_noisy_samples():
    x = torch.randn(240, 20)
    y = (torch.rand(240) > 0.5).long()
    return run(mlp(sizes=(20, 128, 2)), data=(x[:40], y[:40]), epochs=60, batch=8, val=(x[40:], y[40:]))


@mistake("stuck-at-chance")
def labels_shuffled():
    x, y = torch.randn(2000, 64), torch.randint(0, 10, (2000,))
    return run(mlp(), optimizer=None, data=(x, y), epochs=2)


@mistake("label-not-finite")
def a_nan_among_the_targets():
    x, y = digits()
    y = y.float().unsqueeze(1) / 10
    y[20:40] = float("nan")
    return run(mlp(sizes=(64, 16, 1)), nn.MSELoss(), data=(x, y), epochs=1)


@mistake("target-scale")
def targets_in_thousands():
    x, y = digits()
    return run(mlp(sizes=(64, 16, 1)), nn.MSELoss(), optimizer=None, data=(x, y.float().unsqueeze(1) * 1000))


@mistake("batch-norm-batch-one")
def a_last_batch_of_one():
    x, y = digits()
    model = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
    return run(model, data=(x[:97], y[:97]))


@mistake("missing-bias")
def large_inputs_without_biases():
    x, y = digits()
    return run(mlp(activation=nn.Sigmoid, bias=False), data=(x * 300, y))


@mistake("exploding-gradients")
def weights_far_too_large():
    model = mlp(sizes=(64, *(64,) * 8, 10))
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=1.0)
    return run(model, optimizer=sgd(model, 1e-30))


@mistake("underfit")
def a_line_for_a_circle():
    torch.manual_seed(0)
    x = torch.randn(2000, 2)
    y = (x.norm(dim=1) + 0.3 * x[:, 0] > 1.2).long()
    return run(model := nn.Linear(2, 2), optimizer=sgd(model, 0.1), data=(x, y), epochs=8)


@mistake("frozen")
def nothing_may_learn():
    return run(mlp().requires_grad_(False))


# healthy trainings


def split(x: Any, y: Any, share: float = 0.8) -> tuple[Any, Any]:
    at = int(len(x) * share)
    return (x[:at], y[:at]), (x[at:], y[at:])


def on_digits(model: Any, optimizer: Any, **options: Any) -> Any:
    train, val = split(*digits())
    return run(model, None, optimizer, train, val=val, **options)


def relabelled(seed: int, **sizes: Any) -> Any:
    torch.manual_seed(seed)
    return mlp(**sizes)


@healthy
def mlp_sgd():
    return on_digits(model := mlp(), sgd(model), epochs=10)


@healthy
def mlp_momentum():
    return on_digits(model := relabelled(1), sgd(model, 0.05, momentum=0.9), epochs=6)


@healthy
def mlp_adam():
    return on_digits(model := relabelled(2), torch.optim.Adam(model.parameters(), lr=1e-3), epochs=6)


@healthy
def mlp_adamw_tanh():
    return on_digits(model := relabelled(3, activation=nn.Tanh), torch.optim.AdamW(model.parameters(), lr=2e-3), epochs=6)


@healthy
def mlp_rmsprop_gelu():
    return on_digits(model := relabelled(4, activation=nn.GELU), torch.optim.RMSprop(model.parameters(), lr=1e-3), epochs=6)


@healthy
def mlp_sigmoid():
    return on_digits(model := relabelled(5, activation=nn.Sigmoid), sgd(model, 0.5, momentum=0.9), epochs=8)


@healthy
def mlp_dropout():
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
    return on_digits(model, torch.optim.Adam(model.parameters(), lr=3e-3), epochs=6)


@healthy
def mlp_batch_norm():
    model = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
    return on_digits(model, sgd(model, 0.1, momentum=0.9), epochs=5)


@healthy
def mlp_batches_of_one():
    return on_digits(model := relabelled(6), sgd(model, 0.01), epochs=1, batch=1)


@healthy
def softmax_regression():
    return on_digits(model := nn.Linear(64, 10), sgd(model, 0.5), epochs=8)


@healthy
def regression():
    torch.manual_seed(1)
    x = torch.randn(800, 8)
    y = (x[:, :1] * 2 - x[:, 1:2]).tanh() + 0.05 * torch.randn(800, 1)
    train, val = split(x, y)
    model = mlp(sizes=(8, 32, 1), activation=nn.Tanh)
    return run(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=3e-3), train, val=val, epochs=15)


@healthy
def regression_full_batch():
    torch.manual_seed(2)
    x = torch.randn(100, 3)
    model = nn.Linear(3, 1)
    return run(model, nn.MSELoss(), sgd(model, 0.1), (x, x.sum(1, keepdim=True)), epochs=60, batch=100)


@healthy
def two_moons_with_bce():
    from sklearn.datasets import make_moons

    x, y = make_moons(800, noise=0.15, random_state=0)
    train, val = split(torch.tensor(x.astype(np.float32)), torch.tensor(y.astype(np.float32)).unsqueeze(1))
    model = mlp(sizes=(2, 32, 32, 1))
    return run(model, nn.BCEWithLogitsLoss(), torch.optim.Adam(model.parameters(), lr=5e-3), train, val=val, epochs=15)


@healthy
def circles_with_sigmoid_and_bce():
    from sklearn.datasets import make_circles

    x, y = make_circles(800, noise=0.05, factor=0.5, random_state=0)
    data = torch.tensor(x.astype(np.float32)), torch.tensor(y.astype(np.float32)).unsqueeze(1)
    model = mlp(nn.Sigmoid(), sizes=(2, 32, 1), activation=nn.Tanh)
    return run(model, nn.BCELoss(), torch.optim.Adam(model.parameters(), lr=2e-2), data, epochs=15)


@healthy
def autoencoder():
    x, _ = digits()
    model = mlp(nn.Sigmoid(), sizes=(64, 32, 64))
    return run(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=2e-3), (x, x), epochs=6)


def cnn() -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(256, 10),
    )  # fmt: skip


def pictures(x: Any, y: Any) -> tuple[Any, Any]:
    return x.reshape(-1, 1, 8, 8), y


@healthy
def cnn_sgd():
    (train, val), model = (tuple(pictures(*part) for part in split(*digits())), cnn())
    return run(model, None, sgd(model, 0.05, momentum=0.9), train, val=val, epochs=3)


@healthy
def cnn_adam():
    torch.manual_seed(3)
    (train, val), model = (tuple(pictures(*part) for part in split(*digits())), cnn())
    return run(model, None, torch.optim.Adam(model.parameters(), lr=2e-3), train, val=val, epochs=3)


@healthy
def cnn_batch_norm():
    layers = [nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10)]
    (train, val), model = (tuple(pictures(*part) for part in split(*digits())), nn.Sequential(*layers))
    return run(model, None, sgd(model, 0.05, momentum=0.9), train, val=val, epochs=3)


def adversarial(watch_generator: bool) -> Any:
    """The usual loop of two networks that train against each other, one of them under the doctor's eyes."""
    generator, judge = mlp(sizes=(4, 16, 2)), mlp(sizes=(2, 16, 1))
    by_generator, by_judge = (torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.5, 0.999)) for model in (generator, judge))
    loss_of = lambda scores, target: F.binary_cross_entropy_with_logits(scores, torch.full_like(scores, target))
    with watched(*((generator, by_generator) if watch_generator else (judge, by_judge))) as report:
        for _ in range(150):
            real, fake = 0.5 * torch.randn(32, 2) + 1, generator(torch.randn(32, 4))
            by_judge.zero_grad()
            (loss_of(judge(real), 1.0) + loss_of(judge(fake.detach()), 0.0)).backward()
            by_judge.step()
            by_generator.zero_grad()
            loss_of(judge(fake), 1.0).backward()
            by_generator.step()
    return report


@healthy
def gan_judge():
    return adversarial(watch_generator=False)


@healthy
def gan_generator():
    return adversarial(watch_generator=True)


class RowReader(nn.Module):
    """Reads the rows of a digit with an LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(8, 48, batch_first=True), nn.Linear(48, 10)

    def forward(self, x: Any) -> Any:
        return self.head(self.lstm(x)[0][:, -1])


@healthy
def lstm_adam():
    model = RowReader()
    train, val = ((x.reshape(-1, 8, 8), y) for x, y in split(*digits()))
    return run(model, None, torch.optim.Adam(model.parameters(), lr=5e-3), train, val=val, epochs=5)


class Attends(nn.Module):
    """Reads the rows of a digit with attention."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.place = nn.Linear(8, 32), nn.Parameter(0.1 * torch.randn(8, 32))
        self.layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=True)
        self.head = nn.Linear(32, 10)

    def forward(self, x: Any) -> Any:
        return self.head(self.layer(self.embed(x) + self.place).mean(1))


@healthy
def transformer_adam():
    model = Attends()
    train, val = ((x.reshape(-1, 8, 8), y) for x, y in split(*digits()))
    return run(model, None, torch.optim.Adam(model.parameters(), lr=2e-3), train, val=val, epochs=5)


@healthy
def wine_with_weight_decay():
    from sklearn.datasets import load_wine

    found = load_wine()
    order = np.random.default_rng(0).permutation(len(found.target))
    x = (found.data - found.data.mean(0)) / found.data.std(0)
    train, val = split(torch.tensor(x[order].astype(np.float32)), torch.tensor(found.target[order]))
    model = mlp(sizes=(13, 16, 3))
    return run(model, None, sgd(model, 0.05, momentum=0.9, weight_decay=1e-3), train, val=val, epochs=15, batch=16)


def examine(training: Callable[[], Any], seed: int = 0) -> Any:
    """The report of a training."""
    torch.manual_seed(seed)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return training()


def main() -> int:
    """Print what was found of each; 1 if more than two mistakes were not, or a healthy training was called ill."""
    begin, found, first, sound = time.perf_counter(), 0, 0, 0
    wanted = sys.argv[1:]
    for name, (code, training) in MISTAKES.items():
        if wanted and name not in wanted:
            continue
        report = examine(training)
        found += code in report
        first += bool(report.codes) and report.codes[0] == code
        print(f"{'found ' if code in report else 'MISSED'} {name}: {code}; report: {', '.join(report.codes)}", flush=True)
        if wanted:
            print(report)
    for name, training in HEALTHY.items():
        if wanted and name not in wanted:
            continue
        report = examine(training)
        well = not report.of("error") and len(report.of("warning")) <= 1
        sound += well
        print(f"{'sound ' if well else 'ALARM '} {name}: {', '.join(report.codes) or 'nothing'}", flush=True)
        if wanted:
            print(report)
    print(f"{found} of {len(MISTAKES)} mistakes found, {first} of them named first; {sound} of {len(HEALTHY)} healthy trainings "
          f"without false alarm ({time.perf_counter() - begin:.0f} s)")  # fmt: skip
    return int(found < len(MISTAKES) - 2 or sound < len(HEALTHY))


if __name__ == "__main__":
    sys.exit(main())
