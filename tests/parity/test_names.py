"""Every public name is PyTorch's, takes PyTorch's arguments, and is tried beside PyTorch by some test of this folder."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

import tinygrad_nn

torch = pytest.importorskip("torch")

PLACES = [
    "", "Tensor", "nn", "nn.functional", "nn.init", "nn.utils", "nn.utils.rnn", "optim", "optim.lr_scheduler", "optim.swa_utils",
    "linalg", "special", "autograd", "autograd.functional", "func", "utils.data", "utils.checkpoint",
    "distributions", "nn.utils.parametrize", "nn.utils.parametrizations", "nn.utils.prune",
]  # fmt: skip

# What PyTorch does not have, or has in another place.
OWN = {
    "Tensor": {"hooked_gradient", "receive_gradient", "rewrap"},  # what the walk back asks of a tensor
    "autograd": {"is_anomaly_enabled", "is_grad_enabled", "is_inference_mode_enabled", "once_differentiable"},
}


def place(package, path):
    """The module or class at a dotted path in a package."""
    if path == "Tensor":
        return package.Tensor
    return importlib.import_module(f"{package.__name__}.{path}" if path else package.__name__)


def public(path):
    """The callables that a place offers: those it lists, or all of this package that have no underscore in front."""
    owner = place(tinygrad_nn, path)
    found = {}
    for name in getattr(owner, "__all__", None) or dir(owner):
        value = getattr(owner, name)
        ours = path == "Tensor" or hasattr(owner, "__all__") or str(getattr(value, "__module__", "")).startswith(owner.__name__)
        if not name.startswith("_") and callable(value) and ours:
            found[name] = value
    return found


def parameters(function):
    """The names of the parameters that may be given by position, and of those by keyword; None where Python cannot tell."""
    try:
        listed = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if not listed or inspect.Parameter.VAR_POSITIONAL in [parameter.kind for parameter in listed]:
        return None
    places = [p.name for p in listed if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and not p.name.startswith("_")]
    return places, [p.name for p in listed if p.kind is p.KEYWORD_ONLY]


def spellings(path, name):
    """PyTorch's parameters as Python sees them; for what is not in Python, as each overload lists them and as the page does.

    Without the tensor that a method is called on, wherever its overload lists it.
    """
    function = getattr(place(torch, path), name, None)
    found = parameters(function)
    if found is not None or inspect.isfunction(function):
        return [] if found is None else [(found[0][1 if path == "Tensor" else 0 :], found[1])]
    overloads = getattr(torch.ops.aten, f"{path}_{name}" if path in ("linalg", "special") else name, None)
    listed = []
    for overload in overloads.overloads() if overloads else ():
        arguments = getattr(overloads, overload)._schema.arguments
        called_on = "self" if path == "Tensor" else None
        names = [("input" if one.name == "self" else one.name, one.kwarg_only) for one in arguments if one.name != called_on]
        if arguments:
            listed.append(([one for one, keyword in names if not keyword], [one for one, keyword in names if keyword]))
    first = (inspect.getdoc(function) or "").strip().split("\n")[0]
    page = re.match(r"(?:\w+\.)*\w+\(([^()\[\]]*)\) ->", first)
    if page and page[1] and "..." not in first:
        before, _, after = page[1].partition("*")
        written = [re.findall(r"(\w+)(?:=[^,]*)?(?:,|$)", part.strip()) for part in (before, after)]
        listed.append((written[0], written[1]))
    return listed


def tried():
    """The names that the parity tests use: as attributes, in strings, and as f"{name}_" makes them of the file's others."""
    found = set()
    for path in Path(__file__).parent.rglob("*.py"):
        if path.name != Path(__file__).name:
            found |= names_in(ast.parse(path.read_text()))
    return found


def names_in(tree):
    skipped = set()  # docstrings, and what an error is expected to say
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        if isinstance(node, ast.keyword) and node.arg == "match":
            skipped |= {id(child) for child in ast.walk(node)}
    found, patterns = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            found |= set(re.findall(r"[A-Za-z]\w*", node.value))
        elif isinstance(node, ast.JoinedStr) and id(node) not in skipped:
            parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
            if parts.count(None) == 1:
                i = parts.index(None)
                before, after = "".join(parts[:i]), "".join(parts[i + 1 :])
                patterns.add((re.search(r"\w*$", before)[0], re.match(r"\w*", after)[0]))
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and isinstance(node.right, ast.Constant):
            patterns.add(("", node.right.value if node.right.value == "_" else ""))
    return found | {f"{before}{name}{after}" for before, after in patterns for name in found}


@pytest.mark.parametrize("path", PLACES)
def test_every_name_is_pytorchs(path):
    theirs = place(torch, path)
    different = [name for name in public(path) if not hasattr(theirs, name) and name not in OWN.get(path, ())]
    assert not different, f"PyTorch has no {path}: {', '.join(different)}"


@pytest.mark.parametrize("path", PLACES)
def test_positional_parameters_are_pytorchs(path):
    """By one of its spellings: at each place its name, unless that is a word of Python's; places at the end may be left out."""
    different = []
    for name, function in public(path).items():
        found, expected = parameters(function), spellings(path, name)
        if found is None or not expected:
            continue
        names = found[0][1 if path == "Tensor" else 0 :]
        if not any(fits(names, *one) for one in expected):
            different.append(f"{name}: expected {' or '.join(sorted({str(places) for places, _ in expected}))}, got {names}")
    assert not different, "\n".join(different)


def fits(found, places, keywords):
    """Whether the names are PyTorch's, place by place; more of them only where it has them by keyword."""
    pairs = zip(found, places, strict=False)
    return all(theirs in (ours, "from") for ours, theirs in pairs) and set(found[len(places) :]) <= set(keywords)


@pytest.mark.parametrize("path", PLACES)
def test_every_name_is_tried_beside_pytorch(path):
    known = tried()
    untried = [name for name in public(path) if name not in known | OWN.get(path, set())]
    assert not untried, f"no parity test uses, of {path or 'torch'}: {', '.join(untried)}"
