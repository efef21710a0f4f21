"""Functions of functions, as `torch.func`: each gives a function that computes derivatives of the one it is given."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tinygrad_nn.autograd import enable_grad, functional
from tinygrad_nn.autograd.function import mapping
from tinygrad_nn.autograd.gradients import grad as derivatives
from tinygrad_nn.creation import zeros_like
from tinygrad_nn.generator import default_generator
from tinygrad_nn.graph import Node, node_of, reachable
from tinygrad_nn.methods.joining import stack
from tinygrad_nn.tensor import Tensor

__all__ = [
    "functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize",
    "stack_module_state", "vjp", "vmap",
]  # fmt: skip

Argnums = int | tuple[int, ...]


def _tree(value: Any, change: Callable[[Tensor], Any], other: Callable[[Any], Any] = lambda value: value) -> Any:
    """The dicts, lists and tuples of `value` with each tensor changed, and by `other` all else."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _tree(item, change, other) for key, item in value.items()}
    return type(value)(_tree(item, change, other) for item in value) if type(value) in (list, tuple) else other(value)


def _flat(value: Any) -> list[Tensor]:
    """The tensors of a tree, in its order."""
    found: list[Tensor] = []
    _tree(value, found.append)
    return found


def _filled(tree: Any, values: Sequence[Any]) -> Any:
    """The tree with these values, in its order, in the place of its tensors."""
    remaining = iter(values)
    return _tree(tree, lambda _: next(remaining))


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

    return _tree(value, fresh, _refuse)


def _closed(value: Any, leaves: list[Any]) -> Any:
    """The values without their history, unless it leads to anything but our own leaves."""
    own = {id(leaf) for leaf in leaves}

    def close(x: Tensor) -> Tensor:
        if not x.requires_grad:
            return x
        ends = [x.edge, *(edge for node in reachable([x.edge]) for edge in node.edges if edge is not None)]
        foreign = any(not isinstance(node_of(end), Node) and id(end) not in own for end in ends)
        return x if foreign else x.detach()

    return _tree(value, close)


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
            gradient = _tree(chosen, lambda leaf: by_leaf[id(leaf)])
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
    ends = _flat(value)

    def pull(*cotangents: Any) -> Any:
        with enable_grad():
            found = derivatives(ends, leaves, _flat(cotangents), create_graph=True, allow_unused=True)
        by_leaf = {id(leaf): zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, found, strict=True)}
        return _closed(_tree(opened, lambda leaf: by_leaf[id(leaf)]), leaves)

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
        shown[:] = [of_all(*_filled(opened, values))]
        return tuple(_tensors(shown[0], "jvp: expected the function to return only Tensors"))

    found = functional.jvp(of_leaves, tuple(leaves), tuple(_flat(tangents)), create_graph=True, strict=strict)
    return (*(_closed(_filled(shown[0], part), leaves) for part in found), *kept)


def _tensors(tree: Any, expected: str) -> list[Tensor]:
    """The tensors of a tree; RuntimeError that tells what was expected if it holds anything else."""

    def refuse(value: Any) -> None:
        if value is not None:
            raise RuntimeError(f"{expected}, got {type(value).__name__}")

    _tree(tree, lambda x: x, refuse)
    return _flat(tree)


def _expect_same_tree(name: str, primals: Any, tangents: Any) -> None:
    """RuntimeError unless the tangents are a tree like the primals."""
    places, others = (_tree(tree, lambda _: "Tensor") for tree in (primals, tangents))
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
        ends = _flat(value)
        sides = [zeros_like(y).requires_grad_() for y in ends]
        linked = [(y, side) for y, side in zip(ends, sides, strict=True) if y.requires_grad]
        pulled: Sequence[Any] = [None] * len(leaves)
        if linked:
            outputs, vectors = zip(*linked, strict=True)
            pulled = derivatives(outputs, leaves, vectors, create_graph=True, allow_unused=True)

    def push(*tangents: Any) -> Any:
        _expect_same_tree("linearize", primals, tangents)
        pairs = [(g, v) for g, v in zip(pulled, _flat(tangents), strict=True) if g is not None and g.requires_grad]
        products: Sequence[Any] = [zeros_like(y) for y in sides]
        if pairs:
            gradients, along = zip(*pairs, strict=True)
            products = derivatives(gradients, sides, along, retain_graph=True, materialize_grads=True)
        return _filled(value, products)

    return _closed(value, leaves), push


def _first(func: Callable[..., Any], kept: list[Any]) -> Callable[..., Any]:
    """`func` without the second of the two things it returns, which is put into `kept`, without its history."""

    def first(*args: Any) -> Any:
        value, aux = func(*args)
        kept.append(_tree(aux, lambda x: x.detach()))
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
            filled = _filled(chosen, values)
            for i, value in zip(places, (filled,) if isinstance(argnums, int) else filled, strict=True):
                opened[i] = value
            shown[:] = [of_all(*opened)]
            return tuple(_flat(shown[0])) or shown[0]

        found = functional.jacobian(of_leaves, tuple(leaves), create_graph=True)
        found = _closed(_filled(shown[0], [_filled(chosen, row) for row in found]), leaves)
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


def vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *, chunk_size: int | None = None
) -> Callable[..., Any]:
    """The function that calls `func` for each slice along `in_dims` and stacks what it gives along `out_dims`.

    What is given by keyword goes to each call as it is. The calls come one after the other: the gain is in what is written,
    not in time. ValueError for arguments without a dimension to go along, or of several sizes; RuntimeError for a `func`
    that writes to an argument that is the same in each call, or that draws random numbers, unless `randomness` is "same", for
    the same draws in each call, or "different".

    >>> vmap(lambda x: x.sum())(Tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([3., 7.])
    """
    if randomness not in ("error", "same", "different"):
        raise RuntimeError(f"vmap: expected randomness to be 'error', 'same' or 'different', got {randomness!r}")

    def mapped(*args: Any, **kwargs: Any) -> Any:
        dims = in_dims if isinstance(in_dims, tuple) else (in_dims,) * len(args)
        if len(dims) != len(args):
            raise ValueError(f"vmap: in_dims is not compatible with the inputs: {len(dims)} dims for {len(args)} arguments")
        sizes: set[int] = set()
        shared: list[Any] = []
        for value, dim in zip(args, dims, strict=True):
            _along(value, dim, lambda x, d: sizes.add(x.shape[d]), lambda tree: shared.extend(_flat(tree)))
        if len(sizes) != 1:
            raise ValueError(f"vmap: expected inputs of one size in the dimension mapped over, got {sorted(sizes) or 'none'}")
        before, results = default_generator.get_state(), []
        for i in range(*sizes):
            pick = functools.partial(_slice, i)
            own = [_along(value, dim, pick) for value, dim in zip(args, dims, strict=True)]
            if randomness == "same":
                default_generator.set_state(before)
            with _read_only(shared), mapping(randomness):
                results.append(func(*own, **kwargs))
        if randomness == "error" and (before != default_generator.get_state()).any():
            default_generator.set_state(before)
            raise RuntimeError("vmap: called random operation while in randomness error mode")
        return _stacked(results, out_dims)

    return mapped


def _slice(i: int, x: Tensor, dim: int) -> Tensor:
    return x.select(dim, i)


@contextmanager
def _read_only(tensors: Sequence[Any]) -> Iterator[None]:
    """Until the block ends, writes to these tensors are a RuntimeError."""
    locked = [x._data for x in tensors if x._data.flags.writeable]
    for array in locked:
        array.flags.writeable = False
    try:
        yield
    finally:
        for array in locked:
            array.flags.writeable = True


def _along(
    value: Any, dims: Any, change: Callable[[Tensor, int], Any], keep: Callable[[Any], Any] = lambda value: value
) -> Any:
    """A tree with each tensor that has a dimension to go along changed, and by `keep` all else; `dims` is one, or a tree."""
    if isinstance(value, Mapping):
        return {k: _along(v, dims[k] if isinstance(dims, Mapping) else dims, change, keep) for k, v in value.items()}
    if isinstance(value, list | tuple):
        each = dims if isinstance(dims, list | tuple) else (dims,) * len(value)
        parts = [_along(v, d, change, keep) for v, d in zip(value, each, strict=True)]
        return parts if isinstance(value, list) else tuple(parts)
    if dims is None:
        return keep(value)
    if not isinstance(value, Tensor):
        raise ValueError(f"vmap: got in_dim={dims} for an input which is not a Tensor, but {type(value).__name__}")
    if not value.ndim or not -value.ndim <= dims < value.ndim:
        raise ValueError(f"vmap: got in_dim={dims} for an input of dimensionality {value.ndim}")
    return change(value, dims)


def _stacked(results: list[Any], dims: Any) -> Any:
    first = results[0]
    if isinstance(first, Mapping):
        return {k: _stacked([r[k] for r in results], dims[k] if isinstance(dims, Mapping) else dims) for k in first}
    if isinstance(first, list | tuple):
        each = dims if isinstance(dims, list | tuple) else (dims,) * len(first)
        parts = [_stacked([r[i] for r in results], d) for i, d in enumerate(each)]
        return parts if isinstance(first, list) else tuple(parts)
    if not isinstance(first, Tensor):
        raise ValueError(f"vmap: expected the function to return Tensors, got type {type(first).__name__}")
    return first if dims is None else stack(results, dims)


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of several modules of a kind, stacked by name along a new first dimension.

    RuntimeError for no modules, or for different kinds.
    """
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({type(model) for model in models}) > 1 or len({model.training for model in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class and in one mode.")
    stacked = []
    for named in ("named_parameters", "named_buffers"):
        each = [dict(getattr(model, named)()) for model in models]
        leaves = {name: stack([one[name].detach() for one in each]) for name in each[0]}
        for name, leaf in leaves.items():
            leaf.requires_grad_(each[0][name].requires_grad)
        stacked.append(leaves)
    return stacked[0], stacked[1]


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """The module called with these tensors in the place of its own, and names that it has not left out.

    RuntimeError if `strict` and the names are not just its own; ValueError for a name in several dicts, and, with
    `tie_weights`, for several values of one tied tensor.
    """
    given = parameter_and_buffer_dicts
    parts = [given] if isinstance(given, Mapping) else given
    if not isinstance(parts, list | tuple) or not all(isinstance(part, Mapping) for part in parts):
        raise ValueError(f"functional_call: expected a dict, or a list or tuple of dicts, of tensors, got {type(given).__name__}")
    merged: dict[str, Tensor] = {}
    for part in parts:
        twice = sorted(merged.keys() & part.keys())
        if twice:
            raise ValueError(f"functional_call: expected each name in one dict, got {twice} in several")
        merged.update(part)
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    with _swapped(module, merged, tie_weights, strict):
        return module(*arguments, **(kwargs or {}))


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """The function as it is: writes in place are recorded like all else; RuntimeError for another name to `remove`."""
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(f"functionalize: expected remove to be 'mutations' or 'mutations_and_views', got {remove!r}")
    return func


@contextmanager
def _swapped(module: Any, given: Mapping[str, Tensor], tie_weights: bool, strict: bool) -> Iterator[None]:
    """The module with other tensors, until the block ends; a tensor that it holds in several places changes in all."""
    places: dict[str, tuple[dict[str, Any], str]] = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        for held in (part._parameters, part._buffers):
            there = [name for name, value in held.items() if value is not None]
            places.update({f"{prefix}.{name}" if prefix else name: (held, name) for name in there})
    unknown = sorted(set(given) ^ set(places))
    if strict and unknown:
        raise RuntimeError(f"functional_call: expected names among {', '.join(places)}; differs in {unknown}")
    before = {name: held[key] for name, (held, key) in places.items()}
    tied: dict[int, Tensor] = {}
    for name, value in given.items():
        if name in before and tied.setdefault(id(before[name]), value) is not value and tie_weights:
            raise ValueError(f"functional_call: expected one value for tied weights, got another for '{name}' (see tie_weights)")
    try:
        for name, (held, key) in places.items():
            held[key] = given.get(name, tied.get(id(before[name]), before[name]) if tie_weights else before[name])
        yield
    finally:
        for name, (held, key) in places.items():
            held[key] = before[name]
