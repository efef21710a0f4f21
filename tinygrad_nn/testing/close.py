"""assert_close: tensors, numbers and containers of them compared, with a message that says where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_nn.tensor import Tensor

__all__ = ["assert_close"]

# The relative and the absolute tolerance of each dtype; others are compared exactly.
_TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


def assert_close(
    actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None, atol: float | None = None,
    equal_nan: bool = False, check_device: bool = True, check_dtype: bool = True, check_layout: bool = True,
    check_stride: bool = False, msg: str | Callable[[str], str] | None = None,
) -> None:  # fmt: skip
    """AssertionError unless the values are within atol + rtol * |expected|, in shape and, if `check_dtype`, dtype the same.

    Without tolerances those of the dtype are taken, and of the wider one where two may differ. Sequences and mappings are
    compared item by item. ValueError for one tolerance without the other, TypeError for what cannot be compared.
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            f"Both 'rtol' and 'atol' must be either specified or unspecified, but got no {'atol' if atol is None else 'rtol'}"
        )
    if not allow_subclasses and type(actual) is not type(expected):
        raise TypeError(f"expected values of one type, got {type(actual)} and {type(expected)}")
    found = _difference(actual, expected, "", (rtol, atol, equal_nan, check_dtype, check_stride))
    if found:
        raise AssertionError(msg(found) if callable(msg) else msg or found)


def _difference(actual: Any, expected: Any, at: str, how: tuple[Any, ...]) -> str:
    """What is different, and where; empty if nothing is."""
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        if actual.keys() != expected.keys():
            return f"The keys of the mappings do not match: {list(actual)} and {list(expected)}{at}"
        return next(filter(None, (_difference(actual[k], expected[k], f"{at}[{k!r}]", how) for k in expected)), "")
    if _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            return f"The length of the sequences mismatch: {len(actual)} != {len(expected)}{at}"
        pairs = enumerate(zip(actual, expected, strict=True))
        return next(filter(None, (_difference(a, b, f"{at}[{i}]", how) for i, (a, b) in pairs)), "")
    if actual is None or expected is None:
        return "" if actual is expected else f"None mismatch: {actual} is not {expected}"
    arrays = _array(actual), _array(expected)
    tensors = [isinstance(value, Tensor | np.ndarray) for value in (actual, expected)]
    if tensors[0] is not tensors[1]:
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}.")
    if how[3] and not tensors[0] and type(actual) is not type(expected):
        return f"The (d)types do not match: {type(actual)} != {type(expected)}."
    return _values(*arrays, at, how, not tensors[0], (actual, expected))


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _array(value: Any) -> np.ndarray[Any, Any]:
    if isinstance(value, Tensor):
        return value.detach().numpy()
    if isinstance(value, np.ndarray | np.generic | bool | int | float):
        return np.asarray(value)
    raise TypeError(f"No comparison pair was able to handle inputs of type {type(value)}")


def _values(a: Any, b: Any, at: str, how: tuple[Any, ...], scalar: bool, given: tuple[Any, Any]) -> str:
    rtol, atol, equal_nan, check_dtype, check_stride = how
    where = f"\n\nThe failure occurred for item {at}" if at else ""
    if a.shape != b.shape:
        return f"The values for attribute 'shape' do not match: torch.Size({list(a.shape)}) != torch.Size({list(b.shape)}).{where}"
    if check_dtype and not scalar and a.dtype != b.dtype:
        return f"The values for attribute 'dtype' do not match: torch.{a.dtype} != torch.{b.dtype}.{where}"
    if check_stride and not scalar and given[0].stride() != given[1].stride():
        return f"The values for attribute 'stride()' do not match: {given[0].stride()} != {given[1].stride()}.{where}"
    if rtol is None:
        pairs = [_TOLERANCES.get(str(x.dtype), (0.0, 0.0)) for x in (a, b)]
        rtol, atol = max(pair[0] for pair in pairs), max(pair[1] for pair in pairs)
    with np.errstate(invalid="ignore"):
        common = np.result_type(a, b, *(() if "f" in (a.dtype.kind, b.dtype.kind) else (np.int64,)))
        wide_a, wide_b = a.astype(common), b.astype(common)
        apart = np.abs(wide_a - wide_b)
        same = (wide_a == wide_b) | ((apart <= atol + rtol * np.abs(wide_b)) & np.isfinite(wide_a) & np.isfinite(wide_b))
        same |= np.isnan(wide_a) & np.isnan(wide_b) if equal_nan else False
    with np.errstate(invalid="ignore", divide="ignore"):
        broken = apart if apart.dtype.kind == "f" else apart.astype(np.float32)
        relative = broken / np.abs(wide_b).astype(broken.dtype)
    if same.all():
        return ""
    kind = "Tensor-likes" if a.ndim else "Scalars"
    exact = not rtol and not atol
    allowed = ("", "") if exact else (f" (up to {atol} allowed)", f" (up to {rtol} allowed)")
    head = f"{kind} are not {'equal' if exact else 'close'}!\n\n"
    if not a.ndim:
        head += f"Expected {b.item()} but got {a.item()}.\n"
        return f"{head}Absolute difference: {apart.item()}{allowed[0]}\nRelative difference: {relative.item()}{allowed[1]}{where}"
    count, lines = int((~same).sum()), []
    for name, distance, limit in (("absolute", apart, allowed[0]), ("relative", relative, allowed[1])):
        worst = np.unravel_index(int(np.argmax(np.where(same, 0, distance))), a.shape)
        place = tuple(int(i) for i in worst)
        lines.append(f"Greatest {name} difference: {distance[worst].item()} at index {place}{limit}")
    share = f"Mismatched elements: {count} / {a.size} ({100 * count / a.size:.1f}%)"
    return head + "\n".join([share, *lines]) + where
