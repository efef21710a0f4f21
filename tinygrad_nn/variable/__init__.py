"""The tensor under its face: its state, how calls are recorded, memory is written, and gradients are asked for."""

from tinygrad_nn.variable import node_face  # noqa: F401  it gives the nodes those methods that see Tensors
from tinygrad_nn.variable.recording import record
from tinygrad_nn.variable.state import wrap
from tinygrad_nn.variable.variable import RemovableHandle, Variable, differentiate

__all__ = ["RemovableHandle", "Variable", "differentiate", "record", "wrap"]
