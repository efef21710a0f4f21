"""A transform for each part of a tensor along a dimension."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from tinygrad_nn.distributions import constraints
from tinygrad_nn.distributions.constraints import Constraint
from tinygrad_nn.distributions.transforms.base import Transform
from tinygrad_nn.distributions.utils import sum_rightmost
from tinygrad_nn.methods.joining import cat, stack
from tinygrad_nn.tensor import Tensor

__all__ = ["CatTransform", "StackTransform"]


class _Joined(Transform):
    def __init__(self, tseq: Sequence[Transform], dim: int, cache_size: int) -> None:
        if not all(isinstance(each, Transform) for each in tseq):
            raise AssertionError("All elements of tseq must be Transform instances")
        super().__init__(cache_size)
        self.transforms = [each.with_cache(cache_size) for each in tseq] if cache_size else list(tseq)
        self.dim = dim

    @property
    def bijective(self) -> bool:
        """Whether all parts are."""
        return all(each.bijective for each in self.transforms)

    def _expect(self, x: Tensor, length: int) -> None:
        if not -x.ndim <= self.dim < x.ndim:
            raise AssertionError(f"dim {self.dim} out of range for tensor with {x.ndim} dimensions")
        if x.size(self.dim) != length:
            raise AssertionError(f"expected a size of {length} in dimension {self.dim}, got {x.size(self.dim)}")


class CatTransform(_Joined):
    """Each transform has its run of `lengths` places along a dimension, 1 if they are left out; else AssertionError."""

    def __init__(
        self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None, cache_size: int = 0
    ) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(f"lengths ({len(self.lengths)}) must match transforms ({len(self.transforms)})")

    @property
    def event_dim(self) -> int:
        """The greatest of the parts'."""
        return max(each.event_dim for each in self.transforms)

    @property
    def length(self) -> int:
        """How long the dimension is."""
        return sum(self.lengths)

    @property
    def domain(self) -> Constraint:
        """The parts'."""
        return constraints.cat([each.domain for each in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Constraint:
        """The parts'."""
        return constraints.cat([each.codomain for each in self.transforms], self.dim, self.lengths)

    def _copied(self, cache_size: int) -> Self:
        return type(self)(self.transforms, self.dim, self.lengths, cache_size)

    def _parts(self, x: Tensor) -> Sequence[Tensor]:
        self._expect(x, self.length)
        return x.split(self.lengths, self.dim)

    def _call(self, x: Tensor) -> Tensor:
        return cat([each(part) for each, part in zip(self.transforms, self._parts(x), strict=True)], self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        return cat([each.inv(part) for each, part in zip(self.transforms, self._parts(y), strict=True)], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The parts' one after the other; their sum if the dimension belongs to the events."""
        found: Any = [
            sum_rightmost(each.log_abs_det_jacobian(a, b), self.event_dim - each.event_dim)
            for each, a, b in zip(self.transforms, self._parts(x), self._parts(y), strict=True)
        ]
        dim = (self.dim - x.ndim if self.dim >= 0 else self.dim) + self.event_dim
        total: Tensor = cat(found, dim) if dim < 0 else sum(found)
        return total


class StackTransform(_Joined):
    """Each transform has one place along a dimension; AssertionError if there are not as many."""

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)

    @property
    def domain(self) -> Constraint:
        """The parts'."""
        return constraints.stack([each.domain for each in self.transforms], self.dim)

    @property
    def codomain(self) -> Constraint:
        """The parts'."""
        return constraints.stack([each.codomain for each in self.transforms], self.dim)

    def _copied(self, cache_size: int) -> Self:
        return type(self)(self.transforms, self.dim, cache_size)

    def _parts(self, x: Tensor) -> Sequence[Tensor]:
        self._expect(x, len(self.transforms))
        return x.unbind(self.dim)

    def _call(self, x: Tensor) -> Tensor:
        return stack([each(part) for each, part in zip(self.transforms, self._parts(x), strict=True)], self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        return stack([each.inv(part) for each, part in zip(self.transforms, self._parts(y), strict=True)], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The parts', stacked."""
        pairs = zip(self.transforms, self._parts(x), self._parts(y), strict=True)
        return stack([each.log_abs_det_jacobian(a, b) for each, a, b in pairs], self.dim)
