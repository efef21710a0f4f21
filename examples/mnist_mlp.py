"""Train a 784-128-64-10 network with sigmoids on MNIST, and show what it learned and what it gets wrong."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_nn as torch
from tinygrad_nn import nn, viz
from tinygrad_nn.utils.data import DataLoader
from tinygrad_nn.vision import datasets, transforms
from tinygrad_nn.vision.cache import cache_dir


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="a folder with the four MNIST files")
    parser.add_argument("--out", type=Path, default=Path("runs/mnist_mlp"))
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    options = parser.parse_args()
    if options.epochs < 1 or options.batch_size < 1:
        parser.error("--epochs and --batch-size must be at least 1")
    if options.lr <= 0 or not 0 <= options.momentum < 1:
        parser.error("--lr must be positive and --momentum from 0 to less than 1")
    return options


def load_data(folder: Path | None) -> tuple[Any, Any]:
    """MNIST for training and for testing; without a network, scikit-learn's digits."""
    prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    root = folder or cache_dir()
    try:
        train, test = (
            datasets.MNIST(root, train=part, transform=prepare, download=folder is None) for part in (True, False)
        )
        return train, test
    except RuntimeError as error:
        if folder is not None:
            raise
        reason = textwrap.shorten(str(error).split(", found")[0], 160, placeholder=" …")
        print(f"MNIST could not be had ({reason}): training on scikit-learn's 8x8 digits instead.")
        return datasets.Digits(True, prepare), datasets.Digits(False, prepare)


def progress(loader: DataLoader, title: str, quiet: bool) -> Any:
    """The batches, behind a progress bar where there is a terminal to show it."""
    if quiet or not sys.stderr.isatty():
        return loader
    try:
        from tqdm import tqdm
    except ImportError:
        return loader
    return tqdm(loader, title, leave=False)


def predict(model: nn.Module, data: Any) -> tuple[Any, Any]:
    """The probabilities (N, 10) that the model gives, and the labels (N,)."""
    with torch.no_grad():
        batches = [(model(x).softmax(1).numpy(), y.numpy()) for x, y in DataLoader(data, batch_size=1000)]
    return np.concatenate([p for p, _ in batches]), np.concatenate([y for _, y in batches])


def train(model: nn.Module, data: Any, test: Any, options: argparse.Namespace) -> dict[str, list[float]]:
    """Train, with a line for each epoch; the history by name."""
    optimizer = torch.optim.SGD(model.parameters(), lr=options.lr, momentum=options.momentum)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs)  # at one rate to the end, luck decides
    loss_of = nn.CrossEntropyLoss()
    loader = DataLoader(data, batch_size=options.batch_size, shuffle=True)
    history: dict[str, list[float]] = {"train_loss": [], "train_accuracy": [], "test_accuracy": [], "seconds": []}
    for epoch in range(1, options.epochs + 1):
        start, total, correct, seen = time.perf_counter(), 0.0, 0, 0
        batches = progress(loader, f"epoch {epoch}", options.quiet)
        for i, (x, y) in enumerate(batches):
            scores = model(x)
            loss = loss_of(scores, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
            correct += int((scores.argmax(1) == y).sum().item())
            seen += len(y)
            if batches is not loader and i % 50 == 0:
                batches.set_postfix(loss=f"{total / seen:.4f}", accuracy=f"{correct / seen:.2%}")
        schedule.step()
        seconds = time.perf_counter() - start
        probabilities, labels = predict(model, test)
        accuracy = float((probabilities.argmax(1) == labels).mean())
        for name, value in zip(history, (total / seen, correct / seen, accuracy, seconds), strict=True):
            history[name].append(value)
        print(
            f"epoch {epoch:2d}  loss {total / seen:.4f}  train {correct / seen:.2%}  test {accuracy:.2%}  {seconds:.1f} s",
            flush=True,
        )
    return history


def print_classes(predicted: Any, labels: Any) -> None:
    """A table of precision and recall for each digit."""
    print("\ndigit  precision  recall  count")
    for digit in range(10):
        hits = int(((predicted == digit) & (labels == digit)).sum())
        found, there = int((predicted == digit).sum()), int((labels == digit).sum())
        print(f"{digit:5d}  {hits / max(found, 1):9.2%}  {hits / max(there, 1):6.2%}  {there:5d}")


def draw(history: dict[str, list[float]], probabilities: Any, labels: Any, test: Any, out: Path) -> None:
    """The curves, the confusion matrix and the worst mistakes as pictures."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    epochs = range(1, len(history["train_loss"]) + 1)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    left.plot(epochs, history["train_loss"], "o-", color="#0072b2")
    left.set(title="training loss", xlabel="epoch", ylabel="cross-entropy")
    right.plot(epochs, np.multiply(100, history["train_accuracy"]), "o-", color="#0072b2", label="train")
    right.plot(epochs, np.multiply(100, history["test_accuracy"]), "s--", color="#d55e00", label="test")
    right.set(title="accuracy", xlabel="epoch", ylabel="%")
    right.legend()
    figure.savefig(out / "curves.png", dpi=120)

    predicted = probabilities.argmax(1)
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (labels, predicted), 1)
    figure, axes = plt.subplots(figsize=(6, 5.5), layout="constrained")
    axes.imshow(np.log1p(counts), cmap="Blues")
    for row, column in np.ndindex(10, 10):
        if counts[row, column]:
            shade = "white" if counts[row, column] > counts.max() / 8 else "black"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=shade, fontsize=8)
    axes.set(title="confusion", xlabel="predicted", ylabel="true", xticks=range(10), yticks=range(10))
    figure.savefig(out / "confusion.png", dpi=120)

    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(probabilities[wrong, labels[wrong]])][:24]
    rows = max(1, -(-len(worst) // 6))
    figure, grid = plt.subplots(rows, 6, figsize=(8, 0.6 + 1.4 * rows), layout="constrained")
    figure.suptitle("the worst mistakes: true digit, then what was seen and how surely")
    for cell in grid.flat:
        cell.axis("off")
    for cell, i in zip(grid.flat, worst, strict=False):
        cell.imshow(test.data[int(i)].numpy(), cmap="gray_r")
        cell.set_title(f"{labels[i]} → {predicted[i]} ({probabilities[i].max():.0%})", fontsize=9)
    figure.savefig(out / "mistakes.png", dpi=120)
    plt.close("all")


def main() -> int:
    """Run the program; 1 if the data or the output folder are not to be had."""
    options = arguments()
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        data, test = load_data(options.data)
    except (OSError, RuntimeError, ValueError, ImportError) as error:
        print(f"mnist_mlp: {error}", file=sys.stderr)
        return 1
    torch.manual_seed(options.seed)
    pixels = int(np.prod(data.data.shape[1:]))
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(pixels, 128), nn.Sigmoid(), nn.Linear(128, 64), nn.Sigmoid(), nn.Linear(64, 10)
    )
    print(f"{len(data)} images to train on, {len(test)} to test; {pixels}-128-64-10, seed {options.seed}")
    history = train(model, data, test, options)
    probabilities, labels = predict(model, test)
    predicted = probabilities.argmax(1)
    print_classes(predicted, labels)
    print(f"\nfinal test accuracy {(predicted == labels).mean():.2%}")

    torch.save(model.state_dict(), options.out / "model.safetensors")
    (options.out / "history.json").write_text(json.dumps(history, indent=1))
    try:
        draw(history, probabilities, labels, test, options.out)
        viz.plots.save(viz.plots.first_layer(model), options.out / "weights.png")
    except ImportError:
        print('no pictures without matplotlib: pip install "tinygrad-nn[examples]"')
    image, label = test[0][0].unsqueeze(0), torch.tensor([test[0][1]])
    picture = viz.trace(lambda: nn.CrossEntropyLoss()(model(image), label))
    picture.save(options.out / "graph.svg")
    picture.save(options.out / "backprop.html")
    print(f"written to {options.out}/: {', '.join(sorted(path.name for path in options.out.iterdir()))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
