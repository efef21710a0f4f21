"""torch.cuda.amp, the older place of mixed precision, whose names need no device."""

from __future__ import annotations

from typing import Any

from tinygrad_nn import amp

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]

custom_fwd, custom_bwd = amp.custom_fwd, amp.custom_bwd


class autocast(amp.autocast):
    """A context, or decorator, in which every operation computes in its tensors' own dtype, as outside it."""

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """The gradient scaler as it is without an accelerator: switched off, it scales by 1."""

    def __init__(self, init_scale: float = 65536.0, **options: Any) -> None:
        super().__init__("cuda", init_scale=init_scale, **options)
