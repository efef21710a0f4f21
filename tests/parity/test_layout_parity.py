"""Whose results lie in row-major order beside PyTorch's, of inputs that do not: a `view` of them must be possible."""

import pytest

import tinygrad_nn
from tests.parity.side_by_side import value_of

torch = pytest.importorskip("torch")

TEXTS = [
    "p.cat([t, t])", "p.stack([t, t], 1)", "F.softmax(t, -1)", "F.log_softmax(t, 0)", "F.layer_norm(t, (2,))",
    "F.rms_norm(t, (2,))",
    "t.masked_fill(t > 2, 0)", "t.cumsum(0)", "t.cumprod(0)", "t.logcumsumexp(0)", "t.cummax(0)[0]", "t.roll(1, 0)",
    "F.pad(t, (1, 1))",
    "t.scatter(0, p.zeros(3, 2).long(), 1.0)", "t.gather(0, p.zeros(3, 2).long())", "t[:, p.tensor([1, 0])]", "t[:, [1, 0]]",
    "x[:, :, [0, -1]]", "x.index_select(2, p.tensor([3, 0]))", "t.repeat_interleave(2, 1)", "s.sum(0)", "s.mean(-1)", "s.std(-1)",
    "s.amax(0)", "s.prod(0)", "s.norm(dim=-1)", "s.logsumexp(-1)", "s.tril()", "s.triu()", "s.renorm(2, 0, 1.0)", "p.rot90(t)",
    "t.topk(1)[0]", "t.topk(1)[1]", "p.multinomial(p.ones(2, 5), 3)", "p.where(t > 1)[0]", "p.cdist(t, t)", "p.block_diag(t, t)",
    "p.einsum('bij,bkj->bki', x, x)", "p.einsum('ij,kj->ki', t, t)", "F.interpolate(p.ones(1, 2, 3, 3), scale_factor=2)",
    "F.interpolate(p.ones(1, 2, 3, 3), scale_factor=2, mode='bilinear')", "F.adaptive_avg_pool1d(s, 2)",
    "F.cosine_similarity(s, s, dim=0)", "p.nn.BatchNorm1d(3)(p.ones(4, 5, 3).transpose(1, 2))", "p.nn.Linear(2, 5)(t)",
    "p.nn.Conv1d(3, 2, 2)(p.ones(2, 5, 3).transpose(1, 2))", "p.nn.LSTM(3, 4, batch_first=True)(p.ones(2, 5, 3))[1][0]",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_results_in_row_major_order(text):
    def program(p):
        p.manual_seed(0)
        t, x = p.arange(6.0).view(2, 3).t(), p.arange(24.0).view(2, 3, 4)
        return value_of(text, p=p, F=p.nn.functional, t=t, x=x, s=x.transpose(0, 1))

    theirs, ours = program(torch), program(tinygrad_nn)
    assert theirs.is_contiguous()
    assert ours.is_contiguous()
    assert ours.view(-1).tolist() == pytest.approx(theirs.view(-1).tolist(), abs=1e-6)
