"""A function of arrays run with a package: its value, its first and its second derivatives."""

import numpy as np


def leaves(package, arrays, dtype=np.float64):
    """Tensors of the arrays, floats of the dtype and with gradients; anything but an array as it is."""
    return [
        a if not isinstance(a, np.ndarray)
        else package.tensor(a.astype(dtype)).requires_grad_() if a.dtype.kind == "f" else package.tensor(a)
        for a in arrays
    ]  # fmt: skip


def derivatives(package, y, inputs, second=True):
    """y, its derivatives by the inputs and those of their squares; None where one is zero throughout."""
    wanted = [v for v in inputs if hasattr(v, "requires_grad") and v.requires_grad]
    if not y.requires_grad or not wanted:
        return [y]
    weight = package.tensor(np.random.default_rng(5).uniform(0.5, 1, tuple(y.shape))).to(y.dtype)
    first = package.autograd.grad((y * weight).sum(), wanted, create_graph=second, allow_unused=True)
    found = [y, *first]
    again = [(g * g).sum() for g in first if g is not None and g.requires_grad]
    if second and again:
        found += package.autograd.grad(sum(again), wanted, allow_unused=True)
    elif second:
        found += [None for _ in wanted]
    return [y, *(None if g is None or not g.detach().any() else g.detach() for g in found[1:])]
