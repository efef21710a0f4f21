"""What this is a version of, for programs that ask what PyTorch was built with."""

from __future__ import annotations

import re
from collections.abc import Sequence


class TorchVersion(str):
    """A version that is before or after another one, or a tuple of numbers, by its numbers and not by its letters.

    >>> TorchVersion("2.13.0+local") >= (2, 9), TorchVersion("2.13.0") < "2.9"
    (True, False)
    """

    __slots__ = ()

    def __lt__(self, other: str | Sequence[int]) -> bool:
        return _rank(self) < _rank(other)

    def __le__(self, other: str | Sequence[int]) -> bool:
        return _rank(self) <= _rank(other)

    def __gt__(self, other: str | Sequence[int]) -> bool:
        return _rank(self) > _rank(other)

    def __ge__(self, other: str | Sequence[int]) -> bool:
        return _rank(self) >= _rank(other)


def _rank(version: str | Sequence[int]) -> tuple[list[int], int]:
    """The numbers of a version, and whether it comes before (2.0rc1), is, or adds to (2.0+cpu) the release with these numbers."""
    text = version if isinstance(version, str) else ".".join(map(str, version))
    release, rest = re.findall(r"^([\d.]*)(.*)", text)[0]
    numbers = [int(number) for number in release.split(".") if number]
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers, 0 if not rest else 1 if rest.startswith("+") else -1


__version__ = TorchVersion("0.1.0")
cuda: str | None = None
hip: str | None = None
git_version: str | None = None
debug = False
