"""The methods that move, join, cut or repeat elements."""

from __future__ import annotations

from tinygrad_nn.methods import shaping


class Shaping:
    """The methods that move, join, cut or repeat elements."""

    __slots__ = ()

    reshape = shaping.reshape
    view = shaping.view
    view_as = shaping.view_as
    flatten = shaping.flatten
    unflatten = shaping.unflatten
    squeeze = shaping.squeeze
    unsqueeze = shaping.unsqueeze
    transpose = shaping.transpose
    t = shaping.t
    permute = shaping.permute
    movedim = shaping.movedim
    expand = shaping.expand
    expand_as = shaping.expand_as
    broadcast_to = shaping.broadcast_to
    sum_to_size = shaping.sum_to_size
    unbind = shaping.unbind
    narrow = shaping.narrow
    split = shaping.split
    chunk = shaping.chunk
    flip = shaping.flip
    roll = shaping.roll
    contiguous = shaping.contiguous
    clone = shaping.clone
