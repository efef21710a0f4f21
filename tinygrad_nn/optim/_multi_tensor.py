"""The optimisers with `foreach=True` from the start, under the name that older programs import them from."""

from __future__ import annotations

from functools import partialmethod
from typing import Any

from tinygrad_nn import optim


def _with_foreach(kind: Any) -> Any:
    """A subclass under the name that PyTorch prints."""
    return type("NewCls", (kind,), {"__init__": partialmethod(kind.__init__, foreach=True)})


Adam = _with_foreach(optim.Adam)
AdamW = _with_foreach(optim.AdamW)
NAdam = _with_foreach(optim.NAdam)
SGD = _with_foreach(optim.SGD)
RAdam = _with_foreach(optim.RAdam)
RMSprop = _with_foreach(optim.RMSprop)
Rprop = _with_foreach(optim.Rprop)
ASGD = _with_foreach(optim.ASGD)
Adamax = _with_foreach(optim.Adamax)
Adadelta = _with_foreach(optim.Adadelta)
Adagrad = _with_foreach(optim.Adagrad)
