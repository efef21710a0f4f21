"""A script read, not run: which of PyTorch's names it uses, and which of them are not here."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from tinygrad_nn.dtypes import bfloat16, complex64, complex128
from tinygrad_nn.methods.aliases import NAMES
from tinygrad_nn.porting.names import ABSENT, MISSING, PACKAGES, find, missing
from tinygrad_nn.porting.run import compiled, source
from tinygrad_nn.tensor import Tensor

__all__ = ["check"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES = (*_FUNCTIONS, ast.ClassDef)


def check(path: str) -> tuple[int, list[tuple[int, str]]]:
    """How many of PyTorch's names the script uses, and for each that is not here its line and a sentence.

    Names are followed through imports and their aliases, and into the methods of what is certainly a tensor.
    """
    compiled(path)  # its errors are the ones to show
    reader = Reader()
    reader.read(ast.parse(source(path)))
    return len(reader.used), sorted(reader.absent)


class Scope:
    """The names that one function, class or module binds: to a name of PyTorch's, or to the values assigned to them."""

    def __init__(self, node: ast.AST) -> None:
        self.imported: dict[str, str | None] = {}
        self.values: dict[str, list[ast.AST | None]] = {}
        if isinstance(node, _FUNCTIONS):
            given = node.args
            for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
                if argument is not None:
                    starred = argument in (given.vararg, given.kwarg)
                    self.values[argument.arg] = [None if starred else argument]
        for child in _within(node):
            if isinstance(child, ast.Assign) and len(child.targets) == 1 and isinstance(child.targets[0], ast.Name):
                self.values.setdefault(child.targets[0].id, []).append(child.value)
        simple = {id(child.targets[0]) for child in _within(node) if isinstance(child, ast.Assign) and len(child.targets) == 1}
        simple |= {id(child.target) for child in _within(node) if isinstance(child, ast.AugAssign)}  # in place: what it was
        for child in _within(node):
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store) and id(child) not in simple:
                self.values.setdefault(child.id, []).append(None)


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a scope, without those of the scopes in it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, _SCOPES):
            yield from _within(child)


def _parameters(function: Any) -> Mapping[str, inspect.Parameter]:
    """The parameters of a callable by name; none where Python cannot tell."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


class Reader(ast.NodeVisitor):
    """Walks the tree with the scopes that are open, and looks each of PyTorch's names up."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.used: set[str] = set()
        self.absent: set[tuple[int, str]] = set()
        self.open: set[tuple[int, str]] = set()  # names being followed, for x = x + 1

    def read(self, node: ast.AST) -> None:
        """Visit what is in a scope."""
        self.scopes.append(Scope(node))
        for child in _within(node):  # a function may use what the module imports below it
            if isinstance(child, ast.Import | ast.ImportFrom):
                self.bind(child)
        self.generic_visit(node)
        self.scopes.pop()

    def visit_FunctionDef(self, node: Any) -> None:
        """A scope of its own; its decorators, defaults and annotations stand outside, which no name in them notices."""
        self.read(node)

    visit_AsyncFunctionDef = visit_Lambda = visit_ClassDef = visit_FunctionDef

    def use(self, name: str, line: int) -> Any:
        """What the name is here; what is not is noted."""
        self.used.add(name)
        found = find(name)
        if found is MISSING:
            self.absent.add((line, missing(name)))
        return found

    def bind(self, node: ast.Import | ast.ImportFrom) -> None:
        """Note what an import binds; it is looked up on its own line."""
        names = self.scopes[-1].imported
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.split(".")[0]
                if root in PACKAGES:
                    there = alias.name in ABSENT or self.use(alias.name, node.lineno) is not MISSING
                    names[alias.asname or root] = (alias.name if there else None) if alias.asname else root
        elif node.level == 0 and (node.module or "").split(".")[0] in PACKAGES:
            owner = self.use(str(node.module), node.lineno)
            for alias in node.names if owner is not MISSING else ():
                if alias.name == "*":
                    names.update({name: f"{node.module}.{name}" for name in getattr(owner, "__all__", dir(owner))})
                    continue
                dotted = f"{node.module}.{alias.name}"
                there = dotted in ABSENT or self.use(dotted, node.lineno) is not MISSING
                names[alias.asname or alias.name] = dotted if there else None

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Look up a chain that begins at one of PyTorch's names, or a method of a tensor."""
        dotted = self.dotted(node)
        if dotted is not None:
            if isinstance(node.ctx, ast.Load):
                self.use(dotted, node.lineno)
            return
        if isinstance(node.ctx, ast.Load) and self.is_tensor(node.value):
            self.use(f"torch.Tensor.{node.attr}", node.lineno)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Look up the keywords too, where the signature lists all that there are, and dtypes that are there by name only."""
        dotted = self.dotted(node.func)
        found = None if dotted is None else find(dotted)
        if callable(found) and found is not MISSING:
            known = _parameters(found)
            if known and not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values()):
                others = [name for name, one in NAMES.items() if one in known] if hasattr(found, "also_numpy_names") else []
                for keyword in node.keywords:
                    if keyword.arg is not None and keyword.arg not in (*known, *others):
                        self.absent.add((node.lineno, f"{dotted} takes no argument {keyword.arg!r} in tinygrad_nn"))
        converts = isinstance(node.func, ast.Attribute) and node.func.attr in ("to", "type")
        if converts or (dotted is not None and "autocast" not in dotted):
            self.visit_dtypes([*node.args, *(keyword.value for keyword in node.keywords)])
        self.generic_visit(node)

    def visit_dtypes(self, arguments: list[ast.expr]) -> None:
        """Note the arguments that are dtypes with a name to compare with and nothing else."""
        for argument in arguments:
            dotted = self.dotted(argument)
            if dotted is not None and any(find(dotted) is known for known in (bfloat16, complex64, complex128)):
                self.absent.add((argument.lineno, missing(dotted)))

    def dotted(self, node: ast.AST) -> str | None:
        """PyTorch's name that an attribute chain spells; None for anything else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        for scope in reversed(self.scopes):
            if node.id in scope.imported:
                start = scope.imported[node.id]
                return None if start is None else ".".join([start, *reversed(parts)])
            if node.id in scope.values:
                return None
        return None

    def is_tensor(self, node: ast.AST | None) -> bool:
        """Whether the expression is a tensor for certain."""
        if isinstance(node, ast.Name):
            for i, scope in reversed(list(enumerate(self.scopes))):
                if node.id in scope.imported:
                    return False
                if node.id in scope.values:
                    if (i, node.id) in self.open:
                        return True  # as far as this value goes: the others decide
                    self.open.add((i, node.id))
                    try:
                        return all(self.is_tensor(value) for value in scope.values[node.id])
                    finally:
                        self.open.remove((i, node.id))
            return False
        if isinstance(node, ast.arg):
            dotted = None if node.annotation is None else self.dotted(node.annotation)
            return dotted is not None and find(dotted) is Tensor
        if isinstance(node, ast.BinOp):
            return self.is_tensor(node.left) or self.is_tensor(node.right)
        if isinstance(node, ast.UnaryOp):
            return not isinstance(node.op, ast.Not) and self.is_tensor(node.operand)
        if isinstance(node, ast.Subscript):
            return self.is_tensor(node.value)
        if isinstance(node, ast.Attribute):
            return node.attr in ("T", "mT", "data") and self.is_tensor(node.value)
        return isinstance(node, ast.Call) and self.gives_tensor(node.func)

    def gives_tensor(self, node: ast.AST) -> bool:
        """Whether a call of this gives a tensor: its annotation says so."""
        dotted = self.dotted(node)
        if dotted is not None:
            found = find(dotted)
        elif isinstance(node, ast.Attribute) and self.is_tensor(node.value):
            found = getattr(Tensor, node.attr, None)
        else:
            return False
        return found is Tensor or getattr(found, "__annotations__", {}).get("return") in ("Tensor", Tensor)
