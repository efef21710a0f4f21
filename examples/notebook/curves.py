"""Run the three programs as written, with one change, and put right, and draw what became of each: the picture of the guide."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import keras_style
import mnist_data
import numpy as np
import numpy_by_hand
import pytorch_style
from matplotlib.figure import Figure

import tinygrad_nn as torch

WAYS = {"as written": ("#d55e00", "s-"), "one change": ("#e69f00", "^-"), "put right": ("#0072b2", "o-")}


def accuracies(found: Any) -> list[float]:
    """The accuracy after each epoch, on images that the network did not learn from."""
    if isinstance(found, dict):
        return list(found["val_accuracy"])
    return [epoch["accuracy"] for epoch in (found[0] if isinstance(found, tuple) else found)]


def draw(found: dict[str, dict[str, list[float]]], path: Path) -> None:
    """A picture for each program, a curve for each way to train it."""
    figure = Figure(figsize=(9, 3.7), layout="constrained")
    for at, (title, curves) in enumerate(found.items()):
        axes = figure.add_subplot(1, len(found), at + 1)
        for name, curve in curves.items():
            color, style = WAYS[name]
            percent, label = [100 * value for value in curve], f"{name}: {curve[-1]:.1%}"
            axes.plot(range(1, len(curve) + 1), percent, style, color=color, label=label, markersize=3.5, lw=1.2)
        axes.axhline(10, color="#999999", lw=0.8, ls=":")
        axes.set(title=title, xlabel="epoch", ylim=(0, 102), ylabel="" if at else "right, %")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.22))
    figure.savefig(path)


def main() -> None:
    """Train nine times and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("curves.svg"))
    options = parser.parse_args()
    options.seed = 0
    x, y, test_x, test_y = mnist_data.load(options.data)
    x, y = x[: options.samples], y[: options.samples]
    plain = (x, y, test_x, test_y)
    tensors = tuple(torch.tensor(part) for part in (mnist_data.scaled(x), y, mnist_data.scaled(test_x), test_y))
    found: dict[str, dict[str, list[float]]] = {}
    for program, data in ((numpy_by_hand, plain), (pytorch_style, tensors), (keras_style, tensors)):
        curves = found[program.__name__.replace("_", " ")] = {}
        for name in WAYS:
            torch.manual_seed(0)
            options.one_change = name == "one change"
            train: Any = program.train if name == "put right" else program.train_as_written
            print(f"{program.__name__}, {name}")
            with np.errstate(all="ignore"):
                curves[name] = accuracies(train(*data, options))
    draw(found, options.out)


if __name__ == "__main__":
    main()
