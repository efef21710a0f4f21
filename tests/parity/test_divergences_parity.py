"""kl_divergence beside PyTorch's: every pair of distributions that it has a rule for, with gradients."""

import math
import warnings

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

# Each is made from a package and two vectors of positive numbers, which gradients go to.
KINDS = {
    "Bernoulli": lambda d, a, b: d.Bernoulli(a / 4),
    "Beta": lambda d, a, b: d.Beta(a, b),
    "Binomial": lambda d, a, b: d.Binomial(7, a / 4),
    "Categorical": lambda d, a, b: d.Categorical(a),
    "Cauchy": lambda d, a, b: d.Cauchy(a, b),
    "Chi2": lambda d, a, b: d.Chi2(a),
    "ContinuousBernoulli": lambda d, a, b: d.ContinuousBernoulli(a / 4),
    "Dirichlet": lambda d, a, b: d.Dirichlet(a),
    "Exponential": lambda d, a, b: d.Exponential(a),
    "Gamma": lambda d, a, b: d.Gamma(a, b),
    "Geometric": lambda d, a, b: d.Geometric(a / 4),
    "Gumbel": lambda d, a, b: d.Gumbel(a, b),
    "HalfCauchy": lambda d, a, b: d.HalfCauchy(a),
    "HalfNormal": lambda d, a, b: d.HalfNormal(a),
    "Independent": lambda d, a, b: d.Independent(d.Normal(a, b), 1),
    "Laplace": lambda d, a, b: d.Laplace(a, b),
    "LogNormal": lambda d, a, b: d.LogNormal(a, b),
    "LowRankMultivariateNormal": lambda d, a, b: d.LowRankMultivariateNormal(a, b.unsqueeze(1), a),
    "MultivariateNormal": lambda d, a, b: d.MultivariateNormal(a, scale_tril=b.diag() + b.outer(a).tril(-1)),
    "Normal": lambda d, a, b: d.Normal(a, b),
    "OneHotCategorical": lambda d, a, b: d.OneHotCategorical(a),
    "Pareto": lambda d, a, b: d.Pareto(a, b * 2),
    "Poisson": lambda d, a, b: d.Poisson(a),
    "TransformedDistribution": lambda d, a, b: d.TransformedDistribution(d.Normal(a, b), d.SigmoidTransform()),
    "Uniform": lambda d, a, b: d.Uniform(a, a + b),
    "Wishart": lambda d, a, b: d.Wishart(a.sum() + 3, scale_tril=b.diag() + b.outer(a).tril(-1)),
}
PAIRS = [
    (p.__name__, q.__name__) for p, q in torch.distributions.kl._KL_REGISTRY if p.__name__ in KINDS and q.__name__ in KINDS
] + [("Chi2", "Chi2"), ("Chi2", "Normal"), ("Beta", "Chi2"), ("Exponential", "Chi2"), ("HalfCauchy", "HalfCauchy"),
     ("LogNormal", "LogNormal"), ("Wishart", "Wishart"), ("Normal", "Bernoulli"), ("Cauchy", "Normal")]  # fmt: skip
PLACES = {
    "apart": ((0.5, 2.0, 1.25), (0.75, 1.5, 0.25), (1.0, 2.5, 1.5), (0.5, 1.25, 2.0)),
    "close": ((0.25, 0.125, 0.5), (0.5, 0.25, 0.375), (0.125, 0.0625, 0.25), (1.0, 2.0, 1.5)),
    "heavy": ((3.0, 2.5, 1.5), (0.4, 0.8, 1.5), (1.0, 2.0, 1.5), (0.5, 1.25, 2.0)),
}


def divergence(package, pair, numbers):
    given = [package.tensor(values, dtype=package.float64).requires_grad_() for values in numbers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        p, q = (KINDS[name](package.distributions, *given[i : i + 2]) for name, i in zip(pair, (0, 2), strict=True))
    found = package.distributions.kl_divergence(p, q)
    gradients = package.autograd.grad(found.sum(), given, allow_unused=True) if bool(found.isfinite().all()) else None
    return found.detach(), gradients


@pytest.mark.parametrize("numbers", PLACES)
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_divergences_and_their_gradients_are_pytorchs(pair, numbers):
    compare(lambda package: divergence(package, pair, PLACES[numbers]), torch, tinygrad_nn)


def test_every_rule_of_pytorchs_is_tried():
    rules = torch.distributions.kl._KL_REGISTRY
    theirs = {(p.__name__, q.__name__) for p, q in rules if p.__module__.startswith("torch.")}  # other tests add their own
    untried = theirs - set(PAIRS) - {("ExponentialFamily", "ExponentialFamily")}  # of which Wishart is one
    assert not untried


REFUSED = {
    "other transforms": lambda d, p: d.kl_divergence(
        d.TransformedDistribution(d.Normal(0.0, 1.0), d.ExpTransform()),
        d.TransformedDistribution(d.Normal(0.0, 1.0), d.TanhTransform()),
    ),
    "fewer trials": lambda d, p: d.kl_divergence(d.Binomial(3, 0.5 * p.ones(2)), d.Binomial(4, 0.5 * p.ones(2))),
    "more trials": lambda d, p: d.kl_divergence(d.Binomial(4, 0.5 * p.ones(2)), d.Binomial(3, 0.5 * p.ones(2))),
    "other events": lambda d, p: d.kl_divergence(
        d.LowRankMultivariateNormal(p.zeros(2), p.ones(2, 1), p.ones(2)), d.MultivariateNormal(p.zeros(3), p.eye(3))
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_are_pytorchs(case):
    compare(lambda package: REFUSED[case](package.distributions, package), torch, tinygrad_nn)


def test_a_family_of_ones_own_has_an_entropy_and_a_divergence():
    def own(package):
        d = package.distributions

        class Rate(d.ExponentialFamily):
            _mean_carrier_measure = 0

            @property
            def arg_constraints(self):
                return {"rate": d.constraints.positive}

            def __init__(self, rate):
                self.rate = rate
                super().__init__(rate.shape)

            @property
            def _natural_params(self):
                return (-self.rate,)

            def _log_normalizer(self, x):
                return -(-x).log()

        p, q = Rate(package.tensor([0.5, 2.0])), Rate(package.tensor([1.0, 0.25]))
        return [p.entropy(), d.kl_divergence(p, q), d.Exponential(package.tensor([0.5, 2.0])).entropy(), math.e]

    compare(own, torch, tinygrad_nn)
