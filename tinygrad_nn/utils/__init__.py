"""Tools around training: `utils.data`, `utils.checkpoint`, `utils.tensorboard`, `utils.dlpack`, `utils.hooks`."""

from tinygrad_nn.utils import _pytree, checkpoint, data, dlpack, hooks, tensorboard

__all__ = ["_pytree", "checkpoint", "data", "dlpack", "hooks", "tensorboard"]
