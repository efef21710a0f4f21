"""PyTorch scripts as they are: their imports resolved to this package, their names looked up before they run."""

from tinygrad_nn.porting.check import check
from tinygrad_nn.porting.finder import install
from tinygrad_nn.porting.run import run

__all__ = ["check", "install", "run"]
