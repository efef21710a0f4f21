"""The MLP's training step under Adam."""

from functools import partial

from tests.bench.workloads import mlp

NAME = "adam"
SIZES = {f"batch {batch}": {"batch": batch} for batch in (32, 128)}
build = partial(mlp.build, optimizer="Adam")
