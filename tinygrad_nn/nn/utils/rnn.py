"""Sequences of several lengths in one tensor: padded to the longest, or packed without padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from tinygrad_nn.creation import as_tensor, full
from tinygrad_nn.methods import joining
from tinygrad_nn.ops import index
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.variable import wrap

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence", "pad_sequence",
    "unpack_sequence", "unpad_sequence",
]  # fmt: skip


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """The steps of sequences sorted by length, one after the other: `data` (all steps, ...), with `batch_sizes` (longest,).

    Step t holds the sequences that are longer than t, `batch_sizes[t]` of them. `sorted_indices` says where each
    came from, `unsorted_indices` where each went; both are None if they came sorted. Made by `pack_sequence`.
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        """Of data and batch_sizes, also given as one pair."""
        if batch_sizes is None:
            if not isinstance(data, list | tuple) or len(data) != 2:
                raise AssertionError(f"PackedSequence: expected data and batch_sizes, got one {type(data).__name__}")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **options: Any) -> Self:
        """The same with `data` cast; itself if nothing changes."""
        data = self.data.to(*args, **options)
        return self if data is self.data else type(self)(data, *self[1:])

    def cpu(self) -> Self:
        """Itself, which is on the CPU."""
        return self

    def double(self) -> Self:
        """The same with `data` in float64."""
        return self.to(np.float64)

    def float(self) -> Self:
        """The same with `data` in float32."""
        return self.to(np.float32)

    def long(self) -> Self:
        """The same with `data` in int64."""
        return self.to(np.int64)

    def half(self) -> Self:
        """The same with `data` in float16."""
        return self.to(np.float16)

    def int(self) -> Self:
        """The same with `data` in int32."""
        return self.to(np.int32)

    def short(self) -> Self:
        """The same with `data` in int16."""
        return self.to(np.int16)

    def char(self) -> Self:
        """The same with `data` in int8."""
        return self.to(np.int8)

    def byte(self) -> Self:
        """The same with `data` in uint8."""
        return self.to(np.uint8)

    def cuda(self, *args: Any, **options: Any) -> Self:
        """AssertionError: there is no GPU here."""
        return type(self)(self.data.cuda(*args, **options), *self[1:])

    def pin_memory(self) -> Self:
        """The same with `data.pin_memory()`."""
        return type(self)(self.data.pin_memory(), *self[1:])

    def is_pinned(self) -> bool:
        """Whether `data` is pinned: no."""
        return self.data.is_pinned()

    @property
    def is_cuda(self) -> bool:
        """Whether `data` is on a GPU: no."""
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another, (N,); None for None."""
    return None if permutation is None else wrap(np.argsort(permutation.detach().numpy()))


def _steps_of(lengths: Any) -> Any:
    """Which sequences (N,) have not ended at each step: bool (longest, N)."""
    return np.arange(lengths.max(initial=0))[:, None] < lengths


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack a batch (T, N, ...), or (N, T, ...) if `batch_first`, of which sequence n has `lengths[n]` steps.

    The longest comes first; unless `enforce_sorted`, they are sorted here. RuntimeError for lengths that are not
    sorted, not positive, or not one for each sequence.
    """
    steps = np.asarray(as_tensor(lengths).detach().numpy(), np.int64)
    if steps.ndim != 1:
        raise RuntimeError(f"'lengths' argument should be a 1D CPU int64 tensor, but got {steps.ndim}D")
    order = None
    if not enforce_sorted:
        order = np.argsort(-steps, kind="stable")
        steps = steps[order]
        input = input.index_select(0 if batch_first else 1, wrap(order))
    if batch_first:
        input = input.transpose(0, 1)
    if not input.numel():
        raise RuntimeError("Cannot pack empty tensors.")
    if len(steps) != input.shape[1]:
        raise RuntimeError(f"Expected `len(lengths)` to be equal to batch_size, but got {len(steps)} (batch_size={input.shape[1]})")
    if (np.diff(steps) > 0).any():
        raise RuntimeError(
            f"`lengths` array must be sorted in decreasing order when `enforce_sorted` is True, got {steps.tolist()}; "
            "pass enforce_sorted=False to have it sorted"
        )
    if steps[-1] <= 0:
        raise RuntimeError(f"Length of all samples has to be greater than 0, but found an element in 'lengths' that is {steps[-1]}")
    if steps[0] > input.shape[0]:
        raise RuntimeError(f"pack_padded_sequence: expected lengths of at most {input.shape[0]} steps, got {steps[0]}")
    there = _steps_of(steps)
    return PackedSequence(input[: steps[0]][wrap(there)], wrap(there.sum(1)), None if order is None else wrap(order))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The padded batch (T, N, ...), or (N, T, ...) if `batch_first`, in its original order, and the lengths (N,).

    T is `total_length` or the longest length; ValueError for a `total_length` below that.
    """
    data, sizes, _, places = sequence
    longest = len(sizes)
    if total_length is not None and total_length < longest:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {longest}"
        )
    alive = sizes.detach().numpy()
    there = np.zeros((total_length or longest, int(alive[0])), bool)
    there[:longest] = np.arange(alive[0]) < alive[:, None]
    padding = full((*there.shape, *data.shape[1:]), padding_value, dtype=data.dtype)
    padded: Tensor = index.setitem(padding, data, index=there)
    lengths: Tensor = wrap(there.sum(0))
    if places is not None:
        padded, lengths = padded.index_select(1, places), lengths[places]
    return padded.transpose(0, 1) if batch_first else padded, lengths


def pad_sequence(
    sequences: Tensor | Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Stack sequences (L_n, ...) into (T, N, ...), or (N, T, ...) if `batch_first`, padded to the longest.

    RuntimeError for what is no list of tensors of one shape behind L_n, and for a side that is not 'left' or 'right'.
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    rows = list(sequences)
    if not rows:
        raise RuntimeError("received an empty list of sequences")
    longest, trailing = max(len(row) for row in rows), tuple(rows[0].shape[1:])
    for row in rows:
        if tuple(row.shape[1:]) != trailing:
            raise RuntimeError(f"pad_sequence: expected sequences of steps of shape {list(trailing)}, got {list(row.shape[1:])}")
    padded = []
    for row in rows:
        padding = full((longest - len(row), *trailing), padding_value, dtype=rows[0].dtype)
        padded.append(joining.cat([padding, row] if padding_side == "left" else [row, padding]))
    return joining.stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences (L_n, ...) of a padded batch (T, N, ...), or (N, T, ...) if `batch_first`, each of its length."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[: int(length)] for row, length in zip(rows, lengths, strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (L_n, ...), the longest first; unless `enforce_sorted`, they are sorted here."""
    return pack_padded_sequence(pad_sequence(sequences), [len(row) for row in sequences], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences (L_n, ...) that were packed, in their original order."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences, batch_first=True), batch_first=True)
