"""Transformers: what they are made of, what their masks hide, that they learn."""

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.nn import functional as F


@pytest.mark.parametrize("norm_first", [True, False])
def test_a_layer_is_its_parts(norm_first):
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, norm_first=norm_first)
    x = torch.randn(4, 3, 8)

    def attend(x):
        return layer.self_attn(x, x, x, need_weights=False)[0]

    def feed(x):
        return layer.linear2(F.relu(layer.linear1(x)))

    if norm_first:
        y = x + attend(layer.norm1(x))
        y = y + feed(layer.norm2(y))
    else:
        y = layer.norm1(x + attend(x))
        y = layer.norm2(y + feed(y))
    assert torch.equal(layer(x), y)


def test_layers_of_a_stack_start_alike_and_are_apart():
    stack = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 3, nn.LayerNorm(8))
    first, second, _ = stack.layers
    assert torch.equal(first.linear1.weight, second.linear1.weight)
    assert first.linear1.weight is not second.linear1.weight
    assert len(list(stack.parameters())) == 3 * 12 + 2


def test_what_comes_later_is_hidden():
    net = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2).eval()
    x = torch.randn(1, 5, 8)
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    changed = torch.cat([x[:, :3], torch.randn(1, 2, 8)], 1)
    np.testing.assert_allclose(net(x, mask)[:, :3].detach(), net(changed, mask)[:, :3].detach(), atol=1e-6)
    np.testing.assert_allclose(net(x, mask).detach(), net(x, mask, is_causal=True).detach(), atol=1e-6)
    assert not torch.allclose(net(x)[:, :3], net(changed)[:, :3])


def test_padding_of_the_source_is_hidden_from_both_sides():
    net = nn.Transformer(8, 2, 1, 1, 16, batch_first=True).eval()
    src, tgt = torch.randn(2, 5, 8), torch.randn(2, 3, 8)
    padding = torch.arange(5).expand(2, 5) >= 4
    changed = torch.cat([src[:, :4], torch.randn(2, 1, 8)], 1)
    found = [net(s, tgt, src_key_padding_mask=padding, memory_key_padding_mask=padding) for s in (src, changed)]
    np.testing.assert_allclose(found[0].detach(), found[1].detach(), atol=1e-6)


def test_the_mask_of_later_steps():
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    inf = float("inf")
    assert mask.tolist() == [[0, -inf, -inf], [0, 0, -inf], [0, 0, 0]]
    assert mask.dtype == torch.float32
    assert nn.Transformer.generate_square_subsequent_mask(2, dtype=torch.float64).dtype == torch.float64


def test_it_learns_to_copy():
    torch.manual_seed(0)
    embed, net, out = nn.Embedding(6, 16), nn.Transformer(16, 2, 1, 1, 32, dropout=0.0, batch_first=True), nn.Linear(16, 6)
    place = nn.Parameter(torch.randn(4, 16))
    optimizer = torch.optim.Adam([place, *embed.parameters(), *net.parameters(), *out.parameters()], lr=0.01)
    words = torch.randint(1, 6, (16, 4))
    start = torch.cat([torch.zeros(16, 1, dtype=torch.int64), words[:, :-1]], 1)
    mask = net.generate_square_subsequent_mask(4)
    losses = []
    for _ in range(60):
        logits = out(net(embed(words) + place, embed(start) + place, tgt_mask=mask, tgt_is_causal=True))
        loss = F.cross_entropy(logits.reshape(-1, 6), words.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 1.5
    assert losses[-1] < 0.2


def test_errors_say_what_was_expected():
    with pytest.raises(RuntimeError, match="activation should be relu/gelu, not sine"):
        nn.TransformerDecoderLayer(8, 2, activation="sine")
    with pytest.raises(RuntimeError, match="d_model 8, got 6, 6"):
        nn.Transformer(8, 2, 1, 1, 8)(torch.ones(3, 1, 6), torch.ones(3, 1, 6))
    with pytest.raises(RuntimeError, match="Need attn_mask"):
        nn.TransformerEncoderLayer(8, 2, 8)(torch.ones(3, 1, 8), is_causal=True)
