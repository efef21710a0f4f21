"""Backwards that are right once and wrong the second time: something they use is cut off from the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.bench.faults.case import FAULTS, RIGHT, Built, Case, Composed, Draw, Rule, Target, add, elementwise, fill

ANY = elementwise(-1.5, 1.5)
POSITIVE = elementwise(0.5, 2.0)


CUT = ("zero",)  # true of a second derivative that has lost its only path; the report says which order it is of


def enter(
    cases: list[Case], name: str, target: Target, draw: Draw, code: str | None, order: int, also: tuple[str, ...] = ()
) -> None:
    add(cases, Case(name, lambda seed: (target, draw(np.random.default_rng(seed))), code, also, order))


def rule(name: str, forward: Callable[..., Any], backward: Callable[..., Any], draw: Draw, also: tuple[str, ...] = CUT) -> None:
    """Enter a Function twice: right, and with what its backward hands to `cut` detached."""
    own = Rule(forward, lambda t, *v: backward(t, lambda part: part, *v))
    cut = Rule(forward, lambda t, *v: backward(t, t.detach, *v))
    enter(RIGHT, f"{name}, twice", own, draw, None, 2)
    enter(FAULTS, f"{name}, twice: detached", cut, draw, "second_order", 2, also)


rule("exp", lambda t, x: t.exp(x), lambda t, cut, g, y, x: g * cut(y), ANY)
rule("sin", lambda t, x: t.sin(x), lambda t, cut, g, y, x: g * cut(t.cos(x)), ANY)
rule("cube", lambda t, x: x * x * x, lambda t, cut, g, y, x: 3 * g * cut(x * x), ANY)
rule("square, g", lambda t, x: x * x, lambda t, cut, g, y, x: 2 * x * cut(g), ANY)
rule("tanh", lambda t, x: t.tanh(x), lambda t, cut, g, y, x: g * (1 - cut(y) * cut(y)), ANY)
rule("tanh, one y", lambda t, x: t.tanh(x), lambda t, cut, g, y, x: g * (1 - y * cut(y)), ANY, ("factor",))
rule("log", lambda t, x: t.log(x), lambda t, cut, g, y, x: g / cut(x), POSITIVE)
rule("sqrt", lambda t, x: t.sqrt(x), lambda t, cut, g, y, x: g / (2 * cut(y)), POSITIVE)
rule("sigmoid", lambda t, x: 1 / (1 + t.exp(-x)), lambda t, cut, g, y, x: g * cut(y * (1 - y)), ANY)
rule("softplus", lambda t, x: t.log(1 + t.exp(x)), lambda t, cut, g, y, x: g * cut(1 / (1 + t.exp(-x))), ANY)
rule("reciprocal", lambda t, x: 1 / x, lambda t, cut, g, y, x: -g * y * cut(y), POSITIVE, ("factor",))
rule("multiply", lambda t, a, b: a * b, lambda t, cut, g, y, a, b: (g * cut(b), g * a), elementwise(inputs=2))
rule("divide", lambda t, a, b: a / b, lambda t, cut, g, y, a, b: (g / b, -g * a / cut(b * b)), elementwise(0.5, 2.0, inputs=2))
rule("matmul", lambda t, a, b: a @ b, lambda t, cut, g, y, a, b: (g @ t.swap(b), t.swap(cut(a)) @ g), fill("mk", "kn"))
rule("norm", lambda t, x: t.sqrt(t.along(x * x)), lambda t, cut, g, y, x: g * x / cut(y), fill("mn", away=0.3))
rule("softmax", lambda t, x: t.exp(x) / t.along(t.exp(x)), lambda t, cut, g, y, x: y * (g - t.along(g * cut(y))), fill("mn"))
rule("logsumexp", lambda t, x: t.log(t.along(t.exp(x))), lambda t, cut, g, y, x: g * cut(t.exp(x - y)), fill("mn"))


def centred(t: Any, x: Any) -> Any:
    return x - t.along(x) / x.shape[-1]


rule("squared deviation", lambda t, x: centred(t, x) ** 2,
     lambda t, cut, g, y, x: centred(t, 2 * g * (x - cut(t.along(x) / x.shape[-1]))), fill("mn", least=3))  # fmt: skip

enter(FAULTS, "x squared as two x of a constant, twice", Composed(lambda t, x: 2 * t.detach(x) * x - t.detach(x * x)), ANY,
      "second_order", 2, CUT)  # fmt: skip
enter(FAULTS, "x exp x by a tangent, twice", Composed(
    lambda t, x: t.detach(x * t.exp(x)) + t.detach((1 + x) * t.exp(x)) * (x - t.detach(x))), ANY,
      "second_order", 2, CUT)  # fmt: skip

# functions of tensors, and Functions, wrong the first time
enter(FAULTS, "x times x: one x detached", Composed(lambda t, x: x * t.detach(x)), ANY, "factor", 1)
enter(FAULTS, "x exp x: exp detached", Composed(lambda t, x: x * t.detach(t.exp(x))), ANY, None, 1)
enter(FAULTS, "sin: all detached", Composed(lambda t, x: t.sin(t.detach(x)) + 0 * x), ANY, "zero", 1)
enter(FAULTS, "a times b: b detached", Composed(lambda t, a, b: t.sin(a) * t.detach(b) + 0 * b), elementwise(inputs=2), "zero", 1)
enter(FAULTS, "sin: out of the graph", Composed(lambda t, x: t.detach(t.sin(x))), ANY, "zero", 1, ("ValueError",))
enter(FAULTS, "normalise: sum detached", Composed(lambda t, x: t.exp(x) / t.detach(t.along(t.exp(x)))), fill("mn", least=3),
      None, 1)  # fmt: skip
enter(FAULTS, "Function: factors swapped", Rule(lambda t, a, b: a * b, lambda t, g, y, a, b: (g * a, g * b)), elementwise(inputs=2),
      "exchanged", 1)  # fmt: skip
enter(FAULTS, "Function: sign", Rule(lambda t, x: t.cos(x), lambda t, g, y, x: g * t.sin(x)), ANY, "sign", 1)
enter(FAULTS, "Function: 2 forgotten", Rule(lambda t, x: x * x, lambda t, g, y, x: g * x), ANY, "factor", 1)
enter(FAULTS, "Function: weight transposed", Rule(
    lambda t, x, w: x @ w, lambda t, g, y, x, w: (g @ t.swap(w), t.swap(g) @ x)),
      fill("nn", "nn", least=3), "transpose", 1)  # fmt: skip


def cut_layer(t: Any) -> Any:
    class Cut(t.nn.Module):
        """tanh of a linear layer, whose slope is forgotten."""

        def __init__(self) -> None:
            super().__init__()
            self.linear = t.nn.Linear(4, 3)

        def forward(self, x: Any) -> Any:
            y = self.linear(x)
            return y + (t.tanh(y) - y).detach()

    return Cut().double()


enter(FAULTS, "module: slope of tanh forgotten", Built(cut_layer), fill("m4"), None, 1)

# modules and functions of tensors, right
enter(RIGHT, "module: Linear", Built(lambda t: t.nn.Linear(4, 3).double()), fill("m4"), None, 1)
enter(RIGHT, "module: layers", Built(lambda t: t.nn.Sequential(t.nn.Linear(4, 3), t.nn.Sigmoid(), t.nn.Linear(3, 2)).double()),
      fill("m4"), None, 1)  # fmt: skip
enter(RIGHT, "module: ReLU", Built(lambda t: t.nn.ReLU()), elementwise(), None, 1)
enter(RIGHT, "function: x exp x", Composed(lambda t, x: x * t.exp(x)), ANY, None, 2)
enter(RIGHT, "function: normalise", Composed(lambda t, x: t.exp(x) / t.along(t.exp(x))), fill("mn"), None, 2)
enter(RIGHT, "function: broadcast", Composed(lambda t, a, b: t.sin(a * b) + b), fill("mn", "n"), None, 2)
enter(RIGHT, "function: a @ b", Composed(lambda t, a, b: t.tanh(a @ b)), fill("mk", "kn"), None, 2)
enter(RIGHT, "function: number", Composed(lambda t, x: t.total(x * x)), elementwise(), None, 2)
enter(RIGHT, "function: 0-d", Composed(lambda t, x: t.sin(x) * x), fill(""), None, 2)
enter(RIGHT, "function: absolute at 0", Composed(lambda t, x: abs(x)), lambda rng: [np.round(v) for v in fill("mn")(rng)], None, 1)
enter(RIGHT, "function: linear", Composed(lambda t, x: 3 * x + 1), ANY, None, 2)
