"""Attention against its formula in NumPy: masks, heads, weights."""

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.nn import functional as F
from tinygrad_nn.testing import gradcheck


def attention(q, k, v, bias=0.0):
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]) + bias
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return weights @ v, weights


def test_the_formula():
    q, k, v = (torch.randn(2, *shape) for shape in ((3, 4), (5, 4), (5, 6)))
    found = F.scaled_dot_product_attention(q, k, v)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, attention(q.numpy(), k.numpy(), v.numpy())[0], atol=1e-6)
    hidden = np.where(np.tri(3, 5, dtype=bool), 0.0, -np.inf)
    np.testing.assert_allclose(
        F.scaled_dot_product_attention(q, k, v, is_causal=True), attention(q.numpy(), k.numpy(), v.numpy(), hidden)[0], atol=1e-6
    )


def test_a_query_that_may_look_nowhere_gets_zeros_and_no_gradient():
    q, k, v = (torch.randn(3, 4, requires_grad=True) for _ in range(3))
    mask = torch.tensor([[True, True, False], [False, False, False], [True, True, True]])
    found = F.scaled_dot_product_attention(q, k, v, mask)
    assert found[1].tolist() == [0, 0, 0, 0]
    found.sum().backward()
    assert q.grad[1].tolist() == [0, 0, 0, 0]
    assert bool(torch.isfinite(k.grad).all())


def test_dropped_weights_are_scaled():
    q = torch.zeros(1, 4)
    found = F.scaled_dot_product_attention(q, torch.zeros(1000, 4), torch.ones(1000, 1), dropout_p=0.5)
    assert 0.8 < found.item() < 1.2
    assert found.item() * 500 == pytest.approx(round(found.item() * 500), abs=1e-2)


def test_gradients():
    q, k, v = (torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True) for _ in range(3))
    mask = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    assert gradcheck(F.scaled_dot_product_attention, (q, k, v, mask))


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_each_head_attends_with_its_own_features(heads):
    net = nn.MultiheadAttention(4, heads, batch_first=True)
    x = torch.randn(2, 3, 4)
    output, weights = net(x, x, x, average_attn_weights=False)
    w, b = net.in_proj_weight.detach().numpy(), net.in_proj_bias.detach().numpy()
    q, k, v = ((x.numpy() @ w[i : i + 4].T + b[i : i + 4]).reshape(2, 3, heads, -1).swapaxes(1, 2) for i in (0, 4, 8))
    found, expected = attention(q, k, v)
    joined = found.swapaxes(1, 2).reshape(2, 3, 4) @ net.out_proj.weight.detach().numpy().T + net.out_proj.bias.detach().numpy()
    np.testing.assert_allclose(output.detach(), joined, atol=1e-6)
    np.testing.assert_allclose(weights.detach(), expected, atol=1e-6)
    mean = net(x, x, x)[1]
    np.testing.assert_allclose(mean.detach(), expected.mean(1), atol=1e-6)


def test_weights_or_none_give_the_same_output():
    net, x = nn.MultiheadAttention(8, 2), torch.randn(5, 3, 8)
    padding = torch.arange(5).expand(3, 5) >= torch.tensor([[5], [3], [1]])
    causal = nn.Transformer.generate_square_subsequent_mask(5) < 0
    with_weights, weights = net(x, x, x, padding, attn_mask=causal)
    without, none = net(x, x, x, padding, False, causal)
    assert none is None
    np.testing.assert_allclose(with_weights.detach(), without.detach(), atol=1e-6)
    assert weights[2, :, 1:].abs().max().item() == 0


def test_masks_of_two_dtypes_warn():
    net, x = nn.MultiheadAttention(8, 2), torch.randn(5, 3, 8)
    with pytest.warns(UserWarning, match="mismatched key_padding_mask and attn_mask"):
        net(x, x, x, torch.zeros(3, 5), attn_mask=torch.zeros(5, 5) > 0)


def test_added_keys():
    net, x = nn.MultiheadAttention(8, 2, add_bias_kv=True, add_zero_attn=True), torch.randn(5, 3, 8)
    assert tuple(net(x, x, x)[1].shape) == (3, 5, 7)
    assert list(net.state_dict()) == ["in_proj_weight", "in_proj_bias", "bias_k", "bias_v", "out_proj.weight", "out_proj.bias"]


def test_errors_say_what_was_expected():
    with pytest.raises(AssertionError, match="embed_dim must be divisible by num_heads, got 8 and 3"):
        nn.MultiheadAttention(8, 3)
    with pytest.raises(RuntimeError, match=r"2D attn_mask is \[2, 3\], but should be \[5, 5\]"):
        nn.MultiheadAttention(8, 2)(*[torch.ones(5, 8)] * 3, attn_mask=torch.zeros(2, 3))
    with pytest.raises(RuntimeError, match="same dtype"):
        F.scaled_dot_product_attention(torch.ones(2, 2), torch.ones(2, 2).double(), torch.ones(2, 2))
