"""python -m tinygrad_nn: PyTorch scripts run as they are, what is missing is named, scripts are checked unread by Python."""

import re
import subprocess
import sys
import textwrap

import pytest

import tinygrad_nn
from tinygrad_nn.__main__ import main
from tinygrad_nn.porting import check, names
from tinygrad_nn.porting.run import ScriptError


@pytest.fixture
def write(tmp_path):
    def script(text, name="script.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    return script


def python(*arguments, cwd=None):
    """One run of the command line: exit code, what it printed, what it complained of."""
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_nn", *map(str, arguments)], capture_output=True, text=True, cwd=cwd, check=False
    )
    return done.returncode, done.stdout, done.stderr


TRAINING = """
    import argparse
    import helper
    import torch
    import torch.backends.cudnn as cudnn
    import torch.nn as nn
    import torch.nn.functional as F
    import torch.optim as optim
    import torchvision
    from torch import Tensor
    from torch.cuda.amp import GradScaler, autocast
    from torch.nn.modules.loss import CrossEntropyLoss
    from torch.nn.parameter import Parameter
    from torch.optim.adamw import AdamW
    from torch.optim.lr_scheduler import StepLR
    from torch.utils.data import DataLoader, TensorDataset
    from torch.utils.data.dataset import Dataset
    from torchvision import datasets, transforms
    from torchvision.transforms.transforms import Compose

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(4, 8)
            self.last = nn.Linear(8, 2)

        def forward(self, x):
            return self.last(F.relu(self.first(x)))

    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("--epochs", type=int)
        epochs = parser.parse_args().epochs
        cudnn.benchmark = True
        torch.backends.cudnn.deterministic = True
        torch.manual_seed(0)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model = Net().to(device)
        x = torch.randn(64, 4)
        loader = DataLoader(TensorDataset(x, (x[:, 0] > 0).long()), batch_size=16, shuffle=True)
        optimizer = optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
        scheduler = StepLR(optimizer, 3)
        for _ in range(epochs):
            for inputs, labels in loader:
                optimizer.zero_grad()
                loss = CrossEntropyLoss()(model(inputs.to(device)), labels.to(device))
                loss.backward()
                optimizer.step()
            scheduler.step()
        torch.save(model.state_dict(), helper.PATH)
        model.load_state_dict(torch.load(helper.PATH, map_location="cpu"))
        print(loss.item() < 0.2, helper.kind(), torch.__version__, torch.nn is nn, torch.utils.data.DataLoader is DataLoader)
        print(isinstance(model.first.weight, Parameter), isinstance(x, Tensor), torchvision.datasets is datasets)

    if __name__ == "__main__":
        main()
"""


def test_a_training_script_runs_unchanged(write, tmp_path):
    script = write(TRAINING)
    write("import torch\nPATH = 'model.pt'\ndef kind(): return type(torch.ones(1)).__module__.split('.')[0]", "helper.py")
    code, printed, complaints = python(script, "--epochs", 6, cwd=tmp_path)
    assert (code, complaints) == (0, "")
    assert printed == "True tinygrad_nn 2.13.0+tinygrad_nn True True\nTrue True True\n"
    code, printed, _ = python("--check", script)
    assert (code, printed.startswith(f"{script}: all ")) == (0, True)


ABOUT = """
    import pickle, sys, os
    class Thing: pass
    print(sys.argv, __name__, __file__, sys.path[0], __spec__, __package__, __doc__)
    print(vars(sys.modules["__main__"]) is globals(), type(pickle.loads(pickle.dumps(Thing()))) is Thing)
"""


def test_a_script_is_main_as_python_makes_it(write, tmp_path):
    write('"""The doc."""\n' + textwrap.dedent(ABOUT), "folder/about.py")
    arguments = ["folder/about.py", "-x", "--check", "--help"]
    theirs = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=tmp_path, check=True).stdout
    assert python(*arguments, cwd=tmp_path)[:2] == (0, theirs)


def test_a_link_to_a_script_imports_from_where_it_is(write, tmp_path):
    write("import beside", "folder/real.py")
    write("print('found')", "folder/beside.py")
    (tmp_path / "link.py").symlink_to(tmp_path / "folder" / "real.py")
    assert python("link.py", cwd=tmp_path)[:2] == (0, "found\n")


@pytest.mark.parametrize(("end", "code"), [("sys.exit(3)", 3), ("sys.exit()", 0), ("raise SystemExit('why')", 1), ("1 / 0", 1)])
def test_exit_codes(write, end, code):
    assert python(write(f"import sys\n{end}"))[0] == code


def test_tracebacks_begin_in_the_script(write):
    script = write("import torch\ndef f():\n    torch.ones(2) @ torch.ones(3)\nf()")
    lines = python(script)[2].splitlines()
    assert lines[1] == f'  File "{script}", line 4, in <module>'
    assert not any("porting" in line for line in lines)


@pytest.mark.parametrize(
    ("line", "kind", "sentence"),
    [
        ("import torch; torch.reluu", "AttributeError", "torch.reluu is not in tinygrad_nn: the nearest is torch.relu"),
        ("from torch.linalg import nrom", "ModuleNotFoundError", "linalg.nrom is not in .*: the nearest is torch.linalg.norm"),
        ("from torch.jit import load", "ModuleNotFoundError", "torch.jit.load is not in tinygrad_nn: write the network"),
        ("import torch.distributed as dist; dist.barrier()", "NotImplementedError", "distributed.barrier: not supported"),
        ("import torch.hub as hub; hub.load('a')", "AttributeError", "torch.hub is not in tinygrad_nn: write the network"),
        ("from torch.fx import Tracer", "ModuleNotFoundError", "torch.fx is not in tinygrad_nn"),
        ("import torch; torch.fft.fft", "AttributeError", "torch.fft is not in tinygrad_nn: np.fft"),
        ("from torchvision import models; models.vgg16()", "AttributeError", "torchvision.models is not in tinygrad_nn"),
        ("import torch; torch.ones(1).bfloat16()", "NotImplementedError", "bfloat16: NumPy has no such dtype"),
        ("import torch.nn as nn; nn.quux", "AttributeError", "torch.nn.quux is not in tinygrad_nn"),
        ("import torch.ops", "ModuleNotFoundError", "torch.ops is not in tinygrad_nn"),
        ("import torch.backends.quux", "ModuleNotFoundError", "torch.backends.quux is not in tinygrad_nn"),
    ],
)
def test_what_is_missing_is_named_when_it_is_used(write, line, kind, sentence):
    code, _, complaints = python(write(line))
    assert code == 1
    last = complaints.splitlines()[-1]
    assert last.startswith(f"{kind}: ")
    assert re.search(sentence, last)


def test_a_script_may_ask_what_is_there(write):
    script = write(
        """
        import importlib.util, torch
        print(hasattr(torch, "reluu"), hasattr(torch.nn, "Linear"), importlib.util.find_spec("torch.nn") is not None)
        try:
            import torch.absent
        except ImportError:
            print("alone")
        import torch.distributed as dist, torch.multiprocessing as mp
        from torch.nn.parallel import DistributedDataParallel as DDP
        from torchvision import datasets, models, transforms
        print(dist.is_available() and dist.is_initialized(), mp.cpu_count() > 0, isinstance(torch.nn.ReLU(), DDP))
        try:
            from torch import reluu
        except ImportError:
            print("none")
        torch.mine = 3
        print(torch.mine, "__wrapped__" in dir(torch), hasattr(torch, "__wrapped__"))
        from torch.nn import *
        from torch import *
        print(Linear is torch.nn.Linear)
        """
    )
    code, printed, complaints = python(script)
    assert (code, complaints) == (0, "")
    assert printed == "False True True\nalone\nFalse True False\nnone\n3 False False\nTrue\n"


def test_a_pickled_file_says_how_to_convert_it(write, tmp_path):
    (tmp_path / "old.pt").write_bytes(b"PK\x03\x04....")
    complaint = python(write("import torch\ntorch.load('old.pt')"), cwd=tmp_path)[2].splitlines()[-1]
    assert complaint.startswith("ValueError: old.pt: pickled files are not read")
    assert "safetensors.torch.save_file(torch.load(path, weights_only=True), 'model.safetensors')" in complaint


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a script; --help shows how"),
        (["--check"], "expected a script to check; --help shows how"),
        (["--quux", "a.py"], "expected a script, got --quux; --help shows how"),
        (["none.py"], "none.py: expected a Python script, got: No such file or directory"),
        (["--check", "none.py"], "none.py: expected a Python script, got: No such file or directory"),
        (["."], ".: expected a Python script, got: Is a directory"),
    ],
)
def test_command_lines_that_make_no_sense(capsys, arguments, message):
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"tinygrad_nn: {message}\n"


def test_help(capsys):
    assert main(["--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: python -m tinygrad_nn SCRIPT")


@pytest.mark.parametrize(("text", "line"), [("x = 1\ndef f(:\n", 2), ("\x00", None)])
def test_a_script_that_is_no_python(write, capsys, text, line):
    path = write(text)
    for arguments in (["--check", str(path)], [str(path)]):
        assert main(arguments) == 2
        message = capsys.readouterr().err
        assert message.count("\n") == 1
        assert f"{path}:{line}: expected Python, got: " in message or line is None


# --check


def absent(write, text):
    """The lines and the names that a check complains of."""
    return [(line, sentence.split(" ")[0]) for line, sentence in check(str(write(text)))[1]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import torch\ntorch.foo()", [(2, "torch.foo")]),
        ("import torch.nn as nn\nnn.Lineaar(1, 2)", [(2, "torch.nn.Lineaar")]),
        ("from torch.nn import functional as F\nF.reluu", [(2, "torch.nn.functional.reluu")]),
        ("import torch.nn.functional\ntorch.nn.functional.reluu", [(2, "torch.nn.functional.reluu")]),
        ("from torch import nope\nnope.further()", [(1, "torch.nope")]),
        ("from torch.nope import a, b\na()", [(1, "torch.nope")]),
        ("import torch.nope as n\nn.x", [(1, "torch.nope")]),
        ("import torch\ntorch.onnx.export(f)\ntorch.onnx.load(g)", [(2, "torch.onnx"), (3, "torch.onnx")]),
        ("import torch as t\ndef f():\n    return t.nn.Foo", [(3, "torch.nn.Foo")]),
        ("def f():\n    import torch\n    torch.foo\ntorch.bar", [(3, "torch.foo")]),
        ("def f():\n    return torch.foo\nimport torch", [(2, "torch.foo")]),
        ("import torch\ndef f(torch):\n    torch.foo", []),
        ("import torch\ntorch.backends.cudnn.benchmark = True\ntorch.mine = 3", []),
        ("from torch.nn import *\nLinear.nope", [(2, "torch.nn.Linear.nope")]),
        ("from . import torch\ntorch.foo", []),
        # families that may be imported
        ("import torch.fx as fx", []),
        ("import torch.sparse\ntorch.sparse.mm(a, b)", [(2, "torch.sparse")]),
        ("from torch import fx\nfx.symbolic_trace(m)", [(2, "torch.fx")]),
        ("import torch.fx as fx\nfx.symbolic_trace(m)", [(2, "torch.fx")]),
        ("from torch.fx import Tracer", [(1, "torch.fx")]),
        # dtypes that are names only
        ("import torch\nx.to(torch.bfloat16)", [(2, "torch.bfloat16")]),
        ("import torch\nx.to('cpu', dtype=torch.bfloat16)", [(2, "torch.bfloat16")]),
        ("import torch\ntorch.zeros(3, dtype=torch.complex64)", [(2, "torch.complex64")]),
        ("from torch import complex128\nimport torch\ntorch.ones(1).type(complex128)", [(3, "torch.complex128")]),
        ("import torch\nwith torch.autocast('cpu', dtype=torch.bfloat16): x.dtype == torch.bfloat16", []),
        ("import torch\nprint(torch.bfloat16, x.to(torch.float16))", []),
        ("from .torch import foo", []),
        ("import numpy\nnumpy.foo", []),
        ("import torch\ntorch.cumprod(torch.ones(2), axis=0)", []),
        ("import torch\nclass Net(torch.nn.Modul): pass", [(2, "torch.nn.Modul")]),
        ("import torch\n@torch.no_grad_\ndef f(): pass", [(2, "torch.no_grad_")]),
        ("import torch\ndef f(x: torch.Tensr = torch.one): pass", [(2, "torch.Tensr"), (2, "torch.one")]),
        ("import torch\nx = torch.func.stack_all", [(2, "torch.func.stack_all")]),
        ("import torch\ntorch.ones(1).to_sparse()", [(2, "torch.Tensor.to_sparse")]),
        ("from torchvision import models, transforms\nmodels.vgg16()", [(2, "torchvision.models")]),
        # methods of what is certainly a tensor
        ("import torch\nx = torch.ones(3)\nx.foo()", [(3, "torch.Tensor.foo")]),
        ("import torch\nx = torch.ones(3)\nx = x.foo()\nx.bar()", []),
        ("import torch\nx = torch.ones(3)\nx = x + 1\nx += 2\nx[0].foo", [(5, "torch.Tensor.foo")]),
        ("import torch\nx = torch.ones(3)\nfor x in y: x.foo", []),
        ("import torch\nx = torch.ones(3)\nx = other\nx.foo", []),
        ("import torch\nx, y = torch.ones(3)\nx.foo", []),
        ("import torch\ntorch.ones(3).numpy().foo", []),
        ("import torch\n(-torch.ones(3) @ z).T.foo", [(2, "torch.Tensor.foo")]),
        ("import torch\ntorch.ones(3).relu().foo", [(2, "torch.Tensor.foo")]),
        ("import torch\nx = torch.ones(3)\ndef f(): return x.foo", [(3, "torch.Tensor.foo")]),
        ("from torch import Tensor\ndef f(x: Tensor, *y: Tensor): x.foo; y.foo", [(2, "torch.Tensor.foo")]),
        ("import torch\nx = torch.ones(3)\nx.mine = 1", []),
        ("import torch\ny = not torch.ones(1)\ny.foo", []),
        # arguments
        ("import torch\ntorch.nn.Linear(3, 4, biass=True)", [(2, "torch.nn.Linear")]),
        ("import torch\ntorch.nn.Linear(3, 4, bias=True, **more)", []),
    ],
)
def test_a_check_finds_what_is_missing(write, text, found):
    assert absent(write, text) == found


def test_what_a_check_prints(write, capsys):
    path = write("import torch\nfrom torch.nn import GELUU\ntorch.polar(torch.nn.Linear(3, 4, biass=True))\n")
    clean, empty = write("import torch\ntorch.ones(1)", "clean.py"), write("x = 1", "empty.py")
    assert main(["--check", str(path), str(clean), str(empty)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{path}:2: torch.nn.GELUU is not in tinygrad_nn: the nearest is torch.nn.GELU",
        f"{path}:3: torch.nn.Linear takes no argument 'biass' in tinygrad_nn",
        f"{path}:3: torch.polar is not in tinygrad_nn: there are no complex numbers",
        f"{clean}: all 2 names of PyTorch's in it are here",
        f"{empty}: no name of PyTorch's in it",
    ]


def test_a_check_runs_nothing(write, tmp_path):
    path = write("import torch\nopen('made', 'w')\nraise SystemExit")
    assert main(["--check", str(path)]) == 0
    assert not (tmp_path / "made").exists()
    with pytest.raises(ScriptError):
        check(str(tmp_path / "none.py"))


# names


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("torch.softmax_", "torch.softmax"),
        ("torch.nn.functional.matmul", "torch.matmul"),
        ("torch.nn.adam", "torch.optim.Adam"),
        ("torch.zzz", ""),
    ],
)
def test_the_nearest_name(name, hint):
    assert names.nearest(name) == hint


def test_the_shortest_name_that_fails_is_the_one_named():
    assert names.missing("torch.zzz.deeper.still") == "torch.zzz is not in tinygrad_nn"


def test_a_program_may_ask_what_it_runs_on():
    assert (tinygrad_nn.version.__version__, tinygrad_nn.version.cuda) == (tinygrad_nn.__version__, None)


def test_a_version_compares_by_its_numbers(write):
    program = """
        import torch
        from torch.version import __version__
        print(torch.__version__ >= (1, 8), torch.__version__ > "2.9", torch.__version__ < "2.20.1", torch.__version__ <= "2.13")
        print(torch.__version__ == __version__ == torch.version.__version__, torch.version.cuda)
    """
    assert python(write(program))[1] == "True True True False\nTrue None\n"


def test_importing_the_package_brings_none_of_this():
    code = "import sys, tinygrad_nn; print([name for name in sys.modules if 'porting' in name or name == 'tensorboardX'])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_part_does_not_take_the_place_of_the_function_of_its_name(write):
    script = write(
        """
        import torch
        from torch.nn.utils.spectral_norm import SpectralNorm
        from torch.nn.utils.weight_norm import WeightNorm
        import torch.nn.modules.conv

        layer = torch.nn.utils.spectral_norm(torch.nn.utils.weight_norm(torch.nn.Linear(2, 2)), "weight_v")
        print([type(hook) in (SpectralNorm, WeightNorm) for hook in layer._forward_pre_hooks.values()])
        print(torch.nn.modules.conv._ConvNd.__name__, torch.nn.modules.batchnorm._BatchNorm.__name__)
        """
    )
    assert python(script) == (0, "[True, True]\n_ConvNd _BatchNorm\n", "")
    assert python("--check", script)[0] == 0
