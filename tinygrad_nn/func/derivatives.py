"""Functions that compute derivatives of the one they are made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_nn.autograd import enable_grad, functional
from tinygrad_nn.autograd.gradients import grad as derivatives
from tinygrad_nn.creation import zeros_like
from tinygrad_nn.func.trees import map_tensors, tensors_of, with_tensors
from tinygrad_nn.graph import Node, node_of, reachable
from tinygrad_nn.tensor import Tensor

Argnums = int | tuple[int, ...]


def _refuse(value: Any) -> None:
    if value is not None:
        raise ValueError(f"expected a Tensor, or a tree of Tensors, to differentiate by, got {type(value).__name__}")


def _opened(value: Any, leaves: list[Any]) -> Any:
    """The values as new tensors that need gradients, put into `leaves` too; linked to the old ones where those need some.

    ValueError for what is no tensor.
    """

    def fresh(x: Tensor) -> Tensor:
        leaf: Tensor = x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
        leaves.append(leaf)
        return leaf

    return map_tensors(value, fresh, _refuse)


def _closed(value: Any, leaves: list[Any]) -> Any:
    """The values without their history, unless it leads to anything but our own leaves."""
    own = {id(leaf) for leaf in leaves}

    def close(x: Tensor) -> Tensor:
        if not x.requires_grad:
            return x
        ends = [x.edge, *(edge for node in reachable([x.edge]) for edge in node.edges if edge is not None)]
        foreign = any(not isinstance(node_of(end), Node) and id(end) not in own for end in ends)
        return x if foreign else x.detach()

    return map_tensors(value, close)


def _picked(args: tuple[Any, ...], argnums: Argnums, leaves: list[Any]) -> tuple[Any, list[Any]]:
    """What to differentiate by, as new tensors, and the arguments with it in its places; RuntimeError for a place beyond them."""
    opened = list(args)
    for i in (argnums,) if isinstance(argnums, int) else argnums:
        if not -len(args) <= i < len(args):
            raise RuntimeError(f"Got argnum={i}, but only {len(args)} positional inputs")
        opened[i] = _opened(args[i], leaves)
    return (opened[argnums] if isinstance(argnums, int) else tuple(opened[i] for i in argnums)), opened


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives the gradient of `func`, one number, by its argument `argnums`, and its value."""

    def both(*args: Any, **kwargs: Any) -> Any:
        leaves: list[Any] = []
        with enable_grad():
            chosen, opened = _picked(args, argnums, leaves)
            value = func(*opened, **kwargs)
            value, aux = value if has_aux else (value, None)
            if not isinstance(value, Tensor) or value.ndim:
                got = f"shape {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
                raise RuntimeError(f"grad: expected the function to return a tensor without dimensions, got {got}")
            found: Any = (None,) * len(leaves)
            if value.requires_grad:
                found = derivatives(value, leaves, create_graph=True, allow_unused=True)
            by_leaf = {id(leaf): zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, found, strict=True)}
            gradient = map_tensors(chosen, lambda leaf: by_leaf[id(leaf)])
        gradient, value, aux = (_closed(part, leaves) for part in (gradient, value, aux))
        return (gradient, (value, aux)) if has_aux else (gradient, value)

    return both


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives the gradient of `func`, one number, by its argument `argnums`.

    >>> grad(grad(lambda x: x**3))(Tensor([2.0]).sum())
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `func`, and the function that multiplies a vector with its Jacobian."""
    leaves: list[Any] = []
    with enable_grad():
        opened = _opened(primals, leaves)
        value = func(*opened)
    value, aux = value if has_aux else (value, None)
    ends = tensors_of(value)

    def pull(*cotangents: Any) -> Any:
        with enable_grad():
            found = derivatives(ends, leaves, tensors_of(cotangents), create_graph=True, allow_unused=True)
        by_leaf = {id(leaf): zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, found, strict=True)}
        return _closed(map_tensors(opened, lambda leaf: by_leaf[id(leaf)]), leaves)

    shown = _closed(value, leaves)
    return (shown, pull, _closed(aux, leaves)) if has_aux else (shown, pull)


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """The value of `func`, and its Jacobian times the tangents; with `has_aux`, what else it returns, too.

    Primals and tangents are tuples of tensors, or of dicts, lists and tuples of them, and so may be what the function returns.

    >>> given = ({"a": Tensor([1.0, 1.0])},)
    >>> jvp(lambda tree: (tree["a"] ** 2).sum(), given, given)
    (tensor(2.), tensor(4.))
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, tuple):
            raise RuntimeError(f"jvp: expected {name} to be a tuple, got {type(given).__name__}")
        if not _tensors(given, f"jvp: expected {name} to hold only Tensors"):
            raise RuntimeError(f"jvp: expected {name} to hold at least one Tensor, got none")
    _expect_same_tree("jvp", primals, tangents)
    kept: list[Any] = []
    shown: list[Any] = []  # what the function returned
    leaves: list[Any] = []
    of_all = _first(func, kept) if has_aux else func
    with enable_grad():
        opened = _opened(primals, leaves)

    def of_leaves(*values: Any) -> Any:
        shown[:] = [of_all(*with_tensors(opened, values))]
        return tuple(_tensors(shown[0], "jvp: expected the function to return only Tensors"))

    found = functional.jvp(of_leaves, tuple(leaves), tuple(tensors_of(tangents)), create_graph=True, strict=strict)
    return (*(_closed(with_tensors(shown[0], part), leaves) for part in found), *kept)


def _tensors(tree: Any, expected: str) -> list[Tensor]:
    """The tensors of a tree; RuntimeError that tells what was expected if it holds anything else."""

    def refuse(value: Any) -> None:
        if value is not None:
            raise RuntimeError(f"{expected}, got {type(value).__name__}")

    map_tensors(tree, lambda x: x, refuse)
    return tensors_of(tree)


def _expect_same_tree(name: str, primals: Any, tangents: Any) -> None:
    """RuntimeError unless the tangents are a tree like the primals."""
    places, others = (map_tensors(tree, lambda _: "Tensor") for tree in (primals, tangents))
    if places != others:
        raise RuntimeError(f"{name}: expected primals and tangents of the same structure, got {places} and {others}")


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of `func` at the primals, and the function of tangents that multiplies its Jacobian there with them.

    The product is linear in the vector of a backward walk, so the derivative by that vector is taken, anew for each call.

    >>> linearize(lambda x: x**2, Tensor([1.0, 2.0]))[1](Tensor([1.0, 1.0]))
    tensor([2., 4.])
    """
    leaves: list[Any] = []
    with enable_grad():
        value = func(*_opened(primals, leaves))
        ends = tensors_of(value)
        sides = [zeros_like(y).requires_grad_() for y in ends]
        linked = [(y, side) for y, side in zip(ends, sides, strict=True) if y.requires_grad]
        pulled: Sequence[Any] = [None] * len(leaves)
        if linked:
            outputs, vectors = zip(*linked, strict=True)
            pulled = derivatives(outputs, leaves, vectors, create_graph=True, allow_unused=True)

    def push(*tangents: Any) -> Any:
        _expect_same_tree("linearize", primals, tangents)
        pairs = [(g, v) for g, v in zip(pulled, tensors_of(tangents), strict=True) if g is not None and g.requires_grad]
        products: Sequence[Any] = [zeros_like(y) for y in sides]
        if pairs:
            gradients, along = zip(*pairs, strict=True)
            products = derivatives(gradients, sides, along, retain_graph=True, materialize_grads=True)
        return with_tensors(value, products)

    return _closed(value, leaves), push


def _first(func: Callable[..., Any], kept: list[Any]) -> Callable[..., Any]:
    """`func` without the second of the two things it returns, which is put into `kept`, without its history."""

    def first(*args: Any) -> Any:
        value, aux = func(*args)
        kept.append(map_tensors(aux, lambda x: x.detach()))
        return value

    return first


def jacrev(
    func: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Callable[..., Any]:
    """The function that gives the Jacobian of `func` by its argument `argnums`, one backward walk an output element.

    Arguments and results may be dicts, lists and tuples of tensors: the Jacobian has for each result the tree of the arguments.
    """

    def matrix(*args: Any) -> Any:
        leaves: list[Any] = []
        places = (argnums,) if isinstance(argnums, int) else argnums
        kept: list[Any] = []
        shown: list[Any] = []  # what the function returned
        of_all = _first(func, kept) if has_aux else func
        chosen, _ = _picked(args, argnums, leaves)

        def of_leaves(*values: Any) -> Any:
            opened = list(args)
            filled = with_tensors(chosen, values)
            for i, value in zip(places, (filled,) if isinstance(argnums, int) else filled, strict=True):
                opened[i] = value
            shown[:] = [of_all(*opened)]
            return tuple(tensors_of(shown[0])) or shown[0]

        found = functional.jacobian(of_leaves, tuple(leaves), create_graph=True)
        found = _closed(with_tensors(shown[0], [with_tensors(chosen, row) for row in found]), leaves)
        return (found, kept[0]) if has_aux else found

    return matrix


def jacfwd(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """What `jacrev` gives, by the same walks: there is no forward mode."""
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that gives the second derivatives of `func` by its argument `argnums`."""
    return jacrev(jacrev(func, argnums), argnums)


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """The function as it is: writes in place are recorded like all else; RuntimeError for another name to `remove`."""
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(f"functionalize: expected remove to be 'mutations' or 'mutations_and_views', got {remove!r}")
    return func
