"""torch.distributed where there is one process: programs may ask whether it is there, and go on without it."""

from __future__ import annotations

from typing import Any

__all__ = [
    "all_gather", "all_reduce", "barrier", "broadcast", "destroy_process_group", "get_rank", "get_world_size",
    "init_process_group", "is_available", "is_initialized", "new_group", "reduce",
]  # fmt: skip


def is_available() -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False."""
    return False


def _refuse(name: str) -> Any:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"distributed.{name}: not supported, there is one process; ask distributed.is_available() first")

    refuse.__name__, refuse.__doc__ = name, "Not supported: there is one process; ask `distributed.is_available()` first."
    return refuse


all_gather, all_reduce, barrier, broadcast = map(_refuse, ("all_gather", "all_reduce", "barrier", "broadcast"))
init_process_group, destroy_process_group, new_group = map(_refuse, ("init_process_group", "destroy_process_group", "new_group"))
get_rank, get_world_size, reduce = map(_refuse, ("get_rank", "get_world_size", "reduce"))
