"""Each checker as a function of a case and a seed: whether it objects, and the word it has for it."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tests.bench.faults.case import Case
from tests.bench.faults.frames import hips, pytorch
from tinygrad_nn.testing import gradcheck


class Verdict(NamedTuple):
    """What a checker says; `code` is its diagnosis or the exception it raised."""

    objects: bool
    code: str | None


Checker = Callable[[Case, int], Verdict | None]  # None: the checker does not know such targets


def ours(case: Case, seed: int) -> Verdict:
    """This package's gradcheck."""
    target, inputs = case.make(seed)
    try:
        report = gradcheck(target, inputs, order=case.order, seed=seed)
    except ValueError:  # the target is none: nothing to differentiate, or not a gradient for each input
        return Verdict(True, "ValueError")
    return Verdict(not report, None if report else report.diagnosis.code)


def autograd(case: Case, seed: int) -> Verdict | None:
    """HIPS autograd's check_grads, backwards, of every input."""
    from autograd.test_util import check_grads

    target, inputs = case.draw(seed)
    f = hips(target)
    if f is None:
        return None
    np.random.seed(seed)  # noqa: NPY002 - the stream check_grads draws from
    return attempt(lambda: check_grads(f, tuple(range(len(inputs))), modes=["rev"], order=case.order)(*inputs))


def torch(case: Case, seed: int, fast: bool) -> Verdict:
    """PyTorch's gradcheck, and gradgradcheck for the second order."""
    import torch as framework

    target, inputs = case.draw(seed)
    framework.manual_seed(seed)
    tensors = tuple(framework.from_numpy(v.copy()).requires_grad_() for v in inputs)
    f = pytorch(target)

    def check() -> None:
        framework.autograd.gradcheck(f, tensors, fast_mode=fast)
        if case.order == 2:
            framework.autograd.gradgradcheck(f, tensors, fast_mode=fast)

    return attempt(check)


def attempt(check: Callable[[], Any]) -> Verdict:
    """Whether a check raises anything; warnings are not verdicts."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            check()
        except Exception as error:
            return Verdict(True, type(error).__name__)
    return Verdict(False, None)


OTHERS: dict[str, Checker] = {
    "autograd": autograd,
    "torch fast": functools.partial(torch, fast=True),
    "torch slow": functools.partial(torch, fast=False),
}
