"""The methods that move, join, cut or repeat elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tinygrad_nn.methods import arranging, joining, shaping
from tinygrad_nn.tensor.in_place import in_place, view_in_place

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor


class Shaping:
    """The methods that move, join, cut or repeat elements."""

    __slots__ = ()

    reshape = shaping.reshape
    reshape_as = shaping.reshape_as
    view = shaping.view
    view_as = shaping.view_as
    flatten = shaping.flatten
    ravel = shaping.ravel
    unflatten = shaping.unflatten
    squeeze = shaping.squeeze
    unsqueeze = shaping.unsqueeze
    transpose = shaping.transpose
    swapaxes = shaping.swapaxes
    swapdims = shaping.swapdims
    t = shaping.t
    adjoint = shaping.adjoint
    permute = shaping.permute
    movedim = shaping.movedim
    moveaxis = shaping.moveaxis
    expand = shaping.expand
    expand_as = shaping.expand_as

    def broadcast_to(self: Any, *size_: Any, size: Any = None) -> Tensor:
        """The tensor repeated to `size` without copying."""
        return shaping.expand(self, *size_, size=size)

    sum_to_size = shaping.sum_to_size
    select = shaping.select
    narrow = shaping.narrow
    narrow_copy = shaping.narrow_copy
    diagonal = shaping.diagonal
    unfold = shaping.unfold
    as_strided = shaping.as_strided
    contiguous = shaping.contiguous
    clone = shaping.clone
    squeeze_ = view_in_place(shaping.squeeze)
    unsqueeze_ = view_in_place(shaping.unsqueeze)
    transpose_ = view_in_place(shaping.transpose)
    swapaxes_ = view_in_place(shaping.swapaxes)
    swapdims_ = view_in_place(shaping.swapdims)
    t_ = view_in_place(shaping.t)
    as_strided_ = view_in_place(shaping.as_strided)

    unbind = joining.unbind
    def split(self: Tensor, split_size: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:  # type: ignore[misc]
        """Pieces along `dim`: of one size (the last may be smaller), or of the sizes in a list; views."""
        return joining.split(self, split_size, dim)

    split_with_sizes = joining.split_with_sizes
    unsafe_split = joining.unsafe_split
    chunk = joining.chunk
    unsafe_chunk = joining.unsafe_chunk
    tensor_split = joining.tensor_split
    hsplit = joining.hsplit
    vsplit = joining.vsplit
    dsplit = joining.dsplit

    flip = arranging.flip
    fliplr = arranging.fliplr
    flipud = arranging.flipud
    roll = arranging.roll
    rot90 = arranging.rot90
    repeat = arranging.repeat
    tile = arranging.tile
    repeat_interleave = arranging.repeat_interleave
    tril = arranging.tril
    triu = arranging.triu
    diag = arranging.diag
    diag_embed = arranging.diag_embed
    diagflat = arranging.diagflat
    diagonal_scatter = arranging.diagonal_scatter
    select_scatter = arranging.select_scatter
    slice_scatter = arranging.slice_scatter
    as_strided_scatter = arranging.as_strided_scatter
    tril_ = in_place(arranging.tril)
    triu_ = in_place(arranging.triu)
    fill_diagonal_ = in_place(arranging.fill_diagonal)
