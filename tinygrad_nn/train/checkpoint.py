"""Checkpoints: all that a training depends on in one safetensors file, written in one step, checked when read."""

from __future__ import annotations

import os
import random
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_nn.generator import Generator, default_generator
from tinygrad_nn.serialization import load, save
from tinygrad_nn.train.callbacks import Callback
from tinygrad_nn.train.history import History, lower_is_better

if TYPE_CHECKING:
    from tinygrad_nn.train.fit import Run

FORMAT = 1


class Checkpoint(Callback):
    """Keep a training in `folder`: after each epoch, and every `every` batches, the last `keep` files and the best.

    `best` names the value by which `best.safetensors` is chosen: by default `val_loss`, or `loss` without validation.

    >>> import tempfile
    >>> Checkpoint(tempfile.mkdtemp()).files()
    []
    """

    def __init__(self, folder: str | os.PathLike[str], every: int | None = None, keep: int = 3, best: str | None = None) -> None:
        if keep < 1 or (every is not None and every < 1):
            raise ValueError(f"Checkpoint: expected keep and every of at least 1, got {keep} and {every}")
        self.folder, self.every, self.keep, self.best = Path(folder), every, keep, best
        if self.folder.is_file():
            raise NotADirectoryError(f"Checkpoint: expected a folder, {self.folder} is a file")

    def files(self) -> list[Path]:
        """The checkpoints that are there, oldest first; the best is apart."""
        return sorted(self.folder.glob("step-*.safetensors"))

    def on_batch(self, run: Run) -> None:
        """Save, if it is time."""
        if self.every and run.step % self.every == 0:
            self.save(run)

    def save(self, run: Run) -> Path:
        """Write the state of a run, and remove what is no longer among the last."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"step-{run.step:09d}.safetensors"
        save(state_of(run), path)
        name = self.best or ("val_loss" if "val_loss" in run.history else "loss")
        column = run.history.get(name)
        if column and run.batch == 0 and column[-1] == (min if lower_is_better(name) else max)(column):
            _replace(path, self.folder / "best.safetensors")
        for old in self.files()[: -self.keep]:
            old.unlink()
        return path

    def load(self) -> dict[str, Any] | None:
        """The newest state that is whole, or None; a file that is damaged is named in a warning and passed over."""
        for path in reversed(self.files()):
            try:
                return read(path)
            except (ValueError, OSError) as error:
                warnings.warn(f"{error}; the checkpoint before it is used", stacklevel=2)
        return None

    def resume(self, run: Run) -> bool:
        """Put a run into the newest state that is whole; False if there is none."""
        for leftover in self.folder.glob(".*.safetensors.*"):  # what a write that was cut off left
            leftover.unlink()
        state = self.load()
        if state is None:
            return False
        restore(run, state)
        return True


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The state in a file; ValueError, in one line, if it is damaged or no checkpoint."""
    state = load(path)
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{path}: expected a checkpoint of format {FORMAT}, found another safetensors file")
    return state


def state_of(run: Run) -> dict[str, Any]:
    """All that the rest of a training depends on."""
    return {
        "format": FORMAT,
        "model": dict(run.model.state_dict()),
        "modes": [module.training for module in run.model.modules()],
        "optimizer": run.optimizer.state_dict(),
        "scheduler": None if run.scheduler is None else run.scheduler.state_dict(),
        "position": {"epoch": run.epoch, "batch": run.batch, "step": run.step, "stop": run.stop},
        "totals": run.totals.state_dict(),
        "random": random_states(run.loader),
        "epoch_start": run.epoch_start if run.batch else None,
        "history": dict(run.history),
        "callbacks": [callback.state_dict() for callback in run.callbacks],
    }


def restore(run: Run, state: dict[str, Any]) -> None:
    """Put a run into a state that `state_of` gave; what does not fit is an error of the part that refuses it."""
    run.model.load_state_dict(state["model"])
    for module, mode in zip(run.model.modules(), state["modes"], strict=True):
        module.training = mode
    run.optimizer.load_state_dict(state["optimizer"])
    if run.scheduler is not None and state["scheduler"] is not None:
        run.scheduler.load_state_dict(state["scheduler"])
    position = state["position"]
    run.epoch, run.batch, run.step, run.stop = (position[name] for name in ("epoch", "batch", "step", "stop"))
    run.totals.load_state_dict(state["totals"])
    run.history = History(state["history"])
    run.epoch_start = state["epoch_start"]
    if len(state["callbacks"]) != len(run.callbacks):
        raise ValueError(f"checkpoint: expected the state of {len(run.callbacks)} callbacks, found {len(state['callbacks'])}")
    for callback, kept in zip(run.callbacks, state["callbacks"], strict=True):
        callback.load_state_dict(kept)
    set_random_states(run.loader, state["random"])


def _generators(loader: Any) -> Iterator[Generator]:
    """The default generator and those that the loader draws from, each once."""
    sampler, batches = getattr(loader, "sampler", None), getattr(loader, "batch_sampler", None)
    holders = (loader, sampler, batches, getattr(batches, "sampler", None))
    found = [default_generator, *(getattr(holder, "generator", None) for holder in holders)]
    yield from {id(generator): generator for generator in found if generator is not None}.values()


def random_states(loader: Any) -> dict[str, Any]:
    """Where every source of random numbers stands: this package's, the loader's, NumPy's and Python's."""
    kind, words, position, has_normal, normal = np.random.get_state()  # noqa: NPY002  user code may draw from it
    version, numbers, gauss = random.getstate()
    return {
        "generators": [generator.state() for generator in _generators(loader)],
        "numpy": [kind, np.array(words, np.int64), position, has_normal, normal],
        "python": [version, np.array(numbers, np.int64), gauss],
    }


def set_random_states(loader: Any, states: dict[str, Any]) -> None:
    """Put every source of random numbers where `random_states` found it."""
    for generator, state in zip(_generators(loader), states["generators"], strict=True):
        generator.restore(state)
    kind, words, *rest = states["numpy"]
    np.random.set_state((kind, words.astype(np.uint32), *rest))  # noqa: NPY002
    version, numbers, gauss = states["python"]
    random.setstate((version, tuple(int(n) for n in numbers), gauss))


def _replace(source: Path, target: Path) -> None:
    """Copy a file in one step."""
    beside = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, beside)
    os.replace(beside, target)
