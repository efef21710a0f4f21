"""Probability distributions in PyTorch's spelling: draws from its random stream, densities, entropies, divergences."""

from tinygrad_nn.distributions import constraints, transforms, utils
from tinygrad_nn.distributions.categorical import (
    Categorical,
    Multinomial,
    OneHotCategorical,
    OneHotCategoricalStraightThrough,
)
from tinygrad_nn.distributions.composed import Independent, MixtureSameFamily
from tinygrad_nn.distributions.continuous import Cauchy, Exponential, HalfNormal, Laplace, Normal, Uniform
from tinygrad_nn.distributions.discrete import Bernoulli, Geometric, Poisson
from tinygrad_nn.distributions.distribution import Distribution
from tinygrad_nn.distributions.gamma import Beta, Chi2, Dirichlet, Gamma
from tinygrad_nn.distributions.kl import kl_divergence, register_kl
from tinygrad_nn.distributions.multivariate import MultivariateNormal
from tinygrad_nn.distributions.transformed import LogNormal, TransformedDistribution
from tinygrad_nn.distributions.transforms import (
    AffineTransform,
    ComposeTransform,
    ExpTransform,
    SigmoidTransform,
    TanhTransform,
    Transform,
)

__all__ = [
    "AffineTransform", "Bernoulli", "Beta", "Categorical", "Cauchy", "Chi2", "ComposeTransform", "Dirichlet",
    "Distribution", "ExpTransform", "Exponential", "Gamma", "Geometric", "HalfNormal", "Independent", "Laplace",
    "LogNormal", "MixtureSameFamily", "Multinomial", "MultivariateNormal", "Normal", "OneHotCategorical",
    "OneHotCategoricalStraightThrough", "Poisson", "SigmoidTransform", "TanhTransform", "Transform",
    "TransformedDistribution", "Uniform", "constraints", "kl_divergence", "register_kl", "transforms", "utils",
]  # fmt: skip
