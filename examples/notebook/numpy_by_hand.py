"""The notebook's network by hand in NumPy: put right, its gradients proved; or `--as-written`, and why it did not learn.

784-128-64-10 with sigmoids. As written: pixels 0 to 255 as they are, no biases, squared error on a softmax with half of its
derivative, one sample at a time. Put right: scaled pixels, biases, cross-entropy, shuffled batches, momentum.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import mnist_data
import numpy as np

import tinygrad_nn as torch
from tinygrad_nn import doctor, nn
from tinygrad_nn.testing import gradcheck

Array = Any


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), by tanh, which cannot overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


class Network:
    """Weights and biases of three layers, the loss, and every gradient of it by hand."""

    def __init__(self, sizes: tuple[int, ...], rng: np.random.Generator, dtype: Any = np.float32) -> None:
        self.parameters: list[Array] = []  # W1, b1, W2, b2, W3, b3
        for inputs, outputs in pairwise(sizes):
            limit = np.sqrt(6 / (inputs + outputs))  # Glorot & Bengio 2010: the signal keeps its size both ways
            self.parameters += [rng.uniform(-limit, limit, (inputs, outputs)).astype(dtype), np.zeros(outputs, dtype)]
        self.velocity = [np.zeros_like(p) for p in self.parameters]

    def scores(self, x: Array) -> tuple[Array, Array, Array]:
        """Both hidden layers, and the scores of the classes."""
        w1, b1, w2, b2, w3, b3 = self.parameters
        h1 = sigmoid(x @ w1 + b1)
        h2 = sigmoid(h1 @ w2 + b2)
        return h1, h2, h2 @ w3 + b3

    def loss_and_gradients(self, x: Array, y: Array) -> tuple[float, list[Array]]:
        """The mean cross-entropy of a batch, and its derivative by each parameter."""
        h1, h2, z = self.scores(x)
        z = z - z.max(1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
        rows = np.arange(len(y))
        d3 = np.exp(log_p)  # softmax and cross-entropy together: probability minus truth
        d3[rows, y] -= 1
        d3 /= len(y)
        d2 = (d3 @ self.parameters[4].T) * h2 * (1 - h2)  # the sigmoid's slope, from its value alone
        d1 = (d2 @ self.parameters[2].T) * h1 * (1 - h1)
        return float(-log_p[rows, y].mean()), [x.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ d3, d3.sum(0)]

    def step(self, gradients: list[Array], lr: float, momentum: float = 0.9) -> None:
        """A step downhill, with momentum."""
        for p, v, g in zip(self.parameters, self.velocity, gradients, strict=True):
            v *= momentum
            v += g
            p -= lr * v

    def accuracy(self, x: Array, y: Array) -> float:
        """The share of samples that are right."""
        return float((self.scores(x)[2].argmax(1) == y).mean())


def prove_gradients() -> None:
    """Every gradient by hand, against this framework's and against differences."""
    rng = np.random.default_rng(0)
    network = Network((5, 4, 3, 3), rng, np.float64)
    x, y = rng.normal(size=(6, 5)), rng.integers(0, 3, 6)
    _, by_hand = network.loss_and_gradients(x, y)

    tensors: list[Any] = [torch.tensor(p, requires_grad=True) for p in network.parameters]
    w1, b1, w2, b2, w3, b3 = tensors
    scores = ((torch.tensor(x) @ w1 + b1).sigmoid() @ w2 + b2).sigmoid() @ w3 + b3
    nn.functional.cross_entropy(scores, torch.tensor(y)).backward()
    worst = max(float(np.abs(t.grad.numpy() - g).max()) for t, g in zip(tensors, by_hand, strict=True))

    class ByHand(torch.autograd.Function):
        """The loss as one op, whose derivative is the one by hand."""

        @staticmethod
        def forward(ctx: Any, *parameters: Any) -> Any:
            network.parameters = [p.detach().numpy() for p in parameters]
            loss, ctx.gradients = network.loss_and_gradients(x, y)
            return torch.tensor(loss, dtype=torch.float64)

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return tuple(gradient * torch.tensor(g) for g in ctx.gradients)

    holds = bool(gradcheck(ByHand.apply, [t.detach().requires_grad_() for t in tensors]))
    print(f"gradients by hand: at most {worst:.1e} from the framework's; by gradient checking {'right' if holds else 'WRONG'}")
    if worst > 1e-12 or not holds:
        raise SystemExit("numpy_by_hand: expected gradients that agree")


def train(x: Array, y: Array, test_x: Array, test_y: Array, options: argparse.Namespace) -> list[dict[str, float]]:
    """The network put right; the last sixth of the training images is for validation, the test images for the end."""
    rng = np.random.default_rng(options.seed)
    held = len(x) // 6
    x, val_x, test_x = (mnist_data.scaled(part) for part in (x[held:], x[:held], test_x))
    y, val_y = y[held:], y[:held]
    network, curves = Network((x.shape[1], 128, 64, 10), rng), []
    for epoch in range(1, options.epochs + 1):
        start, total = time.perf_counter(), 0.0
        order = rng.permutation(len(x))
        for at in range(0, len(x), 32):
            batch = order[at : at + 32]
            loss, gradients = network.loss_and_gradients(x[batch], y[batch])
            network.step(gradients, lr=0.1 if epoch <= 0.7 * options.epochs else 0.02)
            total += loss * len(batch)
        curves.append({"loss": total / len(x), "accuracy": network.accuracy(val_x, val_y)})
        print(f"epoch {epoch:2d}  loss {curves[-1]['loss']:.4f}  validation {curves[-1]['accuracy']:.2%}  "
              f"{time.perf_counter() - start:.1f} s", flush=True)  # fmt: skip
    print(f"test accuracy {network.accuracy(test_x, test_y):.2%}")
    return curves


def train_as_written(x: Array, y: Array, test_x: Array, test_y: Array, options: argparse.Namespace) -> list[dict[str, float]]:
    """What the notebook did: watch the overflow, and the accuracy that does not move."""
    rng, rate, curves = np.random.default_rng(options.seed), 0.001, []
    if options.one_change:
        x, test_x = mnist_data.scaled(x), mnist_data.scaled(test_x)
    sizes = (x.shape[1], 128, 64, 10)
    w1, w2, w3 = (rng.normal(size=(b, a)) * np.sqrt(1 / b) for a, b in pairwise(sizes))

    def naive(z: Array) -> Array:
        return 1 / (1 + np.exp(-z))

    def slope(z: Array) -> Array:
        return np.exp(-z) / (np.exp(-z) + 1) ** 2  # infinity over infinity, where z is far below 0

    def softmax(z: Array) -> Array:
        e = np.exp(z - z.max())
        return e / e.sum()

    def forward(pixels: Array) -> tuple[Array, ...]:
        z1 = w1 @ pixels
        z2 = w2 @ naive(z1)
        return z1, z2, softmax(w3 @ naive(z2))

    for epoch in range(1, options.epochs + 1):
        start, total = time.perf_counter(), 0.0
        for pixels, label in zip(x.astype(float), y, strict=True):
            z1, z2, p = forward(pixels)
            truth = np.full(10, 0.01)
            truth[label] = 0.99
            d3 = 2 * (p - truth) / 10 * p * (1 - p)  # the diagonal of softmax's derivative only
            d2 = (w3.T @ d3) * slope(z2)
            d1 = (w2.T @ d2) * slope(z1)
            w3 -= rate * np.outer(d3, naive(z2))
            w2 -= rate * np.outer(d2, naive(z1))
            w1 -= rate * np.outer(d1, pixels)
            total += float(((p - truth) ** 2).mean())
        right = np.mean([forward(pixels)[2].argmax() == label for pixels, label in zip(test_x.astype(float), test_y, strict=True)])
        curves.append({"loss": total / len(x), "accuracy": float(right)})
        print(f"epoch {epoch:2d}  loss {total / len(x):.4f}  test {right:.2%}  {time.perf_counter() - start:.1f} s", flush=True)
    return curves


class AsWritten(nn.Module):
    """The same network for the doctor, who reads the graph of this framework."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        sizes = (pixels, 128, 64, 10)
        self.layers = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in pairwise(sizes))
        for layer in self.layers:
            nn.init.normal_(layer.weight, std=float(np.sqrt(1 / layer.weight.shape[0])))

    def forward(self, x: Any) -> Any:
        for layer in list(self.layers)[:-1]:
            x = layer(x).sigmoid()
        return self.layers[2](x).softmax(1)


def diagnose(x: Array, y: Array) -> doctor.Report:
    """What the doctor says of the network as written, after a few hundred of its steps."""
    torch.manual_seed(0)
    model = AsWritten(x.shape[1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
    with doctor.watch(model, optimizer) as report:
        for pixels, label in zip(x[:400].astype("float32"), y[:400], strict=True):
            truth = torch.full((1, 10), 0.01)
            truth[0, int(label)] = 0.99
            loss = ((model(torch.tensor(pixels[None])) - truth) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return report


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
        print(f"numpy_by_hand: {error}", file=sys.stderr)
        return 1
    x, y = x[: options.samples], y[: options.samples]
    if options.as_written or options.one_change:
        train_as_written(x, y, test_x, test_y, options)
    if options.as_written:
        print(f"\nThe same network, and the doctor:\n\n{diagnose(x, y)}")
    elif not options.one_change:
        prove_gradients()
        train(x, y, test_x, test_y, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
