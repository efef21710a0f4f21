"""The checker at mixed sizes, steep slopes and functions that round: what is wrong is found, what is right passes."""

import numpy as np
import pytest
from hypothesis import given, settings

import tinygrad_nn as torch
from tinygrad_nn.testing import gradcheck
from tinygrad_nn.testing import strategies as tg


def some(values, wrong):
    """A gradient with its first element replaced."""
    out = np.array(values)
    out.flat[0] = wrong
    return out


WRONG = {
    "infinite": ((lambda x: x * 2, lambda g, x: g * np.inf), [1.0, 2.0]),
    "one infinite": ((np.sin, lambda g, x: some(g * np.cos(x), np.inf)), [1.0, 2.0]),
    "one not a number": ((np.sin, lambda g, x: some(g * np.cos(x), np.nan)), [1.0, 2.0]),
    "infinite at a corner": ((lambda x: np.maximum(x, 0), lambda g, x: np.where(x == 0, np.inf, g * (x > 0))), [0.0, 1.0]),
    "of the other sign where the slope is infinite": ((np.sqrt, lambda g, x: g / -np.sqrt(x) / 2), [0.0]),
    "at the edge of the domain": ((lambda x: x**1.5, lambda g, x: np.where(x == 0, 7.0, g * 1.5 * np.sqrt(x))), [0.0, 1.0]),
    "at the smallest": ((np.log, lambda g, x: g / x * np.where(x < 1e-3, -7, 1)), [1e-6, 1.0, 1e3]),
    "beside a far larger one": ((np.exp, lambda g, x: np.where(x > 1, g * np.exp(x), -5 * g)), [0.5, 30.0]),
    "next to a corner": ((lambda x: np.maximum(x, 0), lambda g, x: -5 * g * (x > 0)), [1e-7, 1.0]),
}

RIGHT = {
    "corners nearby": (torch.relu, [1e-7, -1e-7, 1.0]),
    "corners nearer": (torch.abs, [1e-8, -3e-8, 1e-160, 1.0]),
    "quotients": (lambda x: 1 / x, [1e-3, 1.0, 1e3]),
    "quotients of every size": (lambda x: 1 / x, [1e-6, 1.0, 1e6]),
    "logarithms": (torch.log, [1e-6, 1.0, 1e3]),
    "a difference of what is nearly equal": (lambda x: (1 - x.cos()) / x**2, [0.01, 0.01]),
    "a difference of what is large": (lambda x: (x + 1000) ** 2 - 1e6 - 2000 * x, [0.01, 0.1]),
    "a slope without end": (torch.sqrt, [0.0, 1.0]),
    "a slope without end, last": (torch.sqrt, [1.0, 0.0]),
    "a root's neighbour": ((lambda x: x**1.5, lambda g, x: g * 1.5 * np.sqrt(x)), [0.0, 1.0]),
    "a fast sine": ((lambda x: np.sin(1e6 * x), lambda g, x: g * 1e6 * np.cos(1e6 * x)), [0.3, 1.2, -0.7]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(name):
    target, x = WRONG[name]
    assert not gradcheck(target, [np.array(x)], contract=False)


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_passes(name):
    target, x = RIGHT[name]
    report = gradcheck(target, [np.array(x)])
    assert report, report.text()


def test_what_the_function_itself_rounds_away_is_noted():
    report = gradcheck(RIGHT["a difference of what is nearly equal"][0], [np.array([0.01, 0.01])])
    assert report.notes == ["2 elements of input 0 could not be resolved by central differences"]


@pytest.mark.parametrize("f", [torch.relu, torch.abs, torch.max, torch.norm, lambda x: x.var(correction=0)])
@settings(max_examples=50)
@given(x=tg.tensors(requires_grad=True))
def test_the_packages_own_tensors(f, x):
    report = gradcheck(f, [x], contract=False)
    assert report, report.text()
