"""What a module of `workloads` says about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from types import ModuleType
from typing import Any

Step = Callable[[], object]


@dataclass(frozen=True)
class Workload:
    """Something to do under two packages; each field is a name in capitals in the workload's module, or as it stands here."""

    name: str
    sizes: dict[str, dict[str, Any]]  # a label for each, and the keywords of `build`
    build: Callable[..., Step] | None = None  # of the package and a size: a function that does one step
    command: Callable[[str], list[str]] | None = None  # of the package: what to run where there is no `build`
    quantities: tuple[str, ...] = ("step",)  # of those that tests.bench.child reports
    lines: dict[tuple[str, str], float] = field(default_factory=dict)  # (size, quantity): the ratio that must hold
    against: str = "torch"
    beside: dict[str, Callable[..., Step]] = field(default_factory=dict)  # the same step by hand, where the package is installed
    threads: tuple[int, ...] = (1, 2)  # each side counts at the best of these
    pairs: int = 1  # measured in every round
    once: bool = False  # the step is a whole program

    @classmethod
    def of(cls, module: ModuleType) -> Workload:
        """The workload that a module describes."""
        said = {f.name: getattr(module, f.name.upper(), getattr(module, f.name, None)) for f in fields(cls)}
        return cls(**{name: value for name, value in said.items() if value is not None})
