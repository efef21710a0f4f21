"""PyTorch's wrappers for several GPUs and processes: without a GPU the first calls the module it holds, there as here."""

from __future__ import annotations

from typing import Any

from tinygrad_nn.nn.module import Module

__all__ = ["DataParallel", "DistributedDataParallel"]


class DataParallel(Module):
    """A module in `.module`, called as it is: its parameters' names begin with `module.`, as in PyTorch."""

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[int] = []  # PyTorch without a GPU looks at none of the devices either

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module gives."""
        return self.module(*inputs, **kwargs)


class DistributedDataParallel(Module):
    """Not supported: there is one process; call the model itself."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError("DistributedDataParallel: not supported, there is one process; call the model itself")
