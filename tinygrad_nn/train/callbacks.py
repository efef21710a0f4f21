"""Callbacks: what is called as a training goes on; each may keep a state, which checkpoints hold."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinygrad_nn.train.history import lower_is_better

if TYPE_CHECKING:
    from tinygrad_nn.train.fit import Run


class Callback:
    """The base of all callbacks: override what you need; `run` has the model, the optimizer, the history and the position."""

    def on_start(self, run: Run) -> None:
        """Called before the first batch, after a checkpoint was taken up."""

    def on_batch(self, run: Run) -> None:
        """Called after each optimizer step."""

    def on_epoch(self, run: Run) -> None:
        """Called when an epoch is in the history."""

    def on_end(self, run: Run) -> None:
        """Called after the last epoch."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint has to keep."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` gave."""


class EarlyStopping(Callback):
    """Stop when `monitor` has not become better by `min_delta` for `patience` epochs."""

    def __init__(self, monitor: str = "val_loss", patience: int = 3, min_delta: float = 0.0) -> None:
        self.monitor, self.patience, self.min_delta = monitor, patience, min_delta
        self.best: float | None = None
        self.waited = 0

    def on_epoch(self, run: Run) -> None:
        """Count the epochs without progress; KeyError if nothing of this name is measured."""
        if self.monitor not in run.history:
            raise KeyError(f"EarlyStopping: expected monitor to be one of {list(run.history)}, got '{self.monitor}'")
        value = run.history[self.monitor][-1]
        gain = 0.0 if self.best is None else self.best - value if lower_is_better(self.monitor) else value - self.best
        if self.best is None or gain > self.min_delta:
            self.best, self.waited = value, 0
        else:
            self.waited += 1
            run.stop = run.stop or self.waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """The best value, and how long ago it was."""
        return {"best": self.best, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on counting."""
        self.best, self.waited = state["best"], state["waited"]


class LearningRate(Callback):
    """Set the learning rate of every group to `schedule(epoch)`, epochs counted from 0."""

    def __init__(self, schedule: Callable[[int], float]) -> None:
        self.schedule = schedule

    def on_start(self, run: Run) -> None:
        """The rate of the first epoch to come."""
        self.on_epoch(run)

    def on_epoch(self, run: Run) -> None:
        """The rate of the next epoch."""
        for group in run.optimizer.param_groups:
            group["lr"] = self.schedule(run.epoch)


class CSVLog(Callback):
    """Keep the history in a CSV file, a row an epoch; the file is written anew, so that a resumed run has no gaps."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def on_epoch(self, run: Run) -> None:
        """Write the file beside its place and rename it."""
        columns = run.history._numbers()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        with os.fdopen(handle, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", *columns])
            writer.writerows([i + 1, *row] for i, row in enumerate(zip(*columns.values(), strict=False)))
        os.replace(name, self.path)


class TensorBoardLog(Callback):
    """Log the history for TensorBoard; ImportError without tensorboardX."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from tensorboardX import SummaryWriter  # type: ignore[import-not-found, unused-ignore]
        except ImportError:
            raise ImportError("TensorBoardLog needs tensorboardX: pip install tensorboardX") from None
        self.writer = SummaryWriter(os.fspath(folder))

    def on_epoch(self, run: Run) -> None:
        """Add the last value of each column."""
        for name, column in run.history._numbers().items():
            self.writer.add_scalar(name, column[-1], run.epoch)

    def on_end(self, run: Run) -> None:
        """Close the log."""
        self.writer.close()


class PlotCurves(Callback):
    """Draw the history into a picture after each epoch."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def on_epoch(self, run: Run) -> None:
        """Draw the picture anew."""
        run.history.plot(self.path)
