"""Tools to prove code right: the gradient checker and its pytest decorator; `testing.strategies` has inputs to try."""

import importlib
from typing import Any

from tinygrad_nn.testing.close import assert_close
from tinygrad_nn.testing.decorator import gradcheck_op
from tinygrad_nn.testing.gradcheck import assert_gradcheck, gradcheck
from tinygrad_nn.testing.made import make_tensor
from tinygrad_nn.testing.report import GradcheckError, Report
from tinygrad_nn.testing.targets import Engine

__all__ = ["Engine", "GradcheckError", "Report", "assert_close", "assert_gradcheck", "gradcheck", "gradcheck_op", "make_tensor"]


def __getattr__(name: str) -> Any:
    if name == "strategies":  # hypothesis, an extra, is loaded when it is first asked for
        return importlib.import_module(f"{__name__}.strategies")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
