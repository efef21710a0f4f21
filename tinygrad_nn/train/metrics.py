"""Metrics: what to count in a batch, and how the counts of many batches become one value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_nn.tensor import Tensor


class Metric:
    """A sum over the batches and a count; the value is their quotient."""

    name = "metric"

    def measure(self, output: Any, target: Any) -> tuple[Any, int]:
        """The sum over a batch, given as arrays, and how many things were counted; every metric writes its own."""
        raise NotImplementedError(f"{type(self).__name__} has no measure")

    def value(self, total: Any, count: int) -> Any:
        """What the sums of all batches mean."""
        return float(total / count) if count else float("nan")

    def __call__(self, output: Tensor, target: Tensor) -> Any:
        """The value for one batch alone."""
        return self.value(*self.measure(output.detach().numpy(), target.detach().numpy()))


def _classes(target: Any, output: Any) -> Any:
    """The right classes, as numbers even where they are given one-hot."""
    return target.argmax(1) if target.shape == output.shape else target


class Accuracy(Metric):
    """The share of samples whose highest score is that of the right class; one score a sample is cut at `threshold`.

    >>> Accuracy()(Tensor([[2.0, 1.0], [0.0, 3.0]]), Tensor([0, 0]))
    0.5
    """

    name = "accuracy"

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def measure(self, output: Any, target: Any) -> tuple[Any, int]:
        """How many are right: scores (N, C, ...) against (N, ...), or one score each against 0 and 1."""
        if output.ndim < 2 or output.shape[1] == 1:
            right = (output.reshape(-1) > self.threshold) == (target.reshape(-1) > 0.5)
        else:
            right = output.argmax(1) == _classes(target, output)
        return float(np.count_nonzero(right)), int(right.size)


class TopK(Metric):
    """The share of samples whose right class is among the `k` highest scores.

    >>> TopK(2)(Tensor([[2.0, 1.0, 0.0]]), Tensor([1]).long())
    1.0
    """

    def __init__(self, k: int = 5) -> None:
        self.k, self.name = k, f"top{k}"

    def measure(self, output: Any, target: Any) -> tuple[Any, int]:
        """How many are among the first: scores (N, C) against (N,)."""
        target = _classes(target, output)
        own = np.take_along_axis(output, target[:, None], 1)
        return float(np.count_nonzero((output > own).sum(1) < self.k)), len(target)


class ConfusionMatrix(Metric):
    """How often each class, by row, was taken for each, by column.

    >>> ConfusionMatrix(2)(Tensor([[2.0, 1.0], [0.0, 3.0]]), Tensor([0, 0]).long())
    array([[1., 1.],
           [0., 0.]])
    """

    name = "confusion"

    def __init__(self, classes: int) -> None:
        self.classes = classes

    def measure(self, output: Any, target: Any) -> tuple[Any, int]:
        """The counts: scores (N, C) against (N,)."""
        counts = np.zeros((self.classes, self.classes))
        np.add.at(counts, (_classes(target, output), output.argmax(1)), 1)
        return counts, len(target)

    def value(self, total: Any, count: int) -> Any:
        """The counts as they are."""
        return total


class MeanAbsoluteError(Metric):
    """The mean of |output - target|.

    >>> MeanAbsoluteError()(Tensor([1.0, 2.0]), Tensor([1.0, 4.0]))
    1.0
    """

    name = "mean_absolute_error"

    def measure(self, output: Any, target: Any) -> tuple[Any, int]:
        """The sum of the differences; ValueError for shapes that only broadcast."""
        return float(np.abs(_difference(output, target)).sum()), int(target.size)


class MeanSquaredError(Metric):
    """The mean of (output - target)².

    >>> MeanSquaredError()(Tensor([1.0, 2.0]), Tensor([1.0, 4.0]))
    2.0
    """

    name = "mean_squared_error"

    def measure(self, output: Any, target: Any) -> tuple[Any, int]:
        """The sum of the squares; ValueError for shapes that only broadcast."""
        return float((_difference(output, target) ** 2).sum()), int(target.size)


def _difference(output: Any, target: Any) -> Any:
    if output.shape != target.shape:
        raise ValueError(f"expected a target in the output's shape {list(output.shape)}, got {list(target.shape)}")
    return output - target


class Totals:
    """The loss and the metrics summed over the batches so far."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self.metrics = tuple(metrics)
        for metric in self.metrics:
            if isinstance(metric, type) or not hasattr(metric, "measure"):
                raise TypeError(f"expected metrics like Accuracy(), got {metric!r}")
        self.loss, self.samples = 0.0, 0
        self.sums: dict[str, list[Any]] = {metric.name: [0.0, 0] for metric in self.metrics}

    def add(self, loss: float, output: Any, target: Any) -> None:
        """Count a batch whose mean loss is `loss`."""
        samples = len(target)
        self.loss += loss * samples
        self.samples += samples
        for metric in self.metrics:
            total, count = metric.measure(output.detach().numpy(), target.detach().numpy())
            sums = self.sums[metric.name]
            sums[0], sums[1] = sums[0] + total, sums[1] + count

    def values(self) -> dict[str, Any]:
        """The means so far, by name."""
        found: dict[str, Any] = {"loss": self.loss / self.samples if self.samples else float("nan")}
        return found | {metric.name: metric.value(*self.sums[metric.name]) for metric in self.metrics}

    def state_dict(self) -> dict[str, Any]:
        """The sums, for a checkpoint."""
        return {"loss": self.loss, "samples": self.samples, "sums": self.sums}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from the sums of a checkpoint."""
        self.loss, self.samples = state["loss"], state["samples"]
        self.sums.update({name: list(value) for name, value in state["sums"].items() if name in self.sums})
