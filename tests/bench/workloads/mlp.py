"""A training step of the 784-128-64-10 network with sigmoids, under SGD; and the same step by hand under other packages."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tests.bench.workload import Step

NAME = "mlp"
SIZES: dict[str, dict[str, Any]] = {f"batch {batch}": {"batch": batch} for batch in (1, 32, 128, 512)}
SIZES["batch 128, float64"] = {"batch": 128, "dtype": "float64"}
LINES = {("batch 1", "step"): 0.55, ("batch 32", "step"): 0.70, ("batch 128", "step"): 0.95, ("batch 512", "step"): 1.0}
WIDTHS, RATE = (784, 128, 64, 10), 0.1


def build(torch: Any, batch: int, dtype: str = "float32", optimizer: str = "SGD", width: int = 128) -> Step:
    nn, kind = torch.nn, getattr(torch, dtype)
    model = nn.Sequential(nn.Linear(784, width), nn.Sigmoid(), nn.Linear(width, 64), nn.Sigmoid(), nn.Linear(64, 10)).to(kind)
    update = getattr(torch.optim, optimizer)(model.parameters(), lr=RATE)
    loss_of = nn.CrossEntropyLoss()
    x, y = torch.rand(batch, 784, dtype=kind), torch.randint(0, 10, (batch,))

    def step() -> None:
        update.zero_grad()
        loss_of(model(x), y).backward()
        update.step()

    return step


def _arrays(batch: int, dtype: str) -> tuple[list[Any], Any, Any]:
    """Weights and biases by turns, a batch of images and its labels."""
    import numpy as np

    rng = np.random.default_rng(0)
    parameters = []
    for fan_in, fan_out in pairwise(WIDTHS):
        parameters += [rng.uniform(-1, 1, size).astype(dtype) / fan_in**0.5 for size in ((fan_in, fan_out), (fan_out,))]
    return parameters, rng.random((batch, 784), dtype), rng.integers(0, 10, batch)


def numpy(batch: int, dtype: str = "float32") -> Step:
    """What a patient hand writes: the derivatives worked out, the updates in place."""
    import numpy as np

    (w1, b1, w2, b2, w3, b3), x, y = _arrays(batch, dtype)
    rows = np.arange(batch)

    def step() -> None:
        h = 1 / (1 + np.exp(-(x @ w1 + b1)))
        k = 1 / (1 + np.exp(-(h @ w2 + b2)))
        scores = k @ w3 + b3
        g = np.exp(scores - scores.max(1, keepdims=True))
        g /= g.sum(1, keepdims=True)
        g[rows, y] -= 1
        g *= RATE / batch
        gk = (g @ w3.T) * k * (1 - k)
        gh = (gk @ w2.T) * h * (1 - h)
        for w, b, into, grad in ((w1, b1, x, gh), (w2, b2, h, gk), (w3, b3, k, g)):
            w -= np.dot(into.T, grad)
            b -= grad.sum(0)

    return step


def jax(batch: int, dtype: str = "float32") -> Step:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", dtype == "float64")
    arrays, x, y = _arrays(batch, dtype)

    def loss(parameters: list[Any]) -> Any:
        w1, b1, w2, b2, w3, b3 = parameters
        scores = jax.nn.sigmoid(jax.nn.sigmoid(x @ w1 + b1) @ w2 + b2) @ w3 + b3
        return -jnp.mean(jax.nn.log_softmax(scores)[jnp.arange(batch), y])

    update = jax.jit(lambda parameters: [p - RATE * g for p, g in zip(parameters, jax.grad(loss)(parameters), strict=True)])
    state = {"parameters": [jnp.asarray(array) for array in arrays]}

    def step() -> None:
        state["parameters"] = jax.block_until_ready(update(state["parameters"]))

    return step


def mygrad(batch: int, dtype: str = "float32") -> Step:
    import mygrad as mg
    from mygrad.nnet.activations import sigmoid
    from mygrad.nnet.losses import softmax_crossentropy

    arrays, x, y = _arrays(batch, dtype)
    parameters = [mg.tensor(array) for array in arrays]

    def step() -> None:
        w1, b1, w2, b2, w3, b3 = parameters
        h = sigmoid(mg.matmul(x, w1) + b1)
        softmax_crossentropy(mg.matmul(sigmoid(mg.matmul(h, w2) + b2), w3) + b3, y).backward()
        for p in parameters:
            p.data -= RATE * p.grad

    return step


def autograd(batch: int, dtype: str = "float32") -> Step:
    import autograd.numpy as np
    from autograd import grad
    from autograd.scipy.special import logsumexp

    parameters, x, y = _arrays(batch, dtype)
    rows = np.arange(batch)

    def loss(parameters: list[Any]) -> Any:
        w1, b1, w2, b2, w3, b3 = parameters
        h = 1 / (1 + np.exp(-(np.dot(x, w1) + b1)))
        scores = np.dot(1 / (1 + np.exp(-(np.dot(h, w2) + b2))), w3) + b3
        return np.mean(logsumexp(scores, axis=1) - scores[rows, y])

    gradient = grad(loss)

    def step() -> None:
        for p, g in zip(parameters, gradient(parameters), strict=True):
            p -= RATE * g

    return step


BESIDE = {"numpy": numpy, "jax": jax, "mygrad": mygrad, "autograd": autograd}
