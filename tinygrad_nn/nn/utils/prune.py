"""Parameters set to zero and kept there by masks: what is small, what chance picks, or what a mask says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from tinygrad_nn import linalg
from tinygrad_nn.creation import ones_like
from tinygrad_nn.methods.joining import cat
from tinygrad_nn.nn.module import Module
from tinygrad_nn.random import rand_like
from tinygrad_nn.tensor import Tensor

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer", "RandomStructured",
    "RandomUnstructured", "custom_from_mask", "global_unstructured", "identity", "is_pruned", "l1_unstructured",
    "ln_structured", "random_structured", "random_unstructured", "remove",
]  # fmt: skip


class BasePruningMethod(ABC):
    """A hook that sets a parameter to original * mask before each forward; a method says how the mask is made."""

    PRUNING_TYPE: ClassVar[str] = "unstructured"
    _tensor_name: str

    def __call__(self, module: Module, inputs: Any) -> None:
        """Set the parameter."""
        object.__setattr__(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask, which is 0 wherever `default_mask` is."""

    def apply_mask(self, module: Module) -> Tensor:
        """original * mask."""
        name = self._tensor_name
        original = getattr(module, f"{name}_orig")
        masked: Tensor = getattr(module, f"{name}_mask").to(original.dtype) * original
        return masked

    @classmethod
    def apply(cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any) -> Any:
        """Prune a parameter, or prune it further; the hook.

        AttributeError for a parameter that is not there, ValueError for scores of another shape.
        """
        method: BasePruningMethod = cls(*args, **kwargs)
        method._tensor_name = name
        before = _hook_of(module, name)
        if before is None:
            if module._parameters.get(name) is None:
                raise AttributeError(f"expected a parameter '{name}' of {type(module).__name__}, found none")
            original = module._parameters.pop(name)
            module.register_parameter(f"{name}_orig", original)
            current = getattr(module, f"{name}_orig").detach()
            mask = ones_like(current)
        else:
            module._drop_hook_("forward_pre", before)
            earlier = before if isinstance(before, PruningContainer) else [before]
            container = PruningContainer(*earlier, method)
            container._tensor_name, method = name, container
            current, mask = getattr(module, name).detach(), getattr(module, f"{name}_mask")
        scores = current if importance_scores is None else importance_scores
        if scores.shape != current.shape:
            raise ValueError(f"importance_scores should have the same shape as parameter {name} of {module}")
        mask = method.compute_mask(scores.detach(), mask)
        module.register_buffer(f"{name}_mask", mask)
        object.__setattr__(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """A tensor pruned, without any module."""
        mask = ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(t if importance_scores is None else importance_scores, mask)

    def remove(self, module: Module) -> None:
        """Make the pruned parameter permanent."""
        name = self._tensor_name
        original = getattr(module, f"{name}_orig")
        original.data = self.apply_mask(module).detach()
        del module._parameters[f"{name}_orig"], module._buffers[f"{name}_mask"]
        module.__dict__.pop(name, None)
        module.register_parameter(name, original)


class PruningContainer(BasePruningMethod):
    """Several methods on one parameter: the newest prunes what the others have left."""

    PRUNING_TYPE = "container"

    def __init__(self, *methods: Any) -> None:
        self._methods: list[Any] = list(methods)

    def add_pruning_method(self, method: Any) -> None:
        """Add one more."""
        self._methods.append(method)

    def __len__(self) -> int:
        return len(self._methods)

    def __iter__(self) -> Any:
        return iter(self._methods)

    def __getitem__(self, i: int) -> Any:
        return self._methods[i]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask before, with the zeros of the newest method among what it kept."""
        method = self._methods[-1]
        mask = default_mask.clone()
        if method.PRUNING_TYPE == "unstructured":
            where: Any = mask == 1
        elif method.PRUNING_TYPE == "structured":
            dim = method.dim % t.ndim
            kept = mask.sum(tuple(i for i in range(t.ndim) if i != dim)) != 0
            where = (*(slice(None),) * dim, kept)
        else:
            where = (slice(None),) * t.ndim
        mask[where] = method.compute_mask(t[where], mask[where])
        return mask


def _count(amount: float, size: int) -> int:
    """How many of `size` a number or share is; ValueError for one that is too great or negative."""
    if isinstance(amount, float):
        if not 0.0 <= amount <= 1.0:
            raise ValueError(f"amount={amount} should be a float in the range [0, 1] or a non-negative integer")
        return round(amount * size)
    if amount < 0:
        raise ValueError(f"amount={amount} should be a float in the range [0, 1] or a non-negative integer")
    if amount > size:
        raise ValueError(f"amount={amount} should be smaller than the number of parameters to prune={size}")
    return int(amount)


class Identity(BasePruningMethod):
    """Nothing pruned."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask as it was."""
        return default_mask


class RandomUnstructured(BasePruningMethod):
    """Any elements."""

    def __init__(self, amount: float) -> None:
        _count(amount, max(int(amount), 1))
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Zeros where the greatest of uniform numbers fall."""
        mask, n = default_mask.clone(), _count(self.amount, t.numel())
        if n:
            mask.view(-1)[rand_like(t).view(-1).topk(n).indices] = 0
        return mask


class L1Unstructured(RandomUnstructured):
    """The smallest elements."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Zeros at the smallest."""
        mask, n = default_mask.clone(), _count(self.amount, t.numel())
        if n:
            mask.view(-1)[t.abs().view(-1).topk(n, largest=False).indices] = 0
        return mask


class RandomStructured(BasePruningMethod):
    """Any slices along a dimension."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        _count(amount, max(int(amount), 1))
        self.amount, self.dim = amount, dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Zeros in the slices that are not kept; IndexError for a dimension that is not there."""
        size = t.shape[self.dim]
        kept = size - _count(self.amount, size)
        if kept == size:
            return default_mask
        mask = ones_like(t) * 0
        if kept:
            dim = self.dim % t.ndim
            mask[(*(slice(None),) * dim, self._kept(t, dim, kept))] = 1
        return mask * default_mask.to(mask.dtype)

    def _kept(self, t: Tensor, dim: int, n: int) -> Tensor:
        """The slices to keep: where the greatest of uniform numbers fall."""
        from_chance: Tensor = rand_like(t.movedim(dim, 0).reshape(t.shape[dim], -1)[:, 0]).topk(n).indices
        return from_chance


class LnStructured(RandomStructured):
    """The slices of the smallest norm."""

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _kept(self, t: Tensor, dim: int, n: int) -> Tensor:
        """The slices of the greatest norm."""
        rows = t.movedim(dim, 0).reshape(t.shape[dim], -1)
        greatest: Tensor = linalg.vector_norm(rows, float(self.n), dim=1).topk(n).indices
        return greatest


class CustomFromMask(BasePruningMethod):
    """What a mask says."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Both masks together."""
        return default_mask * self.mask.to(default_mask.dtype)


def identity(module: Module, name: str) -> Module:
    """Give a parameter a mask of ones; the module."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """Prune elements that chance picks: so many, or that share of them; the module."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Module, name: str, amount: float, importance_scores: Tensor | None = None) -> Module:
    """Prune the smallest elements: so many, or that share of them; the module."""
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """Prune slices along a dimension that chance picks; the module."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module: Module, name: str, amount: float, n: Any, dim: int, importance_scores: Tensor | None = None) -> Module:
    """Prune the slices along a dimension whose n-norm is smallest; the module."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune where a mask is 0; the module."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]], pruning_method: Any, importance_scores: Any = None, **kwargs: Any
) -> None:
    """Prune several parameters as if they were one; TypeError for a method that is not of single elements."""
    pairs = list(parameters)
    scores = importance_scores or {}
    values = [scores.get(pair, getattr(*pair)).detach() for pair in pairs]
    masks = [getattr(module, f"{name}_mask", ones_like(value)) for (module, name), value in zip(pairs, values, strict=True)]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found {method.PRUNING_TYPE!r}')
    container = PruningContainer(method)
    together = container.compute_mask(cat([v.reshape(-1) for v in values]), cat([m.reshape(-1) for m in masks]))
    start = 0
    for (module, name), value in zip(pairs, values, strict=True):
        custom_from_mask(module, name, together[start : start + value.numel()].view_as(value))
        start += value.numel()


def _hook_of(module: Module, name: str) -> Any:
    for hook in module._hooks_.get("forward_pre", {}).values():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            return hook
    return None


def remove(module: Module, name: str) -> Module:
    """Make the pruned parameter permanent; ValueError for one that is not pruned."""
    hook = _hook_of(module, name)
    if hook is None:
        raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")
    hook.remove(module)
    module._drop_hook_("forward_pre", hook)
    return module


def is_pruned(module: Module) -> bool:
    """Whether a module, or one below it, has a pruned parameter."""
    hooks = (hook for part in module.modules() for hook in part._hooks_.get("forward_pre", {}).values())
    return any(isinstance(hook, BasePruningMethod) for hook in hooks)
