"""The pytest plugin in a project of its own: the items, their names, the page and the JUnit file."""

import subprocess
import sys

import numpy as np
import pytest

from tinygrad_nn.testing.contract import random_upstream
from tinygrad_nn.testing.samples import named_samples, shrunk

PROJECT = """
import numpy as np
from tinygrad_nn.testing import gradcheck_op

@gradcheck_op(samples=[((3, 4), (4,)), {second}])
def affine(a, b):
    return (a + b).sigmoid() * b

@gradcheck_op(samples={{"square": ((4, 4), (4, 4))}}, vjp=lambda g, a, b: (g @ b.T, (a.T @ g).T))
def product(a, b):
    return a @ b
"""


@pytest.fixture
def outcome(tmp_path):
    (tmp_path / "test_ops.py").write_text(PROJECT.format(second="((2,), ())"))
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"]
    command += ["--gradcheck-report=page.html", "--junitxml=junit.xml"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    return found, tmp_path


def test_items_page_and_junit(outcome):
    found, folder = outcome
    assert found.returncode == 1, found.stdout + found.stderr
    for item in ("affine[3x4,4-float64-order1]", "affine[3x4,4-float64-order2]", "affine[2,0-d-float32-order1]"):
        assert f"test_ops.py::{item} PASSED" in found.stdout
    assert "test_ops.py::product[square-float64-order1] FAILED" in found.stdout
    assert "transposed: the last two axes are exchanged" in found.stdout
    assert "smallest example found:\n    input 0 = array([[" in found.stdout
    assert "Traceback" not in found.stdout
    assert "product[square-float64-order1] - transpose: " in found.stdout
    page = (folder / "page.html").read_text()
    assert "8 checks, 2 failed" in page
    assert "http" not in page
    junit = (folder / "junit.xml").read_text()
    assert 'name="gradcheck" value="transpose"' in junit
    assert 'name="gradcheck" value="ok"' in junit


def test_a_check_that_raises_shows_where(tmp_path):
    (tmp_path / "test_ops.py").write_text(PROJECT.format(second="(3,)"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "missing 1 required positional argument: 'b'" in found.stdout


TARGETS = """
from tinygrad_nn import nn
from tinygrad_nn.testing import gradcheck_op

@gradcheck_op(samples=[((2, 3),)])
def made():
    return nn.Linear(3, 2)

@gradcheck_op(samples=[((2, 3),)])
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(nn.Linear(1, 1).weight)
    def forward(self, x):
        return self.scale * nn.functional.layer_norm(x, x.shape[-1:])

class TestMethods:
    factor = 2.0

    @gradcheck_op(samples=[((2, 3),)])
    def doubled(self, x):
        return x * self.factor

    @gradcheck_op(samples=[((2, 3),)])
    @staticmethod
    def tripled(x):
        return x * 3

@gradcheck_op(samples=[((2, 3),)], dtypes=["float64"], orders=[1])
def broken(x):
    return helper(x)

def helper(x):
    raise KeyError("weights")
"""


def test_factories_modules_methods_and_errors(tmp_path):
    (tmp_path / "test_ops.py").write_text(TARGETS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 failed, 12 passed in" in found.stdout, found.stdout
    lines = found.stdout.splitlines()
    shown = lines[lines.index("E   KeyError: 'weights'") - 5 :]
    assert shown[0].startswith("test_ops.py:")
    assert shown[0].endswith(": in broken")
    assert "tinygrad_nn" not in found.stdout
    assert "warnings" not in found.stdout


def test_names_of_samples():
    array = np.ones((2, 2))
    named = named_samples([((2, 3), ()), (array,), array, ((2, 2),), (5,)])
    assert list(named) == ["2x3,0-d", "2x2", "2x2#2", "2x2#3", "5"]
    assert named["2x2"][0] is array
    filled = named["2x3,0-d"][0]
    assert filled.shape == (2, 3)
    assert np.abs(filled).min() >= 0.2


def test_samples_are_not_drawn_as_the_incoming_gradients_are():
    (x,) = named_samples([((100,),)])["100"]
    (g,) = random_upstream(np.random.default_rng(0), [x])
    assert abs(np.corrcoef(x, g)[0, 1]) < 0.5


def test_shrinking_keeps_the_failure_and_cuts_equal_axes_together():
    inputs = [np.arange(12.0).reshape(3, 4) + 0.123, np.ones((4, 5)), 7]
    smallest = shrunk(inputs, lambda v: v[0].shape[1] == v[1].shape[0] and v[0].size > 1)
    assert smallest[0].shape[1] == smallest[1].shape[0]
    assert smallest[0].size == 2
    assert smallest[2] == 7
    np.testing.assert_array_equal(smallest[0], np.round(smallest[0]))
