"""Time and memory of the MLP's training step against the batch."""

from tests.bench.workloads import mlp

NAME = "growth_batch"
QUANTITIES = ("step", "peak")
SIZES = {f"batch {batch:,}": {"batch": batch} for batch in (1, 8, 64, 512, 4096)}
build = mlp.build
