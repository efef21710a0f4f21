"""The parametrizations that come with the package: weights of a length, of a greatest singular value, orthogonal ones."""

from __future__ import annotations

from tinygrad_nn import linalg
from tinygrad_nn.autograd import no_grad
from tinygrad_nn.creation import eye, zeros_like
from tinygrad_nn.dtypes import finfo
from tinygrad_nn.methods.joining import cat
from tinygrad_nn.methods.reflections import geqrf, orgqr
from tinygrad_nn.nn.functional import normalize
from tinygrad_nn.nn.module import Module
from tinygrad_nn.nn.utils.normalized import as_matrix, divided, norm_except, of_length, usual_dim
from tinygrad_nn.nn.utils.parametrize import register_parametrization
from tinygrad_nn.random import randn
from tinygrad_nn.tensor import Tensor

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        """g * v / |v|."""
        return of_length(weight_g, weight_v, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """The length and the direction."""
        return norm_except(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train the length and the direction of a weight in its place: Salimans & Kingma 2016."""
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


class _SpectralNorm(Module):
    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if n_power_iterations <= 0:
            raise ValueError(f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}")
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(f"Dimension out of range (expected to be within [-{weight.ndim}, {weight.ndim - 1}] but got {dim})")
        self.dim, self.eps, self.n_power_iterations = dim % weight.ndim, eps, n_power_iterations
        if weight.ndim > 1:
            matrix = as_matrix(weight.detach(), self.dim)
            u, v = (matrix.new_empty(n).normal_(0, 1) for n in matrix.shape)
            self.register_buffer("_u", normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", normalize(v, dim=0, eps=eps))
            self._iterate(matrix, 15)

    @no_grad()
    def _iterate(self, matrix: Tensor, n: int) -> None:
        for _ in range(n):
            self._u.copy_(normalize(matrix @ self._v, dim=0, eps=self.eps))
            self._v.copy_(normalize(matrix.mT @ self._u, dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        """The weight by its greatest singular value."""
        if weight.ndim == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._iterate(matrix.detach(), self.n_power_iterations)
        return divided(weight, matrix, self._u.clone(), self._v.clone())

    def right_inverse(self, value: Tensor) -> Tensor:
        """The value, which may not be divided already."""
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight by its greatest singular value: Miyato et al. 2018; ValueError for a name that is not there."""
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    made = _SpectralNorm(weight, n_power_iterations, usual_dim(module) if dim is None else dim, eps)
    return register_parametrization(module, name, made)


class _Orthogonal(Module):
    """Columns, or rows if they are fewer, at right angles and of length 1, as a function of any matrix X.

    `matrix_exp` and `cayley` map the skew-symmetric A = tril(X) - tril(X).T to exp(A) and (I + A / 2) (I - A / 2)^-1,
    `householder` takes X's columns for reflections. All stand before a fixed `base`: Lezcano-Casado 2019.
    """

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.shape, self.orthogonal_map, self.trivialized = weight.shape, orthogonal_map, use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        """The orthogonal matrices of X."""
        wide = X.shape[-2] < X.shape[-1]
        X = X.mT if wide else X
        if self.orthogonal_map == "householder":
            A = X.tril(-1)
            Q = orgqr(A, 2.0 / (1.0 + (A * A).sum(-2))) * X.detach().diagonal(dim1=-2, dim2=-1).trunc().unsqueeze(-2)
        else:
            Q = self._mapped(X)
        if self.trivialized and self.base is not None:
            Q = self.base @ Q
        return Q.mT if wide else Q

    def _mapped(self, X: Tensor) -> Tensor:
        n, k = X.shape[-2:]
        square = cat([X.tril(), X.new_zeros(*X.shape[:-1], n - k)], -1)
        A = square - square.mT
        if self.orthogonal_map == "matrix_exp":
            return A.matrix_exp()[..., :k]
        one = eye(n, dtype=A.dtype)
        return linalg.solve(one - A / 2, one + A / 2)[..., :k]

    @no_grad()
    def right_inverse(self, Q: Tensor) -> Tensor:
        """The X of an orthogonal Q, or of the orthogonal part of another's QR decomposition; ValueError for other shapes."""
        if Q.shape != self.shape:
            raise ValueError(f"Expected a matrix or batch of matrices of shape {self.shape}, got {list(Q.shape)}")
        tall = Q.mT if Q.shape[-2] < Q.shape[-1] else Q
        n, k = tall.shape[-2:]
        if not self.trivialized:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                    "use_trivialization=False."
                )
            X = _reflections(tall)
            return X.mT if tall is not Q else X
        if n != k:
            tall = _orthogonalized(cat([tall, randn(*tall.shape[:-1], n - k, dtype=Q.dtype)], -1))
        elif not (tall.mT @ tall).allclose(eye(n, dtype=Q.dtype), atol=10.0 * n * finfo(Q.dtype).eps):
            tall = _orthogonalized(tall)
        self.base = tall.clone()
        X = zeros_like(Q)
        X.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return X


def _reflections(Q: Tensor) -> Tensor:
    """The X whose reflections give Q back: those of its QR decomposition, with the signs of R on the diagonal."""
    X, tau = geqrf(Q)
    diagonal = X.diagonal(dim1=-2, dim2=-1)
    diagonal.copy_(diagonal.sign() * (1 - 2 * (tau == 0).to(X.dtype)))
    return X


def _orthogonalized(A: Tensor) -> Tensor:
    """The Q of A = Q R for which R has a positive diagonal."""
    Q, R = linalg.qr(A)
    return Q * R.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Keep a matrix, or a batch of them, orthogonal while it is trained, by a map from all matrices to those.

    Without `use_trivialization` the map stands alone, and only `householder` can be assigned to. The map is `matrix_exp`
    (for square matrices unless given), `cayley` or `householder`. ValueError for another, for a name
    that is not there and for a vector.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices, got a tensor of {weight.ndim} dimensions")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder", got {orthogonal_map!r}')
    return register_parametrization(module, name, _Orthogonal(weight, orthogonal_map, use_trivialization), unsafe=True)
