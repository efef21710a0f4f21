"""The notebook's network in PyTorch's style: put right; or `--as-written`, and why it did not learn.

The same program runs on this framework and, with `--torch`, on PyTorch. As written: softmax and then BCE-with-logits, against
one-hot float64, one sample at a time, in the order of the file. Put right: raw scores into cross-entropy, shuffled batches.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import sys
import time
from pathlib import Path
from typing import Any

import mnist_data
import numpy as np

torch: Any = importlib.import_module("torch" if "--torch" in sys.argv else "tinygrad_nn")  # the one line that differs
nn, F = torch.nn, torch.nn.functional
data: Any = importlib.import_module(f"{torch.__name__}.utils.data")


class Net(nn.Module):  # type: ignore[misc, name-defined, unused-ignore]  # of either package, chosen above
    """pixels-128-64-10 with sigmoids; raw scores, or, as written, a softmax at the end."""

    def __init__(self, pixels: int, softmax: bool = False) -> None:
        super().__init__()
        self.fc1 = nn.Linear(pixels, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)
        self.softmax = softmax

    def forward(self, x: Any) -> Any:
        x = torch.sigmoid(self.fc1(x))
        x = torch.sigmoid(self.fc2(x))
        x = self.fc3(x)
        return torch.softmax(x, dim=0) if self.softmax else x


def train(x: Any, y: Any, test_x: Any, test_y: Any, options: argparse.Namespace) -> list[dict[str, float]]:
    """The training put right."""
    held = len(x) // 6
    model = Net(x.shape[1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, max(1, round(0.7 * options.epochs)), 0.2)
    loader = data.DataLoader(data.TensorDataset(x[held:], y[held:]), batch_size=32, shuffle=True)
    loss_fn, curves = nn.CrossEntropyLoss(), []

    def accuracy(inputs: Any, labels: Any) -> float:
        with torch.no_grad():
            return float((model(inputs).argmax(1) == labels).float().mean().item())

    for epoch in range(1, options.epochs + 1):
        start, total = time.perf_counter(), 0.0
        for inputs, labels in loader:
            loss = loss_fn(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        schedule.step()
        curves.append({"loss": total / (len(x) - held), "accuracy": accuracy(x[:held], y[:held])})
        print(f"epoch {epoch:2d}  loss {curves[-1]['loss']:.4f}  validation {curves[-1]['accuracy']:.2%}  "
              f"{time.perf_counter() - start:.1f} s", flush=True)  # fmt: skip
    print(f"test accuracy {accuracy(test_x, test_y):.2%}")
    return curves


def train_as_written(x: Any, y: Any, test_x: Any, test_y: Any, options: argparse.Namespace) -> tuple[list[dict[str, float]], Any]:
    """What the notebook did, and the doctor's report, which only this framework has; the accuracy was never looked at."""
    model = Net(x.shape[1], softmax=not options.one_change)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
    loss_fn: Any = nn.CrossEntropyLoss() if options.one_change else nn.BCEWithLogitsLoss()
    curves: list[dict[str, float]] = []
    watch: Any = contextlib.nullcontext()
    if torch.__name__ == "tinygrad_nn":
        watch = importlib.import_module("tinygrad_nn.doctor").watch(model, optimizer)
    with watch as report:
        for epoch in range(1, options.epochs + 1):
            start, total = time.perf_counter(), 0.0
            for image, label in zip(x, y, strict=True):
                optimizer.zero_grad()
                output = model(image)
                target = label if options.one_change else F.one_hot(label, 10).double()
                loss = loss_fn(output, target)
                loss.backward()
                optimizer.step()
                total += loss.item()
            with torch.no_grad():
                answers = [model(image).argmax().item() for image in test_x[:2000]]
            right = float(np.mean(np.array(answers) == test_y[:2000].numpy()))
            curves.append({"loss": total / len(x), "accuracy": right})
            seconds = time.perf_counter() - start
            print(f"epoch {epoch:2d}  loss {total / len(x):.4f}  (test {right:.2%})  {seconds:.1f} s", flush=True)
    return curves, report


def main() -> int:
    """Run the program; 1 if the data is not to be had."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", action="store_true", help="run on PyTorch")
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
        print(f"pytorch_style: {error}", file=sys.stderr)
        return 1
    torch.manual_seed(options.seed)
    x, y = torch.tensor(mnist_data.scaled(x[: options.samples])), torch.tensor(y[: options.samples])
    test_x, test_y = torch.tensor(mnist_data.scaled(test_x)), torch.tensor(test_y)
    if options.as_written or options.one_change:
        _, report = train_as_written(x, y, test_x, test_y, options)
        print("\nThe doctor reads only this framework's graphs: run it without --torch." if report is None else f"\n{report}")
    else:
        train(x, y, test_x, test_y, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
