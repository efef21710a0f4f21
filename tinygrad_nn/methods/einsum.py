"""Sums of products by Einstein's convention, two operands at a time, each pair by one matrix product."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from tinygrad_nn.dtypes import bool_
from tinygrad_nn.methods.reduction import sum as sum_
from tinygrad_nn.ops import elementwise, index, linalg, shape

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = ["einsum"]

Labels: TypeAlias = Sequence[Hashable]


def einsum(*args: Any) -> Tensor:
    """The operands multiplied where their letters agree, and summed over the letters that the output does not name.

    `einsum("bij,bjk->bik", x, y)`; "..." stands for dimensions that broadcast, a letter that an operand repeats for its
    diagonal. Or lists of numbers instead of letters: `einsum(x, [0, 1], y, [1, 2], [0, 2])`.

    >>> from tinygrad_nn import tensor
    >>> einsum("ij->ji", tensor([[1, 2], [3, 4]]))
    tensor([[1, 3],
            [2, 4]])
    """
    if len(args) < 2:
        raise ValueError("einsum(): must specify the equation string and at least one operand")
    equation, operands = (args[0], list(args[1:])) if isinstance(args[0], str) else _from_lists(args)
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = list(operands[0])
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise RuntimeError(f"einsum(): '{equation}' names {len(terms)} operands, got {len(operands)}")
    for operand in operands[1:]:
        if operand.dtype is not operands[0].dtype:
            raise RuntimeError(f"einsum(): expected operands of one dtype, got {operands[0].dtype} and {operand.dtype}")
    labels = [_labels(term, operand.ndim, equation) for term, operand in zip(terms, operands, strict=True)]
    every = [label for term in labels for label in term]
    dots = sorted({label for label in every if isinstance(label, int)})
    if arrow:
        before, ellipsis, after = _split(right, equation)
        output: list[Any] = [*before, *(dots if ellipsis else ()), *after]
    else:
        output = dots + sorted(label for label in set(every) if every.count(label) == 1 and isinstance(label, str))
    for label in output:
        if output.count(label) > 1 or label not in every:
            raise RuntimeError(f"einsum(): '{label}' in the output of '{equation}' must be in the input, and once in the output")
    return contract(operands, labels, output)


def contract(operands: Sequence[Tensor], labels: Sequence[Labels], output: Labels) -> Tensor:
    """The operands, a label for each of their dimensions, multiplied from left to right into the labels of `output`."""
    pairs = [_without_repeats(operand, list(names)) for operand, names in zip(operands, labels, strict=True)]
    sizes: dict[Hashable, int] = {}
    for operand, names in pairs:
        for label, n in zip(names, operand.shape, strict=True):
            if n != sizes.setdefault(label, n) and 1 not in (n, sizes[label]):
                raise RuntimeError(f"einsum(): '{label}' has size {n} in one operand and {sizes[label]} in another")
            sizes[label] = n if sizes[label] == 1 else sizes[label]
    pairs = [_without_ones(operand, names, sizes) for operand, names in pairs]
    result, names = pairs[0]
    for i, (operand, others) in enumerate(pairs[1:], 2):
        wanted = {*output, *(label for _, later in pairs[i:] for label in later)}
        result, names = _product(*_summed(result, names, wanted | {*others}), *_summed(operand, others, wanted | {*names}), wanted)
    result, names = _summed(result, names, {*output})
    result = shape.permute(result, axes=tuple(names.index(label) for label in output))
    return result if len(pairs) == 1 or result.is_contiguous() else elementwise.copy(result)


def _product(a: Tensor, of_a: list[Any], b: Tensor, of_b: list[Any], wanted: set[Any]) -> tuple[Tensor, list[Any]]:
    """Two operands as one: shared labels that are wanted are a batch, the other shared ones are summed over."""
    shared = [label for label in of_a if label in of_b]
    batch, inner = [v for v in shared if v in wanted], [v for v in shared if v not in wanted]
    left, right = [v for v in of_a if v not in shared], [v for v in of_b if v not in shared]
    size = dict(zip([*of_a, *of_b], [*a.shape, *b.shape], strict=True))
    if inner and a.dtype is bool_:
        raise RuntimeError("einsum(): expected numbers to sum over, got torch.bool")
    many, rows, count, columns = ([size[v] for v in group] for group in (batch, left, inner, right))
    a = shape.permute(a, axes=tuple(of_a.index(v) for v in batch + left + inner))
    b = shape.permute(b, axes=tuple(of_b.index(v) for v in batch + inner + right))
    lead = (prod(many),) if batch else ()
    a = shape.reshape(a, shape=(*lead, prod(rows), prod(count)))
    b = shape.reshape(b, shape=(*lead, prod(count), prod(columns)))
    y = linalg.matmul(a, b) if inner else elementwise.mul(a, b)
    return shape.reshape(y, shape=(*many, *rows, *columns)), batch + left + right


def _summed(x: Tensor, names: list[Any], wanted: set[Any]) -> tuple[Tensor, list[Any]]:
    """The operand summed over what nobody else names."""
    axes = tuple(i for i, label in enumerate(names) if label not in wanted)
    return (sum_(x, axes) if axes else x), [label for label in names if label in wanted]


def _without_repeats(x: Tensor, names: list[Any]) -> tuple[Tensor, list[Any]]:
    """The diagonal of the dimensions that one label names together."""
    for label in dict.fromkeys(names):
        while names.count(label) > 1:
            first = names.index(label)
            second = names.index(label, first + 1)
            if x.shape[first] != x.shape[second]:
                raise RuntimeError(
                    f"einsum(): '{label}' is repeated, but the sizes do not match: {x.shape[first]} and {x.shape[second]}"
                )
            x = index.diagonal(x, offset=0, axis0=first, axis1=second)
            names = [v for i, v in enumerate(names) if i not in (first, second)] + [label]
    return x, names


def _without_ones(x: Tensor, names: list[Any], sizes: dict[Any, int]) -> tuple[Tensor, list[Any]]:
    """The dimensions of size 1 dropped where another operand has more: there, dropping is broadcasting."""
    kept = [label for label, n in zip(names, x.shape, strict=True) if n == sizes[label]]
    return (x if kept == names else shape.reshape(x, shape=tuple(sizes[label] for label in kept))), kept


def _labels(term: str, ndim: int, equation: str) -> list[Any]:
    """A label for each dimension: letters, and for "..." negative numbers that count from its end."""
    before, ellipsis, after = _split(term, equation)
    covered = ndim - len(before) - len(after)
    if covered < 0 or (covered and not ellipsis):
        raise RuntimeError(f"einsum(): '{term}' in '{equation}' does not fit an operand of {ndim} dimensions")
    return [*before, *range(-covered, 0), *after]


def _split(term: str, equation: str) -> tuple[str, str, str]:
    before, ellipsis, after = term.partition("...")
    for letter in before + after:
        if not (letter.isascii() and letter.isalpha()):
            raise RuntimeError(f"einsum(): expected letters and at most one '...' in '{term}' of '{equation}', got '{letter}'")
    return before, ellipsis, after


def _from_lists(args: Sequence[Any]) -> tuple[str, list[Any]]:
    """The format with lists of numbers from 0 to 51 (or ...) as an equation."""
    operands, lists = list(args[: len(args) // 2 * 2 : 2]), list(args[1::2])
    terms = [_term(numbers) for numbers in lists]
    return ",".join(terms) + (f"->{_term(args[-1])}" if len(args) % 2 else ""), operands


def _term(numbers: Any) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    for number in numbers:
        if number is not ... and not 0 <= number < len(letters):
            raise ValueError(f"einsum(): expected subscripts within the range [0, 52), got {number}")
    return "".join("..." if number is ... else letters[number] for number in numbers)
