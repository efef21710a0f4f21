"""torch.cuda where there is no GPU: what asks says no, what tidies up does nothing, what needs one is an error."""

from __future__ import annotations

from typing import Any

from tinygrad_nn.cuda import amp
from tinygrad_nn.runtime import OutOfMemoryError

__all__ = [
    "OutOfMemoryError", "amp", "device_count", "empty_cache", "get_rng_state_all", "is_available", "manual_seed", "manual_seed_all",
    "set_rng_state_all",
]  # fmt: skip


def is_available() -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Nothing: there is no generator to seed."""


def manual_seed_all(seed: int) -> None:
    """Nothing: there is no generator to seed."""


def get_rng_state_all() -> list[Any]:
    """The states of the generators of all GPUs: none."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """Nothing: there is no generator."""


def empty_cache() -> None:
    """Nothing: there is no cache."""


def memory_allocated(device: Any = None) -> int:
    """0."""
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """0."""
    return 0


def reset_peak_memory_stats(device: Any = None) -> None:
    """Nothing: nothing was allocated."""


def _needs_gpu(name: str) -> Any:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError(f"torch.cuda.{name}: expected a GPU, and the only device here is 'cpu'; test is_available() before it")

    refuse.__name__, refuse.__doc__ = name, "An AssertionError: there is no GPU."
    return refuse


current_device, set_device, synchronize = (_needs_gpu(name) for name in ("current_device", "set_device", "synchronize"))
get_device_name, get_device_properties, mem_get_info = (
    _needs_gpu(name) for name in ("get_device_name", "get_device_properties", "mem_get_info")
)
