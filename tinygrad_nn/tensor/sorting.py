"""The methods that order, rank and count elements."""

from __future__ import annotations

from tinygrad_nn.methods import counting, sorting


class Sorting:
    """The methods that order, rank and count elements."""

    __slots__ = ()

    sort = sorting.sort
    argsort = sorting.argsort
    msort = sorting.msort
    topk = sorting.topk
    kthvalue = sorting.kthvalue
    median = sorting.median
    nanmedian = sorting.nanmedian
    mode = sorting.mode
    quantile = sorting.quantile
    nanquantile = sorting.nanquantile
    unique = counting.unique
    unique_consecutive = counting.unique_consecutive
    bincount = counting.bincount
    histc = counting.histc
    histogram = counting.histogram
    cov = counting.cov
    corrcoef = counting.corrcoef
