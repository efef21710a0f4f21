"""The functions of lists of tensors beside PyTorch's."""

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

BINARY = ["add", "sub", "mul", "div", "maximum", "minimum", "clamp_max", "clamp_min", "pow"]
UNARY = [
    "abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor", "frac", "lgamma", "log", "log10",
    "log1p", "log2", "neg", "reciprocal", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
]  # fmt: skip


def tensors(p, shift=0.0):
    """Three of different shapes and dtypes."""
    return [p.tensor([0.25, 0.5]) + shift, p.tensor([[0.75]]) + shift, p.tensor([0.1, 0.9, 0.3], dtype=p.float64) + shift]


def both_ways(name, *operands, **options):
    """A program that calls a function and its form in place."""

    def program(p):
        own = [operand(p) if callable(operand) else operand for operand in operands]
        named = {key: value(p) if callable(value) else value for key, value in options.items()}
        given = tensors(p)
        result = getattr(p, f"_foreach_{name}")(tensors(p), *own, **named)
        in_place = getattr(p, f"_foreach_{name}_")(given, *own, **named)
        return isinstance(result, tuple), result, given, in_place

    return program


@pytest.mark.parametrize("name", UNARY)
def test_of_one_list(name):
    compare(both_ways(name), torch, tinygrad_nn)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("other", [0.5, [0.2, 2.0, 1.5], lambda p: tensors(p, 0.1), lambda p: tuple(tensors(p, -0.01))])
def test_of_a_list_and_another_or_numbers(name, other):
    compare(both_ways(name, other), torch, tinygrad_nn)


@pytest.mark.parametrize("name", ["add", "mul", "div"])
def test_of_a_list_and_one_tensor_for_all(name):
    compare(both_ways(name, lambda p: p.tensor(2.0)), torch, tinygrad_nn)
    compare(both_ways(name, lambda p: p.ones(2)), torch, tinygrad_nn)


@pytest.mark.parametrize("name", ["add", "sub"])
def test_of_a_list_and_a_multiple_of_another(name):
    compare(both_ways(name, tensors, alpha=3), torch, tinygrad_nn)


@pytest.mark.parametrize("name", ["addcmul", "addcdiv"])
@pytest.mark.parametrize("value", [(), (2,), ([1.0, 2.0, 3.0],), (lambda p: p.tensor([1.0, 2.0, 3.0]),)])
def test_of_three_lists(name, value):
    compare(both_ways(name, tensors, lambda p: tensors(p, 1.0), *value), torch, tinygrad_nn)


def test_operands_by_name():
    compare(both_ways("mul", scalar=2), torch, tinygrad_nn)
    compare(both_ways("mul", scalars=[2, 3, 4]), torch, tinygrad_nn)
    compare(both_ways("sub", other=tensors, alpha=2), torch, tinygrad_nn)
    compare(both_ways("addcmul", tensors, tensors, value=0.5), torch, tinygrad_nn)


@pytest.mark.parametrize("weight", [0.25, [0.1, 0.5, 0.9], tensors])
def test_lerp(weight):
    compare(both_ways("lerp", lambda p: tensors(p, 2.0), weight), torch, tinygrad_nn)
    name = "weights" if callable(weight) else "weight"
    compare(both_ways("lerp", lambda p: tensors(p, 2.0), **{name: weight}), torch, tinygrad_nn)


OTHERS = {
    "norm": lambda p: p._foreach_norm(tensors(p, -0.5)),
    "norm 1": lambda p: p._foreach_norm(tensors(p, -0.5), 1),
    "norm inf": lambda p: p._foreach_norm(tensors(p, -0.5), float("inf")),
    "norm dtype": lambda p: p._foreach_norm(tensors(p)[:2], ord=3, dtype=p.float64),
    "max": lambda p: p._foreach_max(tensors(p)),
    "clone": lambda p: p._foreach_clone(tensors(p)),
    "zero": lambda p: p._foreach_zero_(tensors(p)),
    "copy": lambda p: p._foreach_copy_(tensors(p), [p.tensor([7, 8]), p.ones(1, 1), p.ones(1)]),
    "power of a number": lambda p: p._foreach_pow(2.0, tensors(p)),
    "whole numbers": lambda p: [*p._foreach_add([p.tensor([1, 2])], 2), *p._foreach_div([p.tensor([1, 2])], 2)],
    "fewer": lambda p: p._foreach_add(tensors(p), tensors(p)[:2]),
    "fewer numbers": lambda p: p._foreach_mul_(tensors(p), [1.0]),
    "fewer to copy": lambda p: p._foreach_copy_(tensors(p), tensors(p)[:1]),
    "none": lambda p: p._foreach_exp([]),
    "no list": lambda p: p._foreach_exp(p.ones(2)),
    "numbers": lambda p: p._foreach_exp([1.0, 2.0]),
    "a word": lambda p: p._foreach_add(tensors(p), "a"),
    "a float into whole numbers": lambda p: p._foreach_sqrt_([p.tensor([1, 4])]),
    "a leaf": lambda p: p._foreach_mul_([p.ones(2, requires_grad=True)], 2),
    "not there": lambda p: p._foreach_zzz,
}


@pytest.mark.parametrize("name", OTHERS)
def test_others_and_mistakes(name):
    compare(OTHERS[name], torch, tinygrad_nn)


def test_gradients_and_an_average_of_weights():
    def program(p):
        weights = [w.requires_grad_() for w in tensors(p)]
        sum(w.sum() for w in p._foreach_mul(weights, [1.0, 2.0, 3.0])).backward()
        averages = tensors(p, 1.0)
        with p.no_grad():
            p._foreach_mul_(averages, 0.9)
            p._foreach_add_(averages, weights, alpha=0.1)
        return [w.grad for w in weights], averages

    compare(program, torch, tinygrad_nn)
