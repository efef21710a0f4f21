"""The import hook: `torch` and `torchvision`, and what is in them, are this package for the process that installs it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from tinygrad_nn.porting.names import ABSENT, MISSING, PACKAGES, find, missing, module
from tinygrad_nn.version import TorchVersion

__all__ = ["install"]

VERSION = TorchVersion("2.13.0+tinygrad_nn")  # the PyTorch whose names these are, for programs that ask


class Alias(ModuleType):
    """A module of PyTorch's by name: the names of a module here, and a sentence for each that it has not."""

    def __getattr__(self, name: str) -> Any:
        """A part imported at its first use; AttributeError says what is missing and what is nearest."""
        dotted = f"{self.__name__}.{name}"
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        found = find(dotted)
        if found is MISSING:
            found = getattr(module(self.__name__), name, MISSING)  # what is there to be refused says so itself
            if found is MISSING or isinstance(found, ModuleType):
                raise AttributeError(missing(dotted))
        return import_module(dotted) if isinstance(found, ModuleType) else found

    def __setattr__(self, name: str, value: Any) -> None:
        """Set it, unless Python would put a part in the place of the function of its name, such as `spectral_norm`."""
        if not (isinstance(value, Alias) and callable(vars(self).get(name))):
            super().__setattr__(name, value)


class Finder(MetaPathFinder, Loader):
    """Finds PyTorch's modules in this package."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """A spec for what is here; ModuleNotFoundError, in one line, for what of PyTorch's is not."""
        if fullname.partition(".")[0] not in PACKAGES:
            return None
        if module(fullname) is None and fullname not in ABSENT:
            raise ModuleNotFoundError(missing(fullname))  # without its `name`, `from torch import missing` shows it too
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty module under PyTorch's name."""
        return Alias(spec.name)

    def exec_module(self, module_: ModuleType) -> None:
        """Give it the names of the module here; parts that are modules follow when they are used."""
        ours = module(module_.__name__) or ModuleType("absent")
        kept = {name: value for name, value in vars(ours).items() if not isinstance(value, ModuleType)}
        own = {
            "__builtins__", "__cached__", "__file__", "__getattr__", "__loader__", "__name__", "__package__", "__path__",
            "__spec__",
        }  # fmt: skip
        vars(module_).update({name: value for name, value in kept.items() if name not in own})
        if module_.__name__ in (*PACKAGES, "torch.version"):
            vars(module_)["__version__"] = VERSION


def install() -> None:
    """Have `import torch` and `import torchvision` give this package, from now on in this process."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
