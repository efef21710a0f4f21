"""Signal processing in PyTorch's spelling: its windows."""

from tinygrad_nn.signal import windows

__all__ = ["windows"]
