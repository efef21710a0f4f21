"""What a case is: an op with its inputs drawn by a seed, right or with one mistake; and the two lists of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]
Draw: TypeAlias = Callable[[np.random.Generator], list[Array]]


class Pair(NamedTuple):
    """A NumPy function and its vector-Jacobian product, `vjp(g, *inputs)`: one gradient per input."""

    f: Callable[..., Any]
    vjp: Callable[..., Any]


class Rule(NamedTuple):
    """An autograd.Function in any framework: `forward(t, *inputs)` and `backward(t, g, y, *inputs)` in its functions `t`."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]


class Composed(NamedTuple):
    """A function of tensors in any framework: `call(t, *inputs)` in its functions `t`."""

    call: Callable[..., Any]


class Built(NamedTuple):
    """A module in any framework that has them: `build(torch)` with PyTorch or its like."""

    build: Callable[[Any], Any]


Target: TypeAlias = Pair | Rule | Composed | Built


@dataclass(frozen=True)
class Case:
    """A target with inputs; for a fault the diagnosis it deserves, None if the checker has no word for it."""

    name: str
    draw: Callable[[int], tuple[Target, list[Array]]]
    code: str | None = None
    also: tuple[str, ...] = ()  # other words that are true of it
    order: int = 1

    def make(self, seed: int) -> tuple[Any, list[Array]]:
        """What to hand to this package's checker, made anew with every call."""
        from tests.bench.faults.frames import ours

        target, inputs = self.draw(seed)
        return ours(target), inputs

    def fits(self, code: str | None) -> bool:
        """Whether a diagnosis is a true word for this fault."""
        return code in (self.code or "unknown", *self.also)


RIGHT: list[Case] = []
FAULTS: list[Case] = []


class Known(NamedTuple):
    """A right op, in which mistakes are made."""

    name: str
    target: Pair
    draw: Draw


def add(cases: list[Case], case: Case) -> None:
    """Enter a case under its name, which is its own."""
    if any(case.name == other.name for other in cases):
        raise ValueError(f"two cases are called {case.name!r}")
    cases.append(case)


def right(name: str, f: Callable[..., Any], vjp: Callable[..., Any], draw: Draw) -> Known:
    """Enter a right op."""
    target = Pair(f, vjp)
    add(RIGHT, Case(name, lambda seed: (target, draw(np.random.default_rng(seed)))))
    return Known(name, target, draw)


def on(known: Known, what: str, draw: Draw) -> None:
    """Enter a right op again, on other inputs."""
    add(RIGHT, Case(f"{known.name}: {what}", lambda seed: (known.target, draw(np.random.default_rng(seed)))))


def fault(
    known: Known,
    what: str,
    vjp: Callable[..., Any] | None,
    code: str | None,
    *,
    also: Sequence[str] = (),
    f: Callable[..., Any] | None = None,
    draw: Draw | None = None,
) -> None:
    """Enter a mistake in a right op: another vjp or another f, or other inputs on which it shows."""
    target = Pair(f or known.target.f, vjp or known.target.vjp)
    drawn = draw or known.draw
    add(FAULTS, Case(f"{known.name}: {what}", lambda seed: (target, drawn(np.random.default_rng(seed))), code, tuple(also)))


def stateful(known: Known, what: str, make: Callable[[list[Array]], Pair], code: str | None, also: Sequence[str] = ()) -> None:
    """Enter a mistake that remembers something from call to call: it is made anew, knowing inputs of an earlier call."""

    def drawn(seed: int) -> tuple[Target, list[Array]]:
        inputs = known.draw(np.random.default_rng(seed))
        earlier = [np.random.default_rng(seed + 10_000 + i).permutation(v.ravel()).reshape(v.shape) for i, v in enumerate(inputs)]
        return make([-v for v in earlier]), inputs

    add(FAULTS, Case(f"{known.name}: {what}", drawn, code, tuple(also)))


def fill(*specs: str, low: float = -2.0, high: float = 2.0, away: float | None = None, least: int = 2, most: int = 5) -> Draw:
    """Draw uniform arrays; a spec such as "mn" names the sides, each letter one size, a digit itself; `away` from 0 if asked."""

    def drawn(rng: np.random.Generator) -> list[Array]:
        sizes = {letter: int(rng.integers(least, most + 1)) for spec in specs for letter in spec if letter.isalpha()}
        arrays = []
        for spec in specs:
            shape = tuple(sizes.get(letter) or int(letter) for letter in spec)
            values = np.asarray(rng.uniform(low, high, shape))
            if away is not None:
                values = np.asarray(values + np.where(values < 0, -away, away))
            arrays.append(values)
        return arrays

    return drawn


def elementwise(low: float = -2.0, high: float = 2.0, away: float | None = None, inputs: int = 1) -> Draw:
    """Draw arrays of one shape of one to three sides."""

    def drawn(rng: np.random.Generator) -> list[Array]:
        spec = ("n", "mn", "lmn")[int(rng.integers(3))]
        return fill(*[spec] * inputs, low=low, high=high, away=away, least=3 if spec == "n" else 2)(rng)

    return drawn


def until(shows: Callable[[Array], Any], draw: Draw) -> Draw:
    """Draw again where the mistake cannot show in the first array, as one at negatives where there is none."""

    def drawn(rng: np.random.Generator) -> list[Array]:
        arrays = draw(rng)
        while not np.any(shows(arrays[0])):
            arrays = draw(rng)
        return arrays

    return drawn


def ties(draw: Draw, values: int = 3) -> Draw:
    """Round what is drawn to few values, so that several elements are equal."""
    return lambda rng: [np.round(v * values / 2) * 2 / values for v in draw(rng)]


def sided(f: Callable[..., Any], least: int = 1) -> Callable[..., Any]:
    """The function, refusing inputs of fewer sides than it is meant for."""

    def refusing(*inputs: Array) -> Any:
        if any(np.ndim(v) < least for v in inputs):
            raise ValueError(f"expected at least {least} sides")
        return f(*inputs)

    return refusing


def fit(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum a gradient down to its input's shape."""
    lead = g.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(lead + i for i, n in enumerate(shape) if n == 1 and g.shape[lead + i] != 1)
    return g.sum(axis=axes).reshape(shape) if axes else g
