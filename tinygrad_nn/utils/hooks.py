"""What registering a hook gives, under the name that annotations use."""

from tinygrad_nn.variable import RemovableHandle

__all__ = ["RemovableHandle"]
