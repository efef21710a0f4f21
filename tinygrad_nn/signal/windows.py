"""Windows of M numbers: symmetric ones, or with `sym=False` one period of periodic ones, for spectra.

All give the default float dtype or `dtype`, which must be a float, and raise ValueError for a negative M. In the
formulas below k runs from 0 to M - 1, and N is M - 1 or, with `sym=False`, M. Harris 1978, "On the use of windows for
harmonic analysis with the discrete Fourier transform", has most of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from tinygrad_nn.op import Array
from tinygrad_nn.tensor import Tensor
from tinygrad_nn.windows import kaiser_bessel, triangle, window_of

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming", "hann", "kaiser",
    "nuttall",
]  # fmt: skip


def bartlett(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """A triangle: 1 - |2 k / N - 1|."""
    return _window("bartlett", triangle, M, sym, options)


def blackman(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """0.42 - 0.5 cos(2 pi k / N) + 0.08 cos(4 pi k / N)."""
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, **options)


def hann(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """0.5 - 0.5 cos(2 pi k / N).

    >>> hann(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return general_hamming(M, alpha=0.5, sym=sym, **options)


def hamming(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """0.54 - 0.46 cos(2 pi k / N)."""
    return general_hamming(M, sym=sym, **options)


def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True, **options: Any) -> Tensor:
    """alpha - (1 - alpha) cos(2 pi k / N)."""
    return general_cosine(M, a=[alpha, 1 - alpha], sym=sym, **options)


def nuttall(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """The four-term cosine window of minimal side lobes; Nuttall 1981, "Some windows with very good sidelobe behavior"."""
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, **options)


def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, **options: Any) -> Tensor:
    """I0(beta sqrt(1 - (2 k / N - 1)^2)) / I0(beta), I0 the Bessel function (Kaiser, 1974); ValueError for a beta below 0."""
    if beta < 0:
        raise ValueError(f"kaiser: expected beta of at least 0, got {beta}")
    return _window("kaiser", partial(kaiser_bessel, beta), M, sym, options)


def general_cosine(M: int, *, a: Iterable[float], sym: bool = True, **options: Any) -> Tensor:
    """a[0] - a[1] cos(2 pi k / N) + a[2] cos(4 pi k / N) - ...; TypeError if `a` is no sequence, ValueError if it is empty."""
    if not isinstance(a, Iterable):
        raise TypeError(f"general_cosine: expected coefficients as a list or tuple, got {type(a).__name__}")
    weights = list(a)
    if not weights:
        raise ValueError("general_cosine: expected at least one coefficient, got none")

    def shape(k: Array, N: int) -> Array:
        terms = [(-1) ** i * weight * np.cos(2 * np.pi * i * k / N) for i, weight in enumerate(weights)]
        return np.sum(terms, axis=0)

    return _window("general_cosine", shape, M, sym, options)


def cosine(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """sin(pi (k + 0.5) / (N + 1))."""
    return _window("cosine", lambda k, N: np.sin(np.pi * (k + 0.5) / (N + 1)), M, sym, options)


def gaussian(M: int, *, std: float = 1.0, sym: bool = True, **options: Any) -> Tensor:
    """exp(-((k - N / 2) / std)^2 / 2); ValueError for a `std` that is not positive."""
    if std <= 0:
        raise ValueError(f"gaussian: expected a positive std, got {std}")
    return _window("gaussian", lambda k, N: np.exp(-(((k - N / 2) / std) ** 2) / 2), M, sym, options)


def exponential(M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, **options: Any) -> Tensor:
    """exp(-|k - center| / tau), the center N / 2; ValueError if it is given to a symmetric one, or for tau not positive."""
    if tau <= 0:
        raise ValueError(f"exponential: expected a positive tau, got {tau}")
    if sym and center is not None:
        raise ValueError(f"exponential: expected no center in a symmetric window, got {center}")

    def shape(k: Array, N: int) -> Array:
        return np.exp(-np.abs(k - (N / 2 if center is None else center)) / tau)

    return _window("exponential", shape, M, sym, options)


def _window(name: str, shape: Callable[[Array, int], Array], M: int, sym: bool, options: dict[str, Any]) -> Tensor:
    return window_of(name, shape, M, not sym, error=ValueError, **options)
