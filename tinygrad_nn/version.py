"""What this is a version of, for programs that ask what PyTorch was built with."""

from __future__ import annotations

__version__ = "0.1.0"
cuda: str | None = None
hip: str | None = None
git_version: str | None = None
debug = False
