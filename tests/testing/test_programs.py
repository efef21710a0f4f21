"""Random programs of up to 40 ops against central differences, first and second order; the profile `soak` draws many more."""

import numpy as np
import pytest
from hypothesis import given

from tinygrad_nn.op import OPS
from tinygrad_nn.testing import assert_gradcheck
from tinygrad_nn.testing.strategies import Expression, Ref, Step, expressions
from tinygrad_nn.variable import wrap


def leaves(program):
    return [wrap(value.copy()).requires_grad_() for value in program.inputs]


@pytest.mark.parametrize("order", [1, 2])
@given(program=expressions(40))
def test_programs(program, order):
    assert_gradcheck(program, leaves(program), order=order, contract=False)


def test_a_wrong_rule_in_a_program_is_seen(monkeypatch):
    program = Expression([np.array([0.5, 1.0])], (Step("sin", (Ref(0),), {}), Step("mul", (Ref(1), Ref(0)), {})))
    assert_gradcheck(program, leaves(program), contract=False)
    monkeypatch.setitem(OPS["sin"].rules, "x", lambda g, x: g * np.cos(x) * 1.001)
    monkeypatch.setattr(OPS["sin"], "plans", {})
    with pytest.raises(AssertionError):
        assert_gradcheck(program, leaves(program), contract=False)
