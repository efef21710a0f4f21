"""The random stream beside PyTorch's: the same numbers, and the same stream left behind."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_nn
from tests.parity.side_by_side import compare
from tinygrad_nn.draws import Draws
from tinygrad_nn.generator import default_generator

torch = pytest.importorskip("torch")

SIZES = [0, 1, 2, 15, 16, 17, 31, 32, 33, 100, 1000, 100_000]
FLOATS = [np.float16, np.float32, np.float64]
SEEDS = st.integers(-(2**63), 2**64 - 1)
SPARE = slice(5024, 5032)  # the spare normal in a state


def pair(seed: int = 7) -> tuple[Draws, Any]:
    return Draws().manual_seed(seed), torch.Generator().manual_seed(seed)


def empty(shape: Any, dtype: Any) -> Any:
    return torch.empty(shape, dtype=getattr(torch, np.dtype(dtype).name))


def assert_same(ours: np.ndarray, theirs: Any, rtol: float = 0.0, atol: float = 0.0) -> None:
    theirs = theirs.numpy()
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    if rtol or atol:
        np.testing.assert_allclose(ours.astype("f8"), theirs.astype("f8"), rtol=rtol, atol=atol)
    else:
        np.testing.assert_array_equal(ours, theirs)


def assert_same_stream(ours: Draws, theirs: Any) -> None:
    """Equal states, but that a sine of the spare normal may differ in its last place."""
    left, right = ours.state(), theirs.get_state().numpy()
    np.testing.assert_allclose(left[SPARE].view("f8"), right[SPARE].view("f8"), rtol=1e-14)
    left[SPARE] = right[SPARE]
    np.testing.assert_array_equal(left, right)


# A logarithm, a sine or a tangent may differ in its last place, PyTorch's own float32 ones by a few places.
CLOSE = {np.float16: 1e-3, np.float32: 1e-6, np.float64: 1e-13}


# ---- seed and state


@given(SEEDS)
def test_a_seed_gives_the_same_state(seed: int) -> None:
    ours, theirs = pair(seed)
    assert ours.initial_seed() == theirs.initial_seed()
    assert_same_stream(ours, theirs)
    assert_same(ours.integers(0, 2**63 - 1, (5,)), torch.randint(0, 2**63 - 1, (5,), generator=theirs))
    assert_same_stream(ours, theirs)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1, -1, -(2**32), -(2**63)])
def test_seeds_at_the_edges(seed: int) -> None:
    assert_same_stream(*pair(seed))


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_a_seed_out_of_range_is_the_same_error(seed: int) -> None:
    for generator in (Draws(), torch.Generator()):
        with pytest.raises(ValueError, match=r"seed|Overflow"):
            generator.manual_seed(seed)


def test_a_new_generator_starts_the_same() -> None:
    assert_same_stream(Draws(), torch.Generator())


def test_the_default_generators_start_anywhere() -> None:
    assert default_generator.initial_seed() != Draws().initial_seed()
    assert torch.default_generator.initial_seed() != torch.Generator().initial_seed()


@given(SEEDS, st.integers(0, 2000), st.integers(0, 15))
@settings(max_examples=30)
def test_states_are_exchanged_with_pytorch(seed: int, words: int, normals: int) -> None:
    ours, theirs = pair(seed)
    torch.rand(words, generator=theirs)
    torch.randn(normals, generator=theirs)
    ours.restore(theirs.get_state().numpy())
    assert_same_stream(ours, theirs)
    assert ours.initial_seed() == theirs.initial_seed()
    again = torch.Generator()
    again.set_state(torch.from_numpy(ours.state()))
    assert torch.equal(again.get_state(), theirs.get_state())
    numbers = ours.normal((3,))
    assert_same(numbers, torch.randn(3, generator=theirs), CLOSE[np.float32])
    assert_same(numbers, torch.randn(3, generator=again), CLOSE[np.float32])


@pytest.mark.parametrize("words", [623, 624, 625, 1248])
def test_the_state_where_the_words_run_out(words: int) -> None:
    ours, theirs = pair()
    for _ in range(words):
        ours.random32()
    torch.rand(words, generator=theirs)
    assert_same_stream(ours, theirs)


# ---- the draws


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-0.1, 0.1), (2.0, 5.3), (3.0, 3.0), (-1e4, 5e4)])
def test_uniform(dtype: Any, bounds: tuple[float, float]) -> None:
    ours, theirs = pair()
    low, high = bounds
    rounding = 2e-16 * high if dtype == np.float64 else 0  # PyTorch rounds once where we may round twice
    for n in SIZES:
        expected = empty((n,), dtype).uniform_(low, high, generator=theirs)
        assert_same(ours.uniform((n,), low, high, dtype), expected, atol=rounding)
        assert_same_stream(ours, theirs)


def test_uniform_float64_is_exact_in_the_unit_interval() -> None:
    ours, theirs = pair()
    assert_same(ours.uniform((1000,), dtype="f8"), torch.rand(1000, dtype=torch.float64, generator=theirs))


@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (4, 0), (2, 4, 4)])
def test_shapes(shape: tuple[int, ...]) -> None:
    ours, theirs = pair()
    assert_same(ours.uniform(shape), torch.rand(shape, generator=theirs))
    assert_same(ours.normal(shape), torch.randn(shape, generator=theirs), CLOSE[np.float32], 1e-7)
    assert_same(ours.integers(0, 9, shape), torch.randint(0, 9, shape, generator=theirs))
    assert_same(ours.bernoulli(0.5, shape), empty(shape, np.bool_).bernoulli_(0.5, generator=theirs))
    chances = np.full(shape, 0.5, np.float32)
    expected = torch.bernoulli(torch.from_numpy(chances), generator=theirs).bool()
    assert_same(ours.bernoulli_of(chances), expected)
    assert_same_stream(ours, theirs)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (-1.5, 0.02), (4.0, 0.0)])
def test_normal(dtype: Any, mean: float, std: float) -> None:
    ours, theirs = pair()
    for n in SIZES:
        expected = empty((n,), dtype).normal_(mean, std, generator=theirs)
        assert_same(ours.normal((n,), mean, std, dtype), expected, CLOSE[dtype], CLOSE[dtype] * std / 10)
        assert_same_stream(ours, theirs)


def test_most_float32_normals_are_exact() -> None:
    ours, theirs = pair()
    left, right = ours.normal((100_000,)), torch.randn(100_000, generator=theirs).numpy()
    assert np.mean(left == right) > 0.75
    assert np.max(np.abs(left - right) / np.spacing(np.abs(right))) <= 8


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("exponential", (1.0,)),
        ("exponential", (3.7,)),
        ("cauchy", (0.5, 2.0)),
        ("log_normal", (1.0, 2.0)),
        ("log_normal", (-0.5, 0.1)),
    ],
)
def test_other_continuous_draws(name: str, parameters: tuple[float, ...], dtype: Any) -> None:
    ours, theirs = pair()
    for n in SIZES:
        expected = getattr(empty((n,), dtype), name + "_")(*parameters, generator=theirs)
        drawn = getattr(ours, name)((n,), *parameters, dtype=dtype)
        assert_same(drawn, expected, CLOSE[dtype], CLOSE[dtype] / 10)
        assert_same_stream(ours, theirs)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("p", [0.001, 0.5, 0.9])
def test_geometric(dtype: Any, p: float) -> None:
    ours, theirs = pair()
    for n in SIZES:
        assert_same(ours.geometric(p, (n,), dtype), empty((n,), dtype).geometric_(p, generator=theirs))
        assert_same_stream(ours, theirs)


@given(SEEDS, st.integers(-(2**63), 2**63 - 2), st.integers(1, 2**64), st.sampled_from([0, 1, 2, 40]))
def test_integers(seed: int, low: int, width: int, n: int) -> None:
    ours, theirs = pair(seed)
    high = min(low + width, 2**63 - 1)
    assert_same(ours.integers(low, high, (n,)), torch.randint(low, high, (n,), generator=theirs))
    assert_same_stream(ours, theirs)


@pytest.mark.parametrize("width", [1, 2, 10, 2**28 - 1, 2**28, 2**28 + 1, 2**32 - 1, 2**32 + 1, 2**63 - 1])
def test_integers_by_width(width: int) -> None:
    ours, theirs = pair()
    assert_same(ours.integers(0, width, (1000,)), torch.randint(0, width, (1000,), generator=theirs))
    assert_same_stream(ours, theirs)


@pytest.mark.parametrize("low", [-(2**63), -5, 2**40])
def test_integers_up_to_the_greatest(low: int) -> None:
    ours, theirs = pair()
    expected = empty((50,), np.int64).random_(low, None, generator=theirs)
    assert_same(ours.integers(low, 2**63, (50,)), expected)
    assert_same_stream(ours, theirs)


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("bool", 0, 2), ("int8", -128, 128), ("int16", -5, 2**15), ("int32", -(2**31), 2**31),
        ("uint8", 0, 256), ("uint16", 0, 2**16), ("uint32", 0, 2**32), ("uint64", 0, 2**63 - 1),
        ("float16", -2048, 2049), ("float32", 0, 2**24 + 1), ("float64", -(2**53), 2**53 + 1),
    ],
)  # fmt: skip
def test_integers_of_every_dtype(dtype: str, low: int, high: int) -> None:
    ours, theirs = pair()
    expected = torch.randint(low, high, (33,), dtype=getattr(torch, dtype), generator=theirs)
    assert_same(ours.integers(low, high, (33,), dtype), expected)
    assert_same_stream(ours, theirs)


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("float32", 0, 2**24 + 2), ("float32", 0, 2**26 + 3), ("float32", -(2**24) - 1, 5), ("float32", -(2**27) - 5, 2**27 + 9),
        ("float32", 0, 2**31), ("float32", -(2**40), 7 - 2**38), ("float16", 0, 8195), ("float16", -16389, 16393),
        ("float16", 0, 60000), ("float64", 0, 2**55 + 3), ("float64", -(2**56) - 5, 2**56 + 9),
    ],
)  # fmt: skip
def test_integers_that_the_dtype_rounds(dtype: str, low: int, high: int) -> None:
    ours, theirs = pair()
    with pytest.warns(UserWarning, match="out of bounds"):
        expected = torch.randint(low, high, (50,), dtype=getattr(torch, dtype), generator=theirs)
    with pytest.warns(UserWarning, match="only some"):
        drawn = ours.integers(low, high, (50,), dtype)
    assert_same(drawn, expected)
    assert_same_stream(ours, theirs)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"])
def test_random_ints(dtype: str) -> None:
    ours, theirs = pair()
    for n in SIZES:
        assert_same(ours.random_ints((n,), dtype), empty((n,), dtype).random_(generator=theirs))
        assert_same_stream(ours, theirs)


def test_permutation() -> None:
    ours, theirs = pair()
    for n in SIZES:
        assert_same(ours.permutation(n), torch.randperm(n, generator=theirs))
        assert_same_stream(ours, theirs)


@pytest.mark.parametrize("p", [0.0, 1e-300, 0.1, 0.5, 0.9, 1.0 - 2.0**-53, 1.0])
def test_bernoulli(p: float) -> None:
    ours, theirs = pair()
    for n in SIZES:
        assert_same(ours.bernoulli(p, (n,)), empty((n,), np.bool_).bernoulli_(p, generator=theirs))
        assert_same_stream(ours, theirs)


def test_dropout_keeps_the_same() -> None:
    generator = Draws().manual_seed(3)
    torch.manual_seed(3)
    kept = torch.nn.functional.dropout(torch.ones(1000), 0.3) != 0
    assert_same(generator.bernoulli(1 - 0.3, (1000,)), kept)


@pytest.mark.parametrize("dtype", FLOATS)
def test_bernoulli_of(dtype: Any) -> None:
    ours, theirs = pair()
    for n in SIZES:
        chances = np.linspace(0, 1, n, dtype=dtype)
        expected = empty((n,), np.bool_).bernoulli_(torch.from_numpy(chances), generator=theirs)
        assert_same(ours.bernoulli_of(chances), expected)
        assert_same_stream(ours, theirs)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(1,), (5,), (300,), (0, 4), (3, 1), (4, 7)])
@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("samples", [1, 4, 50])
def test_multinomial(dtype: Any, shape: tuple[int, ...], samples: int, replacement: bool) -> None:
    ours, theirs = pair()
    weights = np.random.default_rng(0).integers(1, 50, shape).astype(dtype)
    weights[..., 1:2] = 0
    if not replacement:
        samples = min(samples, max(1, shape[-1] - 1))  # PyTorch leaves the order of weightless ones open
    expected = torch.multinomial(torch.from_numpy(weights), samples, replacement, generator=theirs)
    assert_same(ours.multinomial(weights, samples, replacement), expected)
    assert_same_stream(ours, theirs)


# ---- one draw after another

DRAWS = {
    "uniform": (lambda g, n: g.uniform((n,)), lambda t, n: torch.rand(n, generator=t)),
    "double": (
        lambda g, n: g.uniform((n,), dtype="f8"),
        lambda t, n: torch.rand(n, generator=t, dtype=torch.float64),
    ),
    "normal": (lambda g, n: g.normal((n,)), lambda t, n: torch.randn(n, generator=t)),
    "log_normal": (lambda g, n: g.log_normal((n,)), lambda t, n: torch.empty(n).log_normal_(generator=t)),
    "half": (
        lambda g, n: g.normal((n,), dtype="f2"),
        lambda t, n: torch.randn(n, generator=t, dtype=torch.float16),
    ),
    "integers": (lambda g, n: g.integers(0, 10, (n,)), lambda t, n: torch.randint(10, (n,), generator=t)),
    "permutation": (lambda g, n: g.permutation(n), lambda t, n: torch.randperm(n, generator=t)),
    "bernoulli": (
        lambda g, n: g.bernoulli(0.3, (n,)),
        lambda t, n: torch.empty(n, dtype=torch.bool).bernoulli_(0.3, generator=t),
    ),
}


@given(SEEDS, st.lists(st.tuples(st.sampled_from(sorted(DRAWS)), st.integers(0, 40)), max_size=12))
@settings(max_examples=100)
def test_draws_after_one_another(seed: int, draws: list[tuple[str, int]]) -> None:
    ours, theirs = pair(seed)
    for name, n in draws:
        left, right = DRAWS[name]
        rtol = {"normal": 2e-6, "log_normal": 2e-6, "half": 2e-3}.get(name, 0)
        assert_same(left(ours, n), right(theirs, n), rtol, rtol)
        assert_same_stream(ours, theirs)


def test_seeding_forgets_the_spare_normal() -> None:
    ours, theirs = pair()
    ours.normal((3,)), torch.randn(3, generator=theirs)
    assert_same_stream(ours.manual_seed(5), theirs.manual_seed(5))
    assert_same(ours.normal((3,)), torch.randn(3, generator=theirs), CLOSE[np.float32])


# ---- errors: where PyTorch raises one, so do we, and no number is drawn

WRONG = {
    "uniform upside down": (lambda g: g.uniform((3,), 1, 0), lambda t: t.uniform_(1, 0)),
    "uniform beyond float32": (lambda g: g.uniform((3,), 0, 1e39), lambda t: t.uniform_(0, 1e39)),
    "uniform too wide": (lambda g: g.uniform((3,), -3e38, 3e38), lambda t: t.uniform_(-3e38, 3e38)),
    "uniform of nan": (lambda g: g.uniform((3,), float("nan"), 1), lambda t: t.uniform_(float("nan"), 1)),
    "uniform integers": (lambda g: g.uniform((3,), dtype="i8"), lambda t: t.long().uniform_()),
    "normal": (lambda g: g.normal((3,), 0, -1), lambda t: t.normal_(0, -1)),
    "normal of nan": (lambda g: g.normal((3,), 0, float("nan")), lambda t: t.normal_(0, float("nan"))),
    "log_normal": (lambda g: g.log_normal((3,), 0, 0), lambda t: t.log_normal_(0, 0)),
    "exponential": (lambda g: g.exponential((3,), 0), lambda t: t.exponential_(0)),
    "cauchy": (lambda g: g.cauchy((3,), 0, 0), lambda t: t.cauchy_(0, 0)),
    "geometric 0": (lambda g: g.geometric(0, (3,)), lambda t: t.geometric_(0)),
    "geometric 1": (lambda g: g.geometric(1, (3,)), lambda t: t.geometric_(1)),
    "integers": (lambda g: g.integers(5, 5, (0,)), lambda t: torch.randint(5, 5, (0,))),
    "integers of uint8": (lambda g: g.integers(0, 257, (3,), "u1"), lambda t: t.byte().random_(0, 257)),
    "integers beyond float16": (lambda g: g.integers(0, 70000, (3,), "f2"), lambda t: t.half().random_(0, 70000)),
    "integers below uint8": (lambda g: g.integers(-1, 2, (3,), "u1"), lambda t: t.byte().random_(-1, 2)),
    "permutation": (lambda g: g.permutation(-1), lambda t: torch.randperm(-1)),
    "a negative dimension": (lambda g: g.uniform((2, -1)), lambda t: torch.rand(2, -1)),
    "bernoulli": (lambda g: g.bernoulli(1.1, (3,)), lambda t: t.bernoulli_(1.1)),
    "bernoulli of nan": (lambda g: g.bernoulli(float("nan"), (3,)), lambda t: t.bernoulli_(float("nan"))),
    "bernoulli_of": (lambda g: g.bernoulli_of(np.float32([1.1])), lambda t: torch.bernoulli(t[:1] + 1.1)),
    "bernoulli_of integers": (lambda g: g.bernoulli_of(np.array([1])), lambda t: torch.bernoulli(t.long())),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name: str) -> None:
    ours, theirs = WRONG[name]
    generator = Draws()
    with pytest.raises(RuntimeError) as error:
        ours(generator)
    assert "\n" not in str(error.value)
    with pytest.raises(RuntimeError):
        theirs(torch.zeros(3))
    assert_same_stream(generator, torch.Generator())


@pytest.mark.parametrize(
    ("weights", "samples", "replacement"),
    [
        ([1.0, 2.0], 0, True), ([1.0, 2.0], -1, False), ([1.0, 2.0], 3, False), ([], 1, False), ([], 0, True),
        (1.0, 1, False), ([[[1.0]]], 1, False), ([-1.0, 2.0], 1, False), ([-1.0, 2.0], 2, True),
        ([float("nan"), 2.0], 1, False), ([float("inf"), 2.0], 2, True), ([0.0, 0.0], 1, False),
        ([[1.0, 1.0], [0.0, 0.0]], 3, True), ([[1.0, 1.0], [0.0, 0.0]], 1, False), ([1, 2], 1, True),
    ],
)  # fmt: skip
def test_multinomial_errors(weights: Any, samples: int, replacement: bool) -> None:
    weights = np.array(weights)
    with pytest.raises(RuntimeError):
        Draws().multinomial(weights, samples, replacement)
    with pytest.raises(RuntimeError):
        torch.multinomial(torch.from_numpy(weights), samples, replacement)


@pytest.mark.parametrize("state", [np.zeros(10, "u1"), np.zeros(5056, "u1"), Draws().state()[:-1]])
def test_a_wrong_state_is_refused(state: np.ndarray) -> None:
    with pytest.raises(RuntimeError):
        Draws().restore(state)
    with pytest.raises(RuntimeError):
        torch.Generator().set_state(torch.tensor(state))


# ---- the face: states are tensors


def _moved(p: Any) -> Any:
    """A generator that has drawn, and the numbers that follow."""
    g = p.Generator().manual_seed(3)
    p.randn(3, generator=g)
    return g


def _cloned(p: Any) -> Any:
    g = _moved(p)
    other = g.clone_state()
    return [p.randn(2, generator=other), p.randn(2, generator=g), p.rand(1, generator=g), p.rand(1, generator=other)]


def _lent(p: Any) -> Any:
    """The default generator continues from another's state."""
    p.set_rng_state(_moved(p).get_state())
    return p.rand(2)


def _borrowed(p: Any) -> Any:
    p.manual_seed(4)
    p.rand(3)
    g = p.Generator()
    return [g.set_state(p.get_rng_state()) is g, p.rand(2, generator=g), p.rand(2)]


FACES: dict[str, Any] = {
    "a state": lambda p: [_moved(p).get_state().dtype == p.uint8, tuple(_moved(p).get_state().shape)],
    "equal states": lambda p: [p.equal(_moved(p).get_state(), _moved(p).get_state().clone())],
    "another state": lambda p: p.equal(_moved(p).get_state(), p.Generator().get_state()),
    "lent": _lent,
    "borrowed": _borrowed,
    "cloned": _cloned,
    "bytes": lambda p: p.ByteTensor(p.Generator().get_state())[:24],
    "a state is a copy": lambda p: [(g := _moved(p)).get_state().zero_().sum(), p.rand(1, generator=g)],
    "devices": lambda p: [str(p.Generator().device), p.Generator("cpu").device == p.device("cpu"), p.Generator(None).device.type],
    "the default one": lambda p: p.manual_seed(6) is p.default_generator,
    "its state": lambda p: p.equal(p.default_generator.get_state(), p.get_rng_state()),
    "floats": lambda p: p.set_rng_state(p.zeros(5056)),
    "an array": lambda p: p.Generator().set_state(np.zeros(5056, np.uint8)),
    "nothing": lambda p: p.set_rng_state(None),
    "too few bytes": lambda p: p.Generator().set_state(p.zeros(10, dtype=p.uint8)),
    "zeros": lambda p: p.set_rng_state(p.zeros(5056, dtype=p.uint8)),
    "no GPU": lambda p: p.Generator("cuda"),
    "a seed in letters": lambda p: p.manual_seed("3").initial_seed(),
    "no seed in letters": lambda p: p.manual_seed("a"),
    "a seed with a fraction": lambda p: p.manual_seed(3.7).initial_seed(),
    "a generator's seed in letters": lambda p: p.Generator().manual_seed("3"),
}


@pytest.mark.parametrize("name", FACES)
def test_the_face(name: str) -> None:
    compare(FACES[name], torch, tinygrad_nn)
