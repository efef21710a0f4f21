"""A softmax over very many classes, the rare ones behind those that are frequent: Grave et al. 2017."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from tinygrad_nn.dtypes import DTypeLike
from tinygrad_nn.methods.joining import cat
from tinygrad_nn.nn.containers import ModuleList, Sequential
from tinygrad_nn.nn.functional import log_softmax
from tinygrad_nn.nn.layers import Linear
from tinygrad_nn.nn.module import Module
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap


class _ASMoutput(NamedTuple):
    """The log-probability of each target, and the mean of their negatives."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """The log-probabilities of classes sorted by frequency: input (N, in_features) and targets (N,), or both without N.

    The head has the classes below `cutoffs[0]` and one output for each cluster between two cutoffs, whose own layers have
    in_features / div_value**i features in the middle. ValueError for cutoffs that do not increase within the classes.
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0, head_bias: bool = False,
        device: Any = None, dtype: DTypeLike | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if not len(cutoffs):
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        bounds = [0, *cutoffs, n_classes]
        if any(int(c) != c for c in cutoffs) or any(low >= high for low, high in pairwise(bounds)):
            raise ValueError(f"cutoffs should be integers that increase between 1 and {n_classes - 1}, got {list(cutoffs)}")
        self.in_features, self.n_classes, self.cutoffs = in_features, n_classes, [*cutoffs, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = self.cutoffs[0], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            middle, size = int(in_features // div_value ** (i + 1)), self.cutoffs[i + 1] - self.cutoffs[i]
            layers = Linear(in_features, middle, False, device, dtype), Linear(middle, size, False, device, dtype)
            self.tail.append(Sequential(*layers))

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for layer in (self.head, *(layer for cluster in self.tail for layer in cluster)):
            layer.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        """The log-probabilities of the targets, and the loss; RuntimeError for shapes that do not fit and for other classes."""
        if target_.ndim > 1 or input_.ndim != target_.ndim + 1 or input_.shape[:-1] != target_.shape:
            raise RuntimeError(
                f"expected input (N, {self.in_features}) and target (N,), got {list(input_.shape)} and {list(target_.shape)}"
            )
        input, target = input_.reshape(-1, input_.shape[-1]), target_.detach().numpy().reshape(-1)
        if target.size and not 0 <= target.min() <= target.max() < self.n_classes:
            raise RuntimeError(f"target values should be in [0, {self.n_classes - 1}], got {target.min()} to {target.max()}")
        cluster = np.searchsorted(self.cutoffs, target, side="right")  # 0 for the head's own classes
        in_head = np.where(cluster == 0, target, self.shortlist_size + cluster - 1)
        output = log_softmax(self.head(input), 1).gather(1, wrap(in_head[:, None])).squeeze(1)
        for i, layers in enumerate(self.tail):
            rows = np.flatnonzero(cluster == i + 1)
            if rows.size:
                inside = wrap(target[rows, None] - self.cutoffs[i])
                found = log_softmax(layers(input[wrap(rows)]), 1).gather(1, inside).squeeze(1)
                output = output.index_add(0, wrap(rows), found)
        return _ASMoutput(output.reshape(target_.shape), (-output).mean())

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes: (N, in_features) -> (N, n_classes)."""
        head = log_softmax(self.head(input), 1)
        parts = [head[:, : self.shortlist_size]]
        for i, layers in enumerate(self.tail):
            at = self.shortlist_size + i
            parts.append(log_softmax(layers(input), 1) + head[:, at : at + 1])
        return cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable classes: (N, in_features) -> (N,)."""
        return self.log_prob(input).argmax(1)
