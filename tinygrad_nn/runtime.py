"""Switches of PyTorch's runtime: those that mean something here act, the others are kept and change nothing."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

__all__ = [
    "OutOfMemoryError", "are_deterministic_algorithms_enabled", "compile", "get_deterministic_debug_mode",
    "get_float32_matmul_precision", "get_num_interop_threads", "get_num_threads", "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled", "set_deterministic_debug_mode", "set_float32_matmul_precision", "set_flush_denormal",
    "set_num_interop_threads", "set_num_threads", "set_warn_always", "use_deterministic_algorithms",
]  # fmt: skip

_state: dict[str, Any] = {
    "deterministic": False, "warn_only": False, "precision": "highest", "threads": None, "limits": None, "interop": None,
    "warn_always": False,
}  # fmt: skip


def compile(model: Callable[..., Any] | None = None, **options: Any) -> Any:
    """`model` as it is: there is nothing to compile; without one, a decorator that does the same."""
    return (lambda function: function) if model is None else model


def set_num_threads(num: int, /) -> None:
    """Have NumPy's linear algebra use `num` threads; needs threadpoolctl."""
    if not isinstance(num, int) or num < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, got {num!r}")
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        raise ImportError(
            "set_num_threads: needs threadpoolctl (pip install threadpoolctl); or set OPENBLAS_NUM_THREADS before Python starts"
        ) from None
    _state["limits"] = threadpool_limits(num, "blas")  # stays in force while it is held
    _state["threads"] = num


def get_num_threads() -> int:
    """The number of threads of NumPy's linear algebra, as far as it is known."""
    named = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1
    return _state["threads"] or int(named)


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted: every algorithm here is deterministic."""
    _state["deterministic"], _state["warn_only"] = bool(mode), bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` last set."""
    return _state["deterministic"]


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """What `use_deterministic_algorithms` last set."""
    return _state["warn_only"]


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """`use_deterministic_algorithms` by a number or name: 0 "default", 1 "warn", 2 "error"; RuntimeError for another."""
    if not isinstance(debug_mode, int | str):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    modes: list[Any] = [0, 1, 2] if isinstance(debug_mode, int) else ["default", "warn", "error"]
    if debug_mode not in modes:
        raise RuntimeError(f"invalid value of debug_mode, expected one of {modes}, but got {debug_mode}")
    chosen = modes.index(debug_mode)
    use_deterministic_algorithms(chosen > 0, warn_only=chosen == 1)


def get_deterministic_debug_mode() -> int:
    """The number that stands for what `use_deterministic_algorithms` last set."""
    return 0 if not _state["deterministic"] else 1 if _state["warn_only"] else 2


class OutOfMemoryError(RuntimeError):
    """What an accelerator raises whose memory is full; never raised here, where Python has its MemoryError."""


def set_float32_matmul_precision(precision: str) -> None:
    """Accepted: products of float32 are always computed in float32. A warning for a name that is none."""
    if not isinstance(precision, str):
        raise RuntimeError(f"set_float32_matmul_precision expects a str, but got {type(precision).__name__}")
    if precision in ("highest", "high", "medium"):
        _state["precision"] = precision
    else:
        told = f"set_float32_matmul_precision: expected 'highest', 'high' or 'medium', got {precision!r}, which has no effect"
        warnings.warn(told, UserWarning, stacklevel=2)


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` last set."""
    return _state["precision"]


def set_num_interop_threads(num: int, /) -> None:
    """Accepted: operations here run one after the other. RuntimeError for a number below 1."""
    if not isinstance(num, int) or num < 1:
        raise RuntimeError(f"set_num_interop_threads expects a positive integer, got {num!r}")
    _state["interop"] = num


def get_num_interop_threads() -> int:
    """What `set_num_interop_threads` last set; before that, the number of processors."""
    return _state["interop"] or os.cpu_count() or 1


def set_warn_always(b: bool, /) -> None:
    """Accepted: how often a warning shows is for Python's `warnings` to say."""
    _state["warn_always"] = bool(b)


def is_warn_always_enabled() -> bool:
    """What `set_warn_always` last set."""
    return _state["warn_always"]


def set_flush_denormal(mode: bool) -> bool:
    """False: NumPy keeps the numbers below the least normal one, and cannot be told otherwise."""
    return False
