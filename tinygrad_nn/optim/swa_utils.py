"""Averages of weights along a training, and the schedule that goes with them (Izmailov et al. 2018, arXiv:1803.05407)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.optim.lr_scheduler.base import LRScheduler, one_for_each, values_of
from tinygrad_nn.optim.optimizer import Optimizer

__all__ = ["SWALR", "get_ema_avg_fn", "get_swa_avg_fn"]


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], Any]:
    """A function of an exponential average, the values to take in, and their number, which it does not need.

    >>> from tinygrad_nn.tensor import Tensor
    >>> get_ema_avg_fn(0.75)(Tensor([0.0]), Tensor([1.0]), 3)
    tensor([0.2500])
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")

    def ema_update(average: Any, current: Any, num_averaged: Any) -> Any:
        with no_grad():
            return decay * average + (1 - decay) * current

    return ema_update


def get_swa_avg_fn() -> Callable[[Any, Any, Any], Any]:
    """A function of the mean of so many values, and the next one to take in.

    >>> from tinygrad_nn.tensor import Tensor
    >>> get_swa_avg_fn()(Tensor([0.0]), Tensor([1.0]), 3)
    tensor([0.2500])
    """

    def swa_update(average: Any, current: Any, num_averaged: Any) -> Any:
        with no_grad():
            return average + (current - average) / (num_averaged + 1)

    return swa_update


class SWALR(LRScheduler):
    """From the learning rate as it is to `swa_lr` in `anneal_epochs` epochs, and there it stays.

    >>> import tinygrad_nn as torch
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.75]
    """

    def __init__(
        self, optimizer: Optimizer, swa_lr: Any, anneal_epochs: int = 10, anneal_strategy: str = "cos", last_epoch: int = -1
    ) -> None:
        for group, lr in zip(optimizer.param_groups, one_for_each("swa_lr", optimizer, swa_lr), strict=True):
            group["swa_lr"] = lr
        if anneal_strategy not in {"cos", "linear"}:
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """How much of `swa_lr` is in the learning rate at a step."""
        part = max(0, min(1, step / max(1, self.anneal_epochs)))
        return part if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * part)) / 2

    def _next_lr(self) -> list[Any]:
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        lrs = []
        for group, lr in zip(self.optimizer.param_groups, values_of(self.optimizer, "lr"), strict=True):
            goal = group["swa_lr"]
            start = goal if before == 1 else (lr - before * goal) / (1 - before)  # what the mixture before was made from
            lrs.append(goal * now + start * (1 - now))
        return lrs
