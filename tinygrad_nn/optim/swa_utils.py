"""Averages of weights along a training, and the schedule that goes with them (Izmailov et al. 2018, arXiv:1803.05407)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.creation import zeros
from tinygrad_nn.dtypes import int64
from tinygrad_nn.nn.module import Module
from tinygrad_nn.nn.normalization import _BatchNorm
from tinygrad_nn.optim.lr_scheduler.base import LRScheduler, one_for_each, values_of
from tinygrad_nn.optim.optimizer import Optimizer

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn", "update_bn",
]  # fmt: skip


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


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], None]:
    """A function that moves a list of exponential averages, in place, towards a list of values."""
    get_ema_avg_fn(decay)  # which checks it

    def ema_update(averages: Any, values: Any, num_averaged: Any) -> None:
        with no_grad():
            for average, value in zip(averages, values, strict=True):
                if average.is_floating_point():
                    average.lerp_(value, 1 - decay)
                else:
                    average.copy_(decay * average + (1 - decay) * value)

    return ema_update


def get_swa_multi_avg_fn() -> Callable[[Any, Any, Any], None]:
    """A function that takes a list of values into a list of means, in place."""

    def swa_update(averages: Any, values: Any, num_averaged: Any) -> None:
        with no_grad():
            for average, value in zip(averages, values, strict=True):
                average.lerp_(value, 1 / (float(num_averaged) + 1))

    return swa_update


class AveragedModel(Module):
    """A copy of a model whose parameters, and buffers if `use_buffers`, are means of those it had at each update.

    AssertionError for both ways to average at once.
    """

    n_averaged: Any

    def __init__(
        self, model: Module, device: Any = None, avg_fn: Callable[[Any, Any, Any], Any] | None = None,
        multi_avg_fn: Callable[[Any, Any, Any], None] | None = None, use_buffers: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module.to(device)
        self.register_buffer("n_averaged", zeros((), dtype=int64))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the copy gives."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the model as it is now into the means; without `use_buffers` the buffers become the model's."""
        with no_grad():
            mine, theirs = ([*m.parameters(), *(m.buffers() if self.use_buffers else ())] for m in (self.module, model))
            if not int(self.n_averaged):
                for average, value in zip(mine, theirs, strict=True):
                    average.copy_(value.detach())
            elif self.multi_avg_fn is None:
                average_of = self.avg_fn or get_swa_avg_fn()
                for average, value in zip(mine, theirs, strict=True):  # a whole number stays one: its average is cut off
                    average.copy_(average_of(average.detach(), value.detach(), self.n_averaged))
            else:
                for dtype in dict.fromkeys(average.dtype for average in mine):
                    pairs = [(a.detach(), v.detach()) for a, v in zip(mine, theirs, strict=True) if a.dtype == dtype]
                    self.multi_avg_fn([a for a, _ in pairs], [v for _, v in pairs], self.n_averaged)
            if not self.use_buffers:
                for average, value in zip(self.module.buffers(), model.buffers(), strict=True):
                    average.copy_(value.detach())
        self.n_averaged += 1


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Count the statistics of batch normalization anew, over the inputs that the loader gives."""
    norms = [part for part in model.modules() if isinstance(part, _BatchNorm)]
    if not norms:
        return
    was_training, momenta = model.training, [norm.momentum for norm in norms]
    model.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
    with no_grad():
        for batch in loader:
            model(batch[0] if isinstance(batch, list | tuple) else batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.train(was_training)


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

    def _share_(self, step: int) -> float:
        """How much of `swa_lr` is in the learning rate at a step."""
        part = max(0, min(1, step / max(1, self.anneal_epochs)))
        return part if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * part)) / 2

    def _next_lr_(self) -> list[Any]:
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share_(step - 1), self._share_(step)
        lrs = []
        for group, lr in zip(self.optimizer.param_groups, values_of(self.optimizer, "lr"), strict=True):
            goal = group["swa_lr"]
            start = goal if before == 1 else (lr - before * goal) / (1 - before)  # what the mixture before was made from
            lrs.append(goal * now + start * (1 - now))
        return lrs
