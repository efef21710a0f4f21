"""One neuron, its derivatives worked out by hand, by the engine, and step by step in a page that opens."""

from __future__ import annotations

import argparse
import math
import sys
import webbrowser
from pathlib import Path

import tinygrad_nn as torch
from tinygrad_nn import viz


def number(value: float) -> torch.Tensor:
    """A leaf: a number that takes a gradient."""
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def main() -> int:
    """Run the program; 1 if the page cannot be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("backprop_by_hand.html"))
    parser.add_argument("--no-open", action="store_true", help="write the page, but do not open it")
    options = parser.parse_args()

    x1, x2 = number(2.0), number(0.0)  # what comes in
    w1, w2, b = number(-3.0), number(1.0), number(6.8813735870195432)  # what the neuron learns

    def neuron(x1: torch.Tensor, x2: torch.Tensor, w1: torch.Tensor, w2: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        n = x1 * w1 + x2 * w2 + b
        o = n.tanh()
        return o

    o = neuron(x1, x2, w1, w2, b)
    o.backward()

    # The same by hand. o = tanh(n), so do/dn = 1 - o**2; the sum passes it on; each product hands over the other factor.
    n = 2.0 * -3.0 + 0.0 * 1.0 + 6.8813735870195432
    slope = 1 - math.tanh(n) ** 2
    by_hand = {"x1": -3.0 * slope, "x2": 1.0 * slope, "w1": 2.0 * slope, "w2": 0.0 * slope, "b": slope}

    print(f"o = {o.item():.6f}\n\n           by hand   by backward()")
    for name, leaf in {"x1": x1, "x2": x2, "w1": w1, "w2": w2, "b": b}.items():
        assert leaf.grad is not None
        print(f"do/d{name:3} {by_hand[name]:11.6f} {leaf.grad.detach().item():15.6f}")

    try:
        viz.trace(neuron, x1, x2, w1, w2, b).save(options.out)
    except OSError as error:
        print(f"backprop_by_hand: {error}", file=sys.stderr)
        return 1
    print(f"\nstep by step: {options.out}")
    if not options.no_open:
        webbrowser.open(options.out.resolve().as_uri())
    return 0


if __name__ == "__main__":
    sys.exit(main())
