"""Reductions, scans, orders and softmaxes, and the mistakes made in them."""

import math

import numpy as np

from tests.bench.faults.case import elementwise, fault, fill, on, right, sided, ties

MATRIX = fill("mn", least=3)
SQUARE = fill("nn", least=3)
ROWS = fill("mn", least=3)


def across(g, x, axis=-1):
    """A gradient of a reduction, along the axis again."""
    return np.broadcast_to(np.expand_dims(g, axis), x.shape)


total = right("sum", lambda x: x.sum(), lambda g, x: (np.broadcast_to(g, x.shape),), elementwise())
rows = right("sum of rows", sided(lambda x: x.sum(-1)), lambda g, x: (across(g, x),), SQUARE)
fault(rows, "along the wrong axis", lambda g, x: (across(g, x, 0),), "transpose", also=["unknown"])
fault(rows, "g forgotten", lambda g, x: (np.ones_like(x),), "upstream")

mean = right("mean", lambda x: x.mean(), lambda g, x: (np.broadcast_to(g / max(x.size, 1), x.shape),), elementwise())
fault(mean, "divisor forgotten", lambda g, x: (np.broadcast_to(g, x.shape),), "factor")
fault(mean, "divided twice", lambda g, x: (np.broadcast_to(g / x.size**2, x.shape),), "factor")

means = right("mean of rows", sided(lambda x: x.mean(-1)), lambda g, x: (across(g, x) / x.shape[-1],), MATRIX)
fault(means, "divided by the other side", lambda g, x: (across(g, x) / (x.shape[0] + 1),), "factor", draw=fill("nn", least=3))

variance = right("var", sided(lambda x: x.var(-1, ddof=1)), lambda g, x: (
    across(g, x) * 2 * (x - x.mean(-1, keepdims=True)) / (x.shape[-1] - 1),), MATRIX)  # fmt: skip
fault(variance, "N for N - 1", lambda g, x: (across(g, x) * 2 * (x - x.mean(-1, keepdims=True)) / x.shape[-1],), "factor")
fault(variance, "mean not taken off", lambda g, x: (across(g, x) * 2 * x / (x.shape[-1] - 1),), None)

std = right("std", sided(lambda x: x.std(-1, ddof=1)), lambda g, x: (
    across(g / x.std(-1, ddof=1), x) * (x - x.mean(-1, keepdims=True)) / (x.shape[-1] - 1),), MATRIX)  # fmt: skip
fault(std, "2 not cancelled", lambda g, x: (
    across(g / x.std(-1, ddof=1), x) * 2 * (x - x.mean(-1, keepdims=True)) / (x.shape[-1] - 1),), "factor")  # fmt: skip

norm = right("norm", sided(lambda x: np.sqrt((x * x).sum(-1))), lambda g, x: (across(g / np.sqrt((x * x).sum(-1)), x) * x,),
             fill("mn", away=0.2, least=3))  # fmt: skip
fault(norm, "norm not divided by", lambda g, x: (across(g, x) * x,), None)
fault(norm, "squared norm divided by", lambda g, x: (across(g / (x * x).sum(-1), x) * x,), None)

l1 = right("l1 norm", sided(lambda x: np.abs(x).sum(-1)), lambda g, x: (across(g, x) * np.sign(x),), fill("mn", away=0.2, least=3))
fault(l1, "sign forgotten", lambda g, x: (across(g, x) * 1,), None, also=["sign"],
      draw=fill("mn", low=-2, high=1, away=0.2, least=3))  # fmt: skip


def prod_others(x):
    """For each element of a vector the product of the others."""
    one = np.ones(1, x.dtype)
    before = np.concatenate([one, np.cumprod(x)[:-1]]) if x.size else x
    after = np.concatenate([np.cumprod(x[::-1])[::-1][1:], one]) if x.size else x
    return before * after


def prod_quotient(g, x):
    with np.errstate(all="ignore"):
        return (g * x.prod() / x,)


def one_zero(rng):
    (x,) = fill("n", least=3)(rng)
    x[int(rng.integers(x.size))] = 0.0
    return [x]


prod = right("prod", lambda x: x.prod(), lambda g, x: ((g * prod_others(x.ravel())).reshape(x.shape),), fill("n", away=0.2))
on(prod, "one zero", one_zero)
fault(prod, "quotient at a zero", prod_quotient, None, draw=one_zero)
fault(prod, "zeros left out", lambda g, x: (np.where(x == 0, x, g * x.prod() / np.where(x == 0, x.dtype.type(1), x)),), None,
      also=["zero"], draw=one_zero)  # fmt: skip


def flipped_cumsum(g, axis):
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis)


cumsum = right("cumsum", sided(lambda x: x.cumsum(-1)), lambda g, x: (flipped_cumsum(g, -1),), MATRIX)
fault(cumsum, "not reversed", lambda g, x: (g.cumsum(-1),), None, also=["transpose"])
fault(cumsum, "off by one", lambda g, x: (flipped_cumsum(g, -1) - g,), None)
fault(cumsum, "along the other axis", lambda g, x: (flipped_cumsum(g, 0),), None, also=["transpose"])


def undiff(g, x):
    result = np.zeros_like(x)
    result[..., 1:] += g
    result[..., :-1] -= g
    return (result,)


diff = right("diff", lambda x: np.diff(x, axis=-1), undiff, MATRIX)
fault(diff, "sign", lambda g, x: (np.diff(g, axis=-1, prepend=0, append=0),), "sign")
fault(diff, "only the later element", lambda g, x: (np.pad(g, ((0, 0), (1, 0))),), None)

logsumexp = right("logsumexp", sided(lambda x: np.logaddexp.reduce(x, -1)), lambda g, x: (across(g, x) * softmax(x),), MATRIX)
fault(logsumexp, "not normalised", lambda g, x: (across(g, x) * np.exp(x),), None)


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True, initial=-math.inf))
    return e / e.sum(axis, keepdims=True)


def softmax_vjp(g, x, axis=-1, over=None):
    y = softmax(x, axis)
    return (y * (g - (g * y).sum(axis if over is None else over, keepdims=True)),)


soft = right("softmax", sided(softmax), softmax_vjp, MATRIX)
fault(soft, "wrong axis", lambda g, x: softmax_vjp(g, x, -1, 0), None)
fault(soft, "cross term forgotten", lambda g, x: (g * softmax(x) * (1 - softmax(x)),), None)
fault(soft, "only y times g", lambda g, x: (g * softmax(x),), None)


def log_softmax(x):
    z = x - x.max(-1, keepdims=True, initial=-math.inf)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


log_soft = right("log-softmax", sided(log_softmax), lambda g, x: (g - softmax(x) * g.sum(-1, keepdims=True),), MATRIX)
fault(log_soft, "without the sum", lambda g, x: (g - softmax(x) * g,), None)
fault(log_soft, "passes g", lambda g, x: (g,), None)
fault(log_soft, "y for exp y", lambda g, x: (g - log_softmax(x) * g.sum(-1, keepdims=True),), None)


def first_max(x):
    """Where the first maximum of each row is."""
    return np.arange(x.shape[-1]) == np.expand_dims(x.argmax(-1), -1)


maximum = right("max", sided(lambda x: x.max(-1)), lambda g, x: (across(g, x) * first_max(x),), ROWS)
on(maximum, "ties", ties(ROWS, 2))
on(maximum, "all equal", lambda rng: [np.full_like(v, rng.normal()) for v in ROWS(rng)])
fault(maximum, "every tie gets g", lambda g, x: (across(g, x) * (x == x.max(-1, keepdims=True)),), "ties",
      draw=lambda rng: [np.concatenate([v, v], -1) for v in ROWS(rng)])  # fmt: skip
fault(maximum, "sends to all", lambda g, x: (across(g, x) * 1,), None)
fault(maximum, "index of the minimum", lambda g, x: (across(g, x) * first_max(-x),), None)


def shared_max(g, x):
    mask = x == x.max(-1, keepdims=True)
    return (across(g, x) * mask / mask.sum(-1, keepdims=True).astype(x.dtype),)


right("max, shared among ties", sided(lambda x: x.max(-1)), shared_max, ties(ROWS, 2))


def unsort(g, x):
    result = np.empty_like(g)
    np.put_along_axis(result, np.argsort(x, -1, kind="stable"), g, -1)
    return (result,)


sort = right("sort", sided(lambda x: np.sort(x, -1)), unsort, ROWS)
on(sort, "ties", ties(ROWS, 2))


def cycles(rng):
    """Rows whose order is not its own inverse."""
    return [np.array([[2.0, 0.5, 1.0], [1.0, 2.0, 0.5]]) + rng.uniform(0, 0.4, (2, 3))]


fault(sort, "order for its inverse", lambda g, x: (np.take_along_axis(g, np.argsort(x, -1, kind="stable"), -1),),
      None, also=["transpose"], draw=cycles)  # fmt: skip
fault(sort, "every tie gets g", lambda g, x: (((np.sort(x, -1)[..., None, :] == x[..., :, None]) * g[..., None, :]).sum(-1),),
      "ties", draw=lambda rng: [rng.permuted(np.concatenate([v, v], -1), axis=-1) for v in ROWS(rng)])  # fmt: skip


def median_vjp(g, x, share=0.5):
    order = np.argsort(x, -1)
    half = x.shape[-1] // 2
    result = np.zeros_like(x)
    picks = [(half, 1.0)] if x.shape[-1] % 2 else [(half - 1, share), (half, 1 - share)]
    for place, weight in picks:
        np.put_along_axis(result, order[..., place : place + 1], weight * g[..., None], -1)
    return (result,)


median = right("median", sided(lambda x: np.median(x, -1)), median_vjp, ROWS)
fault(median, "one of the two in the middle gets all", lambda g, x: median_vjp(g, x, 1.0), None, draw=fill("m4"))

cumprod = right("cumprod", sided(lambda x: np.cumprod(x, -1)), lambda g, x: (flipped_cumsum(g * np.cumprod(x, -1), -1) / x,),
                fill("mn", away=0.3, least=3))  # fmt: skip
fault(cumprod, "quotient forgotten", lambda g, x: (flipped_cumsum(g * np.cumprod(x, -1), -1),), None)
