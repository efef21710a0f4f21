"""Kill a training with SIGKILL at random moments and resume it; damage its checkpoints: how many end as they should.

python -m tests.bench.kill_and_resume --kills 50 --corruptions 2000
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.optim.lr_scheduler import StepLR
from tinygrad_nn.train import Accuracy, Callback, Checkpoint, EarlyStopping, fit
from tinygrad_nn.train.checkpoint import read
from tinygrad_nn.utils.data import DataLoader, TensorDataset


class Noise(Callback):
    """Draws from NumPy's and Python's generators, so that losing their state would show."""

    def on_batch(self, run: Any) -> None:
        for parameter in run.model.parameters():
            parameter.data += 1e-4 * (float(np.random.normal()) + random.random())  # noqa: NPY002  the global stream is what a checkpoint keeps


def train(folder: Path, epochs: int = 20) -> None:
    """A small training that depends on all that a checkpoint must hold."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  as above
    random.seed(0)
    x = torch.randn(600, 20)
    y = (x[:, :5].sum(1) > 0).long() + (x[:, 5:10].sum(1) > 0).long()
    data = TensorDataset(x[:500], y[:500])
    loader = DataLoader(data, batch_size=10, shuffle=True, generator=torch.Generator().manual_seed(7))
    val = DataLoader(TensorDataset(x[500:], y[500:]), batch_size=50)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    fit(
        model, nn.CrossEntropyLoss(), optimizer, loader, epochs=epochs, val=val, metrics=[Accuracy()],
        callbacks=[EarlyStopping(patience=50), Noise()], scheduler=StepLR(optimizer, 2, 0.5),
        checkpoint=Checkpoint(folder, every=7, keep=3),
    )  # fmt: skip


def canonical(value: Any) -> Any:
    """A state as something that is equal only if every byte is."""
    if isinstance(value, dict):
        return [(key, canonical(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    return (str(value.dtype), value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value


def final(folder: Path) -> Any:
    """The last state of a training, and its best, byte for byte."""
    return [canonical(read(path)) for path in (*Checkpoint(folder).files(), folder / "best.safetensors")]


def start(folder: Path) -> subprocess.Popen[str]:
    """A training in a process of its own, which says when it begins."""
    command = [sys.executable, "-m", "tests.bench.kill_and_resume", "--child", str(folder)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout as said:
        said.readline()
    return child


def kills(count: int, root: Path, seed: int = 0) -> int:
    """How many of `count` trainings, each killed at a random moment and resumed, end as the unbroken one."""
    begin = time.perf_counter()
    assert start(root / "whole").wait() == 0
    began = time.perf_counter()
    assert start(root / "timed").wait() == 0
    seconds = time.perf_counter() - began
    expected, equal, rng = final(root / "whole"), 0, random.Random(seed)
    assert expected == final(root / "timed"), "two unbroken runs differ"
    for i in range(count):
        folder, killed = root / f"run{i}", False
        while not killed:  # a training that ended before its moment came begins again
            shutil.rmtree(folder, ignore_errors=True)
            child = start(folder)
            with suppress(subprocess.TimeoutExpired):
                child.wait(rng.uniform(0.0, seconds))
            child.send_signal(signal.SIGKILL)
            killed = child.wait() == -signal.SIGKILL
        reached = [path.name for path in Checkpoint(folder).files()]
        ended = start(folder).wait()
        same = ended == 0 and final(folder) == expected
        equal += same
        print(f"{i + 1:3d}  killed after {reached[-1] if reached else 'the start'}  equal {same}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{equal} of {count} equal to the unbroken run, byte for byte ({time.perf_counter() - begin:.0f} s)")
    return equal


def damaged(content: bytes, rng: random.Random) -> bytes:
    """The bytes of a file with one kind of damage."""
    kind, at = rng.randrange(5), rng.randrange(len(content))
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]
    end = min(len(content), at + rng.randint(1, 64))
    if kind == 2:
        changed = content[:at] + rng.randbytes(end - at) + content[end:]
    elif kind == 3:
        changed = content[:at] + bytes(end - at) + content[end:]
    else:
        changed = content[:at] + rng.randbytes(rng.randint(1, 64)) + content[at:]
    return changed if changed != content else content[:at]


def corruptions(count: int, root: Path, seed: int = 0) -> int:
    """How many of `count` damaged checkpoints are named, with the one before used in their place."""
    folder = root / "damage"
    train(folder, epochs=1)
    checkpoint = Checkpoint(folder, keep=2)
    before, last = checkpoint.files()[-2:]
    good, whole, rng, caught = canonical(read(before)), last.read_bytes(), random.Random(seed), 0
    for _ in range(count):
        last.write_bytes(damaged(whole, rng))
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            found = checkpoint.load()
        named = len(seen) == 1 and str(last) in str(seen[0].message) and "\n" not in str(seen[0].message)
        caught += named and found is not None and canonical(found) == good
    last.write_bytes(whole)
    print(f"{caught} of {count} corruptions detected, named, and the checkpoint before used")
    return caught


def main() -> int:
    """Run both; 1 if anything is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--corruptions", type=int, default=2000)
    parser.add_argument("--child", type=Path)
    options = parser.parse_args()
    if options.child:
        print("begin", flush=True)
        train(options.child)
        return 0
    with tempfile.TemporaryDirectory() as root:
        equal = kills(options.kills, Path(root))
        caught = corruptions(options.corruptions, Path(root))
    return int(equal != options.kills or caught != options.corruptions)


if __name__ == "__main__":
    sys.exit(main())
