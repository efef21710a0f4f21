"""Time and memory against the length of a chain of operations: the time per operation must be flat."""

from tests.bench.workloads import chain

NAME = "growth_depth"
QUANTITIES = ("op", "peak")
THREADS = (1,)
SIZES = {f"{10**power:,} operations": {"depth": 10**power} for power in range(2, 7)}
FLAT = 1.5  # the time per operation at any depth, in units of that at the least
build = chain.build
