"""Special functions against values computed to fifty digits, and against the identities that define them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_nn import special_arrays as special
from tinygrad_nn.special_arrays import digamma, erf, erfc, erfinv, lgamma

NAMES = ["erf", "erfc", "erfinv", "lgamma", "digamma"]
FUNCTIONS = pytest.mark.parametrize("function", [getattr(special, name) for name in NAMES], ids=NAMES)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
EPS = 2.0**-52
INF, NAN = np.inf, np.nan

# (x, value): x is exactly the double it prints as
REFERENCE = {
    "erf": [
        (1e-300, 1.1283791670955126e-300),
        (1e-10, 1.1283791670955126e-10),
        (0.001, 0.0011283787909692365),
        (0.1, 0.1124629160182849),
        (0.25, 0.27632639016823696),
        (0.5, 0.5204998778130465),
        (0.75, 0.7111556336535151),
        (0.9, 0.7969082124228322),
        (0.99, 0.8385080695553698),
        (1.0, 0.8427007929497149),
        (1.01, 0.8468104962282768),
        (1.25, 0.9229001282564583),
        (1.5, 0.9661051464753108),
        (2.0, 0.9953222650189527),
        (2.5, 0.999593047982555),
        (3.0, 0.9999779095030014),
        (4.0, 0.9999999845827421),
        (5.5, 0.9999999999999927),
    ],
    "erfc": [
        (-5.0, 1.9999999999984626),
        (-2.0, 1.9953222650189528),
        (-1.0, 1.8427007929497148),
        (-0.3, 1.3286267594591274),
        (-1e-10, 1.000000000112838),
        (1e-10, 0.999999999887162),
        (0.01, 0.9887165844441503),
        (0.1, 0.887537083981715),
        (0.5, 0.4795001221869535),
        (0.9, 0.20309178757716786),
        (1.0, 0.15729920705028513),
        (1.5, 0.033894853524689274),
        (2.0, 0.004677734981047266),
        (3.0, 2.209049699858544e-05),
        (5.0, 1.537459794428035e-12),
        (8.0, 1.1224297172982926e-29),
        (10.0, 2.088487583762545e-45),
        (12.3, 9.029925149482068e-68),
        (15.0, 7.212994172451207e-100),
        (17.9, 2.21616449634844e-141),
        (20.0, 5.395865611607901e-176),
        (23.7, 2.7379369178464715e-246),
        (25.0, 8.300172571196523e-274),
        (26.5, 2.2109076642637343e-307),
    ],
    "erfinv": [
        (1e-300, 8.86226925452758e-301),
        (1e-10, 8.862269254527581e-11),
        (0.001, 0.0008862271574665521),
        (0.1, 0.08885599049425769),
        (0.25, 0.2253120550121781),
        (0.499, 0.47582428088309237),
        (0.5, 0.4769362762044699),
        (0.51, 0.4881220505159588),
        (0.75, 0.8134198475976185),
        (0.9, 1.1630871536766743),
        (0.95, 1.3859038243496777),
        (0.99, 1.8213863677184494),
        (0.999, 2.3267537655135246),
        (0.99999, 3.123413274341571),
        (0.99999999, 4.052237243268763),
        (0.999999999999, 5.042031898572696),
        (0.9999999999999999, 5.8635847487551676),
    ],
    "lgamma": [
        (1e-300, 690.7755278982137),
        (1e-10, 23.025850929882736),
        (0.001, 6.907178885383853),
        (0.1, 2.252712651734206),
        (0.5, 0.5723649429247001),
        (0.9, 0.06637623973474295),
        (0.999, 0.0005780385328913802),
        (0.9999999999990905, 5.249745890089625e-13),
        (1.0000000000009095, -5.249745890076018e-13),
        (1.001, -0.0005763935982833062),
        (1.25, -0.09827183642181316),
        (1.4616321449683622, -0.12148629053584961),
        (1.75, -0.08440112102048555),
        (1.999, -0.0004224618006921073),
        (1.9999999999990905, -3.845201127643794e-13),
        (2.0000000000009095, 3.8452011276491285e-13),
        (2.001, 0.000423106734800117),
        (2.5, 0.2846828704729192),
        (3.0, 0.6931471805599453),
        (4.5, 2.4537365708424423),
        (7.25, 7.0521854507385395),
        (9.999, 12.799575780077413),
        (10.0, 12.801827480081469),
        (10.5, 13.940625219403763),
        (20.0, 39.339884187199495),
        (100.0, 359.1342053695754),
        (100000.0, 1051287.7089736569),
        (1e20, 4.505170185988091e21),
        (1e305, 7.012884533631839e307),
        (-1e-10, 23.025850929998178),
        (-0.1, 2.3689613327287886),
        (-0.5, 1.2655121234846454),
        (-0.75, 1.5757045971498584),
        (-1.5, 0.860047015376481),
        (-2.25, 0.5555015450206475),
        (-3.5, -1.309006684993042),
        (-10.25, -14.20399790093109),
        (-50.5, -149.29649894115255),
        (-100.25, -363.4009232278215),
    ],
    "digamma": [
        (1e-300, -9.999999999999999e299),
        (1e-10, -10000000000.577215),
        (0.001, -1000.5755719318103),
        (0.1, -10.423754940411076),
        (0.5, -1.9635100260214235),
        (0.9, -0.7549269499470513),
        (1.0, -0.5772156649015329),
        (1.25, -0.22745353337626542),
        (1.4, -0.06138454458511624),
        (1.46, -0.0015805619870834522),
        (1.4616321449683622, -9.241265521729427e-17),
        (1.47, 0.008066489011364869),
        (1.75, 0.24747245354686118),
        (1.999, 0.4221391988923556),
        (2.0, 0.42278433509846713),
        (2.001, 0.42342906719069845),
        (2.5, 0.7031566406452432),
        (3.0, 0.9227843350984671),
        (4.5, 1.388870926359529),
        (7.25, 1.910453526883736),
        (9.999, 2.2516474172057355),
        (10.0, 2.251752589066721),
        (10.5, 2.3030010342976865),
        (20.0, 2.970523992242149),
        (100.0, 4.600161852738087),
        (100000.0, 11.512920464961896),
        (1e20, 46.051701859880914),
        (1e305, 702.288453363184),
        (-1e-10, 9999999999.422785),
        (-0.1, 9.245073050052948),
        (-0.25, 2.9141391202135276),
        (-0.75, -2.894120200042932),
        (-1.25, 3.714139120213528),
        (-2.75, -1.959055264977997),
        (-3.25, 4.46627587235028),
        (-10.125, 9.948053825866076),
        (-50.25, 7.068520448108511),
        (-100.75, 1.476004116748551),
    ],
}

SPECIALS = {
    "erf": [(0.0, 0.0), (-0.0, -0.0), (INF, 1), (-INF, -1), (NAN, NAN), (30, 1), (-30, -1), (3e38, 1)],
    "erfc": [(0.0, 1), (INF, 0.0), (-INF, 2), (NAN, NAN), (30, 0.0), (3e38, 0.0), (-3e38, 2)],
    "erfinv": [(0.0, 0.0), (-0.0, -0.0), (1, INF), (-1, -INF), (1.5, NAN), (-1.5, NAN), (INF, NAN), (NAN, NAN)],
    "lgamma": [
        (1, 0.0), (2, 0.0), (0.0, INF), (-0.0, INF), (-1, INF), (-2, INF), (-1e10, INF), (-3e38, INF),
        (INF, INF), (-INF, INF), (NAN, NAN),
    ],
    "digamma": [
        (0.0, -INF), (-0.0, INF), (-1, NAN), (-2, NAN), (-1e10, NAN), (INF, INF), (-INF, NAN), (NAN, NAN),
    ],
}  # fmt: skip


def floats(low: float, high: float, width: int = 64) -> st.SearchStrategy[np.ndarray]:
    """Arrays of floats from `low` to `high`, ends included."""
    dtype = np.dtype(f"f{width // 8}")
    return hnp.arrays(dtype, st.integers(1, 8), elements=st.floats(low, high, width=width))


def assert_close(actual: np.ndarray, expected: np.ndarray, tolerance: np.ndarray | float) -> None:
    excess = np.abs(actual - expected) - tolerance
    assert (excess <= 0).all(), (actual, expected)


@pytest.mark.parametrize("name", NAMES)
def test_values(name):
    x, expected = np.array(REFERENCE[name]).T
    # below 0, lgamma and digamma promise an error small beside 1 only
    scale = np.where((x < 0) & (name in ("lgamma", "digamma")), np.maximum(1, abs(expected)), abs(expected))
    assert_close(getattr(special, name)(x), expected, 6 * EPS * scale)


@pytest.mark.parametrize("name", ["erf", "erfinv"])
def test_values_at_negative_x(name):
    x, expected = np.array(REFERENCE[name]).T
    np.testing.assert_array_equal(getattr(special, name)(-x), -getattr(special, name)(x))
    assert_close(getattr(special, name)(-x), -expected, 6 * EPS * expected)


@FUNCTIONS
def test_float32_is_within_two_units_of_its_last_place(function):
    low, high = (-1, 1) if function is erfinv else (-9, 9)
    small = np.concatenate([np.geomspace(1e-30, 1e-4, 2000), np.geomspace(1e-4, high, 150_000)])
    x = np.concatenate([np.linspace(low, high, 10_003), small, -small]).astype(np.float32)
    with np.errstate(over="ignore"):
        exact = function(x.astype(np.float64))
    actual, finite = function(x), np.isfinite(exact)
    np.testing.assert_array_equal(np.isfinite(actual), finite)
    ulp = np.spacing(np.abs(exact[finite]).astype(np.float32))
    assert_close(actual[finite].astype(np.float64), exact[finite], 2 * ulp.astype(np.float64))


def test_float32_erf_never_passes_one_and_never_jumps_back():
    y = erf(np.linspace(-4.2, 4.2, 1_000_001).astype(np.float32))
    assert y.min() == -1
    assert y.max() == 1
    assert np.diff(y).min() >= -(2.0**-23)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_specials(name, dtype):
    with np.errstate(over="ignore"):
        x, expected = np.array(SPECIALS[name]).astype(dtype).T
    actual = getattr(special, name)(x)
    np.testing.assert_array_equal(actual, expected)
    zero = expected == 0
    np.testing.assert_array_equal(np.signbit(actual[zero]), np.signbit(expected[zero]))


@FUNCTIONS
@DTYPES
def test_no_input_warns(function, dtype):
    info = np.finfo(dtype)
    sizes = np.array([info.smallest_subnormal, 7 * info.smallest_subnormal, info.tiny, info.eps, info.max], dtype)
    edges = np.array([0, 1, 2, 10, 27, 170, np.inf, np.nan], dtype)
    x = np.concatenate([sizes, edges, np.nextafter(edges, dtype(0)), np.nextafter(edges, dtype(np.inf))])
    x = np.concatenate([x, -x])
    with np.errstate(all="raise"):
        y = function(x)
    domain = ~np.isnan(x)
    if function is erfinv:
        domain &= abs(x) <= 1
    if function is digamma:
        domain &= (x >= 0) | (x != np.floor(x))
    np.testing.assert_array_equal(np.isnan(y), ~domain)


@pytest.mark.parametrize(("function", "small"), [(lgamma, lambda x: -np.log(x)), (digamma, lambda x: -1 / x)])
def test_close_to_the_pole_at_zero(function, small):
    x = np.array([5e-324, 1e-310, 1e-300])
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(function(x), small(x), rtol=4 * EPS)
        np.testing.assert_allclose(function(-x), small(x) if function is lgamma else -small(x), rtol=4 * EPS)


@FUNCTIONS
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (1,), (3, 4), (2, 3, 2)])
def test_shape_and_dtype_are_kept(function, dtype, shape):
    y = function(np.full(shape, 0.25, dtype))
    assert isinstance(y, np.ndarray)
    assert (y.shape, y.dtype) == (shape, dtype)
    np.testing.assert_array_equal(y, np.full(shape, function(np.full(1, 0.25, dtype))[0]))


@FUNCTIONS
@DTYPES
def test_every_layout_gives_the_same_numbers(function, dtype):
    x = np.linspace(0.01, 0.99, 210 * 200).astype(dtype).reshape(210, 200)  # several blocks
    kept, y = x.copy(), function(x)
    for view in (np.s_[::-1], np.s_[:, ::-3], np.s_[5:9, 7], np.s_[::2, None, 1::2], np.s_[3, 4]):
        np.testing.assert_array_equal(function(x[view]), y[view])
    np.testing.assert_array_equal(function(x.T), y.T)
    np.testing.assert_array_equal(function(np.broadcast_to(x[:1], (4, 200))), np.broadcast_to(y[:1], (4, 200)))
    assert function(x.T).flags.f_contiguous
    np.testing.assert_array_equal(x, kept)


def test_a_read_only_input_will_do():
    x = np.full(3, 0.5)
    x.flags.writeable = False
    assert (erf(x) > 0.5).all()


@pytest.mark.parametrize("width", [32, 64])
@pytest.mark.parametrize("function", [erf, erfinv])
def test_odd(function, width):
    @given(floats(-1 if function is erfinv else -1e10, 1, width))
    def check(x):
        np.testing.assert_array_equal(function(-x), -function(x))

    check()


@given(floats(-30, 30))
def test_erf_and_erfc_make_one(x):
    assert_close(erf(x) + erfc(x), 1, 2 * EPS)
    assert_close(erfc(x) + erfc(-x), 2, 2 * EPS)


@given(floats(-5, 5))
def test_erfinv_undoes_erf(x):
    # erf(x) is rounded, and erfinv is as steep as exp(x^2)
    y = erf(x)
    inside = np.abs(y) < 1
    assert_close(erfinv(y[inside]), x[inside], 2 * EPS * (np.abs(x) + np.exp(x * x) * np.abs(y))[inside] + 1e-323)


@given(floats(-0.999999, 0.999999))
def test_erf_undoes_erfinv(p):
    assert_close(erf(erfinv(p)), p, 6 * EPS * np.abs(p) + 1e-323)


@given(floats(1e-6, 1e6))
def test_lgamma_recurrence(x):
    expected = lgamma(x) + np.log(x)
    assert_close(lgamma(x + 1), expected, 16 * EPS * (1 + np.abs(lgamma(x)) + np.abs(np.log(x))))


@given(floats(-30, -0.01))
def test_lgamma_recurrence_below_zero(x):
    x = x[np.abs(x - np.rint(x)) > 1e-3]  # x + 1 is rounded, and near a pole that is much
    assert_close(lgamma(x + 1), lgamma(x) + np.log(-x), 1e-11)


@given(floats(1e-6, 1e6))
def test_digamma_recurrence(x):
    assert_close(digamma(x + 1), digamma(x) + 1 / x, 8 * EPS * (3 + np.log(x + 1) + 1 / x))


@given(floats(-30, -0.01))
def test_digamma_recurrence_below_zero(x):
    x = x[np.abs(x - np.rint(x)) > 1e-3]
    assert_close(digamma(x + 1), digamma(x) + 1 / x, 1e-7)


@given(floats(0.1, 50))
def test_digamma_is_the_slope_of_lgamma(x):
    h = 1e-4 * x
    slope = (lgamma(x + h) - lgamma(x - h)) / (2 * h)
    assert_close(slope, digamma(x), 1e-6 * (1 + 1 / x))


def test_the_pieces_meet():
    """A function is as smooth over a boundary between two of its series as elsewhere."""
    for function, boundaries in [(erf, [1]), (erfinv, [0.5]), (lgamma, [3, 10]), (digamma, [1, 2, 10])]:
        for x in boundaries:
            steps = x * (1 + EPS * np.arange(-40, 41))
            rise = (function(steps[-1:]) - function(steps[:1]))[0]
            line = function(steps[:1])[0] + rise * np.arange(81) / 80
            assert_close(function(steps), line, 8 * EPS * np.abs(line))
