"""Losses and distances beside PyTorch's: value, derivatives, dtype, every option, shapes, what they print, mistakes."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.derivatives import derivatives, leaves
from tests.parity.side_by_side import compare, value_of

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(1)
X, Y, Z = RNG.uniform(-2, 2, (3, 4, 5))
P = RNG.uniform(0.05, 0.95, (4, 5))
SIGNS = np.where(RNG.uniform(size=(4, 5)) < 0.5, -1, 1)
CLASSES = np.array([1, 0, 4, 4])
SOME = np.array([[0, 3, -1, 1, 2], [1, -1, 0, 0, 0], [4, 3, 2, 1, 0], [-1, -1, 1, 2, 3]])
W = RNG.uniform(0.5, 2, 5)
ARRAYS = {
    "x": X, "y": Y, "z": Z, "P": P, "s": SIGNS, "c": CLASSES, "m": SOME, "w": W, "n": np.array([[3, 0, 1, 2, 5]] * 4),
    "v": RNG.uniform(0.1, 2, (4, 5)), "o": (SIGNS > 0).astype(np.int64),
}  # fmt: skip

CALLS = [
    "smooth_l1_loss(x, y{})", "smooth_l1_loss(x, y, beta=0.5{})", "smooth_l1_loss(x, y, beta=0{})",
    "smooth_l1_loss(x, x{})",
    "smooth_l1_loss(x, y, beta=-1.0{})", "huber_loss(x, y{})", "huber_loss(x, y, delta=0.5{})", "huber_loss(x, y, delta=0{})",
    "huber_loss(x, y, weight=v{})", "huber_loss(x, y, weight=w{})", "kl_div(x, P{})", "kl_div(x, y, log_target=True{})",
    "kl_div(x, o{})", "poisson_nll_loss(x, n{})", "poisson_nll_loss(P, n, log_input=False{})",
    "poisson_nll_loss(x, n, full=True{})",
    "poisson_nll_loss(P, v, False, True, eps=0.1{})", "gaussian_nll_loss(x, y, v{})", "gaussian_nll_loss(x, y, v, full=True{})",
    "gaussian_nll_loss(x, y, v[:, 0]{})", "gaussian_nll_loss(x, y, v[:, :1]{})", "gaussian_nll_loss(x, y, 0.5{})",
    "gaussian_nll_loss(x, y, x{})", "gaussian_nll_loss(x, y, v[0]{})", "gaussian_nll_loss(x, y, v, eps=1.0{})",
    "hinge_embedding_loss(x, s{})", "hinge_embedding_loss(x, s, margin=0.3{})", "margin_ranking_loss(x, y, s{})",
    "margin_ranking_loss(x, y, s, margin=0.5{})", "margin_ranking_loss(x, y, s[0]{})", "soft_margin_loss(x, s{})",
    "multilabel_soft_margin_loss(x, o{})", "multilabel_soft_margin_loss(x, P, w{})", "multilabel_soft_margin_loss(x[0], o[0]{})",
    "multi_margin_loss(x, c{})", "multi_margin_loss(x, c, p=2{})", "multi_margin_loss(x, c, margin=0.4, weight=w.detach(){})",
    "multi_margin_loss(x[0], c[0]{})", "multi_margin_loss(x, c, p=3{})", "multi_margin_loss(x, c + 3{})",
    "multi_margin_loss(x, c[:2]{})", "multilabel_margin_loss(x, m{})",
    "multilabel_margin_loss(x[0], m[0]{})", "multilabel_margin_loss(x, m + 2{})", "multilabel_margin_loss(x, m[0]{})",
    "triplet_margin_loss(x, y, z{})", "triplet_margin_loss(x, y, z, swap=True, margin=2.0{})",
    "triplet_margin_loss(x, y, z, p=1, eps=0.1{})", "triplet_margin_loss(x, y, z, margin=0.0{})",
    "triplet_margin_loss(x, y, z[0]{})", "triplet_margin_loss(x[0], y[0], z[0]{})", "triplet_margin_with_distance_loss(x, y, z{})",
    "triplet_margin_with_distance_loss(x, y, z, distance_function=lambda a, b: (a - b).abs().sum(-1), swap=True{})",
    "cosine_embedding_loss(x, y, s[:, 0]{})", "cosine_embedding_loss(x, y, s[:, 0], margin=0.2{})",
    "cosine_embedding_loss(x[0], y[0], s[0, 0]{})", "cosine_embedding_loss(x, y, s{})", "mse_loss(x, y, weight=v{})",
    "mse_loss(x[0, 0], y[0, 0]{})", "l1_loss(x, y, weight=v{})", "binary_cross_entropy(P, o.to(P.dtype), w.detach(){})",
    "binary_cross_entropy_with_logits(x, P, w.detach(), pos_weight=w.detach(){})", "nll_loss(x, c, w.detach(), ignore_index=4{})",
    "cross_entropy(x, P, w.detach(), label_smoothing=0.2{})", "cross_entropy(x, c, w.detach(), label_smoothing=0.2{})",
]  # fmt: skip
# PyTorch has no second derivative of these
ONCE = ("multi_margin", "multilabel_margin", "MultiMargin", "MultiLabelMargin", "pdist", "p.cdist")
REDUCTIONS = ["", ", reduction='sum'", ", reduction='none'", ", reduction='some'", ", size_average=False"]


def run(p, call, dtype=np.float64, second=True):
    values = dict(zip(ARRAYS, leaves(p, list(ARRAYS.values()), dtype), strict=True))
    used = [values[name] for name in "xyzPwv"]
    y = value_of(call, **{"p": p, "nn": p.nn, **vars(p.nn.functional), **values})
    return derivatives(p, y, used, second)


def had(call, reduction):
    """Whether a loss ever had the option."""
    return "size_average" not in reduction or not any(name in call for name in ("huber", "gaussian", "with_distance"))


@pytest.mark.parametrize(("call", "reduction"), [(c, r) for c in CALLS for r in REDUCTIONS if had(c, r)])
def test_losses(call, reduction):
    second = "x, x" not in call and not call.startswith(ONCE)
    compare(run, torch, tinygrad_nn, call.format(reduction), np.float64, second, tolerance=1e-8, quiet=True)


@pytest.mark.parametrize("call", CALLS)
def test_float32_stays_float32(call):
    compare(run, torch, tinygrad_nn, call.format(""), np.float32, False, tolerance=2e-5, quiet=True)


DISTANCES = [
    "cosine_similarity(x, y)", "cosine_similarity(x, y, 0)", "cosine_similarity(x, y[:1], dim=-1, eps=3.0)",
    "cosine_similarity(x * 0, y)", "cosine_similarity(x, c)", "cosine_similarity(c, c, 0)", "pairwise_distance(x, y)",
    "pairwise_distance(x, y, 1)", "pairwise_distance(x, y, 3.0, 0.1, keepdim=True)", "pairwise_distance(x, y[0])",
    "pairwise_distance(x, y, float('inf'))", "pairwise_distance(c, c)", "pdist(x)", "pdist(x, 1.0)", "pdist(x, float('inf'))",
    "pdist(x, 0)", "pdist(x[:1])", "pdist(x[0])", "pdist(x, -1)", "pdist(c.reshape(2, 2))", "p.cdist(x, y)",
    "p.cdist(x, y[:2], 1.0)",
    "p.cdist(x, x[:2].detach(), p=3.0)", "p.cdist(x, y, float('inf'))", "p.cdist(x, y, 0.0)", "p.cdist(x[:, :0], y[:, :0])",
    "p.cdist(x[0], y)", "p.cdist(x, y[:, :2])", "p.cdist(x, y, -1.0)", "p.cdist(x.reshape(2, 2, 5), y[:3])",
    "p.cdist(x, y, compute_mode='use_mm_for_euclid_dist')", "bilinear(x, y, v.reshape(2, 2, 5)[:, :1].repeat(1, 5, 1))",
    "bilinear(x[0], y[0], P.reshape(4, 5, 1).repeat(1, 1, 5), w[:4])", "bilinear(x, y[0], P)",
    "bilinear(x, y[:, :2], P.reshape(4, 1, 5))",
    "normalize(x, p=3.0, dim=0)", "one_hot(c, 6)",
    "nn.CosineSimilarity(0)(x, y)", "nn.PairwiseDistance(keepdim=True)(x, y)",
]  # fmt: skip


@pytest.mark.parametrize("call", DISTANCES)
def test_distances(call):
    second = "inf" not in call and "* 0" not in call and not call.startswith(ONCE)
    compare(run, torch, tinygrad_nn, call, np.float64, second, tolerance=1e-7, quiet=True)


MODULES = [
    ("SmoothL1Loss(beta=0.5)", "x, y"), ("HuberLoss('sum', 0.3)", "x, y"), ("KLDivLoss(reduction='batchmean')", "x, P"),
    ("KLDivLoss(log_target=True)", "x, y"), ("PoissonNLLLoss(full=True)", "x, n"), ("PoissonNLLLoss(False, eps=0.1)", "P, n"),
    ("GaussianNLLLoss(full=True, reduction='none')", "x, y, v"), ("HingeEmbeddingLoss(0.4)", "x, s"),
    ("MarginRankingLoss(0.4)", "x, y, s"), ("CosineEmbeddingLoss(0.1)", "x, y, s[:, 0]"), ("SoftMarginLoss()", "x, s"),
    ("MultiLabelMarginLoss()", "x, m"), ("MultiLabelSoftMarginLoss(p.ones(5, dtype=p.float64) * 2)", "x, o"),
    ("MultiMarginLoss(2, 0.7, p.ones(5, dtype=p.float64) * 2)", "x, c"), ("MultiMarginLoss(3)", "x, c"),
    ("MultiMarginLoss(weight=p.ones(5, 1))", "x, c"), ("TripletMarginLoss(2.0, p=1, swap=True)", "x, y, z"),
    ("TripletMarginLoss(-1.0)", "x, y, z"), ("TripletMarginWithDistanceLoss(margin=0.5)", "x, y, z"),
    ("TripletMarginWithDistanceLoss(distance_function=nn.PairwiseDistance(1))", "x, y, z"), ("L1Loss()", "x, y"),
    ("MSELoss()", "x, y"),
    ("BCELoss(p.ones(5, dtype=p.float64) * 2)", "P, o.to(P.dtype)"), ("NLLLoss(ignore_index=4)", "x, c"),
    ("BCEWithLogitsLoss(pos_weight=p.ones(5, dtype=p.float64) * 2)", "x, P"), ("CrossEntropyLoss(label_smoothing=0.1)", "x, c"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "inputs"), MODULES)
def test_modules(module, inputs):
    def program(p):
        made = value_of(f"nn.{module}", p=p, nn=p.nn)
        return [repr(made), list(made.state_dict()), run(p, f"nn.{module}({inputs})", second=not module.startswith(ONCE))]

    compare(program, torch, tinygrad_nn, tolerance=1e-8, quiet=True)


@pytest.mark.parametrize("zero_infinity", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("form", ["padded", "joined", "too long", "single"])
def test_ctc(form, reduction, zero_infinity):
    targets = {"padded": [[1, 2, 2, 3], [4, 0, 0, 0], [3, 3, 3, 3]], "joined": [1, 2, 2, 3, 4, 3, 3],
               "too long": [1, 2, 2, 3, 4, 3, 3], "single": [1, 2, 2]}[form]
    lengths = {"padded": ([9, 7, 5], [4, 1, 0]), "joined": ([9, 7, 5], [4, 1, 2]), "too long": ([4, 7, 5], [4, 1, 2]),
               "single": ([8], [3])}[form]

    def program(p):
        x = p.tensor(np.random.default_rng(2).normal(size=(9, 5) if form == "single" else (9, 3, 5))).requires_grad_()
        loss = p.nn.CTCLoss(reduction=reduction, zero_infinity=zero_infinity)
        inputs, labels = (tuple(n) if form == "padded" else p.tensor(n) for n in lengths)
        given = x.log_softmax(-1)
        return derivatives(p, loss(given, p.tensor(targets), inputs, labels), [x, given], second=False)

    compare(program, torch, tinygrad_nn, tolerance=1e-7)


KINDS = [
    *(f"{call}(f, b)" for call in ("mse_loss", "smooth_l1_loss", "huber_loss", "l1_loss", "soft_margin_loss", "poisson_nll_loss")),
    *(f"{call}(b, f)" for call in ("mse_loss", "smooth_l1_loss", "huber_loss")), "mse_loss(b, b)", "smooth_l1_loss(f, b, beta=0)",
    *(f"{call}({x}, {y}, reduction='{kind}')" for call in ("huber_loss", "soft_margin_loss", "poisson_nll_loss", "mse_loss")
      for x, y in ("fd", "df", "hf", "fh", "nf", "fn") for kind in ("mean", "none")),
    "huber_loss(f, b, weight=d)", "poisson_nll_loss(h, n, full=True, reduction='none')", "poisson_nll_loss(n, n, full=True)",
]  # fmt: skip


@pytest.mark.parametrize("call", KINDS)
def test_dtypes_that_differ(call):
    def program(p):
        f = p.tensor([0.5, 0.25, 2.0])
        values = {"f": f, "d": f.double() + 0.5, "h": f.half() - 0.5, "b": f > 0.3, "n": p.tensor([1, 3, 0])}
        return value_of(f"F.{call}", F=p.nn.functional, **values)

    compare(program, torch, tinygrad_nn, tolerance=1e-3, quiet=True)


CONSTANTS = [
    "binary_cross_entropy(x, y, weight=w)", "binary_cross_entropy_with_logits(x, y, weight=w)",
    "binary_cross_entropy_with_logits(x, y, pos_weight=w)", "cross_entropy(x, c, weight=w)", "cross_entropy(x, y, weight=w)",
    "nll_loss(x, c, weight=w)", "soft_margin_loss(x, y * w)", "multi_margin_loss(x, c, weight=w)", "mse_loss(x, y * w)",
]  # fmt: skip


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("call", CONSTANTS)
def test_weights_and_targets_without_derivatives(call, recorded):
    def program(p):
        x = p.tensor([[0.5, 0.2, 0.1], [0.3, 0.9, 0.7]])
        w = p.ones(3, requires_grad=True)
        with p.set_grad_enabled(recorded):
            return value_of(f"F.{call}", F=p.nn.functional, x=x, y=x.flip(0), c=p.tensor([0, 2]), w=w).detach()

    compare(program, torch, tinygrad_nn)
