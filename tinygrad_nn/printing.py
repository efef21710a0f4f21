"""How an array looks in print, character for character PyTorch's; knows NumPy, and nothing of Tensor."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np

__all__ = ["PrintOptions", "format_tensor", "get_printoptions", "printoptions", "set_printoptions"]

_FLOAT32 = np.dtype(np.float32)


class PrintOptions:
    """What decides how every tensor is printed.

    Args:
        precision: digits after the decimal point.
        threshold: more elements than this, and only the edges are shown.
        edgeitems: how many elements make an edge.
        linewidth: columns before a line is broken.
        sci_mode: scientific notation always (True), never (False), or where the values ask for it (None).
    """

    def __init__(
        self, precision: int = 4, threshold: float = 1000, edgeitems: int = 3, linewidth: int = 80, sci_mode: bool | None = None
    ) -> None:
        self.precision, self.threshold, self.edgeitems, self.linewidth = precision, threshold, edgeitems, linewidth
        self.sci_mode = sci_mode


_PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=math.inf),
}
_options = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change how tensors are printed from now on; what is None stays as it is.

    Args:
        precision: digits after the decimal point.
        threshold: more elements than this, and only the edges are shown.
        edgeitems: how many elements make an edge.
        linewidth: columns before a line is broken.
        profile: "default", "short" or "full", from which the other arguments depart.
        sci_mode: True, False, or None for automatic: the one option that every call sets.

    Raises:
        ValueError: for a profile of another name.

    >>> set_printoptions(precision=2)
    >>> format_tensor(np.float32([3.14159]))
    'tensor([3.14])'
    >>> set_printoptions(profile="default")
    """
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"set_printoptions: profile must be one of {[*_PROFILES]}, got {profile!r}")
    asked = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    given = {name: value for name, value in asked.items() if value is not None}
    start = _options if profile is None else _PROFILES[profile]
    vars(_options).update(vars(start) | given, sci_mode=sci_mode)


def get_printoptions() -> dict[str, Any]:
    """Return the options in force, as keyword arguments for `set_printoptions`.

    >>> get_printoptions()
    {'precision': 4, 'threshold': 1000, 'edgeitems': 3, 'linewidth': 80, 'sci_mode': None}
    """
    return dict(vars(_options))


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Change how tensors are printed inside a `with` block.

    Args:
        **options: the arguments of `set_printoptions`.

    Raises:
        ValueError: for an unknown profile.

    >>> with printoptions(sci_mode=True, precision=1):
    ...     format_tensor(np.float32([1.5, 20]))
    'tensor([1.5e+00, 2.0e+01])'
    """
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


def format_tensor(
    array: np.ndarray,
    *,
    default_dtype: np.dtype[Any] = _FLOAT32,
    suffixes: Sequence[str] = (),
    prefix: str = "tensor(",
) -> str:
    """Return what `repr(torch.tensor(array))` would print.

    Args:
        array: bools, integers or floats, of any shape.
        default_dtype: the floating dtype that goes without saying.
        suffixes: what follows the values, such as "requires_grad=True".
        prefix: what precedes them; lines are indented to the end of its last line.

    >>> print(format_tensor(np.float32([[1, -0.5], [np.inf, 200]]), suffixes=["requires_grad=True"]))
    tensor([[  1.0000,  -0.5000],
            [     inf, 200.0000]], requires_grad=True)
    """
    indent = len(prefix) - (prefix.rfind("\n") + 1)
    values = _values(array, indent) if array.size else "[]"
    facts = []
    # A shape that the values cannot show is spelled out.
    if array.shape != (0,) and (array.size == 0 or _options.edgeitems == 0):
        facts.append(f"size={array.shape}")
    # Python's own integers and bools go without saying too, as long as there is one to see.
    unsaid = (default_dtype, np.int64, np.bool_) if array.size else (default_dtype,)
    if array.dtype not in unsaid:
        facts.append(f"dtype=torch.{array.dtype.name}")
    return _append(prefix + values, [*facts, *suffixes], indent)


def _append(text: str, suffixes: Sequence[str], indent: int) -> str:
    """Append each suffix on the same line if it fits, else on the next, and close the parenthesis."""
    # PyTorch counts the first line two columns longer than it is.
    column = len(text) - (text.rfind("\n") + 1) + 2
    for suffix in suffixes:
        if column + len(", ") + len(suffix) > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(", ") + len(suffix)
    return text + ")"


def _values(array: np.ndarray, indent: int) -> str:
    """Return the bracketed values, without the middle of each long axis if there are too many of them."""
    edge = _options.edgeitems
    cut = [array.size > _options.threshold and length > 2 * edge for length in array.shape]
    kept = [
        np.r_[:edge, length - edge : length] if is_cut else np.arange(length)
        for length, is_cut in zip(array.shape, cut, strict=True)
    ]
    shown = np.asarray(array[np.ix_(*kept)])
    cells, width = _cells(shown)
    # The innermost rows all start in the same column, so they all have the same room.
    room = _options.linewidth - indent - max(0, array.ndim - 1)
    per_line = max(1, room // (width + len(", ")))
    return _brackets(np.array(cells, dtype=object).reshape(shown.shape).tolist(), cut, indent, per_line)


_Nested: TypeAlias = "str | list[_Nested]"


def _brackets(cells: _Nested, cut: Sequence[bool], indent: int, per_line: int) -> str:
    """Join nested lists of cells, with "..." in the middle of each axis that `cut` marks."""
    if isinstance(cells, str):
        return cells
    items = [_brackets(cell, cut[1:], indent + 1, per_line) for cell in cells]
    innermost = len(cut) == 1
    if cut[0]:
        items.insert(len(items) // 2, " ..." if innermost and items else "...")
    if innermost:
        items = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    # The more dimensions a block has, the more blank lines set it apart.
    newlines = "\n" * max(1, len(cut) - 1)
    return "[" + ("," + newlines + " " * (indent + 1)).join(items) + "]"


def _cells(array: np.ndarray) -> tuple[list[str], int]:
    """Return each element as a string, in row-major order, and the width they are aligned to."""
    show: Callable[[Any], str] = str
    telling = array
    if array.dtype.kind == "f":
        # Zeros, nans and infinities have no say in the notation or in the width, and may stick out.
        telling = array[np.isfinite(array) & (array != 0)]
        show = _float_style(telling)
    width = max((len(show(value)) for value in telling.ravel().tolist()), default=1)
    return [show(value).rjust(width) for value in array.ravel().tolist()], width


def _float_style(telling: np.ndarray) -> Callable[[float], str]:
    """Choose one notation for all floats from the finite, nonzero ones: 1.2000e+03, 1200.5000 or 1200."""
    scientific, whole = False, True
    if telling.size:
        low, high = np.abs(telling).min().item(), np.abs(telling).max().item()
        scientific = high / low > 1000 or high > 1e8 or low < 1e-4
        if _options.sci_mode is not None:
            scientific = _options.sci_mode
        whole = bool((telling == np.ceil(telling)).all())
    if scientific or not whole:
        spec = f".{_options.precision}{'e' if scientific else 'f'}"
        return lambda value: format(value, spec)
    # The bare dot tells a whole float from an integer.
    return lambda value: format(value, ".0f") + ("." if math.isfinite(value) else "")
