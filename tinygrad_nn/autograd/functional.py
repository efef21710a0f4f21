"""Derivatives of functions rather than of tensors, as `torch.autograd.functional`: products with vectors, whole matrices.

Forward products come from two backward ones: the product of a vector with the Jacobian is linear in that vector, so its own
derivative by the vector is the Jacobian times whatever one likes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_nn.autograd.gradients import grad
from tinygrad_nn.autograd.modes import enable_grad
from tinygrad_nn.creation import zeros_like
from tinygrad_nn.methods.joining import stack
from tinygrad_nn.tensor import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors = tuple[Any, ...]


def _listed(value: Any, what: str, name: str) -> tuple[bool, Tensors]:
    """Whether it is a tuple, and the tuple that it is or becomes; TypeError for what holds other things than tensors."""
    values = value if isinstance(value, tuple) else (value,)
    for i, item in enumerate(values):
        if not isinstance(item, Tensor):
            where = f" at index {i}" if isinstance(value, tuple) else ""
            raise TypeError(f"{name}: expected {what} to be a Tensor or a tuple of Tensors, got {type(item).__name__}{where}")
    return isinstance(value, tuple), values


def _fresh(tensors: Tensors, create_graph: bool, need_graph: bool = True) -> Tensors:
    """The same values as new tensors, so that a tensor that the function also holds is not taken for its argument."""
    linked = [create_graph and x.requires_grad for x in tensors]
    return tuple(
        x.view_as(x) if link else x.detach().requires_grad_(need_graph) for x, link in zip(tensors, linked, strict=True)
    )


def _given(v: Any, like: Tensors, several: bool, create_graph: bool, name: str) -> Tensors:
    """The vector v, which has the shapes of `like`; None where that is one element, for a 1."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"{name}: v can only be None where its place is a single Tensor with a single element")
        return (None,)
    values = _fresh(_listed(v, "v", name)[1], create_graph, need_graph=False)
    if len(values) != len(like):
        raise RuntimeError(f"{name}: v is a tuple of invalid length: should be {len(like)} but got {len(values)}")
    for i, (value, other) in enumerate(zip(values, like, strict=True)):
        if value.shape != other.shape:
            entry = f"entry {i} in " if several else ""
            raise RuntimeError(f"{name}: {entry}v has invalid size: should be {list(other.shape)} but got {list(value.shape)}")
    return values


def _grads(outputs: Tensors, inputs: Tensors, weights: Sequence[Any], create_graph: bool, retain: bool | None = None) -> Tensors:
    """`grad` of those outputs that depend on anything; None for an input that none depends on."""
    pairs = [(y, v) for y, v in zip(outputs, weights, strict=True) if y is not None and y.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    ends, sides = zip(*pairs, strict=True)
    return grad(ends, inputs, sides, retain, create_graph, allow_unused=True)


def _demand(tensors: Tensors, what: str, strict: bool) -> None:
    """In strict mode, a RuntimeError for a tensor that does not depend on the inputs."""
    for i, x in enumerate(tensors if strict else ()):
        if x is None or not x.requires_grad:
            raise RuntimeError(f"{what} {i} of the user-provided function is independent of its inputs, not allowed in strict mode")


def _filled(found: Tensors, like: Tensors, what: str, strict: bool, create_graph: bool) -> Tensors:
    """Zeros for each None among what was found; in strict mode, a RuntimeError."""
    for i, x in enumerate(found if strict else ()):
        if x is None or (create_graph and not x.requires_grad):
            raise RuntimeError(f"the {what} of the user-provided function is independent of input {i}, not allowed in strict mode")
    return tuple(zeros_like(x) if g is None else g for g, x in zip(found, like, strict=True))


def _given_back(tensors: Tensors, several: bool, create_graph: bool) -> Any:
    """The tensors as the caller passed his: a tuple or one; without history unless it was asked for."""
    kept = tensors if create_graph else tuple(x.detach() for x in tensors)
    return kept if several else kept[0]


def _called(func: Callable[..., Any], inputs: Tensors, name: str, strict: bool) -> tuple[bool, Tensors]:
    several, outputs = _listed(func(*inputs), "the outputs of the user-provided function", name)
    _demand(outputs, "output", strict)
    return several, outputs


def _scalar(func: Callable[..., Any], inputs: Tensors, name: str, strict: bool) -> Tensors:
    several, outputs = _called(func, inputs, name, strict)
    if several or outputs[0].numel() != 1:
        got = f"{len(outputs)} tensors" if several else f"shape {list(outputs[0].shape)}"
        raise RuntimeError(f"{name}: expected the function to return a single Tensor with a single element, got {got}")
    return outputs


def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The outputs of `func`, and v times its Jacobian.

    >>> vjp(lambda x: x * x, Tensor([1.0, 2.0]), Tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with enable_grad():
        several, given = _listed(inputs, "inputs", "vjp")
        starts = _fresh(given, create_graph)
        many, outputs = _called(func, starts, "vjp", strict)
        weights = _given(v, outputs, many, create_graph, "vjp")
        found = _filled(_grads(outputs, starts, weights, create_graph), starts, "output", strict, create_graph)
        return _given_back(outputs, many, create_graph), _given_back(found, several, create_graph)


def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The outputs of `func`, and its Jacobian times v.

    >>> jvp(lambda x: x.sum() * x, Tensor([1.0, 2.0]), Tensor([1.0, 0.0]))
    (tensor([3., 6.]), tensor([4., 2.]))
    """
    with enable_grad():
        several, given = _listed(inputs, "inputs", "jvp")
        starts = _fresh(given, create_graph)
        direction = _given(v, starts, several, create_graph, "jvp")
        many, outputs = _called(func, starts, "jvp", strict)
        sides = tuple(zeros_like(y).requires_grad_() for y in outputs)
        back = _grads(outputs, starts, sides, True)
        _demand(back, "the gradient by input", strict)
        found = _filled(_grads(back, sides, direction, create_graph), outputs, "jacobian", strict, create_graph)
        return _given_back(outputs, many, create_graph), _given_back(found, many, create_graph)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The derivative of each element of the outputs by each element of the inputs, output dimensions first.

    One backward walk an output element, whatever `vectorize` and `strategy` say.

    >>> jacobian(lambda x: x * x, Tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    _check_strategy("jacobian", strict, vectorize, strategy)
    with enable_grad():
        several, given = _listed(inputs, "inputs", "jacobian")
        starts = _fresh(given, create_graph)
        many, outputs = _called(func, starts, "jacobian", strict)
        matrices = []
        for y in outputs:
            rows = []
            for j in range(y.numel()):
                pick = zeros_like(y)
                pick.view(-1)[j] = 1
                found = _grads((y,), starts, (pick,), create_graph, retain=True)
                rows.append(_filled(found, starts, "jacobian", strict, create_graph))
            blocks = tuple(_stacked([row[i] for row in rows], y, x) for i, x in enumerate(starts))
            matrices.append(_given_back(blocks, several, create_graph))
        return tuple(matrices) if many else matrices[0]


def _stacked(rows: list[Any], y: Any, x: Any) -> Any:
    """The derivatives of each element of y by x as one tensor of the dimensions of both."""
    shape = (*y.shape, *x.shape)
    return stack(rows).view(shape) if rows else x.new_zeros(shape)


def _check_strategy(name: str, strict: bool, vectorize: bool, strategy: str) -> None:
    if strategy not in ("forward-mode", "reverse-mode"):
        raise ValueError(f"{name}: expected strategy 'reverse-mode' or 'forward-mode', got {strategy!r}")
    if strict and vectorize:
        raise RuntimeError(f"{name}: expected strict or vectorize, got both, which PyTorch does not support together")
    if strategy == "forward-mode" and not vectorize:
        raise NotImplementedError(f"{name}: expected vectorize=True with strategy='forward-mode', as PyTorch does")


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function with one number as its result: the Jacobian of its gradient.

    >>> hessian(lambda x: x.prod(), Tensor([2.0, 3.0, 4.0]))
    tensor([[0., 4., 3.],
            [4., 0., 2.],
            [3., 2., 0.]])
    """
    several, given = _listed(inputs, "inputs", "hessian")

    def gradient(*starts: Any) -> Tensors:
        found = jacobian(lambda *xs: _scalar(func, xs, "hessian", strict)[0].reshape(()), starts, create_graph=True, strict=strict)
        _demand(found, "the gradient by input", strict)
        return found

    rows = jacobian(gradient, given, create_graph, strict, vectorize, outer_jacobian_strategy)
    return rows if several else rows[0][0]


def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The output of `func`, one number, and v times its Hessian.

    >>> vhp(lambda x: (x**3).sum(), Tensor([1.0, 2.0]), Tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        several, given = _listed(inputs, "inputs", "vhp")
        starts = _fresh(given, create_graph)
        vector = _given(v, starts, several, create_graph, "vhp")
        outputs = _scalar(func, starts, "vhp", strict)
        first = _grads(outputs, starts, (None,), True)
        _demand(first, "the gradient by input", strict)
        found = _filled(_grads(first, starts, vector, create_graph), starts, "jacobian", strict, create_graph)
        return _given_back(outputs, False, create_graph), _given_back(found, several, create_graph)


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """The output of `func`, one number, and its Hessian times v; `vhp` gives the same numbers in less time.

    >>> hvp(lambda x: (x**3).sum(), Tensor([1.0, 2.0]), Tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    with enable_grad():
        several, given = _listed(inputs, "inputs", "hvp")
        starts = _fresh(given, create_graph)
        vector = _given(v, starts, several, create_graph, "hvp")
        outputs = _scalar(func, starts, "hvp", strict)
        first = _grads(outputs, starts, (None,), True)
        _demand(first, "the gradient by input", strict)
        sides = tuple(zeros_like(x).requires_grad_() for x in starts)
        second = _grads(first, starts, sides, True)
        _demand(second, "the hessian by input", strict)
        found = _filled(_grads(second, sides, vector, create_graph), starts, "hessian", strict, create_graph)
        return _given_back(outputs, False, create_graph), _given_back(found, several, create_graph)
