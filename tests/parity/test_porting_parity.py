"""The names that `python -m tinygrad_nn` and `--check` know are where PyTorch has them."""

import importlib
import pkgutil

import pytest

import tinygrad_nn
from tinygrad_nn.porting import names

torch = pytest.importorskip("torch")


def test_our_own_parts_do_not_pass_for_pytorchs():
    for part in pkgutil.iter_modules(tinygrad_nn.__path__):
        if part.name not in names.INNER | {"__main__"}:
            assert hasattr(torch, part.name), f"{part.name}: PyTorch has no such module; add it to porting.names.INNER"


def test_files_that_programs_import_from_are_pytorchs():
    for name in names.ELSEWHERE:
        if name.startswith("torch."):
            importlib.import_module(name)
        assert names.module(name) is not None
