"""What the tests of ops share: their gradients as the engine gives them, and the check of their rules."""

import numpy as np

from tinygrad_nn.testing import assert_gradcheck
from tinygrad_nn.variable import differentiate, wrap

SYMMETRIC = {"cholesky", "eigh"}  # what reads one triangle of a symmetric matrix has a derivative along symmetric changes only


def differentiable(op, inputs):
    """The numbers of the inputs that have a rule and a float array."""
    return [
        i for i, v in enumerate(inputs)
        if isinstance(v, np.ndarray) and v.dtype.kind == "f" and (op.variadic or op.inputs[i] in op.rules)
    ]  # fmt: skip


def central_difference(f, inputs, i, step=1e-6):
    """The derivative of the number f(*inputs) by each element of input i."""
    slope = np.zeros_like(inputs[i])
    for place in np.ndindex(slope.shape):
        ends = []
        for sign in (1, -1):
            moved = [v.copy() if k == i else v for k, v in enumerate(inputs)]
            moved[i][place] += sign * step
            ends.append(f(*moved))
        slope[place] = (ends[0] - ends[1]) / (2 * step)
    return slope


def gradients(op, inputs, attributes, upstream, wanted=None, recorded=False):
    """The gradients that the engine gives for the inputs in `wanted`, as arrays or, recorded, as Tensors."""
    wanted = differentiable(op, inputs) if wanted is None else wanted
    tensors = [wrap(v).requires_grad_() if i in wanted else v for i, v in enumerate(inputs)]
    output = op(*tensors, **attributes)
    leaves = [tensors[i] for i in wanted]
    found = differentiate([output], [wrap(upstream)], leaves, retain_graph=None, create_graph=recorded)
    values = [found[leaf] for leaf in leaves]
    return (values, leaves) if recorded else values


def check(op, sample, order):
    """Check the rules of an op on a sample with the package's own gradient checker."""
    inputs = sample.draw(np.random.default_rng(0))
    wanted = differentiable(op, inputs)

    def call(*values):
        if op.name in SYMMETRIC:
            values = [(v + v.mT) / 2 for v in values]
        return op(*values, **sample.attributes)

    given = [wrap(v).requires_grad_(i in wanted) if isinstance(v, np.ndarray) else v for i, v in enumerate(inputs)]
    assert_gradcheck(call, given, order=order, contract=False)
