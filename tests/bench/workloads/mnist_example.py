"""examples/mnist_mlp.py, an epoch on 60,000 images from the start of the process to its end; under PyTorch the same file.

The images are made up, so that nothing need be downloaded; neither side draws pictures.
"""

from __future__ import annotations

import getpass
import os
import random
import runpy
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.workload import Step

NAME = "mnist_example"
SIZES = {"one epoch": {"epochs": 1}}
QUANTITIES = ("wall", "peak")
LINES = {("one epoch", "peak"): 0.6}
ONCE = True
PROGRAM = Path(__file__).parents[3] / "examples" / "mnist_mlp.py"


def images() -> Path:
    """A folder with four files as MNIST's, written once."""
    folder = Path(tempfile.gettempdir()) / f"tinygrad_nn-bench-mnist-{getpass.getuser()}"
    folder.mkdir(exist_ok=True)
    rng = random.Random(0)
    for part, count in (("train", 60_000), ("t10k", 10_000)):
        for kind, shape in (("images-idx3", (count, 28, 28)), ("labels-idx1", (count,))):
            path, size = folder / f"{part}-{kind}-ubyte", count * (784 if len(shape) == 3 else 1)
            if path.exists():
                continue
            values = rng.randbytes(size) if len(shape) == 3 else bytes(rng.choices(range(10), k=size))
            whole = path.with_suffix(f".{os.getpid()}")
            whole.write_bytes(bytes((0, 0, 8, len(shape))) + b"".join(n.to_bytes(4, "big") for n in shape) + values)
            whole.replace(path)
    return folder


def build(torch: Any, epochs: int) -> Step:
    if torch.__name__ == "torch":
        from tests.bench import torch_as_ours

        torch_as_ours.install()

    def step() -> None:
        with tempfile.TemporaryDirectory() as out:
            sys.argv = [str(PROGRAM), "--epochs", str(epochs), "--data", str(images()), "--out", out, "--quiet"]
            sys.modules["matplotlib"] = None
            os.environ["PATH"] = ""  # nor is there a `dot`
            try:
                runpy.run_path(str(PROGRAM), run_name="__main__")
            except SystemExit as end:
                if end.code:
                    raise

    return step
