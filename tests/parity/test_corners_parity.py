"""Corners of what functions take, beside PyTorch's: nothing at all, numbers of other kinds, options that are seldom given."""

import copy
from collections import namedtuple

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

Pair = namedtuple("Pair", ["a", "b"])


def drawn(p, name, *given, dtype="float32", shape=(3, 40)):
    p.manual_seed(7)
    return getattr(p.empty(shape, dtype=getattr(p, dtype)), name)(*given)


def nan(p):
    return p.tensor([1.0, float("nan"), float("inf")])


def none(p):
    return p.tensor([], dtype=p.int64)


def sloped(p, f, x):
    x.requires_grad_()
    y = f(x)
    return [y, *p.autograd.grad(y.sum(), x)]


def written(p, write):
    x = p.zeros(3, requires_grad=True) * 1
    write(x)
    return x


def kept(p):
    x = p.ones(2, requires_grad=True)
    y = x * 3
    y.retain_grad()
    y.retain_grad()
    before = y.retains_grad, (x * 2).retains_grad
    (y * y).sum().backward()
    return [*before, y.grad, x.grad]


def eighths(p, *shape):
    """Numbers whose products and sums half precision holds."""
    return ((p.arange(float(np.prod(shape))) - 5) / 8).reshape(shape).half()


def listed(p):
    parameters = p.nn.ParameterList([p.ones(1), p.zeros(2)])
    parameters[0] = p.nn.Parameter(p.full((3,), 2.0))
    parameters[-1] = p.ones(1)
    kinds = [type(x) is p.nn.Parameter for x in parameters]
    return [*(x.detach() for x in parameters), kinds, [name for name, _ in parameters.named_parameters()]]


def named(p):
    parameters = p.nn.ParameterDict({"b": p.ones(1), "a": p.zeros(2)})
    seen = [list(parameters), list(parameters.keys()), [x.detach() for x in parameters.values()]]
    seen += [parameters.setdefault("b", p.zeros(9)).detach(), parameters.setdefault("c", p.zeros(1)).detach()]
    parameters |= p.nn.ParameterDict({"d": p.ones(2)})
    seen += [list(parameters), "d" in parameters, len(parameters)]
    parameters.clear()
    return [*seen, len(parameters), list(parameters.parameters())]


def packed(p):
    made = p.nn.utils.rnn.PackedSequence((p.ones(3, dtype=p.float64), p.tensor([2, 1])))
    return [made.data, made.batch_sizes, made.float().data, made.long().data, made.double() is made, made.cpu() is made,
            made.is_cuda, made.sorted_indices]  # fmt: skip


MAKING = {
    "arange to a NumPy number": lambda p: [p.arange(np.float32(2.5)), p.arange(np.int64(3)), p.arange(p.tensor(3), 5)],
    "arange by name": lambda p: [p.arange(end=3), p.arange(start=1, end=3), p.arange(1, end=3), p.arange(0, 6, step=2)],
    "whole numbers from arange's floats": lambda p: [
        p.arange(0.5, 4.7, 1.5, dtype=getattr(p, name)) for name in ("int32", "int64", "uint8", "float64")],
    "an int beyond int64 in rows": lambda p: p.tensor([[1, 2], [2**70, 1]]),
    "randint by name": lambda p: [p.manual_seed(3) and p.randint(2, high=5, size=(4,)), p.randint(high=5, size=(4,))],
    "finfo": lambda p: [repr(p.finfo(getattr(p, name))) for name in ("float16", "float32", "float64")],
    "iinfo": lambda p: [repr(p.iinfo(getattr(p, name))) for name in ("uint8", "int8", "int16", "int32", "int64")],
    **{f"{name} of {dtype}": lambda p, name=name, given=given, dtype=dtype: drawn(p, name, *given, dtype=dtype)
       for name, given in (("cauchy_", (1.0, 2.0)), ("log_normal_", (0.5, 0.25)), ("geometric_", (0.3,)))
       for dtype in ("float32", "float64")},
    "bernoulli_ of a tensor": lambda p: drawn(p, "bernoulli_", p.linspace(0, 1, 40)),
    "bernoulli_ of a number in a tensor": lambda p: drawn(p, "bernoulli_", p.tensor(0.3, dtype=p.float64)),
    "conversions": lambda p: [getattr(p.tensor([1.7, -2.2, 100.0]), name)() for name in ("short", "char", "int", "long", "half")],
    "bytes": lambda p: p.tensor([1.7, 2.2, 100.0]).byte(),
    "shifts by a tensor": lambda p: [16 >> p.tensor([0, 1, 4]), 3 << p.tensor([0, 1, 4])],
    "what a tensor says of itself": lambda p: [
        p.ones(2).is_complex(), p.ones(2).is_signed(), p.ones(2, dtype=p.uint8).is_signed(), p.ones(2, dtype=p.int16).itemsize,
        p.is_signed(p.ones(2)), p.ones(2).real, complex(p.tensor(2.5)), tuple(map(int, p.ones(2).__dlpack_device__()))],
    "polygamma_": lambda p: p.tensor([1.5, 2.5]).polygamma_(1),
    "a capsule": lambda p: [p.from_dlpack(p.utils.dlpack.to_dlpack(x)).fill_(2.0) + x for x in [p.arange(3.0)]],
    "no accelerator": lambda p: [p.accelerator.device_count(), p.accelerator.current_accelerator(), p.cuda.is_initialized(),
                                 p.cuda.memory_allocated(), p.cuda.max_memory_allocated(), p.mps.device_count(),
                                 p.backends.mps.is_built(), p.backends.mps.is_available()],
    "a scaler that is off": lambda p: [
        (scaler.is_enabled(), scaler.state_dict()) for scaler in [p.amp.GradScaler("cpu", enabled=False)]],
}  # fmt: skip

METHODS = {
    "isclose of nan": lambda p: [p.isclose(nan(p), nan(p), equal_nan=equal) for equal in (False, True)],
    "allclose of nan": lambda p: [p.allclose(nan(p), nan(p), equal_nan=equal) for equal in (False, True)],
    "isclose of ints with equal_nan": lambda p: p.isclose(p.tensor([1]), p.tensor([1]), equal_nan=True),
    "bincount": lambda p: [p.bincount(p.tensor([1, 3, 1])), p.bincount(p.tensor([1, 3]), minlength=6),
                           p.bincount(p.tensor([], dtype=p.int64)), p.bincount(p.tensor([2, 0], dtype=p.uint8), minlength=1)],
    "bincount with weights": lambda p: [p.bincount(p.tensor([1, 3, 1]), p.tensor([0.5, 1.0, 2.0], dtype=getattr(p, name)))
                                        for name in ("float32", "float64", "int32")],
    "combinations of none": lambda p: p.combinations(p.arange(3), 0),
    "norm of order 0": lambda p: [p.norm(p.tensor([[1.0, 0.0], [0.0, 0.0]]), 0, dim) for dim in (None, 0, 1)],
    "svd without vectors": lambda p: p.svd(p.arange(6.0).reshape(2, 3), compute_uv=False),
    "tensordot over a tensor's number": lambda p: p.tensordot(p.ones(2, 3), p.ones(3, 4), p.tensor(1)),
    "softmin": lambda p: [p.nn.functional.softmin(p.arange(3.0), 0), p.nn.functional.softmin(p.ones(2), 0, dtype=p.float64)],
    "scatter that adds and multiplies": lambda p: [
        p.ones(3).scatter(0, p.tensor([0, 0, 1]), value, reduce=reduce)
        for value in (p.tensor([2.0, 3.0, 4.0]), 5.0) for reduce in ("add", "multiply")],
    "scatter of no indices": lambda p: [p.ones(3).scatter(0, none(p), p.ones(3)), p.ones(3).scatter_add(0, none(p), p.ones(3)),
                                        p.ones(3).scatter_reduce(0, none(p), p.ones(3), "prod")],
    "scatter_reduce of booleans": lambda p: [
        p.tensor([True, False]).scatter_reduce(0, p.tensor([0, 1, 1]), p.tensor([False, True, False]), reduce, include_self=own)
        for reduce in ("amax", "amin") for own in (True, False)],
    "norm by its order alone": lambda p: [p.linalg.norm(x, order) for x in (p.arange(3.0), p.arange(4.0).reshape(2, 2))
                                          for order in (1, 2, float("inf"))] + [p.linalg.norm(p.ones(2, 2), "nuc")],
    **{f"lu_solve left={left} adjoint={adjoint}": lambda p, left=left, adjoint=adjoint: p.linalg.lu_solve(
        *p.linalg.lu_factor(p.tensor([[0.0, 2.0, 1.0], [1.0, 3.0, 5.0], [4.0, 0.5, 1.0]])), p.arange(9.0).reshape(3, 3) + 1,
        left=left, adjoint=adjoint) for left in (True, False) for adjoint in (True, False)},
    "the determinant of one number": lambda p: sloped(p, lambda x: p.linalg.det(x.reshape(1, 1)), p.tensor([0.0])),
    "block_diag of nothing": lambda p: p.block_diag(p.ones(0), p.ones(1)),
    "writing another dtype": lambda p: written(p, lambda x: x.__setitem__(1, p.tensor(2.5, dtype=p.float64))),
    "writing a value to too many indices": lambda p: written(p, lambda x: x.__setitem__((p.tensor([0, 9]),), p.ones(2))),
    "writing to two dimensions of one": lambda p: written(p, lambda x: x.__setitem__((0, 0), p.tensor(1.0))),
    "detach_": lambda p: [(y.detach_() is y, y.requires_grad, y.grad_fn) for y in [p.ones(2, requires_grad=True) * 2]],
    "a gradient kept twice": kept,
    "retain_grad of a leaf": lambda p: [(x.retain_grad(), x.retains_grad) for x in [p.ones(2, requires_grad=True)]],
    "a leaf that needs no gradient any more": lambda p: p.ones(2, requires_grad=True).requires_grad_(False).requires_grad,
    "a non-leaf needs one as before": lambda p: (p.ones(2, requires_grad=True) * 2).requires_grad_().requires_grad,
}  # fmt: skip


LAYERS = {
    **{f"{name} in half precision": lambda p, name=name: sloped(
        p, lambda x: getattr(p.nn.functional, name)(x, eighths(p, 2, 2, 3), p.ones(2).half(), stride=2), eighths(p, 1, 2, 7))
       for name in ("conv1d", "conv_transpose1d")},
    **{f"a transposed convolution to {size}": lambda p, size=size: [
        layer(p.ones(1, 2, 4, 5), size).shape for layer in [p.nn.ConvTranspose2d(2, 3, 3, stride=(2, 3), padding=1)]]
       for size in ([7, 13], [8, 15], (1, 3, 7, 14), [9, 13], [6, 13], [7], (1, 3, 7, 16))},
    "windows in words": lambda p: [repr(layer) for layer in (
        p.nn.MaxUnpool2d(2, 3, 1), p.nn.MaxUnpool1d(2), p.nn.Fold((4, 5), 2, 1, 0, 2), p.nn.Unfold(3), p.nn.LPPool2d(2, 3))],
    "batch_norm of nothing": lambda p: p.nn.functional.batch_norm(p.ones(0), None, None, training=True),
    "instance_norm by its statistics": lambda p: p.nn.functional.instance_norm(
        p.arange(6.0).reshape(1, 3, 2), p.ones(3), p.full((3,), 4.0), use_input_stats=False),
    "layer_norm of no rows": lambda p: p.nn.functional.layer_norm(p.ones(0, 3), (3,)),
    "local_response_norm of nothing": lambda p: p.nn.functional.local_response_norm(p.ones(0, 2, 3), 2),
    **{f"no padding in {mode}": lambda p, mode=mode: p.nn.functional.pad(p.arange(8.0).reshape(1, 2, 4), (0, 0), mode)
       for mode in ("reflect", "replicate", "circular")},
    **{f"padding cut in {mode}": lambda p, mode=mode: p.nn.functional.pad(p.arange(8.0).reshape(1, 2, 4), (-1, 2), mode)
       for mode in ("reflect", "replicate", "circular")},
    "adaptive pooling to nothing": lambda p: p.nn.functional.adaptive_avg_pool2d(p.ones(1, 1, 3, 3), (0, 2)),
    "interpolation by areas": lambda p: [
        p.nn.functional.interpolate(p.arange(12.0).reshape(1, 1, 3, 4), size=(2, 3), mode="area"),
        p.nn.functional.interpolate(p.arange(12.0).reshape(1, 3, 4), size=3, mode="area")],
    "interpolation to the same size": lambda p: [
        p.nn.functional.interpolate(p.arange(12.0).reshape(1, 1, 3, 4), (3, 4), mode=mode) for mode in ("nearest", "bilinear")],
    "dropout of other dimensions": lambda p: [
        p.manual_seed(2) and p.nn.functional.dropout2d(p.ones(2, 3, 4), 0.5),
        p.nn.functional.dropout3d(p.ones(2, 3, 4), 0.5), p.nn.functional.dropout2d(p.ones(2, 3, 1, 2), 0.5, False)],
    "gumbel_softmax with eps": lambda p: p.manual_seed(2) and p.nn.functional.gumbel_softmax(p.ones(2, 3), eps=1e-3),
    "torch's own dropouts": lambda p: [
        p.manual_seed(2) and getattr(p, name)(p.ones(2, 3, 4), 0.5, True)
        for name in ("dropout", "alpha_dropout", "feature_alpha_dropout")],
    "torch's own activations": lambda p: [
        p.celu(p.linspace(-2, 2, 5), 2.0), p.selu(p.linspace(-2, 2, 5)), p.threshold(p.linspace(-2, 2, 5), 0.5, 9.0),
        p.rrelu(p.linspace(-2, 2, 5)), p.manual_seed(2) and p.rrelu(p.linspace(-2, 2, 5), 0.1, 0.4, True)],
    "trunc_normal_ far from its mean": lambda p: p.manual_seed(2) and p.nn.init.trunc_normal_(p.empty(20), 3.0, 0.5, 0.0, 1.0),
    "orthogonal_ of nothing": lambda p: p.nn.init.orthogonal_(p.empty(0, 3)).shape,
    "cross_entropy weighed, added up": lambda p: sloped(p, lambda x: p.nn.functional.cross_entropy(
        x, p.tensor([0, 2]), p.tensor([1.0, 2.0, 3.0]), reduction="sum"), p.arange(6.0).reshape(2, 3)),
    "cross_entropy added up": lambda p: sloped(p, lambda x: p.nn.functional.cross_entropy(
        x, p.tensor([0, 2]), reduction="sum"), p.arange(6.0).reshape(2, 3)),
    "a list of parameters": listed,
    "a dict of parameters": named,
    "packed sequences": packed,
    "packed without an order": lambda p: p.nn.GRU(2, 3)(p.nn.utils.rnn.PackedSequence(p.ones(3, 2), p.tensor([2, 1])))[1].shape,
    "a collection that nobody indexes": lambda p: p.nn.Module()[0],
    "words of a named tuple": lambda p: p.utils.data.default_convert(Pair(np.ones(2), "a")),
    "the length of a stack": lambda p: len(p.utils.data.StackDataset(range(3), "abc")),
    "a dataset's annotation": lambda p: isinstance(p.utils.data.Dataset[int], object),
    "an index of a bare dataset": lambda p: p.utils.data.Dataset()[0],
}  # fmt: skip


class Rate:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x):
        return self.factor**x


def sgd(p, groups=1):
    return p.optim.SGD([{"params": [p.nn.Parameter(p.ones(1))]} for _ in range(groups)], lr=0.8)


def rates(p, scheduler, steps=4, *given):
    found = []
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step(*given)
        found.append(scheduler.get_last_lr())
    return found


def restored(p, name, make):
    """The rates of a scheduler whose function holds a number, which another takes over."""
    first, second = (make(getattr(p.optim.lr_scheduler, name), sgd(p), Rate(factor)) for factor in (0.5, 0.9))
    state = copy.deepcopy(first.state_dict())
    second.load_state_dict(state)
    return [rates(p, first), rates(p, second)]


def resumed(p):
    optimizer = sgd(p)
    optimizer.param_groups[0]["initial_lr"] = 0.8
    return rates(p, p.optim.lr_scheduler.CosineAnnealingLR(optimizer, 5, last_epoch=2), 7)


def plateau(p, least, more):
    optimizer = sgd(p)
    scheduler = p.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5, min_lr=least)
    if more:
        optimizer.add_param_group({"params": [p.nn.Parameter(p.ones(1))], "lr": 0.6})
    return rates(p, scheduler, 3, 1.0)


SCHEDULES = {
    "LambdaLR": lambda p: restored(p, "LambdaLR", lambda of, optimizer, rate: of(optimizer, rate)),
    "CyclicLR": lambda p: restored(p, "CyclicLR", lambda of, optimizer, rate: of(optimizer, 0.1, 0.9, 2, scale_fn=rate)),
    "CosineAnnealingLR resumed": resumed,
    "a plateau of a group more": lambda p: plateau(p, 0.3, True),
    "a plateau of a group more than its list": lambda p: plateau(p, [0.3], True),
    "a plateau of a list": lambda p: plateau(p, [0.3], False),
    "a plateau at an epoch": lambda p: [
        (scheduler.step(1.0, 7), scheduler.last_epoch) for scheduler in [p.optim.lr_scheduler.ReduceLROnPlateau(sgd(p))]],
}  # fmt: skip

CASES = MAKING | METHODS | LAYERS | SCHEDULES


@pytest.mark.parametrize("program", CASES.values(), ids=CASES)
def test_corner(program):
    compare(program, torch, tinygrad_nn, quiet=True)  # both may warn
