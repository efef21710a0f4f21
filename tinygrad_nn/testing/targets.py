"""What can be checked, brought to one form: outputs from inputs, and gradients from inputs and upstream gradients."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from tinygrad_nn.autograd import Function, enable_grad, grad, no_grad
from tinygrad_nn.nn import Module
from tinygrad_nn.op import Array
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap

Arrays: TypeAlias = Sequence[Any]  # one per input; what is not a float array is handed on as it is


@runtime_checkable
class Engine(Protocol):
    """A hand-written backward: `forward(*inputs)` keeps what it needs, `backward(*upstream)` follows it."""

    def forward(self, *inputs: Any) -> Any:
        """The output, or a tuple of outputs, as arrays."""

    def backward(self, *upstream: Any) -> Any:
        """One gradient an input, given one an output of the last forward; a single one need not be in a tuple."""


class Target:
    """A function under test."""

    takes_arrays = True  # whether it is handed arrays, so that it may be tried on complex ones
    stateless = True  # whether its gradients depend on nothing but their arguments

    def __init__(self, inputs: Arrays, names: Sequence[str], checked: Sequence[int]) -> None:
        self.inputs = list(inputs)
        self.names = list(names)
        self.checked = list(checked)  # the numbers of the inputs whose gradients are looked at
        self.shaped = list(checked)  # those of them that may be given in another shape

    def holds_arrays(self) -> bool:
        """Whether the function brings arrays of its own along, whose dtype it may rightly take."""
        return True

    def values(self, inputs: Arrays) -> list[Array]:
        """The outputs."""
        raise NotImplementedError

    def gradients(self, inputs: Arrays, upstream: Sequence[Array]) -> list[Array | None]:
        """The gradients of the checked inputs, as the code under test gives them."""
        raise NotImplementedError


class PairTarget(Target):
    """A plain pair (f, vjp) of NumPy callables."""

    def __init__(self, f: Callable[..., Any], vjp: Callable[..., Any], inputs: Arrays, names: Sequence[str]) -> None:
        arrays = [as_array(value) for value in inputs]
        super().__init__(arrays, names, floating(arrays))
        self.f, self.vjp = f, vjp

    def holds_arrays(self) -> bool:
        """Whether f closes over arrays, or is no plain function."""
        cells = [cell.cell_contents for cell in getattr(self.f, "__closure__", None) or ()]
        held = [*cells, *(getattr(self.f, "__defaults__", None) or ())]
        return not hasattr(self.f, "__code__") or any(np.ndim(v) > 0 or callable(v) for v in held)

    def values(self, inputs: Arrays) -> list[Array]:
        """The outputs of f."""
        return _outputs(self.f(*inputs))

    def gradients(self, inputs: Arrays, upstream: Sequence[Array]) -> list[Array | None]:
        """What vjp gives for the checked inputs."""
        given = self.vjp(upstream[0] if len(upstream) == 1 else tuple(upstream), *inputs)
        return _one_each(given, len(inputs), self.checked, "vjp")


class EngineTarget(Target):
    """An object with forward and backward."""

    stateless = False

    def __init__(self, engine: Engine, inputs: Arrays, names: Sequence[str]) -> None:
        arrays = [as_array(value) for value in inputs]
        super().__init__(arrays, names, floating(arrays))
        self.engine = engine

    def values(self, inputs: Arrays) -> list[Array]:
        """The outputs of forward."""
        return _outputs(self.engine.forward(*inputs))

    def gradients(self, inputs: Arrays, upstream: Sequence[Array]) -> list[Array | None]:
        """Forward, and then what backward gives for the checked inputs."""
        self.engine.forward(*inputs)
        return _one_each(self.engine.backward(*upstream), len(inputs), self.checked, "backward")


class TensorTarget(Target):
    """A function of Tensors."""

    takes_arrays = False

    def __init__(self, f: Callable[..., Any], inputs: Arrays, names: Sequence[str]) -> None:
        values = [v.detach().numpy() if isinstance(v, Tensor) else as_array(v) for v in inputs]
        wanting = [i for i, v in enumerate(inputs) if isinstance(v, Tensor) and v.requires_grad]
        given = [i for i, v in enumerate(inputs) if isinstance(v, Tensor) and v.is_floating_point()]
        if given and not wanting and len(given) == len(floating(values)):
            raise ValueError(f"gradcheck: none of the {len(given)} input tensors requires grad; call requires_grad_() on one")
        plain = [i for i in floating(values) if not isinstance(inputs[i], Tensor)]
        super().__init__(values, names, sorted([*wanting, *plain]))
        self.constants = [i for i, v in enumerate(inputs) if isinstance(v, Tensor | np.ndarray)]
        self.f = f

    def tensors(self, inputs: Arrays) -> list[Any]:
        """The inputs as the function takes them: the checked ones as leaves that require grad."""
        tensors = [wrap(v) if i in self.constants or i in self.checked else v for i, v in enumerate(inputs)]
        for i in self.checked:
            tensors[i].requires_grad_()
        return tensors

    def values(self, inputs: Arrays) -> list[Array]:
        """The floating outputs."""
        with no_grad():
            return [out.detach().numpy() for out in flat_tensors(self.f(*self.tensors(inputs)))]

    def gradients(self, inputs: Arrays, upstream: Sequence[Array]) -> list[Array | None]:
        """What autograd gives for the checked inputs."""
        with enable_grad():
            tensors = self.tensors(inputs)
            leaves = [tensors[i] for i in self.checked]
            found = differentiated(flat_tensors(self.f(*tensors)), leaves, [wrap(u) for u in upstream])
        return [None if g is None else g.detach().numpy() for g in found]


class ModuleTarget(TensorTarget):
    """A Module: its inputs and its parameters are checked, on a copy in float64."""

    def __init__(self, module: Module, inputs: Arrays, names: Sequence[str]) -> None:
        own = copy.deepcopy(module).double()
        parameters = list(own.named_parameters())
        arrays = [v.detach().numpy() if isinstance(v, Tensor) else as_array(v) for v in inputs]
        self.module, self.count = own, len(arrays)
        leaves = [wrap(v).requires_grad_() if i in floating(arrays) else v for i, v in enumerate(arrays)]
        super().__init__(self._call, [*leaves, *(p for _, p in parameters)], [*names, *(name for name, _ in parameters)])
        self.constants = [i for i, v in enumerate(self.inputs) if isinstance(v, np.ndarray)]
        self.shaped = [i for i in self.checked if i < self.count]

    def _call(self, *tensors: Any) -> Any:
        places = dict(zip(self.names[self.count :], tensors[self.count :], strict=True))
        with _replaced(self.module, places):
            return self.module(*tensors[: self.count])


class _replaced:
    """A module with other tensors in the places of its parameters, within a `with` block."""

    def __init__(self, module: Module, tensors: dict[str, Any]) -> None:
        self.places = []
        for path, tensor in tensors.items():
            owner, _, name = path.rpartition(".")
            self.places.append((module.get_submodule(owner)._parameters, name, tensor))

    def __enter__(self) -> None:
        self.kept = [store[name] for store, name, _ in self.places]
        for store, name, tensor in self.places:
            store[name] = tensor

    def __exit__(self, *_: object) -> None:
        for (store, name, _), parameter in zip(self.places, self.kept, strict=True):
            store[name] = parameter


class SecondOrder(Target):
    """The gradients of a function of Tensors as functions of its inputs and of its upstream gradients."""

    takes_arrays = False

    def __init__(self, first: TensorTarget, upstream: Sequence[Array]) -> None:
        count = len(first.inputs)
        names = [*first.names, *(f"upstream {i}" if len(upstream) > 1 else "upstream" for i in range(len(upstream)))]
        super().__init__([*first.inputs, *upstream], names, [*first.checked, *range(count, count + len(upstream))])
        self.first, self.count = first, count
        self.shaped = []

    def values(self, inputs: Arrays) -> list[Array]:
        """The first derivatives, zero where an input is not used."""
        found = self.first.gradients(inputs[: self.count], inputs[self.count :])
        return [np.zeros(np.shape(inputs[i])) if g is None else g for i, g in zip(self.first.checked, found, strict=True)]

    def gradients(self, inputs: Arrays, upstream: Sequence[Array]) -> list[Array | None]:
        """What autograd gives when it differentiates its own gradients."""
        with enable_grad():
            tensors = self.first.tensors(inputs[: self.count])
            weights = [wrap(u).requires_grad_() for u in inputs[self.count :]]
            leaves = [tensors[i] for i in self.first.checked]
            outputs = flat_tensors(self.first.f(*tensors))
            first = differentiated(outputs, leaves, weights, create_graph=True)
            pairs = [(g, wrap(v)) for g, v in zip(first, upstream, strict=True) if g is not None and g.requires_grad]
            found: Sequence[Any] = [None] * (len(leaves) + len(weights))
            if pairs:
                found = differentiated([g for g, _ in pairs], [*leaves, *weights], [v for _, v in pairs])
        return [None if g is None else g.detach().numpy() for g in found]


def target_of(target: Any, inputs: Any, names: Sequence[str] | None) -> Target:
    """The form in which a user's target can be checked; TypeError for what is none."""
    listed = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    names = list(names) if names is not None else [f"input {i}" for i in range(len(listed))]
    if len(names) != len(listed):
        raise ValueError(f"gradcheck: expected a name for each of {len(listed)} inputs, got {len(names)}")
    found: Target
    if isinstance(target, tuple) and len(target) == 2 and all(map(callable, target)):
        found = PairTarget(*target, listed, names)
    elif isinstance(target, Module):
        found = ModuleTarget(target, listed, names)
    elif isinstance(target, type) and issubclass(target, Function):
        found = TensorTarget(target.apply, listed, names)
    elif isinstance(target, Engine) and not isinstance(target, type):
        found = EngineTarget(target, listed, names)
    elif callable(target):
        found = TensorTarget(target, listed, names)
    else:
        raise TypeError(
            "gradcheck: expected a function of Tensors, a Function, a Module, a pair (f, vjp) or an object with forward and "
            f"backward, got {type(target).__name__}"
        )
    if not found.checked:
        kinds = ", ".join(str(getattr(v, "dtype", type(v).__name__)) for v in listed)
        hint = "hand over what it holds" if any(isinstance(v, dict | tuple) for v in listed) else "integers have no gradient"
        raise TypeError(
            f"gradcheck: expected at least one floating input, a tensor, array or number, got {kinds or 'no input'}; {hint}"
        )
    for i in found.checked:
        found.inputs[i] = np.array(found.inputs[i], np.float64)
    return found


def differentiated(
    outputs: Sequence[Tensor], leaves: Sequence[Tensor], weights: Sequence[Tensor], create_graph: bool = False
) -> tuple[Any, ...]:
    """The gradients of `leaves`, None for those that no output depends on."""
    pairs = [(out, w) for out, w in zip(outputs, weights, strict=True) if out.requires_grad]
    if not pairs:
        return (None,) * len(leaves)
    return grad([out for out, _ in pairs], leaves, [w for _, w in pairs], allow_unused=True, create_graph=create_graph)


def flat_tensors(result: Any) -> list[Tensor]:
    """The floating tensors among a function's results."""
    if isinstance(result, Tensor):
        return [result] if result.is_floating_point() else []
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, list | tuple):
        return [tensor for part in result for tensor in flat_tensors(part)]
    return []


def as_array(value: Any) -> Any:
    """A float or a list of numbers as an array; anything else as it is."""
    try:
        return np.array(value) if isinstance(value, float | list | np.generic) else value
    except ValueError:
        kinds = ", ".join(type(part).__name__ for part in value)
        raise TypeError(f"gradcheck: expected a list that makes one array, got one of {kinds} of unlike shapes") from None


def floating(inputs: Arrays) -> list[int]:
    """The numbers of the inputs that are float arrays."""
    return [i for i, v in enumerate(inputs) if isinstance(v, np.ndarray) and v.dtype.kind == "f"]


def _outputs(result: Any) -> list[Array]:
    return [np.asarray(out) for out in (result if isinstance(result, tuple | list) else (result,))]


def _one_each(given: Any, count: int, checked: Sequence[int], name: str) -> list[Array | None]:
    gradients = list(given) if isinstance(given, tuple | list) else [given]
    if len(gradients) == len(checked) != count:
        return [None if g is None else np.asarray(g) for g in gradients]
    if len(gradients) != count:
        raise ValueError(f"gradcheck: expected {count} gradients of {name}, one an input, got {len(gradients)}")
    return [None if gradients[i] is None else np.asarray(gradients[i]) for i in checked]
