"""Parameter, a tensor that a Module trains, and Buffer, one that it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn, TypeGuard

import numpy as np

from tinygrad_nn.creation import empty
from tinygrad_nn.dtypes import DTypeLike
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

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """The values alone, as in PyTorch: no gradient, no hooks and no attributes."""
        copied: Parameter = object.__new__(type(self))
        copied._become_leaf(self._data.copy(order="K"), self._requires)
        memo[id(self)] = copied
        return copied

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


class UninitializedTensorMixin(Tensor):
    """What has a dtype and no shape yet: RuntimeError for whoever asks for that."""

    __slots__ = ()
    cls_to_become: type[Tensor]

    @property
    def shape(self) -> NoReturn:
        """RuntimeError."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` "
            "when trying to load an uninitialized parameter into an initialized module. Call `forward` first."
        )

    def numel(self) -> NoReturn:
        """ValueError."""
        raise ValueError(f"numel: expected a tensor with a shape, got one of class {type(self).__name__}; call the module first")

    def materialize(self, shape: Sequence[int], device: Any = None, dtype: DTypeLike | None = None) -> None:
        """Have memory of this shape from now on, whose values mean nothing, and be an ordinary tensor of a module."""
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        self.data = empty(shape, device=device, dtype=self.dtype if dtype is None else dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known yet."""

    __slots__ = ()
    cls_to_become = Parameter

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(empty(0, device=device, dtype=dtype), requires_grad)


class UninitializedBuffer(UninitializedTensorMixin):
    """A buffer whose shape is not known yet."""

    __slots__ = ()
    cls_to_become = Tensor

    def __init__(
        self, requires_grad: bool = False, device: Any = None, dtype: DTypeLike | None = None, persistent: bool = True
    ) -> None:
        self._become_leaf(empty(0, device=device, dtype=dtype)._data, requires_grad)
        self.persistent = persistent


def zero_gradient(parameter: Tensor) -> None:
    """Set the gradient of a parameter, if it has one, to zero in place; it forgets its history."""
    if parameter.grad is not None:
        parameter.grad.detach_().zero_()


def is_lazy(param: Any) -> TypeGuard[UninitializedTensorMixin]:
    """Whether a parameter or buffer has no shape yet."""
    return isinstance(param, UninitializedTensorMixin)
