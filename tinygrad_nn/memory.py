"""What freed arrays leave behind: the C library is told to keep it for the next ones; knows nothing of the rest."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's names for mallopt, malloc.h
_KEPT = 512 << 20
_LARGEST = 32 << 20  # glibc admits no more


def keep_freed_memory() -> bool:
    """Have glibc reuse freed blocks of up to 32 MB, and up to 512 MB of them; elsewhere nothing, and False.

    By default it hands blocks of more than 128 KB back to the system at once, and the next temporary array of that
    size is fetched page by page: a third of the time of a small transformer's step.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST) and mallopt(_TRIM_THRESHOLD, _KEPT))
