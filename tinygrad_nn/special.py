"""`torch.special`: the special functions under the names that PyTorch gives them there."""

from tinygrad_nn.methods.pointwise import exp2, expm1, log1p, round, sinc
from tinygrad_nn.methods.pointwise import sigmoid as expit
from tinygrad_nn.methods.reduction import logsumexp
from tinygrad_nn.methods.softmax import log_softmax, softmax
from tinygrad_nn.methods.special import (
    digamma,
    entr,
    erf,
    erfc,
    erfcx,
    erfinv,
    i0,
    i0e,
    i1,
    i1e,
    log_ndtr,
    logit,
    ndtr,
    ndtri,
    polygamma,
    xlog1py,
    xlogy,
)
from tinygrad_nn.methods.special import lgamma as gammaln
from tinygrad_nn.methods.special import mvlgamma as multigammaln

psi = digamma

__all__ = [
    "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammaln", "i0", "i0e", "i1", "i1e", "log1p",
    "log_ndtr", "log_softmax", "logit", "logsumexp", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round", "sinc",
    "softmax", "xlog1py", "xlogy",
]  # fmt: skip
