"""torch.backends: flags that programs set for other devices; they are kept and change nothing."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class Backend(ModuleType):
    """A backend that is not there, as a module: its flags, which can be imported and set."""

    def __init__(self, name: str, **flags: Any) -> None:
        super().__init__(f"{__name__}.{name}", self.__doc__)
        vars(self).update(flags, __spec__=ModuleSpec(self.__name__, None))
        sys.modules[self.__name__] = self

    def is_available(self) -> bool:
        """False."""
        return False

    def is_built(self) -> bool:
        """False."""
        return False


cudnn = Backend(
    "cudnn",
    enabled=True,
    benchmark=False,
    deterministic=False,
    allow_tf32=True,
    version=lambda: None,
    flags=lambda *flags, **named: nullcontext(),
)
_sdp = {f"enable_{kind}_sdp": lambda enabled: None for kind in ("flash", "math", "mem_efficient", "cudnn")}
cuda = Backend(
    "cuda",
    matmul=Backend("cuda.matmul", allow_tf32=False, allow_fp16_reduced_precision_reduction=True),
    sdp_kernel=lambda *flags, **named: nullcontext(),
    **_sdp,
)
mps, mkl, mkldnn, openmp = Backend("mps"), Backend("mkl"), Backend("mkldnn", enabled=True), Backend("openmp")

_fastpath = {"enabled": True}  # of transformers in evaluation: whether padding becomes zero
mha = Backend(
    "mha",
    get_fastpath_enabled=lambda: _fastpath["enabled"],
    set_fastpath_enabled=lambda value: _fastpath.update(enabled=value),
)
