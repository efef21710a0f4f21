"""torch.distributions beside PyTorch's: draws to the number, densities with their gradients, moments, divergences, refusals."""

import importlib
import pkgutil
import warnings

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare
from tinygrad_nn.porting.names import MISSING, find

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
    "StudentT": lambda p, a, b: p.distributions.StudentT(a * 3, a, b),
    "Gumbel": lambda p, a, b: p.distributions.Gumbel(a, b),
    "Gumbel of numbers": lambda p, a, b: p.distributions.Gumbel(1.0, 2.0),
    "Binomial": lambda p, a, b: p.distributions.Binomial(9, a / 4),
    "Binomial logits": lambda p, a, b: p.distributions.Binomial(p.tensor([3.0, 90.0, 200.0]), logits=b - a),
    "NegativeBinomial": lambda p, a, b: p.distributions.NegativeBinomial(4 * b, a / 4),
    "NegativeBinomial logits": lambda p, a, b: p.distributions.NegativeBinomial(20, logits=a),
    "Poisson of many": lambda p, a, b: p.distributions.Poisson(a * 40),
    "Weibull": lambda p, a, b: p.distributions.Weibull(a, b + 1),
    "Pareto": lambda p, a, b: p.distributions.Pareto(a, b * 2),
    "HalfCauchy": lambda p, a, b: p.distributions.HalfCauchy(b),
    "InverseGamma": lambda p, a, b: p.distributions.InverseGamma(a * 2, b),
    "Kumaraswamy": lambda p, a, b: p.distributions.Kumaraswamy(a, b),
    "LogisticNormal": lambda p, a, b: p.distributions.LogisticNormal(a, b),
    "LogisticNormal of a number": lambda p, a, b: p.distributions.LogisticNormal(a[0], b[0]),
    "RelaxedBernoulli": lambda p, a, b: p.distributions.RelaxedBernoulli(p.tensor(0.5).double(), a / 4),
    "RelaxedBernoulli logits": lambda p, a, b: p.distributions.RelaxedBernoulli(p.tensor(2.0).double(), logits=a - b),
    "RelaxedOneHotCategorical": lambda p, a, b: p.distributions.RelaxedOneHotCategorical(p.tensor(0.5).double(), p.stack([a, b])),
    "VonMises": lambda p, a, b: p.distributions.VonMises(a, b * 4),
    "ContinuousBernoulli": lambda p, a, b: p.distributions.ContinuousBernoulli(p.stack([a / 4, b / 3])),
    "ContinuousBernoulli logits": lambda p, a, b: p.distributions.ContinuousBernoulli(logits=a - b),
    "LowRankMultivariateNormal": lambda p, a, b: p.distributions.LowRankMultivariateNormal(a, p.stack([a, b], 1) - 1, b),
    "LowRankMultivariateNormal of a batch": lambda p, a, b: p.distributions.LowRankMultivariateNormal(
        p.stack([a, b]), a.unsqueeze(1), p.stack([b, a])
    ),
    "FisherSnedecor": lambda p, a, b: p.distributions.FisherSnedecor(a * 3, b * 6),
    "Wishart": lambda p, a, b: p.distributions.Wishart(p.tensor(5.0).double(), p.diag(b) + p.outer(a, a)),
    "Wishart of a batch": lambda p, a, b: p.distributions.Wishart(a + 4, scale_tril=p.diag(b) + p.ones(3, 3).tril(-1)),
    "Wishart precision": lambda p, a, b: p.distributions.Wishart(3.5, precision_matrix=p.diag(b) + p.outer(a, a)),
    "LKJCholesky": lambda p, a, b: p.distributions.LKJCholesky(3, a),
    "LKJCholesky of two": lambda p, a, b: p.distributions.LKJCholesky(2, a[0]),
    "GeneralizedPareto": lambda p, a, b: p.distributions.GeneralizedPareto(  # PyTorch's takes float32 alone
        a.float(), b.float(), p.stack([a - 2, a * 0, a / 4]).float()
    ),
    "StickBreakingTransform": lambda p, a, b: p.distributions.TransformedDistribution(
        p.distributions.Normal(p.stack([a, b]), b), p.distributions.StickBreakingTransform()
    ),
    "a wider transform": lambda p, a, b: p.distributions.TransformedDistribution(
        p.distributions.Normal(0.0, 1.0), [p.distributions.AffineTransform(a, b), p.distributions.ExpTransform()]
    ),
    "no transforms": lambda p, a, b: p.distributions.TransformedDistribution(p.distributions.Normal(a, b), []),
    "a falling transform": lambda p, a, b: p.distributions.TransformedDistribution(
        p.distributions.Normal(a, b), [p.distributions.AffineTransform(1.0, -2.0), p.distributions.SoftplusTransform()]
    ),
}
# Their draws are differentiable; PyTorch's slopes are approximations with three digits, see tests/test_incomplete.py.
ROUGH = ("Gamma", "Chi2", "Beta", "Dirichlet", "StudentT", "InverseGamma", "FisherSnedecor")


def made(p, name, requires_grad=False):
    a, b = (t(p, *values).requires_grad_(requires_grad) for values in ((0.5, 2.0, 1.25), (0.75, 1.5, 0.25)))
    return MADE[name](p, a, b), a, b


def value_for(p, name):
    """A value in the support, drawn by PyTorch so that both have the same."""
    torch.manual_seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's Wishart always says that its draws are singular
        return p.tensor(made(torch, name)[0].sample((2,)).numpy())


@pytest.mark.parametrize("name", MADE)
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

    def gradients(p):
        p.manual_seed(5)
        d, a, b = made(p, name, requires_grad=True)
        drawn = d.rsample((3,))
        return [drawn, *p.autograd.grad((drawn * drawn).sum(), (a, b), allow_unused=True)]

    if theirs.has_rsample and not name.startswith("Wishart"):  # whose draws have no gradients in PyTorch, by a mistake
        compare(gradients, torch, tinygrad_nn, tolerance=5e-3 if name.startswith(ROUGH) else 1e-6)


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("what", ["mean", "variance", "stddev", "mode", "entropy", "perplexity", "enumerate_support", "cdf"])
def test_moments_are_pytorchs(name, what):
    def moments(p):
        d = made(p, name)[0]
        given = (value_for(p, name),) if what == "cdf" else ()
        found = getattr(d, what)
        return found(*given) if callable(found) else found

    compare(moments, torch, tinygrad_nn)


@pytest.mark.parametrize("name", MADE)
def test_shapes_and_descriptions_are_pytorchs(name):
    def described(p):
        d = made(p, name)[0]
        wide = d.expand((4, *d.batch_shape))
        p.manual_seed(1)
        shapes = [d.batch_shape, d.event_shape, wide.batch_shape, wide.event_shape]
        shown = [repr(d), repr(d.arg_constraints), repr(d.support), d.support.event_dim, d.support.is_discrete]
        return [*map(tuple, shapes), shown, wide.log_prob(value_for(p, name)[:1]), repr(wide.sample()).count(",")]

    compare(described, torch, tinygrad_nn)


@pytest.mark.parametrize("name", MADE)
def test_inverse_distribution_functions_are_pytorchs(name):
    def inverses(p):
        at = t(p, 0.1, 0.5, 0.9)
        return made(p, name)[0].icdf(at)

    compare(inverses, torch, tinygrad_nn)


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
    "no transforms at all": lambda p: p.distributions.TransformedDistribution(p.distributions.Normal(0.0, 1.0), [1]),
    "too few dimensions": lambda p: p.distributions.TransformedDistribution(
        p.distributions.Normal(0.0, 1.0), p.distributions.StickBreakingTransform()
    ),
    "a distribution function of distances": lambda p: p.distributions.TransformedDistribution(
        p.distributions.Normal(0.0, 1.0), p.distributions.AbsTransform()
    ).cdf(p.tensor(1.0)),
    "a correlation of one": lambda p: p.distributions.LKJCholesky(1),
    "too little freedom": lambda p: p.distributions.Wishart(1.0, p.eye(3)),
    "two matrices for Wishart": lambda p: p.distributions.Wishart(3.0, p.eye(3), p.eye(3)),
    "a number for a distance": lambda p: p.distributions.HalfNormal(1.0).log_prob(1.0),
    "a number for a distance, unchecked": lambda p: p.distributions.HalfCauchy(1.0, validate_args=False).log_prob(1.0),
    "a number for a sum of times": lambda p: p.distributions.Gamma(2.0, 1.0).log_prob(1.0),
    "no scale": lambda p: p.distributions.HalfCauchy(-1.0),
    "a negative concentration": lambda p: p.distributions.Beta(-1.0, 1.0),
    "a factor of another size": lambda p: p.distributions.LowRankMultivariateNormal(p.zeros(3), p.ones(2, 1), p.ones(3)),
    "a diagonal of another size": lambda p: p.distributions.LowRankMultivariateNormal(p.zeros(3), p.ones(3, 1), p.ones(2)),
    "batches that do not fit": lambda p: p.distributions.LowRankMultivariateNormal(p.zeros(2, 3), p.ones(4, 3, 1), p.ones(3)),
    "a number for a factor": lambda p: p.distributions.LowRankMultivariateNormal(p.zeros(3), p.ones(3), p.ones(3)),
    "a mean of no dimension": lambda p: p.distributions.LowRankMultivariateNormal(p.zeros(()), p.ones(3, 1), p.ones(3)),
    "trials of several numbers": lambda p: p.distributions.Binomial(p.tensor([1.0, 2.0]), 0.5 * p.ones(2)).entropy(),
    "a rate below 0": lambda p: p.poisson(p.tensor([-1.0])),
    "a rate of no number": lambda p: p.poisson(p.tensor([float("nan")])),
    "a whole rate": lambda p: p.poisson(p.tensor([1])),
    "counts and chances of two dtypes": lambda p: p.binomial(p.tensor([1.0]), p.tensor([0.5]).double()),
    "a family without parameters": lambda p: p.distributions.ExponentialFamily().entropy(),
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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_counts_are_pytorchs_numbers(dtype):
    def counts(p):
        p.manual_seed(2)
        kind = getattr(p, dtype)
        rates = p.tensor([0.0, 0.3, 5.0, 9.99, 10.0, 25.0, 1e3, 1e6], dtype=kind).expand(40, 8)
        chances = p.tensor([0.0, 0.01, 0.3, 0.5, 0.77, 1.0, -0.5, 1.5], dtype=kind).expand(40, 8)
        trials = [p.tensor([0.0, 3.0, 40.0, 1000.0, 1e6], dtype=kind)[i].expand(40, 8) for i in range(5)]
        own = p.Generator().manual_seed(3)
        drawn = [p.binomial(each, chances) for each in trials]
        return [p.poisson(rates), *drawn, p.poisson(rates, generator=own), p.binomial(trials[2], chances, generator=own), p.rand(1)]

    compare(counts, torch, tinygrad_nn, tolerance=0)


def test_matrices_that_were_read_are_shown():
    def shown(p):
        normal = p.distributions.MultivariateNormal(p.zeros(2), p.eye(2) * 2)
        categorical = p.distributions.Categorical(logits=p.zeros(3))
        before = [repr(normal), repr(categorical)]
        return [*before, normal.precision_matrix, normal.scale_tril, categorical.probs, repr(normal), repr(categorical)]

    compare(shown, torch, tinygrad_nn)


def test_likeliest_shares():
    def modes(p):
        at = p.tensor([[0.5, 0.2, 0.7], [0.5, 2.0, 3.0], [1.0, 1.0, 1.0], [0.9, 0.9, 0.9]])
        beta = p.distributions.Beta(p.tensor([0.5, 2.0, 0.2, 1.0]), p.tensor([0.2, 3.0, 0.2, 4.0]))
        return [p.distributions.Dirichlet(at).mode, beta.mode]

    compare(modes, torch, tinygrad_nn)


def test_bounds_of_a_uniform_are_checked_by_each_other():
    def checked(p):
        constraints = p.distributions.Uniform(p.tensor([0.0, 1.0]), 2.0).arg_constraints
        return {name: [repr(each), each.check(p.tensor([0.5, 3.0]))] for name, each in constraints.items()}

    compare(checked, torch, tinygrad_nn)


def test_parts_of_half_a_distribution():
    def parts(p):
        d = p.distributions.HalfNormal(2.0)
        return [repr(d.base_dist), repr(d.transforms), d._extended_shape((3,)).numel(), d.log_prob(p.tensor(1.0))]

    compare(parts, torch, tinygrad_nn)


def test_a_distribution_without_a_support_checks_nothing():
    class Own(tinygrad_nn.distributions.Distribution):
        def log_prob(self, value):
            self._validate_sample(value)
            return value

    with pytest.warns(UserWarning, match="does not define `support`"):
        assert Own().log_prob(tinygrad_nn.tensor(1.0)) == 1


def test_draws_of_wishart_carry_gradients():
    tinygrad_nn.manual_seed(0)
    d, a, b = made(tinygrad_nn, "Wishart of a batch", requires_grad=True)
    gradients = tinygrad_nn.autograd.grad(d.rsample((5,)).sum(), (a, b))
    assert all(bool(gradient.isfinite().all()) for gradient in gradients)


def test_wishart_of_little_freedom_warns():
    with pytest.warns(UserWarning, match="Singular samples are highly likely"):
        tinygrad_nn.distributions.Wishart(1.5, tinygrad_nn.eye(2))


@pytest.mark.parametrize("diag", [-1, 0, 1])
def test_triangles_as_vectors(diag):
    def both(p):
        u = p.distributions.utils
        x = p.arange(18.0).reshape(2, 3, 3).requires_grad_()
        vector = u.tril_matrix_to_vec(x, diag)
        matrix = u.vec_to_tril_matrix(vector, diag)
        return [vector, matrix, *p.autograd.grad((matrix * matrix).sum(), x)]

    compare(both, torch, tinygrad_nn)


UTILS = {
    "a diagonal outside": lambda p: p.distributions.utils.tril_matrix_to_vec(p.zeros(2, 2), 2),
    "no triangle": lambda p: p.distributions.utils.vec_to_tril_matrix(p.zeros(4)),
    "broadcast_all": lambda p: p.distributions.utils.broadcast_all(1, p.ones(2, dtype=p.float64)),
    "broadcast_all numbers": lambda p: p.distributions.utils.broadcast_all(1, 2.0),
    "probs_to_logits": lambda p: p.distributions.utils.probs_to_logits(p.tensor([0.0, 0.25, 1.0])),
    "probs_to_logits of odds": lambda p: p.distributions.utils.probs_to_logits(p.tensor([0.0, 0.25, 1.0]), is_binary=True),
    "logits_to_probs": lambda p: p.distributions.utils.logits_to_probs(p.tensor([0.0, 1.0])),
    "logits_to_probs of odds": lambda p: p.distributions.utils.logits_to_probs(p.tensor([0.0, 1.0]), is_binary=True),
    "clamp_probs": lambda p: p.distributions.utils.clamp_probs(p.tensor([0.0, 0.5, 1.0], dtype=p.float64)),
}


@pytest.mark.parametrize("case", UTILS)
def test_helpers_are_pytorchs(case):
    compare(UTILS[case], torch, tinygrad_nn)


def test_a_lazy_property_is_computed_once():
    def lazy(p):
        class Counted:
            calls = 0

            @p.distributions.utils.lazy_property
            def value(self):
                Counted.calls += 1
                return p.ones(2, requires_grad=True) * 2

        one = Counted()
        with p.no_grad():
            first = one.value
        return [first.requires_grad, one.value is first, Counted.calls, type(Counted.value).__name__.endswith("property")]

    compare(lazy, torch, tinygrad_nn)


@pytest.mark.parametrize("name", ["Gamma", "Beta", "Dirichlet"])
def test_draws_are_differentiated_once(name):
    def twice(p):
        p.manual_seed(0)
        d, a, _ = made(p, name, requires_grad=True)
        (first,) = p.autograd.grad(d.rsample().sum(), a, create_graph=True)
        return p.autograd.grad(first.sum(), a)[0].isnan().any()

    with pytest.raises(RuntimeError):
        twice(tinygrad_nn)


def test_every_name_is_found_where_pytorch_has_it():
    files = [module.name for module in pkgutil.iter_modules(torch.distributions.__path__)]
    listed = {file: importlib.import_module(f"torch.distributions.{file}").__all__ for file in files}
    dotted = [f"torch.distributions.{file}.{name}" for file, names in listed.items() for name in names]
    assert [name for name in dotted if find(name) is MISSING] == []
