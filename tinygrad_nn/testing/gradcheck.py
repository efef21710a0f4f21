"""The gradient checker: every element of every gradient against central differences, and the contract around it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_nn.random import rand_like
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.testing.contract import breaches, copies, random_upstream
from tinygrad_nn.testing.diagnosis import Diagnosis, diagnose, exchanged
from tinygrad_nn.testing.differences import Probe
from tinygrad_nn.testing.elements import InputCheck, Tolerance, check_ties
from tinygrad_nn.testing.report import Breach, GradcheckError, Report
from tinygrad_nn.testing.targets import SecondOrder, Target, TensorTarget, target_of

_CAUSES = ("input_written", "upstream_written", "nondeterministic", "stale_state")  # breaches that also make wrong numbers
_TOLERANCES = {"float64": Tolerance(1e-6, 1e-13), "float32": Tolerance(1e-3, 1e-4)}


def gradcheck(
    target: Any,
    inputs: Any,
    *,
    order: int = 1,
    dtype: Any = np.float64,
    seed: int = 0,
    rtol: float | None = None,
    atol: float | None = None,
    directions: int | None = None,
    contract: bool = True,
    names: Sequence[str] | None = None,
) -> Report:
    """Check the gradients of `target` at `inputs`, in float64, element by element; the report is true if all are right.

    `target` is a function of Tensors, an `autograd.Function`, a `Module`, a pair `(f, vjp)` of NumPy callables with
    `vjp(g, *inputs)` giving one gradient an input, or an object with `forward(*inputs)` and `backward(*upstream)`.
    With `order=2` the derivative of the gradient is checked as well. With `dtype=float32` the gradients are computed in
    float32 and compared with differences in float64. `directions` looks along so many random directions of each input
    instead of at every element, for inputs too large for that. An element may be off by `rtol` of itself (1e-6, or 1e-3
    for float32) plus `atol` of the largest (1e-13, 1e-4), plus what the central difference itself is unsure of.

    TypeError where no input is floating, ValueError where no input requires grad, no output depends on one, or the
    target cannot be differentiated twice.

    >>> import numpy as np
    >>> report = gradcheck((np.sin, lambda g, x: g * -np.cos(x)), [np.array([0.3, 1.2])])
    >>> report.ok, report.diagnosis.code
    (False, 'sign')
    """
    if order not in (1, 2):
        raise ValueError(f"gradcheck: expected order 1 or 2, got {order}")
    rng = np.random.default_rng(seed)
    found = target_of(target, inputs, names)
    kind = np.dtype(getattr(dtype, "numpy", dtype))
    usual = _TOLERANCES.get(kind.name)
    if usual is None or (kind.name == "float32" and order == 2):
        raise ValueError(f"gradcheck: expected float64, or float32 with order 1, got {kind} with order {order}")
    tolerance = Tolerance(usual.rtol if rtol is None else rtol, usual.atol if atol is None else atol)
    with np.errstate(all="ignore"):
        report = _check(found, rng, tolerance, directions, contract, 1, kind)
        if order == 1 or not report.ok:
            return report
        if not isinstance(found, TensorTarget):
            raise ValueError("gradcheck: order=2 needs a function of Tensors, a Function or a Module, whose gradient has a graph")
        upstream = random_upstream(rng, found.values(copies(found.inputs)))
        second = _check(SecondOrder(found, upstream), rng, tolerance, directions, False, 2, kind)
    second.notes = list(dict.fromkeys([*report.notes, *second.notes]))
    second.kinks = report.kinks + second.kinks
    return second


def assert_gradcheck(target: Any, inputs: Any, **options: Any) -> Report:
    """Check as `gradcheck` does, and raise GradcheckError with the report where a gradient is wrong."""
    report = gradcheck(target, inputs, **options)
    if not report:
        raise GradcheckError(report.text())
    return report


def _check(
    target: Target,
    rng: np.random.Generator,
    tolerance: Tolerance,
    directions: int | None,
    contract: bool,
    order: int,
    kind: np.dtype[Any],
) -> Report:
    outputs = target.values(copies(target.inputs))
    if not outputs:
        raise ValueError("gradcheck: the function has no floating output")
    again = target.values(copies(target.inputs))
    if not all(a.shape == b.shape and np.array_equal(a, b, equal_nan=True) for a, b in zip(outputs, again, strict=True)):
        text = "the function is not deterministic: the same inputs gave another output the second time; fix its seed"
        return Report(order, [], None, Diagnosis("nondeterministic", text), [], [Breach("nondeterministic", text)], [])
    upstream = random_upstream(rng, outputs)
    inputs = [v.astype(kind) if i in target.checked else v for i, v in enumerate(copies(target.inputs))]
    given = [None if g is None else np.array(g) for g in target.gradients(inputs, [u.astype(kind) for u in upstream])]
    checks = []
    for i, g in zip(target.checked, given, strict=True):
        probe = Probe(lambda moved: target.values(copies(moved)), target.inputs, i, upstream)
        check = InputCheck(target.names[i], probe, g, tolerance)
        if directions is None:
            check.each_element(rng if target.takes_arrays else None)
        else:
            check.along(directions, rng)
        checks.append(check)
    check_ties(checks)
    used = any(g is not None for g in given) or any(check.depends for check in checks)
    if isinstance(target, TensorTarget) and not used:
        raise ValueError("gradcheck: no output depends on any of the checked inputs")
    unused = [check for check in checks if order == 1 and not check.depends]  # a derivative may well be constant
    notes = [f"no output changes with {check.name}, and its gradient is zero" for check in unused]
    notes += [note for check in checks for note in check.notes()]
    broken: list[Breach] = []
    if contract:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # such as means of the empty inputs that are tried
            broken = list(breaches(target, upstream, rng, not any(check.failed for check in checks), notes))
    if not all(np.isfinite(y).all() for y in outputs):
        notes.append("an output is not finite here; elements that lead to it were not compared")
    return _reported(order, checks, broken, notes)


def _reported(order: int, checks: list[InputCheck], broken: list[Breach], notes: list[str]) -> Report:
    failing = [check for check in checks if check.failed]
    shown = max(failing or checks, key=lambda check: check.badness)
    diagnosis = None
    if failing:
        diagnosis = exchanged([check.evidence() for check in failing if check.fits]) or diagnose(shown.evidence())
    if diagnosis is not None and order == 2:
        diagnosis = Diagnosis("second_order", "the gradient is right, its own derivative is not: " + diagnosis.text)
    random = [breach for breach in broken if breach.code == "nondeterministic"]
    causes = [breach for breach in broken if diagnosis is None or (diagnosis.code == "unknown" and breach.code in _CAUSES)]
    if random or causes:
        diagnosis = Diagnosis(*(random or causes)[0])
    return Report(
        order, [check.result() for check in checks], shown.worst, diagnosis,
        [kink for check in checks for kink in check.kinks], broken, notes,
    )  # fmt: skip


def torch_gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    fast_mode: bool = False,
    **_: Any,
) -> bool:
    """`torch.autograd.gradcheck`: whether the gradients of `func` are right, or GradcheckError.

    Checked by `testing.gradcheck`, which sets its own steps: `eps` is accepted and unused, `fast_mode` looks along
    random directions. Inputs that are no tensors are handed on as they are.
    """
    return _as_torch(func, inputs, 1, atol, rtol, raise_exception, fast_mode)


def torch_gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    fast_mode: bool = False,
    **_: Any,
) -> bool:
    """`torch.autograd.gradgradcheck`: whether the second derivatives of `func` are right, or GradcheckError.

    Without `grad_outputs` it takes as many random numbers as PyTorch, which draws some, so that those that follow are the same.
    """
    if grad_outputs is None:
        found = func(*([inputs] if isinstance(inputs, Tensor) else inputs))
        for y in [found] if isinstance(found, Tensor) else found:
            if isinstance(y, Tensor) and y.requires_grad:
                rand_like(y)
    return _as_torch(func, inputs, 2, atol, rtol, raise_exception, fast_mode)


def _as_torch(
    func: Callable[..., Any], inputs: Any, order: int, atol: float, rtol: float, raise_exception: bool, fast: bool
) -> bool:
    given = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    places = [i for i, value in enumerate(given) if isinstance(value, Tensor)]

    def of_tensors(*tensors: Any) -> Any:
        arguments = list(given)
        for i, tensor in zip(places, tensors, strict=True):
            arguments[i] = tensor
        return func(*arguments)

    report = gradcheck(
        of_tensors, [given[i] for i in places], order=order, rtol=rtol, atol=atol, directions=4 if fast else None, contract=False,
        names=[f"input {i}" for i in places],
    )  # fmt: skip
    if not report and raise_exception:
        raise GradcheckError(report.text())
    return report.ok
