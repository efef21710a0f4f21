"""Dtypes, constructors, queries, modes and switches beside PyTorch's: what they give, and how they fail."""

import importlib

import numpy as np
import pytest

import tinygrad_nn
from tests.parity.side_by_side import compare

torch = pytest.importorskip("torch")

TYPED = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor", "IntTensor", "LongTensor", "ShortTensor",
]  # fmt: skip
DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("name", TYPED)
@pytest.mark.parametrize("arguments", [
    ([1, 0, 2],), ([],), ((1, 0),), ([[1], [2]],), (2, 3), (), ("a",), ([[1], [1, 2]],),
], ids=str)  # fmt: skip
def test_typed_constructors(name, arguments):
    def program(p):
        made = getattr(p, name)(*arguments)
        return [made.shape, repr(made.dtype)] if arguments == (2, 3) else made

    compare(program, torch, tinygrad_nn)


@pytest.mark.parametrize("first", DTYPES)
@pytest.mark.parametrize("second", DTYPES)
def test_dtypes_of_results(first, second):
    def program(p):
        a, b = getattr(p, first), getattr(p, second)
        one, none = p.ones(2, dtype=a), p.ones((), dtype=b)
        kinds = [p.promote_types(a, b), p.result_type(2, one)]
        kinds += [p.result_type(one, none), p.result_type(none, one), p.result_type(one, 1.5)]
        return [p.can_cast(a, b), *map(repr, kinds)]

    compare(program, torch, tinygrad_nn)


def switched(p, name, values, read):
    """What is read after each value, put back at the end."""
    before, seen = getattr(p, read)(), []
    try:
        for value in values:
            getattr(p, name)(value)
            seen.append(str(getattr(p, read)()))
    finally:
        getattr(p, name)(before)
    return seen


def deterministic(p):
    seen = []
    for mode, warn in ((True, True), (True, False), (False, False)):
        p.use_deterministic_algorithms(mode, warn_only=warn)
        seen += [p.are_deterministic_algorithms_enabled(), p.is_deterministic_algorithms_warn_only_enabled()]
    return seen


def autocast(p):
    with p.autocast("cpu", enabled=False):
        inside = p.ones(2, 2) @ p.ones(2, 2)
    return [inside, p.is_autocast_enabled("cpu"), p.autocast("cpu", enabled=False)(lambda x: x + 1)(p.ones(1))]


def shared(p):
    array = np.arange(3.0)
    x = p.from_dlpack(array)
    x[0] = 7
    return [x, array.tolist(), p.from_dlpack(p.ones(2)), p.from_dlpack(p.ones(2, 3).T)]


def empty_like_them(p):
    x = p.ones(2, dtype=p.float64)
    return [x.new_empty(2, 3).shape, repr(x.new_empty((0,)).dtype), x.new_empty(0, dtype=p.int32)]


PROGRAMS = {
    "frombuffer": lambda p: p.frombuffer(bytearray(b"\x01\x00\x02\x00"), dtype=p.int16),
    "frombuffer part": lambda p: p.frombuffer(bytearray(range(8)), dtype=p.uint8, count=3, offset=2),
    "frombuffer far": lambda p: p.frombuffer(bytearray(4), dtype=p.uint8, count=9),
    "frombuffer misfit": lambda p: p.frombuffer(bytearray(3), dtype=p.float32),
    "from_dlpack": shared,
    **{f"logspace {bounds}": lambda p, bounds=bounds: p.logspace(*bounds)
       for bounds in ((0, 2, 3), (-1, 1, 4, 2), (0, 1, 0), (2, 2, 1), (0, 1, -1))},
    "logspace float64": lambda p: p.logspace(0, 3, 7, dtype=p.float64),
    **{f"scalar_tensor {value}": lambda p, value=value: p.scalar_tensor(value) for value in (2, 2.5, True, "a")},
    "scalar_tensor dtype": lambda p: p.scalar_tensor(2, dtype=p.int16),
    **{f"{name} {bounds}": lambda p, name=name, bounds=bounds: getattr(p, name)(*bounds)
       for name in ("tril_indices", "triu_indices")
       for bounds in ((3, 3), (2, 4, 1), (4, 2, -1), (0, 3), (3, 3, 9), (3, 3, -9), (-1, 2))},
    "indices dtype": lambda p: p.tril_indices(2, 2, dtype=p.int32),
    **{f"{name} {value}": lambda p, name=name, value=value: getattr(p, name)(p.tensor(value))
       for name in ("is_nonzero",) for value in (0, 1, 0.5, False, [2.0], [], [1, 2])},
    "is_nonzero method": lambda p: [p.tensor([3]).is_nonzero(), p.tensor(0.0).is_nonzero()],
    "is_same_size": lambda p: [p.ones(2).is_same_size(p.zeros(2)), p.is_same_size(p.ones(2), p.ones(2, 1))],
    "is_same_size of a number": lambda p: p.ones(2).is_same_size(2),
    "is_tensor": lambda p: [p.is_tensor(value) for value in (p.ones(1), p.nn.Parameter(p.ones(1)), 1, np.ones(1), None)],
    "is_storage": lambda p: [p.is_storage(value) for value in (p.ones(1), 1, None)],
    "layouts": lambda p: [str(p.ones(2).layout), p.ones(2).layout == p.strided, isinstance(p.strided, p.layout)],
    "memory formats": lambda p: [isinstance(p.contiguous_format, p.memory_format), str(p.preserve_format)],
    "devices": lambda p: [str(p.get_default_device()), p.ones(1).get_device(), p.ones(1).is_pinned()],
    "set_default_device": lambda p: switched(p, "set_default_device", ["cpu"], "get_default_device"),
    "set_default_device nowhere": lambda p: p.set_default_device("nowhere"),
    "precision": lambda p: switched(p, "set_float32_matmul_precision", ["high", "highest"], "get_float32_matmul_precision"),
    "deterministic": deterministic,
    "autocast": autocast,
    "autocast of a number": lambda p: p.autocast(3),
    "poisson negative": lambda p: p.poisson(p.tensor([-1.0])),
    "poisson int": lambda p: p.poisson(p.tensor([1])),
    "char": lambda p: [p.tensor([1.7, -2.2, 100.0]).char(), p.tensor([True]).char(), p.tensor([300]).char()],
    "data_ptr": lambda p: [p.ones(1).data_ptr() != 0, p.ones(0).data_ptr(), same_place(p.ones(3))],
    "new_empty": empty_like_them,
    **{f"new_{name} {kind}": lambda p, name=name, kind=kind: [
        getattr(p.ones(2, dtype=getattr(p, kind)), f"new_{name}")(2, 3),
        getattr(p.ones(1), f"new_{name}")((2,), dtype=getattr(p, kind))]
       for name in ("zeros", "ones") for kind in DTYPES},
    "new_zeros negative": lambda p: p.ones(1).new_zeros(-1),
    "new_ones grad": lambda p: p.ones(1).new_ones(2, requires_grad=True).requires_grad,
    "new_full": lambda p: [p.ones(1).new_full((2,), 3), p.ones(1, dtype=p.int64).new_full((1, 2), True),
                           p.ones(1).new_full([2], 1, dtype=p.int8)],
    "new_full string": lambda p: p.ones(1).new_full((2,), "a"),
    "new_tensor": lambda p: [p.ones(1, dtype=p.float64).new_tensor([1, 2]), p.ones(1).new_tensor([True], dtype=p.bool)],
    "new_tensor ragged": lambda p: p.ones(1).new_tensor([[1], [1, 2]]),
}  # fmt: skip


def same_place(x):
    return [x[1:].data_ptr() - x.data_ptr(), x.detach().data_ptr() == x.data_ptr(), x.clone().data_ptr() == x.data_ptr()]


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name):
    compare(PROGRAMS[name], torch, tinygrad_nn)


def test_a_precision_that_is_none_changes_nothing_but_warns():
    with pytest.warns(UserWarning, match=r"'low'.*no effect"):
        tinygrad_nn.set_float32_matmul_precision("low")
    assert tinygrad_nn.get_float32_matmul_precision() == torch.get_float32_matmul_precision() == "highest"


@pytest.mark.parametrize("move", [lambda x: x.cuda(), lambda x: x.pin_memory(), lambda x: x.to("cuda")])
def test_there_is_no_accelerator(move):
    for p in (torch, tinygrad_nn):
        if not torch.cuda.is_available():
            with pytest.raises((RuntimeError, AssertionError)):
                move(p.ones(1))


# What PyTorch does, and we refuse in so many words.
REFUSED = {
    "conv3d": lambda p: p.nn.functional.conv3d(p.ones(1, 2, 3, 3, 3), p.ones(3, 2, 2, 2, 2)),
    "conv_transpose3d": lambda p: p.conv_transpose3d(p.ones(1, 2, 3, 3, 3), p.ones(2, 3, 2, 2, 2)),
    "Conv3d": lambda p: p.nn.Conv3d(2, 3, 2),
    "ConvTranspose3d": lambda p: p.nn.ConvTranspose3d(2, 3, 2),
    **{f"{name}3d": lambda p, name=name: getattr(p.nn, f"{name}3d")(2)
       for name in ("MaxPool", "AvgPool", "AdaptiveMaxPool", "AdaptiveAvgPool")},
    "gather": lambda p: p.gather(p.ones(2), 0, p.tensor([0]), sparse_grad=True),
    "embedding_bag": lambda p: p.nn.functional.embedding_bag(p.tensor([0]), p.ones(2, 2), p.tensor([0]), sparse=True),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_here(name):
    REFUSED[name](torch)
    with pytest.raises(NotImplementedError, match=r"not|dense"):
        REFUSED[name](tinygrad_nn)


def test_there_are_no_complex_numbers_and_no_autocast_here():
    for value in (1j, [1.0, 2j], [[1j]]):
        assert torch.tensor(value).is_complex()
        with pytest.raises(TypeError, match="expected real numbers"):
            tinygrad_nn.tensor(value)
    assert not tinygrad_nn.amp.is_autocast_available("cpu")


# Each is given x (3,), m (2, 3), a batch b (4, 2, 2) and its like.
WRITERS = {
    "addbmm_": lambda p, x: x.outer(x)[:2, :2].clone().addbmm_(
        p.ones(4, 2, 3, dtype=x.dtype), p.ones(4, 3, 2, dtype=x.dtype), alpha=2),
    "baddbmm_": lambda p, x: x.expand(2, 3, 3).clone().baddbmm_(p.ones(2, 3, 4, dtype=x.dtype), p.ones(2, 4, 3, dtype=x.dtype)),
    "addmv_": lambda p, x: (x * 1).addmv_(p.ones(3, 2, dtype=x.dtype), p.ones(2, dtype=x.dtype), beta=2),
    "addr_": lambda p, x: x.outer(x).addr_(x, x, alpha=0.5),
    "clip_": lambda p, x: (x * 1).clip_(0.4, 1.5),
    "clip_ function": lambda p, x: p.clip_(x * 1, max=0.7),
    "cumsum_": lambda p, x: (x * 1).cumsum_(0),
    "cumprod_": lambda p, x: (x * 1).cumprod_(0),
    "fill_": lambda p, x: (x * 1).fill_(2.5) * x,
    "fill_ tensor": lambda p, x: (x * 1).fill_(x[0]),
    "renorm_": lambda p, x: x.outer(x).renorm_(2, 0, 0.5),
    # its values only: where both come from x PyTorch's derivative is not that of finite differences, ours is
    "as_strided_scatter": lambda p, x: x * p.as_strided_scatter(x.detach(), x.detach()[:2] * 3, (2,), (1,)),
    "as_strided_scatter misfit": lambda p, x: x.as_strided_scatter(x, (2,), (1,)),
    "addmv_ misfit": lambda p, x: (x * 1).addmv_(p.ones(2, 2, dtype=x.dtype), p.ones(2, dtype=x.dtype)),
    "addbmm_ misfit": lambda p, x: x.outer(x).addbmm_(p.ones(4, 2, 3, dtype=x.dtype), p.ones(4, 3, 2, dtype=x.dtype)),
    "cumsum_ far": lambda p, x: (x * 1).cumsum_(3),
    "multigammaln": lambda p, x: p.special.multigammaln(x + 2, 2),
    "multigammaln low": lambda p, x: p.special.multigammaln(x - 5, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_writers(name, dtype):
    def program(p):
        x = p.tensor([0.3, 0.8, 1.9], dtype=getattr(p, dtype), requires_grad=True)
        y = WRITERS[name](p, x)
        return [y, *p.autograd.grad([(y * y).sum()], [x])]

    compare(program, torch, tinygrad_nn, tolerance=1e-5)


def hooked(p):
    seen, x = [], p.ones(1, requires_grad=True)
    module = importlib.import_module(f"{p.__name__}.optim.optimizer")
    handles = [module.register_optimizer_step_pre_hook(lambda *_: seen.append("before")),
               module.register_optimizer_step_post_hook(lambda *_: seen.append("after"))]  # fmt: skip
    p.optim.SGD([x], lr=1.0).step()
    for handle in handles:
        handle.remove()
    return seen


def decoded(p):
    p.manual_seed(1)
    layer = p.nn.TransformerDecoderLayer(4, 2, 6, 0.0, batch_first=True)
    y = p.nn.TransformerDecoder(layer, 2)(p.ones(1, 3, 4), p.arange(8.0).reshape(1, 2, 4))
    return [y, *p.autograd.grad(y.pow(2).sum(), list(layer.parameters()), allow_unused=True)[:1]]


def packed(p):
    found = p.nn.utils.rnn.pack_sequence([p.ones(3), p.zeros(2)])
    return [isinstance(found, p.nn.utils.rnn.PackedSequence), found.data, found.batch_sizes, found.to(p.float64).data]


def ctc(p, reduction="mean", targets=((1, 2), (2, 3))):
    x = p.linspace(-1, 1, 40, dtype=p.float64).reshape(5, 2, 4).sin().requires_grad_()
    lengths = p.tensor([5, 4]), p.tensor([2, 1])
    y = p.nn.functional.ctc_loss(x.log_softmax(2), p.tensor(targets), *lengths, reduction=reduction)
    return [y, *p.autograd.grad(y.sum(), x)]


def cell(name):
    gates = {"lstm_cell": 4, "gru_cell": 3}.get(name, 1)

    def program(p):
        make = lambda *shape: p.linspace(-1, 1, int(np.prod(shape)), dtype=p.float64).reshape(shape).requires_grad_()
        x, h, w, u, b = make(2, 3), make(2, 4), make(gates * 4, 3), make(gates * 4, 4), make(gates * 4)
        y = getattr(p, name)(x, (h, h * 2) if gates == 4 else h, w, u, b, b)
        total = sum(part.pow(2).sum() for part in y) if gates == 4 else y.pow(2).sum()
        return [y, *p.autograd.grad(total, [x, h, w, u, b])]

    return program


PARTS = {
    "hooks": hooked,
    "Optimizer of nothing": lambda p: p.optim.Optimizer([], {}),
    "LRScheduler": lambda p: isinstance(
        p.optim.lr_scheduler.StepLR(p.optim.SGD([p.ones(1)], 1.0), 1), p.optim.lr_scheduler.LRScheduler),
    "LRScheduler of nothing": lambda p: p.optim.lr_scheduler.LRScheduler(3),
    "TransformerDecoder": decoded,
    "TransformerDecoderLayer misfit": lambda p: p.nn.TransformerDecoderLayer(4, 3),
    "bases": lambda p: [issubclass(p.nn.LSTM, p.nn.RNNBase), issubclass(p.nn.GRUCell, p.nn.RNNCellBase)],
    "RNNBase mode": lambda p: p.nn.RNNBase("ABC", 2, 3),
    "PackedSequence": packed,
    **{f"ctc_loss {reduction}": lambda p, reduction=reduction: ctc(p, reduction) for reduction in ("mean", "sum", "none", "a")},
    **{name: cell(name) for name in ("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")},
    "feature_dropout": lambda p: [p.manual_seed(1) and p.feature_dropout(p.ones(4, 5, 2), 0.5, True),
                                  p.feature_dropout(p.ones(2), 0.5, False)],
    "feature_dropout of a vector": lambda p: p.feature_dropout(p.ones(2), 0.5, True),
    "dropout without train": lambda p: p.dropout(p.ones(2), 0.5),
    "selu in place": lambda p: p.selu(p.ones(2), True),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_parts(name):
    compare(PARTS[name], torch, tinygrad_nn, tolerance=1e-5)


@pytest.mark.filterwarnings("ignore:torch.set_default_tensor_type")
def test_the_default_by_its_old_name():
    for p in (torch, tinygrad_nn):
        for given, dtype in ((p.DoubleTensor, p.float64), ("torch.FloatTensor", p.float32)):
            p.set_default_tensor_type(given)
            assert p.ones(1).dtype == dtype
        for wrong in (p.LongTensor, "torch.LongTensor", 3):
            with pytest.raises(TypeError):
                p.set_default_tensor_type(wrong)


def test_switches_by_number_and_name():
    def program(p):
        found = []
        for mode in (1, "error", "default", "warn", 0):
            p.set_deterministic_debug_mode(mode)
            found += [p.get_deterministic_debug_mode(), p.are_deterministic_algorithms_enabled()]
            found.append(p.is_deterministic_algorithms_warn_only_enabled())
        return found

    try:
        compare(program, torch, tinygrad_nn)
    finally:
        for p in (torch, tinygrad_nn):
            p.set_deterministic_debug_mode(0)
    for mode in (5, "x", 1.0):
        compare(lambda p, mode=mode: p.set_deterministic_debug_mode(mode), torch, tinygrad_nn)


def test_what_programs_ask_of_devices_and_compilers():
    for name in ("compiler", "cpu", "xpu", "jit", "_utils"):
        importlib.import_module(f"torch.{name}"), importlib.import_module(f"tinygrad_nn.{name}")

    def program(p):
        compiler, cpu = p.compiler, p.cpu
        found = [compiler.is_compiling(), compiler.is_dynamo_compiling(), compiler.is_exporting(), compiler.reset()]
        found += [compiler.disable(abs)(-1), compiler.disable(recursive=False)(abs)(-2), compiler.allow_in_graph(abs) is abs]
        found += [cpu.is_available(), cpu.is_initialized(), cpu.device_count(), cpu.current_device(), cpu.set_device("cpu")]
        found += [cpu.synchronize(), p.xpu.is_available(), p.xpu.device_count()]
        found += [p.cuda.get_rng_state_all(), p.cuda.set_rng_state_all([]), p.cuda.OutOfMemoryError is p.OutOfMemoryError]
        found += [p.jit.annotate(int, 3), p.jit.Final[int] is not None, p.jit.script_if_tracing(abs)(-1)]
        with p.backends.cudnn.flags(enabled=True, benchmark=False):
            found += [p.backends.cudnn.version(), issubclass(p.OutOfMemoryError, RuntimeError), p.OutOfMemoryError.__name__]
        return found

    compare(program, torch, tinygrad_nn)


def test_tensors_as_one_vector():
    def program(p):
        parts = [p.arange(4.0).reshape(2, 2), p.ones(3)]
        flat = p._utils._flatten_dense_tensors(parts)
        return flat, p._utils._unflatten_dense_tensors(flat * 2, parts)

    compare(program, torch, tinygrad_nn)
