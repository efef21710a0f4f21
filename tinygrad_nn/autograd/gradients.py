"""`grad` and `backward`: the walk back as PyTorch offers it, with the checks of what it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_nn.autograd.graph import GradientEdge
from tinygrad_nn.methods.joining import stack
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import differentiate, wrap

__all__ = ["backward", "grad"]


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, Tensor | GradientEdge) else list(value)


def _weights(outputs: list[Any], given: Any) -> list[Any]:
    """One weight, or None, an output; RuntimeError for another number, TypeError for what is no tensor."""
    weights = [None] * len(outputs) if given is None else _listed(given)
    if len(weights) != len(outputs):
        raise RuntimeError(f"expected one gradient an output: got {len(outputs)} tensors and {len(weights)} gradients")
    for weight in weights:
        if not isinstance(weight, Tensor | None):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(weight).__name__}")
    return weights


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Tensor | Sequence[Tensor | None] | None = None,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the derivatives of `tensors`, weighted by `grad_tensors`, to the `.grad` of the leaves, or of `inputs` alone.

    RuntimeError for no inputs at all and where shapes or numbers do not fit. `grad_variables` is the old name of `grad_tensors`.
    """
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError("backward: expected grad_tensors or its old name grad_variables, got both")
        grad_tensors = grad_variables
    outputs = _listed(tensors)
    wanted = None if inputs is None else _listed(inputs)
    if wanted is not None and not wanted:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    for tensor in wanted or ():
        if not tensor.requires_grad:
            raise RuntimeError(f"backward: an input of shape {list(tensor.shape)} does not require grad")
    found = differentiate(
        outputs, _weights(outputs, grad_tensors), wanted, retain_graph=retain_graph, create_graph=create_graph
    )
    for tensor in wanted or ():
        if tensor.edge in found:
            value = found[tensor.edge]
            tensor.receive_gradient(value if isinstance(value, Tensor) else np.array(value))


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The derivatives of `outputs`, weighted by `grad_outputs`, with respect to `inputs`; `.grad` stays untouched.

    RuntimeError where an input was not used, unless `allow_unused` (None) or `materialize_grads` (zeros). With
    `is_grads_batched` each weight has several rows, and the derivatives for each row are stacked: one walk a row.

    >>> x = Tensor([3.0]).requires_grad_()
    >>> grad((x * x).sum(), x)
    (tensor([6.]),)
    """
    if is_grads_batched:
        retain = create_graph if retain_graph is None else retain_graph
        options = {"create_graph": create_graph, "allow_unused": allow_unused, "materialize_grads": materialize_grads}
        return _by_row(_listed(outputs), inputs, _weights(_listed(outputs), grad_outputs), retain, options)
    ends, starts = _listed(outputs), _listed(inputs)
    if not starts:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    if materialize_grads and allow_unused is False:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True, got False")
    for tensor in (*ends, *starts):
        if not isinstance(tensor, Tensor | GradientEdge):
            raise RuntimeError(f"all inputs and outputs have to be Tensors, but got {type(tensor).__name__}")
    weights = _weights(ends, grad_outputs)
    for i, tensor in enumerate(starts):
        if not tensor.requires_grad:
            raise RuntimeError(f"grad: input {i}, of shape {list(tensor.shape)}, does not require grad")
    found = differentiate(ends, weights, starts, retain_graph=retain_graph, create_graph=create_graph)
    result: list[Tensor | None] = []
    for i, tensor in enumerate(starts):
        gradient = found.get(tensor.edge)
        if gradient is None and materialize_grads:
            gradient = tensor.detach() * 0
        elif gradient is None and not allow_unused:
            raise RuntimeError(
                f"One of the differentiated Tensors appears to not have been used in the graph: input {i}, of shape "
                f"{list(tensor.shape)}. Set allow_unused=True if this is the desired behavior."
            )
        result.append(gradient if gradient is None or isinstance(gradient, Tensor) else _own(gradient))
    return tuple(result)


def _by_row(ends: list[Any], inputs: Any, weights: list[Any], retain: bool, options: dict[str, Any]) -> tuple[Tensor | None, ...]:
    """`grad` for each row of the weights, stacked; RuntimeError for weights of several numbers of rows, or without any."""
    sizes = {len(weight) for weight in weights if weight is not None}
    if len(sizes) != 1 or 0 in sizes:
        raise RuntimeError(f"grad: expected grad_outputs of one number of rows with is_grads_batched, got {sorted(sizes)}")
    (count,) = sizes
    rows = []
    for i in range(count):
        row = [None if weight is None else weight[i] for weight in weights]
        rows.append(grad(ends, inputs, row, retain_graph=retain or i + 1 < count, **options))
    return tuple(None if parts[0] is None else stack(parts) for parts in zip(*rows, strict=True))


def _own(gradient: Any) -> Tensor:
    """A gradient as a tensor whose memory nobody else holds."""
    copied: Tensor = wrap(np.array(gradient))
    return copied
