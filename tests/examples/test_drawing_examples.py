"""The examples that draw, run as a user runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, *arguments):
    command = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_backprop_by_hand_agrees_and_writes_its_page(tmp_path):
    done = run("backprop_by_hand.py", "--no-open", "--out", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("do/d")]
    assert [row[0] for row in rows] == ["do/dx1", "do/dx2", "do/dw1", "do/dw2", "do/db"]
    assert all(row[1] == row[2] for row in rows)
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_draw_mlp_learns_and_draws(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: there are no plots")
    done = run("draw_mlp.py", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "100% right" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {
        "graph.svg", "backprop.html", "training.html", "loss.png", "activations.png", "gradients.png", "updates.png", "boundary.png"
    }  # fmt: skip


@pytest.mark.parametrize("name", ["backprop_by_hand.py", "draw_mlp.py"])
def test_what_cannot_be_written_is_one_line(name, tmp_path):
    (tmp_path / "file").write_text("")
    done = run(name, "--out", tmp_path / "file" / "x.html", *(["--no-open"] if name.startswith("back") else []))
    assert done.returncode == 1
    assert done.stderr.startswith(name.removesuffix(".py") + ": ")
    assert done.stderr.count("\n") == 1
