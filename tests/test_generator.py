"""The random stream by itself: numbers PyTorch gave, written down, and what holds for any seed."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_nn import stream as module
from tinygrad_nn.draws import Draws
from tinygrad_nn.generator import Generator, default_generator

SEEDS = st.integers(-(2**63), 2**64 - 1)
WEIGHTS = np.array([[0.1, 0.2, 0.3, 0.4], [4, 3, 2, 1]], np.float32)

# Each by a fresh generator of seed 0.
KNOWN: dict[str, tuple[Callable[[Draws], Any], Any]] = {
    "float32": (lambda g: g.uniform((3,)), [0.49625658988952637, 0.7682217955589294, 0.08847743272781372]),
    "float64": (
        lambda g: g.uniform((3,), dtype="f8"),
        [0.9700530018065531, 0.707819864399788, 0.45938294312745087],
    ),
    "float16": (lambda g: g.uniform((3,), dtype="f2"), [0.496337890625, 0.76806640625, 0.0885009765625]),
    "normal 3": (lambda g: g.normal((3,)), [1.5409960746765137, -0.293428897857666, -2.1787893772125244]),
    "normal 17": (
        lambda g: g.normal((17,))[[0, 1, 8, 16]],
        [-1.1258398294448853, -1.6959311962127686, 0.46809640526771545, 0.9318265914916992],
    ),
    "normal 17 float16": (lambda g: g.normal((17,), dtype="f2")[[0, 1, 16]], [-1.126, -1.3525, -0.84375]),
    "integers": (lambda g: g.integers(0, 10, (8,)), [4, 9, 3, 0, 3, 9, 7, 3]),
    "integers below 2**28": (lambda g: g.integers(0, 2**28 - 1, (3,)), [209652404, 130329144, 118924928]),
    "integers from 2**28": (lambda g: g.integers(0, 2**28, (3,)), [130329135, 136432832, 195187451]),
    "uint8": (lambda g: g.random_ints((4,), "u1"), [172, 47, 117, 192]),
    "int64": (lambda g: g.random_ints((2,)), [900450186894289455, 3969543146641149120]),
    "float32 integers": (lambda g: g.random_ints((2,), "f4"), [8325664, 12888472]),
    "permutation": (lambda g: g.permutation(10), [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]),
    "bernoulli": (lambda g: g.bernoulli(0.3, (12,)), [0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1]),
    "bernoulli_of": (
        lambda g: g.bernoulli_of(np.full(12, 0.3, np.float32)),
        [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0],
    ),
    "exponential": (lambda g: g.exponential((3,)), [3.508326292037964, 1.2303847074508667, 0.6150441]),
    "cauchy": (lambda g: g.cauchy((3,)), [10.597729682922363, 0.7647672891616821, -0.12829934060573578]),
    "geometric": (lambda g: g.geometric(0.2, (6,)), [1, 2, 4, 1, 2, 2]),
    "log_normal": (lambda g: g.log_normal((3,)), [59.2634162902832, 1.5115599632263184, 0.03481946140527725]),
    "multinomial": (lambda g: g.multinomial(WEIGHTS, 3), [[2, 1, 3], [2, 0, 3]]),
    "multinomial once": (lambda g: g.multinomial(WEIGHTS, 1), [[2], [2]]),
    "multinomial again": (
        lambda g: g.multinomial(WEIGHTS, 6, replacement=True),
        [[3, 3, 2, 3, 3, 3], [0, 0, 1, 0, 1, 0]],
    ),
}

# Every draw, of n elements.
DRAWS: dict[str, Callable[[Draws, int], Any]] = {
    "uniform": lambda g, n: g.uniform((n,)),
    "uniform double": lambda g, n: g.uniform((n,), -1, 1, "f8"),
    "normal": lambda g, n: g.normal((n,)),
    "normal double": lambda g, n: g.normal((n,), 1, 2, "f8"),
    "normal half": lambda g, n: g.normal((n,), dtype="f2"),
    "log_normal": lambda g, n: g.log_normal((n,)),
    "exponential": lambda g, n: g.exponential((n,)),
    "cauchy": lambda g, n: g.cauchy((n,)),
    "geometric": lambda g, n: g.geometric(0.5, (n,)),
    "integers": lambda g, n: g.integers(-3, 4, (n,)),
    "random_ints": lambda g, n: g.random_ints((n,)),
    "permutation": lambda g, n: g.permutation(n),
    "bernoulli": lambda g, n: g.bernoulli(0.5, (n,)),
    "bernoulli_of": lambda g, n: g.bernoulli_of(np.full(n, 0.5)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_numbers(name: str) -> None:
    draw, expected = KNOWN[name]
    drawn = draw(Draws().manual_seed(0))
    tolerance = {"e": 1e-3, "f": 2e-6, "d": 1e-14}.get(drawn.dtype.char, 0)
    np.testing.assert_allclose(drawn, expected, rtol=tolerance)


def test_the_words_are_the_mersenne_twisters() -> None:
    generator = Draws().manual_seed(5489)
    words = [generator.random32() for _ in range(10_000)]
    assert (words[0], words[-1]) == (3499211612, 4123659995)  # C++ demands these of its std::mt19937
    generator.manual_seed(5489)
    assert generator.random64() == words[0] << 32 | words[1]


@pytest.mark.parametrize(
    ("seed", "first"),
    [(3, 0.004263520240783691), (2**40 + 3, 0.004263520240783691), (-1, 0.9937993884086609)],
)
def test_known_seeds(seed: int, first: float) -> None:
    assert Draws().manual_seed(seed).uniform(()) == np.float32(first)


def test_a_new_generator_always_starts_the_same() -> None:
    assert Draws().initial_seed() == 67280421310721
    np.testing.assert_array_equal(Draws().state(), Draws().state())


def test_seed_starts_somewhere_else_each_time() -> None:
    generator = Draws()
    seeds = {generator.seed() for _ in range(5)}
    assert len(seeds) == 5
    assert generator.initial_seed() in seeds
    assert all(0 <= seed < 2**64 for seed in seeds)


def test_the_default_generator_starts_anew_in_each_process() -> None:
    program = "from tinygrad_nn.generator import Generator, default_generator; print(default_generator.initial_seed())"
    seed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout
    assert int(seed) != default_generator.initial_seed()


@given(SEEDS)
def test_a_negative_seed_counts_from_the_top(seed: int) -> None:
    generator = Draws().manual_seed(seed)
    assert generator.initial_seed() == seed % 2**64
    assert generator.random64() == Draws().manual_seed(seed % 2**32).random64()


# ---- the state


def test_known_states() -> None:
    state = Draws().manual_seed(2**64 - 1).state()
    assert state.shape == (5056,)
    assert state[:24].tolist() == [255] * 8 + [1, 0, 0, 0, 1, 0, 0, 0] + [0] * 8
    generator = Draws().manual_seed(0)
    generator.normal((3,))
    state = generator.state()
    assert state[:24].tolist() == [0] * 8 + [105, 2, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]
    spare = np.array([13, 53, 62, 202, 150, 48, 226, 63], "u1").view("f8").item()
    assert state[5024:5032].view("f8").item() == pytest.approx(spare, rel=1e-14)
    assert state[5032:].tolist() == [0] * 8 + [1] + [0] * 15


@given(SEEDS, st.lists(st.tuples(st.sampled_from(sorted(DRAWS)), st.integers(0, 40)), max_size=6))
def test_a_state_brings_the_same_numbers_back(seed: int, draws: list[tuple[str, int]]) -> None:
    generator = Draws().manual_seed(seed)
    for name, n in draws:
        DRAWS[name](generator, n)
    state = generator.state()
    other = Draws().restore(state)
    np.testing.assert_array_equal(other.state(), state)
    assert other.initial_seed() == generator.initial_seed()
    for left, right in zip(*([g.normal((5,)), g.uniform((700,))] for g in (generator, other)), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("words", [0, 1, 623, 624, 625, 1248])
def test_states_where_the_words_run_out(words: int) -> None:
    generator = Draws()
    generator.uniform((words,))
    state = generator.state()
    left, following = state[8:12].view(np.int32).item(), state[16:24].view(np.uint64).item()
    assert (left, following) == ((1, 0) if words == 0 else (624 - (words - 1) % 624, (words - 1) % 624 + 1))
    assert Draws().restore(state).random32() == generator.random32()


def test_seeding_forgets_the_spare_normal() -> None:
    generator = Draws().manual_seed(5)
    first = generator.normal((1,))
    assert generator.manual_seed(5).normal((1,)) == first


def altered(**fields: int) -> np.ndarray:
    state = Draws().state()
    for name, value in fields.items():
        start, dtype = {"left": (8, "i4"), "seeded": (12, "i4"), "next": (16, "u8"), "word": (24, "u8")}[name]
        state[start : start + np.dtype(dtype).itemsize].view(dtype)[:] = value
    return state


@pytest.mark.parametrize(
    "state",
    [
        np.zeros(5056, "u1"),
        np.zeros(0, "u1"),
        Draws().state()[:-1],
        Draws().state().reshape(2, -1),
        Draws().state().astype("i8"),
        Draws().state().view("i1"),
        altered(seeded=0),
        altered(left=0),
        altered(left=2),
        altered(next=5),
        altered(left=0, next=625),
        altered(left=-1, next=626),
        altered(word=2**32),
    ],
)
def test_a_wrong_state_is_refused_and_changes_nothing(state: np.ndarray) -> None:
    generator = Draws().manual_seed(4)
    with pytest.raises(RuntimeError, match="restore expects"):
        generator.restore(state)
    np.testing.assert_array_equal(generator.state(), Draws().manual_seed(4).state())


def test_a_state_is_a_copy() -> None:
    generator = Draws()
    generator.state()[:] = 0
    np.testing.assert_array_equal(generator.state(), Draws().state())


# ---- what holds for any seed


@pytest.mark.parametrize("name", DRAWS)
def test_no_elements_take_nothing_from_the_stream(name: str) -> None:
    generator = Draws()
    generator.normal((1,))
    before = generator.state()
    assert DRAWS[name](generator, 0).size == 0
    np.testing.assert_array_equal(generator.state(), before)


@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (4, 0), (2, 2, 5)])
def test_shapes(shape: tuple[int, ...]) -> None:
    generator = Draws()
    drawn = [
        generator.uniform(shape), generator.normal(shape), generator.log_normal(shape),
        generator.exponential(shape), generator.cauchy(shape), generator.geometric(0.5, shape),
        generator.integers(0, 5, shape), generator.random_ints(shape), generator.bernoulli(0.5, shape),
        generator.bernoulli_of(np.full(shape, 0.5)),
    ]  # fmt: skip
    for array in drawn:
        assert isinstance(array, np.ndarray)
        assert array.shape == shape


@given(SEEDS, st.integers(-1000, 1000), st.integers(1, 1000), st.integers(0, 50))
def test_draws_stay_in_their_bounds(seed: int, low: int, width: int, n: int) -> None:
    generator = Draws().manual_seed(seed)
    for dtype in (np.float16, np.float32, np.float64):
        numbers = generator.uniform((n,), low, low + width, dtype)
        assert numbers.dtype == dtype
        assert np.all((low <= numbers) & (numbers < low + width))
        assert np.all(generator.exponential((n,), dtype=dtype) >= 0)
    integers = generator.integers(low, low + width, (n,))
    assert integers.dtype == np.int64
    assert np.all((low <= integers) & (integers < low + width))
    assert sorted(generator.permutation(n)) == list(range(n))
    assert np.all(generator.geometric(0.3, (n,)) >= 1)


@given(SEEDS, st.lists(st.sampled_from([0.0, 0.5, 3.0]), min_size=1, max_size=8).filter(any), st.booleans())
def test_multinomial_draws_no_category_without_weight(seed: int, weights: list[float], again: bool) -> None:
    generator = Draws().manual_seed(seed)
    n = sum(weight > 0 for weight in weights)
    drawn = generator.multinomial(np.array(weights), n, again)
    assert all(weights[i] > 0 for i in drawn)
    assert again or len(set(drawn.tolist())) == n


@given(SEEDS)
def test_bernoulli_is_exact_to_the_last_bit(seed: int) -> None:
    generator = Draws()
    d = generator.manual_seed(seed).uniform((), dtype=np.float64).item()
    assert not generator.manual_seed(seed).bernoulli(d, ())
    assert generator.manual_seed(seed).bernoulli(float(np.nextafter(d, 1)), ())


def test_certain_and_impossible() -> None:
    generator = Draws()
    assert not generator.bernoulli(0.0, (1000,)).any()
    assert generator.bernoulli(1.0, (1000,)).all()
    assert generator.bernoulli_of(np.array([0.0, 1.0], np.float16)).tolist() == [False, True]
    assert (generator.normal((40,), 3.0, 0.0) == 3).all()
    assert (generator.uniform((40,), 3.0, 3.0) == 3).all()


def test_the_draws_are_distributed_as_they_say() -> None:
    generator, n = Draws(), 50_000
    for numbers, mean, std in (
        (generator.uniform((n,), 2, 4), 3, 1 / 3**0.5),
        (generator.normal((n,), -1, 2), -1, 2),
        (np.array([generator.normal((5,)) for _ in range(4000)]), 0, 1),
        (generator.exponential((n,), 0.5), 2, 2),
        (np.log(generator.log_normal((n,), 0.5, 0.25)), 0.5, 0.25),
        (generator.geometric(0.25, (n,)), 4, 12**0.5),
        (generator.bernoulli(0.2, (n,)), 0.2, 0.4),
        (generator.integers(0, 10, (n,)), 4.5, 8.25**0.5),
        (np.arctan(generator.cauchy((n,), 0, 1)), 0, np.pi / 12**0.5),
        (generator.multinomial(np.array([1.0, 2.0, 1.0]), n, True), 1, 0.5**0.5),
    ):
        numbers = np.asarray(numbers, float)
        assert numbers.mean() == pytest.approx(mean, abs=5 * std / numbers.size**0.5)
        assert numbers.std() == pytest.approx(std, rel=0.03)


def test_a_race_is_won_in_proportion_to_the_weights() -> None:
    weights = np.tile([0.1, 0.0, 0.3, 0.6], (20_000, 1))
    winners = Draws().multinomial(weights, 1)
    np.testing.assert_allclose(np.bincount(winners.ravel(), minlength=4) / 20_000, weights[0], atol=0.02)


def test_a_long_permutation_is_built_inside_out() -> None:
    """PyTorch's other way begins at 2**32 / 20 elements, more than a test should hold."""

    class Long(int):
        def __lt__(self, other: object) -> bool:
            return False  # so that no limit is above it

    generator, steps, order = Draws(), Draws(), []
    for i in range(50):
        j = steps.random64() % (i + 1)
        order.append(i)
        order[i], order[j] = order[j], i
    assert generator.permutation(Long(50)).tolist() == order
    np.testing.assert_array_equal(generator.state(), steps.state())


def test_float16_overflows_to_infinity_in_silence() -> None:
    assert np.isinf(Draws().normal((1000,), 0, 1e6, np.float16)).any()


# ---- errors


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_a_seed_beyond_64_bits(seed: int) -> None:
    with pytest.raises(ValueError, match=f"manual_seed expects .* got {seed}"):
        Draws().manual_seed(seed)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda g: Generator("cuda"), "Generator expects device 'cpu', got 'cuda'"),
        (lambda g: g.manual_seed("a"), "manual_seed expects an integer, got 'a'"),
        (lambda g: g.normal_in_turn((20,), 0, -1), "normal expects std >= 0, got -1"),
        (lambda g: g.uniform((2,), 1, 0), r"uniform expects low <= high .* got \(1, 0\)"),
        (lambda g: g.uniform((2,), 0, 1e6, "f2"), "uniform expects low <= high within the range of float16"),
        (lambda g: g.uniform((2,), -3e38, 3e38), "uniform expects"),
        (lambda g: g.uniform((2,), dtype="i8"), "uniform expects dtype .* got int64"),
        (lambda g: g.normal((2,), 0, -1), "normal expects std >= 0, got -1"),
        (lambda g: g.normal((2,), dtype="c8"), "normal expects dtype .* got complex64"),
        (lambda g: g.log_normal((2,), 0, 0), "log_normal expects std > 0, got 0"),
        (lambda g: g.exponential((2,), 0), "exponential expects lambd > 0, got 0"),
        (lambda g: g.cauchy((2,), 0, -1), "cauchy expects sigma > 0, got -1"),
        (lambda g: g.geometric(1, (2,)), r"geometric expects p in \(0, 1\), got 1"),
        (lambda g: g.integers(3, 3, (2,)), r"integers expects .*low < high.* got \(3, 3\)"),
        (lambda g: g.integers(0, 257, (2,), "u1"), r"expects 0 <= low < high <= 256, got \(0, 257\)"),
        (lambda g: g.integers(0, 2, (2,), "c8"), "integers expects a real dtype, got complex64"),
        (lambda g: g.random_ints((2,), "c8"), "random_ints expects a real dtype"),
        (lambda g: g.permutation(-1), "without negative dimensions"),
        (lambda g: g.uniform((2, -1)), r"without negative dimensions, got \(2, -1\)"),
        (lambda g: g.bernoulli(1.5, (2,)), r"bernoulli expects p in \[0, 1\], got 1.5"),
        (lambda g: g.bernoulli_of(np.array([0.5, np.nan])), "bernoulli_of expects chances"),
        (lambda g: g.bernoulli_of(np.array([1])), "bernoulli_of expects dtype .* got int64"),
        (lambda g: g.multinomial(WEIGHTS, 0), "multinomial expects 1 to 4 samples, got 0"),
        (lambda g: g.multinomial(WEIGHTS, 5), "multinomial expects 1 to 4 samples, got 5"),
        (lambda g: g.multinomial(WEIGHTS[None], 1), r"one or two dimensions, got \(1, 2, 4\)"),
        (lambda g: g.multinomial(np.array([1, 2]), 1), "multinomial expects dtype .* got int64"),
        (lambda g: g.multinomial(-WEIGHTS, 1), "multinomial expects finite weights >= 0"),
        (lambda g: g.multinomial(WEIGHTS * np.float32(np.inf), 9, True), "expects finite weights"),
        (lambda g: g.multinomial(WEIGHTS * 0, 1), "in no row all zero"),
    ],
)
def test_errors_are_one_line_and_draw_nothing(draw: Callable[[Draws], Any], message: str) -> None:
    generator = Draws()
    with pytest.raises(RuntimeError, match=message) as error:
        draw(generator)
    assert "\n" not in str(error.value)
    np.testing.assert_array_equal(generator.state(), Draws().state())


def test_the_module_knows_numpy_only() -> None:
    program = "import sys, runpy; runpy.run_path(sys.argv[1]); print(*sys.modules)"
    run = [sys.executable, "-c", program, module.__file__]
    loaded = subprocess.run(run, capture_output=True, check=True, text=True).stdout.split()
    assert "numpy" in loaded
    assert not {"torch", "tinygrad_nn"} & set(loaded)
