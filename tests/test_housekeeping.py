"""The names that a program expects of PyTorch beside its arithmetic: they answer as on a machine without accelerators."""

import subprocess
import sys

import numpy as np
import pytest

import tinygrad_nn as torch


@pytest.mark.parametrize("module", [torch.cuda, torch.mps, torch.accelerator, torch.backends.mps])
def test_there_is_no_accelerator(module):
    assert module.is_available() is False


def test_cuda_tidies_and_refuses():
    torch.cuda.manual_seed_all(0)
    torch.cuda.empty_cache()
    assert torch.cuda.device_count() == 0
    for needs in (torch.cuda.current_device, torch.cuda.synchronize, torch.ones(1).cuda):
        with pytest.raises(AssertionError, match="expected"):
            needs()
    with pytest.raises(AssertionError, match="only device here"):
        torch.ones(1).to("cuda")


def test_backend_flags_can_be_set():
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = True, True
    torch.backends.cuda.matmul.allow_tf32 = True
    assert torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = False


@pytest.mark.parametrize("line", [
    "import tinygrad_nn.backends.cudnn as f; f.benchmark = 3; import tinygrad_nn as t; assert t.backends.cudnn.benchmark == 3",
    "from tinygrad_nn.cuda.amp import GradScaler, autocast; autocast(True).__enter__(); GradScaler(enabled=False).get_scale()",
    "from tinygrad_nn.utils.data.dataloader import DataLoader, default_collate",
    "from tinygrad_nn.utils.data.dataset import Dataset, Subset, TensorDataset, random_split",
    "from tinygrad_nn.utils.data.sampler import Sampler, SubsetRandomSampler",
    "from tinygrad_nn.optim.lr_scheduler import StepLR; from tinygrad_nn.optim.optimizer import Optimizer",
    "from tinygrad_nn.nn.parameter import Parameter; from tinygrad_nn.nn.utils.rnn import pad_sequence",
])  # fmt: skip
def test_imports_from_pytorchs_files(line):
    subprocess.run([sys.executable, "-W", "error", "-c", line], check=True)


def test_mixed_precision_changes_nothing():
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer, scaler = torch.optim.SGD([weight], lr=0.5), torch.amp.GradScaler("cuda", enabled=False)
    with torch.autocast("cuda", dtype=torch.float16):
        loss = (weight * 2).sum()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    assert (weight.tolist(), scaler.get_scale(), loss.dtype) == ([0.0, 0.0], 1.0, torch.float32)
    assert torch.autocast("cpu")(len)([1, 2]) == 2


def test_compile_gives_its_argument():
    model = torch.nn.Linear(1, 1)
    assert torch.compile(model) is model
    assert torch.compile(mode="max-autotune")(len) is len


def test_runtime_switches():
    torch.use_deterministic_algorithms(True)
    assert torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    torch.set_float32_matmul_precision("high")
    assert torch.get_float32_matmul_precision() == "high"
    torch.set_float32_matmul_precision("highest")
    with pytest.raises(RuntimeError, match="positive integer, got 0"):
        torch.set_num_threads(0)
    pytest.importorskip("threadpoolctl")
    torch.set_num_threads(1)
    assert torch.get_num_threads() == 1


def test_questions_about_tensors():
    x = torch.tensor([1.0, 2.0])
    assert torch.is_tensor(x)
    assert not torch.is_tensor(np.ones(2))
    assert (torch.numel(x), torch.is_floating_point(x), torch.is_complex(x)) == (2, True, False)
    assert torch.equal(x, torch.tensor([1, 2]))
    assert not torch.equal(x, torch.ones(3))
    assert x.allclose(x + 1e-9)
    assert torch.is_nonzero(torch.tensor([3]))
    with pytest.raises(RuntimeError, match="ambiguous"):
        torch.is_nonzero(x)
    with pytest.raises(TypeError, match="must be Tensor, not int"):
        torch.numel(3)


def test_dtypes_and_their_limits():
    assert (torch.finfo(torch.float16).max, torch.finfo().bits, torch.iinfo(torch.int8).min) == (65504.0, 32, -128)
    assert torch.promote_types(torch.int8, torch.uint8) is torch.int16
    assert torch.result_type(torch.tensor([1]), 2.5) is torch.float32
    assert torch.can_cast(torch.int64, torch.uint8)
    assert not torch.can_cast(torch.float32, torch.int64)
    for wrong in (lambda: torch.finfo(torch.int8), lambda: torch.iinfo(torch.float32)):
        with pytest.raises(TypeError, match="expected"):
            wrong()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.complex64])
def test_absent_dtypes_say_so(dtype):
    assert torch.ones(1).dtype != dtype
    with pytest.raises(NotImplementedError, match="is not supported: expected a dtype among"):
        torch.zeros(2, dtype=dtype)


def test_the_old_constructors():
    assert torch.LongTensor([1.0, 2.0]).dtype is torch.int64
    assert torch.FloatTensor(2, 3).shape == (2, 3)
    assert isinstance(torch.ones(1).double(), torch.DoubleTensor)
    assert torch.ones(1).type(torch.ByteTensor).type() == "torch.ByteTensor"
    assert torch.ones(1).type("torch.HalfTensor").dtype is torch.float16


def test_sizes_stay_sizes():
    size = torch.ones(2, 3, 4).shape
    assert repr(size[1:]) == "torch.Size([3, 4])"
    assert [type(part) for part in (size + (1,), (1,) + size, size * 2)] == [torch.Size] * 3  # noqa: RUF005
    assert size[1:].numel() == 12


def test_devices():
    with torch.device("cpu") as device:
        assert torch.ones(1).device == device == torch.get_default_device()
    torch.set_default_device("cpu")
    with pytest.raises(AssertionError, match="only device here"):
        torch.set_default_device("cuda")


def test_memory_is_exchanged_without_copies():
    x = torch.ones(3)
    array = np.from_dlpack(x)
    torch.from_dlpack(array)[0] = 5
    assert x.tolist() == [5, 1, 1]
    assert torch.frombuffer(bytearray(b"\x01\x02"), dtype=torch.uint8).tolist() == [1, 2]
    with pytest.raises(BufferError, match="detach"):
        np.from_dlpack(torch.ones(1, requires_grad=True))
    assert torch.asarray(array).data_ptr() == x.data_ptr()
    assert torch.asarray(x, copy=True).data_ptr() != x.data_ptr()


def test_the_stream_goes_on_where_a_fork_began():
    torch.manual_seed(0)
    with torch.random.fork_rng():
        inside = torch.rand(2)
    assert torch.equal(torch.rand(2), inside)


def test_what_is_not_supported_says_so():
    with pytest.raises(NotImplementedError, match="NumPy has no such dtype"):
        torch.ones(1).bfloat16()


def test_memory_is_as_much_shared_as_before():
    x, layer = torch.ones(1), torch.nn.Linear(1, 1)
    assert x.share_memory_() is x
    assert layer.share_memory() is layer


def test_nothing_is_compiled():
    def double(x):
        return x * 2

    assert torch.jit.script(double) is torch.jit.trace(double, torch.ones(1)) is torch.jit.export(double) is double
    assert torch.jit.ignore(double) is torch.jit.ignore(drop=True)(double) is torch.jit.unused(double) is double
    assert not torch.jit.is_scripting() or torch.jit.is_tracing()
