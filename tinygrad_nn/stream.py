"""PyTorch's CPU random stream in NumPy arrays: knows the words and each draw's arithmetic, and no Tensor.

PyTorch and NumPy carry the same Mersenne Twister (Matsumoto & Nishimura 1998, MT19937): one seed gives both
the same 32-bit words. A draw agrees if it takes as many words, in their order, and rounds where PyTorch does.
In the formulas below `d` is a float64 in [0, 1), made of two words.
"""

from __future__ import annotations

import math
import os
import warnings
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
from numpy import float32

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

Array: TypeAlias = "NDArray[Any]"
Shape = tuple[int, ...]

_WORDS = 624  # the twister's state

# The bytes of torch.Generator.get_state(). `left` counts down what `next` counts up; a word lies in 64 bits;
# `normal` is the spare one of a pair; normal_x and normal_rho are no longer used.
_STATE = np.dtype([
    ("seed", "<u8"), ("left", "<i4"), ("seeded", "<i4"), ("next", "<u8"), ("words", "<u8", (_WORDS,)),
    ("normal_x", "<f8"), ("normal", "<f8"), ("normal_rho", "<f8"), ("has_normal", "<i8"), ("unused", "V8"),
])


def expect(holds: object, what: str, got: object) -> None:
    """RuntimeError unless something holds."""
    if not holds:
        raise RuntimeError(f"{what}, got {got}")


def _count(shape: Shape) -> int:
    expect(min(shape, default=0) >= 0, "expected a shape without negative dimensions", shape)
    return math.prod(shape)


def plan(draw: str, shape: Shape, dtype: DTypeLike) -> tuple[int, np.dtype[Any]]:
    """How many floating-point numbers to draw, and their dtype."""
    dtype = np.dtype(dtype)
    expect(dtype.char in "efd", f"{draw} expects dtype float16, float32 or float64", dtype)
    return _count(shape), dtype


def _whole(draw: str, dtype: DTypeLike) -> tuple[int, int]:
    """The least and the greatest of the dtype's unbroken run of whole numbers, within int64."""
    dtype = np.dtype(dtype)
    expect(dtype.kind in "biuf", f"{draw} expects a real dtype", dtype)
    if dtype.kind == "f":
        most = 2 ** (np.finfo(dtype).nmant + 1)
        return -most, most
    return (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, min(np.iinfo(dtype).max, 2**63 - 1))


def _inwards(low: int, high: int, dtype: np.dtype[Any]) -> tuple[int, int]:
    """Bounds for whole numbers of a floating dtype, moved where rounding would pass them; a warning if it holds only some."""
    least, most = _whole("integers", dtype)
    if least <= low and high <= most + 1:
        return low, high
    expect(max(-low, high - 1) <= float(np.finfo(dtype).max), f"integers expects bounds within {dtype}", (low, high))
    warnings.warn(f"integers: {dtype} holds only some of the whole numbers from {low} to {high - 1}", stacklevel=2)
    first, last = low + 1, high - 1
    bottom, top = int(dtype.type(first)), int(dtype.type(last))
    if bottom < low:
        low = bottom + 2 ** (abs(first).bit_length() - most.bit_length() + 1)
    if top >= high:
        high = top - 2 ** (abs(last).bit_length() - most.bit_length() + 1)
    return low, high


def _shaped(values: Array, shape: Shape, dtype: DTypeLike) -> Array:
    with np.errstate(over="ignore"):  # what is beyond float16 becomes inf, as in PyTorch
        return values.astype(dtype, copy=False).reshape(shape)


def _affine(x: Array, scale: float, shift: float) -> Array:
    """x * scale + shift in a wider type: PyTorch's loops fuse the two and round once."""
    if scale == 1 and shift == 0:
        return x
    wide = x.astype(np.float64 if x.dtype == float32 else np.longdouble)
    out: Array = wide * x.dtype.type(scale) + x.dtype.type(shift)
    return out.astype(x.dtype)


def _box_muller(uniforms: Array) -> Array:
    """Standard normals, in place: of each sixteen uniforms the first eight give radii, the rest angles."""
    out = uniforms.reshape(-1, 2, 8)
    radius, angle = np.sqrt(-2 * np.log(1 - out[:, 0])), 2 * math.pi * out[:, 1]
    out[:, 0], out[:, 1] = radius * np.cos(angle), radius * np.sin(angle)
    return uniforms


class Stream:
    """A stream of random numbers: torch.Generator's on the CPU, with PyTorch's draws as methods.

    Each draw gives a new array and moves the stream on as far as PyTorch's does. Parameters outside their
    domain, dtypes that cannot be drawn and negative dimensions raise RuntimeError.

    >>> stream = Stream().manual_seed(0)
    >>> state = stream.state()
    >>> stream.random32() == stream.restore(state).random32()
    True
    """

    def __init__(self) -> None:
        self.manual_seed(67280421310721)  # torch.Generator()'s first seed

    def manual_seed(self, seed: int) -> Self:
        """Restart from an integer in [-2**63, 2**64), else ValueError; the lowest 32 bits decide the rest."""
        expect(hasattr(seed, "__index__"), "manual_seed expects an integer", repr(seed))
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed expects a seed in [-2**63, 2**64), got {seed}")
        self._seed = int(seed) % 2**64
        self._twister: np.random.MT19937 | None = None  # made by the first draw
        self._spare: float | None = None  # the second normal of a pair
        return self

    @property
    def _bits(self) -> np.random.MT19937:
        """The Mersenne twister; NumPy's random numbers, slow to import, are loaded by the first draw."""
        if self._twister is None:
            self._twister = np.random.MT19937()
            np.random.RandomState(self._twister).seed(self._seed % 2**32)  # seeds the bits it is given
        return self._twister

    def initial_seed(self) -> int:
        """The seed that the stream was last started from, in [0, 2**64)."""
        return self._seed

    def seed(self) -> int:
        """Restart the stream from 64 random bits of the operating system, and return them."""
        return self.manual_seed(int.from_bytes(os.urandom(8), "little")).initial_seed()

    def state(self) -> NDArray[np.uint8]:
        """All that the draws to come depend on: uint8 (5056,), the bytes that torch.Generator gives."""
        twister = self._bits.state["state"]
        position = int(twister["pos"])
        # At 624 no word is left. PyTorch has 624 there after the last word, but 0 before the first.
        fresh = position == _WORDS and int(twister["key"][0]) == self._seed % 2**32
        state = np.zeros(1, _STATE)
        state["seed"], state["seeded"], state["words"] = self._seed, 1, twister["key"]
        state["left"], state["next"] = _WORDS + 1 - position, 0 if fresh else position
        state["normal"], state["has_normal"] = self._spare or 0, self._spare is not None
        return state.view(np.uint8)

    def restore(self, state: NDArray[np.uint8]) -> Self:
        """Continue from what `state` gave, here or in PyTorch; anything else raises RuntimeError."""
        fits = state.dtype == np.uint8 and state.shape == (_STATE.itemsize,)
        expect(fits, f"restore expects uint8 ({_STATE.itemsize},)", f"{state.dtype} {state.shape}")
        new = np.ascontiguousarray(state).view(_STATE)[0]
        words, left, position = new["words"], int(new["left"]), int(new["next"]) or _WORDS
        valid = new["seeded"] == 1 and 1 <= left <= _WORDS and left + position == _WORDS + 1
        expect(valid and words.max() < 2**32, "restore expects what state gave", "other bytes")
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": words.astype("u4"), "pos": position}}
        self._seed = int(new["seed"])
        self._spare = float(new["normal"]) if new["has_normal"] else None
        return self

    def random32(self) -> int:
        """The next word of the stream, an integer in [0, 2**32)."""
        return int(self._bits.random_raw())

    def random64(self) -> int:
        """The next two words as one integer in [0, 2**64), the first on top."""
        return self.random32() << 32 | self.random32()

    def _words(self, n: int, bits: int = 32) -> NDArray[np.uint64]:
        """n integers of 32 bits, one word each, or of 64 bits, two words each."""
        words = self._bits.random_raw(n * bits // 32)
        return words if bits == 32 else words[0::2] << np.uint64(32) | words[1::2]

    def _unit(self, n: int, dtype: DTypeLike = np.float64) -> Array:
        """Uniform in [0, 1): float64 from 53 bits of two words, otherwise float32 from 24 bits of one."""
        bits, digits, real = (64, 53, "f8") if dtype == np.float64 else (32, 24, "f4")
        words = self._words(n, bits)
        words &= np.uint64(2**digits - 1)
        return words.view(np.int64).astype(real) * 2.0**-digits  # signed, which processors convert faster

    def uniform(self, shape: Shape, low: float = 0, high: float = 1, dtype: DTypeLike = float32) -> Array:
        """Uniform numbers in [low, high): one word each, float64 two.

        >>> Stream().manual_seed(0).uniform((2,), -1.0, 1.0)
        array([-0.00748682,  0.5364436 ], dtype=float32)
        """
        n, dtype = plan("uniform", shape, dtype)
        limit = float(np.finfo(dtype).max)
        fits = -limit <= low <= high <= limit and high - low <= limit
        expect(fits, f"uniform expects low <= high within the range of {dtype}", (low, high))
        unit = self._unit(n, dtype)
        out = _shaped(_affine(unit, np.subtract(high, low, dtype=unit.dtype), low), shape, dtype)
        out[out == dtype.type(high)] = low  # rounding can reach it
        return out

    def normal(self, shape: Shape, mean: float = 0, std: float = 1, dtype: DTypeLike = float32) -> Array:
        """Normal numbers, std >= 0, by Box & Muller (1958): in sixteens, fewer in pairs of float64.

        >>> Stream().manual_seed(0).normal((2,)).round(4)
        array([ 1.541 , -0.2934], dtype=float32)
        """
        n, dtype = plan("normal", shape, dtype)
        if n < 16:
            return self.normal_in_turn(shape, mean, std, dtype)
        expect(std >= 0, "normal expects std >= 0", std)
        full = n - n % 16  # float16 goes group by group; the wider draw all, then transform the full groups
        out = _box_muller(self._unit(full if dtype == np.float16 else n, dtype)[:full])
        if full < n:  # the last sixteen are drawn again, over part of the last full group
            out = np.append(out[: n - 16], _box_muller(self._unit(16, dtype)))
        return _shaped(_affine(out, std, mean), shape, dtype)

    def normal_in_turn(self, shape: Shape, mean: float = 0, std: float = 1, dtype: DTypeLike = float32) -> Array:
        """Normal numbers, std >= 0, however many in pairs of float64: as PyTorch fills memory that is not row-major."""
        n, dtype = plan("normal", shape, dtype)
        expect(std >= 0, "normal expects std >= 0", std)
        return _shaped(self._normals(n) * std + mean, shape, dtype)

    def _normals(self, n: int) -> NDArray[np.float64]:
        """Standard normals one by one, drawn in pairs; a second one not asked for waits as the spare."""
        kept = [] if self._spare is None else [self._spare]
        d = self._unit((n - len(kept) + 1) // 2 * 2).reshape(-1, 2)
        radius, angle = np.sqrt(-2 * np.log1p(-d[:, 1])), 2 * math.pi * d[:, 0]
        out = np.append(kept, np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1))
        self._spare = float(out[n]) if out.size > n else None
        return out[:n]

    def log_normal(self, shape: Shape, mean: float = 1, std: float = 2, dtype: DTypeLike = float32) -> Array:
        """exp of normal numbers of this mean and std > 0."""
        n, dtype = plan("log_normal", shape, dtype)
        expect(std > 0, "log_normal expects std > 0", std)
        return _shaped(np.exp(self._normals(n) * std + mean), shape, dtype)

    def exponential(self, shape: Shape, lambd: float = 1, dtype: DTypeLike = float32) -> Array:
        """Exponential numbers of rate lambd > 0, by inversion: -log(1 - d) / lambd."""
        n, dtype = plan("exponential", shape, dtype)
        expect(lambd > 0, "exponential expects lambd > 0", lambd)
        return _shaped(-1 / lambd * np.log1p(-self._unit(n)), shape, dtype)

    def cauchy(self, shape: Shape, median: float = 0, sigma: float = 1, dtype: DTypeLike = float32) -> Array:
        """Cauchy numbers of scale sigma > 0, by inversion: median + sigma tan(pi (d - 1/2))."""
        n, dtype = plan("cauchy", shape, dtype)
        expect(sigma > 0, "cauchy expects sigma > 0", sigma)
        return _shaped(median + sigma * np.tan(math.pi * (self._unit(n) - 0.5)), shape, dtype)

    def geometric(self, p: float, shape: Shape, dtype: DTypeLike = float32) -> Array:
        """Trials until the first success of chance p in (0, 1), by inversion: ceil(log d / log(1 - p))."""
        expect(0 < p < 1, "geometric expects p in (0, 1)", p)
        return _shaped(np.ceil(np.log(self._unit(_count(shape))) / math.log1p(-p)), shape, dtype)

    def integers(self, low: int, high: int, shape: Shape, dtype: DTypeLike = np.int64) -> Array:
        """Integers in [low, high): one word each, or two from 2**28 possible ones on.

        The dtype must hold them; a floating one that holds only some warns, and what is drawn is rounded.

        >>> Stream().manual_seed(0).integers(-5, 5, (5,))
        array([-1,  4, -2, -5, -2])
        """
        least, most = _whole("integers", dtype)
        if np.dtype(dtype).kind == "f":
            low, high = _inwards(low, high, np.dtype(dtype))
            least, most = min(least, low), max(most, high - 1)
        fits = least <= low < high <= most + 1
        expect(fits, f"integers expects {least} <= low < high <= {most + 1}", (low, high))
        span = high - low
        words = self._words(_count(shape), 64 if span >= 2**28 else 32)
        words = words if span == 2**64 else words % np.uint64(span) + np.uint64(low % 2**64)
        return _shaped(words.view(np.int64), shape, dtype)

    def random_ints(self, shape: Shape, dtype: DTypeLike = np.int64) -> Array:
        """Integers from 0 to the dtype's greatest, floats to 2**digits, as Tensor.random_() draws them."""
        limit = np.uint64(_whole("random_ints", dtype)[1] + 1)
        words = self._words(_count(shape), 64 if np.dtype(dtype).itemsize == 8 else 32)
        return _shaped(words % limit, shape, dtype)

    def permutation(self, n: int) -> NDArray[np.int64]:
        """0 to n - 1 in random order, int64 (n,), by exchanges from the front (Fisher & Yates 1938).

        >>> Stream().manual_seed(0).permutation(5)
        array([4, 0, 1, 3, 2])
        """
        at = np.arange(_count((n,)), dtype=np.uint64)
        if n < (2**32 - 1) // 20:
            to = at[:-1] + self._words(at[:-1].size) % (np.uint64(n) - at[:-1])
        else:  # one word modulo n would be too uneven; PyTorch then exchanges with what lies before
            to = self._words(n, 64) % (at + np.uint64(1))
        order = list(range(n))
        for i, j in enumerate(to.tolist()):
            order[i], order[j] = order[j], order[i]
        return np.array(order, dtype=np.int64)

    def bernoulli(self, p: float, shape: Shape) -> NDArray[np.bool_]:
        """True with chance p in [0, 1], bool: d < p.

        >>> Stream().manual_seed(0).bernoulli(0.5, (4,))
        array([False, False,  True, False])
        """
        expect(0 <= p <= 1, "bernoulli expects p in [0, 1]", p)
        words = self._words(_count(shape), 64)
        words &= np.uint64(2**53 - 1)  # d * 2**53: an integer compares without becoming a float
        return np.less(words, np.uint64(math.ceil(p * 2**53))).reshape(shape)
