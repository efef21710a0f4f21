"""check: one batch through a model, looked at closely, and nothing left changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_nn.doctor.findings import DoctorError, Report
from tinygrad_nn.doctor.watch import watch
from tinygrad_nn.generator import default_generator
from tinygrad_nn.nn import Module
from tinygrad_nn.tensor import Tensor


def check(model: Module, loss_fn: Callable[[Any, Any], Tensor], batch: Any, optimizer: Any = None) -> Report:
    """What is wrong before the training begins: forward, loss and backward of one batch (inputs..., target).

    Gradients, buffers and the random numbers are as before afterwards. An error of the model or the loss is explained,
    not raised.

    >>> import tinygrad_nn as torch
    >>> from tinygrad_nn import nn
    >>> report = check(nn.Linear(2, 1), nn.MSELoss(), (torch.randn(8, 2), torch.randn(8, 1)))
    >>> print(report)
    The doctor found nothing wrong in 1 steps.
    """
    *inputs, target = batch
    state, gradients = default_generator.get_state(), [(p, p._grad) for p in model.parameters()]
    buffers = [(buffer, buffer._data.copy()) for buffer in model.buffers()]
    for p, _ in gradients:
        p._grad = None
    watched = watch(model, optimizer)
    try:
        with watched as report:
            loss_fn(model(*inputs), target).backward()
    except DoctorError:
        raise
    except Exception as error:
        report = watched.report
        if not report.of("error"):
            raise error
    finally:
        default_generator.set_state(state)
        for p, gradient in gradients:
            p._grad = gradient
        for buffer, values in buffers:
            buffer._data[...] = values
    report.steps = 1
    return report
