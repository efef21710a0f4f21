"""The state of a module: given as a dict by dotted names, and taken over from one."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinygrad_nn.autograd import no_grad
from tinygrad_nn.dtypes import Size
from tinygrad_nn.nn.hooks import Hooks, add
from tinygrad_nn.nn.parameter import Parameter, is_lazy
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import RemovableHandle, wrap

if TYPE_CHECKING:
    from tinygrad_nn.nn.module import Module

EXTRA = "_extra_state"


class _IncompatibleKeys(NamedTuple):
    """What `load_state_dict` did not find in the state, and what it found there but has no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class State(Hooks):
    """The part of a Module that gives its state and takes one over."""

    _version = 1  # handed to hooks; a module that changes its layout gives it another number
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]  # names of buffers that are not part of the state

    def get_extra_state(self) -> Any:
        """What a module has to keep beside parameters and buffers; a subclass that has something overrides it."""
        raise RuntimeError(f"{type(self).__name__}.get_extra_state: expected a subclass to override it")

    def set_extra_state(self, state: Any) -> None:
        """Take over what `get_extra_state` gave; a subclass that overrides that one overrides this one."""
        raise RuntimeError(f"{type(self).__name__}.set_extra_state: expected a subclass to override it")

    def _own_state_(self) -> Iterator[tuple[str, Tensor]]:
        for name, value in (*self._parameters.items(), *self._buffers.items()):
            if value is not None and name not in self._non_persistent_buffers_set:
                yield name, value

    def state_dict(
        self, *args: Any, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """All parameters and persistent buffers by their dotted names, sharing memory with the module.

        They are detached unless `keep_vars`, get `prefix` before their names, and are added to `destination` if one
        is given. Extra state stands behind a module's tensors, under `_extra_state`.
        """
        if args:
            warnings.warn("state_dict: positional arguments are deprecated, use keywords instead", FutureWarning, stacklevel=2)
            given: Any = (*args, *(destination, prefix, keep_vars)[len(args) :])
            destination, prefix, keep_vars = given
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()  # type: ignore[attr-defined]  # each module's version, by its dotted path
        state = destination
        for hook in self._hooks_of_("state_pre"):
            hook.call(self, prefix, keep_vars)
        local_metadata = {"version": self._version}
        if hasattr(state, "_metadata"):
            state._metadata[prefix[:-1]] = local_metadata
        self._save_to_state_dict(state, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._hooks_of_("state_post"):
            replaced = hook.call(self, state, prefix, local_metadata)
            state = state if replaced is None else replaced
        return state

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        """Put this module's own state under `prefix`; a subclass that keeps it in another form overrides this."""
        for name, value in self._own_state_():
            destination[prefix + name] = value if keep_vars or is_lazy(value) else value.detach()
        if type(self).get_extra_state is not State.get_extra_state:
            destination[prefix + EXTRA] = self.get_extra_state()

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Called for each module before anything is taken over: a subclass may change the state, a copy, in place.

        `local_metadata` holds the `_version` of the module that was saved, so that old layouts can be brought up to date.
        """
        for hook in self._hooks_of_("load_pre"):
            hook.call(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)

    def _with_prefixes_(self, prefix: str = "") -> Iterator[tuple[str, State]]:
        """This module and all below it, parents first, by the prefix of their names; one by each name it has."""
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module._with_prefixes_(f"{prefix}{name}.")

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> _IncompatibleKeys:
        """Copy a state into the parameters and buffers, or with `assign` put its tensors in their place.

        Nothing is changed if it does not fit: RuntimeError for wrong shapes and, with `strict`, for missing or
        unexpected keys. TypeError for what is no mapping.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        state, metadata = OrderedDict(state_dict), getattr(state_dict, "_metadata", {})
        modules = list(self._with_prefixes_())
        keys, errors = _IncompatibleKeys([], []), list[str]()
        for prefix, module in modules:
            part = OrderedDict((key, value) for key, value in state.items() if key.startswith(prefix))
            before = list(part)
            module._load_from_state_dict(part, prefix, metadata.get(prefix[:-1], {}), True, *keys, errors)
            for key in before:
                if key not in part:  # a hook has renamed it
                    del state[key]
            state.update(part)
        places = {f"{prefix}{name}": (module, name, value) for prefix, module in modules for name, value in module._own_state_()}
        extra = {prefix + EXTRA: m for prefix, m in modules if type(m).set_extra_state is not State.set_extra_state}
        keys.missing_keys.extend(key for key in (*places, *extra) if key not in state)
        keys.unexpected_keys.extend(key for key in state if key not in places and key not in extra)
        errors += [m for key in places if key in state and (m := _misfit(key, state[key], places[key][2]))]
        hooked = any(module._hooks_of_("load_post") for _, module in modules)
        if errors or not hooked:  # a hook may still take keys off the lists
            self._raise_misfits_(errors, keys, strict)
        with no_grad():
            for key, (module, name, value) in places.items():
                if key in state:
                    _take_over(module, name, value, state[key], assign)
        for key, module in extra.items():
            if key in state:
                module.set_extra_state(state[key])
        for _, module in reversed(modules):
            for hook in module._hooks_of_("load_post"):
                if hook.call(module, keys) is not None:
                    raise AssertionError("a load_state_dict post-hook returned a value: it changes the keys in place")
        self._raise_misfits_(errors, keys, strict)
        return keys

    def _raise_misfits_(self, errors: list[str], keys: _IncompatibleKeys, strict: bool) -> None:
        found = []
        for kind, names in (("Missing", keys.missing_keys), ("Unexpected", keys.unexpected_keys)):
            if strict and names:
                found.append(f"{kind} key(s) in state_dict: " + ", ".join(f'"{name}"' for name in names) + ". ")
        if found or errors:  # in PyTorch's lines, by which programs take it apart
            raise RuntimeError("\n\t".join([f"Error(s) in loading state_dict for {type(self).__name__}:", *found, *errors]))

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Have `hook(module, prefix, keep_vars)` called before `state_dict` takes the module's state."""
        return add(self._hooks_, "state_pre", hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Have `hook(module, state_dict, prefix, local_metadata)` called after; it changes the state in place."""
        return add(self._hooks_, "state_post", _InPlace(hook))

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Have `hook(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors)` called before loading.

        It may change the state, a copy of the one given, and the lists in place; `strict` is True, as in PyTorch.
        """
        return add(self._hooks_, "load_pre", hook)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Have `hook(module, state_dict, prefix, local_metadata)` called after `state_dict`; what it returns replaces that."""
        return add(self._hooks_, "state_post", hook)

    def _register_load_state_dict_pre_hook(self, hook: Callable[..., Any], with_module: bool = False) -> RemovableHandle:
        """As `register_load_state_dict_pre_hook`, but the module is handed to the hook only `with_module`."""
        return add(self._hooks_, "load_pre", hook if with_module else _WithoutModule(hook))

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Have `hook(module, incompatible_keys)` called after loading; it may take keys off the lists in place."""
        return add(self._hooks_, "load_post", hook)


class _InPlace:
    """A hook that changes the state it is given, and may not return another."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self.hook = hook

    def __call__(self, *given: Any) -> None:
        if self.hook(*given) is not None:
            raise RuntimeError("state_dict post-hook must return None")


class _WithoutModule:
    """A hook that is not told which module it is called for; a class, so that a copied module has a copy of it."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self.hook = hook

    def __call__(self, module: State, *given: Any) -> None:
        self.hook(*given)


def _misfit(key: str, value: Any, own: Tensor) -> str:
    """Why a value cannot be loaded into its place; empty if it can."""
    if not isinstance(value, Tensor | np.ndarray):
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint but '
            f"received {type(value)}"
        )
    if is_lazy(own) and is_lazy(value):
        return ""
    if tuple(value.shape) != tuple(own.shape) and not _is_number(own, value):
        return (
            f"size mismatch for {key}: copying a param with shape {Size(value.shape)} from checkpoint, the shape "
            f"in current model is {Size(own.shape)}."
        )
    return ""


def _is_number(own: Tensor, value: Any) -> bool:
    """Whether a parameter without dimensions is given as one with a single element, as PyTorch 0.3 saved it."""
    return not own.ndim and tuple(value.shape) == (1,)


def _take_over(module: State, name: str, own: Tensor, value: Any, assign: bool) -> None:
    if is_lazy(own):
        return
    if _is_number(own, value):
        value = value.reshape(())
    if not assign:
        own._write(value.detach().numpy() if isinstance(value, Tensor) else value, "load_state_dict")
        return
    value = value if isinstance(value, Tensor) else wrap(value)
    if isinstance(own, Parameter):
        value = value if isinstance(value, Parameter) else Parameter(value, own.requires_grad)
        value.requires_grad_(own.requires_grad)
    setattr(module, name, value)
