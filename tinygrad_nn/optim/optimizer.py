"""Optimizer: parameter groups, their options and state; knows no update rule."""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any, TypeAlias

from tinygrad_nn.autograd import enable_grad
from tinygrad_nn.nn.parameter import zero_gradient
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import RemovableHandle

ParamsT: TypeAlias = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]

_GLOBAL_HOOKS: dict[str, list[Callable[..., Any]]] = {"step_pre": [], "step_post": []}  # those of all optimisers


class _Required:
    """The default of an option that each group must be given."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Have `hook(optimizer, args, kwargs)` called before each step of every optimiser."""
    return RemovableHandle(_GLOBAL_HOOKS["step_pre"], hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Have `hook(optimizer, args, kwargs)` called after each step of every optimiser."""
    return RemovableHandle(_GLOBAL_HOOKS["step_post"], hook)


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """A step with the hooks called around it; one that a subclass calls by super() is part of its own."""

    @functools.wraps(step)
    def call(self: Optimizer, *args: Any, **options: Any) -> Any:
        if self._stepping_ or not (self._hooks_ or any(_GLOBAL_HOOKS.values())):
            return step(self, *args, **options)
        arguments: tuple[Any, ...] = (self, *args)
        self._stepping_ = True
        try:
            for hook in (*_GLOBAL_HOOKS["step_pre"], *self._hooks_of_("step_pre")):
                replaced = hook(self, arguments, options)
                if replaced is not None:
                    if not isinstance(replaced, tuple) or len(replaced) != 2:
                        raise RuntimeError(f"a step pre-hook must return None or a tuple of (new_args, new_kwargs), got {replaced}")
                    arguments, options = replaced
            result = step(*arguments, **options)
            for hook in (*self._hooks_of_("step_post"), *_GLOBAL_HOOKS["step_post"]):
                hook(self, arguments, options)
            return result
        finally:
            self._stepping_ = False

    return call


class Optimizer:
    """The base of all optimisers: holds groups of parameters with their options, and a state for each parameter.

    A subclass that wraps another optimiser may set `param_groups`, `state` and `defaults` itself and call no `__init__`.
    """

    defaults: dict[str, Any]
    state: defaultdict[Any, Any]
    param_groups: list[dict[str, Any]]
    _stepping_ = False  # whether a step with hooks is under way
    _hooks_: Mapping[str, list[Callable[..., Any]]] = MappingProxyType({})

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "step" in vars(cls):
            cls.step = _with_hooks(cls.step)  # type: ignore[method-assign]

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError("params argument given to the optimizer should be an iterable of Tensors or dicts, got a Tensor")
        self.defaults = defaults
        self.state = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes over: not the hooks, and not what a scheduler has set."""
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over the state and the groups that a copy or `load_state_dict` brings; a subclass may add to them."""
        self.__dict__.update(state)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, or pairs of a name and a parameter, with options of their own; the dict becomes the group.

        TypeError for what is no dict of ordered tensors; ValueError for a parameter that is no leaf or in a group
        already, where some have names and others none, and for an option that is required and not given.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        given = param_group["params"]
        if isinstance(given, set):
            raise TypeError("optimizer parameters need to be organized in ordered collections, such as a list, got a set")
        given = [given] if isinstance(given, Tensor) else list(given)
        names = [p[0] for p in given if isinstance(p, tuple)]
        if names and len(names) != len(given):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        if self.param_groups and bool(names) != ("param_names" in self.param_groups[0]):
            raise ValueError("all optimizer param groups should be with/without names, got one that is not as the first")
        parameters = [p[1] if isinstance(p, tuple) else p for p in given]
        known = {id(p) for group in self.param_groups for p in group["params"]}
        for parameter in parameters:
            if not isinstance(parameter, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(parameter).__name__}")
            if not parameter.is_leaf:
                raise ValueError("can't optimize a non-leaf Tensor")
            if id(parameter) in known:
                raise ValueError("some parameters appear in more than one parameter group")
        if len({id(p) for p in parameters}) != len(parameters):
            warnings.warn("optimizer contains a parameter group with duplicate parameters", stacklevel=3)
        for option, default in self.defaults.items():
            if default is required and option not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {option}")
        param_group.update(params=parameters, **({"param_names": names} if names else {}))
        for option, default in self.defaults.items():
            param_group.setdefault(option, default)
        self.param_groups.append(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if set_to_none:
                    parameter._grad = None
                else:
                    zero_gradient(parameter)

    @_with_hooks
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; `closure`, if given, computes the loss, which is returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        name = type(self).__name__
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter._grad is not None:
                    state = self.state.get(parameter, {})
                    self.update(parameter._data, parameter._grad._data, state, group)
                    if state:  # an optimiser that keeps nothing leaves no empty entries
                        self.state[parameter] = state
                    parameter._touch(name)
        return loss

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Change the array `p` in place, given its gradient `g`, which stays as it is; each optimiser writes its own."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """The state by parameter number and the groups' options, as PyTorch lays them out."""
        for hook in self._hooks_of_("state_pre"):
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for parameter in group["params"]:
                numbers.setdefault(id(parameter), len(numbers))
            groups.append({
                **{k: v for k, v in group.items() if k != "params"},
                "params": [numbers[id(p)] for p in group["params"]],
            })  # fmt: skip
        state = {numbers[id(key)] if isinstance(key, Tensor) else key: kept for key, kept in self.state.items()}
        found: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in self._hooks_of_("state_post"):
            replaced = hook(self, found)
            found = found if replaced is None else replaced
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave; ValueError if the groups do not fit, and then nothing is changed."""
        state_dict = dict(state_dict)
        for hook in self._hooks_of_("load_pre"):
            replaced = hook(self, state_dict)
            state_dict = state_dict if replaced is None else replaced
        groups = state_dict["param_groups"]
        if len(groups) != len(self.param_groups):
            raise ValueError(
                f"loaded state dict has {len(groups)} parameter groups, the optimizer has {len(self.param_groups)}"
            )
        for theirs, own in zip(groups, self.param_groups, strict=True):
            if len(theirs["params"]) != len(own["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group: "
                    f"{len(theirs['params'])} and {len(own['params'])}"
                )
        loaded: list[dict[str, Any]] = []
        by_number: dict[Any, Tensor] = {}
        for theirs, own in zip(groups, self.param_groups, strict=True):
            by_number.update(zip(theirs["params"], own["params"], strict=True))
            kept = {k: own[k] for k in (*self.defaults, "param_names") if k in own and k not in theirs}
            loaded.append({**deepcopy(theirs), "params": own["params"], **kept})
        state: defaultdict[Any, Any] = defaultdict(dict)
        for number, held in state_dict["state"].items():
            parameter = by_number.get(int(number) if isinstance(number, str) and number.isdigit() else number)
            if parameter is None:
                state[number] = deepcopy(held)
            else:
                state[parameter] = _fitted(held, parameter)
        self.__setstate__({"state": state, "param_groups": loaded})
        for hook in self._hooks_of_("load_post"):
            hook(self)

    def _register_(self, kind: str, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        hooks = self._hooks_.get(kind, [])
        self._hooks_ = {**self._hooks_, kind: hooks}
        handle = RemovableHandle(hooks, hook)
        if prepend:
            hooks.insert(0, hooks.pop())
        return handle

    def _hooks_of_(self, kind: str) -> list[Callable[..., Any]]:
        """A copy, since a hook may remove itself."""
        return list(self._hooks_.get(kind, ()))

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Have `hook(optimizer, args, kwargs)` called before each step; a pair it returns replaces the two."""
        return self._register_("step_pre", hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Have `hook(optimizer, args, kwargs)` called after each step."""
        return self._register_("step_post", hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Have `hook(optimizer)` called before `state_dict`."""
        return self._register_("state_pre", hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Have `hook(optimizer, state_dict)` called after `state_dict`; what it returns replaces the state."""
        return self._register_("state_post", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Have `hook(optimizer, state_dict)` called before loading; what it returns replaces the state, a shallow copy."""
        return self._register_("load_pre", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Have `hook(optimizer)` called after loading."""
        return self._register_("load_post", hook, prepend)

    def __repr__(self) -> str:
        groups = []
        for i, group in enumerate(self.param_groups):
            options = [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
            groups.append("\n".join([f"Parameter Group {i}", *options]))
        return f"{type(self).__name__} (\n" + "\n\n".join(groups) + "\n)"


def _fitted(value: Any, parameter: Tensor, key: str = "") -> Any:
    """A copy of a parameter's state; its tensors in the dtype of the parameter, but for the count of the steps."""
    if isinstance(value, dict):
        return {k: _fitted(item, parameter, k) for k, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_fitted(item, parameter) for item in value)
    if isinstance(value, Tensor) and key != "step" and parameter.is_floating_point():
        return value.detach().clone().to(parameter.dtype)
    return deepcopy(value)
