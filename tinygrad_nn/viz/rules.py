"""The rules of an op as a learner reads them: the line of code that runs, and the same line as mathematics."""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinygrad_nn.op import Op
from tinygrad_nn.viz.mathml import mathml

_PACKAGE = Path(__file__).parents[1]
_LONGEST = 1600  # letters of MathML that are still a formula to be read
_FORMULAS = {  # of code that is more than one expression: what it amounts to
    "sigmoid": "1 / (1 + exp(-x))",
    "softmax": "exp(x) / sum(exp(x), axis=axis)",
    "log_softmax": "x - log(sum(exp(x), axis=axis))",
    "cross_entropy": "sum(scale * (log(sum(exp(x), axis=1)) - x_target))",
    "linear": "x @ weight.T + bias",
    "linear.x": "g @ weight",
    "matmul": "a @ b",
    "pow": "a ** b",
    "pow.a": "g * (b * a ** (b - 1))",
    "pow.b": "g * (a ** b * log(a))",
    "sum": "sum(x, axis=axis)",
    "sum.x": "broadcast_to(g)",
    "mean": "sum(x, axis=axis) / n",
    "mean.x": "broadcast_to(g / n)",
    "relu.x": "where(x > 0, g, 0)",
    "maximum.a": "g * ((a > b) + (a == b) / 2)",
    "maximum.b": "g * ((b > a) + (a == b) / 2)",
    "minimum.a": "g * ((a < b) + (a == b) / 2)",
    "minimum.b": "g * ((b < a) + (a == b) / 2)",
    "clip.x": "where((x >= low) & (x <= high), g, 0)",
    "eq": "a == b", "ne": "a != b", "lt": "a < b", "le": "a <= b", "gt": "a > b", "ge": "a >= b",
    "exp2": "2 ** x",
    "expm1": "exp(x) - 1",
    "log1p": "log(1 + x)",
    "logsumexp": "log(sum(exp(x), axis=axis))",
    "logaddexp": "log(exp(a) + exp(b))",
    "hypot": "sqrt(a ** 2 + b ** 2)",
    "nll": "-x_target * scale",
    "nll.x": "-g * scale * one_hot(target)",
    "amax": "amax(x)",
    "amax.x": "g * (x == y) / sum(x == y, axis=axis)",
    "amin": "amin(x)",
    "amin.x": "g * (x == y) / sum(x == y, axis=axis)",
    "var": "sum((x - mean(x)) ** 2, axis=axis) / (n - correction)",
    "var.x": "g * (2 * (x - mean(x)) / (n - correction))",
    "standardize": "(x - mean(x)) / sqrt(var(x) + eps)",
    "attention_weights": "softmax(scores + mask)",
    "permute": "permute(x)",
    "permute.x": "unpermute(g)",
    "roll.x": "unroll(g)",
    "polygamma": "polygamma(n, x)",
    "polygamma.x": "g * polygamma(n + 1, x)",
    "digamma.x": "g * polygamma(1, x)",
    "getitem": "x_index",
    "rows": "table_index",
    "rows.table": "add_rows(g)",
    "concatenate.xs": "pieces(g)",
    "divide_floor": "floor(a / b)",
    "divide_trunc": "trunc(a / b)",
    "floor_divide": "floor(a / b)",
    "prod": "prod(x)",
    "normal_cdf": "(1 + erf(x / sqrt(2))) / 2",
    "normal_cdf.x": "g * exp(-x ** 2 / 2) / sqrt(2 * π)",
    "convolution": "convolution(x, weight) + bias",
    "lstm_memory": "gates_f * c + gates_i * gates_g",
    "lstm_memory.c": "g * gates_f",
    "lstm_output": "gates_o * tanh(c)",
    "lstm_output.c": "g * gates_o * (1 - tanh(c) ** 2)",
}  # fmt: skip


def describe(op: Op) -> dict[str, Any]:
    """The forward and every gradient rule of an op: `code`, `file`, `line` and `math`, MathML or empty.

    >>> from tinygrad_nn.op import OPS
    >>> told = describe(OPS["mul"])
    >>> told["rules"]["a"]["code"], told["forward"]["code"], told["doc"]
    ('lambda g, b: g * b', 'return a * b', 'a * b.')
    """
    doc = (op.__doc__ or "").strip().splitlines()
    return {
        "doc": doc[0] if doc else "",
        "inputs": list(op.inputs),
        "forward": _with_formula(source_of(inspect.unwrap(op.forward)), op.name),
        "rules": {name: _with_formula(source_of(rule), f"{op.name}.{name}") for name, rule in op.rules.items()},
    }


def _with_formula(told: dict[str, Any], key: str) -> dict[str, Any]:
    if key in _FORMULAS:
        told["math"] = mathml(ast.parse(_FORMULAS[key], mode="eval").body)
    return told


def source_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The body of a function: its code, where it stands, and its result as MathML where it is one expression."""
    code = function.__code__
    told = {"code": "", "file": _short(code.co_filename), "line": code.co_firstlineno, "math": ""}
    try:
        text, tree = _parsed(code.co_filename)
    except (OSError, SyntaxError, TypeError):
        return told
    found = _node_at(tree, code)
    if found is None:
        return told
    if isinstance(found, ast.Lambda):
        told["code"] = _one_line(ast.get_source_segment(text, found) or "")
        told["math"] = mathml(found.body)
        return told
    body = [part for part in found.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))]
    lines = text.splitlines()[body[0].lineno - 1 : body[-1].end_lineno]
    told["code"], told["line"] = textwrap.dedent("\n".join(lines)), body[0].lineno
    told["math"] = _formula(body)
    return told


def _formula(body: list[ast.stmt]) -> str:
    """What a function returns as MathML, with what it has named on the way put in; empty where it does more than that."""
    named: dict[str, ast.expr] = {}

    class Put(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.expr:
            return named.get(name.id, name)

    for part in body:
        if isinstance(part, ast.Return) and part.value is not None:
            written = mathml(Put().visit(copy.deepcopy(part.value)))
            return written if len(written) <= _LONGEST else ""
        if not (isinstance(part, ast.Assign) and len(part.targets) == 1 and isinstance(part.targets[0], ast.Name)):
            break
        named[part.targets[0].id] = Put().visit(copy.deepcopy(part.value))
    return ""


@functools.lru_cache(maxsize=64)
def _parsed(filename: str) -> tuple[str, ast.Module]:
    import linecache

    text = "".join(linecache.getlines(filename))
    if not text:
        raise OSError(filename)
    return text, ast.parse(text)


def _node_at(tree: ast.Module, code: Any) -> ast.Lambda | ast.FunctionDef | None:
    """The lambda or function that was compiled to `code`: lambdas on one line are told apart by where their bodies stand."""
    places = {place for place in code.co_positions() if None not in place}
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda) and code.co_name == "<lambda>":
            body = node.body
            if (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset) in places:
                return node
        elif isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *(part.lineno for part in node.decorator_list)])
            if first == code.co_firstlineno:
                return node
    return None


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _short(filename: str) -> str:
    path = Path(filename)
    return f"tinygrad_nn/{path.relative_to(_PACKAGE)}" if path.is_relative_to(_PACKAGE) else path.name
