"""Draws with a parameter for each element, from PyTorch's CPU random stream: one by one, or by a table of weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import float32

from tinygrad_nn.memory_order import in_memory_order
from tinygrad_nn.stream import Array, Stream, expect, plan

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Draws(Stream):
    """A stream whose draws also take arrays of parameters; errors as those of `Stream`."""

    def gamma(self, concentrations: Array) -> NDArray[np.float64]:
        """Gamma numbers of rate 1 for concentrations > 0, one by one, by rejection (Marsaglia & Tsang 2000)."""
        drawn = [self._gamma(float(a)) for a in concentrations.ravel()]
        return np.array(drawn, np.float64).reshape(concentrations.shape)

    def _gamma(self, a: float) -> float:
        scale = 1.0
        if a < 1:  # of a + 1, made smaller by a power of a uniform number
            scale, a = (1 - float(self._unit(1)[0])) ** (1 / a), a + 1
        d = a - 1 / 3
        c = 1 / math.sqrt(9 * d)
        while True:
            x = float(self._normals(1)[0])
            if 1 + c * x <= 0:
                continue
            v, u = (1 + c * x) ** 3, 1 - float(self._unit(1)[0])
            if u < 1 - 0.0331 * x**4 or math.log(u) < x * x / 2 + d * (1 - v + math.log(v)):
                return scale * d * v

    def poisson(self, rates: Array) -> NDArray[np.float64]:
        """Counts at rates >= 0, one by one: products of uniform numbers, from a rate of 10 on by rejection."""
        expect(np.all(rates >= 0), "poisson expects rates >= 0", "others")
        drawn = [self._poisson(float(rate)) for rate in rates.ravel()]
        return np.array(drawn, np.float64).reshape(rates.shape)

    def _poisson(self, rate: float) -> float:
        if rate >= 10:
            return self._transformed_poisson(rate)
        count, product, end = 0, 1.0, math.exp(-rate)
        while rate > 0:
            product *= float(self._unit(1)[0])
            if product <= end:
                break
            count += 1
        return count

    def _transformed_poisson(self, rate: float) -> float:
        """Transformed rejection (Hörmann 1993, "The transformed rejection method for generating Poisson random variables")."""
        b = 0.931 + 2.53 * math.sqrt(rate)
        a = -0.059 + 0.02483 * b
        while True:
            u, v = (float(d) for d in self._unit(2) - (0.5, 0))
            edge = 0.5 - abs(u)
            k = math.floor((2 * a / edge + b) * u + rate + 0.43)
            if edge >= 0.07 and v <= 0.9277 - 3.6224 / (b - 2):
                return k
            if k < 0 or (edge < 0.013 and v > edge):
                continue
            height = math.log(v * (1.1239 + 1.1328 / (b - 3.4)) / (a / edge**2 + b))
            if height <= k * math.log(rate) - rate - math.lgamma(k + 1):
                return k

    def binomial(self, counts: Array, chances: Array) -> Array:
        """Successes of so many trials, of a chance each, one by one; both arrays of one shape and floating dtype.

        Below 0 a count or chance is 0, above 1 a chance is 1.
        """
        expect(not np.isnan(counts + chances).any(), "binomial expects numbers", "NaN")
        pairs = zip(counts.ravel().clip(0), chances.ravel().clip(0, 1), strict=True)
        return np.array([self._binomial(n, p) for n, p in pairs], chances.dtype).reshape(counts.shape)

    def _binomial(self, n: Any, p: Any) -> float:
        if p > 0.5:
            return float(n) - self._binomial(n, 1 - p)
        if n == 0 or p == 0:
            return 0.0
        return self._transformed_binomial(n, p) if n * p >= 10 else self._successes(float(n), float(np.log1p(-p)))

    def _successes(self, n: float, log_miss: float) -> float:
        """How many waits for a success fit into n trials."""
        count, trials = -1, 0.0
        while trials <= n:
            count += 1
            d = float(self._unit(1)[0])
            trials += math.ceil(math.log(d) / log_miss) if d > 0 else math.inf
        return float(count)

    def _transformed_binomial(self, n: Any, p: Any) -> float:
        """Transformed rejection (Hörmann 1993, "The generation of binomial random variates", BTRS)."""
        # PyTorch takes these in the dtype of the chance, all else in float64
        mean, spread, odds, m = (float(v) for v in (n * p, np.sqrt(n * p * (1 - p)), p / (1 - p), np.floor((n + 1) * p)))
        n = float(n)
        b = 1.15 + 2.53 * spread
        a = -0.0873 + 0.0248 * b + 0.01 * float(p)

        def log_chance(k: float) -> float:
            return k * math.log(odds) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

        while True:
            u, v = (float(d) for d in self._unit(2) - (0.5, 0))
            edge = 0.5 - abs(u)
            k = float(math.floor((2 * a / edge + b) * u + mean + 0.5))
            if not 0 <= k <= n:
                continue
            if edge >= 0.07 and v <= 0.92 - 4.2 / b:
                return k
            if math.log(v * (2.83 + 5.1 / b) * spread / (a / edge**2 + b)) <= log_chance(k) - log_chance(m):
                return k

    def bernoulli_of(self, chances: Array) -> NDArray[np.bool_]:
        """True with the chance in [0, 1] that each element holds, bool: u < chance, u drawn in its dtype."""
        n, dtype = plan("bernoulli_of", chances.shape, chances.dtype)
        expect(np.all((chances >= 0) & (chances <= 1)), "bernoulli_of expects chances in [0, 1]", "others")
        return np.less(self._unit(n, dtype), chances.ravel()).reshape(chances.shape)

    def multinomial(self, weights: Array, num_samples: int, replacement: bool = False) -> NDArray[np.int64]:
        """Categories drawn by weight: (categories,) -> (num_samples,), or both with rows in front; int64.

        Several draws with replacement look d up among the cumulative weights; else exponentials race, each at
        the rate of its weight, and the first are drawn. Weights are finite, >= 0, and in no row all zero.

        >>> Draws().manual_seed(0).multinomial(np.array([0.1, 0.0, 0.9]), 2)
        array([2, 0])
        """
        _, dtype = plan("multinomial", weights.shape, weights.dtype)
        expect(weights.ndim in (1, 2), "multinomial expects weights of one or two dimensions", weights.shape)
        most = math.inf if replacement else weights.shape[-1]
        expect(1 <= num_samples <= most, f"multinomial expects 1 to {most} samples", num_samples)
        sound = np.all((weights >= 0) & (weights < np.inf)) and np.all(weights.any(axis=-1))
        expect(sound, "multinomial expects finite weights >= 0, in no row all zero", "others")
        if replacement and num_samples > 1:
            sums = np.atleast_2d(weights).cumsum(axis=1, dtype=np.result_type(dtype, float32))
            found = [np.searchsorted(row / row[-1], self._unit(num_samples)) for row in sums]
            return np.array(found, dtype=np.int64).reshape(*weights.shape[:-1], num_samples)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            speed = weights / in_memory_order(weights, lambda shape: self.exponential(shape, dtype=dtype))
        return np.ascontiguousarray(np.argsort(-speed, axis=-1, kind="stable")[..., :num_samples])
