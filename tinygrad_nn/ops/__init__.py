"""The primitives by family; importing this package fills the registry `tinygrad_nn.op.OPS`."""

from tinygrad_nn.ops import (
    compare,
    elementwise,
    embedding,
    factorization,
    index,
    linalg,
    normalization,
    piecewise,
    reduce,
    rounding,
    shape,
    softmax,
    special,
    trigonometric,
    window,
)

__all__ = [
    "compare", "elementwise", "embedding", "factorization", "index", "linalg", "normalization", "piecewise",
    "reduce", "rounding", "shape", "softmax", "special", "trigonometric", "window",
]  # fmt: skip
