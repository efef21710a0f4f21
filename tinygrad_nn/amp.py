"""Mixed precision in PyTorch's spelling; without an accelerator it changes nothing: tensors keep their dtype."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


class autocast:
    """A context, or decorator, in which every operation computes in its tensors' own dtype, as outside it."""

    def __init__(
        self, device_type: str = "cpu", dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device, self.fast_dtype = device_type, dtype

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was changed."""

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, run inside the context."""

        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            with self:
                return function(*args, **options)

        return call


class GradScaler:
    """The gradient scaler as it is without an accelerator: switched off, it scales by 1."""

    def __init__(self, device: str = "cuda", **options: Any) -> None:
        self.device = device

    def scale(self, outputs: Any) -> Any:
        """The outputs as they are."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Nothing was scaled."""

    def step(self, optimizer: Any, *args: Any, **options: Any) -> Any:
        """The optimizer's step."""
        return optimizer.step(*args, **options)

    def update(self, new_scale: float | None = None) -> None:
        """The scale stays 1."""

    def get_scale(self) -> float:
        """1."""
        return 1.0

    def is_enabled(self) -> bool:
        """False."""
        return False

    def state_dict(self) -> dict[str, Any]:
        """Nothing is to be kept."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Nothing is to be restored."""


def is_autocast_available(device_type: str) -> bool:
    """False."""
    return False


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """False."""
    return False
