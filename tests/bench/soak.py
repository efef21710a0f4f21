"""Random programs by the thousand, against PyTorch's values and derivatives or against central differences.

    python -m tests.bench.soak --programs 200000 --against torch

Each batch has a seed of its own, so that a disagreement can be drawn again: it is printed with its program, and counted.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

from tinygrad_nn.testing import assert_gradcheck
from tinygrad_nn.testing.strategies import Expression, expressions
from tinygrad_nn.variable import wrap

BATCH = 1000


def by_differences(program: Expression) -> None:
    """First and second order, each element, by the package's own checker."""
    for order in (1, 2):
        inputs = [wrap(value.copy()).requires_grad_() for value in program.inputs]
        assert_gradcheck(program, inputs, order=order, contract=False)


def against_torch() -> tuple[Callable[[Expression], None], list[str]]:
    """The comparison with PyTorch, and the ops it knows."""
    from tests.parity.test_expressions_parity import SMOOTH, agree

    def compare(program: Expression) -> None:
        weight = np.random.default_rng(len(program.steps)).uniform(0.5, 2.0, np.shape(program(*program.inputs)))
        agree(program, weight)

    return compare, SMOOTH


def batch(number: int, count: int, check: Callable[[Expression], None], ops: Any) -> tuple[int, list[str]]:
    """How many programs were checked, and those that disagree."""
    checked, wrong = 0, []

    @seed(number)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(program=expressions(40, ops=ops))
    def run(program: Expression) -> None:
        nonlocal checked
        checked += 1
        try:
            check(program)
        except (ArithmeticError, AssertionError, RuntimeError, ValueError) as error:
            wrong.append(f"seed {number}: {str(error).strip().splitlines()[:6]}\n{program}")

    run()
    return checked, wrong


def main() -> int:
    """Run the batches; 1 if anything disagrees."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=200_000)
    parser.add_argument("--against", choices=("torch", "differences"), default="torch")
    parser.add_argument("--seed", type=int, default=0, help="of the first batch")
    options = parser.parse_args()
    check, ops = against_torch() if options.against == "torch" else (by_differences, None)
    warnings.simplefilter("ignore")
    done, disagreements, number, start = 0, 0, options.seed, time.perf_counter()
    while done < options.programs:
        checked, wrong = batch(number, min(BATCH, options.programs - done), check, ops)
        done, disagreements, number = done + checked, disagreements + len(wrong), number + 1
        for program in wrong:
            print(program, flush=True)
        print(f"{done:,} programs, {disagreements} disagreements, {time.perf_counter() - start:.0f} s", flush=True)
    return int(disagreements > 0)


if __name__ == "__main__":
    sys.exit(main())
