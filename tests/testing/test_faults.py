"""The gradient checker on the catalogue of mistakes: each is found and named, and nothing is said against what is right.

That each mistake is one, and that what is called right is right, is shown here without the checker.
"""

import warnings

import numpy as np
import pytest

from tests.bench.faults import FAULTS, RIGHT
from tests.bench.faults.checkers import ours
from tests.bench.faults.evidence import faults_of


def cases(*lists):
    """Every case by name."""
    return [pytest.param(case, id=case.name) for part in lists for case in part]


def verdict(case):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # means of nothing, quotients by 0: NumPy's remarks on the ops, not on the checker
        return ours(case, seed=0)


@pytest.mark.parametrize("case", cases(FAULTS))
def test_a_mistake_is_one(case):
    assert faults_of(case, seed=0)


@pytest.mark.parametrize("case", cases(RIGHT))
def test_what_is_right_is_right(case):
    assert faults_of(case, seed=0) == []


@pytest.mark.parametrize("case", cases(FAULTS))
def test_a_mistake_is_found(case):
    assert verdict(case).objects


@pytest.mark.parametrize("case", cases(FAULTS))
def test_what_is_found_is_named(case):
    said = verdict(case).code
    assert case.fits(said), f"called {said}, is {case.code or 'unknown'}"


@pytest.mark.parametrize("case", cases(RIGHT))
def test_nothing_is_said_against_what_is_right(case):
    said = verdict(case)
    assert not said.objects, said.code


def test_the_catalogue_is_large_enough():
    assert len(FAULTS) >= 75
    assert len(RIGHT) >= 60
