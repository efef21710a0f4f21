"""Matrices, shapes and indices, and the mistakes made in them."""

import numpy as np

from tests.bench.faults.case import elementwise, fault, fill, fit, on, right, sided

SQUARES = fill("nn", "nn", least=3)
SQUARE = fill("nn", least=3)
MATRIX = fill("mn", least=3)
VECTOR = fill("n", least=5, most=6)


def swap(x):
    return np.swapaxes(x, -1, -2)


# matrices
matmul = right("matmul", sided(np.matmul, 2), lambda g, a, b: (fit(g @ swap(b), a.shape), fit(swap(a) @ g, b.shape)),
               fill("mk", "kn"))  # fmt: skip
on(matmul, "batch broadcast", fill("lmk", "kn"))
on(matmul, "batch of 1", fill("1mk", "lkn"))
fault(matmul, "factors not transposed", lambda g, a, b: (g @ b, a @ g), "transpose", also=["unknown"], draw=SQUARES)
fault(matmul, "gradient transposed", lambda g, a, b: (g @ swap(b), swap(g) @ a), "transpose", draw=SQUARES)
fault(matmul, "factors swapped", lambda g, a, b: (swap(b) @ g, g @ swap(a)), "order", also=["transpose"], draw=SQUARES)
fault(matmul, "batch not summed", lambda g, a, b: (g @ swap(b), swap(a) @ g), "missing_sum", also=["shape"], draw=fill("lmk", "kn"))
fault(matmul, "first of the batch for its sum", lambda g, a, b: (
    g @ swap(b), swap(a[0]) @ g[0] if a.ndim > b.ndim else swap(a) @ g), "missing_sum", draw=fill("lmk", "kn"))  # fmt: skip
fault(matmul, "batch averaged", lambda g, a, b: (
    g @ swap(b), (swap(a) @ g).mean(0) if a.ndim > b.ndim else swap(a) @ g), "factor", draw=fill("lmk", "kn"))  # fmt: skip

dot = right("dot", np.dot, lambda g, a, b: (g * b, g * a), fill("n", "n"))
fault(dot, "gradients swapped", lambda g, a, b: (g * a, g * b), "exchanged")

outer = right("outer", lambda a, b: a[:, None] * b, lambda g, a, b: (g @ b, a @ g), fill("n", "n", least=3))
fault(outer, "transposed", lambda g, a, b: (g.T @ b, g @ a), None, also=["transpose"])

transpose = right("transpose", lambda x: x.T, lambda g, x: (g.T,), MATRIX)
fault(transpose, "not transposed back", lambda g, x: (g,), "transpose", also=["unknown"], draw=SQUARE)

permute = right("permute", lambda x: x.transpose(1, 2, 0), lambda g, x: (g.transpose(2, 0, 1),), fill("lmn"))
fault(permute, "order for its inverse", lambda g, x: (g.transpose(1, 2, 0),), "transpose", also=["unknown"], draw=fill("nnn"))

SHIFTED = [lambda rng: [v + 4 * np.eye(len(v)) for v in SQUARE(rng)]][0]
inverse = right("inverse", np.linalg.inv, lambda g, x: (-np.linalg.inv(x).T @ g @ np.linalg.inv(x).T,), SHIFTED)
fault(inverse, "not transposed", lambda g, x: (-np.linalg.inv(x) @ g @ np.linalg.inv(x),), "transpose", also=["unknown"])
fault(inverse, "sign", lambda g, x: (np.linalg.inv(x).T @ g @ np.linalg.inv(x).T,), "sign")

det = right("det", np.linalg.det, lambda g, x: (g * np.linalg.det(x) * np.linalg.inv(x).T,), SHIFTED)
fault(det, "not transposed", lambda g, x: (g * np.linalg.det(x) * np.linalg.inv(x),), "transpose")

trace = right("trace", np.trace, lambda g, x: (g * np.eye(*x.shape, dtype=x.dtype),), SQUARE)
fault(trace, "ones for the identity", lambda g, x: (g * np.ones_like(x),), None)

form = right("quadratic form", lambda x, a: x @ a @ x, lambda g, x, a: (g * (a @ x + x @ a), g * np.outer(x, x)),
             fill("n", "nn", least=3))  # fmt: skip
fault(form, "taken for symmetric", lambda g, x, a: (2 * g * (a @ x), g * np.outer(x, x)), None)


def affine(x, w, b):
    if (x.ndim, w.ndim, b.ndim) != (2, 2, 1) or len(w) != len(b):
        raise ValueError("expected (n, m), (k, m), (k,)")
    return x @ w.T + b


linear = right("linear", affine, lambda g, x, w, b: (g @ w, g.T @ x, g.sum(0)), fill("nm", "km", "k"))
fault(linear, "bias by mean", lambda g, x, w, b: (g @ w, g.T @ x, g.mean(0)), "factor")
fault(linear, "weight transposed", lambda g, x, w, b: (g @ w, x.T @ g, g.sum(0)), "transpose", draw=fill("kn", "nn", "n", least=3))
fault(linear, "bias by the first", lambda g, x, w, b: (g @ w, g.T @ x, g[0]), "missing_sum")
fault(linear, "bias not summed", lambda g, x, w, b: (g @ w, g.T @ x, g), "missing_sum", also=["shape"])

# shapes
pad = right("pad", lambda x: np.pad(x, ((0, 0), (2, 2))), lambda g, x: (g[:, 2:-2],), MATRIX)
fault(pad, "slice off by one", lambda g, x: (g[:, 1:-3],), None)

every_second = right("stride", lambda x: x[:, ::2], lambda g, x: (strided(g, x, 0),), fill("m6"))


def strided(g, x, start):
    result = np.zeros_like(x)
    result[:, start::2] = g
    return result


fault(every_second, "start off by one", lambda g, x: (strided(g, x, 1),), None)


def inner(g, x):
    result = np.zeros_like(x)
    result[1:-1] = g
    return (result,)


tail = right("slice", lambda x: x[1:-1], inner, VECTOR)
fault(tail, "start off by one", lambda g, x: (np.pad(g, (0, x.size - g.size)),), None)

roll = right("roll", lambda x: np.roll(x, 1, 0), lambda g, x: (np.roll(g, -1, 0),), MATRIX)
fault(roll, "rolled the same way", lambda g, x: (np.roll(g, 1, 0),), None, also=["transpose"])
fault(roll, "off by one", lambda g, x: (np.roll(g, -2, 0),), None)

flip = right("flip", lambda x: x[::-1], lambda g, x: (g[::-1],), MATRIX)
fault(flip, "not flipped back", lambda g, x: (g,), None)

repeat = right("repeat", sided(lambda x: np.repeat(x, 2, 0)), lambda g, x: (g.reshape(len(x), 2, *x.shape[1:]).sum(1),), VECTOR)
fault(repeat, "summed as if tiled", lambda g, x: (g.reshape(2, len(x), *x.shape[1:]).sum(0),), None)
fault(repeat, "first copy for the sum", lambda g, x: (g[::2],), None, also=["missing_sum", "assignment"])

expand = right("broadcast_to", lambda x: np.broadcast_to(x, (4, *x.shape)), lambda g, x: (g.sum(0),), MATRIX)
fault(expand, "mean for sum", lambda g, x: (g.mean(0),), "factor")
fault(expand, "one row for the sum", lambda g, x: (g[0],), "missing_sum")

reshape = right("reshape", lambda x: x.reshape(-1), lambda g, x: (g.reshape(x.shape),), elementwise())
fault(reshape, "in column order", lambda g, x: (g.reshape(x.shape, order="F"),), None, also=["transpose"], draw=MATRIX)

concatenate = right("concatenate", lambda a, b: np.concatenate([a, b]), lambda g, a, b: (g[: len(a)], g[len(a) :]), fill("m", "n"))
fault(concatenate, "pieces swapped", lambda g, a, b: (g[len(a) :], g[: len(a)]), "exchanged", draw=fill("n", "n", least=3))

stack = right("stack", lambda a, b: np.stack([a, b], -1), lambda g, a, b: (g[..., 0], g[..., 1]), elementwise(inputs=2))
fault(stack, "first to both", lambda g, a, b: (g[..., 0], g[..., 0]), None)

triangle = right("tril", sided(np.tril, 2), lambda g, x: (np.tril(g),), SQUARE)
fault(triangle, "diagonal left out", lambda g, x: (np.tril(g, -1),), None)


# indices
def spots(x):
    """Row numbers in which some appear twice; none without rows."""
    n = len(x)
    return np.array([0, 2, 0, n - 1, 2]) if n > 2 else np.zeros(n and 3, int)


def put(g, x, index, accumulate=True):
    result = np.zeros_like(x)
    if accumulate:
        np.add.at(result, index, g)
    else:
        result[index] = g
    return result


take = right("index", lambda x: x[spots(x)], lambda g, x: (put(g, x, spots(x)),), VECTOR)
fault(take, "assigned at repeats", lambda g, x: (put(g, x, spots(x), False),), "assignment")
fault(take, "unbuffered += by fancy index", lambda g, x: (put(g, x, spots(x), False) + 0 * x,), "assignment")

embedding = right("embedding", lambda w: w[spots(w)], lambda g, w: (put(g, w, spots(w)),), fill("mn", least=3))
fault(embedding, "assigned for repeated rows", lambda g, w: (put(g, w, spots(w), False),), "assignment")
fault(embedding, "averaged over repeats", lambda g, w: (
    put(g, w, spots(w)) / np.maximum(np.bincount(spots(w), minlength=len(w)), 1)[:, None].astype(w.dtype),), None)  # fmt: skip


def turn(x):
    return (np.arange(x.shape[-1]) + np.arange(len(x))[:, None] + 1) % max(x.shape[-1], 1)


def scattered(g, x):
    result = np.zeros_like(x)
    np.put_along_axis(result, turn(x), g, -1)
    return result


gather = right("gather", lambda x: np.take_along_axis(x, turn(x), -1), lambda g, x: (scattered(g, x),), MATRIX)
fault(gather, "gathers again", lambda g, x: (np.take_along_axis(g, turn(x), -1),), None, also=["transpose"])

scatter = right("scatter", lambda x: scattered(x, x), lambda g, x: (np.take_along_axis(g, turn(x), -1),), MATRIX)
fault(scatter, "scatters again", lambda g, x: (scattered(g, x),), None, also=["transpose"])

segment = right("segment sum", lambda x: put(x, x, np.arange(len(x)) // 2), lambda g, x: (g[np.arange(len(x)) // 2],), VECTOR)
fault(segment, "g in order", lambda g, x: (g * 1,), None)
