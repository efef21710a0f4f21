"""The main example, run as a user runs it: without a network, with bad arguments, with a folder that cannot be."""

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "examples" / "mnist_mlp.py"


def run(tmp_path, *arguments):
    environment = {
        **os.environ, "TINYGRAD_NN_DATA": str(tmp_path / "none"), "OPENBLAS_NUM_THREADS": "1",
        "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9",
    }  # fmt: skip
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_without_a_network_it_trains_on_the_digits(tmp_path):
    out = tmp_path / "out"
    done = run(tmp_path, "--epochs", 3, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "training on scikit-learn's 8x8 digits" in done.stdout.splitlines()[0]
    assert "epoch  3" in done.stdout
    names = {path.name for path in out.iterdir()}
    assert {"model.safetensors", "history.json", "curves.png", "confusion.png", "mistakes.png", "weights.png"} <= names
    assert {"graph.svg", "backprop.html"} <= names
    assert len(json.loads((out / "history.json").read_text())["train_loss"]) == 3


def test_what_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    for arguments in (["--out", tmp_path / "file" / "out"], ["--data", tmp_path / "none", "--out", tmp_path / "out"]):
        done = run(tmp_path, *arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("mnist_mlp: ")
        assert done.stderr.count("\n") == 1


def test_bad_arguments_are_told(tmp_path):
    done = run(tmp_path, "--epochs", 0)
    assert done.returncode == 2
    assert "must be at least 1" in done.stderr
