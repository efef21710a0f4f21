"""Tools around training: `utils.data`."""

from tinygrad_nn.utils import data

__all__ = ["data"]
