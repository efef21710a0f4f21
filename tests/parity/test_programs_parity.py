"""Whole programs under both packages from one seed: every loss, and what they make in the end, is the same."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import settings

import tinygrad_nn
from tests.parity.lessons import LESSONS
from tests.parity.programs import TRAININGS
from tests.train.test_notebook import run

torch = pytest.importorskip("torch")
pytest.importorskip("torch.utils.data")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def steps():
    """60, and 200 under the profile `soak`."""
    return 200 if settings.default.max_examples > 1000 else 60


def same(program, *args, tolerance=1e-4):
    theirs, ours = [], []
    for package, found in ((torch, theirs), (tinygrad_nn, ours)):
        package.manual_seed(1337)
        found += program(package, *args)
    for i, (a, b) in enumerate(itertools.zip_longest(theirs, ours)):
        if isinstance(a, float):
            assert np.isclose(b, a, rtol=tolerance, atol=1e-6), f"value {i} of {len(theirs)}: expected {a}, got {b}"
        else:
            assert a == b, f"value {i} of {len(theirs)}: expected {a}, got {b}"


@pytest.mark.parametrize("name", TRAININGS)
def test_trainings(name):
    same(TRAININGS[name], steps())


@pytest.mark.parametrize("name", LESSONS)
def test_lessons(name, tmp_path):
    same(LESSONS[name], tmp_path)


def test_the_notebooks_program_runs_on_either(tmp_path):
    ours, theirs = (run(tmp_path, "pytorch_style.py", "--epochs", 2, *flag) for flag in ([], ["--torch"]))
    assert theirs.returncode == 0, theirs.stderr
    losses = [re.findall(r"loss ([\d.]+)", done.stdout) for done in (ours, theirs)]
    assert losses[0] == losses[1] != []
