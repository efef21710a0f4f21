"""Annotations under the names of PyTorch's `torch.types`."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from tinygrad_nn import dtypes
from tinygrad_nn.tensor import Tensor

__all__ = ["Device", "FileLike", "Number", "Storage"]

_bool, _int, _float = bool, int, float
Number: TypeAlias = int | float | bool
Device: TypeAlias = dtypes.device | str | int | None
FileLike: TypeAlias = Any
Storage: TypeAlias = Any

_dtype, _device = dtypes.dtype, dtypes.device
_size: TypeAlias = dtypes.Size | list[int] | tuple[int, ...]
_TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]
