"""Whose results lie in row-major order beside PyTorch's, of inputs that do not: a `view` of them must be possible."""

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

TEXTS = [
    "p.cat([t, t])", "p.stack([t, t], 1)", "F.softmax(t, -1)", "F.log_softmax(t, 0)", "F.layer_norm(t, (2,))",
    "F.rms_norm(t, (2,))", "F.one_hot(t.long())", "F.logsigmoid(t)", "F.rrelu(t)",
    "F.interpolate(x[None].mT, (4, 3), mode='bilinear')",
    "F.batch_norm(s, p.zeros(2), p.ones(2))",
    "t.masked_fill(t > 2, 0)", "t.cumsum(0)", "t.cumprod(0)", "t.logcumsumexp(0)", "t.cummax(0)[0]", "t.roll(1, 0)",
    "F.pad(t, (1, 1))",
    "t.scatter(0, p.zeros(3, 2).long(), 1.0)", "t.gather(0, p.zeros(3, 2).long())", "t[:, p.tensor([1, 0])]", "t[:, [1, 0]]",
    "x[:, :, [0, -1]]", "x.index_select(2, p.tensor([3, 0]))", "t.repeat_interleave(2, 1)", "s.sum(0)", "s.mean(-1)", "s.std(-1)",
    "s.amax(0)", "s.prod(0)", "s.norm(dim=-1)", "s.logsumexp(-1)", "s.tril()", "s.triu()", "s.renorm(2, 0, 1.0)", "p.rot90(t)",
    "t.topk(1)[0]", "t.topk(1)[1]", "p.multinomial(p.ones(2, 5), 3)", "p.where(t > 1)[0]", "p.cdist(t, t)", "p.block_diag(t, t)",
    "p.einsum('bij,bkj->bki', x, x)", "p.einsum('ij,kj->ki', t, t)", "F.interpolate(p.ones(1, 2, 3, 3), scale_factor=2)",
    "F.interpolate(p.ones(1, 2, 3, 3), scale_factor=2, mode='bilinear')", "F.adaptive_avg_pool1d(s, 2)",
    "F.cosine_similarity(s, s, dim=0)", "p.nn.BatchNorm1d(3)(p.ones(4, 5, 3).transpose(1, 2))", "p.nn.Linear(2, 5)(t)",
    "2**t", "p.pow(2, t)", "s.kthvalue(1, 1)[0]", "s.kthvalue(1, 1)[1]", "F.rrelu(t - 2, training=True)",
    "p.linalg.svd(b).S", "p.linalg.svdvals(b)", "p.linalg.eigvalsh(b)", "p.linalg.eigh(b)[0]", "p.linalg.lu(b)[1]",
    "p.linalg.lu(b)[2]", "p.linalg.solve(b, b, left=False)",
    "p.nn.Conv1d(3, 2, 2)(p.ones(2, 5, 3).transpose(1, 2))", "p.nn.LSTM(3, 4, batch_first=True)(p.ones(2, 5, 3))[1][0]",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_results_in_row_major_order(text):
    def program(p):
        p.manual_seed(0)
        t, x = p.arange(6.0).view(2, 3).t(), p.arange(24.0).view(2, 3, 4)
        b = p.arange(8.0).view(2, 2, 2) + p.eye(2)
        return value_of(text, p=p, F=p.nn.functional, t=t, x=x, s=x.transpose(0, 1), b=b)

    theirs, ours = program(torch), program(tinygrad_nn)
    assert theirs.is_contiguous()
    assert ours.is_contiguous()
    assert ours.view(-1).tolist() == pytest.approx(theirs.view(-1).tolist(), abs=1e-6)


def heads(p, *order, size=8):
    """(2, 3, 5, size), which lies in memory with its dimensions in `order`."""
    back = [order.index(i) for i in range(4)]
    sizes = (2, 3, 5, size)
    return p.randn(*(sizes[i] for i in order)).permute(*back)


ROWS, TURNED = (0, 1, 2, 3), (0, 2, 1, 3)
ATTENTION = {
    "turned": lambda p, a: a(heads(p, *TURNED), heads(p, *TURNED), heads(p, *TURNED)),
    "turned queries": lambda p, a: a(heads(p, *TURNED), heads(p, *ROWS), heads(p, *ROWS)),
    "turned keys": lambda p, a: a(heads(p, *ROWS), heads(p, *TURNED), heads(p, *TURNED)),
    "batch inside": lambda p, a: a(heads(p, 1, 0, 2, 3), heads(p, 1, 0, 2, 3), heads(p, 1, 0, 2, 3)),
    "columns first": lambda p, a: a(heads(p, 0, 1, 3, 2), heads(p, 0, 1, 3, 2), heads(p, 0, 1, 3, 2)),
    "other values": lambda p, a: a(heads(p, *TURNED), heads(p, *TURNED), heads(p, *TURNED, size=6)),
    "causal": lambda p, a: a(heads(p, *TURNED), heads(p, *TURNED), heads(p, *TURNED), is_causal=True),
    "a mask": lambda p, a: a(heads(p, *TURNED), heads(p, *TURNED), heads(p, *TURNED), p.eye(5).bool()),
    "dropout": lambda p, a: a(heads(p, *TURNED), heads(p, *TURNED), heads(p, *TURNED), dropout_p=0.5),
    "shared keys": lambda p, a: a(heads(p, *TURNED), heads(p, *TURNED)[:, :1], heads(p, *TURNED)[:, :1], enable_gqa=True),
    "one batch of keys": lambda p, a: a(heads(p, *TURNED), heads(p, *TURNED)[:1], heads(p, *TURNED)[:1]),
    "no batch": lambda p, a: a(p.randn(5, 3, 8).transpose(0, 1), p.ones(3, 5, 8), p.ones(3, 5, 8)),
}


@pytest.mark.parametrize("name", ATTENTION)
def test_attention_lies_as_its_queries_do(name):
    def program(p):
        p.manual_seed(0)
        return ATTENTION[name](p, p.nn.functional.scaled_dot_product_attention)

    theirs, ours = program(torch), program(tinygrad_nn)
    assert ours.stride() == theirs.stride()
    assert ours.reshape(-1).tolist() == pytest.approx(theirs.reshape(-1).tolist(), abs=1e-6)


def test_heads_go_back_into_one_by_a_view():
    def program(p):
        p.manual_seed(0)
        x = p.randn(2, 5, 24, requires_grad=True)
        q, k, v = (part.view(2, 5, 2, 4).transpose(1, 2) for part in x.split(8, 2))
        y = p.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).view(2, 5, 8)
        (y * y).sum().backward()
        return [y, x.grad]

    compare(program, torch, tinygrad_nn)


STRIDES = [
    "x[None]", "x.unsqueeze(1)", "x.unsqueeze(-1)", "x[..., None, None]", "t[:, None]", "t[None]", "p.ones(1).expand(3)",
    "p.ones(3, 1).expand(3, 4)[None]", "p.ones(3, 1).expand(3, 4)[:, None]", "p.tensor(1.0)[None]", "x[:1]", "x[:, :1]",
    "p.ones(5)[None, :, None].expand(2, 5, 3)", "s[:, None]",
]  # fmt: skip


@pytest.mark.parametrize("text", STRIDES)
def test_strides_of_dimensions_of_one_element(text):
    def program(p):
        t, x = p.arange(6.0).view(2, 3).t(), p.arange(24.0).view(2, 3, 4)
        found = value_of(text, p=p, t=t, x=x, s=x.transpose(0, 1))
        return found.stride(), found.is_contiguous()

    assert program(torch) == program(tinygrad_nn)
