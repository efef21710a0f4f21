"""Parameter, a tensor that a Module trains, and Buffer, one that it keeps."""

from __future__ import annotations

import numpy as np

from tinygrad_nn.tensor import Tensor


class Parameter(Tensor):
    """A leaf that a `Module` finds when it is assigned to one of its attributes.

    >>> Parameter(Tensor([1.0]))
    Parameter containing:
    tensor([1.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        array = np.zeros(0, np.float32) if data is None else data.detach().numpy()
        self._become_leaf(array, False)
        if requires_grad:
            self.requires_grad = True

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that a `Module` registers as a buffer when it is assigned; not in the state if not `persistent`.

    >>> Buffer(Tensor([1.0]))
    tensor([1.])
    """

    __slots__ = ()

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        self._become_leaf(np.zeros(0, np.float32) if data is None else data.detach().numpy(), False)
        self.persistent = persistent
