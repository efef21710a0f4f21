"""The doctor: says why a network does not learn."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Report:
    """What the doctor found."""


@contextmanager
def watch(model: Any, optimizer: Any = None) -> Iterator[Report]:
    """Watch the training loop within the block."""
    yield Report()
