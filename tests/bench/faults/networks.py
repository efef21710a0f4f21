"""Convolution, pooling, normalisation, losses, recurrence, attention, and the mistakes made in them."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tests.bench.faults.case import Pair, fault, fill, on, right, stateful
from tests.bench.faults.reductions import log_softmax, softmax, softmax_vjp


# convolution and pooling
def windows(x, k, s):
    return sliding_window_view(x, k, axis=2)[:, :, ::s]


def conv1d(x, w, b):
    return np.einsum("nctk,ock->not", windows(x, w.shape[2], 2), w) + b[:, None]


def conv1d_vjp(g, x, w, b, *, stride=2, flip=False, assign=False):
    gx, k = np.zeros_like(x), w.shape[2]
    for t in range(g.shape[2]):
        part = np.einsum("no,ock->nck", g[:, :, t], w[:, :, ::-1] if flip else w)
        spot = gx[:, :, t * stride : t * stride + k]
        spot[...] = part if assign else spot + part
    return gx, np.einsum("not,nctk->ock", g, windows(x, k, 2)), g.sum((0, 2))


conv = right("conv1d", conv1d, conv1d_vjp, fill("nc7", "oc3", "o", most=3))
fault(conv, "kernel turned round", lambda g, x, w, b: conv1d_vjp(g, x, w, b, flip=True), None)
fault(conv, "stride ignored", lambda g, x, w, b: conv1d_vjp(g, x, w, b, stride=1), None)
fault(conv, "overlaps assigned", lambda g, x, w, b: conv1d_vjp(g, x, w, b, assign=True), None, also=["assignment"])
fault(conv, "bias summed over the batch's mean", lambda g, x, w, b: (*conv1d_vjp(g, x, w, b)[:2], g.mean(0).sum(1)), "factor")


def conv2d(x, w):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return np.einsum("nchwij,ocij->nohw", sliding_window_view(padded, w.shape[2:], axis=(2, 3)), w)


def conv2d_vjp(g, x, w, *, crop=1, flip=False):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    gp = np.zeros_like(padded)
    v = w[:, :, ::-1, ::-1] if flip else w
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            gp[:, :, i : i + g.shape[2], j : j + g.shape[3]] += np.einsum("nohw,oc->nchw", g, v[:, :, i, j])
    view = sliding_window_view(padded, w.shape[2:], axis=(2, 3))
    gx = gp[:, :, crop : crop + x.shape[2], crop : crop + x.shape[3]]
    return gx, np.einsum("nohw,nchwij->ocij", g, view)


conv2 = right("conv2d", conv2d, conv2d_vjp, fill("nchw", "oc33", most=3))
fault(conv2, "padding cropped off by one", lambda g, x, w: conv2d_vjp(g, x, w, crop=2), None, also=["shape"],
      draw=fill("nc44", "oc22", most=2))  # fmt: skip
fault(conv2, "padding not cropped", lambda g, x, w: conv2d_vjp(g, x, w, crop=0), None)
fault(conv2, "kernel turned round", lambda g, x, w: conv2d_vjp(g, x, w, flip=True), None)


def pairs(x):
    if x.shape[-1] % 2:
        raise ValueError("expected a last side of even length")
    return x.reshape(*x.shape[:-1], x.shape[-1] // 2, 2)


def spread(g, weights):
    return (g[..., None] * weights).reshape(*g.shape[:-1], 2 * g.shape[-1])


def first(x):
    return np.arange(2) == pairs(x).argmax(-1)[..., None]


max_pool = right("max-pool", lambda x: pairs(x).max(-1), lambda g, x: (spread(g, first(x)),), fill("nc6"))
fault(max_pool, "sends to all", lambda g, x: (spread(g, np.ones(2, x.dtype)),), None)
fault(max_pool, "ties all get g", lambda g, x: (spread(g, pairs(x) == pairs(x).max(-1, keepdims=True)),), "ties",
      draw=lambda rng: [np.repeat(v, 2, -1) for v in fill("nc3")(rng)])  # fmt: skip

avg_pool = right("average pool", lambda x: pairs(x).mean(-1), lambda g, x: (spread(g, np.full(2, 0.5, x.dtype)),), fill("nc6"))
fault(avg_pool, "divisor forgotten", lambda g, x: (spread(g, np.ones(2, x.dtype)),), "factor")


def overlapping(g, x, assign):
    """Back through the maximum of every three neighbours."""
    result = np.zeros_like(x)
    spots = sliding_window_view(x, 3).argmax(-1) + np.arange(len(g))
    if assign:
        result[spots] = g
    else:
        np.add.at(result, spots, g)
    return (result,)


def peak(rng):
    (x,) = fill("9")(rng)
    x[4] = 3.0
    return [x]


overlap = right("overlapping max-pool", lambda x: sliding_window_view(x, 3).max(-1), lambda g, x: overlapping(g, x, False), peak)
fault(overlap, "assigned where windows share the maximum", lambda g, x: overlapping(g, x, True), "assignment")


# normalisation
def normalised(x, axis):
    return (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 1e-5)


def normal_vjp(g, x, axis, mean=True, product=True):
    y = normalised(x, axis)
    result = g
    if mean:
        result = result - g.mean(axis, keepdims=True)
    if product:
        result = result - y * (g * y).mean(axis, keepdims=True)
    return result / np.sqrt(x.var(axis, keepdims=True) + 1e-5)


def batch_vjp(g, x, w, b, **terms):
    return normal_vjp(g * w, x, 0, **terms), (g * normalised(x, 0)).sum(0), g.sum(0)


def batch_norm(x, w, b):
    if x.ndim != 2 or w.shape != x.shape[1:] or b.shape != w.shape:
        raise ValueError("expected (n, c), (c,), (c,)")
    return w * normalised(x, 0) + b


batch = right("batch norm", batch_norm, batch_vjp, fill("mn", "n", "n", least=3))
fault(batch, "mean and variance as constants", lambda g, x, w, b: batch_vjp(g, x, w, b, mean=False, product=False), None)
fault(batch, "variance as a constant", lambda g, x, w, b: batch_vjp(g, x, w, b, product=False), None)
fault(batch, "weight left out of the input's gradient", lambda g, x, w, b: (normal_vjp(g, x, 0), *batch_vjp(g, x, w, b)[1:]), None)

layer = right("layer norm", lambda x: normalised(x, -1), lambda g, x: (normal_vjp(g, x, -1),), fill("mn", least=3))
fault(layer, "mean of g forgotten", lambda g, x: (normal_vjp(g, x, -1, mean=False),), None)
fault(layer, "mean of g times y forgotten", lambda g, x: (normal_vjp(g, x, -1, product=False),), None)
fault(layer, "over the wrong axis", lambda g, x: (normal_vjp(g, x, 0),), None)


def rms(x):
    return np.sqrt((x * x).mean(-1, keepdims=True))


rms_norm = right("rms norm", lambda x: x / rms(x), lambda g, x: (
    (g - x * (g * x).mean(-1, keepdims=True) / rms(x) ** 2) / rms(x),), fill("mn", away=0.2, least=3))  # fmt: skip
fault(rms_norm, "sum for mean", lambda g, x: ((g - x * (g * x).sum(-1, keepdims=True) / rms(x) ** 2) / rms(x),), None)


# losses
def labels(x):
    return np.arange(len(x)) % max(x.shape[1], 1)


def hot(x):
    return (np.arange(x.shape[1]) == labels(x)[:, None]).astype(x.dtype)


def cross_entropy(x):
    return -(log_softmax(x) * hot(x)).sum() / max(len(x), 1)


entropy = right("cross-entropy", cross_entropy, lambda g, x: (g * (softmax(x) - hot(x)) / max(len(x), 1),), fill("mn", least=3))
fault(entropy, "mean's divisor forgotten", lambda g, x: (g * (softmax(x) - hot(x)),), "factor")
fault(entropy, "one-hot forgotten", lambda g, x: (g * softmax(x) / max(len(x), 1),), None)
fault(entropy, "sign", lambda g, x: (g * (hot(x) - softmax(x)) / max(len(x), 1),), "sign")
fault(entropy, "divided by all elements", lambda g, x: (g * (softmax(x) - hot(x)) / max(x.size, 1),), "factor")

mse = right("mse", lambda a, b: ((a - b) ** 2).sum() / max(a.size, 1),
            lambda g, a, b: (2 * g * (a - b) / max(a.size, 1), 2 * g * (b - a) / max(a.size, 1)), fill("mn", "mn"))  # fmt: skip
fault(mse, "2 forgotten", lambda g, a, b: (g * (a - b) / max(a.size, 1), g * (b - a) / max(a.size, 1)), "factor")
fault(mse, "divided by the batch only", lambda g, a, b: (2 * g * (a - b) / len(a), 2 * g * (b - a) / len(a)), "factor")
fault(mse, "target's sign", lambda g, a, b: (2 * g * (a - b) / max(a.size, 1), 2 * g * (a - b) / max(a.size, 1)), "sign")

huber = right("huber", lambda x: np.where(np.abs(x) < 1, 0.5 * x * x, np.abs(x) - 0.5).sum(),
              lambda g, x: (g * np.clip(x, -1, 1),), fill("mn"))  # fmt: skip
fault(huber, "not clipped", lambda g, x: (g * x,), None, draw=fill("mn", low=-1.0, high=1.0, away=0.7))

bce = right("bce with logits", lambda x: (np.logaddexp(0, x) - 0.3 * x).sum().astype(x.dtype),
            lambda g, x: (g * (1 / (1 + np.exp(-x)) - 0.3),), fill("mn"))  # fmt: skip
fault(bce, "target forgotten", lambda g, x: (g / (1 + np.exp(-x)),), None)


# dropout, recurrence, attention
def kept(x):
    return (np.arange(x.size).reshape(x.shape) % 3 > 0).astype(x.dtype)


dropout = right("dropout", lambda x: x * kept(x) / 0.5, lambda g, x: (g * kept(x) / 0.5,), fill("mn", least=3))
fault(dropout, "scale forgotten", lambda g, x: (g * kept(x),), "factor")
fault(dropout, "mask forgotten", lambda g, x: (g / 0.5,), None)


def queued(old):
    masks = [old[0] > 0]

    def f(x):
        masks.append(x > 0)
        return np.where(masks[-1], x, x.dtype.type(0))

    def vjp(g, x):
        mask = masks.pop(0)
        return (g * (mask if mask.shape == g.shape else x > 0),)

    return Pair(f, vjp)


gate = right("gated", lambda x: np.where(x > 0, x, x.dtype.type(0)), lambda g, x: (g * (x > 0),), fill("mn", away=0.1, least=3))
stateful(gate, "mask of the call before", queued, None, also=["nondeterministic", "stale_state"])


def recurrence(x, w):
    h = np.zeros_like(x[0])
    for row in x:
        h = np.tanh(h @ w + row)
    return h


def recurrence_vjp(g, x, w, last=False):
    h = [np.zeros_like(x[0])]
    for row in x:
        h.append(np.tanh(h[-1] @ w + row))
    gx, gw = np.zeros_like(x), np.zeros_like(w)
    for t in reversed(range(len(x))):
        z = g * (1 - h[t + 1] ** 2)
        gx[t] = z
        gw += np.outer(h[t], z)
        g = z @ w.T
        if last:
            break
    return gx, gw


recurrent = right("recurrence", recurrence, recurrence_vjp, fill("mn", "nn", low=-1, high=1, least=3))
fault(recurrent, "only the last step", lambda g, x, w: recurrence_vjp(g, x, w, True), None, also=["zero"])


def attention(q, k, v):
    return softmax(q @ k.T / math.sqrt(q.shape[-1])) @ v


def attention_vjp(g, q, k, v, scale=True, cross=True):
    s = math.sqrt(q.shape[-1])
    scores = q @ k.T / s
    y = softmax(scores)
    gy = g @ v.T
    gs = softmax_vjp(gy, scores)[0] if cross else gy * y * (1 - y)
    gs = gs / s if scale else gs
    return gs @ k, gs.T @ q, y.T @ g


attend = right("attention", attention, attention_vjp, fill("mn", "kn", "kl", least=3))
fault(attend, "scale forgotten", lambda g, *x: attention_vjp(g, *x, scale=False), "factor")
fault(attend, "softmax as if elementwise", lambda g, *x: attention_vjp(g, *x, cross=False), None)
on(dropout, "one row", fill("1n", least=3))
