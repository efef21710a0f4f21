"""The convolutional network of PyTorch's MNIST example, with its dropout and its optimizer; a training step."""

from __future__ import annotations

from typing import Any

from tests.bench.workload import Step

NAME = "cnn"
SIZES = {"batch 64": {"batch": 64}}
LINES = {("batch 64", "step"): 2.0}


def build(torch: Any, batch: int) -> Step:
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10), nn.LogSoftmax(dim=1),
    )  # fmt: skip
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    x, y = torch.rand(batch, 1, 28, 28), torch.randint(0, 10, (batch,))

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.nll_loss(model(x), y).backward()
        optimizer.step()

    return step
