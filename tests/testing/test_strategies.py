"""The strategies give what they promise and shrink; random programs hold against central differences."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_nn
from tinygrad_nn.op import OPS, op
from tinygrad_nn.testing import gradcheck
from tinygrad_nn.testing import strategies as tg
from tinygrad_nn.testing.strategies import Expression, Ref, Step
from tinygrad_nn.testing.strategies.recipes import RECIPES, recipe_of
from tinygrad_nn.variable import differentiate, wrap

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, max_side=3)
STILL = settings(derandomize=True, max_examples=1000, database=None)  # what is found does not depend on the run


def strategy_and_shape(strategy):
    return SHAPES.flatmap(lambda shape: st.tuples(strategy(shape), st.just(shape)))


# tensors


@given(data=st.data(), dtype=st.sampled_from(["float64", "float32", "float16", "int64", "uint8", "bool"]))
def test_tensors_have_the_dtype_and_a_shape_within_the_bounds(data, dtype):
    x = data.draw(tg.tensors(np.dtype(dtype), min_dims=1, max_dims=2, min_side=2, max_side=3))
    assert x.numpy().dtype == dtype
    assert 1 <= x.ndim <= 2
    assert all(2 <= side <= 3 for side in x.shape)
    assert x.is_leaf
    assert not x.requires_grad


@given(x=tg.tensors(shape=(2, 3), requires_grad=True, elements=st.just(0.5)))
def test_tensors_take_a_shape_elements_and_requires_grad(x):
    assert x.shape == (2, 3)
    assert x.requires_grad
    assert (x == 0.5).all()


@given(x=tg.tensors(tinygrad_nn.float32, st.just((0, 2)), min_side=0))
def test_tensors_may_be_empty_and_take_a_strategy_of_shapes(x):
    assert x.shape == (0, 2)
    assert x.dtype is tinygrad_nn.float32


@given(x=tg.tensors(layouts=False))
def test_tensors_without_layouts_are_contiguous_and_finite(x):
    assert x.numpy().flags.c_contiguous
    assert np.isfinite(x.numpy()).all()
    assert (np.abs(x.numpy()) <= 2).all()


LAYOUTS = {
    "contiguous": lambda a: a.flags.c_contiguous and a.size > 1,
    "transposed": lambda a: a.ndim == 2 and a.strides == (8, 8 * a.shape[0]) and min(a.shape) > 1,
    "strided": lambda a: a.ndim == 1 and a.strides == (16,),
    "broadcast": lambda a: a.ndim == 2 and 0 in a.strides,
    "0-d": lambda a: a.ndim == 0,
    "empty": lambda a: a.size == 0,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_comes(layout):
    find(tg.tensors(min_side=0), lambda x: LAYOUTS[layout](x.numpy()), settings=STILL)


SPECIAL = {
    "nan": np.isnan,
    "inf": np.isposinf,
    "-inf": np.isneginf,
    "-0.0": lambda a: (a == 0) & np.signbit(a),
    "subnormal": lambda a: (a != 0) & (np.abs(a) < np.finfo(a.dtype).tiny),
    "tie": lambda a: np.array(np.unique(a[np.isfinite(a) & (a != 0)]).size < np.sum(np.isfinite(a) & (a != 0))),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", SPECIAL)
def test_every_special_value_comes(value, dtype):
    find(tg.tensors(dtype, special_values=True), lambda x: SPECIAL[value](x.numpy()).any(), settings=STILL)


@given(data=st.data(), array=hnp.arrays(np.float64, SHAPES, elements=st.integers(-9, 9)))
def test_layouts_keep_the_shape_and_all_but_one_the_values(data, array):
    laid = data.draw(tg.layouts_of(array))
    assert laid.shape == array.shape
    if 0 not in laid.strides:
        np.testing.assert_array_equal(laid, array)


@given(x=tg.away_from([0.0, 1.0], -1.0, 3.0, 0.25))
def test_away_from_stays_away(x):
    assert -1 <= x <= 3
    assert min(abs(x), abs(x - 1)) >= 0.25


def test_away_from_shrinks_and_says_when_nothing_is_left():
    assert find(tg.away_from([0.0], gap=0.1), lambda x: x < 0, settings=STILL) == -1.0
    with pytest.raises(ValueError, match="away from"):
        tg.away_from([0.0], -1.0, 1.0, 2.0)


@given(drawn=strategy_and_shape(tg.upstream))
def test_upstream_is_never_uniform_nor_zero(drawn):
    gradient, shape = drawn
    assert gradient.shape == shape
    assert (gradient != 0).all()
    assert (np.abs(gradient) <= 1).all()
    assert (np.diff(gradient.ravel()) != 0).all()


# shapes


@given(shapes=tg.broadcastable_shapes(3))
def test_broadcastable_shapes(shapes):
    assert len(shapes.input_shapes) == 3
    assert np.broadcast_shapes(*shapes.input_shapes) == shapes.result_shape


@given(shapes=tg.matmul_shapes())
def test_matmul_shapes(shapes):
    assert np.matmul(np.ones(shapes.a), np.ones(shapes.b)).shape == shapes.result


@pytest.mark.parametrize("wanted", [(1, 1), (1, 2), (2, 1), (3, 2), (2, 4), (4, 3)])
def test_matmul_shapes_cover_vectors_and_batches(wanted):
    find(tg.matmul_shapes(), lambda s: (len(s.a), len(s.b)) == wanted, settings=STILL)


def test_matmul_shapes_broadcast_batches():
    find(tg.matmul_shapes(), lambda s: 1 in s.a[:-2] and len(s.b) > 2 and s.b[:-2] != s.a[:-2], settings=STILL)


@pytest.mark.parametrize("dims", [1, 2])
@given(data=st.data())
def test_conv_shapes_are_valid(dims, data):
    c, ones = data.draw(tg.conv_shapes(dims)), tinygrad_nn.ones
    function = [tinygrad_nn.nn.functional.conv1d, tinygrad_nn.nn.functional.conv2d][dims - 1]
    result = function(ones(c.input), ones(c.weight), None, c.stride, c.padding, c.dilation, c.groups)
    assert tuple(result.shape) == c.output


@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=4, max_side=2))
def test_axes_are_distinct_axes_of_the_shape(data, shape):
    axis = data.draw(tg.axes(shape))
    chosen = [axis] if isinstance(axis, int) else list(axis)
    assert chosen
    assert len({a % len(shape) for a in chosen}) == len(chosen)
    assert all(-len(shape) <= a < len(shape) for a in chosen)
    pair = data.draw(tg.axes((2, 3, 4), min_size=2, max_size=2))
    assert isinstance(pair, tuple)
    assert len(pair) == 2


def test_axes_come_from_the_end_too_and_must_exist():
    assert find(tg.axes((2, 3)), lambda axis: isinstance(axis, int) and axis < 0, settings=STILL) == -1
    assert find(tg.axes((), min_size=0), lambda axis: True) == ()
    with pytest.raises(ValueError, match="0 axes"):
        tg.axes(())


@given(data=st.data(), shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
def test_index_expressions_are_valid_and_tensors_take_them(data, shape):
    array = np.arange(np.prod(shape)).reshape(shape)
    index = data.draw(tg.index_expressions(shape))
    np.testing.assert_array_equal(wrap(array)[index].numpy(), array[index])


@given(data=st.data(), shape=SHAPES)
def test_index_expressions_keep_to_their_options(data, shape):
    array = np.zeros(shape)
    assert array[data.draw(tg.index_expressions(shape, allow_empty=False))].size
    index = data.draw(tg.index_expressions(shape, advanced=False, negative_steps=False, allow_newaxis=False))
    parts = index if isinstance(index, tuple) else (index,)
    assert all(part is ... or isinstance(part, int | slice) for part in parts)
    assert all((part.step or 1) > 0 for part in parts if isinstance(part, slice))


def kinds(index):
    """A word for each part of an index."""

    def kind(part):
        array = isinstance(part, np.ndarray)
        name = type(part).__name__ if not array else f"mask{part.ndim}" if part.dtype == bool else f"array{part.ndim}"
        return "negative" if isinstance(part, slice) and (part.step or 1) < 0 else name

    return [kind(part) for part in (index if isinstance(index, tuple) else (index,))]


@pytest.mark.parametrize("wanted", [
    {"int"}, {"slice"}, {"negative"}, {"NoneType"}, {"ellipsis"}, {"array1"}, {"array2"}, {"list"}, {"mask1"}, {"mask2"},
    {"slice", "array1"}, {"mask1", "slice"}, {"array1", "array2"}, {"mask1", "array1"}, {"int", "ellipsis", "array1"},
], ids=lambda kinds: "+".join(sorted(kinds)))  # fmt: skip
def test_every_kind_of_index_comes(wanted):
    find(tg.index_expressions((2, 3, 2)), lambda index: wanted <= set(kinds(index)), settings=STILL)


# expressions


@given(expression=tg.expressions())
def test_expressions_are_finite_moderate_and_off_their_kinks(expression):
    values = expression.run(expression.inputs)
    assert all(np.isfinite(value).all() for value in values)
    assert np.max(np.abs(values[-1]), initial=0) < 200
    assert not expression.near_kink()
    assert not expression.near_kink(expression.inputs)


@given(expression=tg.expressions(max_inputs=3))
def test_every_value_reaches_the_result(expression):
    needed = {len(expression.inputs) + len(expression.steps) - 1}
    for i, step in reversed(list(enumerate(expression.steps, len(expression.inputs)))):
        assert i in needed
        needed |= {v for v in step.inputs if isinstance(v, Ref)}
    assert needed >= set(range(len(expression.inputs)))


@given(expression=tg.expressions(5, ops=["mul", "sin"]))
def test_only_the_ops_asked_for_are_drawn(expression):
    assert expression.ops <= {"mul", "sin", "tanh", "add", "sum", "neg", "mean"}


def test_what_has_no_recipe_is_an_error():
    with pytest.raises(ValueError, match="no recipe for bitwise_and"):
        find(tg.expressions(ops=["bitwise_and"]), lambda program: True, settings=STILL)


def test_every_line_of_the_table_is_an_op_and_every_elementwise_op_of_one_float_is_covered():
    assert set(RECIPES) <= set(OPS)
    unary = [name for name, op in OPS.items() if op.promote != "none" and len(op.inputs) == 1 and op.rules]
    assert [name for name in unary if not recipe_of(name).usable] == []


def test_an_elementwise_op_is_taken_from_its_samples(monkeypatch):
    monkeypatch.setattr("tinygrad_nn.op.OPS", OPS)
    try:

        @op(promote="float")
        def bent(x, /, *, slope):
            """x, or slope * x below 1."""
            return np.where(x < 1, slope * x, x)

        bent.vjp(x=lambda g, x, *, slope: g * np.where(x < 1, slope, 1.0))
        bent.sample((3,), slope=0.5, kinks=(1.0,), domain=(0.5, 4.0))
        program = find(tg.expressions(ops=["bent"]), lambda program: "bent" in program.ops, settings=STILL)
        assert [step.op for step in program.steps] == ["sigmoid", "mul", "add", "bent"]
        assert program.steps[-1].attributes == {"slope": 0.5}
        at_kink = Expression([np.array(1.0)], (Step("bent", (Ref(0),), {"slope": 0.5}),))
        assert at_kink.near_kink()
        assert not at_kink.near_kink([np.array(1.5)])
    finally:
        OPS.pop("bent", None)


@pytest.mark.parametrize(("name", "steps"), [("add", 1), ("sin", 1), ("matmul", 6)])
def test_an_op_shrinks_to_a_program_of_little_more_than_itself(name, steps):
    program = find(tg.expressions(4, ops=["add", "sin", "matmul"]), lambda program: name in program.ops, settings=STILL)
    assert len(program.steps) <= steps
    assert len(program.inputs) == 1
    assert program.inputs[0].size == 1


def test_a_shared_value_shrinks_to_two_steps():
    def shares(program):
        return any(step.op == "mul" and step.inputs[0] is not Ref(0) and step.inputs == (Ref(1), Ref(1)) for step in program.steps)

    program = find(tg.expressions(4, max_inputs=1, ops=["add", "mul", "sin"]), shares, settings=STILL)
    assert len(program.steps) <= 3


def test_kinks_are_found_only_where_they_are_allowed():
    program = find(tg.expressions(4, ops=["add", "abs", "amax"], kinks=True), lambda program: program.near_kink(), settings=STILL)
    assert len(program.steps) == 1
    assert not program.near_kink([value + 0.5 for value in program.inputs])


def test_a_program_prints_as_it_runs():
    program = find(tg.expressions(4, ops=["exp", "sum", "where"]), lambda program: {"exp", "sum"} <= program.ops, settings=STILL)
    names = dict(OPS) | {"array": np.array, "dtype": np.dtype}
    source = str(program)
    exec(source, names)
    np.testing.assert_array_equal(names[f"v{len(program.inputs) + len(program.steps) - 1}"], program(*program.inputs))
    assert repr(program) == source


# the engine on random programs


def gradients(expression, upstream, inputs=None):
    """What the engine gives for each input."""
    leaves = [wrap(v).requires_grad_() for v in (expression.inputs if inputs is None else inputs)]
    found = differentiate([expression(*leaves)], [wrap(upstream)], leaves, retain_graph=None, create_graph=False)
    return [np.asarray(found.get(leaf, np.zeros(leaf.shape))) for leaf in leaves]


def upstream_of(data, expression):
    return data.draw(tg.upstream(np.shape(expression(*expression.inputs))))


@given(data=st.data())
def test_programs_against_central_differences(data):
    expression = data.draw(tg.expressions(40))
    report = gradcheck(expression, expression.inputs, contract=False)
    assert report, f"{expression}\n{report.text()}"


@given(data=st.data())
def test_the_memory_layout_of_the_inputs_does_not_matter(data):
    expression = data.draw(tg.expressions(20))
    upstream = upstream_of(data, expression)
    laid = [data.draw(tg.layouts_of(value)) for value in expression.inputs]
    same = [np.array(value) for value in laid]
    np.testing.assert_allclose(expression(*laid), expression(*same), rtol=1e-9, atol=1e-12)
    for ours, expected in zip(gradients(expression, upstream, laid), gradients(expression, upstream, same), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-7, atol=1e-9)


@given(data=st.data())
def test_inputs_are_not_written(data):
    expression = data.draw(tg.expressions(20))
    before = [value.copy() for value in expression.inputs]
    for value in expression.inputs:
        value.setflags(write=False)
    gradients(expression, upstream_of(data, expression))
    for value, kept in zip(expression.inputs, before, strict=True):
        np.testing.assert_array_equal(value, kept)


def test_a_wrong_rule_is_caught_and_shrunk(monkeypatch):
    monkeypatch.setitem(OPS["matmul"].rules, "b", lambda g, a: 2 * (a.mT @ g))
    monkeypatch.setattr(OPS["matmul"], "plans", {})

    def wrong(program):
        return not gradcheck(program, program.inputs, contract=False)

    program = find(tg.expressions(4, max_inputs=1, ops=["matmul", "add", "sin"]), wrong, settings=STILL)
    assert "matmul" in program.ops
    assert len(program.steps) <= 4


def test_the_extra_is_named_where_hypothesis_is_missing():
    code = "import sys; sys.modules['hypothesis'] = None; import tinygrad_nn.testing.strategies"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert 'pip install "tinygrad-nn[test]"' in ended.stderr
