"""Time and memory of the MLP's training step against the width of its first hidden layer."""

from functools import partial

from tests.bench.workloads import mlp

NAME = "growth_width"
QUANTITIES = ("step", "peak")
SIZES = {f"width {width:,}": {"width": width} for width in (32, 128, 512, 2048)}
build = partial(mlp.build, batch=32)
