"""Modules as functions of their parameters and buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tinygrad_nn.methods.joining import stack
from tinygrad_nn.tensor import Tensor


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
