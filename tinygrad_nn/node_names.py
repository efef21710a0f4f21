"""What `grad_fn` and `next_functions` show: PyTorch's names and order where one primitive here is one operation there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_NAMES = {  # of the primitives whose own names, in capitals, are not PyTorch's
    "astype": "ToCopyBackward0",
    "broadcast_to": "ExpandBackward0",
    "clip": "ClampBackward1",
    "concatenate": "CatBackward0",
    "convolution_input": "ConvolutionBackward0",
    "copy": "CloneBackward0",
    "cross_entropy": "NllLossBackward0",
    "det": "LinalgDetBackward0",
    "inverse": "LinalgInvExBackward0",
    "log1p": "Log1PBackward0",
    "max": "MaxBackward1",
    "min": "MinBackward1",
    "norm": "LinalgVectorNormBackward0",
    "pad": "ConstantPadNdBackward0",
    "reshape": "ViewBackward0",
    "root": "StdBackward0",
    "rows": "EmbeddingBackward0",
    "set_view": "CopySlices",
    "standardize": "NativeLayerNormBackward0",
    "take_along_axis": "GatherBackward0",
    "windows": "UnfoldBackward0",
}
_BY_DIMENSION = {"sum", "mean", "prod"}  # which PyTorch numbers by whether a dimension was given
_NUMBER_LAST = {"AddBackward0", "MulBackward0", "DivBackward0"}  # PyTorch takes the tensor first, wherever it stood
_NUMBER_APART = {"PowBackward0", "RemainderBackward0", "FmodBackward0", "MmBackward0"}  # a number, or no bias, is no input there


def node_name(op: str, attributes: dict[str, Any], dims: tuple[int, ...]) -> str:
    """The name of a call of an op on inputs of so many dimensions.

    >>> node_name("sum", {"axis": None}, (2,)), node_name("sum", {"axis": 0}, (2,)), node_name("linear", {}, (2, 2, 1))
    ('SumBackward0', 'SumBackward1', 'AddmmBackward0')
    """
    if op in _BY_DIMENSION:
        return f"{op.capitalize()}Backward{int(attributes['axis'] is not None)}"
    if op == "getitem":
        return _of_index(attributes["index"])
    if op == "setitem":
        return "CopySlices" if _of_index(attributes["index"]) != "IndexBackward0" else "IndexPutBackward0"
    if op in ("matmul", "linear") and dims[:2] == (2, 2):
        return "AddmmBackward0" if dims[2:] == (1,) else "MmBackward0"
    if op in ("matmul", "linear"):
        return "ViewBackward0" if dims[2:] == (1,) else "UnsafeViewBackward0"
    if op == "standardize" and dims[0] > 1 and 0 in attributes["axes"] and 1 not in attributes["axes"]:
        return "NativeBatchNormBackward0"  # over all but the channels
    return _NAMES.get(op) or "".join(part.capitalize() for part in op.split("_")) + "Backward0"


def _of_index(index: Any) -> str:
    """The name of what PyTorch reads an index with, last of several."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, np.ndarray | list) for part in parts):
        return "IndexBackward0"
    told = [part for part in parts if part is not ... and part != slice(None)] or [slice(None)]
    return "SelectBackward0" if isinstance(told[-1], int) else "UnsqueezeBackward0" if told[-1] is None else "SliceBackward0"


def shown_inputs(name: str, ruled: Sequence[int], constant: Sequence[bool]) -> list[int]:
    """Which inputs `next_functions` shows, in PyTorch's order: of those that have a rule, with what are likely numbers told apart.

    >>> shown_inputs("MulBackward0", [0, 1], [True, False]), shown_inputs("AddmmBackward0", [0, 1, 2], [False] * 3)
    ([1, 0], [2, 0, 1])
    """
    if name == "AddmmBackward0" and len(ruled) == 3:
        return [2, 0, 1]  # the bias comes first
    if name in _NUMBER_LAST:
        return sorted(ruled, key=constant.__getitem__)
    apart = name in _NUMBER_APART or (name == "SubBackward0" and constant[0])
    return [i for i in ruled if not (apart and constant[i])]
