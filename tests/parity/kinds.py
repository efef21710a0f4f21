"""Tensors of every kind, and what one call written as text gives on them: value, dtype, first and second derivative."""

import re

import numpy as np

from tests.parity.side_by_side import value_of

rng = np.random.default_rng(5)
FLOATS = rng.uniform(0.25, 2.0, (2, 3))
INTS = np.array([[3, 0, 2], [1, 7, 5]])
inf, nan = float("inf"), float("nan")

KINDS = {
    "float32": lambda p: p.tensor(FLOATS.astype(np.float32)),
    "float64": lambda p: p.tensor(FLOATS),
    "float16": lambda p: p.tensor(FLOATS.astype(np.float16)),
    "int64": lambda p: p.tensor(INTS),
    "int32": lambda p: p.tensor(INTS.astype(np.int32)),
    "int16": lambda p: p.tensor(INTS.astype(np.int16)),
    "int8": lambda p: p.tensor(INTS.astype(np.int8)),
    "uint8": lambda p: p.tensor(INTS.astype(np.uint8)),
    "bool": lambda p: p.tensor(INTS > 1),
    "0-d": lambda p: p.tensor(0.75, dtype=p.float64),
    "vector": lambda p: p.tensor(FLOATS[0]),
    "3-d": lambda p: p.tensor(np.random.default_rng(6).normal(size=(2, 3, 4))),
    "transposed": lambda p: p.tensor(FLOATS.T.copy()).T,
    "strided": lambda p: p.tensor(np.random.default_rng(7).normal(size=(4, 6)))[::2, 1::2],
    "empty": lambda p: p.zeros(0),
    "no rows": lambda p: p.zeros(0, 3),
    "no columns": lambda p: p.zeros(2, 0),
    "ties": lambda p: p.tensor([[1.5, 1.5, 0.5], [-0.5, 1.5, -0.5]], dtype=p.float64),
    "zeros": lambda p: p.tensor([[0.0, 1.5, 2.0], [0.5, -3.0, 1.0]], dtype=p.float64),
    "more zeros": lambda p: p.tensor([[0.0, 1.5, 0.0], [0.0, -3.0, 1.0]], dtype=p.float64),
    "all zeros": lambda p: p.zeros(2, 3, dtype=p.float64),
    "nan": lambda p: p.tensor([[1.0, nan, 2.0], [0.5, 3.0, nan]], dtype=p.float64),
    "infinite": lambda p: p.tensor([[1.0, inf, 2.0], [-inf, 3.0, 0.5]], dtype=p.float64),
}


def ways(package, call):
    """How the package offers what is called: as a function, as a method of its tensors, or both."""
    name = call.split("(")[0]
    return [how for how, owner in (("function", package), ("method", package.Tensor)) if hasattr(owner, name)]


def called(p, call, x, how):
    """The call `name(arguments)` as a function of the package or as a method of x."""
    name, arguments = call.split("(", 1)
    text = f"x.{call}" if how == "method" else f"p.{name}(x, {arguments}"
    return value_of(text, p=p, x=x, inf=inf, nan=nan, FLOATS=FLOATS)


def program(p, call, kind, how, second=True):
    """What the call gives, and of each part that has them the derivatives of its squares."""
    x = KINDS[kind](p).detach()
    if x.dtype.is_floating_point and not re.match(r"unique|histogram|isin|.*dtype=p\.u?int", call):  # what carries a gradient
        x.requires_grad_()
    y = called(p, call, x, how)
    results = [y]
    for part in y if isinstance(y, tuple) else (y,):
        if hasattr(part, "detach") and part.requires_grad:
            (first,) = p.autograd.grad((part * part).sum(), x, create_graph=True, allow_unused=True)
            results.append(first)
            if second and first is not None and first.requires_grad:
                results += p.autograd.grad((first * first).sum() / 2, x, retain_graph=True, allow_unused=True)
    return results
