"""NumPy expressions as MathML: fractions, powers, sums over axes, matrix products."""

from __future__ import annotations

import ast
from html import escape

_FUNCTIONS = {
    "log": "ln", "sin": "sin", "cos": "cos", "tan": "tan", "tanh": "tanh", "sinh": "sinh", "cosh": "cosh", "sign": "sign",
    "maximum": "max", "minimum": "min", "arcsin": "arcsin", "arccos": "arccos", "arctan": "arctan", "softmax": "softmax",
    "one_hot": "onehot", "broadcast_to": "broadcast", "prod": "∏", "amax": "max", "amin": "min", "swapaxes": "transpose",
    "_mean": "mean", "unpermute": "permute⁻¹", "unroll": "roll⁻¹",
}  # fmt: skip
_AS_THEY_ARE = {"rows", "_rows", "asarray", "float", "astype", "copy"}  # what they give is what they are given
_OF_ONE = {  # their shapes and axes say little
    "reshape", "spread", "broadcast_to", "swapaxes", "transpose", "flip", "moveaxis", "clip", "_mean", "mean",
}  # fmt: skip
_NAMELESS = {
    "ufunc", "choose", "forward", "accumulate", "arange", "result_type", "view", "array", "int", "list", "tuple", "len", "zip",
    "dtype",
}  # fmt: skip
_SUMS = {"sum", "_add", "reduce", "sum_first", "sum_last"}
_COMPARE = {
    ast.Eq: "=", ast.NotEq: "≠", ast.Lt: "&lt;", ast.LtE: "≤", ast.Gt: "&gt;", ast.GtE: "≥", ast.Is: "=", ast.IsNot: "≠",
}  # fmt: skip
_COMPARED = {
    "equal": "=", "not_equal": "≠", "less": "&lt;", "less_equal": "≤", "greater": "&gt;", "greater_equal": "≥",
}  # fmt: skip
_MODULES = {"np", "math", "special_arrays"}
_CONSTANTS = {
    "_ROOT_PI": "<msqrt><mi>π</mi></msqrt>", "_LN2": "<mrow><mi>ln</mi><mn>2</mn></mrow>",
    "_LN10": "<mrow><mi>ln</mi><mn>10</mn></mrow>",
}  # fmt: skip
_LEVEL: dict[type[ast.operator], int] = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.MatMult: 2, ast.BitAnd: 1, ast.BitOr: 1}
_SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "&#8722;", ast.Mult: "·", ast.MatMult: "@", ast.BitAnd: "∧", ast.BitOr: "&#8744;",
}  # fmt: skip
_ATOM = 9


class _NoFormula(Exception):
    """The expression has a part that has no formula."""


def mathml(expression: ast.expr) -> str:
    """The expression as the inside of a `<math>` element; empty where it has a part that has no formula.

    Functions without a sign of their own are called by their names, with what they are given in brackets.

    >>> mathml(ast.parse("g / b", mode="eval").body)
    '<mfrac><mi>g</mi><mi>b</mi></mfrac>'
    """
    try:
        return _write(expression)[0]
    except _NoFormula:
        return ""


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def _op(sign: str) -> str:
    return f"<mo>{sign}</mo>"


def _in_brackets(text: str) -> str:
    return _row(_op("("), text, _op(")"))


def _at(expression: ast.expr, level: int) -> str:
    text, own = _write(expression)
    return text if own >= level else _in_brackets(text)


def _write(e: ast.expr) -> tuple[str, int]:
    """The MathML of an expression and how tightly it binds."""
    if isinstance(e, ast.Name):
        return _name(e.id), _ATOM
    if isinstance(e, ast.Constant) and isinstance(e.value, int | float) and not isinstance(e.value, bool):
        return f"<mn>{e.value:g}</mn>", _ATOM
    if isinstance(e, ast.BinOp):
        return _binary(e)
    if isinstance(e, ast.UnaryOp):
        if isinstance(e.op, ast.USub):
            return _row(_op("&#8722;"), _at(e.operand, 2)), 1
        return _row(_op("¬"), _at(e.operand, _ATOM)), 3
    if isinstance(e, ast.Compare) and len(e.ops) == 1 and type(e.ops[0]) in _COMPARE:
        inside = _row(_at(e.left, 1), _op(_COMPARE[type(e.ops[0])]), _at(e.comparators[0], 1))
        return _row(_op("["), inside, _op("]")), _ATOM
    if isinstance(e, ast.Attribute):
        if e.attr in {"mT", "T"}:
            return f"<msup>{_at(e.value, _ATOM)}<mi>&#8868;</mi></msup>", _ATOM
        if e.attr == "pi":
            return "<mi>π</mi>", _ATOM
        if e.attr == "shape":
            return _row("<mi>shape</mi>", _in_brackets(_write(e.value)[0])), _ATOM
    if isinstance(e, ast.Call):
        return _call(e)
    raise _NoFormula


def _name(name: str) -> str:
    if name.endswith("_shape"):
        return _row("<mi>shape</mi>", _in_brackets(_name(name[:-6])))
    if name in _CONSTANTS:
        return _CONSTANTS[name]
    base, _, below = name.strip("_").partition("_")
    return f"<msub><mi>{escape(base)}</mi><mi>{escape(below)}</mi></msub>" if below else f"<mi>{escape(base)}</mi>"


def _is_module(e: ast.expr) -> bool:
    return (isinstance(e, ast.Name) and e.id in _MODULES) or (isinstance(e, ast.Attribute) and _is_module(e.value))


def _binary(e: ast.BinOp) -> tuple[str, int]:
    kind = type(e.op)
    if kind is ast.Div:
        return f"<mfrac>{_write(e.left)[0]}{_write(e.right)[0]}</mfrac>", 3
    if kind is ast.Pow:
        return f"<msup>{_at(e.left, _ATOM)}{_write(e.right)[0]}</msup>", 3
    level = _LEVEL.get(kind)
    if level is None:
        raise _NoFormula
    sign = _SIGNS[kind]
    return _row(_at(e.left, level), _op(sign), _at(e.right, level + (kind in {ast.Sub, ast.MatMult}))), level


def _call(e: ast.Call) -> tuple[str, int]:
    function = e.func
    name = function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    arguments = list(e.args)
    if isinstance(function, ast.Attribute) and not _is_module(function.value):
        arguments.insert(0, function.value)
    axis = next((word.value for word in e.keywords if word.arg == "axis"), None)
    if name in _SUMS and arguments:
        under = ast.unparse(axis) if axis is not None else ""
        under = under if under in {"", "axis"} else f"axis {under}"
        over = f"<munder>{_op('∑')}<mtext>{escape(under)}</mtext></munder>" if under else _op("∑")
        return _row(over, _at(arguments[0], 2)), 1
    if name == "exp" and len(arguments) == 1:
        return f"<msup><mi>e</mi>{_write(arguments[0])[0]}</msup>", 3
    if name in {"sqrt", "root"} and len(arguments) == 1:
        return f"<msqrt>{_write(arguments[0])[0]}</msqrt>", _ATOM
    if name in {"abs", "absolute"} and len(arguments) == 1:
        return _row(_op("|"), _write(arguments[0])[0], _op("|")), _ATOM
    if name == "where" and len(arguments) == 3:
        asked, yes, no = (_write(argument)[0] for argument in arguments)
        rows = f"<mtr><mtd>{yes}</mtd><mtd><mtext>where&#160;</mtext>{asked}</mtd></mtr>"
        rows += f"<mtr><mtd>{no}</mtd><mtd><mtext>elsewhere</mtext></mtd></mtr>"
        return _row(_op("{"), f"<mtable columnalign='left left'>{rows}</mtable>"), _ATOM
    if name in {"dot", "matmul"} and len(arguments) == 2:
        return _row(_at(arguments[0], 2), _op("@"), _at(arguments[1], 3)), 2
    if name in {"add", "multiply", "subtract"} and len(arguments) == 2:
        sign, level = {"add": ("+", 1), "multiply": ("·", 2), "subtract": ("&#8722;", 1)}[name]
        return _row(_at(arguments[0], level), _op(sign), _at(arguments[1], level + 1)), level
    if name in _COMPARED and len(arguments) == 2:
        inside = _row(_at(arguments[0], 1), _op(_COMPARED[name]), _at(arguments[1], 1))
        return _row(_op("["), inside, _op("]")), _ATOM
    if name in {"zeros_like", "ones_like"}:
        return f"<mn>{int(name == 'ones_like')}</mn>", _ATOM
    if name in _AS_THEY_ARE and arguments:
        return _write(arguments[0])
    if not arguments or not name or name in _NAMELESS or (name.startswith("_") and name not in _FUNCTIONS):
        raise _NoFormula
    told = arguments[:1] if name in _OF_ONE else arguments
    listed = _op(",").join(_write(argument)[0] for argument in told)
    return _row(f"<mi>{_FUNCTIONS.get(name) or escape(name.strip('_').replace('_', ' '))}</mi>", _in_brackets(listed)), _ATOM
