"""Tools to prove code right: the gradient checker; `testing.strategies` has the inputs to try it on."""

from tinygrad_nn.testing.gradcheck import assert_gradcheck, gradcheck
from tinygrad_nn.testing.report import GradcheckError, Report
from tinygrad_nn.testing.targets import Engine

__all__ = ["Engine", "GradcheckError", "Report", "assert_gradcheck", "gradcheck"]
