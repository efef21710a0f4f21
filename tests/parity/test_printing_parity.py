"""What we print is what PyTorch prints, character for character."""

from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_nn import printing

torch = pytest.importorskip("torch")

FLOATS = [np.float16, np.float32, np.float64]
INTS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.bool_]
SPECIALS = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, -1e-45, 5e-324, 1e-4, 1e8, 1e3, 0.99995, 9.99995]

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9)
names = st.text("abc<>=", min_size=1, max_size=70)


@st.composite
def small_arrays(draw):
    """Each element drawn by hypothesis: any float, or a whole number, or what is known to be awkward."""
    dtype = np.dtype(draw(st.sampled_from(FLOATS + INTS)))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    if dtype.kind != "f":
        return draw(hnp.arrays(dtype, shape))
    whole = st.integers(-(10**9), 10**9).map(float)
    elements = draw(
        st.sampled_from(
            [
                st.floats(allow_nan=True),
                st.floats(-1000, 1000),
                whole,
                st.sampled_from(SPECIALS),
                st.one_of(st.sampled_from(SPECIALS), whole, st.floats(-10, 10)),
            ]
        )
    )
    with np.errstate(over="ignore"):
        return draw(hnp.arrays(np.float64, shape, elements=elements)).astype(dtype)


@st.composite
def large_arrays(draw):
    """Filled from a seed: a magnitude, a spread around it, and a sprinkle of special values."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(shapes)
    dtype = np.dtype(draw(st.sampled_from(FLOATS + INTS)))
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind in "iu":
        info, digits = np.iinfo(dtype), draw(st.integers(0, 19))
        low, high = max(int(info.min), -(10**digits)), min(int(info.max), 10**digits)
        return rng.integers(low, high, shape, dtype, endpoint=True)
    scale, spread = draw(st.integers(-12, 12)), draw(st.sampled_from([0, 1, 3, 8]))
    values = np.asarray(rng.standard_normal(shape) * 10.0 ** (scale + rng.integers(0, spread + 1, shape)))
    if draw(st.booleans()):
        values = np.round(values)
    if draw(st.booleans()):
        values = np.where(rng.random(shape) < 0.2, rng.choice(SPECIALS, shape), values)
    with np.errstate(over="ignore"):
        return values.astype(dtype)


options = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 9),
        "threshold": st.sampled_from([0, 1, 5, 10, 50, float("inf")]),
        "edgeitems": st.integers(0, 5),
        "linewidth": st.integers(1, 150),
        "profile": st.sampled_from(["default", "short", "full"]),
        "sci_mode": st.sampled_from([None, True, False]),
    },
)


@contextmanager
def both(**options):
    with torch._tensor_str.printoptions(**options), printing.printoptions(**options):
        yield


def check(array, **kwargs):
    assert printing.format_tensor(array, **kwargs) == repr(torch.tensor(array))


@given(small_arrays(), options)
@settings(max_examples=200)
def test_any_elements(array, options):
    with both(**options):
        check(array)


@given(large_arrays(), options)
@settings(max_examples=150)
def test_any_magnitude(array, options):
    with both(**options):
        check(array)


@given(large_arrays())
@settings(max_examples=50)
def test_default_options(array):
    check(array)


BORDERS = [[1, 1000], [1, 999.5], [1, 1000.5], [1e8], [1e8 + 1], [1e-4], [0.99e-4], [0.5, 500], [0.5, 500.5]]


@pytest.mark.parametrize("values", BORDERS)
def test_where_scientific_notation_begins(values):
    check(np.float64(values))


@pytest.mark.parametrize("size", [6, 7, 40, 1000, 1001])
@pytest.mark.parametrize("fill", [0.0, np.nan, 1.0, 0.5])
def test_where_lines_break_and_the_middle_goes(size, fill):
    check(np.full(size, fill))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(1001,), (3, 334), (7, 150), (2, 3, 170), (11, 10, 10), (5, 6, 7, 8), (1, 1001)])
def test_over_the_threshold(shape, dtype):
    # The largest value sits where it is left out, so that it must not widen what is shown.
    array = np.sin(np.arange(np.prod(shape))).reshape(shape).astype(dtype)
    array[tuple(n // 2 for n in shape)] = 6e4
    check(array)


@pytest.mark.parametrize("dtype", FLOATS + INTS)
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (2, 0, 3), (2, 1)])
@pytest.mark.parametrize("default", [np.float32, np.float64])
def test_dtype_and_size(shape, dtype, default):
    torch_default = torch.float32 if default is np.float32 else torch.float64
    torch.set_default_dtype(torch_default)
    try:
        check(np.ones(shape, dtype), default_dtype=np.dtype(default))
    finally:
        torch.set_default_dtype(torch.float32)


@given(
    hnp.arrays(np.float32, hnp.array_shapes(max_dims=3), elements=st.floats(-9, 9, width=32)),
    options,
    st.data(),
)
@settings(max_examples=60)
def test_suffixes(array, options, data):
    leaf = torch.tensor(array, requires_grad=True)
    with both(**options):
        assert printing.format_tensor(array, suffixes=["requires_grad=True"]) == repr(leaf)
        assert printing.format_tensor(array, suffixes=["grad_fn=<MulBackward0>"]) == repr(leaf * 1)
        assert printing.format_tensor(array, suffixes=["requires_grad=True"], prefix="Parameter containing:\ntensor(") == repr(
            torch.nn.Parameter(leaf)
        )
        named = data.draw(st.lists(names, max_size=4))
        size = [] if printing.get_printoptions()["edgeitems"] else [f"size={array.shape}"]
        values = torch._tensor_str._tensor_str(leaf, indent=7)
        theirs = torch._tensor_str._add_suffixes("tensor(" + values, size + named, 7, force_newline=False)
        assert printing.format_tensor(array, suffixes=named) == theirs


@pytest.mark.parametrize("width", range(40, 110))
def test_where_a_suffix_breaks_the_line(width):
    array = np.float64([[0.5, 1.5], [2.5, 3.5]])
    for shown in (array, array[0]):
        with both(linewidth=width):
            assert printing.format_tensor(shown, suffixes=["requires_grad=True"]) == repr(torch.tensor(shown, requires_grad=True))


@given(st.lists(options, max_size=4))
@settings(max_examples=50)
def test_options_and_profiles(changes):
    with both():
        for change in changes:
            torch.set_printoptions(**change)
            printing.set_printoptions(**change)
            assert printing.get_printoptions() == torch._tensor_str.get_printoptions()
