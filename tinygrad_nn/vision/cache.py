"""Knows where downloaded data is kept; does not know what is there, and creates nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_dir() -> Path:
    """Return the folder for data: `$TINYGRAD_NN_DATA`, or `tinygrad_nn` in the user's cache folder.

    The user's cache folder is `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows, and elsewhere
    `$XDG_CACHE_HOME` or `~/.cache` (XDG Base Directory Specification: a relative one is to be ignored).

    >>> from unittest import mock
    >>> with mock.patch.dict("os.environ", TINYGRAD_NN_DATA="/srv/data"):
    ...     cache_dir().as_posix()
    '/srv/data'
    """
    if chosen := os.environ.get("TINYGRAD_NN_DATA"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", ""))
        if not base.is_absolute():
            base = Path.home() / ".cache"
    return base / "tinygrad_nn"
