"""LRScheduler: sets the groups' learning rates, epoch after epoch; knows no schedule."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any
from weakref import ref

from tinygrad_nn.optim.optimizer import Optimizer
from tinygrad_nn.tensor import Tensor

EPOCH_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler."
)
ORDER_WARNING = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. You should call them in the opposite order: "
    "`optimizer.step()` before `lr_scheduler.step()`. Failure to do this will skip the first value of the learning rate schedule."
)

OVERRIDDEN_WARNING = (
    "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization: whether it is called before "
    "`lr_scheduler.step()` cannot be told. Build the scheduler after overriding it."
)


class LRScheduler:
    """The base of all schedulers: counts the epochs and hands each group the learning rate that `get_lr` finds for it.

    A scheduler has up to two formulas: from the last learning rate (`_next_lr_`), so that schedulers chain, and from the epoch
    alone (`_get_closed_form_lr`), used by `step(epoch)`.

    >>> import tinygrad_nn as torch
    >>> class Halving(LRScheduler):
    ...     def get_lr(self):
    ...         return [lr * 0.5**self.last_epoch for lr in self.base_lrs]
    >>> optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.8)
    >>> scheduler = Halving(optimizer)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.2]
    """

    _get_lr_called_within_step = False
    _is_initial = False
    _unsaved_: tuple[str, ...] = ("optimizer",)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = check_optimizer(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with last_epoch >= 0: "
                    "load the optimizer's state first, or leave last_epoch at -1"
                )
        self.base_lrs = values_of(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        note_steps(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        """Set the learning rates of the first epoch."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """All that the scheduler knows but its optimizer, under PyTorch's names."""
        return {k: v for k, v in self.__dict__.items() if k not in self._unsaved_}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Any]:
        """The learning rates that were set last, one for each group."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The learning rates of this epoch, for `step` alone to call."""
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.", UserWarning, stacklevel=2
            )
        return self._next_lr_()

    def _next_lr_(self) -> list[Any]:
        raise NotImplementedError

    def _get_closed_form_lr(self) -> list[Any]:
        return self.get_lr()

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch, after the optimizer's step, or to a certain one."""
        if self._step_count == 1:
            if not hasattr(self.optimizer.step, "_noted"):
                warnings.warn(OVERRIDDEN_WARNING, UserWarning, stacklevel=2)
            elif not getattr(self.optimizer, "_opt_called", False):
                warnings.warn(ORDER_WARNING, UserWarning, stacklevel=2)
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        with self._stepping_():
            self._set_(self.get_lr() if epoch is None else self._get_closed_form_lr())

    def _set_(self, lrs: list[Any]) -> None:
        for group, lr in zip(self.optimizer.param_groups, lrs, strict=True):
            assign(group, "lr", lr)
        self._last_lr = values_of(self.optimizer, "lr")

    @contextmanager
    def _stepping_(self) -> Iterator[None]:
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False


class Factored(LRScheduler):
    """A scheduler that multiplies all learning rates by one factor an epoch."""

    def _factor_(self) -> float:
        """What the last learning rates are multiplied by at this epoch."""
        raise NotImplementedError

    def _factor_so_far_(self) -> float:
        """What the first learning rates are multiplied by at this epoch."""
        raise NotImplementedError

    def _next_lr_(self) -> list[Any]:
        factor = self._factor_()
        return [lr * factor for lr in values_of(self.optimizer, "lr")]

    def _get_closed_form_lr(self) -> list[Any]:
        factor = self._factor_so_far_()
        return [lr * factor for lr in self.base_lrs]


def check_optimizer(optimizer: Any) -> Optimizer:
    """The optimizer; TypeError if it is none."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def note_steps(optimizer: Any) -> None:
    """Have the optimizer note that its `step` was called, in `_opt_called`."""
    if hasattr(optimizer.step, "_noted"):
        return
    step = optimizer.step.__func__  # the instance's own, where one is set as a method
    weak = ref(optimizer)  # the optimizer holds the function below, which must not hold it in turn

    @wraps(step)
    def noted(*args: Any, **options: Any) -> Any:
        own = weak()
        own._opt_called = True  # type: ignore[union-attr]
        return step(own, *args, **options)

    noted._noted = True  # type: ignore[attr-defined]
    optimizer.step = noted


def copied(value: Any) -> Any:
    """A learning rate that later writes leave alone: a tensor's values are copied."""
    return value.clone() if isinstance(value, Tensor) else value


def values_of(optimizer: Optimizer, option: str) -> list[Any]:
    """An option of all groups."""
    return [copied(group[option]) for group in optimizer.param_groups]


def assign(group: dict[str, Any], option: str, value: Any) -> None:
    """Set an option of a group; a tensor keeps its place and takes the value."""
    if isinstance(group[option], Tensor):
        group[option].fill_(float(value))
    else:
        group[option] = value


def one_for_each(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """A value for each group: the list's values, or the one value for all."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [copied(value) for _ in range(groups)]
    if len(value) != groups:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, "
            f"param_groups has {groups}."
        )
    return [copied(v) for v in value]
