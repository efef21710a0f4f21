"""Train a small network on two moons, and see it: its graph, its training step by step, what it learned."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

import tinygrad_nn as torch
from tinygrad_nn import nn, viz
from tinygrad_nn.viz import plots


def two_moons(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Points on two half circles that reach into each other, and which one each is on."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, np.pi, count)
    label = rng.integers(0, 2, count)
    x = np.where(label == 0, np.cos(angle), 1 - np.cos(angle))
    y = np.where(label == 0, np.sin(angle), 0.5 - np.sin(angle))
    points = np.stack([x, y], 1) + rng.normal(0, 0.1, (count, 2))
    return torch.from_numpy(points.astype(np.float32)), torch.from_numpy(label.astype(np.int64))


def main() -> int:
    """Run the program; 1 if the folder cannot be made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/draw_mlp"))
    options = parser.parse_args()
    if options.steps < 1:
        parser.error("--steps must be at least 1")
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"draw_mlp: {error}", file=sys.stderr)
        return 1

    torch.manual_seed(options.seed)
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2))
    points, labels = two_moons(200, options.seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)

    # The graph of the loss of four points: every value, its gradient, and how one came from the other.
    few, their_labels = points[:4], labels[:4]
    picture = viz.trace(lambda: nn.functional.cross_entropy(model(few), their_labels))
    picture.save(options.out / "graph.svg")
    picture.save(options.out / "backprop.html")

    # The first steps of training on them, to scrub through.
    def step() -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(few), their_labels)
        loss.backward()
        optimizer.step()
        return loss

    start = {name: value.clone() for name, value in model.state_dict().items()}
    viz.record(step, steps=20).save(options.out / "training.html")
    model.load_state_dict(start)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)

    losses = train(model, optimizer, points, labels, options.steps, options.out)
    right = (model(points).argmax(1) == labels).float().mean().item()
    print(f"loss {losses[0]:.3f} at first, {losses[-1]:.3f} after {options.steps} steps; {right:.0%} right")
    print(f"written to {options.out}/: {', '.join(sorted(path.name for path in options.out.iterdir()))}")
    return 0


def train(
    model: nn.Module, optimizer: torch.optim.Optimizer, points: torch.Tensor, labels: torch.Tensor, steps: int, out: Path
) -> list[float]:
    """Train on all points; with matplotlib, draw what happened. The losses of all steps."""
    ratios, losses = plots.UpdateRatios(model), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(points), labels)
        loss.backward()
        ratios.step(optimizer)
        losses.append(loss.item())
    try:
        import matplotlib
    except ImportError:
        print('no plots without matplotlib: pip install "tinygrad-nn[examples]"')
    else:
        matplotlib.use("Agg")
        plots.save(plots.learning_curves({"loss": losses}, xlabel="step", log=True), out / "loss.png")
        plots.save(plots.activation_histograms(model, points), out / "activations.png")
        plots.save(plots.gradient_histograms(model), out / "gradients.png")
        plots.save(ratios.plot(), out / "updates.png")
        plots.save(plots.decision_boundary(model, points, labels), out / "boundary.png")
    return losses


if __name__ == "__main__":
    sys.exit(main())
