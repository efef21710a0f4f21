"""Values around a tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tinygrad_nn.methods import arranging
from tinygrad_nn.methods.joining import cat
from tinygrad_nn.nn.functional.planes import apart
from tinygrad_nn.tensor import Tensor


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """The input with more around it: `pad` has (before, after) for the last dimension, then for the one before it, and so on.

    'constant' adds `value`, 'reflect' mirrors without the edge, 'replicate' repeats the edge, 'circular' takes from the
    other end; these three pad the last 1 to 3 dimensions of an input with one or two more. Negative widths cut.
    RuntimeError for widths that are not in pairs or that do not fit, NotImplementedError for another mode or shape.
    """
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise RuntimeError(f"pad: expected at most {input.ndim} pairs of widths, got {list(pad)}")
    if mode == "constant":
        return arranging.pad(input, pad, 0.0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f"Padding mode {mode!r} doesn't take in value argument, got {value}")
    if mode not in _AROUND:
        raise NotImplementedError(f"pad: expected a mode of 'constant', {', '.join(map(repr, _AROUND))}, got {mode!r}")
    dims = len(pad) // 2
    if dims not in (1, 2, 3) or input.ndim not in (dims + 1, dims + 2):
        raise NotImplementedError(
            f"pad: mode {mode!r} pads the last 1, 2 or 3 of 1 or 2 dimensions more, got {list(pad)} for input {list(input.shape)}"
        )
    if mode != "circular" and 0 in input.shape[input.ndim - dims - 1 :]:
        raise RuntimeError(f"pad: expected an input with nothing but a batch of size 0, got {list(input.shape)}")
    padded = input
    for i in range(dims):
        padded = _along(padded, input.ndim - 1 - i, (pad[2 * i], pad[2 * i + 1]), mode)
    return apart(padded, input)


def _reflected(x: Tensor, axis: int, before: int, after: int) -> list[Tensor]:
    size = x.shape[axis]
    return [x.narrow(axis, 1, before).flip(axis), x, x.narrow(axis, size - 1 - after, after).flip(axis)]


def _replicated(x: Tensor, axis: int, before: int, after: int) -> list[Tensor]:
    first, last = x.narrow(axis, 0, 1), x.narrow(axis, x.shape[axis] - 1, 1)
    return [*[first] * before, x, *[last] * after]


def _wrapped(x: Tensor, axis: int, before: int, after: int) -> list[Tensor]:
    return [x.narrow(axis, x.shape[axis] - before, before), x, x.narrow(axis, 0, after)]


_AROUND: dict[str, Callable[[Tensor, int, int, int], list[Tensor]]] = {
    "reflect": _reflected, "replicate": _replicated, "circular": _wrapped,
}  # fmt: skip


def _along(input: Tensor, axis: int, widths: tuple[int, int], mode: str) -> Tensor:
    """The input padded, or cut where a width is negative, along one axis."""
    before, after = (max(n, 0) for n in widths)
    if mode == "circular":  # what is cut is not wrapped; but it is mirrored
        input, widths = _cut(input, axis, widths), (before, after)
    size = input.shape[axis]
    most = {"reflect": size - 1, "replicate": before + after, "circular": size}[mode]
    if max(before, after) > most:
        raise RuntimeError(f"pad: mode {mode!r} expected widths of at most {most} for a dimension of size {size}, got {widths}")
    if size + sum(widths) < (0 if mode == "circular" else 1):
        raise RuntimeError(f"pad: the widths {widths} leave nothing of a dimension of size {size}")
    if before or after:
        input = cat(_AROUND[mode](input, axis, before, after), axis)
    return _cut(input, axis, widths)


def _cut(input: Tensor, axis: int, widths: tuple[int, int]) -> Tensor:
    """The input less what negative widths take off its ends."""
    before, after = (max(-n, 0) for n in widths)
    if input.shape[axis] < before + after:
        raise RuntimeError(f"pad: the widths {widths} leave nothing of a dimension of size {input.shape[axis]}")
    return input.narrow(axis, before, input.shape[axis] - before - after) if before or after else input
