"""The methods that read and write by index."""

from __future__ import annotations

from tinygrad_nn.methods import indexing, scattering
from tinygrad_nn.tensor.in_place import in_place


class Indexing:
    """The methods that read and write by index."""

    __slots__ = ()

    gather = indexing.gather
    index_select = indexing.index_select
    masked_select = indexing.masked_select
    take = indexing.take
    take_along_dim = indexing.take_along_dim
    nonzero = indexing.nonzero
    nonzero_static = indexing.nonzero_static
    argwhere = indexing.argwhere

    scatter = scattering.scatter
    scatter_ = in_place(scattering.scatter)
    scatter_add = scattering.scatter_add
    scatter_add_ = in_place(scattering.scatter_add)
    scatter_reduce = scattering.scatter_reduce
    scatter_reduce_ = in_place(scattering.scatter_reduce)
    index_add = scattering.index_add
    index_add_ = in_place(scattering.index_add)
    index_copy = scattering.index_copy
    index_copy_ = in_place(scattering.index_copy)
    index_fill = scattering.index_fill
    index_fill_ = in_place(scattering.index_fill)
    index_reduce = scattering.index_reduce
    index_reduce_ = in_place(scattering.index_reduce)
    index_put = scattering.index_put
    index_put_ = in_place(scattering.index_put)
    put = scattering.put
    put_ = in_place(scattering.put)
    masked_scatter = scattering.masked_scatter
    masked_scatter_ = in_place(scattering.masked_scatter)
