"""The graph drawn, traced and stepped through: see docs/seeing_the_graph.md; `viz.plots` has pictures of training."""

from tinygrad_nn.viz import plots
from tinygrad_nn.viz.dot import make_dot
from tinygrad_nn.viz.graph import Graph
from tinygrad_nn.viz.picture import Picture, draw, record, trace

__all__ = ["Graph", "Picture", "draw", "make_dot", "plots", "record", "trace"]
