"""Derivatives by central differences, and the check of an op's rules against them."""

import numpy as np

from tinygrad_nn.variable import differentiate, wrap


SYMMETRIC = {"cholesky", "eigh"}  # what reads one triangle of a symmetric matrix has a derivative along symmetric changes only


def along(op, gradient):
    """The gradient, of an op on symmetric matrices its part along symmetric changes."""
    return gradient + gradient.mT if op.name in SYMMETRIC else gradient


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
    """Compare the first or second derivatives of an op on a sample with central differences."""
    rng = np.random.default_rng(0)
    inputs = sample.draw(rng)
    attributes = sample.attributes
    upstream = rng.standard_normal(np.shape(op.forward(*inputs, **attributes)))
    wanted = differentiable(op, inputs)
    first = gradients(op, inputs, attributes, upstream)
    if order == 1:
        for gradient, i in zip(first, wanted, strict=True):
            expected = central_difference(lambda *v: float(np.sum(op.forward(*v, **attributes) * upstream)), inputs, i)
            np.testing.assert_allclose(along(op, np.asarray(gradient)), along(op, expected), rtol=1e-5, atol=1e-6, err_msg=op.name)
        return
    weights = [rng.standard_normal(np.shape(gradient)) for gradient in first]

    def weighted(*values):
        found = gradients(op, values, attributes, upstream)
        return float(sum(np.sum(np.asarray(g) * w) for g, w in zip(found, weights, strict=True)))

    recorded, leaves = gradients(op, inputs, attributes, upstream, recorded=True)
    total = sum((g * w).sum() for g, w in zip(recorded, weights, strict=True))
    found = {}
    if total.requires_grad:
        found = differentiate([total], [None], leaves, retain_graph=None, create_graph=False)
    for leaf, i in zip(leaves, wanted, strict=True):
        second = np.asarray(found.get(leaf, np.zeros(inputs[i].shape)))
        expected = central_difference(weighted, inputs, i)
        np.testing.assert_allclose(along(op, second), along(op, expected), rtol=1e-4, atol=1e-5, err_msg=op.name)
