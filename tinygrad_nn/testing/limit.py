"""A limit on the time that a user's function may take on inputs it may never have been meant for."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["time_limit"]

SECONDS = 5.0


@contextmanager
def time_limit() -> Iterator[None]:
    """TimeoutError in whatever Python code runs in the block for longer than `SECONDS`, such as a `while` without end.

    The clock is looked at with every line, by a trace function: that works in every thread and on every system, but not
    within a single call of NumPy. A debugger's or coverage's own trace function is put back afterwards.
    """
    end = time.monotonic() + SECONDS

    def look(frame: Any, event: str, arg: Any) -> Any:
        if time.monotonic() > end:
            raise TimeoutError(f"did not end within {SECONDS:g} seconds")
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)
