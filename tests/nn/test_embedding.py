"""Look-up tables told without PyTorch: words become rows, rows learn, bags become one row each."""

import numpy as np
import pytest

import tinygrad_nn as torch
from tinygrad_nn import nn
from tinygrad_nn.nn import functional as F

WORDS = torch.tensor([[1, 3, 3], [0, 1, 4]])


def test_a_table_gives_the_row_of_each_word_and_each_row_learns_from_where_it_stood():
    table = nn.Embedding(5, 2)
    found = table(WORDS)
    np.testing.assert_array_equal(found.detach(), table.weight.detach().numpy()[WORDS.numpy()])
    found.sum().backward()
    np.testing.assert_array_equal(table.weight.grad[:, 0], [1, 2, 0, 2, 1])


def test_the_padding_stays_zero_and_does_not_learn():
    table = nn.Embedding(5, 2, padding_idx=3)
    assert not table.weight[3].any()
    table(WORDS).sum().backward()
    np.testing.assert_array_equal(table.weight.grad[:, 0], [1, 2, 0, 0, 1])


def test_a_word_that_comes_often_may_learn_as_slowly_as_a_rare_one():
    table = nn.EmbeddingBag(5, 2, mode="sum", scale_grad_by_freq=True)
    table(WORDS).sum().backward()
    np.testing.assert_array_equal(table.weight.grad[:, 0], [1, 1, 0, 1, 1])


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_a_bag_is_the_reduced_rows_of_its_words_however_it_is_written(mode):
    torch.manual_seed(0)
    table = nn.EmbeddingBag(5, 2, mode=mode)
    written_as_rows = table(WORDS)
    written_with_offsets = table(WORDS.reshape(-1), torch.tensor([0, 3]))
    with_the_end = F.embedding_bag(WORDS.reshape(-1), table.weight, torch.tensor([0, 3, 6]), mode=mode, include_last_offset=True)
    rows = table.weight[WORDS]
    expected = rows.amax(1) if mode == "max" else getattr(rows, mode)(1)
    for found in (written_as_rows, written_with_offsets, with_the_end):
        np.testing.assert_allclose(found.detach(), expected.detach(), rtol=1e-6)


def test_an_empty_bag_is_zero():
    for mode in ("sum", "mean", "max"):
        found = F.embedding_bag(torch.tensor([1]), torch.ones(3, 2), torch.tensor([0, 1]), mode=mode)
        np.testing.assert_array_equal(found, [[1, 1], [0, 0]])


def test_a_given_table_is_frozen_unless_asked():
    rows = torch.ones(3, 2)
    assert not nn.Embedding.from_pretrained(rows).weight.requires_grad
    assert nn.Embedding.from_pretrained(rows, freeze=False, padding_idx=1).padding_idx == 1


def test_mistakes_say_what_was_expected():
    with pytest.raises(IndexError, match="expected indices from 0 to 2, got 3 to 3"):
        F.embedding(torch.tensor([3]), torch.ones(3, 2))
    with pytest.raises(RuntimeError, match=r"Long, Int; got torch\.float32"):
        F.embedding(torch.ones(2), torch.ones(3, 2))
    with pytest.raises(NotImplementedError, match="sparse"):
        F.embedding(WORDS, torch.ones(5, 2), sparse=True)
