"""Linear algebra beside PyTorch's: values, first and second gradients, dtypes, layouts, and the type of the errors.

Signs of vectors, and bases of null spaces, are not determined: of such results, what does not depend on them is compared.
"""

import re

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((3, 4)), RNG.standard_normal((4, 2))
S = RNG.standard_normal((2, 3, 3)) + 2 * np.eye(3)  # square
P = S @ S.mT + np.eye(3)  # symmetric positive definite
L = np.linalg.cholesky(P)
W = RNG.standard_normal((2, 3, 4))
V, U = RNG.standard_normal(3), RNG.standard_normal(4)
K = RNG.standard_normal((2, 3, 2))
REAL = np.array([[1.0, 0.4, 0.2], [0.1, 2.5, -0.3], [0.3, 0.2, 4.0]])  # its eigenvalues are real

PRODUCTS = {
    "matmul": (lambda p, a, b: p.matmul(a, b), [A, B]),
    "matmul broadcast": (lambda p, a, b: a @ b, [S, W[:1]]),
    "matmul vectors": (lambda p, a, b: a @ b, [V, V * 2]),
    "mm": (lambda p, a, b: p.mm(a, b), [A, B]),
    "bmm": (lambda p, a, b: p.bmm(a, b), [S, W]),
    "mv": (lambda p, a, b: p.mv(a, b), [A, U]),
    "dot": (lambda p, a, b: p.dot(a, b), [V, V[::-1].copy()]),
    "vdot": (lambda p, a, b: p.vdot(a, b), [V, V[::-1].copy()]),
    "inner": (lambda p, a, b: p.inner(a, b), [W, A]),
    "inner 0-d": (lambda p, a, b: p.inner(a, b), [np.array(2.0), A]),
    "outer": (lambda p, a, b: p.outer(a, b), [V, U]),
    "ger": (lambda p, a, b: a.ger(b), [V, U]),
    "addmm": (lambda p, c, a, b: p.addmm(c, a, b, alpha=0.5, beta=2), [V[:2], A, B]),
    "addmv": (lambda p, c, a, b: c.addmv(a, b, alpha=3), [V, A, U]),
    "addr": (lambda p, c, a, b: p.addr(c, a, b, beta=0.5), [A, V, U]),
    "addbmm": (lambda p, c, a, b: p.addbmm(c, a, b, alpha=2), [A, S, W]),
    "baddbmm": (lambda p, c, a, b: p.baddbmm(c, a, b, beta=-1), [W, S, W]),
    "addmm beta 0": (lambda p, c, a, b: p.addmm(c, a, b, beta=0), [np.full((3, 2), np.nan), A, B]),
    "addmm_": (lambda p, c, a, b: c.clone().addmm_(a, b), [K[0], A, B]),
    "chain_matmul": (lambda p, a, b, c: p.chain_matmul(a, b, c), [A, B, B.T.copy()]),
    "multi_dot": (lambda p, a, b, c, d: p.linalg.multi_dot([a, b, c, d]), [V, A, B, B[0]]),
    "multi_dot two": (lambda p, a, b: p.linalg.multi_dot([a, b]), [A, B]),
    "tensordot": (lambda p, a, b: p.tensordot(a, b, 1), [W, B]),
    "tensordot lists": (lambda p, a, b: p.tensordot(a, b, ([0, 2], [1, 2])), [W, W.swapaxes(0, 1).copy()]),
    "tensordot none": (lambda p, a, b: p.tensordot(a, b, 0), [V, U]),
    "kron": (lambda p, a, b: p.kron(a, b), [A, B]),
    "kron dims": (lambda p, a, b: a.kron(b), [W, U]),
    "cross": (lambda p, a, b: p.cross(a, b, dim=1), [S, S[::-1].copy()]),
    "cross first": (lambda p, a, b: p.cross(a, b), [W, W[::-1].copy()]),
    "linalg.cross": (lambda p, a, b: p.linalg.cross(a, b), [S, S[:1]]),
    "vecdot": (lambda p, a, b: p.linalg.vecdot(a, b, dim=1), [W, W[:1]]),
    "trace": (lambda p, a: p.trace(a), [A]),
    "diagonal": (lambda p, a: p.linalg.diagonal(a, offset=1), [W]),
    "vander": (lambda p, a: p.linalg.vander(a), [W]),
    "vander N": (lambda p, a: p.linalg.vander(a, N=3), [V]),
}
EINSUMS = {
    "ij,jk->ik": [A, B], "ij,jk": [A, B], "ij->ji": [A], "ij->": [A], "ij->j": [A], "ii->i": [S[0]], "ii": [S[0]],
    "bij,bjk->bik": [S, W], "bii->b": [S], "i,i": [V, V], "i,j->ij": [V, U], "ij,ij->ij": [A, A], "b...,b...->...": [S, S],
    "...ij,...jk->...ik": [S, W[:1]], "i...->...": [W], "...": [W], "bij,jk,bk->bi": [W, B, K[:, 0]], "ij,kj,lj->ikl": [A, A, A],
    "iij,jk": [S.swapaxes(0, 2).copy(), K], "ba,b": [B, U], "i j -> j i": [A], "ij,jk->k": [A, B], "bij,bij->b": [S, S],
}  # fmt: skip
FUNCTIONS = {
    **{name: (lambda p, a, name=name: getattr(p, name)(a), [S]) for name in ("det", "inverse", "pinverse", "matrix_exp")},
    **{f"linalg.{name}": (lambda p, a, name=name: getattr(p.linalg, name)(a), [S])
       for name in ("det", "inv", "pinv", "matrix_exp", "svdvals", "cond", "norm", "matrix_norm", "vector_norm", "qr")},
    "slogdet": (lambda p, a: p.slogdet(a), [S]),
    "logdet": (lambda p, a: p.logdet(a), [P]),
    "logdet negative": (lambda p, a: p.logdet(-a).detach(), [P]),
    "det of rank 2": (lambda p, a: p.det(a), [np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.5, -1.0, 2.0]])]),
    "matrix_power": (lambda p, a: p.matrix_power(a, 3), [S]),
    "matrix_power 0": (lambda p, a: p.linalg.matrix_power(a, 0), [S]),
    "matrix_power -2": (lambda p, a: a.matrix_power(-2), [S]),
    "cholesky": (lambda p, a: p.cholesky(a), [P]),
    "cholesky upper": (lambda p, a: p.linalg.cholesky(a, upper=True), [P]),
    "cholesky one triangle": (lambda p, a: p.linalg.cholesky(a), [np.tril(P)]),
    "cholesky_solve": (lambda p, b, a: p.cholesky_solve(b, a), [K, L]),
    "cholesky_solve upper": (lambda p, b, a: b.cholesky_solve(a, upper=True), [K, L.mT.copy()]),
    "cholesky_inverse": (lambda p, a: p.cholesky_inverse(a), [L]),
    "triangular_solve": (lambda p, b, a: p.triangular_solve(b, a), [K, S]),
    "solve_triangular": (lambda p, a, b: p.linalg.solve_triangular(a, b, upper=False), [S, K]),
    "solve_triangular right": (lambda p, a, b: p.linalg.solve_triangular(a, b.mT, upper=True, left=False), [S, K]),
    "solve_triangular unit": (lambda p, a, b: p.linalg.solve_triangular(a, b, upper=True, unitriangular=True), [S, K]),
    "solve": (lambda p, a, b: p.linalg.solve(a, b), [S, K]),
    "solve broadcast": (lambda p, a, b: p.linalg.solve(a, b), [S[0], K]),
    "solve vector": (lambda p, a, b: p.linalg.solve(a, b), [S[0], V]),
    "solve vectors": (lambda p, a, b: p.linalg.solve(a, b), [S, K[..., 0]]),
    "solve right": (lambda p, a, b: p.linalg.solve(a, b.mT, left=False), [S, K]),
    "lstsq": (lambda p, a, b: p.linalg.lstsq(a, b).solution, [W.mT.copy(), W.mT[..., :2].copy()]),
    "tensorinv": (lambda p, a: p.linalg.tensorinv(a, ind=1), [RNG.standard_normal((4, 2, 2))]),
    "tensorsolve": (lambda p, a, b: p.linalg.tensorsolve(a, b), [RNG.standard_normal((4, 2, 2)), U]),
    "pinv tall": (lambda p, a: p.linalg.pinv(a), [W.mT.copy()]),
    "pinv hermitian": (lambda p, a: p.linalg.pinv(a, hermitian=True), [P]),
    "pinv of rank 1": (lambda p, a: p.linalg.pinv(p.outer(a, a), rtol=1e-8), [V]),
    "matrix_rank": (lambda p, a: p.linalg.matrix_rank(p.outer(a, a)), [V]),
    "matrix_rank tol": (lambda p, a: (p.linalg.matrix_rank(a, atol=1.0), p.linalg.matrix_rank(a, hermitian=True, rtol=0.5)), [P]),
    "eigvalsh": (lambda p, a: p.linalg.eigvalsh(a), [P]),
    "eigvalsh U": (lambda p, a: p.linalg.eigvalsh(a, UPLO="U"), [P]),
    "eigvalsh of equal ones": (lambda p, a: p.linalg.eigvalsh(a).detach(), [np.eye(3)]),
    "eigh": (lambda p, a: [p.linalg.eigh(a)[0], p.linalg.eigh(a)[1] ** 2], [P]),
    "svd": (lambda p, a: _blind(p.linalg.svd(a, full_matrices=False)), [W]),
    "svd tall": (lambda p, a: _blind(p.svd(a)), [W.mT.copy()]),
    "svd full": (lambda p, a: _blind(p.linalg.svd(a)[:2]), [W]),
    "qr": (lambda p, a: p.qr(a), [S]),
    "qr wide": (lambda p, a: p.linalg.qr(a), [W]),
    "qr tall": (lambda p, a: p.linalg.qr(a), [W.mT.copy()]),
    "qr complete": (lambda p, a: p.linalg.qr(a.detach(), "complete"), [W.mT.copy()]),
    "qr r": (lambda p, a: p.linalg.qr(a.detach(), "r"), [W]),
    "lu": (lambda p, a: p.linalg.lu(a), [S]),
    "lu tall": (lambda p, a: p.linalg.lu(a), [W.mT.copy()]),
    "lu wide": (lambda p, a: p.linalg.lu(a), [W]),
    "lu_factor": (lambda p, a: p.linalg.lu_factor(a), [W]),
    "lu_solve": (lambda p, a, b: p.linalg.lu_solve(*p.linalg.lu_factor(a), b), [S, K]),
    "lu_solve right adjoint": (lambda p, a, b: p.linalg.lu_solve(*p.linalg.lu_factor(a), b.mT, left=False, adjoint=True), [S, K]),
    "torch.lu_solve": (lambda p, a, b: b.lu_solve(*a.lu()), [S, K]),
    "torch.lu": (lambda p, a: a.lu(get_infos=True), [W]),
    "lu_unpack": (lambda p, a: p.lu_unpack(*p.linalg.lu_factor(a)), [W]),
    "inv_ex": (lambda p, a: p.linalg.inv_ex(a), [S]),
    "solve_ex": (lambda p, a, b: p.linalg.solve_ex(a, b), [S, K]),
    "cholesky_ex": (lambda p, a: p.linalg.cholesky_ex(a), [P]),
    **{f"cond {p}": (lambda q, a, p=p: q.linalg.cond(a if p in (2, -2) else a.detach(), p), [S])
       for p in (2, -2, "fro", "nuc", 1, -1, np.inf, -np.inf)},
    **{f"matrix_norm {o}": (lambda q, a, o=o: q.linalg.matrix_norm(a, o), [W])
       for o in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)},
    **{f"matrix_norm {o} dims": (lambda q, a, o=o: q.linalg.matrix_norm(a, o, (2, 0), keepdim=True), [W])
       for o in ("fro", "nuc", 1, -2, np.inf)},
    **{f"vector_norm {o}": (lambda q, a, o=o: q.linalg.vector_norm(a if o else a.detach(), o, (0, 2)), [W])
       for o in (2, 1, 0, 3, 0.5, -1, -2.5, np.inf, -np.inf)},
    "vector_norm keepdim": (lambda p, a: p.linalg.vector_norm(a, dim=1, keepdim=True), [W]),
    "vector_norm dtype": (lambda p, a: p.linalg.vector_norm(a, dtype=p.float32).detach(), [W]),
    "vector_norm of 0": (lambda p, a: p.linalg.vector_norm(a), [np.zeros(3)]),
    "norm dims": (lambda p, a: p.linalg.norm(a, "nuc", (0, 1)), [W]),
    "norm dim": (lambda p, a: p.linalg.norm(a, np.inf, 1), [W]),
}  # fmt: skip
CASES = {
    **PRODUCTS, **FUNCTIONS,
    **{f"einsum {eq}": (lambda p, *xs, eq=eq: p.einsum(eq, *xs), inputs) for eq, inputs in EINSUMS.items()},
    "einsum lists": (lambda p, a, b: p.einsum(a, [0, 1], b, [1, 2], [0, 2]), [A, B]),
    "einsum of a list": (lambda p, a, b: p.einsum("ij,jk", [a, b]), [A, B]),
}  # fmt: skip
SUMS = ("norm 1", "norm -1", "norm inf", "norm -inf", "norm dim", "vector_norm of 0")  # PyTorch does not derive them twice


def _blind(parts):
    """The results of an SVD without their signs."""
    return [part * part for part in parts]


def with_gradients(p, name, dtype):
    program, inputs = CASES[name]
    leaves = [p.tensor(x.astype(dtype), requires_grad=True) for x in inputs]
    y = program(p, *leaves)
    results = [y]
    parts = [part for part in (y if isinstance(y, tuple | list) else [y]) if part.requires_grad]
    if not parts or name == "cholesky one triangle":
        return results
    weights = [p.tensor(np.random.default_rng(i).standard_normal(tuple(part.shape)).astype(dtype)) for i, part in enumerate(parts)]
    loss = sum((part * weight).sum() for part, weight in zip(parts, weights, strict=True))
    first = p.autograd.grad([loss], leaves, create_graph=True)
    results += [g.detach() for g in first]
    if dtype == "float64" and not any(part in name for part in SUMS):
        slopes = sum((g * g).sum() for g in first)
        second = p.autograd.grad([slopes], leaves, allow_unused=True) if slopes.requires_grad else [None] * len(leaves)
        results += [p.zeros_like(x) if g is None else g for g, x in zip(second, leaves, strict=True)]
    return results


@pytest.mark.parametrize("name", CASES)
def test_values_and_both_gradients(name):
    compare(with_gradients, torch, tinygrad_nn, name, "float64", tolerance=1e-6, quiet=True)


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("det of rank 2", "matrix_norm nuc dims")])
def test_float32_stays_float32(name):
    compare(with_gradients, torch, tinygrad_nn, name, "float32", tolerance=5e-2, quiet=True)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "vector_norm dtype"])
def test_the_layout_does_not_matter(name):
    program, inputs = CASES[name]
    dense = program(tinygrad_nn, *(tinygrad_nn.tensor(x) for x in inputs))
    spread = program(tinygrad_nn, *(tinygrad_nn.tensor(np.repeat(x, 2, -1))[..., ::2] for x in inputs))
    for a, b in zip(dense if isinstance(dense, tuple | list) else [dense], spread if isinstance(spread, tuple | list) else [spread],
                    strict=True):  # fmt: skip
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-12)


EMPTY = {
    "matmul": lambda p: p.ones(2, 0) @ p.ones(0, 3),
    "bmm": lambda p: p.bmm(p.ones(0, 2, 3), p.ones(0, 3, 1)),
    "dot": lambda p: p.dot(p.ones(0), p.ones(0)),
    "einsum": lambda p: p.einsum("ij,jk->ik", p.ones(2, 0), p.ones(0, 3)),
    "tensordot": lambda p: p.tensordot(p.ones(0, 2), p.ones(2, 3), 1),
    "kron": lambda p: p.kron(p.ones(0, 2), p.ones(2, 3)),
    "trace": lambda p: p.trace(p.ones(0, 0)),
    **{name: lambda p, name=name: getattr(p.linalg, name)(p.ones(0, 0)) for name in (
        "det", "slogdet", "inv", "pinv", "cholesky", "eigh", "eigvalsh", "svd", "svdvals", "qr", "matrix_exp", "lu", "matrix_rank",
        "norm", "matrix_norm", "vector_norm", "cond",
    )},
    **{f"{name} wide": lambda p, name=name: getattr(p.linalg, name)(p.ones(2, 0, 3)) for name in (
        "pinv", "svdvals", "qr", "lu", "matrix_rank", "vector_norm",
    )},
    "batch": lambda p: p.linalg.inv(p.ones(0, 3, 3)),
    "solve": lambda p: p.linalg.solve(p.ones(0, 0), p.ones(0, 2)),
    "norm inf": lambda p: p.linalg.vector_norm(p.ones(0), float("inf")),
}  # fmt: skip


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_in_it(name):
    compare(EMPTY[name], torch, tinygrad_nn)


INTEGERS = {
    "matmul": lambda p, x: x @ x.mT, "mv": lambda p, x: p.mv(x, x[0]), "dot": lambda p, x: p.dot(x[0], x[0]),
    "outer": lambda p, x: p.outer(x[0], x[1]), "einsum": lambda p, x: p.einsum("ij,kj->ik", x, x),
    "einsum sum": lambda p, x: p.einsum("ij->i", x), "kron": lambda p, x: p.kron(x, x), "inner": lambda p, x: p.inner(x, x),
    "tensordot": lambda p, x: p.tensordot(x, x, 2), "cross": lambda p, x: p.cross(x, x), "trace": lambda p, x: p.trace(x),
    "addmm": lambda p, x: p.addmm(x[:, :2], x, x.mT), "addmm floats": lambda p, x: p.addmm(x[:, :2], x, x.mT, alpha=1.5),
    "addr floats": lambda p, x: p.addr(x, x[:, 0], x[0], alpha=1.5), "addr": lambda p, x: p.addr(x, x[:, 0], x[0], alpha=2),
    "det": lambda p, x: p.det(x[:, :2]), "norm": lambda p, x: p.linalg.norm(x), "inv": lambda p, x: p.linalg.inv(x[:, :2]),
    "vander": lambda p, x: p.linalg.vander(x), "svd": lambda p, x: p.linalg.svd(x), "solve": lambda p, x: p.linalg.solve(x, x),
    "matmul mixed": lambda p, x: x @ x.mT.double(), "dot mixed": lambda p, x: p.dot(x[0], x[0].double()),
    "outer mixed": lambda p, x: p.outer(x[0], x[0].double()),
}  # fmt: skip


PRODUCTS_OF_BOOLS = re.compile("outer|kron|trace|einsum sum|addr|cross|vander")  # elementwise, and tried elsewhere
WHOLE = [(name, dtype) for name in INTEGERS for dtype in ("int64", "int32", "uint8", "bool")]


@pytest.mark.parametrize(("name", "dtype"), [case for case in WHOLE if case[1] != "bool" or not PRODUCTS_OF_BOOLS.match(case[0])])
def test_integers(name, dtype):
    compare(lambda p: INTEGERS[name](p, p.tensor([[1, 0, 1], [1, 1, 0]], dtype=getattr(p, dtype))), torch, tinygrad_nn)


BAD = {
    "matmul": lambda p: p.ones(2, 3) @ p.ones(2, 3), "matmul 0-d": lambda p: p.ones(()) @ p.ones(3),
    "matmul batch": lambda p: p.ones(2, 3, 3) @ p.ones(3, 3, 3), "mm": lambda p: p.mm(p.ones(2, 2, 2), p.ones(2, 2)),
    "bmm": lambda p: p.bmm(p.ones(2, 3, 4), p.ones(3, 4, 2)), "dot": lambda p: p.dot(p.ones(2), p.ones(3)),
    "inner": lambda p: p.inner(p.ones(2), p.ones(3)), "outer": lambda p: p.outer(p.ones(2, 2), p.ones(3)),
    "addmm": lambda p: p.addmm(p.ones(5), p.ones(2, 3), p.ones(3, 2)), "trace": lambda p: p.trace(p.ones(3)),
    "addmm mixed": lambda p: p.addmm(p.ones(2), p.ones(2, 3).double(), p.ones(3, 2).double()),
    "tensordot": lambda p: p.tensordot(p.ones(2, 3), p.ones(4, 3), 1),
    "tensordot dims": lambda p: p.tensordot(p.ones(2), p.ones(2), 3),
    "tensordot lists": lambda p: p.tensordot(p.ones(2, 3), p.ones(2, 3), ([0, 1], [0])),
    "cross": lambda p: p.cross(p.ones(2), p.ones(2), dim=0), "cross none": lambda p: p.cross(p.ones(2), p.ones(2)),
    "einsum count": lambda p: p.einsum("ij,jk", p.ones(2, 2)),
    "einsum sizes": lambda p: p.einsum("ij,jk", p.ones(2, 3), p.ones(2, 3)),
    "einsum dims": lambda p: p.einsum("ij", p.ones(3)), "einsum output": lambda p: p.einsum("ij->k", p.ones(2, 2)),
    "einsum twice": lambda p: p.einsum("ij->ii", p.ones(2, 2)), "einsum sign": lambda p: p.einsum("i1", p.ones(2, 2)),
    "einsum repeated": lambda p: p.einsum("ii", p.ones(2, 3)), "einsum nothing": lambda p: p.einsum(),
    "einsum no operand": lambda p: p.einsum("ij"),
    **{f"{name} not square": lambda p, name=name: getattr(p.linalg, name)(p.ones(2, 3)) for name in (
        "det", "slogdet", "inv", "cholesky", "eigh", "eigvalsh", "eig", "matrix_exp", "inv_ex")},
    **{f"{name} vector": lambda p, name=name: getattr(p.linalg, name)(p.ones(3)) for name in (
        "det", "slogdet", "inv", "cholesky", "eigh", "svd", "svdvals", "qr", "matrix_exp", "pinv", "lu", "matrix_norm", "cond")},
    **{f"{name} half": lambda p, name=name: getattr(p.linalg, name)(p.ones(2, 2).half() if hasattr(p.Tensor, "half")
       else p.ones(2, 2).to(p.float16)) for name in ("det", "inv", "cholesky", "eigh", "svd", "qr")},
    "inv singular": lambda p: p.linalg.inv(p.ones(2, 2)), "solve singular": lambda p: p.linalg.solve(p.ones(2, 2), p.ones(2)),
    "cholesky indefinite": lambda p: p.linalg.cholesky(-p.eye(2)), "svd nan": lambda p: p.linalg.svd(p.full((2, 2), float("nan"))),
    "solve shapes": lambda p: p.linalg.solve(p.eye(2), p.ones(3, 1)),
    "solve mixed": lambda p: p.linalg.solve(p.eye(2).double(), p.ones(2)),
    "eigh UPLO": lambda p: p.linalg.eigh(p.eye(2), UPLO="X"), "qr mode": lambda p: p.linalg.qr(p.eye(2), "full"),
    "norm ord": lambda p: p.linalg.matrix_norm(p.eye(2), 3), "norm string": lambda p: p.linalg.norm(p.ones(2), "fro", 0),
    "norm dims": lambda p: p.linalg.norm(p.ones(2, 2, 2), 2),
    "matrix_norm dims": lambda p: p.linalg.matrix_norm(p.eye(2), dim=(0, 0)),
    "vander N": lambda p: p.linalg.vander(p.ones(2), N=1), "multi_dot one": lambda p: p.linalg.multi_dot([p.eye(2)]),
    "tensorinv ind": lambda p: p.linalg.tensorinv(p.ones(2, 2), ind=0), "chain_matmul": lambda p: p.chain_matmul(p.ones(2)),
    "diagonal": lambda p: p.linalg.diagonal(p.eye(2), dim1=1, dim2=-1),
    "lu_factor singular": lambda p: p.linalg.lu_factor(p.stack([p.eye(2), p.zeros(2, 2)])),
    "lu_factor_ex singular": lambda p: p.linalg.lu_factor_ex(p.ones(2, 3), check_errors=True),
    "cholesky_ex indefinite": lambda p: p.linalg.cholesky_ex(-p.eye(2), check_errors=True),
    "matrix_power half": lambda p: p.linalg.matrix_power(p.eye(2).half(), -1),
    "vecdot mixed": lambda p: p.linalg.vecdot(p.ones(2).half(), p.ones(2)),
    "vecdot whole": lambda p: p.linalg.vecdot(p.ones(2).long(), p.ones(2).long()),
    "lu pivot": lambda p: p.linalg.lu(p.eye(2), pivot=False),
    "lstsq rows": lambda p: p.linalg.lstsq(p.ones(3, 2), p.ones(2, 2)),
    "lstsq driver": lambda p: p.linalg.lstsq(p.eye(2), p.eye(2), driver="x"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused(name):
    with pytest.raises((RuntimeError, ValueError, TypeError, IndexError)) as expected:
        BAD[name](torch)
    kind = RuntimeError if isinstance(expected.value, RuntimeError) else type(expected.value)
    with pytest.raises(kind) as found:
        BAD[name](tinygrad_nn)
    assert "\n" not in str(found.value)
    assert isinstance(expected.value, torch.linalg.LinAlgError) == isinstance(found.value, tinygrad_nn.linalg.LinAlgError)


def test_real_eigenvalues_of_a_general_matrix():
    def program(p, order):
        x = p.tensor(REAL, requires_grad=True)
        w, v = p.linalg.eig(x)
        values, vectors = (w.real, (v * v).real) if p is torch else (w, v * v)
        (first,) = p.autograd.grad([(values * values).sum() + (vectors * p.tensor(S[0])).sum()], [x], create_graph=True)
        return (values, vectors, first) if order == 1 else p.autograd.grad([(first * first).sum()], [x])[0]

    compare(program, torch, tinygrad_nn, 1)
    compare(program, torch, tinygrad_nn, 2)
    np.testing.assert_allclose(tinygrad_nn.linalg.eigvals(tinygrad_nn.tensor(REAL)), np.linalg.eigvals(REAL))


def test_complex_eigenvalues_are_refused():
    with pytest.raises(NotImplementedError, match="complex"):
        tinygrad_nn.linalg.eig(tinygrad_nn.tensor([[0.0, 1.0], [-1.0, 0.0]]))


def test_full_bases_are_orthonormal():
    for u, s, vh in (tinygrad_nn.linalg.svd(tinygrad_nn.tensor(x)) for x in (W, W.mT.copy(), np.zeros((3, 2)))):
        for basis in (u, vh):
            np.testing.assert_allclose(basis @ basis.mT, np.broadcast_to(np.eye(basis.shape[-1]), basis.shape), atol=1e-12)
        assert s.shape[-1] == min(u.shape[-1], vh.shape[-1])


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("diagonal", [(4, 5, 5, 30), (-4, 5, 5, 3), (4, -3, 5, 3), (4, 5, -5, 3), (4, 5, 5, 0)])
def test_cholesky_factors_as_far_as_there_are_any(diagonal, upper):
    def program(p):
        x = p.tensor([[0.0, 2, 1, 6], [2, 0, 2, 5], [1, 2, 0, 4], [6, 5, 4, 0]]) + p.diag(p.tensor(diagonal))
        return p.linalg.cholesky_ex(p.stack([x, p.eye(4)]), upper=upper)

    compare(program, torch, tinygrad_nn)


def test_products_in_other_dtypes_and_the_name_of_the_error():
    def program(p):
        x = p.tensor([[1.0, 2.0], [0.5, 1.0]])
        powers = [p.linalg.matrix_power((x * 2).to(kind), n) for kind in (p.float16, p.int64) for n in (0, 1, 5)]
        return [*powers, p.linalg.vecdot(x.half(), x.half()), p.linalg.LinAlgError.__name__]

    compare(program, torch, tinygrad_nn)


def test_singular_matrices_where_they_are_no_error():
    linalg = tinygrad_nn.linalg
    x = tinygrad_nn.tensor(np.stack([np.eye(2), np.ones((2, 2)), -np.eye(2)]))
    assert linalg.inv_ex(x).info.tolist() == [0, 1, 0]
    assert linalg.solve_ex(x, tinygrad_nn.ones(3, 2).double()).info.tolist() == [0, 1, 0]
    assert linalg.cholesky_ex(x).info.tolist() == [0, 2, 1]
    assert linalg.lu_factor_ex(x).info.tolist() == [0, 2, 0]
    assert linalg.cond(x, 1).tolist() == [1.0, np.inf, 1.0]
    with pytest.raises(linalg.LinAlgError):
        linalg.inv_ex(x, check_errors=True)
