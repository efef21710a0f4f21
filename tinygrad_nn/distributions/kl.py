"""How far one distribution is from another (Kullback & Leibler 1951), in closed form.

Most follow from what a distribution's logarithms have for a mean: the divergence is minus the entropy of the first less
the mean under it of the second's log_prob.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tinygrad_nn import linalg
from tinygrad_nn.autograd import grad
from tinygrad_nn.creation import full_like
from tinygrad_nn.distributions.categorical import Categorical, OneHotCategorical
from tinygrad_nn.distributions.composed import Independent
from tinygrad_nn.distributions.continuous import Cauchy, Exponential, Laplace, Normal, Uniform
from tinygrad_nn.distributions.continuous_bernoulli import ContinuousBernoulli
from tinygrad_nn.distributions.derived import Gumbel, HalfNormal, Pareto
from tinygrad_nn.distributions.discrete import Bernoulli, Binomial, Geometric, Poisson
from tinygrad_nn.distributions.distribution import Distribution, ExponentialFamily
from tinygrad_nn.distributions.gamma import Beta, Dirichlet, Gamma
from tinygrad_nn.distributions.multivariate import LowRankMultivariateNormal, MultivariateNormal
from tinygrad_nn.distributions.transformed import TransformedDistribution
from tinygrad_nn.distributions.utils import euler_constant, sum_rightmost
from tinygrad_nn.methods.special import digamma, lgamma, xlogy
from tinygrad_nn.nn.functional import softplus
from tinygrad_nn.tensor import Tensor

__all__ = ["kl_divergence", "register_kl"]

Rule = Callable[[Any, Any], Tensor]
_RULES: dict[tuple[type, type], Rule] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Rule], Rule]:
    """A decorator of the function that gives the divergence between two kinds; TypeError for what is no Distribution."""
    for name, kind in (("type_p", type_p), ("type_q", type_q)):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"Expected {name} to be a Distribution subclass but got {kind}")

    def register(rule: Rule) -> Rule:
        _RULES[type_p, type_q] = rule
        return rule

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The mean under `p` of log p - log q, for each place of the batch; NotImplementedError for a pair without a rule.

    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    for first in type(p).__mro__:
        for second in type(q).__mro__:
            if (first, second) in _RULES:
                return _RULES[first, second](p, q)
    raise NotImplementedError(f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}")


def _same_events(p: Distribution, q: Distribution) -> None:
    if p.event_shape != q.event_shape:
        raise ValueError(f"kl_divergence: expected one event_shape, got {p.event_shape} and {q.event_shape}")


def _infinite(where: str) -> Rule:
    """The rule of a pair whose first reaches where the second never is; `where` names a parameter of the first's shape."""
    return lambda p, q: full_like(getattr(p, where), math.inf)


for _kind, _place, _narrower in (
    (Normal, "loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Laplace, "loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Gumbel, "loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Exponential, "rate", (Beta, ContinuousBernoulli, Pareto, Uniform)),
    (Gamma, "concentration", (Beta, ContinuousBernoulli, Pareto, Uniform)),
    (Pareto, "scale", (Beta, ContinuousBernoulli, Uniform)),
    (Beta, "concentration1", (Pareto,)),
    (ContinuousBernoulli, "probs", (Pareto,)),
    (Poisson, "rate", (Bernoulli, Binomial)),
):
    for _other in _narrower:
        register_kl(_kind, _other)(_infinite(_place))


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


def _to_normal(p: Distribution, q: Normal, entropy: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    """From any distribution whose first two moments are known."""
    spread = (variance + (mean - q.loc).pow(2)) / q.scale.pow(2)
    return 0.5 * (spread + math.log(2 * math.pi)) + q.scale.log() - entropy


@register_kl(Laplace, Normal)
@register_kl(Uniform, Normal)
@register_kl(Exponential, Normal)
@register_kl(Gamma, Normal)
@register_kl(Beta, Normal)
@register_kl(ContinuousBernoulli, Normal)
@register_kl(Gumbel, Normal)
def _moments_normal(p: Distribution, q: Normal) -> Tensor:
    return _to_normal(p, q, p.entropy(), p.mean, p.variance)


@register_kl(Pareto, Normal)
def _pareto_normal(p: Pareto, q: Normal) -> Tensor:
    heavy = p.alpha <= 2
    mean, variance = p.mean.masked_fill(heavy, 0.0), p.variance.masked_fill(heavy, math.inf)
    return _to_normal(p, q, p.entropy(), mean, variance)


@register_kl(Normal, Laplace)
def _normal_laplace(p: Normal, q: Laplace) -> Tensor:
    apart = p.loc - q.loc
    z = apart / p.scale
    distance = math.sqrt(2 / math.pi) * p.scale * (-0.5 * z.pow(2)).exp() + apart * (math.sqrt(0.5) * z).erf()
    return (2 * q.scale).log() + distance / q.scale - p.entropy()


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: HalfNormal, q: HalfNormal) -> Tensor:
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("kl_divergence of distributions transformed in different ways is not implemented")
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio, apart = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + apart / q.scale + ratio * (-apart / p.scale).exp() - 1


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    """Chyzak & Nielsen 2019."""
    return ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log() - (4 * p.scale * q.scale).log()


@register_kl(Uniform, Uniform)
def _uniform(p: Uniform, q: Uniform) -> Tensor:
    outside = (q.low > p.low) | (q.high < p.high)
    return ((q.high - q.low) / (p.high - p.low)).log().masked_fill(outside, math.inf)


def _mean_log(low: Tensor, high: Tensor) -> Tensor:
    """The mean logarithm of a number that is uniform between two."""
    return (xlogy(high, high) - xlogy(low, low)) / (high - low) - 1


@register_kl(Uniform, Beta)
def _uniform_beta(p: Uniform, q: Beta) -> Tensor:
    a, b = q.concentration1, q.concentration0
    logs = (a - 1) * _mean_log(p.low, p.high) + (b - 1) * _mean_log(1 - p.high, 1 - p.low)
    found = lgamma(a) + lgamma(b) - lgamma(a + b) - logs - p.entropy()
    return found.masked_fill((p.high > 1) | (p.low < 0), math.inf)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Uniform, q: ContinuousBernoulli) -> Tensor:
    found = _moment_continuous_bernoulli(p, q)
    return found.masked_fill((p.high >= 1) | (p.low <= 0), math.inf)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Uniform, q: Exponential) -> Tensor:
    return _moment_exponential(p, q).masked_fill(p.low < 0, math.inf)


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Uniform, q: Gamma) -> Tensor:
    return _to_gamma(q, p.entropy(), p.mean, _mean_log(p.low, p.high)).masked_fill(p.low < 0, math.inf)


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Uniform, q: Gumbel) -> Tensor:
    ratio = q.scale / (p.high - p.low)
    high, low = (p.high - q.loc) / q.scale, (p.low - q.loc) / q.scale
    return ratio.log() + 0.5 * (high + low) - ratio * ((-high).exp() - (-low).exp())


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Uniform, q: Pareto) -> Tensor:
    density = q.alpha.log() + q.alpha * q.scale.log() - (q.alpha + 1) * _mean_log(p.low, p.high)
    return (-p.entropy() - density).masked_fill(p.low < q.scale, math.inf)


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(Gamma, Exponential)
@register_kl(Beta, Exponential)
@register_kl(ContinuousBernoulli, Exponential)
def _moment_exponential(p: Distribution, q: Exponential) -> Tensor:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


@register_kl(Pareto, Exponential)
def _pareto_exponential(p: Pareto, q: Exponential) -> Tensor:
    return _moment_exponential(p, q).masked_fill(p.alpha <= 1, math.inf)


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Exponential, q: Gumbel) -> Tensor:
    product, at = p.rate * q.scale, q.loc / q.scale
    return product.log() - 1 - at + at.exp() * product / (product + 1) + product.reciprocal()


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    return b * (p.rate / q.rate).log() + lgamma(b) - lgamma(a) + (a - b) * digamma(a) + (q.rate - p.rate) * (a / p.rate)


def _to_gamma(q: Gamma, entropy: Tensor, mean: Tensor, mean_log: Tensor) -> Tensor:
    """From any distribution whose mean and mean logarithm are known."""
    b = q.concentration
    return lgamma(b) - b * q.rate.log() - (b - 1) * mean_log + q.rate * mean - entropy


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Exponential, q: Gamma) -> Tensor:
    return _to_gamma(q, p.entropy(), p.mean, -euler_constant - p.rate.log())


@register_kl(Beta, Gamma)
def _beta_gamma(p: Beta, q: Gamma) -> Tensor:
    a, b = p.concentration1, p.concentration0
    return _to_gamma(q, p.entropy(), p.mean, digamma(a) - digamma(a + b))


@register_kl(Pareto, Gamma)
def _pareto_gamma(p: Pareto, q: Gamma) -> Tensor:
    found = _to_gamma(q, p.entropy(), p.mean, p.scale.log() + p.alpha.reciprocal())
    return found.masked_fill(p.alpha <= 1, math.inf)


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Gamma, q: Gumbel) -> Tensor:
    a, product, at = p.concentration, p.rate * q.scale, q.loc / q.scale
    known = (a - 1) * digamma(a) - lgamma(a) - a
    return known + product.log() + a / product + at.exp() * (1 + product.reciprocal()).pow(-a) - at


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Gumbel, q: Gumbel) -> Tensor:
    ratio, apart = p.scale / q.scale, (q.loc - p.loc) / q.scale
    return -ratio.log() - apart + (ratio - 1) * euler_constant + (apart + lgamma(1 + ratio)).exp() - 1


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Normal, q: Gumbel) -> Tensor:
    ratio, apart = (p.scale / q.scale).pow(2), (p.loc - q.loc) / q.scale
    return -0.5 * ratio.log() + apart + (0.5 * ratio - apart).exp() - 0.5 * (1 + math.log(2 * math.pi))


@register_kl(Pareto, Pareto)
def _pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    found = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return found.masked_fill(p.scale < q.scale, math.inf)


@register_kl(Beta, Beta)
def _beta(p: Beta, q: Beta) -> Tensor:
    return _dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Beta, Uniform)
def _beta_uniform(p: Beta, q: Uniform) -> Tensor:
    return (q.entropy() - p.entropy()).masked_fill((q.low > 0) | (q.high < 1), math.inf)


@register_kl(ContinuousBernoulli, Uniform)
def _continuous_bernoulli_uniform(p: ContinuousBernoulli, q: Uniform) -> Tensor:
    # as PyTorch has it: infinite unless the second covers 0 and 1 with room to spare
    return (q.entropy() - p.entropy()).masked_fill((q.low >= 0) | (q.high <= 1), math.inf)


@register_kl(Beta, ContinuousBernoulli)
def _moment_continuous_bernoulli(p: Distribution, q: ContinuousBernoulli) -> Tensor:
    return -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_norm()


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: ContinuousBernoulli, q: ContinuousBernoulli) -> Tensor:
    known = p.mean * (p.logits - q.logits) + p._log_norm() + (-p.probs).log1p()
    return known - q._log_norm() - (-q.probs).log1p()


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    totals = lgamma(a.sum(-1)) - lgamma(b.sum(-1))
    return totals - (lgamma(a) - lgamma(b)).sum(-1) + ((a - b) * (digamma(a) - digamma(a.sum(-1, keepdim=True)))).sum(-1)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    yes = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    yes = yes.masked_fill(q.probs == 0, math.inf).masked_fill(p.probs == 0, 0.0)
    no = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    no = no.masked_fill(q.probs == 1, math.inf).masked_fill(p.probs == 1, 0.0)
    return yes + no


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Binomial, Binomial)
def _binomial(p: Binomial, q: Binomial) -> Tensor:
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    found = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return found.masked_fill(p.total_count > q.total_count, math.inf)


@register_kl(Geometric, Geometric)
def _geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _poisson(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Categorical, Categorical)
def _categorical(p: Categorical, q: Categorical) -> Tensor:
    each = p.probs * (p.logits - q.logits)
    each = each.masked_fill((q.probs == 0).expand_as(each), math.inf)
    found: Tensor = each.masked_fill((p.probs == 0).expand_as(each), 0.0).sum(-1)
    return found


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return kl_divergence(p._categorical, q._categorical)


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normal(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    _same_events(p, q)
    spread = linalg.solve_triangular(q._factor, p._factor, upper=False).pow(2).sum((-2, -1))
    apart = linalg.solve_triangular(q._factor, (q.loc - p.loc).unsqueeze(-1), upper=False).pow(2).sum((-2, -1))
    return q._half_log_det() - p._half_log_det() + 0.5 * (spread + apart - p.event_shape[0])


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _low_rank_to_normal(p: LowRankMultivariateNormal, q: MultivariateNormal) -> Tensor:
    _same_events(p, q)
    parts = [p.cov_factor, p.cov_diag.sqrt().diag_embed(), (q.loc - p.loc).unsqueeze(-1)]
    spread = sum(linalg.solve_triangular(q._factor, part, upper=False).pow(2).sum((-2, -1)) for part in parts)
    return q._half_log_det() + 0.5 * (spread - p._log_det() - p.event_shape[0])


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _normal_to_low_rank(p: MultivariateNormal, q: LowRankMultivariateNormal) -> Tensor:
    _same_events(p, q)
    spread = _spread(p._factor, q) + q._distance(q.loc - p.loc)
    return 0.5 * (q._log_det() + spread - p.event_shape[0]) - p._half_log_det()


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _low_rank(p: LowRankMultivariateNormal, q: LowRankMultivariateNormal) -> Tensor:
    _same_events(p, q)
    spread = _spread(p.cov_factor, q) + _spread(p.cov_diag.sqrt().diag_embed(), q) + q._distance(q.loc - p.loc)
    return 0.5 * (q._log_det() - p._log_det() + spread - p.event_shape[0])


def _spread(factor: Tensor, q: LowRankMultivariateNormal) -> Tensor:
    """The trace of F F^T by the covariance."""
    inside = (q._whitened() @ factor).pow(2).sum((-2, -1))
    found: Tensor = (factor.pow(2) / q.cov_diag.unsqueeze(-1)).sum((-2, -1)) - inside
    return found


@register_kl(Independent, Independent)
def _independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("kl_divergence of Independents with other numbers of dimensions is not implemented")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: ExponentialFamily, q: ExponentialFamily) -> Tensor:
    """The log normalizers' Bregman divergence (Nielsen & Nock 2010)."""
    if type(p) is not type(q):
        raise NotImplementedError(
            f"kl_divergence of different exponential families is not implemented: {type(p).__name__}, {type(q).__name__}"
        )
    ours = [each.detach().requires_grad_() for each in p._natural_params]
    normalizer = p._log_normalizer(*ours)
    found = q._log_normalizer(*q._natural_params) - normalizer
    slopes = grad(normalizer.sum(), ours, create_graph=True)
    for theirs, own, slope in zip(q._natural_params, ours, slopes, strict=True):
        found = found - sum_rightmost((theirs - own) * slope, len(q.event_shape))
    return found
