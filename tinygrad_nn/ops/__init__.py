"""The primitives by family; importing this package fills the registry `tinygrad_nn.op.OPS`."""

from tinygrad_nn.ops import (
    compare,
    elementwise,
    factorization,
    index,
    linalg,
    reduce,
    rounding,
    shape,
    softmax,
    special,
    trigonometric,
)

__all__ = [
    "compare", "elementwise", "factorization", "index", "linalg", "reduce", "rounding", "shape", "softmax", "special",
    "trigonometric",
]  # fmt: skip
