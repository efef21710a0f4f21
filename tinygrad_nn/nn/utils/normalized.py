"""Weights kept at a length or a greatest singular value: Salimans & Kingma 2016 and Miyato et al. 2018.

`weight_norm` and `spectral_norm` in their older form, by which a hook sets the weight before each forward.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_nn import linalg
from tinygrad_nn.autograd import no_grad
from tinygrad_nn.nn.convolution import ConvTranspose1d, ConvTranspose2d
from tinygrad_nn.nn.functional import normalize
from tinygrad_nn.nn.module import Module
from tinygrad_nn.nn.parameter import Parameter
from tinygrad_nn.tensor import Tensor

__all__ = [
    "SpectralNorm", "WeightNorm", "as_matrix", "divided", "norm_except", "of_length", "remove_spectral_norm",
    "remove_weight_norm", "spectral_norm", "weight_norm",
]  # fmt: skip


def norm_except(v: Tensor, dim: int | None) -> Tensor:
    """The 2-norm along all dimensions but one, which stay with size 1; of all elements for None or -1."""
    if dim is None or dim == -1:
        return linalg.vector_norm(v)
    return linalg.vector_norm(v, dim=tuple(i for i in range(v.ndim) if i != dim % v.ndim), keepdim=True)


def of_length(g: Tensor, v: Tensor, dim: int | None) -> Tensor:
    """g * v / |v|: a weight of length g in the direction of v."""
    weight: Tensor = v * (g / norm_except(v, dim))
    return weight


def divided(weight: Tensor, matrix: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """The weight by the greatest singular value of its matrix, which is u @ matrix @ v for the vectors that belong to it."""
    scaled: Tensor = weight / (u @ (matrix @ v))
    return scaled


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """The weight with dimension `dim` as rows, all others as columns."""
    first = weight if dim == 0 else weight.transpose(0, dim) if weight.ndim < 3 else weight.movedim(dim, 0)
    return first.reshape(first.shape[0], -1)


def usual_dim(module: Module) -> int:
    """The dimension of a layer's outputs in its weight."""
    return 1 if isinstance(module, ConvTranspose1d | ConvTranspose2d) else 0


class WeightNorm:
    """Before each forward: weight = g * v / |v|."""

    title, parts = "weight_norm", ("_g", "_v")

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, dim

    def compute(self, module: Module) -> Tensor:
        """The weight."""
        return of_length(getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v"), self.dim)

    def __call__(self, module: Module, inputs: Any) -> None:
        """Set the weight."""
        object.__setattr__(module, self.name, self.compute(module))


class SpectralNorm:
    """Before each forward: weight = original / its greatest singular value, by power iteration while training."""

    title, parts = "spectral_norm", ("_orig", "_u", "_v")

    def __init__(self, name: str, n_power_iterations: int, eps: float, dim: int) -> None:
        self.name, self.n, self.eps, self.dim = name, n_power_iterations, eps, dim

    def compute(self, module: Module, iterate: bool) -> Tensor:
        """The weight, after steps of the power iteration if `iterate`."""
        weight, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        matrix = as_matrix(weight, self.dim)
        if iterate:
            with no_grad():
                for _ in range(self.n):
                    v.copy_(normalize(matrix.t() @ u, dim=0, eps=self.eps))
                    u.copy_(normalize(matrix @ v, dim=0, eps=self.eps))
                u, v = u.clone(), v.clone()
        return divided(weight, matrix, u, v)

    def __call__(self, module: Module, inputs: Any) -> None:
        """Set the weight."""
        object.__setattr__(module, self.name, self.compute(module, module.training))


def _hooked(module: Module, kind: type, name: str) -> Any:
    """The hook of a kind that makes the parameter of a name, or None."""
    for hook in module._hooks_.get("forward_pre", {}).values():
        if isinstance(hook, kind) and getattr(hook, "name", None) == name:
            return hook
    return None


def _taken(module: Module, name: str) -> Tensor:
    """The parameter of a name, which the module no longer has."""
    taken = module._parameters.get(name)
    if taken is None:
        raise ValueError(f"expected a parameter '{name}' of {type(module).__name__}, found none")
    del module._parameters[name]
    return taken


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train the length and the direction of a weight in its place; the module itself.

    ValueError for a parameter that the module has not, RuntimeError for one that is hooked already.
    """
    if _hooked(module, WeightNorm, name):
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    weight, hook = _taken(module, name), WeightNorm(name, dim)
    module.register_parameter(f"{name}_g", Parameter(norm_except(weight.detach(), dim)))
    module.register_parameter(f"{name}_v", Parameter(weight))
    object.__setattr__(module, name, hook.compute(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make the weight a parameter again; ValueError if it is not normed."""
    return _restored(module, name, WeightNorm, lambda hook: hook.compute(module))


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight by its greatest singular value; the module itself.

    ValueError for a parameter that the module has not, RuntimeError for one that is hooked already.
    """
    if _hooked(module, SpectralNorm, name):
        raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    if n_power_iterations <= 0:
        raise ValueError(f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}")
    hook = SpectralNorm(name, n_power_iterations, eps, usual_dim(module) if dim is None else dim)
    weight = _taken(module, name)
    rows, columns = as_matrix(weight.detach(), hook.dim).shape
    u, v = (normalize(weight.new_empty(n).normal_(0, 1), dim=0, eps=eps) for n in (rows, columns))
    module.register_parameter(f"{name}_orig", Parameter(weight))
    object.__setattr__(module, name, weight.detach())
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make the divided weight a parameter again; ValueError if it is not divided."""
    return _restored(module, name, SpectralNorm, lambda hook: hook.compute(module, iterate=False))


def _restored(module: Module, name: str, kind: Any, computed: Callable[[Any], Tensor]) -> Module:
    """The module with the computed weight as a parameter, without the hook of a kind and what it was made of."""
    hook = _hooked(module, kind, name)
    if hook is None:
        raise ValueError(f"{kind.title} of '{name}' not found in {module}")
    with no_grad():
        weight = computed(hook)
    for part in kind.parts:
        delattr(module, name + part)
    module.__dict__.pop(name, None)
    module.register_parameter(name, Parameter(weight))
    module._drop_hook_("forward_pre", hook)
    return module
