"""The named tuples that functions with several results give, as in `torch.return_types`; knows no tensor."""

from __future__ import annotations

from operator import itemgetter
from typing import Any


class _Result(tuple[Any, ...]):
    """A tuple whose fields have names, printed as PyTorch prints it: `torch.return_types.<name>(`, one field a line."""

    __slots__ = ()

    _fields: tuple[str, ...]

    def __new__(cls, *values: Any) -> _Result:
        if len(values) != len(cls._fields):
            raise TypeError(f"{cls.__name__}: expected {len(cls._fields)} values, {', '.join(cls._fields)}, got {len(values)}")
        return super().__new__(cls, values)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        lines = ",\n".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{lines})"


def _named(name: str, *fields: str) -> Any:
    """The result with these fields: without namedtuple, which writes and compiles the code of each, the import is quicker."""
    return type(name, (_Result,), {
        "__slots__": (), "__module__": __name__, "__doc__": f"What `torch.{name}` gives: {' and '.join(fields)}.",
        "_fields": fields, **{field: property(itemgetter(i)) for i, field in enumerate(fields)},
    })  # fmt: skip


max = _named("max", "values", "indices")
min = _named("min", "values", "indices")
median = _named("median", "values", "indices")
nanmedian = _named("nanmedian", "values", "indices")
mode = _named("mode", "values", "indices")
kthvalue = _named("kthvalue", "values", "indices")
sort = _named("sort", "values", "indices")
topk = _named("topk", "values", "indices")
cummax = _named("cummax", "values", "indices")
cummin = _named("cummin", "values", "indices")
aminmax = _named("aminmax", "min", "max")
histogram, histogramdd = (_named(name, "hist", "bin_edges") for name in ("histogram", "histogramdd"))
geqrf = _named("geqrf", "a", "tau")
frexp = _named("frexp", "mantissa", "exponent")
qr, linalg_qr = (_named(name, "Q", "R") for name in ("qr", "linalg_qr"))
svd, linalg_svd = _named("svd", "U", "S", "V"), _named("linalg_svd", "U", "S", "Vh")
slogdet, linalg_slogdet = (_named(name, "sign", "logabsdet") for name in ("slogdet", "linalg_slogdet"))
linalg_eig, linalg_eigh = (_named(name, "eigenvalues", "eigenvectors") for name in ("linalg_eig", "linalg_eigh"))
lu_unpack, linalg_lu = (_named(name, "P", "L", "U") for name in ("lu_unpack", "linalg_lu"))
linalg_lu_factor = _named("linalg_lu_factor", "LU", "pivots")
linalg_lu_factor_ex = _named("linalg_lu_factor_ex", "LU", "pivots", "info")
linalg_cholesky_ex = _named("linalg_cholesky_ex", "L", "info")
linalg_inv_ex = _named("linalg_inv_ex", "inverse", "info")
linalg_solve_ex = _named("linalg_solve_ex", "result", "info")
linalg_lstsq = _named("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
triangular_solve = _named("triangular_solve", "solution", "cloned_coefficient")
