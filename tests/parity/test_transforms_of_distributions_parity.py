"""distributions.transforms, .constraints and the registries beside PyTorch's."""

import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

VECTOR = [[0.1, -0.5, 1.25], [0.7, 0.2, -2.0]]
MATRIX = [[0.1, -0.5], [0.7, 0.2]]

# Each is made from PyTorch's names and a package, with an x to try it on.
MADE = {
    "AbsTransform": (lambda d, p: d.AbsTransform(), VECTOR),
    "AffineTransform": (lambda d, p: d.AffineTransform(p.tensor([1.0, 2.0, 0.0]), p.tensor([-3.0, 0.5, 1.0]), event_dim=1), VECTOR),
    "AffineTransform of numbers": (lambda d, p: d.AffineTransform(1.0, -2.0), VECTOR),
    "ComposeTransform": (lambda d, p: d.ComposeTransform([d.ExpTransform(), d.AffineTransform(0.5, -2, event_dim=1)]), VECTOR),
    "ComposeTransform of vectors": (lambda d, p: d.ComposeTransform([d.StickBreakingTransform(), d.ExpTransform()]), VECTOR),
    "CorrCholeskyTransform": (lambda d, p: d.CorrCholeskyTransform(), VECTOR),
    "CumulativeDistributionTransform": (lambda d, p: d.CumulativeDistributionTransform(d.Normal(0.5, 2.0)), VECTOR),
    "ExpTransform": (lambda d, p: d.ExpTransform(), VECTOR),
    "IndependentTransform": (lambda d, p: d.IndependentTransform(d.ExpTransform(), 1), VECTOR),
    "LowerCholeskyTransform": (lambda d, p: d.LowerCholeskyTransform(), MATRIX),
    "PositiveDefiniteTransform": (lambda d, p: d.PositiveDefiniteTransform(), MATRIX),
    "PowerTransform": (lambda d, p: d.PowerTransform(p.tensor([2.0, -1.0, 0.5])), [0.5, 2.0, 1.5]),
    "ReshapeTransform": (lambda d, p: d.ReshapeTransform((3,), (3, 1)), VECTOR),
    "SigmoidTransform": (lambda d, p: d.SigmoidTransform(), VECTOR),
    "SoftmaxTransform": (lambda d, p: d.SoftmaxTransform(), VECTOR),
    "SoftplusTransform": (lambda d, p: d.SoftplusTransform(), VECTOR),
    "StickBreakingTransform": (lambda d, p: d.StickBreakingTransform(), VECTOR),
    "TanhTransform": (lambda d, p: d.TanhTransform(), VECTOR),
    "CatTransform": (lambda d, p: d.CatTransform([d.ExpTransform(), d.TanhTransform()], dim=-1, lengths=[1, 2]), VECTOR),
    "CatTransform of rows": (lambda d, p: d.CatTransform([d.ExpTransform(), d.TanhTransform()]), VECTOR),
    "CatTransform of events": (
        lambda d, p: d.CatTransform(
            [d.IndependentTransform(d.ExpTransform(), 1), d.AffineTransform(0.5, 2.0, event_dim=1)], dim=-1, lengths=[2, 1]
        ),
        VECTOR,
    ),
    "StackTransform": (lambda d, p: d.StackTransform([d.ExpTransform(), d.TanhTransform()]), VECTOR),
    "StackTransform of columns": (
        lambda d, p: d.StackTransform([d.ExpTransform(), d.TanhTransform(), d.ExpTransform()], -1), VECTOR,
    ),
    "identity_transform": (lambda d, p: d.identity_transform, VECTOR),
    "_InverseTransform": (lambda d, p: d.ExpTransform().inv, [0.5, 2.0]),
}


def tried(ask):
    """What is found, or the kind of refusal."""
    try:
        return ask()
    except (AttributeError, NotImplementedError, ValueError, RuntimeError) as error:
        return "refused" if isinstance(error, AttributeError | NotImplementedError) else type(error).__name__


@pytest.mark.parametrize("name", MADE)
def test_values_and_jacobians_are_pytorchs(name):
    def values(p):
        make, x = MADE[name]
        transform, x = make(p.distributions, p), p.tensor(x, dtype=p.float64).requires_grad_()
        y = transform(x)
        grown = tried(lambda: [transform.log_abs_det_jacobian(x, y), transform.inv.log_abs_det_jacobian(y, x)])
        return [y, tried(lambda: transform.inv(y)), grown, *p.autograd.grad((y * y).sum(), x)]

    compare(values, torch, tinygrad_nn, tolerance=2e-6)


@pytest.mark.parametrize("name", MADE)
def test_descriptions_are_pytorchs(name):
    def described(p):
        make, x = MADE[name]
        transform, x = make(p.distributions, p), p.tensor(x)
        y = transform(x)
        known = [
            tried(lambda: transform.bijective), tried(lambda: repr(transform.sign)), tried(lambda: transform.event_dim),
            tried(lambda: tuple(transform.forward_shape(x.shape))), tried(lambda: tuple(transform.inverse_shape(y.shape))),
            tried(lambda: tuple(transform.inv.forward_shape(y.shape))), tried(lambda: tuple(transform.inv.inverse_shape(x.shape))),
            tried(lambda: transform.inv.bijective), tried(lambda: repr(transform.inv.sign)),
        ]  # fmt: skip
        shown = [repr(transform), repr(transform.inv), repr(transform.domain), repr(transform.codomain), repr(transform.inv.domain)]
        checked = [tried(lambda: transform.domain.check(x)), tried(lambda: transform.codomain.check(y))]
        return [known, shown, checked, transform == transform.inv.inv, transform.inv == transform.inv, transform == transform.inv]

    compare(described, torch, tinygrad_nn)


@pytest.mark.parametrize("name", [name for name in MADE if name != "identity_transform"])
def test_what_was_last_put_in_is_kept(name):
    def kept(p):
        make, x = MADE[name]
        transform, x = make(p.distributions, p).with_cache(), p.tensor(x)
        y = transform(x)
        again = transform.with_cache(1) is transform
        other = repr(transform.with_cache(0))
        return [again, other, transform(x) is y, transform.inv(y) is x, transform.inv.inv(x) is y]

    compare(kept, torch, tinygrad_nn)


EQUAL = {
    "exp": lambda d, p: d.ExpTransform() == d.ExpTransform(cache_size=1),
    "exp and tanh": lambda d, p: d.ExpTransform() == d.TanhTransform(),
    "affine": lambda d, p: d.AffineTransform(1, 2.0) == d.AffineTransform(1.0, 2),
    "affine of tensors": lambda d, p: d.AffineTransform(1, p.ones(2)) == d.AffineTransform(1.0, p.ones(2)),
    "other affine": lambda d, p: d.AffineTransform(1, p.ones(2)) == d.AffineTransform(1.0, p.zeros(2)),
    "power": lambda d, p: d.PowerTransform(p.tensor(2.0)) == d.PowerTransform(p.tensor(2.0)),
    "composed": lambda d, p: d.ComposeTransform([d.ExpTransform()]) == d.ComposeTransform([d.ExpTransform()]),
    "composed otherwise": lambda d, p: d.ComposeTransform([d.ExpTransform()]) == d.ComposeTransform([d.TanhTransform()]),
    "inverse": lambda d, p: d.ExpTransform().inv == d.ExpTransform().inv,
}


@pytest.mark.parametrize("case", EQUAL)
def test_equal_transforms_are_pytorchs(case):
    compare(lambda p: EQUAL[case](p.distributions, p), torch, tinygrad_nn)


REFUSED = {
    "a cache that cannot be": lambda d, p: d.CatTransform([1]),
    "a stack of numbers": lambda d, p: d.StackTransform([1]),
    "lengths that do not fit": lambda d, p: d.CatTransform([d.ExpTransform()], lengths=[1, 2]),
    "a size that does not fit": lambda d, p: d.CatTransform([d.ExpTransform()])(p.ones(2)),
    "a dimension that is not there": lambda d, p: d.StackTransform([d.ExpTransform()], dim=1)(p.ones(1)),
    "shapes of other sizes": lambda d, p: d.ReshapeTransform((2, 3), (5,)),
    "a shape that is not there": lambda d, p: d.ReshapeTransform((2, 3), (6,)).forward_shape((3, 2)),
    "too short a shape": lambda d, p: d.ReshapeTransform((2, 3), (6,)).forward_shape((3,)),
    "no dimension to break": lambda d, p: d.StickBreakingTransform().forward_shape(()),
    "no dimension to mend": lambda d, p: d.StickBreakingTransform().inverse_shape(()),
    "no dimension for softmax": lambda d, p: d.SoftmaxTransform().forward_shape(()),
    "no triangle": lambda d, p: d.CorrCholeskyTransform().forward_shape((4,)),
    "no square": lambda d, p: d.CorrCholeskyTransform().inverse_shape((2, 3)),
    "too few dimensions": lambda d, p: d.IndependentTransform(d.ExpTransform(), 2)(p.ones(3)),
    "too few dimensions back": lambda d, p: d.IndependentTransform(d.ExpTransform(), 2).inv(p.ones(3)),
    "other dimensions": lambda d, p: d.ReshapeTransform((4,), (2, 2)).event_dim,
    "a dependent constraint": lambda d, p: d.constraints.dependent.check(p.ones(2)),
    "the dimensions of a dependent constraint": lambda d, p: d.constraints.dependent.event_dim,
    "the kind of a dependent constraint": lambda d, p: d.constraints.dependent.is_discrete,
    "too few dimensions for a constraint": lambda d, p: d.constraints.independent(d.constraints.real, 2).check(p.ones(2)),
    "no transform to integers": lambda d, p: d.biject_to(d.constraints.nonnegative_integer),
    "no bijection to matrices": lambda d, p: d.biject_to(d.constraints.positive_definite),
    "what is no constraint": lambda d, p: d.biject_to.register(int, lambda c: None),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_are_pytorchs(case):
    compare(lambda p: REFUSED[case](p.distributions, p), torch, tinygrad_nn)


CONSTRAINED = {
    "real": [0.5, float("nan")], "positive": [0.5, 0.0], "nonnegative": [0.0, -1.0], "unit_interval": [0.5, 1.5],
    "boolean": [1.0, 0.5], "nonnegative_integer": [3.0, -1.0], "positive_integer": [1.0, 0.0], "simplex": [0.5, 0.5],
    "one_hot": [0.0, 1.0], "real_vector": [1.0, float("inf")], "lower_cholesky": [[1.0, 0.0], [2.0, -1.0]],
    "positive_definite": [[2.0, 1.0], [1.0, 3.0]], "positive_semidefinite": [[1.0, 1.0], [1.0, 2.0]],
    "symmetric": [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 2.0], [3.0, 1.0]]], "square": [[1.0, 2.0, 3.0]],
    "lower_triangular": [[[1.0, 0.0], [2.0, -1.0]], [[1.0, 1.0], [2.0, -1.0]]],
    "corr_cholesky": [[[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [0.6, 0.7]]],
}  # fmt: skip
UNMET = {
    "simplex": [0.5, 0.6], "one_hot": [1.0, 1.0], "lower_cholesky": [[1.0, 1.0], [2.0, 1.0]],
    "positive_definite": [[1.0, 2.0], [1.0, 3.0]], "positive_semidefinite": [[1.0, 2.0], [2.0, 1.0]],
    "symmetric": [[1.0, 2.0, 3.0]], "square": [[1.0]], "corr_cholesky": [[1.0, 0.0], [0.6, -0.8]],
}  # fmt: skip
BOUNDED = {
    "greater_than": (0.5,), "greater_than_eq": (0.5,), "less_than": (1,), "interval": (0.0, 1.0), "half_open_interval": (0.0, 1.0),
    "integer_interval": (0, 2), "multinomial": (3,),
}  # fmt: skip


@pytest.mark.parametrize("name", [*CONSTRAINED, *BOUNDED])
def test_constraints_are_pytorchs(name):
    def checked(p):
        c = p.distributions.constraints
        constraint = getattr(c, name)
        values = p.tensor(CONSTRAINED.get(name, [0.0, 0.5, 1.0, 2.0]))
        constraint = constraint(*BOUNDED[name]) if name in BOUNDED else constraint
        inner = c.independent(constraint, 1) if values.ndim == 1 and not constraint.event_dim else None
        mixed = c.MixtureSameFamilyConstraint(constraint)
        known = [constraint.event_dim, constraint.is_discrete, repr(constraint), mixed.event_dim, mixed.is_discrete, repr(mixed)]
        unmet = constraint.check(p.tensor(UNMET[name])) if name in UNMET else None
        return [known, constraint.check(values), unmet, inner and [inner.check(values), repr(inner)], mixed.check(values)]

    compare(checked, torch, tinygrad_nn)


def test_counts_may_add_up_to_less():
    compare(lambda p: p.distributions.constraints.multinomial(3).check(p.tensor([[1.0, 1], [2, 2], [3, 0]])), torch, tinygrad_nn)


def test_joined_constraints_are_pytorchs():
    def checked(p):
        c = p.distributions.constraints
        x = p.tensor([[0.5, -1.0, 2.0], [1.0, 3.0, -2.0]])
        made = [
            c.cat([c.positive, c.boolean], -1, [1, 2]), c.cat([c.positive, c.real]), c.stack([c.positive, c.real, c.boolean], 1),
            c.stack([c.real_vector, c.simplex]), c.stack([c.positive, c.real], -2),
        ]  # fmt: skip
        return [[each.check(x), each.event_dim, each.is_discrete, repr(each)] for each in made]

    compare(checked, torch, tinygrad_nn)


def test_dependent_constraints_are_pytorchs():
    def known(p):
        c, d = p.distributions.constraints, p.distributions

        class Own:
            @c.dependent_property(is_discrete=True, event_dim=1)
            def support(self):
                return c.positive

        narrow = c.dependent(is_discrete=False)(event_dim=2)
        shown = [repr(Own.support), Own.support.is_discrete, Own.support.event_dim, repr(Own().support), repr(c.dependent)]
        dependent = [c.is_dependent(each) for each in (Own.support, narrow, c.real, d.Uniform.support)]
        return [*shown, narrow.event_dim, narrow.is_discrete, dependent]

    compare(known, torch, tinygrad_nn)


REGISTERED = {
    "real": lambda c: c.real, "positive": lambda c: c.positive, "nonnegative": lambda c: c.nonnegative,
    "greater_than": lambda c: c.greater_than(2.0), "greater_than_eq": lambda c: c.greater_than_eq(2.0),
    "less_than": lambda c: c.less_than(-1.0), "interval": lambda c: c.interval(1.0, 3.0),
    "unit_interval": lambda c: c.unit_interval,
    "half_open_interval": lambda c: c.half_open_interval(0.0, 2.0), "simplex": lambda c: c.simplex,
    "corr_cholesky": lambda c: c.corr_cholesky, "real_vector": lambda c: c.real_vector,
    "independent": lambda c: c.independent(c.positive, 1), "cat": lambda c: c.cat([c.positive, c.real], -1, [1, 2]),
    "stack": lambda c: c.stack([c.positive, c.unit_interval], 0), "lower_cholesky": lambda c: c.lower_cholesky,
    "positive_definite": lambda c: c.positive_definite, "positive_semidefinite": lambda c: c.positive_semidefinite,
}  # fmt: skip


@pytest.mark.parametrize("name", REGISTERED)
@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
def test_registered_transforms_are_pytorchs(registry, name):
    def transformed(p):
        constraint = REGISTERED[name](p.distributions.constraints)
        transform = getattr(p.distributions, registry)(constraint)
        x = p.tensor(MATRIX if "definite" in name or name == "lower_cholesky" else VECTOR, dtype=p.float64)
        return [transform(x), repr(transform), constraint.check(transform(x))]

    compare(transformed, torch, tinygrad_nn)


def test_a_transform_of_ones_own_is_found():
    def own(p):
        d = p.distributions

        class Even(d.constraints.Constraint):
            pass

        @d.biject_to.register(Even)
        def factory(constraint):
            return d.ExpTransform()

        return [repr(d.biject_to(Even())), factory is not None, tried(lambda: Even().check(p.ones(1)))]

    compare(own, torch, tinygrad_nn)
