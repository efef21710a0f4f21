"""`out=`: what a function gives, written into tensors that are there already. A function takes it by being named here."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tinygrad_nn.methods.faces import is_tensor, no_tensor, put_into

# What is computed in the dtype of `out`; new tensors, and some others, resize it without a warning.
NEW = {"empty", "eye", "full", "linspace", "logspace", "ones", "rand", "randint", "randn", "randperm", "zeros"}
IN_ITS_DTYPE = NEW | {"arange", "cumprod", "cumsum", "mean", "nanmean", "nansum", "prod", "sum"}
SILENT = NEW | {"addbmm", "bernoulli", "multinomial", "normal"}

# What goes into an `out` of any dtype that the result can be cast to.
CAST = {
    "addcdiv", "addcmul", "addr", "angle", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "chebyshev_polynomial_t",
    "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w", "cholesky", "column_stack", "concat",
    "concatenate", "cond", "deg2rad", "diff", "dstack", "gammaincc", "ger", "hermite_polynomial_h", "hermite_polynomial_he",
    "hstack", "i0", "i0e", "i1", "i1e", "igammac", "kron", "laguerre_polynomial_l", "ldexp", "legendre_polynomial_p", "lerp",
    "logit", "logsumexp", "matrix_rank", "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1",
    "multigammaln", "mvlgamma", "ndtr", "outer", "pinv", "polygamma", "pow", "rad2deg", "reciprocal", "remainder", "row_stack",
    "rsqrt", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w", "sinc",
    "spherical_bessel_j0", "square", "std", "tensorinv", "tensorsolve", "var", "vstack", "xlog1py", "xlogy", "zeta",
}  # fmt: skip

# What goes only into an `out` of its own dtype; a tuple of them for a function with several results.
EXACT = {
    "addbmm", "addmm", "addmv", "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "baddbmm", "bernoulli", "bucketize",
    "chain_matmul", "cholesky_ex", "cholesky_inverse", "cholesky_solve", "clamp", "clamp_max", "clamp_min", "clip", "cross",
    "cummax", "cummin", "det", "diag", "dot", "eigh", "eigvalsh", "float_power", "frac", "gather", "geqrf", "heaviside", "histc",
    "histogram", "householder_product", "index_add", "index_copy", "index_select", "inner", "inv", "inv_ex", "inverse", "isin",
    "isneginf", "isposinf", "kthvalue", "log_softmax", "logcumsumexp", "lu", "lu_factor", "lu_solve",
    "lu_unpack", "masked_select", "matrix_norm", "matrix_power", "max", "median", "min", "mode", "msort", "multi_dot",
    "multinomial", "mv", "nan_to_num", "nanmedian", "nanquantile", "nonzero", "norm", "normal", "orgqr", "ormqr", "qr", "quantile",
    "renorm", "round", "scatter", "scatter_add", "scatter_reduce", "searchsorted", "slogdet", "softmax", "solve",
    "solve_triangular", "sort", "svd", "svdvals", "take", "take_along_dim", "tensordot", "topk", "triangular_solve", "tril",
    "triu", "vdot", "vecdot", "vector_norm", "where",
}  # fmt: skip


def accept_out(names: dict[str, Any]) -> None:
    """Let those of a module's functions that are named above be called with `out`; their methods stay without it."""
    for name in names.keys() & (IN_ITS_DTYPE | CAST | EXACT):
        names[name] = _with_out(names[name], name)


def _with_out(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    plain = function.__wrapped__ if hasattr(function, "also_numpy_names") else function  # type: ignore[attr-defined]

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        if not options:
            try:
                return plain(*args)
            except AttributeError as error:
                if mistake := no_tensor(f"{name}()", error, args):
                    raise mistake from None
                raise
        out = options.pop("out", None)
        if out is None:
            return function(*args, **options)
        _expect_tensors(out, name)
        if name in IN_ITS_DTYPE:
            options.setdefault("dtype", out.dtype)
        return _placed(out, function(*args, **options), name)

    return call


def _expect_tensors(out: Any, name: str) -> None:
    for tensor in out if isinstance(out, tuple | list) else (out,):
        if not is_tensor(tensor):
            raise TypeError(f"{name}(): argument 'out' must be Tensor or a tuple of Tensors, not {type(tensor).__name__}")


def _placed(out: Any, result: Any, name: str) -> Any:
    """The result in `out`: one tensor, or as many as there are results."""
    exact, warn = name not in CAST, name not in SILENT
    if is_tensor(result):
        return put_into(out, result, name, exact=exact, warn=warn)
    if not isinstance(out, tuple | list) or len(out) != len(result):
        raise TypeError(f"{name}(): argument 'out' must be a tuple of {len(result)} Tensors, one for each result")
    placed = [put_into(tensor, part, name, exact=exact) for tensor, part in zip(out, result, strict=True)]
    return type(result)(*placed) if hasattr(result, "_fields") else tuple(placed)
