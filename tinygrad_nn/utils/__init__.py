"""Tools around training: `utils.data`, `utils.dlpack`."""

from tinygrad_nn.utils import data, dlpack

__all__ = ["data", "dlpack"]
