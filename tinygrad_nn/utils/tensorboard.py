"""SummaryWriter: TensorBoard's files, written by tensorboardX (pip install tensorboardX)."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from tinygrad_nn.tensor import Tensor

__all__ = ["SummaryWriter"]


def _plain(value: Any) -> Any:
    """Tensors as arrays, within lists, tuples and dicts too."""
    if isinstance(value, Tensor):
        return np.array(value.detach().numpy())
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return type(value)(_plain(item) for item in value) if type(value) in (list, tuple) else value


class SummaryWriter:
    """tensorboardX's SummaryWriter, which takes tensors; ImportError names tensorboardX where it is not installed."""

    def __init__(self, log_dir: Any = None, *args: Any, **options: Any) -> None:
        try:
            import tensorboardX
        except ImportError:
            raise ImportError("SummaryWriter: expected tensorboardX, which is not installed (pip install tensorboardX)") from None
        self._writer = tensorboardX.SummaryWriter(None if log_dir is None else str(log_dir), *args, **options)

    def __getattr__(self, name: str) -> Any:
        """The writer's own methods, such as `add_scalar`, with arrays in the place of tensors."""
        if name == "_writer":
            raise AttributeError(name)
        found = getattr(self._writer, name)
        if not callable(found):
            return found

        @functools.wraps(found)
        def method(*args: Any, **options: Any) -> Any:
            return found(*map(_plain, args), **_plain(options))

        return method

    def add_graph(self, model: Any, input_to_model: Any = None, verbose: bool = False, use_strict_trace: bool = True) -> None:
        """Not supported: TensorBoard draws traced PyTorch programs; `viz.dot` draws the graph here."""
        raise NotImplementedError("SummaryWriter.add_graph: not supported; tinygrad_nn.viz draws the graph")

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()
