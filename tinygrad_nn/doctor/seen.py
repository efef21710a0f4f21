"""What the doctor has seen: plain data, gathered by the watch and read by the checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

LOSSES = (
    "cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss", "l1_loss",
    "smooth_l1_loss", "huber_loss",
)  # fmt: skip


@dataclass
class LossCall:
    """A call of a loss function."""

    kind: str  # the function's name, such as "cross_entropy"
    output: Any
    target: Any  # None where it is not known
    options: dict[str, Any]
    where: str = ""
    result: Any = None  # a weak reference to what it gave
    value: float = float("nan")  # of what it gave, in steps looked at closely


@dataclass
class Activation:
    """What an activation gave in one step."""

    path: str
    kind: str  # "sigmoid", "tanh" or "relu"
    hidden: bool
    flat: float  # the share of outputs where the function is flat
    fired: Any  # of a ReLU: whether each unit was positive for some sample
    samples: int
    bias: bool = True  # whether the layer before it has one


@dataclass
class Snapshot:
    """One step looked at closely."""

    step: int
    loss: float = 0.0
    inputs: list[Any] = field(default_factory=list)
    calls: list[LossCall] = field(default_factory=list)
    activations: list[Activation] = field(default_factory=list)
    gradients: dict[str, float] = field(default_factory=dict)  # root mean square by parameter
    weights: dict[str, float] = field(default_factory=dict)
    updates: dict[str, float] = field(default_factory=dict)  # |update| / |weight| by parameter
    left: float = 1.0  # the part of the gradients that clipping left


@dataclass
class Seen:
    """A training so far."""

    model: Any
    optimizer: Any
    names: dict[int, str]  # the dotted name of each parameter, by id
    parameters: dict[str, Any]
    steps: int = 0
    backwards: int = 0
    losses: list[float] = field(default_factory=list)  # of each backward
    validation: list[tuple[int, float]] = field(default_factory=list)  # the step before it, and the loss
    snapshots: list[Snapshot] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)  # the targets of the first steps
    later_labels: list[Any] = field(default_factory=list)  # those of the steps looked at afterwards
    rows: list[tuple[int, ...]] = field(default_factory=list)  # checksums of the input rows of the first steps
    validation_rows: set[int] = field(default_factory=set)
    with_gradient: set[str] = field(default_factory=set)
    kind: str = ""  # of the last loss
    where: str = ""  # its source line
    classes: int = 0
    several: bool = False  # whether backwards of other losses come between, as in adversarial training: the curve is no curve
    highest_rate: float = 0.0
    chained: str = ""  # two linear layers with nothing between them
    weighted: bool = False  # whether a loss was called with weights
    begun: int = 0  # passes through loaders of more than one batch
    starved: int = 0  # steps with less than a thousandth of the highest learning rate

    @property
    def chance(self) -> float | None:
        """The loss of the best constant answer, which needs to see no input; None where it is not known."""
        if not self.labels or not self.kind:
            return None
        target = np.concatenate([np.atleast_1d(label) for label in self.labels])
        if self.kind in ("cross_entropy", "nll_loss"):
            if target.dtype.kind == "f":
                share = target.reshape(-1, target.shape[-1]).mean(0)
            else:
                known = target[target >= 0].ravel()
                share = np.bincount(known) / max(known.size, 1)
            share = share[share > 0]
            return float(-(share * np.log(share)).sum())
        if self.kind.startswith("binary"):
            share = np.clip(target.mean(0, dtype=np.float64), 1e-12, 1 - 1e-12)
            return float(-(share * np.log(share) + (1 - share) * np.log(1 - share)).mean())
        if self.kind == "mse_loss":
            return float(target.var(0).mean())
        return None

    def smoothed(self, share: float, end: bool = True) -> float:
        """The mean loss of the last, or first, share of the steps."""
        count = max(1, round(len(self.losses) * share))
        part = self.losses[-count:] if end else self.losses[:count]
        return float(np.mean(part))

    @property
    def maximizes(self) -> bool:
        """Whether the optimizer goes uphill."""
        return self.optimizer is not None and any(group.get("maximize") for group in self.optimizer.param_groups)

    @property
    def learned(self) -> bool:
        """Whether the loss fell by three tenths and more."""
        return len(self.losses) >= 10 and self.smoothed(0.2) < self.losses[0] - 0.3 * abs(self.losses[0])

    def is_matrix(self, name: str) -> bool:
        """Whether a parameter has two axes or more."""
        return bool(self.parameters[name].ndim > 1)
