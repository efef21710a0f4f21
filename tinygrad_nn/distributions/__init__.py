"""Probability distributions in PyTorch's spelling: draws from its random stream, densities, entropies, divergences."""

from tinygrad_nn.distributions import constraints, transforms, utils
from tinygrad_nn.distributions.categorical import (
    Categorical,
    Multinomial,
    OneHotCategorical,
    OneHotCategoricalStraightThrough,
)
from tinygrad_nn.distributions.circular import VonMises
from tinygrad_nn.distributions.composed import Independent, MixtureSameFamily
from tinygrad_nn.distributions.constraint_registry import biject_to, transform_to
from tinygrad_nn.distributions.continuous import Cauchy, Exponential, GeneralizedPareto, Laplace, Normal, Uniform
from tinygrad_nn.distributions.continuous_bernoulli import ContinuousBernoulli
from tinygrad_nn.distributions.derived import (
    Gumbel,
    HalfCauchy,
    HalfNormal,
    InverseGamma,
    Kumaraswamy,
    LogisticNormal,
    LogNormal,
    Pareto,
    Weibull,
)
from tinygrad_nn.distributions.discrete import Bernoulli, Binomial, Geometric, NegativeBinomial, Poisson
from tinygrad_nn.distributions.distribution import Distribution, ExponentialFamily
from tinygrad_nn.distributions.gamma import Beta, Chi2, Dirichlet, Gamma
from tinygrad_nn.distributions.kl import kl_divergence, register_kl
from tinygrad_nn.distributions.lkj import LKJCholesky
from tinygrad_nn.distributions.multivariate import LowRankMultivariateNormal, MultivariateNormal, Wishart
from tinygrad_nn.distributions.ratios import FisherSnedecor, StudentT
from tinygrad_nn.distributions.relaxed import RelaxedBernoulli, RelaxedOneHotCategorical
from tinygrad_nn.distributions.transformed import TransformedDistribution
from tinygrad_nn.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StackTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
    identity_transform,
)

__all__ = [
    "AbsTransform", "AffineTransform", "Bernoulli", "Beta", "Binomial", "CatTransform", "Categorical", "Cauchy", "Chi2",
    "ComposeTransform", "ContinuousBernoulli", "CorrCholeskyTransform", "CumulativeDistributionTransform", "Dirichlet",
    "Distribution", "ExpTransform", "Exponential", "ExponentialFamily", "FisherSnedecor", "Gamma", "GeneralizedPareto",
    "Geometric", "Gumbel", "HalfCauchy", "HalfNormal", "Independent", "IndependentTransform", "InverseGamma", "Kumaraswamy",
    "LKJCholesky", "Laplace", "LogNormal", "LogisticNormal", "LowRankMultivariateNormal", "LowerCholeskyTransform",
    "MixtureSameFamily", "Multinomial", "MultivariateNormal", "NegativeBinomial", "Normal", "OneHotCategorical",
    "OneHotCategoricalStraightThrough", "Pareto", "Poisson", "PositiveDefiniteTransform", "PowerTransform", "RelaxedBernoulli",
    "RelaxedOneHotCategorical", "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform", "SoftplusTransform",
    "StackTransform", "StickBreakingTransform", "StudentT", "TanhTransform", "Transform", "TransformedDistribution", "Uniform",
    "VonMises", "Weibull", "Wishart", "biject_to", "constraints", "identity_transform", "kl_divergence", "register_kl",
    "transform_to", "transforms", "utils",
]  # fmt: skip
