"""The methods that read and write by index."""

from __future__ import annotations

from tinygrad_nn.methods import indexing


class Indexing:
    """The methods that read and write by index."""

    __slots__ = ()

    gather = indexing.gather
    index_select = indexing.index_select
    masked_select = indexing.masked_select
