"""The primitives by family; importing this package fills the registry `tinygrad_nn.op.OPS`."""

from tinygrad_nn.ops import (
    activation,
    compare,
    elementwise,
    embedding,
    factorization,
    index,
    linalg,
    normalization,
    reduce,
    rounding,
    shape,
    softmax,
    special,
    trigonometric,
    window,
)

__all__ = [
    "activation", "compare", "elementwise", "embedding", "factorization", "index", "linalg", "normalization", "reduce",
    "rounding", "shape", "softmax", "special", "trigonometric", "window",
]  # fmt: skip
