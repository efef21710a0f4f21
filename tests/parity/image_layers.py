"""What a layer written as text gives, in either package: its face, weights, values, both derivatives and buffers."""

import numpy as np

from tests.parity.side_by_side import compare, value_of

rng = np.random.default_rng(0)
INPUTS = {
    "image": rng.standard_normal((2, 4, 9, 8)),
    "line": rng.standard_normal((3, 4, 11)),
    "row": rng.standard_normal((6, 4)),
    "columns": rng.standard_normal((2, 12, 12)),
    "volume": rng.standard_normal((2, 3, 4, 3, 5)),
    "abs": np.abs,
}


def layer_program(p, layer, given, dtype):
    """Two calls of the layer from one seed; of the second, the derivatives and those of the gradients' squares."""
    p.manual_seed(3)
    module = value_of(layer, nn=p.nn).to(getattr(p, dtype))
    weights = [value.detach().clone() for value in module.parameters()]
    x = p.tensor(value_of(given, **INPUTS).astype(dtype), requires_grad=True)
    module(x)
    y = module(x)
    first = y[0] if isinstance(y, tuple) else y
    leaves = [x, *module.parameters()]
    upstream = p.tensor(np.random.default_rng(1).standard_normal(tuple(first.shape)).astype(dtype))
    gradients = p.autograd.grad((first * upstream).sum(), leaves, create_graph=True)
    total = sum((g * g).sum() for g in gradients)
    again = p.autograd.grad(total, leaves, allow_unused=True) if total.requires_grad else [None] * len(leaves)
    second = [p.zeros_like(leaf) if g is None else g for g, leaf in zip(again, leaves, strict=True)]
    return [repr(module), list(module.state_dict()), weights, y, list(gradients), second, list(module.buffers())]


def call_program(p, call, shapes, dtype):
    """What a call written as text gives on tensors a, b, c of these shapes, and the derivatives of its squares."""
    source = np.random.default_rng(2)
    values = [p.tensor(source.uniform(-1, 1, shape).astype(dtype), requires_grad=True) for shape in shapes]
    y = value_of(call, p=p, F=p.nn.functional, **dict(zip("abc", values, strict=False)))
    results = [y]
    for part in y if isinstance(y, tuple) else (y,):
        if part.requires_grad:
            first = p.autograd.grad((part * part).sum(), values, create_graph=True, allow_unused=True)
            results += [g if g is None else g.detach() for g in first]
    return results


def compare_call(reference, ours, call, shapes):
    """Assert that both packages agree on the call, in double precision to rounding and in single precision."""
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-3)):
        compare(call_program, reference, ours, call, shapes, dtype, tolerance=tolerance, quiet=True)


def compare_layer(reference, ours, layer, given):
    """Assert that both packages agree on the layer, in double precision to rounding and in single precision."""
    for dtype, tolerance in (("float64", 1e-9), ("float32", 1e-3)):
        compare(layer_program, reference, ours, layer, given, dtype, tolerance=tolerance, quiet=True)
