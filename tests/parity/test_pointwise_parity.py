"""Every pointwise function beside PyTorch's: values and slopes at special points, dtypes of every mixture, errors."""

import re

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

inf, nan = float("inf"), float("nan")
POINTS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, 1.5, -2.5, 0.25, 1e30, -1e30, inf, -inf, nan]

UNARY = [
    "abs", "absolute", "acos", "acosh", "angle", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "asin", "asinh",
    "atan", "atanh", "ceil", "cos", "cosh", "deg2rad", "digamma", "erf", "erfc", "erfinv", "exp", "exp2", "expm1", "fix", "floor",
    "frac", "i0", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "lgamma", "log", "log10", "log1p", "log2",
    "logical_not", "logit", "nan_to_num", "neg", "negative", "positive", "rad2deg", "reciprocal", "relu", "round", "rsqrt", "sgn",
    "sigmoid", "sign", "signbit", "sin", "sinc", "sinh", "sqrt", "square", "tan", "tanh", "trunc", "special.entr",
    "special.erfcx", "special.expit", "special.i0e", "special.i1", "special.i1e", "special.log_ndtr", "special.ndtr",
    "special.ndtri", "special.psi", "special.gammaln", "bitwise_not",
]  # fmt: skip
BINARY = [
    "add", "arctan2", "atan2", "clamp_max", "clamp_min", "copysign", "div", "divide", "eq", "floor_divide", "fmax", "fmin",
    "fmod", "ge", "greater", "greater_equal", "gt", "heaviside", "hypot", "isclose", "le", "less", "less_equal",
    "logaddexp", "logaddexp2", "logical_and", "logical_or", "logical_xor", "lt", "maximum", "minimum", "mul", "multiply", "ne",
    "nextafter", "not_equal", "pow", "float_power", "remainder", "rsub", "sub", "subtract", "true_divide", "xlogy",
    "special.xlog1py", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "gcd", "lcm",
]  # fmt: skip

# More of each: with attributes, with numbers, in operators.
ONE = {
    **{name: lambda p, x, name=name: function(p, name)(x) for name in UNARY},
    "clamp": lambda p, x: x.clamp(-1, 2),
    "clamp floats": lambda p, x: x.clamp(0.5, 1.5),
    "clamp crossed": lambda p, x: x.clamp(2, 1),
    "clamp to nan": lambda p, x: x.clamp(nan, 1),
    "round decimals": lambda p, x: p.round(x, decimals=1),
    "round tens": lambda p, x: p.round(x, decimals=-1),
    "logit eps": lambda p, x: p.logit(x, eps=0.1),
    "nan_to_num to": lambda p, x: p.nan_to_num(x, 1, posinf=2, neginf=3),
    **{f"** {n}": lambda p, x, n=n: x**n for n in (2, 3, 1, 0, -1.0, 0.75)},
    "2 **": lambda p, x: 2**x,
    "-2.0 **": lambda p, x: (-2.0) ** x,
    "1 /": lambda p, x: 1 / x,
    "/ 0": lambda p, x: x / 0,
    "// 2": lambda p, x: x // 2,
    "// 0": lambda p, x: x // 0,
    "% 2": lambda p, x: x % 2,
    "% -2.5": lambda p, x: x % -2.5,
    "% 0": lambda p, x: x % 0,
    "7 //": lambda p, x: 7 // x,
    "7 %": lambda p, x: 7 % x,
    "1 -": lambda p, x: 1 - x,
    "<< 1": lambda p, x: x << 1,
    ">> 1": lambda p, x: x >> 1,
    "1 <<": lambda p, x: 1 << x,
    "3 &": lambda p, x: 3 & x,
    "+": lambda p, x: +x,
    "~": lambda p, x: ~x,
    "div floor": lambda p, x: x.div(2, rounding_mode="floor"),
    "div trunc": lambda p, x: x.div(-2, rounding_mode="trunc"),
    "add alpha": lambda p, x: x.add(x, alpha=3),
    "add broken alpha": lambda p, x: x.add(x, alpha=0.5),
    "add bool alpha": lambda p, x: x.add(x, alpha=True),
    "sub alpha": lambda p, x: x.sub(x, alpha=2),
    "rsub alpha": lambda p, x: p.rsub(x, 1, alpha=2),
    "polygamma": lambda p, x: x.polygamma(2),
    "mvlgamma": lambda p, x: x.abs().mvlgamma(2),
    "where": lambda p, x: p.where(x > 0, x, -x),
    "where number": lambda p, x: p.where(x > 0, x, 1.5),
    "where numbers": lambda p, x: p.where(x > 0, 1, 2.5),
    "where alone": lambda p, x: p.where(x > 0),
    "where bytes": lambda p, x: p.where((x > 0).to(p.uint8), x, 2),
    "where ints": lambda p, x: p.where((x > 0).to(p.int64), x, 2),
    "masked_fill": lambda p, x: x.masked_fill(x > 0, 2.5),
    "masked_fill -1": lambda p, x: x.masked_fill(x > 0, -1),
    "masked_fill 300": lambda p, x: x.masked_fill(x > 0, 300),
    "masked_fill 0-d": lambda p, x: x.masked_fill(x > 0, p.tensor(3)),
    "masked_fill vector": lambda p, x: x.masked_fill(x > 0, p.tensor([3])),
    "copysign -1": lambda p, x: x.copysign(-1),
    "xlogy 2": lambda p, x: x.xlogy(2),
    "2 xlogy": lambda p, x: p.xlogy(2, x),
    "lerp": lambda p, x: p.lerp(x, x * 2, 0.3),
    "lerp far": lambda p, x: p.lerp(x, x * 2, 0.8),
    "+ -1": lambda p, x: x + -1,
    "+ 300": lambda p, x: x + 300,
    "< -1": lambda p, x: x < -1,
}  # fmt: skip
TWO = {
    **{name: lambda p, x, y, name=name: function(p, name)(x, y) for name in BINARY},
    "ldexp": lambda p, x, y: p.ldexp(x, y),
    "div floor": lambda p, x, y: p.div(x, y, rounding_mode="floor"),
    "div trunc": lambda p, x, y: p.div(x, y, rounding_mode="trunc"),
    "add alpha": lambda p, x, y: p.add(x, y, alpha=3),
    "sub alpha": lambda p, x, y: p.sub(x, y, alpha=2),
    "where": lambda p, x, y: p.where(p.tensor([True, False, True, False, True]), x, y),
    "clamp": lambda p, x, y: x.clamp(y, y),
    "lerp": lambda p, x, y: p.lerp(x, y, 0.25),
    "addcmul": lambda p, x, y: p.addcmul(x, x, y, value=2),
    "addcdiv": lambda p, x, y: p.addcdiv(x, x, y, value=2),
    **{f"{name}_": lambda p, x, y, name=name: getattr(x.clone(), name + "_")(y) for name in (
        "add", "sub", "mul", "div", "pow", "floor_divide", "remainder", "logical_and", "lt", "clamp_min", "atan2", "fmod", "xlogy",
        "copysign", "bitwise_and", "float_power", "heaviside", "hypot", "gcd", "masked_fill",
    )},
}  # fmt: skip


def function(p, name):
    for part in name.split("."):
        p = getattr(p, part)
    return p


def slopes(p, call, arrays, order):
    """The value, the gradients, and where `order` is 2 the gradients of those; 0 where there is none."""
    inputs = [p.tensor(array) for array in arrays]
    leaves = [x.requires_grad_() for x in inputs if x.dtype.is_floating_point]
    y = call(p, *inputs)
    results = [y, getattr(y, "requires_grad", None)]
    if getattr(y, "requires_grad", False):
        first = p.autograd.grad([y], leaves, [p.ones_like(y.detach())], create_graph=order == 2, allow_unused=True)
        results += [given(p, g, x) for g, x in zip(first, leaves, strict=True)]
        again = [g for g in first if g is not None and g.requires_grad]
        weights = [p.ones_like(g.detach()) for g in again]
        second = p.autograd.grad(again, leaves, weights, allow_unused=True) if again else [None] * len(leaves)
        results += [given(p, g, x) for g, x in zip(second, leaves, strict=True)]
    return results


def given(p, gradient, leaf):
    return (p.zeros_like(leaf) if gradient is None else gradient).detach() + 0  # + 0 makes of PyTorch's lazy zeros real ones


# Where PyTorch's slope is not the function's: at infinity and NaN of the Bessel functions, at poles, where a cancelled 0 * inf
# is NaN, at the square root of -0.0.
NOT_SECOND = r"sinc|lgamma|(special\.)?(digamma|psi|gammaln)|.*i[01]e?|special\.(log_ndtr|erfcx|psi)|logit eps|polygamma|mvlgamma"
NOT_FIRST = r"digamma|special\.(psi|i1e?|log_ndtr)|i0|sinc|logit"


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", [name for name in ONE if name != "polygamma"])
def test_special_points(name, dtype):
    order = 0 if re.fullmatch(NOT_FIRST, name) else 1 if re.fullmatch(NOT_SECOND, name) or dtype is np.float32 else 2
    points = np.array(POINTS, dtype)

    def program(p):
        results = slopes(p, ONE[name], [points], order)
        return results if order else results[:2]

    compare(program, torch, tinygrad_nn, quiet=True, tolerance=1e-9 if dtype is np.float64 else 1e-5)


@pytest.mark.parametrize("name", [name for name in TWO if name not in ("where", "masked_fill_", "logical_and_")])
def test_pairs_of_special_points(name):
    a, b = np.meshgrid(POINTS, POINTS)
    order = 1 if re.fullmatch(r"nextafter|clamp|(arc|a)tan2_?|pow_?|float_power_?|ldexp|addcdiv", name) else 2
    compare(slopes, torch, tinygrad_nn, TWO[name], [a, b], order, quiet=True, tolerance=1e-9)


@pytest.mark.parametrize("name", ["clamp", "addcmul", "lerp"])
def test_triples_of_special_points(name):
    arrays = [a.copy() for a in np.meshgrid(POINTS[:8] + POINTS[-3:], POINTS[:8] + POINTS[-3:], POINTS[:8] + POINTS[-3:])]
    compare(slopes, torch, tinygrad_nn, lambda p, *xs: getattr(p, name)(*xs), arrays, 1, quiet=True)


KINDS = {
    "float64": [1.5, -2.5, 3.0, 0.5, -1.0], "float32": [1.5, -2.5, 3.0, 0.5, -1.0], "float16": [1.5, -2.5, 3.0, 0.5, -1.0],
    "int64": [3, -2, 1, 7, 4], "int32": [3, -2, 1, 7, 4], "int16": [3, -2, 1, 7, 4], "int8": [100, -2, 1, 7, 4],
    "uint8": [200, 2, 1, 7, 4], "bool": [True, False, True, True, False],
}  # fmt: skip
NUMBERS = {"2": 2, "-1": -1, "300": 300, "0": 0, "2.5": 2.5, "inf": inf}

# What PyTorch has no kernel for in half precision, and we do; the pole of polygamma, whose value there is noise.
NOT_TRIED = {"float16": r"special\.(ndtri|log_ndtr|erfcx|i1e?)", "int": r"polygamma|mvlgamma"}


def tried(name, kind):
    return not any(re.match(pattern, name) for key, pattern in NOT_TRIED.items() if key in kind)


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in ONE for kind in KINDS if tried(name, kind)])
def test_each_dtype(name, kind):
    call = lambda p: ONE[name](p, p.tensor(np.array(KINDS[kind], kind)))
    compare(call, torch, tinygrad_nn, quiet=True, tolerance=4e-3 if "16" in kind else 1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TWO)
def test_each_pair_of_dtypes(name, kind):
    a = np.array(KINDS[kind], kind)
    others = {other: np.array(values, other)[::-1].copy() for other, values in KINDS.items()}
    others |= {f"0-d {other}": array[-1:].reshape(()) for other, array in others.items()} | NUMBERS
    for other, b in others.items():
        if name == "ldexp" and "float16" in other:
            continue  # PyTorch takes an exponent of half precision for one of single precision at times
        call = lambda p, b=b: TWO[name](p, p.tensor(a), p.tensor(b) if isinstance(b, np.ndarray) else b)
        compare(call, torch, tinygrad_nn, quiet=True, tolerance=4e-3)


SHAPES = [((), ()), ((0,), (0,)), ((0,), (1,)), ((2, 1), (3,)), ((3,), ()), ((2, 0), (1, 1)), ((2,), (3,)), ((4, 1, 2), (3, 1))]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("name", [name for name in BINARY if not re.match("bitwise|gcd|lcm", name)])
def test_broadcasting(name, shapes):
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(0.3, 1.8, shape) for shape in shapes]
    order = 1 if name in ("nextafter",) else 2
    compare(slopes, torch, tinygrad_nn, TWO[name], arrays, order, quiet=True)


@pytest.mark.parametrize("name", UNARY)
def test_layouts(name):
    base = np.linspace(0.05, 0.95, 24).reshape(4, 6)
    for view in (lambda x: x[::2, 1::2], lambda x: x.T, lambda x: x[0, 0], lambda x: x[:0], lambda x: x[:1].expand(3, 6)):
        compare(lambda p, view=view: function(p, name)(view(p.tensor(base))), torch, tinygrad_nn, quiet=True)


# PyTorch has no derivative of the first in place, and lets the gradient through the others as if nothing had been written.
UNDERIVED = r"a(rc)?(cos|sin|tan)h|logical_\w+|sgn"
IN_PLACE = [name for name in UNARY + BINARY if "." not in name and hasattr(torch.Tensor, name + "_")]
IN_PLACE = [name for name in IN_PLACE if not re.fullmatch(UNDERIVED, name)]


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(name):
    def program(p):
        x = p.tensor([0.3, 0.6, 0.9], dtype=p.float64, requires_grad=True)
        y = x * 1
        others = [p.tensor([0.7, 0.2, 0.4], dtype=p.float64)] if name in BINARY else []
        same = getattr(y, name + "_")(*others) is y
        return [same, y, *p.autograd.grad([y], [x], [p.ones(3, dtype=p.float64)])]

    compare(program, torch, tinygrad_nn, quiet=True)


@pytest.mark.parametrize("name", [name for name in UNARY if "." not in name and hasattr(torch, name + "_")])
def test_in_place_as_a_function(name):
    compare(lambda p: getattr(p, name + "_")(p.tensor([0.3, 0.6])), torch, tinygrad_nn)


WRONG = {
    **{f"{name} of a number": lambda p, name=name: function(p, name)(1.0) for name in UNARY},
    **{f"{name} with a number": lambda p, name=name: function(p, name)(p.ones(2), 1.0) for name in BINARY},
    **{f"{name} of a number and a tensor": lambda p, name=name: function(p, name)(1.0, p.ones(2)) for name in BINARY},
    **{f"{name} with a string": lambda p, name=name: function(p, name)(p.ones(2), "a") for name in BINARY},
    "clamp without bounds": lambda p: p.ones(2).clamp(),
    "clamp string": lambda p: p.ones(2).clamp("a"),
    "clamp_min None": lambda p: p.ones(2).clamp_min(None),
    "rounding up": lambda p: p.ones(2).div(2, rounding_mode="up"),
    "where with one": lambda p: p.where(p.tensor([True]), p.ones(1)),
    "where of a bool": lambda p: p.where(True, p.ones(1), p.ones(1)),
    "isclose dtypes": lambda p: p.isclose(p.ones(1), p.ones(1, dtype=p.int64)),
    "isclose rtol": lambda p: p.isclose(p.ones(1), p.ones(1), rtol=-1.0),
    "heaviside dtypes": lambda p: p.heaviside(p.ones(1), p.ones(1, dtype=p.int64)),
    "lerp dtypes": lambda p: p.lerp(p.ones(1), p.ones(1, dtype=p.float64), 0.5),
    "lerp weight": lambda p: p.lerp(p.ones(1), p.ones(1), p.ones(1, dtype=p.float64)),
    "addcdiv ints": lambda p: p.addcdiv(p.ones(1), p.tensor([1]), p.tensor([2])),
    "polygamma -1": lambda p: p.polygamma(-1, p.ones(1)),
    "** -1": lambda p: p.tensor([1, 2]) ** -1,
    "float_power_": lambda p: p.ones(1).float_power_(2),
    "int sqrt_": lambda p: p.tensor([1]).sqrt_(),
    "bool add_ int": lambda p: p.tensor([True]).add_(1),
    "misfit": lambda p: p.maximum(p.ones(2), p.ones(3)),
    "misfit in place": lambda p: p.ones(2).add_(p.ones(3, 2)),
    "masked_fill_ wider": lambda p: p.ones(2).masked_fill_(p.ones(2, 2) > 0, 1),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_errors(case):
    compare(WRONG[case], torch, tinygrad_nn, quiet=True)
