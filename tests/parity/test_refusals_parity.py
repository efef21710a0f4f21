"""What PyTorch refuses, and with which kind of error: arguments that fit nothing, one function at a time."""

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare, outcome

torch = pytest.importorskip("torch")

MAKING = {
    "memory pinned for no device": lambda p: p.zeros(2, pin_memory=True),
    "asarray copies": lambda p: p.asarray([1.0], copy=False),
    "asarray converts": lambda p: p.asarray(np.ones(2), dtype=p.float32, copy=False),
    "the other byte order": lambda p: p.from_numpy(np.ones(2, ">f4" if np.little_endian else "<f4")),
    "negative strides": lambda p: p.from_numpy(np.arange(3)[::-1]),
    "a number too large for the dtype": lambda p: p.tensor(300, dtype=p.uint8),
    "numbers too large for the dtype": lambda p: p.tensor([1, -200], dtype=p.int8),
    "an int beyond int64": lambda p: p.tensor(2**70),
    "ints beyond int64": lambda p: p.tensor([1, 2**70]),
    "a set": lambda p: p.tensor({1}),
    "numbers among rows": lambda p: p.tensor([[1], 2]),
    "numbers before rows": lambda p: p.tensor([1, [2]]),
    "ragged rows within rows": lambda p: p.tensor([[[1], [2, 3]], [[4], [5]]]),
    "rows of ragged rows": lambda p: p.tensor([[[1, 2]], [[3], [4]]]),
    "a word among numbers": lambda p: p.tensor([1, "a"]),
    "a word": lambda p: p.tensor("a"),
    "a set among numbers": lambda p: p.tensor([1, {2}]),
    "arange without an end": lambda p: p.arange(),
    "arange of four numbers": lambda p: p.arange(1, 2, 3, 4),
    "an infinite arange": lambda p: p.arange(0, float("inf")),
    "arange against its step": lambda p: p.arange(0, 3, -1),
    "steps as a float": lambda p: p.linspace(0, 1, 2.5),
    "linspace from a vector": lambda p: p.linspace(p.ones(2), 1, 3),
    "eye of less than nothing": lambda p: p.eye(-1),
    "randint without a size": lambda p: p.randint(5),
    "randint of four": lambda p: p.randint(0, 5, (2,), (3,)),
    "a tensor of a number's class": lambda p: p.Tensor(2.5),
    "a precision in bits": lambda p: p.set_float32_matmul_precision(24),
}  # fmt: skip

ARRANGING = {
    "rot90 in three dimensions": lambda p: p.rot90(p.ones(2, 2, 2), 1, [0, 1, 2]),
    "repeats as a matrix": lambda p: p.repeat_interleave(p.ones(2, 2, dtype=p.int64)),
    "repeats as floats": lambda p: p.repeat_interleave(p.ones(2)),
    "repeats of another size": lambda p: p.repeat_interleave(p.ones(2), p.tensor([1, 2]), output_size=7),
    "select beyond the end": lambda p: p.ones(2, 3).select(1, 3),
    "select_scatter beyond the end": lambda p: p.ones(2, 3).select_scatter(p.ones(2), 1, 3),
    "select of a number": lambda p: p.tensor(1.0).select(0, 0),
    "combinations of less than nothing": lambda p: p.combinations(p.ones(3), -1),
    "vander of less than nothing": lambda p: p.vander(p.ones(3), -1),
    "padding beyond the dimensions": lambda p: p.nn.functional.pad(p.ones(2), (1, 1, 1, 1)),
    "half a pair of paddings": lambda p: p.nn.functional.pad(p.ones(2), (1,)),
    "unflatten into nothing": lambda p: p.ones(4).unflatten(0, ()),
    "broadcast_shapes below 0": lambda p: p.broadcast_shapes((2, -1), (2, 1)),
    "cat of numbers": lambda p: p.cat([p.ones(1), 2.0]),
    "atleast_1d of a number": lambda p: p.atleast_1d(2.0),
    "atleast_2d of numbers": lambda p: p.atleast_2d(p.ones(1), 2.0),
    "atleast_3d of a list of numbers": lambda p: p.atleast_3d([p.ones(1), 2.0]),
    "block_diag of numbers": lambda p: p.block_diag(p.ones(1), 2.0),
    "broadcast_tensors of numbers": lambda p: p.broadcast_tensors(p.ones(1), 2.0),
    "cartesian_prod of numbers": lambda p: p.cartesian_prod(p.ones(1), 2.0),
    "meshgrid of numbers": lambda p: p.meshgrid(p.ones(1), 2.0, indexing="ij"),
    "meshgrid of nothing": lambda p: p.meshgrid(indexing="ij"),
    "narrow from a float": lambda p: p.ones(3).narrow(0, p.tensor(1.0), 1),
    "narrow from a vector": lambda p: p.ones(3).narrow(0, p.tensor([1]), 1),
    "as_strided of two lengths": lambda p: p.ones(4).as_strided((2, 2), (1,)),
    "diff of other dimensions": lambda p: p.diff(p.ones(3), prepend=p.ones(1, 1)),
    "trapezoid by x and dx": lambda p: p.trapezoid(p.ones(3), x=p.ones(3), dx=1.0),
    "topk of booleans": lambda p: p.topk(p.tensor([True, False]), 1),
    "median of booleans": lambda p: p.median(p.tensor([True, False])),
    "kthvalue of booleans": lambda p: p.kthvalue(p.tensor([True, False]), 1),
    "mode of a dimension too far": lambda p: p.mode(p.ones(2), 1),
    "bincount below 0": lambda p: p.bincount(p.tensor([1, -1])),
    "bincount of less than nothing": lambda p: p.bincount(p.tensor([1, 2]), minlength=-1),
    "bincount of other weights": lambda p: p.bincount(p.tensor([1, 2]), weights=p.ones(3)),
    "gather with a sparse gradient": lambda p: p.take_along_dim(p.ones(3), p.tensor([0.0]), 0),
    "is_tensor's dtype": lambda p: p.can_cast(p.float32, "float32"),
    "promotion of a name": lambda p: p.promote_types("float32", p.float64),
    "is_signed of a number": lambda p: p.is_signed(2.0),
    "mvlgamma of 0": lambda p: p.mvlgamma(p.ones(2), 0),
}  # fmt: skip

SCATTERING = {
    "an index larger than src": lambda p: p.zeros(3).scatter(0, p.tensor([0, 1, 2]), p.ones(2)),
    "an index larger than the input": lambda p: p.zeros(2, 2).scatter(0, p.zeros(1, 3, dtype=p.int64), p.ones(1, 3)),
    "an index larger in scatter_add": lambda p: p.zeros(2, 2).scatter_add(0, p.zeros(3, 3, dtype=p.int64), p.ones(1, 3)),
    "scatter of nothing": lambda p: p.zeros(3).scatter(0, p.tensor([0])),
    "scatter reduced otherwise": lambda p: p.zeros(3).scatter(0, p.tensor([0]), p.ones(1), reduce="mean"),
    "index_fill with a vector": lambda p: p.zeros(3).index_fill(0, p.tensor([0]), p.ones(2)),
    "index_put of another dtype": lambda p: p.zeros(3).index_put((p.tensor([0]),), p.ones(1, dtype=p.float64)),
    "index_put that does not fit": lambda p: p.zeros(3).index_put((p.tensor([0, 1]),), p.ones(3)),
    "index_put that cannot broadcast": lambda p: p.zeros(3).index_put((p.tensor([0, 1]), p.tensor([0, 1])), p.ones(2)),
    "index_put of indices that do not fit": lambda p: p.zeros(3, 3).index_put((p.tensor([0, 1]), p.tensor([0, 1, 2])), p.ones(2)),
    "writing what does not fit": lambda p: p.zeros(3).__setitem__(slice(0, 2), p.ones(3)),
    "writing beyond the end": lambda p: p.zeros(3).__setitem__(5, p.ones(())),
    "a gradient of another class": lambda p: setattr(p.ones(2, requires_grad=True), "grad", 1.0),
    "a gradient of another shape": lambda p: setattr(p.ones(2, requires_grad=True), "grad", p.ones(3)),
    "data of another class": lambda p: setattr(p.ones(2), "data", 1.0),
    "retain_grad of a constant": lambda p: p.ones(2).retain_grad(),
    "a hook on a constant": lambda p: p.ones(2).register_hook(print),
    "detach_ of a view": lambda p: (p.ones(2, requires_grad=True) * 2)[:1].detach_(),
    "a leaf that non-leaves cannot be": lambda p: setattr(p.ones(2, requires_grad=True) * 2, "requires_grad", False),
    "a vector as a number": lambda p: float(p.ones(2)),
    "a vector as a complex number": lambda p: complex(p.ones(2)),
    "an unknown type": lambda p: p.ones(2).type("torch.WordTensor"),
    "in place what broadcasts larger": lambda p: p.ones(2).add_(p.ones(3, 2)),
    "fill_ with a vector": lambda p: p.ones(2).fill_(p.ones(2)),
    "copy_ that does not fit": lambda p: p.ones(2).copy_(p.ones(3)),
}  # fmt: skip

MATRICES = {
    "vector_norm by a word": lambda p: p.linalg.vector_norm(p.ones(3), "fro"),
    "norm of three dimensions": lambda p: p.linalg.norm(p.ones(2, 2, 2), 2, (0, 1, 2)),
    "norm by a word of three dimensions": lambda p: p.linalg.norm(p.ones(2, 2, 2), "nuc"),
    "a singular lu": lambda p: p.linalg.lu_factor_ex(p.zeros(2, 2), check_errors=True),
    "a vector on the right": lambda p: p.linalg.solve(p.eye(2), p.ones(2), left=False),
    "lstsq of a vector": lambda p: p.linalg.lstsq(p.ones(2, 2, 2), p.ones(2)),
    "lstsq of a number": lambda p: p.linalg.lstsq(p.ones(2, 2), p.tensor(1.0)),
    "tensorinv that is not square": lambda p: p.linalg.tensorinv(p.ones(2, 3, 4), 1),
    "tensorsolve that is not square": lambda p: p.linalg.tensorsolve(p.ones(2, 3, 4), p.ones(2, 3)),
    "multi_dot of a stack": lambda p: p.linalg.multi_dot([p.ones(2, 2), p.ones(1, 2, 2), p.ones(2, 2)]),
    "multi_dot that ends with a stack": lambda p: p.linalg.multi_dot([p.ones(2, 2), p.ones(2, 2), p.ones(1, 2, 2)]),
    "chain_matmul of nothing": lambda p: p.chain_matmul(),
    "chain_matmul of numbers": lambda p: p.chain_matmul(p.ones(2, 2), 2.0),
    "chain_matmul of a vector": lambda p: p.chain_matmul(p.ones(2)),
    "tensordot over one dimension twice": lambda p: p.tensordot(p.ones(2, 2), p.ones(2, 2), ([0, 0], [0, 1])),
    "tensordot over lists of two lengths": lambda p: p.tensordot(p.ones(2, 2), p.ones(2, 2), ([0], [0, 1])),
    "cross of two ranks": lambda p: p.linalg.cross(p.ones(3), p.ones(2, 3)),
    "einsum of two dtypes": lambda p: p.einsum("i,i->", p.ones(2), p.ones(2, dtype=p.float64)),
    "einsum of a letter too far": lambda p: p.einsum(p.ones(2), [60], [60]),
    "einsum of a letter below 0": lambda p: p.einsum(p.ones(2), [-1], []),
    "the gradient of a complete qr": lambda p: p.linalg.qr(p.ones(3, 2, requires_grad=True), "complete")[0].sum().backward(),
    "qr mode": lambda p: p.linalg.qr(p.ones(2, 2), mode="full"),
}  # fmt: skip

LAYERS = {
    "an approximation by place": lambda p: p.nn.functional.gelu(p.ones(1), "tanh"),
    "hardtanh between bounds exchanged": lambda p: p.nn.functional.hardtanh(p.ones(2), 1.0, -1.0),
    "softshrink below 0": lambda p: p.nn.functional.softshrink(p.ones(2), -1.0),
    "celu of alpha 0": lambda p: p.nn.functional.celu(p.ones(2), 0.0),
    "cross_entropy of a number": lambda p: p.nn.functional.cross_entropy(p.tensor(1.0), p.tensor(0)),
    "a convolution's padding": lambda p: p.nn.functional.conv2d(p.ones(1, 1, 3, 3), p.ones(1, 1, 2, 2), padding="full"),
    "a strided convolution, padded to be the same":
        lambda p: p.nn.functional.conv2d(p.ones(1, 1, 3, 3), p.ones(1, 1, 2, 2), padding="same", stride=2),
    "a transposed convolution to nothing":
        lambda p: p.nn.functional.conv_transpose2d(p.ones(1, 1, 1, 1), p.ones(1, 1, 2, 2), padding=2),
    "a flat kernel": lambda p: p.nn.functional.conv2d(p.ones(1, 1, 3, 3), p.ones(1, 1, 2)),
    "groups that do not divide the kernels": lambda p: p.nn.functional.conv2d(p.ones(1, 2, 3, 3), p.ones(3, 1, 2, 2), groups=2),
    "no groups": lambda p: p.nn.functional.conv2d(p.ones(1, 2, 3, 3), p.ones(3, 1, 2, 2), groups=0),
    "a convolution's bias": lambda p: p.nn.functional.conv1d(p.ones(1, 1, 3), p.ones(1, 1, 2), p.ones(2)),
    "unfold of volumes": lambda p: p.nn.functional.unfold(p.ones(1, 1, 3, 3, 3), 2),
    "fold of a vector": lambda p: p.nn.functional.fold(p.ones(4), 3, 2),
    "groups of no channels": lambda p: p.nn.Conv2d(2, 2, 1, groups=0),
    "ctc of a vector": lambda p: p.nn.functional.ctc_loss(p.ones(3), p.tensor([1]), p.tensor([1]), p.tensor([1])),
    "ctc with a blank beyond the classes": lambda p: ctc(p, blank=5),
    "ctc of more steps than there are": lambda p: ctc(p, inputs=(9,)),
    "ctc of more rows than there are": lambda p: ctc(p, inputs=(4, 4)),
    "ctc of a length below 0": lambda p: ctc(p, inputs=(-1,)),
    "ctc of more targets than there are": lambda p: ctc(p, targets=(5,)),
    "sparse bags": lambda p: p.nn.functional.embedding_bag(
        p.tensor([0]), p.ones(2, 2), p.tensor([0]), mode="max", sparse=True),
    "bags with weights of another dtype": lambda p: p.nn.functional.embedding_bag(
        p.tensor([0]), p.ones(2, 2), p.tensor([0]), mode="sum", per_sample_weights=p.ones(1, dtype=p.float64)),
    "bags without a last offset": lambda p: p.nn.functional.embedding_bag(
        p.tensor([0]), p.ones(2, 2), p.tensor([], dtype=p.int64), include_last_offset=True),
    "bilinear with another bias": lambda p: p.nn.functional.bilinear(p.ones(1, 2), p.ones(1, 3), p.ones(4, 2, 3), p.ones(3)),
    "multi_margin with a matrix of weights":
        lambda p: p.nn.functional.multi_margin_loss(p.ones(1, 2), p.tensor([0]), weight=p.ones(1, 2)),
    "multi_margin with too few weights":
        lambda p: p.nn.functional.multi_margin_loss(p.ones(1, 2), p.tensor([0]), weight=p.ones(1)),
    "multi_margin of floats": lambda p: p.nn.functional.multi_margin_loss(p.ones(1, 2), p.tensor([0.0])),
    "multilabel_margin of floats": lambda p: p.nn.functional.multilabel_margin_loss(p.ones(1, 2), p.ones(1, 2)),
    "a triplet margin of 0": lambda p: p.nn.TripletMarginWithDistanceLoss(margin=0),
    "batch_norm of a vector": lambda p: p.nn.functional.batch_norm(p.ones(3), p.zeros(3), p.ones(3)),
    "layer_norm over nothing": lambda p: p.nn.functional.layer_norm(p.ones(3), ()),
    "layer_norm of another weight": lambda p: p.nn.functional.layer_norm(p.ones(2, 3), (3,), p.ones(2)),
    "group_norm of a vector": lambda p: p.nn.functional.group_norm(p.ones(3), 3),
    "group_norm of single values": lambda p: p.nn.functional.group_norm(p.ones(1, 3), 3),
    "instance_norm of a number": lambda p: p.nn.functional.instance_norm(p.tensor(1.0)),
    "instance_norm of a vector": lambda p: p.nn.functional.instance_norm(p.ones(3)),
    "a reflection of a value": lambda p: p.nn.functional.pad(p.ones(1, 1, 3), (1, 1), "reflect", 2.0),
    "padding around in a mode": lambda p: p.nn.functional.pad(p.ones(1, 1, 3), (1, 1), "mirror"),
    "a reflection of a vector": lambda p: p.nn.functional.pad(p.ones(3), (1, 1), "reflect"),
    "a reflection of nothing": lambda p: p.nn.functional.pad(p.ones(1, 0, 3), (1, 1), "reflect"),
    "a reflection that takes all away": lambda p: p.nn.functional.pad(p.ones(1, 1, 3), (-2, -2), "reflect"),
    "a circle that takes all away": lambda p: p.nn.functional.pad(p.ones(1, 1, 3), (-2, -2), "circular"),
    "a window of words": lambda p: p.nn.functional.max_pool2d(p.ones(1, 1, 3, 3), "two"),
    "a pooling of nothing": lambda p: p.nn.functional.max_pool2d(p.ones(1, 1, 0, 3), 2),
    "a pooling stride of 0": lambda p: p.nn.functional.avg_pool2d(p.ones(1, 1, 3, 3), 2, stride=0),
    "a pooling window of 0": lambda p: p.nn.functional.max_pool2d(p.ones(1, 1, 3, 3), 0),
    "adaptive pooling of a matrix": lambda p: p.nn.functional.adaptive_avg_pool2d(p.ones(3, 3), (2, 2)),
    "adaptive pooling of a vector": lambda p: p.nn.functional.adaptive_avg_pool1d(p.ones(3), 2),
    "adaptive pooling to three sizes": lambda p: p.nn.functional.adaptive_avg_pool2d(p.ones(1, 3, 3), (2, 2, 2)),
    "adaptive pooling of images to three sizes": lambda p: p.nn.functional.adaptive_avg_pool2d(p.ones(1, 1, 3, 3), (2, 2, 2)),
    "adaptive pooling to a size in a tuple": lambda p: p.nn.functional.adaptive_avg_pool2d(p.ones(1, 3, 3), (2,)),
    "adaptive pooling of nothing": lambda p: p.nn.functional.adaptive_avg_pool2d(p.ones(1, 0, 3), 2),
    "adaptive pooling to less than nothing": lambda p: p.nn.functional.adaptive_avg_pool2d(p.ones(1, 3, 3), (-1, 2)),
    "unpooling to a size too far": lambda p: unpooled(p, output_size=(9, 9)),
    "unpooling to one size": lambda p: unpooled(p, output_size=(4,)),
    "unpooling from indices too far": lambda p: unpooled(p, indices=20),
    "antialias of neighbours": lambda p: interpolated(p, mode="nearest", antialias=True),
    "antialias of ints": lambda p: p.nn.functional.interpolate(p.ones(1, 1, 3, 3, dtype=p.int64), 2, mode="bilinear"),
    "interpolation to nothing": lambda p: interpolated(p, size=0),
    "interpolation of no channels": lambda p: p.nn.functional.interpolate(p.ones(1, 0, 3, 3), 2),
    "a size and a factor recomputed": lambda p: interpolated(p, size=2, recompute_scale_factor=True),
    "three sizes for two dimensions": lambda p: interpolated(p, size=(2, 2, 2)),
    "three factors for two dimensions": lambda p: interpolated(p, scale_factor=(2.0, 2.0, 2.0)),
    "heads that do not divide the features": lambda p: attended(p, heads=3),
    "a bias for keys alone": lambda p: attended(p, bias_k=p.ones(1, 1, 4)),
    "biases beside static keys": lambda p: attended(p, bias_k=p.ones(1, 1, 4), bias_v=p.ones(1, 1, 4), static_k=p.ones(2, 2, 2)),
    "no weights": lambda p: attended(p, weight=None),
    "no weights of their own": lambda p: attended(p, use_separate_proj_weight=True, k_proj_weight=p.ones(4, 4)),
    "weights of other features": lambda p: attended(p, use_separate_proj_weight=True, **{
        f"{part}_proj_weight": p.ones(4, 4 + (part == "v")) for part in "qkv"}),
    "static keys of fewer heads": lambda p: attended(p, static_k=p.ones(1, 2, 2)),
    "static values of other features": lambda p: attended(p, static_v=p.ones(2, 2, 3)),
    "a mask for other heads": lambda p: p.nn.MultiheadAttention(4, 2)(*[p.ones(2, 4)] * 3, attn_mask=p.ones(3, 2, 2) > 0),
    "cross_entropy of a number and a share": lambda p: p.nn.functional.cross_entropy(p.tensor(1.0), p.tensor(1.0)),
    "a sequence of too many dimensions": lambda p: p.nn.GRU(2, 3)(p.ones(1, 1, 1, 2)),
    "a packed sequence of matrices":
        lambda p: p.nn.GRU(2, 3)(p.nn.utils.rnn.PackedSequence(p.ones(3, 1, 2), p.tensor([2, 1]))),
    "fewer than no layers": lambda p: p.nn.LSTM(2, 2, proj_size=-1),
    "a state that nobody takes": lambda p: p.nn.Linear(1, 1).set_extra_state(1),
    "no schedulers": lambda p: p.optim.lr_scheduler.ChainedScheduler([]),
    "a scheduler that goes to an epoch": lambda p: scheduled(p, "ChainedScheduler").step(1),
    "a sequence that goes to an epoch": lambda p: scheduled(p, "SequentialLR", milestones=[2]).step(1),
    "an epoch below 0": lambda p: p.optim.lr_scheduler.CosineAnnealingWarmRestarts(sgd(p), 2).step(-1),
    "an average learning rate's way": lambda p: p.optim.swa_utils.SWALR(sgd(p), 0.1, anneal_strategy="step"),
    "fewer than no epochs": lambda p: p.optim.swa_utils.SWALR(sgd(p), 0.1, anneal_epochs=-1),
    "jvp at numbers": lambda p: p.func.jvp(lambda x: x, (1.0,), (1.0,)),
    "jvp along numbers": lambda p: p.func.jvp(lambda x: x, (p.ones(1),), (1.0,)),
    "jvp at a tensor that is not in a tuple": lambda p: p.func.jvp(lambda x: x, p.ones(1), (p.ones(1),)),
    "replacement in words": lambda p: p.utils.data.RandomSampler([1], replacement="yes"),
    "weights in a matrix": lambda p: p.utils.data.WeightedRandomSampler(p.ones(2, 2), 1),
    "weighted replacement in words": lambda p: p.utils.data.WeightedRandomSampler([1.0], 1, replacement="yes"),
    "streams joined by index": lambda p: p.utils.data.ConcatDataset([stream(p)]),
    "a stack of nothing": lambda p: p.utils.data.StackDataset(),
    "a chain of lists": lambda p: list(p.utils.data.ChainDataset([[1]])),
    "a stream of nothing": lambda p: p.utils.data.IterableDataset(),
}  # fmt: skip


def ctc(p, inputs=(4,), targets=(2,), blank=0):
    probabilities = p.zeros(4, 1, 3).log_softmax(-1)
    return p.nn.functional.ctc_loss(probabilities, p.tensor([[1, 2]]), p.tensor(inputs), p.tensor(targets), blank=blank)


def unpooled(p, output_size=None, indices=0):
    return p.nn.functional.max_unpool2d(p.ones(1, 1, 2, 2), p.full((1, 1, 2, 2), indices), 2, output_size=output_size)


def attended(p, heads=2, weight=True, **options):
    x, weight = p.ones(2, 1, 4), p.ones(12, 4) if weight else None
    given = {"bias_k": None, "bias_v": None} | options
    return p.nn.functional.multi_head_attention_forward(
        x, x, x, 4, heads, weight, None, given.pop("bias_k"), given.pop("bias_v"), False, 0.0, p.ones(4, 4), None, **given
    )


def interpolated(p, **options):
    return p.nn.functional.interpolate(p.ones(1, 1, 3, 3), **options)


def sgd(p):
    return p.optim.SGD([p.nn.Parameter(p.ones(1))], lr=0.1)


def scheduled(p, name, **options):
    optimizer = sgd(p)
    schedulers = [p.optim.lr_scheduler.ConstantLR(optimizer) for _ in range(2)]
    make = getattr(p.optim.lr_scheduler, name)
    return make(optimizer, schedulers, **options) if options else make(schedulers)


def stream(p):
    class Stream(p.utils.data.IterableDataset):
        def __iter__(self):
            return iter([1])

    return Stream()


CASES = MAKING | ARRANGING | SCATTERING | MATRICES | LAYERS


@pytest.mark.parametrize("program", CASES.values(), ids=CASES)
def test_refused(program):
    assert isinstance(outcome(program, torch), Exception), "PyTorch does not refuse this"
    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize(("data", "told"), [
    ([[1, 2], [3]], "length 2 at dim 1"), ([[[1], [2, 3]], [[4], [5]]], "length 1 at dim 2"),
    ([[[[1, 2], [3]]]], "length 2 at dim 3"),
], ids=str)  # fmt: skip
def test_ragged_rows_are_told_by_their_place(data, told):
    for p in (torch, tinygrad_nn):
        with pytest.raises(ValueError, match=told):
            p.tensor(data)
