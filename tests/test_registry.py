"""Every declared primitive, on every sample: values stay, dtypes stay, first and second derivatives are right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.numeric import check, differentiable, gradients
from tinygrad_nn.op import OPS
from tinygrad_nn.variable import wrap

CASES = [pytest.param(op, i, id=f"{name}-{i}") for name, op in OPS.items() for i in range(len(op.samples))]
SMOOTH = [case for case in CASES if case.values[0].rules]
BINARY = [op for op in OPS.values() if op.promote != "none" and op.inputs == ("a", "b")]
BINARY = [op for op in BINARY if op.name not in ("matmul", "gcd", "lcm") and not op.name.startswith("bitwise")]


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_has_samples(op):
    assert op.samples, f"{op.name} was declared without a sample"


@pytest.mark.parametrize(("op", "i"), CASES)
def test_inputs_are_not_written_and_layout_does_not_matter(op, i):
    inputs = op.samples[i].draw(np.random.default_rng(0))
    expected = np.array(op.forward(*inputs, **op.samples[i].attributes))
    for value in inputs:
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    strided = [np.repeat(v, 2, -1)[..., ::2] if isinstance(v, np.ndarray) and v.ndim else v for v in inputs]
    attributes = op.samples[i].attributes
    np.testing.assert_array_equal(op.forward(*inputs, **attributes), expected)
    np.testing.assert_allclose(op.forward(*strided, **attributes), expected, rtol=1e-12)


@pytest.mark.parametrize(("op", "i"), SMOOTH)
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_against_central_differences(op, i, order):
    check(op, op.samples[i], order)


@pytest.mark.parametrize(("op", "i"), SMOOTH)
def test_float32_stays_float32(op, i):
    if op.name == "astype":
        return
    sample = op.samples[i]
    inputs = sample.draw(np.random.default_rng(1), np.float32)
    attributes = {
        k: v.astype(np.float32) if isinstance(v, np.ndarray) and v.dtype.kind == "f" else v for k, v in sample.attributes.items()
    }
    result = op(*(wrap(v) if isinstance(v, np.ndarray) else v for v in inputs), **attributes)
    assert result.dtype.name == "float32"
    for gradient in gradients(op, inputs, attributes, np.ones(result.shape, np.float32)):
        assert np.asarray(gradient).dtype == np.float32


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize(("op", "i"), SMOOTH)
def test_gradients_do_not_depend_on_the_order_in_memory(op, i, recorded):
    sample = op.samples[i]
    inputs = sample.draw(np.random.default_rng(4))
    upstream = np.random.default_rng(5).standard_normal(np.shape(op.forward(*inputs, **sample.attributes)))
    found = []
    for ordered in (lambda v: v, turned):
        given = [ordered(v) if isinstance(v, np.ndarray) else v for v in inputs]
        parts = gradients(op, given, sample.attributes, ordered(upstream), recorded=recorded)
        found.append([np.asarray(part.detach() if recorded else part) for part in (parts[0] if recorded else parts)])
    for expected, other in zip(*found, strict=True):
        np.testing.assert_allclose(other, expected, rtol=1e-12, atol=1e-14)


def turned(array):
    """The same values, the first axis nearest in memory and every second place unused."""
    spaced = np.repeat(np.asfortranarray(array), 2, axis=-1) if array.ndim else array
    return np.asfortranarray(spaced)[..., ::2] if array.ndim else array


@pytest.mark.parametrize(("op", "i"), SMOOTH)
def test_any_of_the_inputs_may_need_the_gradient(op, i):
    sample = op.samples[i]
    inputs = sample.draw(np.random.default_rng(2))
    wanted = differentiable(op, inputs)
    upstream = np.random.default_rng(3).standard_normal(np.shape(op.forward(*inputs, **sample.attributes)))
    together = gradients(op, inputs, sample.attributes, upstream)
    for position, k in enumerate(wanted):
        (alone,) = gradients(op, inputs, sample.attributes, upstream, [k])
        np.testing.assert_array_equal(np.asarray(alone), np.asarray(together[position]))


@given(data=st.data(), shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3))
@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.name)
def test_broadcasting(op, data, shapes):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    a, b = (np.asarray(rng.uniform(0.5, 2.0, shape)) for shape in shapes.input_shapes)
    result = op(wrap(a), wrap(b))
    assert tuple(result.shape) == shapes.result_shape
    np.testing.assert_array_equal(result.numpy(), op.forward(a, b))
    if op.rules:
        found = gradients(op, (a, b), {}, np.ones(shapes.result_shape))
        assert [np.shape(gradient) for gradient in found] == [a.shape, b.shape]


HOLES = {
    "a factor": ("mul", "a", lambda g, b: g * b * 2),
    "a small factor": ("exp", "x", lambda g, y: g * y * 1.001),
    "a sign": ("sub", "b", lambda g: g),
    "a transpose forgotten": ("matmul", "a", lambda g, b: (g.mT @ b).mT),
    "the wrong saved value": ("tanh", "x", lambda g, x: g * (1 - x * x)),
    "a missing sum": ("log_softmax", "x", lambda g, y: g - np.exp(y) * g),
    "the wrong axis": ("softmax", "x", lambda g, y: y * (g - np.sum(g * y, axis=0, keepdims=True))),
    "detached": ("sin", "x", lambda g, x: g * np.cos(np.asarray(x.detach() if hasattr(x, "detach") else x))),
    "= for +=": ("getitem", "x", lambda g, x, *, index: _assigned(g, x, index)),
    "shifted by one": ("cumsum", "x", lambda g, *, axis: np.roll(np.flip(np.cumsum(np.flip(g, axis), axis), axis), 1, axis)),
    "a mean without its divisor": ("mean", "x", lambda g, x: g * np.ones_like(x) if not np.ndim(g) else g),
    "one element wrong": ("neg", "x", lambda g: -g * (1 + 1e-3 * (np.arange(3) == 1))),
}


def _assigned(g, x, index):
    out = np.zeros(x.shape)
    out[index] = np.asarray(g)
    return out


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_cut_on_purpose_is_found(hole, monkeypatch):
    name, argument, rule = HOLES[hole]
    op = OPS[name]
    monkeypatch.setitem(op.rules, argument, rule)
    monkeypatch.setattr(op, "plans", {})
    caught = 0
    for sample in op.samples:
        for order in (1, 2):
            try:
                check(op, sample, order)
            except (ArithmeticError, AssertionError, AttributeError, RuntimeError, TypeError, ValueError):
                caught += 1
    assert caught
