"""The graph drawn."""

from tinygrad_nn.viz.dot import make_dot

__all__ = ["make_dot"]
