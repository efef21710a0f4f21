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


_FIELDS = {
    **dict.fromkeys(
        ("max", "min", "median", "nanmedian", "mode", "kthvalue", "sort", "topk", "cummax", "cummin"), ("values", "indices")
    ),
    "aminmax": ("min", "max"),
    "histogram": ("hist", "bin_edges"), "histogramdd": ("hist", "bin_edges"),
    "geqrf": ("a", "tau"),
    "frexp": ("mantissa", "exponent"),
    "qr": ("Q", "R"), "linalg_qr": ("Q", "R"),
    "svd": ("U", "S", "V"), "linalg_svd": ("U", "S", "Vh"),
    "slogdet": ("sign", "logabsdet"), "linalg_slogdet": ("sign", "logabsdet"),
    "linalg_eig": ("eigenvalues", "eigenvectors"), "linalg_eigh": ("eigenvalues", "eigenvectors"),
    "lu_unpack": ("P", "L", "U"), "linalg_lu": ("P", "L", "U"),
    "linalg_lu_factor": ("LU", "pivots"), "linalg_lu_factor_ex": ("LU", "pivots", "info"),
    "linalg_cholesky_ex": ("L", "info"), "linalg_inv_ex": ("inverse", "info"), "linalg_solve_ex": ("result", "info"),
    "linalg_lstsq": ("solution", "residuals", "rank", "singular_values"),
    "triangular_solve": ("solution", "cloned_coefficient"),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """The result of this name, made when it is first asked for, for the sake of the import's time."""
    if name not in _FIELDS:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    fields = _FIELDS[name]
    made = globals()[name] = type(name, (_Result,), {
        "__slots__": (), "__module__": __name__, "__doc__": f"What `torch.{name}` gives: {' and '.join(fields)}.",
        "_fields": fields, **{field: property(itemgetter(i)) for i, field in enumerate(fields)},
    })  # fmt: skip
    return made


def __dir__() -> list[str]:
    return sorted({*globals(), *_FIELDS})
