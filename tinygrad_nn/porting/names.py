"""PyTorch's names and what they are here: the object, or a sentence about what is missing and what is nearest."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from types import FunctionType, ModuleType
from typing import Any

from tinygrad_nn.nn.modules import FILES as LAYER_FILES

__all__ = ["ABSENT", "MISSING", "PACKAGES", "find", "missing", "module"]

PACKAGES = {"torch": "tinygrad_nn", "torchvision": "tinygrad_nn.vision"}
MISSING = object()

# Parts of this package whose names PyTorch does not have, or has for something else.
INNER = {
    "bessel_arrays", "creation", "doctor", "draws", "dtypes", "foreach", "generator", "graph", "in_place", "incomplete", "lowrank",
    "memory", "memory_order", "methods", "node_names", "numpy_protocol", "op", "op_node", "ops", "porting", "printing", "ranges",
    "runtime", "special_arrays", "stream", "sums", "tensor", "train", "variable", "vision", "viz", "windows",
}  # fmt: skip

# PyTorch's files, which programs import from: all that is in them is in the package around them.
FILES = {
    "torch.distributions": "bernoulli beta binomial categorical cauchy chi2 continuous_bernoulli dirichlet exp_family exponential"
    " fishersnedecor gamma generalized_pareto geometric gumbel half_cauchy half_normal independent inverse_gamma kumaraswamy"
    " laplace lkj_cholesky log_normal logistic_normal lowrank_multivariate_normal mixture_same_family multinomial"
    " multivariate_normal negative_binomial normal one_hot_categorical pareto poisson studentT transformed_distribution uniform"
    " von_mises weibull wishart",
    "torch.nn.modules": " ".join(LAYER_FILES),
    "torchvision.datasets": "cifar folder mnist",
    "torchvision.transforms": "transforms v2",
}
ELSEWHERE = {
    "torch.distributions.relaxed_bernoulli": "tinygrad_nn.distributions.relaxed",
    "torch.distributions.relaxed_categorical": "tinygrad_nn.distributions.relaxed",
    "torch.multiprocessing": "multiprocessing",
    "torch.functional": "tinygrad_nn",
    "torch.nn.modules.utils": "tinygrad_nn.nn.tuples",
    "torch.nn.utils.spectral_norm": "tinygrad_nn.nn.utils.normalized",
    "torch.nn.utils.weight_norm": "tinygrad_nn.nn.utils.normalized",
    "torch.utils.data._utils": "tinygrad_nn.utils.data",
    "torch.utils.data._utils.collate": "tinygrad_nn.utils.data.collate",
    "torch.amp.autocast_mode": "tinygrad_nn.amp",
    "torch.amp.grad_scaler": "tinygrad_nn.amp",
    "torch.autograd.variable": "tinygrad_nn.autograd",
    "torch.cuda.amp.autocast_mode": "tinygrad_nn.cuda.amp",
    "torch.cuda.amp.grad_scaler": "tinygrad_nn.cuda.amp",
    "torch.optim._adafactor": "tinygrad_nn.optim.adafactor",
    "torch.optim._muon": "tinygrad_nn.optim.muon",
    **{
        f"{parent}.{name}": parent.replace(root, PACKAGES[root], 1)
        for parent, names in FILES.items()
        for root in [parent.split(".")[0]]
        for name in names.split()
    },
}

# Modules of PyTorch's that a program may import although they are not here: what is used of them says so.
ABSENT = {
    "torch.ao", "torch.export", "torch.fft", "torch.fx", "torch.hub", "torch.library", "torch.nested", "torch.onnx",
    "torch.package", "torch.profiler", "torch.quantization", "torch.sparse", "torch.utils.benchmark", "torch.utils.collect_env",
    "torch.utils.cpp_extension", "torch.utils.model_zoo", "torchvision.models", "torchvision.ops",
}  # fmt: skip

# What to do without the families that are not here.
INSTEAD = {
    "torch.autograd.forward_ad": "torch.autograd.functional.jvp gives the same products",
    "torch.autograd.profiler": "Python's cProfile is there",
    "torch.bfloat16": "torch.float16 and torch.float32 are",
    "torch.complex": "there are no complex numbers",
    "torch.complex128": "there are no complex numbers",
    "torch.complex64": "there are no complex numbers",
    "torch.cuda": "there is no GPU: ask torch.cuda.is_available() first",
    "torch.distributed": "there is one process: call the model itself",
    "torch.fft": "np.fft takes x.numpy(), without derivatives",
    "torch.fx": "call the model itself",
    "torch.hub": "write the network with torch.nn and load its weights from a safetensors file",
    "torch.jit.load": "write the network with torch.nn and load its weights from a safetensors file",
    "torch.jit.save": "weights go out as a safetensors file: torch.save(model.state_dict(), path)",
    "torch.nn.parallel": "there is one process: call the model itself",
    "torch.onnx": "weights go out as a safetensors file: torch.save(model.state_dict(), path)",
    "torch.polar": "there are no complex numbers",
    "torch.profiler": "Python's cProfile is there",
    "torch.quantization": "weights stay in floats",
    "torch.sparse": "tensors are dense",
    "torch.stft": "np.fft takes x.numpy(), without derivatives",
    "torch.view_as_complex": "there are no complex numbers",
    "torchvision.models": "write the network with torch.nn and load its weights from a safetensors file",
}


def module(name: str) -> ModuleType | None:
    """The module here that answers to PyTorch's `name`; None if there is none."""
    root, *parts = name.split(".")
    if parts and parts[0] in INNER:
        return None
    ours = ELSEWHERE.get(name, ".".join([PACKAGES[root], *parts]))
    try:
        return import_module(ours) if find_spec(ours) else None
    except ModuleNotFoundError:  # a part of the path is no package
        return None


def find(name: str) -> Any:
    """What PyTorch's dotted `name` is here; MISSING if it is not, or only there to be refused."""
    root, *parts = name.split(".")
    found: Any = module(root)
    dotted = root
    for part in parts:
        owner, dotted = found, f"{dotted}.{part}"
        if isinstance(owner, FunctionType):
            return None  # what a function carries is nobody's public name
        found = getattr(owner, part, MISSING)
        if isinstance(owner, ModuleType) and (found is MISSING or isinstance(found, ModuleType)):
            found = module(dotted) or MISSING
        if found is MISSING or refusal(found):
            return MISSING
    return found


def refusal(value: Any) -> str:
    """The first sentence of the docstring of what only says that it is not supported; empty for all else."""
    text = getattr(value, "__doc__", None) if callable(value) else None
    return text.split("\n")[0].rstrip(".") if isinstance(text, str) and text.startswith("Not supported") else ""


def missing(name: str) -> str:
    """One line: what is not here, and the nearest thing that is."""
    parts = name.split(".")
    for i in range(1, len(parts)):  # the shortest name that fails is the one to speak of
        if find(".".join(parts[: i + 1])) is MISSING:
            parts = parts[: i + 1]
            break
    name = ".".join(parts)
    hint = _hint(name)
    return f"{name} is not in tinygrad_nn" + (f": {hint}" if hint else "")


def _hint(name: str) -> str:
    root, *parts = name.split(".")
    for i in range(len(parts), 0, -1):
        instead = INSTEAD.get(".".join([root, *parts[:i]]))
        if instead:
            return instead
    parent, last = name.rsplit(".", 1)
    refused = refusal(getattr(find(parent), last, None))
    if refused:
        return refused[0].lower() + refused[1:]
    near = "" if name in ABSENT else nearest(name)
    return f"the nearest is {near}" if near else ""


def nearest(name: str) -> str:
    """The name here that is most like it: the same elsewhere, one spelled alike beside it, or one spelled alike anywhere."""
    parent, last = name.rsplit(".", 1)
    known = _known()
    same = [f"{place}.{one}" for place, names in known.items() for one in names if one.lower() == last.lower() and place != parent]
    if same:
        return same[0]
    beside = known.get(parent, _names(find(parent)))
    close = get_close_matches(last, beside, 1, 0.75)
    if close:
        return f"{parent}.{close[0]}"
    anywhere = {one: f"{place}.{one}" for place, names in reversed(known.items()) for one in names}
    close = get_close_matches(last, anywhere, 1, 0.85)
    return anywhere[close[0]] if close else ""


@functools.cache
def _known() -> dict[str, list[str]]:
    """The public names by PyTorch's module or class, those that are looked in first at the front."""
    places = [
        "torch", "torch.Tensor", "torch.nn", "torch.nn.functional", "torch.nn.init", "torch.nn.utils", "torch.nn.utils.rnn",
        "torch.optim", "torch.optim.lr_scheduler", "torch.linalg", "torch.special", "torch.autograd",
        "torch.autograd.functional", "torch.func", "torch.utils", "torch.utils.data", "torchvision.datasets",
        "torchvision.transforms", "torchvision.utils",
    ]  # fmt: skip
    return {place: _names(find(place)) for place in places if find(place) is not MISSING}


def _names(owner: Any) -> list[str]:
    return list(_public(owner)) if owner is not None and owner is not MISSING else []


def _public(owner: Any) -> Iterator[str]:
    """The names of a module or class that are meant to be used, as far as they can be told."""
    listed = getattr(owner, "__all__", None)
    for name in listed if isinstance(listed, list) else dir(owner):
        value = getattr(owner, name, None)
        foreign = not isinstance(value, type | FunctionType) or not value.__module__.startswith("tinygrad_nn")
        if not name.startswith("_") and not refusal(value) and not (isinstance(owner, ModuleType) and foreign):
            yield name
