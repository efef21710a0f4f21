"""Trees of dicts, lists and tuples, taken apart into their leaves and put together again, as `torch.utils._pytree` does."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

__all__ = ["TreeSpec", "tree_flatten", "tree_leaves", "tree_map", "tree_map_", "tree_map_only", "tree_unflatten"]

PyTree: TypeAlias = Any


class TreeSpec(NamedTuple):
    """The shape of a tree: its type, what else it needs to be made again, and the shapes of its children; a leaf has no type."""

    type: Any
    context: Any
    children: tuple[TreeSpec, ...]

    @property
    def num_leaves(self) -> int:
        """How many leaves there are."""
        return 1 if self.type is None else sum(child.num_leaves for child in self.children)


LEAF = TreeSpec(None, None, ())


def _opened(tree: PyTree) -> tuple[Any, Iterable[Any]] | None:
    """What a tree needs to be made again, and its children; None for a leaf."""
    kind = type(tree)
    if kind in (dict, OrderedDict, defaultdict):
        return (list(tree), getattr(tree, "default_factory", None)), tree.values()
    if kind in (list, tuple) or (isinstance(tree, tuple) and hasattr(tree, "_fields")):
        return None, tree
    return None


def _closed(spec: TreeSpec, children: list[Any]) -> PyTree:
    if spec.context is not None:
        names, factory = spec.context
        pairs = zip(names, children, strict=True)
        return defaultdict(factory, pairs) if spec.type is defaultdict else spec.type(pairs)
    return spec.type(*children) if hasattr(spec.type, "_fields") else spec.type(children)


def tree_flatten(tree: PyTree, is_leaf: Callable[[PyTree], bool] | None = None) -> tuple[list[Any], TreeSpec]:
    """The leaves, and the shape of the tree; `is_leaf` says of more values that they are leaves.

    >>> tree_flatten({"a": 1, "b": (2, [3])})[0]
    [1, 2, 3]
    """
    found = None if is_leaf is not None and is_leaf(tree) else _opened(tree)
    if found is None:
        return [tree], LEAF
    context, children = found
    parts = [tree_flatten(child, is_leaf) for child in children]
    return [leaf for leaves, _ in parts for leaf in leaves], TreeSpec(type(tree), context, tuple(spec for _, spec in parts))


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> PyTree:
    """The tree of a shape with these leaves; ValueError for another number of them."""
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(f"tree_unflatten: expected {treespec.num_leaves} leaves, got {len(leaves)}")
    return _built(iter(leaves), treespec)


def _built(leaves: Any, spec: TreeSpec) -> PyTree:
    return next(leaves) if spec.type is None else _closed(spec, [_built(leaves, child) for child in spec.children])


def tree_leaves(tree: PyTree, is_leaf: Callable[[PyTree], bool] | None = None) -> list[Any]:
    """The leaves."""
    return tree_flatten(tree, is_leaf)[0]


def tree_map(
    func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: Callable[[PyTree], bool] | None = None
) -> PyTree:
    """A tree of the function's results for each leaf, and the leaves of the other trees that stand at the same place."""
    leaves, spec = tree_flatten(tree, is_leaf)
    return tree_unflatten(map(func, leaves, *(_at_leaves(rest, spec) for rest in rests)), spec)


def _at_leaves(tree: PyTree, spec: TreeSpec) -> list[Any]:
    """What a tree has where one of this shape has its leaves; ValueError where there is no such place."""
    if spec.type is None:
        return [tree]
    if type(tree) is not spec.type or len(tree) != len(spec.children):
        raise ValueError(f"tree_map: expected {spec.type.__name__} of {len(spec.children)} in all trees, got {tree}")
    children = tree if spec.context is None else [tree[name] for name in spec.context[0]]
    return [leaf for child, part in zip(children, spec.children, strict=True) for leaf in _at_leaves(child, part)]


def tree_map_(
    func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: Callable[[PyTree], bool] | None = None
) -> PyTree:
    """The tree itself, after the function has been called for each leaf."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_only(kind: Any, func: Callable[[Any], Any], tree: PyTree, is_leaf: Callable[[PyTree], bool] | None = None) -> PyTree:
    """A tree of the function's results for the leaves of a type, or of one of several, with all others as they are."""
    return tree_map(lambda leaf: func(leaf) if isinstance(leaf, kind) else leaf, tree, is_leaf=is_leaf)
