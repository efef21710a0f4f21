"""The weights of attention: a softmax of scores of which a mask has taken some out."""

from typing import Any

import numpy as np

from tinygrad_nn.op import Array, op
from tinygrad_nn.ops.shape import sum_to
from tinygrad_nn.sums import sum_last


@op
def attention_weights(scores: Array, mask: Array | None, /) -> Array:
    """softmax of scores + mask along the last axis; 0 throughout where the mask is -inf throughout."""
    y = scores.copy() if mask is None else np.add(scores, mask, out=np.empty_like(scores))  # a mask larger than the scores fails
    y -= np.maximum.reduce(y, axis=-1, keepdims=True, initial=np.finfo(y.dtype).min)  # finite, or -inf would become NaN
    np.exp(y, out=y)
    total = sum_last(y)
    y /= np.maximum(total, 1, out=total)  # the largest has given 1, if it was there
    return y


def _rule(g: Any, y: Any) -> Any:
    return y * (g - sum_last(g * y))


attention_weights.vjp(scores=_rule, mask=lambda g, y, mask_shape: sum_to(_rule(g, y), shape=mask_shape))
attention_weights.sample((2, 3, 4), (3, 4)).sample((2, 3), None)
attention_weights.sample((2, 2, 3), np.where([[True, False, True], [False, False, False]], 0.0, -np.inf))
