"""torch.backends: flags that programs set for other devices; they are kept and change nothing."""

from __future__ import annotations

from typing import Any


class Backend:
    """A backend by name: its flags, and whether it is there."""

    def __init__(self, available: bool = False, **flags: Any) -> None:
        self._available = available
        self.__dict__.update(flags)

    def is_available(self) -> bool:
        """Whether this backend is there."""
        return self._available

    def is_built(self) -> bool:
        """Whether this backend is there."""
        return self._available


cudnn = Backend(enabled=True, benchmark=False, deterministic=False, allow_tf32=True)
cuda = Backend(matmul=Backend(allow_tf32=False, allow_fp16_reduced_precision_reduction=True))
mps, mkl, mkldnn, openmp = Backend(), Backend(), Backend(enabled=True), Backend()
