"""The methods that reduce or accumulate along dimensions."""

from __future__ import annotations

from tinygrad_nn.methods import reduction, scan
from tinygrad_nn.methods import softmax as soft
from tinygrad_nn.tensor.in_place import in_place


class Reduction:
    """The methods that reduce or accumulate along dimensions."""

    __slots__ = ()

    sum = reduction.sum
    nansum = reduction.nansum
    mean = reduction.mean
    nanmean = reduction.nanmean
    prod = reduction.prod
    var = reduction.var
    std = reduction.std
    amax = reduction.amax
    amin = reduction.amin
    aminmax = reduction.aminmax
    max = reduction.max
    min = reduction.min
    argmax = reduction.argmax
    argmin = reduction.argmin
    logsumexp = reduction.logsumexp
    all = reduction.all
    any = reduction.any
    count_nonzero = reduction.count_nonzero
    norm = reduction.norm
    dist = reduction.dist
    renorm = reduction.renorm
    renorm_ = in_place(reduction.renorm)
    cumsum = scan.cumsum
    cumsum_ = in_place(scan.cumsum)
    cumprod = scan.cumprod
    cumprod_ = in_place(scan.cumprod)
    logcumsumexp = scan.logcumsumexp
    cummax = scan.cummax
    cummin = scan.cummin
    diff = scan.diff
    softmax = soft.softmax
    log_softmax = soft.log_softmax
