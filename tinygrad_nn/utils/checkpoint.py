"""Checkpoints: a part of the graph that saves nothing, and computes its forward again when the walk back arrives there."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any

from tinygrad_nn.autograd import enable_grad, is_grad_enabled
from tinygrad_nn.autograd.function import FunctionNode
from tinygrad_nn.generator import default_generator
from tinygrad_nn.graph import Node, Storage, clock, reachable
from tinygrad_nn.op_node import OpNode
from tinygrad_nn.random import fork_rng
from tinygrad_nn.tensor import Tensor

__all__ = ["checkpoint", "checkpoint_sequential", "noop_context_fn"]


def noop_context_fn() -> tuple[Any, Any]:
    """Two contexts that do nothing: what `checkpoint` runs its two forwards in."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """`function` of the arguments, whose saved values are dropped, and computed again in backward.

    The gradients are those without it. There is one way, whatever `use_reentrant` says; with `preserve_rng_state` the
    second run draws the random numbers of the first. `context_fn` gives a context for each of the two runs.

    >>> x = Tensor([0.5, 1.0]).requires_grad_()
    >>> checkpoint(lambda x: (x * x).exp().sum(), x, use_reentrant=False).backward()
    >>> x.grad
    tensor([1.2840, 5.4366])
    """
    if use_reentrant and kwargs:
        raise ValueError(f"checkpoint: expected keyword arguments only with use_reentrant=False, got {', '.join(kwargs)}")
    if use_reentrant and (debug or context_fn is not noop_context_fn):
        raise ValueError("checkpoint: expected context_fn and debug only with use_reentrant=False, got use_reentrant=True")
    if not is_grad_enabled():
        return function(*args, **kwargs)
    state = default_generator.get_state()
    first, second = context_fn()
    start = next(clock)
    with first:
        result = function(*args, **kwargs)
    nodes = _made(result, start)
    released = [node for node in nodes if _saved(node)]
    if released:
        _Again(released, [weakref.ref(node) for node in nodes], _rerun(function, args, kwargs, state, preserve_rng_state, second))
    return result


def checkpoint_sequential(
    functions: Iterable[Callable[..., Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    *,
    preserve_rng_state: bool = True,
) -> Any:
    """`input` through the functions in turn, in `segments` parts; each but the last is a checkpoint."""
    steps = list(functions)
    size = len(steps) // segments
    for i in range(segments - 1):
        part = _chain(steps[i * size : (i + 1) * size])
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state)
    return _chain(steps[(segments - 1) * size :])(input)


def _chain(steps: Sequence[Callable[..., Any]]) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return run


def _rerun(function: Any, args: Any, kwargs: Any, state: Any, preserve: bool, context: Any) -> Callable[[], list[Node]]:
    """What runs the function again as it ran, and gives the nodes that it makes."""

    def rerun() -> list[Node]:
        with fork_rng(enabled=preserve), enable_grad(), context:
            if preserve:
                default_generator.set_state(state)
            start = next(clock)
            return _made(function(*args, **kwargs), start)

    return rerun


def _tensors(value: Any) -> Iterable[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def _made(result: Any, start: int) -> list[Node]:
    """The nodes under the result that are younger than `start`, oldest first."""
    return [node for node in reachable(x.edge for x in _tensors(result) if x.requires_grad) if node.serial > start]


def _saved(node: Node) -> Any:
    """What the node holds for its backward; nothing if it is free or holds nothing."""
    return node.saved if isinstance(node, OpNode | FunctionNode) else None


class _Again:
    """Frees the nodes of a forward; the first that the walk reaches has all of them filled by a second one.

    The nodes hold this object through their hooks, so it holds them weakly: no cycle.
    """

    def __init__(self, released: list[Node], nodes: list[weakref.ref[Node]], rerun: Callable[[], list[Node]]) -> None:
        self.nodes, self.rerun = nodes, rerun
        self.done = False
        for node in released:
            node.release()
            node.hooks = node.hooks or []
            node.hooks.insert(0, self)

    def __call__(self, gradient: Any) -> Any:
        """The gradient as it is, once the nodes are filled."""
        if not self.done:
            self.done = True
            self.fill(self.rerun())
            del self.rerun
        return gradient

    def fill(self, fresh: list[Node]) -> None:
        """Hand what each new node saved to the old one in its place."""
        old = [reference() for reference in self.nodes]
        names = [None if node is None else node.name() for node in old]
        if len(old) != len(fresh) or any(name not in (None, node.name()) for name, node in zip(names, fresh, strict=True)):
            raise RuntimeError(
                f"checkpoint: expected the second run to record the {len(old)} operations of the first, got {len(fresh)} or others"
            )
        for node, new in zip(old, fresh, strict=True):
            if isinstance(node, OpNode) and isinstance(new, OpNode) and new.saved:
                node.saved = new.saved
                node.storages = tuple([_unwritten(storage, node, new) for storage in new.storages])
            elif isinstance(node, FunctionNode) and isinstance(new, FunctionNode) and new.saved:
                node.saved = [(x, i, storage and _unwritten(storage, node, new)) for x, i, storage in new.saved]


def _unwritten(storage: Storage, old: Node, new: Node) -> Storage:
    """The storage for `old`, which what the second run wrote in place before `new` saved its value is no change to."""
    return Storage() if old.serial < storage.changed <= new.serial else storage
