"""Special functions, element by element; `tinygrad_nn.special` shows them all in `torch.special`'s spelling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tinygrad_nn.dtypes import result_type
from tinygrad_nn.methods import pointwise
from tinygrad_nn.methods.faces import Number, expect_tensor, in_common, is_tensor, of_tensor, of_tensors
from tinygrad_nn.ops import elementwise
from tinygrad_nn.ops import special as ops

if TYPE_CHECKING:
    from tinygrad_nn.tensor import Tensor

__all__ = ["digamma", "erf", "erfc", "erfinv", "i0", "igamma", "igammac", "lgamma", "logit", "mvlgamma", "polygamma", "xlogy"]

erf, erfc, erfcx, erfinv = of_tensor(ops.erf), of_tensor(ops.erfc), of_tensor(ops.erfcx), of_tensor(ops.erfinv)
lgamma, digamma, entr = of_tensor(ops.lgamma), of_tensor(ops.digamma), of_tensor(ops.entr)
ndtri, log_ndtr, gammainc = of_tensor(ops.ndtri), of_tensor(ops.log_ndtr), of_tensors(ops.gammainc)


def ndtr(input: Tensor) -> Tensor:
    """The probability that a standard normal variable lies below input: erfc(-input / sqrt(2)) / 2."""
    expect_tensor("special_ndtr", "input", input)
    return elementwise.mul(ops.erfc(elementwise.mul(input, -math.sqrt(0.5))), 0.5)


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """log(input / (1 - input)), input first held between `eps` and 1 - `eps` if that is given."""
    expect_tensor("logit", "input", input)
    return ops.logit(input if eps is None else pointwise.clamp(input, eps, 1 - eps))


def xlogy(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """input * log(other), and 0 where input is 0 and other a number; broadcast together."""
    if not is_tensor(input):
        expect_tensor("xlogy", "other", other)
    return ops.xlogy(input, other)


def xlog1py(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """input * log(1 + other), and 0 where input is 0 and other a number; broadcast together."""
    if not is_tensor(input):
        expect_tensor("xlog1py", "other", other)
    return ops.xlog1py(input, other)


def gammaincc(input: Tensor, other: Tensor) -> Tensor:
    """1 - gammainc(input, other), from float64: the probability that a gamma variable lies above `other`."""
    lower = gammainc(in_common(input, other, floating=True).double(), other)
    return elementwise.sub(1.0, lower).to(result_type([v.detach().numpy() for v in (input, other)], True))


igamma, igammac = gammainc, gammaincc


def polygamma(n: int, input: Tensor) -> Tensor:
    """The derivative of order n of digamma; RuntimeError for a negative n."""
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n, got {n}")
    return ops.digamma(input) if n == 0 else ops.polygamma(input, n=n)


def mvlgamma(input: Tensor, p: int) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension p (DLMF 35.3.4)."""
    if p < 1:
        raise RuntimeError(f"mvlgamma: expected p of at least 1, got {p}")
    total = elementwise.add(ops.lgamma(input), p * (p - 1) / 4 * math.log(math.pi))
    for j in range(1, p):
        total = elementwise.add(total, ops.lgamma(elementwise.sub(input, j / 2)))
    return total


def i0(input: Tensor) -> Tensor:
    """The modified Bessel function I of order 0."""
    expect_tensor("i0", "input", input)
    return ops.bessel_i(input, order=0, scaled=False)


def i0e(input: Tensor) -> Tensor:
    """The modified Bessel function I of order 0 times exp(-|input|)."""
    expect_tensor("i0e", "input", input)
    return ops.bessel_i(input, order=0, scaled=True)


def i1(input: Tensor) -> Tensor:
    """The modified Bessel function I of order 1."""
    expect_tensor("i1", "input", input)
    return ops.bessel_i(input, order=1, scaled=False)


def i1e(input: Tensor) -> Tensor:
    """The modified Bessel function I of order 1 times exp(-|input|)."""
    expect_tensor("i1e", "input", input)
    return ops.bessel_i(input, order=1, scaled=True)
