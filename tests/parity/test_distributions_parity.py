"""torch.distributions beside PyTorch's: draws to the number, densities with their gradients, moments, divergences, refusals."""

import pytest

import tinygrad_nn
from tests.parity.side_by_side import agree, compare, outcome

torch = pytest.importorskip("torch")


def t(p, *values):
    return p.tensor(values, dtype=p.float64)


# Each is made from a package and two parameters, which gradients go to.
MADE = {
    "Normal": lambda p, a, b: p.distributions.Normal(a - 1, b),
    "Laplace": lambda p, a, b: p.distributions.Laplace(a, b),
    "Cauchy": lambda p, a, b: p.distributions.Cauchy(a, b),
    "Uniform": lambda p, a, b: p.distributions.Uniform(a, a + b),
    "Exponential": lambda p, a, b: p.distributions.Exponential(a),
    "HalfNormal": lambda p, a, b: p.distributions.HalfNormal(b),
    "LogNormal": lambda p, a, b: p.distributions.LogNormal(a, b),
    "Gamma": lambda p, a, b: p.distributions.Gamma(a, b),
    "Chi2": lambda p, a, b: p.distributions.Chi2(a),
    "Beta": lambda p, a, b: p.distributions.Beta(a, b),
    "Dirichlet": lambda p, a, b: p.distributions.Dirichlet(p.stack([a, b])),
    "Bernoulli": lambda p, a, b: p.distributions.Bernoulli(probs=a / 4),
    "Bernoulli logits": lambda p, a, b: p.distributions.Bernoulli(logits=a - b),
    "Geometric": lambda p, a, b: p.distributions.Geometric(a / 4),
    "Poisson": lambda p, a, b: p.distributions.Poisson(a),
    "Categorical": lambda p, a, b: p.distributions.Categorical(p.stack([a, b])),
    "Categorical logits": lambda p, a, b: p.distributions.Categorical(logits=p.stack([a, b], 1)),
    "OneHotCategorical": lambda p, a, b: p.distributions.OneHotCategorical(p.stack([a, b])),
    "OneHotCategoricalStraightThrough": lambda p, a, b: p.distributions.OneHotCategoricalStraightThrough(logits=a - b),
    "Multinomial": lambda p, a, b: p.distributions.Multinomial(5, p.stack([a, b])),
    "MultivariateNormal": lambda p, a, b: p.distributions.MultivariateNormal(a, scale_tril=p.diag(b) + p.ones(3, 3).tril(-1)),
    "MultivariateNormal covariance": lambda p, a, b: p.distributions.MultivariateNormal(a, p.diag(b) + p.outer(a, a)),
    "MultivariateNormal precision": lambda p, a, b: p.distributions.MultivariateNormal(
        p.stack([a, b]), precision_matrix=p.diag(b) + p.outer(a, a)
    ),
    "Independent": lambda p, a, b: p.distributions.Independent(p.distributions.Normal(p.stack([a, b]), b), 1),
    "MixtureSameFamily": lambda p, a, b: p.distributions.MixtureSameFamily(
        p.distributions.Categorical(a), p.distributions.Normal(a, b)
    ),
    "MixtureSameFamily of vectors": lambda p, a, b: p.distributions.MixtureSameFamily(
        p.distributions.Categorical(logits=b[:2]), p.distributions.Independent(p.distributions.Normal(p.stack([a, b]), b), 1)
    ),
    "TransformedDistribution": lambda p, a, b: p.distributions.TransformedDistribution(
        p.distributions.Normal(a - 1, b), [p.distributions.TanhTransform(cache_size=1), p.distributions.AffineTransform(1.0, 2.0)]
    ),
    "ComposeTransform": lambda p, a, b: p.distributions.TransformedDistribution(
        p.distributions.Uniform(a, a + b),
        p.distributions.ComposeTransform(
            [
                p.distributions.AffineTransform(b, a),
                p.distributions.SigmoidTransform(),
                p.distributions.ExpTransform().inv,
                p.distributions.ExpTransform(),
            ]
        ),
    ),
}
UNDRAWN = {"Poisson"}
# PyTorch shows no parameters of these; we do.
UNSHOWN = ("LogNormal", "Transformed", "Compose", "Multinomial", "HalfNormal", "Beta", "OneHot", "Mixture")


def made(p, name, requires_grad=False):
    a, b = (t(p, *values).requires_grad_(requires_grad) for values in ((0.5, 2.0, 1.25), (0.75, 1.5, 0.25)))
    return MADE[name](p, a, b), a, b


def value_for(p, name):
    """A value in the support, drawn by PyTorch so that both have the same."""
    torch.manual_seed(3)
    return p.tensor(made(torch, name)[0].sample((2,)).numpy())


@pytest.mark.parametrize("name", [name for name in MADE if name not in UNDRAWN])
def test_draws_are_pytorchs_numbers(name):
    def draws(p):
        p.manual_seed(11)
        d = made(p, name)[0]
        return [d.sample(), d.sample((2,)), d.sample((4, 5)), d.sample_n(2), p.rand(2)]

    compare(draws, torch, tinygrad_nn)


@pytest.mark.parametrize("name", MADE)
def test_densities_and_their_gradients_are_pytorchs(name):
    def densities(p):
        d, a, b = made(p, name, requires_grad=True)
        logs = d.log_prob(value_for(p, name))
        return [logs, *p.autograd.grad(logs.sum(), (a, b), allow_unused=True)]

    compare(densities, torch, tinygrad_nn)


@pytest.mark.parametrize("name", MADE)
def test_draws_carry_pytorchs_gradients(name):
    theirs, ours = made(torch, name)[0], made(tinygrad_nn, name)[0]
    assert ours.has_rsample == theirs.has_rsample
    if name in ("Gamma", "Chi2", "Beta", "Dirichlet"):
        with pytest.raises(NotImplementedError, match="draws have no gradients here"):
            made(tinygrad_nn, name, requires_grad=True)[0].rsample()
    elif theirs.has_rsample:

        def gradients(p):
            p.manual_seed(5)
            d, a, b = made(p, name, requires_grad=True)
            drawn = d.rsample((3,))
            return [drawn, *p.autograd.grad((drawn * drawn).sum(), (a, b), allow_unused=True)]

        compare(gradients, torch, tinygrad_nn)


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("what", ["mean", "variance", "stddev", "mode", "entropy", "perplexity", "enumerate_support", "cdf"])
def test_moments_are_pytorchs(name, what):
    def moments(p):
        d = made(p, name)[0]
        given = (value_for(p, name),) if what == "cdf" else ()
        found = getattr(d, what)
        return found(*given) if callable(found) else found

    expected, found = outcome(moments, torch), outcome(moments, tinygrad_nn)
    if not isinstance(found, NotImplementedError):  # what is rare may be missing, and says so
        agree(expected, found)


@pytest.mark.parametrize("name", MADE)
def test_shapes_and_descriptions_are_pytorchs(name):
    def described(p):
        d = made(p, name)[0]
        wide = d.expand((4, *d.batch_shape))
        p.manual_seed(1)
        shapes = [d.batch_shape, d.event_shape, wide.batch_shape, wide.event_shape]
        shown = "" if name.startswith(UNSHOWN) else repr(d)
        return [*map(tuple, shapes), shown, wide.log_prob(value_for(p, name)[:1])]

    compare(described, torch, tinygrad_nn)


def test_inverse_distribution_functions_are_pytorchs():
    def inverses(p):
        at = t(p, 0.1, 0.5, 0.9)
        return [made(p, name)[0].icdf(at) for name in ("Normal", "Laplace", "Cauchy", "Uniform", "Exponential", "HalfNormal")]

    compare(inverses, torch, tinygrad_nn)


PAIRS = [
    "Normal", "Laplace", "Uniform", "Exponential", "LogNormal", "Gamma", "Beta", "Dirichlet", "Bernoulli", "Bernoulli logits",
    "Geometric", "Poisson", "Categorical", "OneHotCategorical", "MultivariateNormal", "Independent",
]  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_divergences_and_their_gradients_are_pytorchs(name):
    def divergence(p):
        q, a, b = made(p, name, requires_grad=True)
        c, d = t(p, 1.0, 2.5, 1.5).requires_grad_(), t(p, 0.5, 1.25, 2.0).requires_grad_()
        found = p.distributions.kl_divergence(q, MADE[name](p, c, d))
        return [found, *p.autograd.grad(found.sum(), (a, b, c, d), allow_unused=True)]

    compare(divergence, torch, tinygrad_nn)


def test_a_rule_of_ones_own_is_found():
    def own(p):
        class Mine(p.distributions.Normal):
            pass

        p.distributions.register_kl(Mine, Mine)(lambda a, b: a.loc - b.loc)
        return p.distributions.kl_divergence(Mine(2.0, 1.0), Mine(0.5, 1.0))

    compare(own, torch, tinygrad_nn)


def test_numbers_as_parameters():
    def numbers(p):
        p.manual_seed(0)
        d = p.distributions
        some = [d.Normal(0, 1), d.Uniform(0.0, 2.0), d.Exponential(3.0), d.Bernoulli(0.25), d.Beta(1.0, 2.0), d.Gamma(2.0, 1.0)]
        return [[one.sample(), one.sample((3,)), one.mean, one.log_prob(one.sample())] for one in some]

    compare(numbers, torch, tinygrad_nn, tolerance=1e-5)


@pytest.mark.parametrize("name", ["AffineTransform", "ExpTransform", "SigmoidTransform", "TanhTransform", "ComposeTransform"])
def test_transforms_are_pytorchs(name):
    def transformed(p):
        d = p.distributions
        parts = [d.ExpTransform(), d.AffineTransform(p.tensor([1.0, 2.0]), p.tensor([-3.0, 0.5]), event_dim=1)]
        made = {"AffineTransform": parts[1], "ComposeTransform": d.ComposeTransform(parts)}
        transform = made[name] if name in made else getattr(d, name)()
        x = p.tensor([[0.1, -0.5], [0.7, 0.2]])
        y = transform(x)
        return [y, transform.inv(y), transform.log_abs_det_jacobian(x, y), transform.inv.log_abs_det_jacobian(y, x)]

    compare(transformed, torch, tinygrad_nn, tolerance=1e-5)


CONSTRAINED = {
    "real": [0.5, float("nan")], "positive": [0.5, 0.0], "nonnegative": [0.0, -1.0], "unit_interval": [0.5, 1.5],
    "boolean": [1.0, 0.5], "nonnegative_integer": [3.0, -1.0], "positive_integer": [1.0, 0.0], "simplex": [0.5, 0.5],
    "one_hot": [0.0, 1.0], "real_vector": [1.0, float("inf")], "lower_cholesky": [[1.0, 0.0], [2.0, -1.0]],
    "positive_definite": [[2.0, 1.0], [1.0, 3.0]],
}  # fmt: skip
BOUNDED = {
    "greater_than": (0.5,), "greater_than_eq": (0.5,), "interval": (0.0, 1.0), "half_open_interval": (0.0, 1.0),
    "integer_interval": (0, 2), "multinomial": (3,),
}  # fmt: skip


@pytest.mark.parametrize("name", [*CONSTRAINED, *BOUNDED])
def test_constraints_are_pytorchs(name):
    def checked(p):
        constraint = getattr(p.distributions.constraints, name)
        values = p.tensor(CONSTRAINED.get(name, [0.0, 0.5, 1.0, 2.0]))
        constraint = constraint(*BOUNDED[name]) if name in BOUNDED else constraint
        inner = p.distributions.constraints.independent(constraint, 1) if values.ndim == 1 and not constraint.event_dim else None
        return [constraint.check(values), constraint.event_dim, constraint.is_discrete, inner and inner.check(values)]

    compare(checked, torch, tinygrad_nn)


REFUSED = {
    "a scale of 0": lambda p: p.distributions.Normal(0.0, 0.0),
    "a NaN": lambda p: p.distributions.Normal(p.tensor([float("nan")]), 1.0),
    "a string": lambda p: p.distributions.Normal("a", 1.0),
    "low above high": lambda p: p.distributions.Uniform(2.0, 1.0),
    "both": lambda p: p.distributions.Bernoulli(0.5, 0.5),
    "neither": lambda p: p.distributions.Categorical(),
    "a probability of 2": lambda p: p.distributions.Bernoulli(2.0),
    "no dimensions": lambda p: p.distributions.Categorical(p.tensor(1.0)),
    "negative weights": lambda p: p.distributions.Categorical(p.tensor([1.0, -0.5])),
    "an index too great": lambda p: p.distributions.Categorical(p.ones(2)).log_prob(p.tensor(2)),
    "a value that is no tensor": lambda p: p.distributions.Normal(0.0, 1.0).log_prob(1.0),
    "a value outside": lambda p: p.distributions.Exponential(1.0).log_prob(p.tensor(-1.0)),
    "a value of another shape": lambda p: p.distributions.Normal(p.zeros(3), 1.0).log_prob(p.zeros(2)),
    "unchecked": lambda p: p.distributions.Exponential(1.0, validate_args=False).log_prob(p.tensor(-1.0)),
    "two matrices": lambda p: p.distributions.MultivariateNormal(p.zeros(2), p.eye(2), p.eye(2)),
    "a matrix that is not definite": lambda p: p.distributions.MultivariateNormal(p.zeros(2), -p.eye(2)),
    "too many dimensions": lambda p: p.distributions.Independent(p.distributions.Normal(0.0, 1.0), 1),
    "a mixture of mixtures": lambda p: p.distributions.MixtureSameFamily(*[p.distributions.Normal(p.zeros(2), 1.0)] * 2),
    "no rule": lambda p: p.distributions.kl_divergence(p.distributions.Cauchy(0.0, 1.0), p.distributions.Bernoulli(0.5)),
    "no rsample": lambda p: p.distributions.Bernoulli(0.5).rsample(),
    "a cache of 2": lambda p: p.distributions.Transform(2),
    "no inverse": lambda p: p.distributions.Bernoulli(0.5).icdf(p.tensor(0.5)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_are_pytorchs(case):
    compare(REFUSED[case], torch, tinygrad_nn)


def test_checks_can_be_turned_off_for_all():
    for p in (torch, tinygrad_nn):
        p.distributions.Distribution.set_default_validate_args(False)
        try:
            assert p.distributions.Exponential(-1.0).rate == -1
        finally:
            p.distributions.Distribution.set_default_validate_args(True)
