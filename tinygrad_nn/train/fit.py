"""fit, evaluate and predict: the loop that every training is, with nothing hidden in it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.creation import from_numpy
from tinygrad_nn.doctor.watch import watch
from tinygrad_nn.nn import Module
from tinygrad_nn.optim import Optimizer
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.train.callbacks import Callback
from tinygrad_nn.train.checkpoint import Checkpoint, random_states, set_random_states
from tinygrad_nn.train.history import History
from tinygrad_nn.train.metrics import Metric, Totals

Loss = Callable[[Any, Any], Tensor]


@dataclass
class Run:
    """A training under way: what callbacks see, and all that a checkpoint holds."""

    model: Module
    optimizer: Optimizer
    loader: Any
    scheduler: Any
    totals: Totals
    callbacks: Sequence[Callback]
    history: History = field(default_factory=History)
    epoch: int = 0  # epochs that are complete
    batch: int = 0  # batches of the epoch under way that are done
    step: int = 0  # batches in all
    epoch_start: dict[str, Any] | None = None  # the random states from which this epoch's order was drawn
    stop: bool = False  # set by a callback to end the training after this epoch


def fit(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    train_loader: Any,
    *,
    epochs: int,
    val: Any = None,
    metrics: Sequence[Metric] = (),
    callbacks: Sequence[Callback] = (),
    scheduler: Any = None,
    checkpoint: Checkpoint | str | os.PathLike[str] | None = None,
    doctor: bool = False,
    progress: bool | None = None,
) -> History:
    """Train `model` for `epochs` epochs on batches of inputs and a target, and return the history.

    `val`, another loader, is measured after each epoch, under names that begin with `val_`. `scheduler` steps after
    each epoch. With `checkpoint`, a folder or a Checkpoint, a run that was cut off goes on where it stood. With
    `doctor`, `history.report` says what is wrong. `progress` shows a bar; by default only where there is a terminal.
    An epoch without a batch is a ValueError; what is no optimizer, no metric or no batch is a TypeError.

    >>> import tinygrad_nn as torch
    >>> from tinygrad_nn import nn
    >>> from tinygrad_nn.utils.data import DataLoader, TensorDataset
    >>> _ = torch.manual_seed(0)
    >>> x = torch.randn(64, 2)
    >>> loader = DataLoader(TensorDataset(x, (x[:, 0] > x[:, 1]).long()), batch_size=16, shuffle=True)
    >>> model = nn.Linear(2, 2)
    >>> history = fit(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.5), loader, epochs=3)
    >>> history["loss"][2] < history["loss"][0]
    True
    """
    if not (hasattr(optimizer, "param_groups") and hasattr(optimizer, "step")):
        raise TypeError(f"fit: expected optimizer to be like torch.optim.SGD(model.parameters(), lr=0.1), got {optimizer!r}")
    run = Run(model, optimizer, train_loader, scheduler, Totals(metrics), callbacks)
    if checkpoint is not None and not isinstance(checkpoint, Checkpoint):
        checkpoint = Checkpoint(checkpoint)
    if checkpoint is not None:
        checkpoint.resume(run)
    with watch(model, optimizer) if doctor else nullcontext() as run.history.report:
        for callback in callbacks:
            callback.on_start(run)
        while run.epoch < epochs and not run.stop:
            start = time.perf_counter()
            _train_epoch(run, loss, checkpoint, bar(train_loader, f"epoch {run.epoch + 1}/{epochs}", progress))
            found = run.totals.values() | {"lr": float(optimizer.param_groups[0]["lr"])}
            if val is not None:
                measured = evaluate(model, loss, val, metrics)
                found |= {f"val_{name}": value for name, value in measured.items()}
            run.history.add(found)
            run.history.seconds.append(time.perf_counter() - start)
            run.epoch, run.batch, run.totals = run.epoch + 1, 0, Totals(metrics)
            _step_scheduler(scheduler, found)
            for callback in callbacks:
                callback.on_epoch(run)
            if checkpoint is not None:
                checkpoint.save(run)
        for callback in callbacks:
            callback.on_end(run)
    return run.history


def _train_epoch(run: Run, loss: Loss, checkpoint: Checkpoint | None, shown: Any) -> None:
    """Go through the loader once, or through what a checkpoint left of it."""
    model, optimizer, totals = run.model, run.optimizer, run.totals
    after_batch = [c.on_batch for c in run.callbacks if type(c).on_batch is not Callback.on_batch]
    model.train()
    if checkpoint is not None:
        after_batch.append(checkpoint.on_batch)
    for batch in _batches(run, checkpoint is not None):
        inputs, target = inputs_and_target(batch)
        output = model(*inputs)
        value = loss(output, target)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        totals.add(value.item(), output, target)
        run.batch += 1
        run.step += 1
        for call in after_batch:
            call(run)
        if shown is not None:
            shown(totals)
    if shown is not None:
        shown(None)
    if not run.batch:
        raise ValueError(f"fit: epoch {run.epoch + 1} got no batches from train_loader; a generator gives them only once")


def inputs_and_target(batch: Any) -> tuple[Sequence[Any], Any]:
    """The inputs of a batch, and its target, which is last; TypeError for what is no tuple or list of both.

    >>> inputs_and_target((Tensor([1.0]), Tensor([2.0]), Tensor([3.0])))
    ((tensor([1.]), tensor([2.])), tensor([3.]))
    """
    if isinstance(batch, tuple | list) and len(batch) >= 2:
        return batch[:-1], batch[-1]
    found = f"{type(batch).__name__} of length {len(batch)}" if hasattr(batch, "__len__") else type(batch).__name__
    raise TypeError(f"expected batches (inputs, target), as DataLoader(TensorDataset(inputs, targets)) gives them, got a {found}")


def _batches(run: Run, replay: bool) -> Iterator[Any]:
    """This epoch's batches; of an epoch cut off, the same order is drawn again and the batches done are skipped."""
    if not replay:
        yield from run.loader
        return
    done, now = run.batch, random_states(run.loader)
    if done and run.epoch_start is not None:
        set_random_states(run.loader, run.epoch_start)
    else:
        run.epoch_start = now
    batches = iter(run.loader)
    for _ in islice(batches, done):
        pass
    if done:
        set_random_states(run.loader, now)
    yield from batches


def _step_scheduler(scheduler: Any, found: dict[str, Any]) -> None:
    if scheduler is not None:
        watched = (found.get("val_loss", found["loss"]),) if hasattr(scheduler, "patience") else ()
        scheduler.step(*watched)


def bar(loader: Any, title: str, wanted: bool | None = None) -> Callable[[Totals | None], None] | None:
    """A function that shows the totals in a progress bar with rate and remaining time, or None where nobody looks."""
    notebook = "ipykernel" in sys.modules
    if wanted is False or not (wanted or notebook or sys.stderr.isatty()):
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    line = tqdm(total=len(loader) if hasattr(loader, "__len__") else None, desc=title, leave=True)

    def show(totals: Totals | None) -> None:
        if totals is None:
            line.close()
        elif line.update():  # true when the line was redrawn, which is seldom
            line.set_postfix({name: f"{v:.4f}" for name, v in totals.values().items() if isinstance(v, float)}, refresh=False)

    return show


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Evaluation mode and no graph; afterwards every module is in the mode in which it was."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def evaluate(model: Module, loss: Loss, loader: Iterable[Any], metrics: Sequence[Metric] = ()) -> dict[str, Any]:
    """The mean loss and the metrics of a model in evaluation mode, over the batches of a loader.

    >>> from tinygrad_nn import nn
    >>> from tinygrad_nn.train import MeanAbsoluteError
    >>> evaluate(nn.Identity(), nn.MSELoss(), [(Tensor([1.0, 2.0]), Tensor([1.0, 4.0]))], [MeanAbsoluteError()])
    {'loss': 2.0, 'mean_absolute_error': 1.0}
    """
    totals = Totals(metrics)
    with evaluating(model):
        for batch in loader:
            inputs, target = inputs_and_target(batch)
            output = model(*inputs)
            totals.add(loss(output, target).item(), output, target)
    if not totals.samples:
        raise ValueError("evaluate: the loader gave no batches")
    return totals.values()


def predict(model: Module, data: Any, batch_size: int = 1000) -> Tensor:
    """The outputs of a model in evaluation mode for a tensor of inputs, or for a loader of inputs with or without targets.

    >>> from tinygrad_nn import nn
    >>> predict(nn.ReLU(), Tensor([[-1.0], [2.0]]))
    tensor([[0.],
            [2.]])
    """
    if isinstance(data, Tensor):
        data = [(data[i : i + batch_size],) for i in range(0, len(data), batch_size)]
    found = []
    with evaluating(model):
        for batch in data:
            inputs = (batch,) if isinstance(batch, Tensor) else batch[:1] if len(batch) == 1 else batch[:-1]
            found.append(model(*inputs).numpy())
    return from_numpy(np.concatenate(found))
