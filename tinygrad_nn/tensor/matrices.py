"""The methods of linear algebra."""

from __future__ import annotations

from tinygrad_nn.methods import matrices


class Matrices:
    """The methods of linear algebra."""

    __slots__ = ()

    matmul = matrices.matmul
    mm = matrices.mm
    bmm = matrices.bmm
    mv = matrices.mv
    dot = matrices.dot
