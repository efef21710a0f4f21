"""Strategies for the library hypothesis: tensors, shapes, indices and whole random programs, all of which shrink.

>>> from hypothesis import given
>>> from tinygrad_nn.testing import strategies as tg
>>> @given(tg.tensors(min_dims=1))
... def test_exp_is_positive(x):
...     assert (x.exp() > 0).all()
>>> test_exp_is_positive()
"""

try:
    import hypothesis as _hypothesis  # noqa: F401  an extra; the modules below cannot do without it
except ImportError as error:
    raise ImportError('tinygrad_nn.testing.strategies needs hypothesis: pip install "tinygrad-nn[test]"') from error

from tinygrad_nn.testing.strategies.arrays import away_from, layouts_of, tensors, upstream
from tinygrad_nn.testing.strategies.expressions import Expression, expressions
from tinygrad_nn.testing.strategies.recipes import Ref, Step
from tinygrad_nn.testing.strategies.shapes import (
    ConvShapes,
    MatmulShapes,
    axes,
    broadcastable_shapes,
    conv_shapes,
    index_expressions,
    matmul_shapes,
)

__all__ = [
    "ConvShapes",
    "Expression",
    "MatmulShapes",
    "Ref",
    "Step",
    "away_from",
    "axes",
    "broadcastable_shapes",
    "conv_shapes",
    "expressions",
    "index_expressions",
    "layouts_of",
    "matmul_shapes",
    "tensors",
    "upstream",
]
