"""The notebook's three programs, run as a user runs them, on real digits: put right they learn, as written they do not."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "notebook"
pytest.importorskip("sklearn")


def run(tmp_path, program, *arguments):
    environment = {
        **os.environ, "TINYGRAD_NN_DATA": str(tmp_path / "none"), "OPENBLAS_NUM_THREADS": "1",
        "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "PYTHONPATH": str(FOLDER.parents[1]),
    }  # fmt: skip
    command = [sys.executable, str(FOLDER / program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


PROGRAMS = ("numpy_by_hand.py", "pytorch_style.py", "keras_style.py")


@pytest.mark.parametrize("program", PROGRAMS)
def test_put_right_it_learns(tmp_path, program):
    done = run(tmp_path, program, "--epochs", 12)
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"test accuracy ([\d.]+)%", done.stdout)[1]) > 93
    assert done.stderr == ""


CAUSES = dict(zip(PROGRAMS, ("input-scale", "softmax-before-bce-with-logits", "bce-on-raw-scores"), strict=True))


@pytest.mark.parametrize("program", PROGRAMS)
def test_as_written_the_true_cause_comes_first(tmp_path, program):
    done = run(tmp_path, program, "--as-written", "--epochs", 2, "--samples", 600)
    assert done.returncode == 0, done.stderr
    assert re.search(r"1\. error  ([a-z-]+):", done.stdout)[1] == CAUSES[program]


def test_the_gradients_by_hand_are_proved(tmp_path):
    done = run(tmp_path, "numpy_by_hand.py", "--epochs", 1, "--samples", 64)
    assert "by gradient checking right" in done.stdout.splitlines()[1]


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_cannot_be_is_one_line(tmp_path, program):
    done = run(tmp_path, program, "--data", tmp_path / "none")
    assert done.returncode == 1
    assert done.stderr.startswith(program.removesuffix(".py") + ": ")
    assert done.stderr.count("\n") == 1
