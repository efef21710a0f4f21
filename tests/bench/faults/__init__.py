"""Backward rules with a mistake in each, and right ones: the proof that gradcheck checks.

`python -m tests.bench.faults [--seeds 50] [--only NAME] [--others] [--json FILE]`
"""

from tests.bench.faults import contracts, elementwise, linear, networks, reductions, second, smooth
from tests.bench.faults.case import FAULTS, RIGHT, Case

FAMILIES = (elementwise, reductions, linear, networks, contracts, second, smooth)

__all__ = ["FAMILIES", "FAULTS", "RIGHT", "Case"]
