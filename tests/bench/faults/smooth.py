"""Right ops on inputs that are hard on a checker: kinks, ties, whole numbers, large and small scales, 0-d, empty."""

import math

import numpy as np

from tests.bench.faults import elementwise as e
from tests.bench.faults import linear, networks, reductions
from tests.bench.faults.case import Draw, elementwise, fill, on, right


def whole(draw: Draw) -> Draw:
    return lambda rng: [np.round(v * 2) for v in draw(rng)]


def zeroed(draw: Draw) -> Draw:
    """Set about a third of the elements to 0."""
    return lambda rng: [np.where(rng.random(v.shape) < 0.34, 0.0, v) for v in draw(rng)]


def times(scale: float, draw: Draw) -> Draw:
    return lambda rng: [v * scale for v in draw(rng)]


def scales(draw: Draw) -> Draw:
    """Give each element a scale of its own, from 1e-8 to 1e6."""
    return lambda rng: [v * 10.0 ** rng.integers(-8, 7, v.shape) for v in draw(rng)]


def just(*values: float) -> Draw:
    return lambda rng: [rng.permutation(np.array(values))]


ANY = elementwise(away=0.1)

# kinks
on(e.relu, "zeros", zeroed(ANY))
on(e.relu, "0-d", fill("", away=0.1))
on(e.relu, "all zero", lambda rng: [np.zeros((3, 2))])
on(e.absolute, "zeros", zeroed(ANY))
on(e.absolute, "whole numbers", whole(ANY))
on(e.leaky, "zeros", zeroed(ANY))
on(e.clip, "at the bounds", whole(ANY))
on(e.where, "at the jump", lambda rng: [(a := fill("mn")(rng)[0]), np.where(rng.random(a.shape) < 0.3, -a, a)])
on(e.floor, "whole numbers", whole(ANY))
on(networks.huber, "at the bounds", whole(fill("mn")))
on(networks.max_pool, "ties", whole(fill("nc6")))
on(reductions.l1, "zeros", zeroed(fill("mn")))
on(reductions.median, "ties", whole(fill("mn", least=3)))
on(e.relu, "close to the kink", lambda rng: [v * 1e-7 for v in ANY(rng)])
on(e.absolute, "close to the kink", lambda rng: [v * 1e-5 for v in ANY(rng)])
right("relu, half at 0", lambda x: np.maximum(x, 0), lambda g, x: (g * (x > 0) + 0.5 * g * (x == 0),), zeroed(ANY))
right("relu, 1 at 0", lambda x: np.maximum(x, 0), lambda g, x: (g * (x >= 0),), zeroed(ANY))
right("sign at 0", np.sign, lambda g, x: (np.zeros_like(x),), zeroed(ANY))
right("round at halves", np.round, lambda g, x: (np.zeros_like(x),), lambda rng: [np.round(v) + 0.5 for v in ANY(rng)])
right("maximum, shared at ties", np.maximum, lambda g, a, b: (
    0.5 * g * (a > b) + 0.5 * g * (a >= b), 0.5 * g * (b > a) + 0.5 * g * (b >= a)), whole(fill("mn", "mn")))  # fmt: skip
right("x abs x", lambda x: x * np.abs(x), lambda g, x: (2 * g * np.abs(x),), zeroed(ANY))

# whole numbers and repeated values
on(e.square, "whole numbers", whole(ANY))
on(e.multiply, "whole numbers", whole(fill("mn", "n")))
on(linear.matmul, "whole numbers", whole(fill("mk", "kn")))
on(reductions.soft, "equal numbers", lambda rng: [np.ones((3, 4))])
on(reductions.variance, "whole numbers", whole(fill("m4")))
on(e.square, "all zero", lambda rng: [np.zeros((2, 3))])

# scales
on(e.square, "1e-8", times(1e-8, ANY))
on(e.square, "1e6", times(1e6, ANY))
on(e.square, "every scale", scales(ANY))
on(e.polynomial, "1e4", times(1e4, ANY))
on(e.sin, "1e3", times(1e3, ANY))
on(e.sin, "1e-8", times(1e-8, ANY))
on(e.log, "1e-8", times(1e-8, elementwise(0.5, 2)))
on(e.log, "1e6", times(1e6, elementwise(0.5, 2)))
on(e.sqrt, "1e-8", times(1e-8, elementwise(0.5, 2)))
on(e.sqrt, "1e6", times(1e6, elementwise(0.5, 2)))
on(e.reciprocal, "1e-6", times(1e-6, elementwise(0.5, 2)))
on(e.reciprocal, "1e6", times(1e6, elementwise(0.5, 2)))
on(e.exp, "20", lambda rng: [v + 20 for v in ANY(rng)])
on(e.exp, "-20", lambda rng: [v - 20 for v in ANY(rng)])
on(e.tanh, "saturated", times(20, ANY))
on(e.multiply, "1e6 by 1e-6", lambda rng: [(v := fill("mn", "mn")(rng))[0] * 1e6, v[1] * 1e-6])
on(e.divide, "1e-4", times(1e-4, elementwise(0.5, 2, inputs=2)))
on(linear.matmul, "1e6", times(1e6, fill("mk", "kn")))
on(linear.dot, "1e-8", times(1e-8, fill("n", "n")))
on(reductions.total, "every scale", scales(fill("mn")))
on(reductions.mean, "1e6", times(1e6, fill("mn")))
on(reductions.soft, "100", times(100, fill("mn")))
on(reductions.logsumexp, "1e4", times(1e4, fill("mn")))
on(reductions.norm, "1e-6", times(1e-6, fill("mn", away=0.2)))
on(reductions.variance, "offset 1e4", lambda rng: [v + 1e4 for v in fill("m4")(rng)])
on(networks.layer, "1e3", times(1e3, fill("m4")))
right("sin of 1000 x", lambda x: np.sin(1000 * x), lambda g, x: (1000 * g * np.cos(1000 * x),), ANY)
right("1e-9 x", lambda x: x * 1e-9, lambda g, x: (g * 1e-9,), ANY)
right("1e9 x", lambda x: x * 1e9, lambda g, x: (g * 1e9,), ANY)
right("x + 1e8", lambda x: x + 1e8, lambda g, x: (g,), ANY)
right("constant", np.ones_like, lambda g, x: (np.zeros_like(x),), ANY)
right("unused second", lambda a, b: np.sin(a), lambda g, a, b: (g * np.cos(a), None), fill("mn", "k"))

# one element, 0-d and empty
on(e.sin, "0-d", fill(""))
on(e.exp, "one element", fill("1"))
on(e.divide, "0-d", fill("", "", low=0.5))
on(e.add_, "0-d", fill("", ""))
on(reductions.total, "0-d", fill(""))
on(e.sin, "empty", lambda rng: [np.zeros((0, 3))])
on(e.add_, "empty", lambda rng: [np.zeros((0, 3)), rng.normal(size=3)])
on(reductions.total, "empty", lambda rng: [np.zeros(0)])
on(linear.matmul, "empty inside", lambda rng: [np.zeros((3, 0)), np.zeros((0, 2))])
on(linear.matmul, "vectors of 1", fill("m1", "1n"))
on(reductions.soft, "one column", fill("m1"))
on(reductions.cumsum, "one column", fill("m1"))

# memory
right("identity", lambda x: x, lambda g, x: (g,), ANY)
right("a + b, g to each", lambda a, b: a + b, lambda g, a, b: (g, g.copy()), fill("mn", "mn"))
right("ravel, views", lambda x: x.ravel(), lambda g, x: (g.reshape(x.shape),), fill("lmn"))
right("gradients in one array", lambda a, b: a * 3 + b * 3, lambda g, a, b: tuple(np.stack([3 * g, 3 * g])), fill("mn", "mn"))
right("deg to rad", np.deg2rad, lambda g, x: (g * (math.pi / 180),), ANY)
