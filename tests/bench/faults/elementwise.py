"""Elementwise ops, and the mistakes made in them."""

import math

import numpy as np

from tests.bench.faults.case import Pair, elementwise, fault, fill, fit, on, right, stateful, ties, until

ANY = elementwise()
TWO = elementwise(inputs=2)
POSITIVE = elementwise(0.5, 3.0)


def both(x, gx, y, gy):
    return fit(np.asarray(gx), np.shape(x)), fit(np.asarray(gy), np.shape(y))


def erf(x):
    x = np.asarray(x)
    return np.vectorize(math.erf, otypes=[float])(x).astype(x.dtype)


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


# one input
square = right("square", lambda x: x * x, lambda g, x: (2 * g * x,), ANY)
fault(square, "2 forgotten", lambda g, x: (g * x,), "factor")
fault(square, "g forgotten", lambda g, x: (2 * x,), "upstream")
fault(square, "no gradient", lambda g, x: (None,), "zero")
fault(square, "gradient of zeros", lambda g, x: (np.zeros_like(x),), "zero")

sqrt = right("sqrt", np.sqrt, lambda g, x: (0.5 * g / np.sqrt(x),), POSITIVE)
fault(sqrt, "2 forgotten", lambda g, x: (g / np.sqrt(x),), "factor")

negative = right("negative", lambda x: -x, lambda g, x: (-g,), ANY)
fault(negative, "sign forgotten", lambda g, x: (g,), "sign")

cos = right("cos", np.cos, lambda g, x: (-g * np.sin(x),), ANY)
fault(cos, "sign forgotten", lambda g, x: (g * np.sin(x),), "sign")

sin = right("sin", np.sin, lambda g, x: (g * np.cos(x),), ANY)
fault(sin, "mean of g for g", lambda g, x: (g.mean() * np.cos(x),), None)

exp = right("exp", np.exp, lambda g, x: (g * np.exp(x),), ANY)
fault(exp, "sum of g for g", lambda g, x: (g.sum() * np.exp(x),), None)
fault(exp, "x for y", lambda g, x: (g * x,), None)

exp2 = right("exp2", np.exp2, lambda g, x: (g * np.exp2(x) * math.log(2),), ANY)
fault(exp2, "log 2 forgotten", lambda g, x: (g * np.exp2(x),), "factor")

log = right("log", np.log, lambda g, x: (g / x,), POSITIVE)
fault(log, "product for quotient", lambda g, x: (g * x,), None)

log1p = right("log1p", np.log1p, lambda g, x: (g / (1 + x),), POSITIVE)
fault(log1p, "1 forgotten", lambda g, x: (g / x,), None)

reciprocal = right("reciprocal", lambda x: 1 / x, lambda g, x: (-g / (x * x),), elementwise(-1.0, 1.0, away=1.0))
fault(reciprocal, "sign forgotten", lambda g, x: (g / (x * x),), "sign")
fault(reciprocal, "square forgotten", lambda g, x: (-g / x,), None)

logistic = right("sigmoid", sigmoid, lambda g, x: (g * sigmoid(x) * sigmoid(-x),), ANY)
fault(logistic, "x for y", lambda g, x: (g * x * (1 - x),), None)


def naive(g, x):
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(-x)
        return (g * e / (1 + e) ** 2,)


def with_large(rng):
    (x,) = ANY(rng)
    x.flat[int(rng.integers(x.size))] = rng.uniform(-1000, -800)
    return [x]


on(logistic, "one very negative element", with_large)
fault(logistic, "overflows at large negative x", naive, None, draw=with_large)

tanh = right("tanh", np.tanh, lambda g, x: (g * (1 - np.tanh(x) ** 2),), ANY)
fault(tanh, "square forgotten", lambda g, x: (g * (1 - np.tanh(x)),), None)
fault(tanh, "treats g as ones", lambda g, x: (1 - np.tanh(x) ** 2,), "upstream")

erf_ = right("erf", erf, lambda g, x: (g * (2 / math.sqrt(math.pi)) * np.exp(-x * x),), ANY)
fault(erf_, "2 over root pi forgotten", lambda g, x: (g * np.exp(-x * x),), "factor")


def gelu_tanh_slope(x):
    c = math.sqrt(2 / math.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x)


gelu = right(
    "gelu",
    lambda x: 0.5 * x * (1 + erf(x / math.sqrt(2))),
    lambda g, x: (g * (0.5 * (1 + erf(x / math.sqrt(2))) + x * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)),),
    elementwise(-4.0, 4.0),
)
fault(gelu, "slope of the tanh approximation", lambda g, x: (g * gelu_tanh_slope(x),), None)

silu = right("silu", lambda x: x * sigmoid(x), lambda g, x: (g * sigmoid(x) * (1 + x * sigmoid(-x)),), ANY)
fault(silu, "second path assigned over the first", lambda g, x: (g * x * sigmoid(x) * sigmoid(-x),), None, also=["assignment"])

softplus = right("softplus", lambda x: np.logaddexp(0, x).astype(np.asarray(x).dtype), lambda g, x: (g * sigmoid(x),), ANY)


def with_twenty(rng):
    (x,) = ANY(rng)
    x.flat[int(rng.integers(x.size))] = rng.uniform(25, 60)
    return [x]


on(softplus, "one large element", with_twenty)
fault(
    softplus, "0 for 1 where x is large", lambda g, x: (g * np.where(x > 20, x.dtype.type(0), sigmoid(x)),), None, draw=with_twenty
)

sinc = right(
    "sinc",
    lambda x: np.where(x == 0, x.dtype.type(1), np.sin(x) / np.where(x == 0, x.dtype.type(1), x)),
    lambda g, x: (g * np.where(x == 0, x, (x * np.cos(x) - np.sin(x)) / np.where(x == 0, x.dtype.type(1), x * x)),),
    elementwise(away=0.2),
)


def with_zero(rng):
    (x,) = sinc.draw(rng)
    x.flat[int(rng.integers(x.size))] = 0.0
    return [x]


def sinc_nan(g, x):
    with np.errstate(invalid="ignore", divide="ignore"):
        return (g * (x * np.cos(x) - np.sin(x)) / (x * x),)


on(sinc, "one zero element", with_zero)
fault(sinc, "nan at 0", sinc_nan, None, draw=with_zero)

absolute = right("abs", np.abs, lambda g, x: (g * np.sign(x),), elementwise(away=0.1))
fault(absolute, "1 at negatives", lambda g, x: (g * 1,), None, also=["sign"], draw=elementwise(-2.0, 1.0, away=0.1))

leaky = right(
    "leaky relu",
    lambda x: np.where(x > 0, x, 0.1 * x),
    lambda g, x: (np.where(x > 0, g, 0.1 * g),),
    elementwise(away=0.1),
)
fault(leaky, "slope forgotten at negatives", lambda g, x: (np.where(x > 0, g, 0 * g),), None, also=["zero"],
      draw=until(lambda x: x < 0, elementwise(away=0.1)))  # fmt: skip

relu = right("relu", lambda x: np.maximum(x, 0), lambda g, x: (g * (x > 0),), elementwise(away=0.1))


def masked_by_the_first(old):
    mask = old[0] > 0
    return Pair(relu.target.f, lambda g, x: (g * (mask if mask.shape == g.shape else x > 0),))


stateful(relu, "mask saved once, by an earlier batch", masked_by_the_first, None)
fault(relu, "mask by >= of the output", lambda g, x: (g * (np.maximum(x, 0) >= 0),), None,
      draw=until(lambda x: x < 0, elementwise(away=0.1)))  # fmt: skip

clip = right("clip", lambda x: np.clip(x, -1, 1), lambda g, x: (g * (np.abs(x) <= 1),), elementwise())
fault(clip, "passes outside", lambda g, x: (g * 1,), None, draw=until(lambda x: np.abs(x) > 1, elementwise(-3.0, 3.0)))
fault(clip, "one bound forgotten", lambda g, x: (g * (x <= 1),), None, draw=elementwise(-4.0, 1.5))

floor = right("floor", np.floor, lambda g, x: (np.zeros_like(x),), elementwise())
fault(floor, "passes g", lambda g, x: (g,), None)

huge = right("arctan", np.arctan, lambda g, x: (g / (1 + x * x),), elementwise(-3.0, 3.0))
fault(huge, "wrong only at large x", lambda g, x: (g / (1 + x * x) * np.where(np.abs(x) > 2, x.dtype.type(0.9), 1),), None,
      draw=elementwise(-1.0, 1.0, away=1.7))  # fmt: skip


def one_of_fifty(g, x):
    result = g * np.exp(x)
    if result.size > 7:
        result.flat[7] *= 1 + 1e-4
    return (result,)


fault(exp, "one element of fifty by 1e-4", one_of_fifty, None, draw=fill("5a", least=10, most=10))

polynomial = right("polynomial", lambda x: 1 + 2 * x - 3 * x**2 + x**3, lambda g, x: (g * (2 - 6 * x + 3 * x**2),), ANY)
fault(polynomial, "powers off by one", lambda g, x: (g * (2 * x - 6 * x**2 + 3 * x**3),), None)
fault(polynomial, "additive term forgotten", lambda g, x: (g * (-6 * x + 3 * x**2),), None)

# two inputs
add_ = right("add", lambda a, b: a + b, lambda g, a, b: both(a, g, b, g.copy()), TWO)
on(add_, "broadcast", fill("mn", "n"))
on(add_, "broadcast both ways", fill("m1", "1n"))
on(add_, "one 0-d", fill("mn", ""))
fault(add_, "sum over the batch forgotten", lambda g, a, b: (g, g), "missing_sum", also=["shape"], draw=fill("mn", "n"))
fault(add_, "first of the batch for its sum", lambda g, a, b: (g, g[0] if b.ndim < a.ndim else fit(g, b.shape)), "missing_sum",
      draw=fill("mn", "n"))  # fmt: skip
fault(add_, "mean for sum over the batch", lambda g, a, b: (g, g.mean(0) if b.ndim < a.ndim else fit(g, b.shape)), "factor",
      draw=fill("mn", "n"))  # fmt: skip
fault(add_, "sum over the wrong axis", lambda g, a, b: (g, g.sum(-1) if b.ndim < a.ndim else fit(g, b.shape)), None,
      also=["transpose", "missing_sum"], draw=fill("nn", "n"))  # fmt: skip
fault(add_, "sum where none belongs", lambda g, a, b: (g * 1, np.broadcast_to(g.sum(0), g.shape) if g.ndim else g),
      "extra_sum", draw=fill("mn", "mn"))  # fmt: skip
fault(add_, "no gradient for the second", lambda g, a, b: (fit(g, a.shape), None), "zero")

subtract = right("subtract", lambda a, b: a - b, lambda g, a, b: both(a, g, b, -g), TWO)
fault(subtract, "g to both", lambda g, a, b: both(a, g, b, g), "sign")

multiply = right("multiply", lambda a, b: a * b, lambda g, a, b: both(a, g * b, b, g * a), TWO)
on(multiply, "broadcast columns", fill("mn", "m1"))
on(multiply, "0-d", fill("", ""))
fault(multiply, "gradients swapped", lambda g, a, b: both(a, g * a, b, g * b), "exchanged")
fault(multiply, "summed over every axis", lambda g, a, b: (g * b, np.broadcast_to((g * a).sum(), b.shape)), "extra_sum",
      draw=fill("mn", "m1"))  # fmt: skip
fault(multiply, "summed before it is multiplied", lambda g, a, b: (g * b, g.sum(0) * a.sum(0) if b.ndim < a.ndim else g * a),
      None, draw=fill("mn", "n"))  # fmt: skip
fault(multiply, "kept axis not summed", lambda g, a, b: (fit(np.asarray(g * b), a.shape), g * a), "missing_sum", also=["shape"],
      draw=fill("mn", "m1"))  # fmt: skip

DIVISORS = elementwise(-1.0, 1.0, away=1.0, inputs=2)
divide = right("divide", lambda a, b: a / b, lambda g, a, b: both(a, g / b, b, -g * a / (b * b)), DIVISORS)
fault(divide, "divisor's gradient forgotten", lambda g, a, b: (fit(np.asarray(g / b), a.shape), None), "zero")
fault(divide, "divisor's sign forgotten", lambda g, a, b: both(a, g / b, b, g * a / (b * b)), "sign")
fault(divide, "divisor not squared", lambda g, a, b: both(a, g / b, b, -g * a / b), None)

power = right(
    "power", np.power, lambda g, a, b: both(a, g * b * a ** (b - 1), b, g * a**b * np.log(a)), elementwise(0.5, 2.5, inputs=2)
)
fault(power, "log forgotten for the exponent", lambda g, a, b: both(a, g * b * a ** (b - 1), b, g * a**b), None)
fault(power, "exponent not lowered", lambda g, a, b: both(a, g * b * a**b, b, g * a**b * np.log(a)), None)

hypot = right("hypot", np.hypot, lambda g, a, b: both(a, g * a / np.hypot(a, b), b, g * b / np.hypot(a, b)),
              elementwise(away=0.3, inputs=2))  # fmt: skip
fault(hypot, "factor at the second only", lambda g, a, b: both(a, g * a / np.hypot(a, b), b, 1.01 * g * b / np.hypot(a, b)),
      "factor")  # fmt: skip

arctan2 = right("arctan2", np.arctan2, lambda g, a, b: both(a, g * b / (a * a + b * b), b, -g * a / (a * a + b * b)),
                elementwise(0.3, 2.0, inputs=2))  # fmt: skip
fault(arctan2, "gradients swapped", lambda g, a, b: both(a, -g * a / (a * a + b * b), b, g * b / (a * a + b * b)), "exchanged")


def chosen(g, a, b):
    return both(a, g * (a >= b), b, g * (a < b))


maximum = right("maximum", np.maximum, chosen, TWO)


def tied(rng):
    """Two arrays with a tie at least in the first place."""
    a, b = ties(fill("mn", "mn", least=3), 2)(rng)
    b[0, 0] = a[0, 0]
    return [a, b]


on(maximum, "ties", tied)
fault(maximum, "both get g at a tie", lambda g, a, b: both(a, g * (a >= b), b, g * (b >= a)), "ties", draw=tied)
fault(maximum, "none gets g at a tie", lambda g, a, b: both(a, g * (a > b), b, g * (b > a)), "ties", draw=tied)
fault(maximum, "gives to the smaller", lambda g, a, b: both(a, g * (a < b), b, g * (a >= b)), "exchanged")

where = right("where", lambda a, b: np.where(a + b > 0, a, b), lambda g, a, b: both(a, g * (a + b > 0), b, g * (a + b <= 0)),
              elementwise(inputs=2))  # fmt: skip
fault(where, "g to both sides", lambda g, a, b: both(a, g, b, g), None)
fault(where, "condition turned round", lambda g, a, b: both(a, g * (a + b <= 0), b, g * (a + b > 0)), "exchanged")

lerp = right("lerp", lambda a, b, w: a + w * (b - a), lambda g, a, b, w: (*both(a, g * (1 - w), b, g * w), fit(np.asarray(
    g * (b - a)), np.shape(w))), elementwise(inputs=3))  # fmt: skip
fault(lerp, "weight's gradient sign", lambda g, a, b, w: (g * (1 - w), g * w, g * (a - b)), "sign")
