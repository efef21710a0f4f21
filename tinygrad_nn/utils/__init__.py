"""Tools around training: `utils.data`, `utils.checkpoint`, `utils.tensorboard`, `utils.dlpack`."""

from tinygrad_nn.utils import checkpoint, data, dlpack, tensorboard

__all__ = ["checkpoint", "data", "dlpack", "tensorboard"]
