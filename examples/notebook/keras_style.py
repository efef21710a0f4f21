"""The notebook's network in Keras's style, with fit, evaluate and predict: put right; or `--as-written`, and why it failed.

As written: BinaryCrossentropy, which expects probabilities, on raw scores. Put right: cross-entropy, which expects scores.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import mnist_data

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.nn import functional as F
from tinygrad_nn.train import Accuracy, ConfusionMatrix, History, evaluate, fit, predict
from tinygrad_nn.utils.data import DataLoader, TensorDataset


def network(pixels: int) -> nn.Sequential:
    """Keras: Sequential([Flatten(), Dense(128, "sigmoid"), Dense(64, "sigmoid"), Dense(10)])."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(pixels, 128), nn.Sigmoid(), nn.Linear(128, 64), nn.Sigmoid(), nn.Linear(64, 10)
    )


def binary_crossentropy(output: Any, target: Any) -> Any:
    """Keras's BinaryCrossentropy(from_logits=False): what is no probability is clipped into one, without a word."""
    return F.binary_cross_entropy(output.clamp(1e-7, 1 - 1e-7), target)


def train(x: Any, y: Any, test_x: Any, test_y: Any, options: argparse.Namespace) -> History:
    """The training put right."""
    held = len(x) // 6
    model = network(x.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    history = fit(
        model, nn.CrossEntropyLoss(), optimizer,
        DataLoader(TensorDataset(x[held:], y[held:]), batch_size=32, shuffle=True),
        epochs=options.epochs,
        val=DataLoader(TensorDataset(x[:held], y[:held]), batch_size=1000),
        metrics=[Accuracy()],
        scheduler=torch.optim.lr_scheduler.StepLR(optimizer, max(1, round(0.7 * options.epochs)), 0.2),
    )  # fmt: skip
    print(history)
    test = DataLoader(TensorDataset(test_x, test_y), batch_size=1000)
    found = evaluate(model, nn.CrossEntropyLoss(), test, [Accuracy(), ConfusionMatrix(10)])
    print(f"test accuracy {found['accuracy']:.2%}, {found['confusion'].diagonal().sum():.0f} of {len(test_y)} right")
    print(f"the first ten: {predict(model, test_x[:10]).argmax(1).tolist()}, in truth {test_y[:10].tolist()}")
    return history


def train_as_written(x: Any, y: Any, test_x: Any, test_y: Any, options: argparse.Namespace) -> History:
    """What the notebook did, with the doctor watching."""
    model = network(x.shape[1])
    history = fit(
        model, F.binary_cross_entropy_with_logits if options.one_change else binary_crossentropy,
        torch.optim.SGD(model.parameters(), lr=0.01),
        DataLoader(TensorDataset(x, F.one_hot(y, 10).float()), batch_size=32, shuffle=True),
        epochs=options.epochs,
        val=DataLoader(TensorDataset(test_x, F.one_hot(test_y, 10).float()), batch_size=1000),
        metrics=[Accuracy()],
        doctor=True,
    )  # fmt: skip
    print(f"{history}\n\n{history.report}")
    return history


def main() -> int:
    """Run the program; 1 if the data is not to be had."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--as-written", action="store_true", help="the notebook's training, and what the doctor says of it")
    parser.add_argument("--one-change", action="store_true", help="as written, but for the doctor's first finding")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--samples", type=int, default=60_000, help="how many images to train on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="a folder with the four MNIST files")
    options = parser.parse_args()
    try:
        x, y, test_x, test_y = mnist_data.load(options.data)
    except (OSError, RuntimeError, ValueError, ImportError) as error:
        print(f"keras_style: {error}", file=sys.stderr)
        return 1
    torch.manual_seed(options.seed)
    x, y = torch.tensor(mnist_data.scaled(x[: options.samples])), torch.tensor(y[: options.samples])
    test_x, test_y = torch.tensor(mnist_data.scaled(test_x)), torch.tensor(test_y)
    (train_as_written if options.as_written or options.one_change else train)(x, y, test_x, test_y, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
