"""Declaring ops: what a declaration refuses, before anything is registered, and how an op shows itself."""

import pytest

from tinygrad_nn.op import OPS, op


def test_an_op_shows_its_name_and_inputs():
    assert repr(OPS["mul"]) == "<op mul(a, b)>"


def test_rules_are_for_inputs():
    with pytest.raises(TypeError, match=r"mul\.vjp: expected rules for .*'a', 'b'.* got one for 'c'"):
        OPS["mul"].vjp(c=lambda g: g)


RULES = {"no g": lambda a: a, "nothing": lambda: 1, "a stranger": lambda g, c: g, "an attribute": lambda g, *, axis: g}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_asks_for_what_there_is(rule):
    before = dict(OPS["mul"].rules)
    with pytest.raises(TypeError, match=r"mul\.vjp: a rule's arguments are g, then any of g, .*; got"):
        OPS["mul"].vjp(a=rule)
    assert OPS["mul"].rules == before


def test_the_rule_of_a_variadic_op_asks_for_no_values():
    name = next(name for name, primitive in OPS.items() if primitive.variadic)
    (parts,) = OPS[name].inputs
    with pytest.raises(TypeError, match="may ask for shapes and attributes only"):
        exec(f"op.vjp({parts}=lambda g, {parts}: g)", {"op": OPS[name]})


def test_an_op_is_declared_once():
    known = OPS["mul"]
    with pytest.raises(TypeError, match="op 'mul' is declared twice"):

        @op
        def mul(a, b, /):
            return a * b

    assert OPS["mul"] is known
