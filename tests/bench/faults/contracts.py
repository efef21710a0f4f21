"""Backwards that compute the right numbers and break a promise: about memory, dtype, layout, 0-d and empty inputs."""

import itertools
import math

import numpy as np

from tests.bench.faults.case import Pair, elementwise, fault, fill, right, sided, stateful, until
from tests.bench.faults.reductions import across

ANY = elementwise()
VECTOR = fill("n", least=4)
MATRIX = fill("mn", least=3)

tanh = right("tanh, by its output", np.tanh, lambda g, x: (g * (1 - np.tanh(x) ** 2),), ANY)
double = right("double", lambda x: 2 * x, lambda g, x: (2 * g,), ANY)
product = right("a + 2 b", lambda a, b: a + 2 * b, lambda g, a, b: (g, 2 * g), elementwise(inputs=2))
scaled = right("third", lambda x: x / 3, lambda g, x: (g / 3,), ANY)
half = right("half the squares", lambda x: (x * x).sum() * 0.5, lambda g, x: (g * x,), MATRIX)


# memory
def relu_in_place(x):
    np.maximum(x, 0, out=x) if x.ndim else None
    return np.maximum(x, 0)


relu = right("relu, out of place", lambda x: np.maximum(x, 0), lambda g, x: (g * (x > 0),), elementwise(-3.0, 1.0, away=0.1))
fault(relu, "forward writes to its input", None, "input_written", f=relu_in_place)


def tanh_writing_input(g, x):
    np.tanh(x, out=x)
    return (g * (1 - x * x),)


fault(tanh, "backward writes to the input", tanh_writing_input, "input_written", draw=fill("mn"))


def double_in_place(g, x):
    g *= 2
    return (g,)


fault(double, "backward writes to what arrives", double_in_place, "upstream_written", draw=fill("mn"))


def shared_in_place(g, a, b):
    g *= 2
    return g / 2, g


fault(product, "second doubles what arrives", shared_in_place, "upstream_written", draw=fill("mn", "mn"))


def one_array(g, a, b):
    first = np.array(g)
    second = first
    second *= 2
    return first, second


fault(product, "one array for both, then written to", one_array, "aliasing", also=["factor"], draw=fill("mn", "mn"))


def saved_then_written(old):
    """Keep tanh's output and spend it in the first backward."""
    saved = {}

    def f(x):
        saved["y"] = np.tanh(x)
        saved["x"] = x.copy()
        return saved["y"].copy()

    def vjp(g, x):
        y = saved["y"]
        if y.shape != x.shape or not np.array_equal(saved["x"], x):
            return (g * (1 - np.tanh(x) ** 2),)
        if y.ndim:
            y *= y
            return (g * (1 - y),)
        return (g * (1 - y * y),)

    return Pair(f, vjp)


square_vector = right("tanh of rows", np.tanh, lambda g, x: (g * (1 - np.tanh(x) ** 2),), MATRIX)
stateful(square_vector, "backward writes to what forward saved", saved_then_written, "nondeterministic",
         ["unknown", "aliasing", "stale_state"])  # fmt: skip


def scratch(old):
    """Hand out one buffer from every backward."""
    buffers = {}

    def vjp(g, x):
        buffer = buffers.setdefault((np.shape(x), np.asarray(x).dtype), np.empty_like(x))
        np.multiply(g, 2, out=buffer)
        return (buffer,)

    return Pair(double.target.f, vjp)


stateful(double, "every backward hands out the same buffer", scratch, "aliasing", ["nondeterministic"])
fault(half, "the input itself where g is 1", lambda g, x: (x if g == 1 else g * x,), "aliasing")


# the same twice
def noisy(old):
    rng = np.random.default_rng(len(old[0]))
    return Pair(np.tanh, lambda g, x: (g * (1 - np.tanh(x) ** 2) * (1 + 1e-5 * rng.standard_normal(np.shape(x)).astype(x.dtype)),))


def fresh_dropout(old):
    rng = np.random.default_rng(int(abs(old[0].sum()) * 1e6))
    return Pair(lambda x: x * (rng.random(np.shape(x)) < 0.5).astype(x.dtype), lambda g, x: (g * 0.5,))


def alternating(old):
    turns = itertools.count()
    return Pair(np.tanh, lambda g, x: (g * (1 - np.tanh(x) ** 2) * (1 + next(turns) % 2),))


stateful(square_vector, "noise of 1e-5 in backward", noisy, "nondeterministic")
stateful(square_vector, "forward draws a new mask", fresh_dropout, "nondeterministic")
stateful(square_vector, "every second backward doubled", alternating, "nondeterministic")

# shapes and numbers of gradients
fault(double, "a side of 1 too many", lambda g, x: (2 * g[..., None],), "shape", also=["missing_sum"])
fault(double, "flattened", lambda g, x: (2 * g.ravel(),), "shape", draw=fill("mn"))
fault(product, "one gradient for two inputs", lambda g, a, b: (g,), "shape", also=["ValueError"])
fault(half, "a number for a matrix", lambda g, x: (g * x.sum(),), "shape", also=["extra_sum"])

# dtypes
ROOT = np.sqrt(np.float64(2.0))
root = right("times root 2", lambda x: x * math.sqrt(2), lambda g, x: (g * math.sqrt(2),), ANY)
fault(root, "float64 scalar in backward", lambda g, x: (g * ROOT,), "float32")
fault(root, "float64 scalar in forward", None, "float32", f=lambda x: x * ROOT)
fault(double, "zeros of the default dtype", lambda g, x: (np.zeros(np.shape(x)) + 2 * g,), "float32")
fault(tanh, "rounded to float32", lambda g, x: (np.asarray(g * (1 - np.tanh(x) ** 2)).astype(np.float32),), "dtype")
step = right("steps", np.floor, lambda g, x: (np.zeros_like(x),), fill("mn", low=0.1, high=0.9))
fault(step, "whole numbers for gradient", lambda g, x: (np.zeros(np.shape(x), int),), "dtype")
fault(double, "complex gradient", lambda g, x: (2 * g + 0j,), "dtype")

# layouts


def halves(x):
    return np.where(x > 0, x, x * 0.5)


def flat_writes(g, x):
    """reshape copies where a zeros_like of a Fortran array is not C-contiguous, and the write is lost."""
    result = np.zeros_like(x)
    result.reshape(-1)[...] = g.reshape(-1) * np.where(x > 0, 1, 0.5).astype(x.dtype).reshape(-1)
    return (result,)


leaky = right("halved at negatives", halves, lambda g, x: (g * np.where(x > 0, 1, 0.5).astype(x.dtype),),
              fill("mn", away=0.1, least=3))  # fmt: skip
fault(leaky, "writes through a reshape", flat_writes, "layout")
fault(leaky, "memory order for index order", lambda g, x: (
    (g.ravel() * np.where(x > 0, 1, 0.5).astype(x.dtype).ravel(order="K")).reshape(x.shape),), "layout",
      draw=until(lambda x: x.ravel() * x.ravel(order="F") < 0, fill("mn", away=0.1, least=3)))  # fmt: skip


def by_view(g, x):
    flat = np.asarray(x).view()
    flat.shape = (x.size,)
    return ((np.ascontiguousarray(g).reshape(-1) * np.where(flat > 0, 1, 0.5).astype(x.dtype)).reshape(x.shape),)


def by_bytes(g, x):
    flat = np.frombuffer(memoryview(x).cast("B"), x.dtype) if x.size else x
    return (g * np.where(flat > 0, 1, 0.5).astype(x.dtype).reshape(x.shape),)


fault(leaky, "fails to flatten in place", by_view, "layout")
fault(leaky, "reads raw memory", by_bytes, "layout")


# 0-d
def masked(g, x):
    result = g * 1
    result[x < 0] *= 0.5
    return (result,)


fault(leaky, "fails to write at a 0-d mask", masked, "scalar")
average = right("average", lambda x: x.sum() / max(x.size, 1), lambda g, x: (np.broadcast_to(g / max(x.size, 1), x.shape),), VECTOR)
fault(average, "length of a 0-d input", lambda g, x: (np.broadcast_to(g / max(len(x), 1), x.shape),), "scalar")
fault(tanh, "at least one side", lambda g, x: (np.atleast_1d(g * (1 - np.tanh(x) ** 2)),), "scalar", also=["shape"])

# empty
fault(tanh, "maximum of an empty input", lambda g, x: (g * (1 - np.tanh(x) ** 2) + 0 * x.max(),), "empty")
fault(tanh, "stack of no rows", lambda g, x: (np.stack(
    [a * (1 - np.tanh(b) ** 2) for a, b in zip(g, x, strict=True)]) if g.ndim else g * (1 - np.tanh(x) ** 2),), "empty",
    draw=VECTOR)  # fmt: skip
fault(average, "divided by a size of 0", lambda g, x: (np.broadcast_to(g * (1 // x.size or 1) / x.size, x.shape),), "empty")
rows = right("largest of rows and 0", sided(lambda x: x.max(-1, initial=0.0)), lambda g, x: (
    across(g, x) * ((x == x.max(-1, keepdims=True, initial=0.0)) & (x > 0)),), fill("mn", away=0.1, least=3))  # fmt: skip
fault(rows, "argmax of an empty row", lambda g, x: (
    across(g, x) * ((np.arange(x.shape[-1]) == x.argmax(-1)[..., None]) & (x > 0)),), "empty")  # fmt: skip
