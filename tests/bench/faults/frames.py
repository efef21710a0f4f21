"""The functions that cases of several frameworks are written in, and cases made into each framework's own targets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

import tinygrad_nn
from tests.bench.faults.case import Array, Built, Composed, Pair, Rule, Target


def functions_of(torch: Any) -> SimpleNamespace:
    """The functions `t` of PyTorch or its like."""
    return SimpleNamespace(
        exp=torch.exp, log=torch.log, sin=torch.sin, cos=torch.cos, tanh=torch.tanh, sqrt=torch.sqrt, nn=torch.nn,
        along=lambda x: x.sum(-1, keepdim=True), total=lambda x: x.sum(), swap=lambda x: x.transpose(-1, -2),
        detach=lambda x: x.detach(),
    )  # fmt: skip


def function_of(torch: Any, rule: Rule) -> Any:
    """A rule as an autograd.Function of PyTorch or its like."""
    t = functions_of(torch)

    class Written(torch.autograd.Function):
        """A forward and a backward that saves all there is."""

        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            y = rule.forward(t, *inputs)
            ctx.save_for_backward(y, *inputs)
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return rule.backward(t, g, *ctx.saved_tensors)

    return Written


def ours(target: Target) -> Any:
    """A target as this package's checker takes it."""
    if isinstance(target, Rule):
        return function_of(tinygrad_nn, target)
    if isinstance(target, Composed):
        t = functions_of(tinygrad_nn)
        return lambda *inputs: target.call(t, *inputs)
    if isinstance(target, Built):
        tinygrad_nn.manual_seed(0)
        return target.build(tinygrad_nn)
    return (target.f, target.vjp)


def pytorch(target: Target) -> Any:
    """A target as PyTorch's gradcheck takes it."""
    import torch

    if isinstance(target, Rule):
        return function_of(torch, target).apply
    if isinstance(target, Composed):
        t = functions_of(torch)
        return lambda *inputs: target.call(t, *inputs)
    if isinstance(target, Built):
        torch.manual_seed(0)
        return target.build(torch)
    return pytorch_pair(torch, target)


def pytorch_pair(torch: Any, target: Pair) -> Any:
    """A NumPy pair as a Function of PyTorch's."""

    class FromNumPy(torch.autograd.Function):
        """NumPy inside."""

        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            ctx.save_for_backward(*inputs)
            return torch.from_numpy(np.array(target.f(*(v.detach().numpy() for v in inputs))))

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            found = target.vjp(g.numpy(), *(v.numpy() for v in ctx.saved_tensors))
            return tuple(None if v is None else torch.from_numpy(np.array(v)) for v in found)

    return FromNumPy.apply


def hips(target: Target) -> Any:
    """A target as HIPS autograd's check_grads takes it; None for a module, which it does not know."""
    import autograd.numpy as anp
    from autograd.extend import defvjp_argnums, primitive
    from autograd.tracer import getval

    t = SimpleNamespace(
        exp=anp.exp, log=anp.log, sin=anp.sin, cos=anp.cos, tanh=anp.tanh, sqrt=anp.sqrt, total=anp.sum, detach=getval,
        along=lambda x: anp.sum(x, axis=-1, keepdims=True), swap=lambda x: anp.swapaxes(x, -1, -2),
    )  # fmt: skip
    if isinstance(target, Built):
        return None
    if isinstance(target, Composed):
        return lambda *inputs: target.call(t, *inputs)

    def forward(*inputs: Array) -> Any:
        return target.f(*inputs) if isinstance(target, Pair) else target.forward(t, *inputs)

    def maker(argnums: Any, y: Any, inputs: Any, _: Any) -> Any:
        def vjp(g: Any) -> Any:
            found = target.vjp(g, *inputs) if isinstance(target, Pair) else target.backward(t, g, y, *inputs)
            found = found if isinstance(found, tuple) else (found,)
            return tuple(np.zeros_like(inputs[i]) if found[i] is None else found[i] for i in argnums)

        return vjp

    f = primitive(forward)
    defvjp_argnums(f, maker)
    return f
