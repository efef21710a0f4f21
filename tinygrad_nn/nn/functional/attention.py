"""Attention: each query takes the mean of the values, weighted by how well their keys fit it."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from tinygrad_nn.creation import zeros
from tinygrad_nn.methods.joining import cat
from tinygrad_nn.methods.softmax import softmax
from tinygrad_nn.nn.functional.dropout import dropout
from tinygrad_nn.nn.functional.linear import linear
from tinygrad_nn.nn.functional.pieces import pieces
from tinygrad_nn.ops import attention
from tinygrad_nn.ops.linalg import matmul
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import record, wrap

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(query @ key.mT * scale + mask) @ value: (..., L, E), (..., S, E) and (..., S, V) -> (..., L, V).

    A bool `attn_mask` (..., L, S) is True where a query may look, one of numbers is added; a causal one hides what comes
    later. `scale` is 1 / sqrt(E) unless given. With `enable_gqa`, dimension -3 of key and value is repeated to that of
    query (Ainslie et al. 2023). Weights are dropped whenever `dropout_p` is above 0. Vaswani et al., Attention Is All You
    Need, 2017. RuntimeError for fewer than 2 dimensions, sizes or dtypes that do not fit, a
    probability outside [0, 1] and a mask beside `is_causal`.
    """
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "scaled_dot_product_attention: expected query, key and value of at least 2 dimensions, got "
            f"{list(query.shape)}, {list(key.shape)} and {list(value.shape)}"
        )
    if not query.dtype == key.dtype == value.dtype:
        raise RuntimeError(
            "scaled_dot_product_attention: expected query, key and value to have the same dtype, got "
            f"{query.dtype}, {key.dtype} and {value.dtype}"
        )
    if not 0 <= dropout_p <= 1:
        raise RuntimeError(f"scaled_dot_product_attention: expected dropout_p between 0 and 1, got {dropout_p}")
    mask = attn_mask
    if is_causal:
        if attn_mask is not None:
            raise RuntimeError("scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
        mask = wrap(np.tri(query.shape[-2], key.shape[-2], dtype=bool))
    if mask is not None:
        mask = _added(mask, query)
    if enable_gqa:
        key, value = _repeated(key, query), _repeated(value, query)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    weights: Tensor = attention.attention_weights((query * scale) @ key.mT, mask)
    return dropout(weights, dropout_p) @ value if dropout_p else _mixed(weights, value, query)


def _mixed(weights: Tensor, value: Tensor, query: Tensor) -> Tensor:
    """weights @ value, (N, heads, L, E), which lies in memory as the query does: heads that came from a view go back into one."""
    q, rows = query._data, value._data
    sizes = (*weights.shape[:3], rows.shape[-1])
    if q.ndim != 4 or q.shape != sizes or rows.shape[:2] != q.shape[:2] or q.flags.c_contiguous or q.strides[3] != q.itemsize:
        return weights @ value
    mixed: Tensor = record(matmul, (weights, value), {}, np.matmul(weights._data, rows, out=np.empty_like(q)))
    return mixed


def _added(mask: Tensor, query: Tensor) -> Tensor:
    """A mask to add to the scores: -inf where a bool one is False."""
    if mask.dtype == query.dtype:
        return mask
    if mask._data.dtype != np.bool_:
        raise RuntimeError(
            f"Expected attn_mask dtype to be bool or to match query dtype, but got attn_mask.dtype: {mask.dtype} and "
            f"query.dtype: {query.dtype}"
        )
    dtype = query._data.dtype
    found: Tensor = wrap(np.where(mask._data, dtype.type(0), dtype.type(-np.inf)))
    return found


def _repeated(x: Tensor, query: Tensor) -> Tensor:
    """Each head of keys or values as often as queries share it."""
    heads, shared = query.shape[-3] if query.ndim > 2 else 0, x.shape[-3] if x.ndim > 2 else 0
    if not heads or not shared or heads % shared:
        raise RuntimeError(
            "scaled_dot_product_attention: enable_gqa expects heads (dimension -3) of query that are a multiple of those of "
            f"key and value, got {list(query.shape)} and {list(x.shape)}"
        )
    return x if heads == shared else x.repeat_interleave(heads // shared, -3)


def canonical_mask(
    mask: Tensor | None, name: str, query: Tensor, other: Tensor | None = None, other_name: str = ""
) -> Tensor | None:
    """A mask, bool with True for what is hidden or of numbers, as one of numbers; AssertionError for integers.

    Warns if the `other` mask is of another dtype.
    """
    if mask is None:
        return None
    kind = mask._data.dtype.kind
    if kind not in "bf":
        raise AssertionError(f"only bool and floating types of {name} are supported, got {mask.dtype}")
    if other is not None and other.dtype != mask.dtype:
        warnings.warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead.", stacklevel=3
        )
    return mask if kind == "f" else _added(~mask, query)


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Attention in several heads: query (L, N, E), key and value (S, N, ...) -> (L, N, E), and weights (N, L, S).

    All may come without N. The weights, None unless `need_weights`, are the mean over the heads, or (N, heads, L, S).
    `key_padding_mask` (N, S) and `attn_mask` (L, S) or (N * heads, L, S) hide where they are True, or are added.
    AssertionError or RuntimeError for what does not fit, as in PyTorch. See `nn.MultiheadAttention`.
    """
    _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    batched = query.ndim == 3
    if not batched:
        query, key, value = _each(lambda x: x.unsqueeze(1), query, key, value)
        key_padding_mask = key_padding_mask if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    padding = canonical_mask(key_padding_mask, "key_padding_mask", query, attn_mask, "attn_mask")
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    only_causal = is_causal and padding is None and not need_weights
    mask = None if only_causal else canonical_mask(attn_mask, "attn_mask", query)
    if width != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}")
    if width % num_heads:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {num_heads}")
    told_apart = 2 if use_separate_proj_weight else 3  # of key and value, the features may then differ
    if key.shape[:told_apart] != value.shape[:told_apart]:
        raise AssertionError(f"key shape {list(key.shape)} does not match value shape {list(value.shape)}")
    if use_separate_proj_weight:
        separate = (q_proj_weight, k_proj_weight, v_proj_weight)
        q, k, v = _projected_apart(query, key, value, separate, in_proj_bias)
    else:
        q, k, v = _projected(query, key, value, in_proj_weight, in_proj_bias)
    mask = _check_mask(mask, length, key.shape[0], batch * num_heads)

    if (bias_k is None) != (bias_v is None):
        raise AssertionError("bias_k and bias_v: expected both or none of them")
    extra = 0  # keys that no mask hides
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError("bias cannot be added to static key or value.")
        k, v, extra = cat([k, bias_k.repeat(1, batch, 1)]), cat([v, bias_v.repeat(1, batch, 1)]), 1
    size = width // num_heads
    q = _heads(q, num_heads)
    k = _heads(k, num_heads) if static_k is None else _static(static_k, "static_k", batch, num_heads, size)
    v = _heads(v, num_heads) if static_v is None else _static(static_v, "static_v", batch, num_heads, size)
    if add_zero_attn:
        nothing = zeros(batch, num_heads, 1, size, dtype=k.dtype)
        k, v, extra = cat([k, nothing], 2), cat([v, nothing], 2), extra + 1
    mask = _merged(mask, padding, extra, num_heads, k.shape[2])
    p = dropout_p if training else 0.0

    if not need_weights:
        found = scaled_dot_product_attention(q, k, v, mask, p, only_causal)
        weights = None
    else:
        scores = (q * math.sqrt(1 / size)) @ k.mT
        weights = dropout(softmax(scores if mask is None else scores + mask, -1), p)
        found = weights @ v
        weights = weights.mean(1) if average_attn_weights else weights
    rows = found.permute(2, 0, 1, 3).reshape(length * batch, width)
    output = linear(rows, out_proj_weight, out_proj_bias).view(length, batch, out_proj_weight.shape[0])
    if not batched:
        return output.squeeze(1), weights if weights is None else weights.squeeze(0)
    return output, weights


def _each(change: Any, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """All three changed, those that are one tensor staying one."""
    changed = {id(x): change(x) for x in (query, key, value)}
    return changed[id(query)], changed[id(key)], changed[id(value)]


def _heads(x: Tensor, heads: int) -> Tensor:
    """(L, N, E) -> (N, heads, L, E / heads)."""
    return x.unflatten(2, (heads, -1)).permute(1, 2, 0, 3)


def _projected(query: Tensor, key: Tensor, value: Tensor, weight: Tensor | None, bias: Tensor | None) -> tuple[Tensor, ...]:
    """Queries, keys and values (L, N, E) by the three parts of one weight (3 E, E); in one product if they are one tensor."""
    if weight is None:
        raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
    if query is key and key is value:
        packed = linear(query, weight, bias)
        return pieces(packed.unflatten(2, (3, -1)).permute(2, 0, 1, 3))
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    return tuple(linear(x, w, b) for x, w, b in zip((query, key, value), weight.chunk(3), biases, strict=True))


def _projected_apart(
    query: Tensor, key: Tensor, value: Tensor, weights: tuple[Tensor | None, ...], bias: Tensor | None
) -> tuple[Tensor, ...]:
    """Queries, keys and values by weights of their own."""
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    found = []
    for x, name, weight, part in zip((query, key, value), "qkv", weights, biases, strict=True):
        if weight is None:
            raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
        if tuple(weight.shape) != (query.shape[-1], x.shape[-1]):
            expected = [query.shape[-1], x.shape[-1]]
            raise AssertionError(f"expecting {name}_proj_weight of shape {expected}, but got {list(weight.shape)}")
        found.append(linear(x, weight, part))
    return tuple(found)


def _static(x: Tensor, name: str, batch: int, heads: int, size: int) -> Tensor:
    """Keys or values that are given for each head: (N * heads, S, E / heads) -> (N, heads, S, E / heads)."""
    if x.shape[0] != batch * heads:
        raise AssertionError(f"expecting {name}.size(0) of {batch * heads}, but got {x.shape[0]}")
    if x.shape[2] != size:
        raise AssertionError(f"expecting {name}.size(2) of {size}, but got {x.shape[2]}")
    return x.view(batch, heads, *x.shape[1:])


def _merged(mask: Tensor | None, padding: Tensor | None, extra: int, heads: int, keys: int) -> Tensor | None:
    """Both masks in one that fits scores (N, heads, L, keys); it hides none of the `extra` keys at the end."""
    if mask is not None:
        mask = mask if mask.ndim == 2 else mask.unflatten(0, (-1, heads))
        mask = _lengthened(mask, extra)
    if padding is None:
        return mask
    padding = _lengthened(padding, extra)
    if padding.shape[1] != keys:
        raise AssertionError(f"Expected key_padded_mask.shape[1] to be {keys}, but got {padding.shape[1]}")
    padding = padding.view(padding.shape[0], 1, 1, keys)
    return padding if mask is None else mask + padding


def _lengthened(mask: Tensor, extra: int) -> Tensor:
    return cat([mask, zeros(*mask.shape[:-1], extra, dtype=mask.dtype)], -1) if extra else mask


def _check_mask(mask: Tensor | None, length: int, keys: int, rows: int) -> Tensor | None:
    if mask is not None:
        expected = (length, keys) if mask.ndim == 2 else (rows, length, keys)
        if tuple(mask.shape) != expected:
            raise RuntimeError(
                f"The shape of the {mask.ndim}D attn_mask is {list(mask.shape)}, but should be {list(expected)}."
            )
    return mask


def _check_shapes(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, mask: Tensor | None, heads: int
) -> None:
    dims = query.ndim
    if dims not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D tensor but received {dims}-D query tensor")
    kind = "batched (3-D)" if dims == 3 else "unbatched (2-D)"
    if key.ndim != dims or value.ndim != dims:
        raise AssertionError(
            f"For {kind} `query`, expected `key` and `value` to be {dims}-D but found {key.ndim}-D and {value.ndim}-D tensors"
        )
    if padding is not None and padding.ndim != dims - 1:
        raise AssertionError(f"For {kind} `query`, expected `key_padding_mask` to be `None` or {dims - 1}-D, got {padding.ndim}-D")
    if padding is not None and dims == 3 and padding.shape[0] != query.shape[1]:
        raise AssertionError(f"Expected key_padded_mask.shape[0] to be {query.shape[1]}, but got {padding.shape[0]}")
    if mask is None:
        return
    if mask.ndim not in (2, 3):
        raise AssertionError(f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D, found {mask.ndim}-D")
    if mask.ndim == 3 and dims == 2 and tuple(mask.shape) != (heads, query.shape[0], key.shape[0]):
        expected = (heads, query.shape[0], key.shape[0])
        raise AssertionError(f"Expected `attn_mask` shape to be {expected} but got {list(mask.shape)}")
